"""The scores of a version, with numerator and denominator, as ``docs/quality.md`` defines them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from platform_assets.config import Limit, Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.lake.snapshot import Snapshot
from platform_assets.quality.cross_rows import Count
from platform_assets.quality.results import CheckResult, Kind, Verdict, verdict_of

EMPTY = "no rows: nothing to judge"


@dataclass(frozen=True)
class _Share:
    """One score: how many cells or rows were asked, how many fail, and what else there is to say."""

    name: str
    dimension: Dimension
    checked: int
    failed: int
    what: str
    note: str = ""
    pending: int = 0


def score_results(
    contract: Contract,
    snapshot: Snapshot,
    thresholds: Thresholds,
    references: Mapping[str, Count],
    *,
    newest_arrival: datetime | None,
    now: datetime,
) -> list[CheckResult]:
    """Judge a version by its scores.

    Args:
        contract: The dataset's contract.
        snapshot: The version, with its pieces.
        thresholds: What a score must reach.
        references: The counts of the rules that refer to other datasets, by rule.
        newest_arrival: When the newest file arrived.
        now: The wall clock; only freshness of arrival looks at it.
    """
    rows = sum(piece.facts["rows_read"] for piece in snapshot.slices.values())
    shares = [_completeness(contract, snapshot), _uniqueness(snapshot, rows), _validity(snapshot, rows)]
    if references:
        shares.append(_integrity(references))
    results = [_judged(contract, share, getattr(thresholds, share.name), has_rows=bool(rows)) for share in shares]
    return [*results, _freshness(contract, snapshot, thresholds, newest_arrival, now)]


def composite(results: list[CheckResult], weights: Mapping[str, float]) -> float | None:
    """The weighted mean of scores, for display only: a mean hides what the worst of them says."""
    scores = {result.rule: result.score for result in results}
    counted = [(score, weights[name]) for name in weights if (score := scores.get(name)) is not None]
    total = sum(weight for _, weight in counted)
    return sum(score * weight for score, weight in counted) / total if total else None


def _completeness(contract: Contract, snapshot: Snapshot) -> _Share:
    cells, missing = _cells(contract, snapshot)
    checked, failed = sum(cells.values()), sum(missing.values())
    worst = max(missing, key=lambda name: missing[name] / cells[name], default=None)
    note = ""
    if worst is not None and missing[worst]:
        share = missing[worst] / cells[worst]
        note = f"worst column: {worst}, {missing[worst]:,} of {cells[worst]:,} cells empty ({share:.1%})"
    return _Share("completeness", Dimension.COMPLETENESS, checked, failed, "cells that have a value", note)


def _uniqueness(snapshot: Snapshot, rows: int) -> _Share:
    broken: Mapping[str, int] = snapshot.attributes.get("broken", {})
    repeated, lines = broken.get("_repeated", 0), broken.get("_repeated_lines", 0)
    note = f"{repeated:,} rows repeat another, of {lines:,} different lines" if repeated else ""
    return _Share("uniqueness", Dimension.UNIQUENESS, rows, repeated, "rows that repeat no other", note)


def _validity(snapshot: Snapshot, rows: int) -> _Share:
    broken: Mapping[str, int] = snapshot.attributes.get("broken", {})
    invalid = sum(piece.facts["invalid"] + piece.facts["rows_rejected"] for piece in snapshot.slices.values())
    what = "rows that break no rule of validity or consistency"
    return _Share("validity", Dimension.VALIDITY, rows, invalid + broken.get("_invalid", 0), what)


def _integrity(references: Mapping[str, Count]) -> _Share:
    """The worst reference decides; a row that waits for one does not fail."""
    worst = min(references, key=lambda name: _kept(references[name]))
    count = references[worst]
    pending = sum(one.pending for one in references.values())
    notes = [f"decided by {worst}" if count.failed else "", f"{pending:,} rows are pending" if pending else ""]
    what = "rows whose key another dataset knows or may still bring"
    note = "; ".join(filter(None, notes)) or count.note
    return _Share("integrity", Dimension.CONSISTENCY, count.checked, count.failed, what, note, pending)


def _kept(count: Count) -> float:
    return 1 - count.failed / count.checked if count.checked else 1.0


def _judged(contract: Contract, share: _Share, limit: Limit, *, has_rows: bool) -> CheckResult:
    score = 1 - share.failed / share.checked if share.checked else None
    if score is None:
        # Where no row has a key, no reference is wrong; where there are no rows, nothing is right.
        verdict = Verdict.PASS if has_rows and share.name == "integrity" else Verdict.FAIL
    else:
        verdict = verdict_of(score, limit)
    return CheckResult(
        dataset=contract.dataset,
        rule=share.name,
        kind=Kind.SCORE,
        dimension=share.dimension,
        severity=Severity.ERROR,
        verdict=verdict,
        rows_checked=share.checked,
        rows_failed=share.failed,
        score=score,
        threshold=limit.fail,
        warn_threshold=limit.warn,
        description=f"share of {share.what}",
        note=share.note if has_rows else EMPTY,
        shuts_gate=has_rows,
        rows_pending=share.pending,
    )


def _cells(contract: Contract, snapshot: Snapshot) -> tuple[dict[str, int], dict[str, int]]:
    """Cells of the contract's columns that the files have, and how many of them are empty, by column."""
    cells: dict[str, int] = {}
    missing: dict[str, int] = {}
    for piece in snapshot.slices.values():
        for name in contract.column_names:
            if name in piece.facts["columns"] and piece.facts["rows"]:
                cells[name] = cells.get(name, 0) + piece.facts["rows"]
                missing[name] = missing.get(name, 0) + piece.facts["missing"].get(name, 0)
    return cells, missing


def _freshness(
    contract: Contract, snapshot: Snapshot, thresholds: Thresholds, newest_arrival: datetime | None, now: datetime
) -> CheckResult:
    hours = None if newest_arrival is None else max(0.0, (now - newest_arrival).total_seconds() / 3600)
    limit, shuts = thresholds.freshness_hours, thresholds.stale_data_shuts_gate
    if hours is None:
        verdict = Verdict.FAIL
    elif limit.fail is not None and hours > limit.fail:
        verdict = Verdict.FAIL if shuts else Verdict.WARN
    else:
        verdict = Verdict.WARN if limit.warn is not None and hours > limit.warn else Verdict.PASS
    passed = verdict is Verdict.PASS
    return CheckResult(
        dataset=contract.dataset,
        rule="freshness",
        kind=Kind.SCORE,
        dimension=Dimension.TIMELINESS,
        severity=Severity.ERROR if shuts else Severity.WARN,
        verdict=verdict,
        rows_checked=len(snapshot.slices),
        rows_failed=0 if passed else len(snapshot.slices),
        score=hours,
        threshold=limit.fail,
        warn_threshold=limit.warn,
        description="hours since the newest file arrived",
        note=_freshness_note(snapshot, newest_arrival),
        shuts_gate=shuts and bool(snapshot.slices),
    )


def _freshness_note(snapshot: Snapshot, newest_arrival: datetime | None) -> str:
    if newest_arrival is None:
        return EMPTY
    newest = max((day for piece in snapshot.slices.values() for day in piece.facts["days"]), default=None)
    as_of = snapshot.attributes.get("as_of")
    if newest is None or as_of is None:
        return f"newest file of {newest_arrival:%Y-%m-%d %H:%M} UTC"
    behind = (date.fromisoformat(as_of) - date.fromisoformat(newest)).days * 24
    return (
        f"newest file of {newest_arrival:%Y-%m-%d %H:%M} UTC; newest event of {newest}, {behind:,} hours before as_of"
    )


def arrival(nanoseconds: int) -> datetime:
    """A file's time of arrival."""
    return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC)
