"""The scores of a version, with numerator and denominator, as ``docs/quality.md`` defines them."""

from datetime import UTC, date, datetime

from platform_assets.config import Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.lake.snapshot import Snapshot
from platform_assets.quality.results import CheckResult

_EMPTY = "no rows: nothing to judge"


def score_results(
    contract: Contract, snapshot: Snapshot, thresholds: Thresholds, newest_arrival: datetime | None, now: datetime
) -> list[CheckResult]:
    """Judge a version by its scores.

    Args:
        contract: The dataset's contract.
        snapshot: The version, with its pieces.
        thresholds: What a score must reach.
        newest_arrival: When the newest file arrived.
        now: The wall clock; only freshness of arrival looks at it.
    """
    rows = sum(piece.facts["rows_read"] for piece in snapshot.slices.values())
    broken: dict[str, int] = snapshot.attributes.get("broken", {})
    cells, missing = _cells(contract, snapshot)
    invalid = sum(piece.facts["invalid"] + piece.facts["rows_rejected"] for piece in snapshot.slices.values())
    shares = [
        ("completeness", Dimension.COMPLETENESS, cells, missing, thresholds.completeness, "cells that have a value"),
        (
            "uniqueness",
            Dimension.UNIQUENESS,
            rows,
            broken.get("_repeated", 0),
            thresholds.uniqueness,
            "rows that repeat no other",
        ),
        (
            "validity",
            Dimension.VALIDITY,
            rows,
            invalid + broken.get("_invalid", 0),
            thresholds.validity,
            "rows that break no rule of validity or consistency",
        ),
    ]
    results = [
        CheckResult(
            dataset=contract.dataset,
            rule=name,
            dimension=dimension,
            severity=Severity.ERROR,
            passed=bool(checked) and 1 - failed / checked >= threshold,
            rows_checked=checked,
            rows_failed=failed,
            score=1 - failed / checked if checked else None,
            threshold=threshold,
            description=f"share of {what}",
            note="" if checked else _EMPTY,
            shuts_gate=bool(rows),
        )
        for name, dimension, checked, failed, threshold, what in shares
    ]
    return [*results, _freshness(contract, snapshot, thresholds, newest_arrival, now)]


def _cells(contract: Contract, snapshot: Snapshot) -> tuple[int, int]:
    """Cells of the contract's columns that the files have, and how many of them are empty."""
    cells = missing = 0
    for piece in snapshot.slices.values():
        present = [name for name in contract.column_names if name in piece.facts["columns"]]
        cells += piece.facts["rows"] * len(present)
        missing += sum(piece.facts["missing"].get(name, 0) for name in present)
    return cells, missing


def _freshness(
    contract: Contract, snapshot: Snapshot, thresholds: Thresholds, newest_arrival: datetime | None, now: datetime
) -> CheckResult:
    hours = None if newest_arrival is None else max(0.0, (now - newest_arrival).total_seconds() / 3600)
    passed = hours is not None and hours <= thresholds.freshness_hours
    return CheckResult(
        dataset=contract.dataset,
        rule="freshness",
        dimension=Dimension.TIMELINESS,
        severity=Severity.ERROR if thresholds.stale_data_shuts_gate else Severity.WARN,
        passed=passed,
        rows_checked=len(snapshot.slices),
        rows_failed=0 if passed else len(snapshot.slices),
        score=hours,
        threshold=thresholds.freshness_hours,
        description="hours since the newest file arrived",
        note=_freshness_note(snapshot, newest_arrival),
        shuts_gate=thresholds.stale_data_shuts_gate and bool(snapshot.slices),
    )


def _freshness_note(snapshot: Snapshot, newest_arrival: datetime | None) -> str:
    if newest_arrival is None:
        return _EMPTY
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
