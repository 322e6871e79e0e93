"""Judge a staged version: every rule counted, every score compared, every file balanced, and the gate decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from platform_assets.config import Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.row_rules import Present, RowRule
from platform_assets.contracts.rules import Dimension, KnownIn, Rule, Severity
from platform_assets.engines.engine import Engine
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import ACCEPTED, Table
from platform_assets.quality.as_of import newest_event
from platform_assets.quality.cross_rows import Count, Surroundings, count_cross_rows
from platform_assets.quality.ledger import LedgerLine, ledger_line, refused_line
from platform_assets.quality.pieces import pieces_of, with_pieces
from platform_assets.quality.results import (
    BALANCE,
    READABLE,
    Assessment,
    CheckResult,
    HeldBack,
    Kind,
    Verdict,
    is_open,
    verdict_of,
)
from platform_assets.quality.scores import EMPTY, arrival, composite, score_results
from platform_assets.transforms.exclusions import version_rules
from platform_assets.transforms.facts import total
from platform_assets.transforms.forgotten import without_forgotten
from platform_assets.transforms.schemas import staged_schema


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a judgement depends on besides the data.

    Attributes:
        thresholds: What scores must reach.
        as_of: The day asked for; ``None`` for the newest event date.
        now: The wall clock.
        refused: Files that were refused as a whole, with reason and lines.
        surroundings: Other datasets, and what tells how long rows wait for them.
        weights: How much each score counts in the composite.
    """

    thresholds: Thresholds
    as_of: date | None
    now: datetime
    refused: Mapping[str, Mapping[str, object]]
    surroundings: Surroundings
    weights: Mapping[str, float]


def assess(
    contract: Contract, table: Table, after: Snapshot, around: Circumstances, engine: Engine
) -> tuple[Snapshot, Assessment]:
    """Judge a version.

    Args:
        contract: The dataset's contract.
        table: The staged table.
        after: The version to judge, not published yet.
        around: Thresholds, clock, references.
        engine: What computes.

    Returns:
        The version with what was found out about it, and the judgement.
    """
    as_of = around.as_of or newest_event(
        date.fromisoformat(day) for piece in after.slices.values() for day in piece.facts["days"]
    )
    after = with_pieces(after, table, contract, as_of, engine)
    ledger = _ledger(contract, after, around)
    counts = _rule_counts(contract, table, after, around.surroundings, engine)
    rules = [_result(contract, rule, counts[rule.id], around.thresholds, after) for rule in contract.rules]
    arrivals = [arrival(piece.facts["arrived_ns"]) for piece in after.slices.values()]
    references = {rule.id: counts[rule.id] for rule in contract.rules if isinstance(rule, KnownIn)}
    newest = max(arrivals, default=None)
    scores = score_results(contract, after, around.thresholds, references, newest_arrival=newest, now=around.now)
    results = (*rules, *scores, _balance(contract, ledger), _readable(contract, ledger))
    return after, Assessment(
        dataset=contract.dataset,
        as_of=as_of,
        evaluated_at=around.now,
        results=results,
        ledger=tuple(ledger),
        has_rows=any(line.rows_read for line in ledger),
        contract_version=f"{contract.version}-{fingerprint(contract)[:8]}",
        composite=composite(scores, around.weights),
        held_back=None if is_open(results) else held_back(table, after),
    )


def held_back(table: Table, after: Snapshot) -> HeldBack:
    """What of a version would be news to those who read the accepted one."""
    accepted = table.snapshot(ACCEPTED)
    old, new = pieces_of(accepted), pieces_of(after)
    changed = {name for name in {*old, *new} if name not in old or name not in new or old[name].id != new[name].id}
    as_of = accepted.attributes.get("as_of")
    rows = sum(after.slices[name].facts["rows_read"] for name in changed if name in new)
    return HeldBack(files=len(changed), rows=rows, since=date.fromisoformat(as_of) if as_of else None)


def _ledger(contract: Contract, snapshot: Snapshot, around: Circumstances) -> list[LedgerLine]:
    pieces = pieces_of(snapshot)
    lines = [
        ledger_line(
            contract.dataset,
            name,
            piece.facts,
            pieces[name].excluded,
            (pieces[name].rows_loaded, pieces[name].amount_loaded),
        )
        for name, piece in snapshot.slices.items()
    ]
    lines += [refused_line(contract.dataset, name, refusal) for name, refusal in around.refused.items()]
    return sorted(lines, key=lambda line: line.source_file)


def _rule_counts(
    contract: Contract, table: Table, snapshot: Snapshot, surroundings: Surroundings, engine: Engine
) -> dict[str, Count]:
    facts = [piece.facts for piece in snapshot.slices.values()]
    rows = sum(fact["rows"] for fact in facts)
    counts = {rule.id: Count(0, 0) for rule in contract.rules}
    counts |= {rule.id: _row_count(rule, facts, rows) for rule in contract.row_rules}
    broken = snapshot.attributes.get("broken", {})
    counts |= {rule.id: Count(rows, broken.get(rule.id, 0)) for rule in version_rules(contract)}
    if rows:
        staged = engine.scan(table.parts(snapshot), staged_schema(contract))
        personal = [column.name for column in contract.columns if column.personal]
        named = without_forgotten(staged, personal)
        counts |= count_cross_rows(named, contract, surroundings, engine)
    return counts


def _row_count(rule: RowRule, facts: list[Mapping[str, object]], rows: int) -> Count:
    """Rows asked: those with a value, unless the rule is that there be one."""
    failed = total(facts, "broken", rule.id)
    if isinstance(rule, Present):
        return Count(rows, failed)
    without = max((total(facts, "missing", column) for column in rule.columns), default=0)
    return Count(max(rows - without, failed), failed)


def _result(contract: Contract, rule: Rule, count: Count, thresholds: Thresholds, snapshot: Snapshot) -> CheckResult:
    limit = thresholds.of_rule(rule.id)
    has_rows = any(piece.facts["rows"] for piece in snapshot.slices.values())
    score = 1 - count.failed / count.checked if count.checked else None
    verdict = Verdict.PASS if has_rows else Verdict.FAIL
    if score is not None:
        verdict = verdict_of(score, limit)
    return CheckResult(
        dataset=contract.dataset,
        rule=rule.id,
        kind=Kind.RULE,
        dimension=rule.dimension,
        severity=rule.severity,
        verdict=verdict,
        rows_checked=count.checked,
        rows_failed=count.failed,
        score=score,
        threshold=limit.fail,
        warn_threshold=limit.warn,
        description=rule.description,
        note=count.note if has_rows else EMPTY,
        examples=count.examples,
        shuts_gate=has_rows,
        rows_pending=count.pending,
        rows_resolved=count.resolved,
    )


def _balance(contract: Contract, ledger: list[LedgerLine]) -> CheckResult:
    wrong = [line.source_file for line in ledger if not line.balances]
    rows = sum(line.rows_read for line in ledger)
    return CheckResult(
        dataset=contract.dataset,
        rule=BALANCE,
        kind=Kind.FILES,
        dimension=Dimension.CONSISTENCY,
        severity=Severity.ERROR,
        verdict=Verdict.FAIL if wrong else Verdict.PASS,
        rows_checked=rows,
        rows_failed=sum(line.rows_read for line in ledger if not line.balances),
        score=1.0 if not wrong else 1 - len(wrong) / len(ledger),
        threshold=1.0,
        description="lines read = rejected + quarantined + duplicate + loaded, in rows and money, for every file",
        examples=tuple(wrong[:5]),
        shuts_gate=True,
    )


def _readable(contract: Contract, ledger: list[LedgerLine]) -> CheckResult:
    refused = [line for line in ledger if line.status == "refused"]
    return CheckResult(
        dataset=contract.dataset,
        rule=READABLE,
        kind=Kind.FILES,
        dimension=Dimension.VALIDITY,
        severity=Severity.WARN,
        verdict=Verdict.WARN if refused else Verdict.PASS,
        rows_checked=len(ledger),
        rows_failed=len(refused),
        score=1 - len(refused) / len(ledger) if ledger else None,
        threshold=None,
        warn_threshold=1.0,
        description="every file could be read; a refused one stops nothing else",
        examples=tuple(f"{line.source_file}: {line.note}" for line in refused[:5]),
    )
