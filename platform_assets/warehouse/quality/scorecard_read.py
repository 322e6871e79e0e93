"""The scorecard, read from the quality tables: one read for the asset, the command line and the page.

Belongs here: the queries and how their rows become the scorecard. Does not belong here: what the scorecard's parts
mean (``quality.scorecard``).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg2 import extensions, sql
from psycopg2.extras import RealDictCursor

from platform_assets.contracts.contract import Contract
from platform_assets.quality.ledger import PARTS, ZERO, LedgerLine
from platform_assets.quality.masking import shown_cells
from platform_assets.quality.results import SCORES, HeldBack, Verdict
from platform_assets.quality.scorecard import (
    Check,
    DatasetCard,
    FailingRow,
    FailingRows,
    Ledger,
    Score,
    Scorecard,
    TrendPoint,
)

TREND_RUNS = 30
FILES_SHOWN = 200
ROWS_SHOWN = 20

_Line = Mapping[str, Any]

_GATES = """
    SELECT DISTINCT ON (dataset) * FROM quality.gate_history
    ORDER BY dataset, evaluated_at DESC, run_id
"""
_TREND = """
    SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY dataset, rule ORDER BY evaluated_at DESC) AS age
        FROM quality.score_trend
    ) AS numbered
    WHERE age <= %(runs)s
    ORDER BY dataset, rule, evaluated_at
"""
_CHECKS = "SELECT * FROM quality.rule_costs ORDER BY rows_failed DESC, rows_pending DESC, rule"
_SUMS = sql.SQL(", ").join(
    sql.SQL("coalesce(sum({0}), 0) AS {0}").format(sql.Identifier(name))
    for name in (*(f"{unit}_{part}" for unit in ("rows", "amount") for part in PARTS), "rows_corrected")
)
_LEDGER_TOTALS = sql.SQL("SELECT dataset, count(*) AS files, {} FROM quality.row_ledger GROUP BY dataset").format(_SUMS)
_LEDGER_LINES = """
    SELECT * FROM (
        SELECT *, row_number() OVER (
            PARTITION BY dataset ORDER BY rows_rejected + rows_quarantined DESC, rows_duplicate DESC, source_file
        ) AS place
        FROM quality.row_ledger
    ) AS numbered
    WHERE place <= %(files)s
    ORDER BY dataset, place
"""
_FAILING = """
    SELECT * FROM (
        SELECT *,
            row_number() OVER (PARTITION BY dataset, rule ORDER BY source_file, source_row) AS place,
            count(*) OVER (PARTITION BY dataset, rule) AS total
        FROM quality.failing_rows
    ) AS numbered
    WHERE place <= %(rows)s
    ORDER BY dataset, total DESC, rule, place
"""
_SAMPLES = "SELECT * FROM quality.failing_samples ORDER BY dataset, rule, source_file, source_row"


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much of the history and of the lines is read; counts and sums are exact whatever it is.

    Attributes:
        runs: Evaluations of each score.
        files: Files of each dataset.
        rows: Failing rows of each rule.
    """

    runs: int = TREND_RUNS
    files: int = FILES_SHOWN
    rows: int = ROWS_SHOWN


def read_scorecard(
    connection: extensions.connection, contracts: Mapping[str, Contract], extent: Extent | None = None
) -> Scorecard:
    """Read the latest judgement of every dataset, with what led to it.

    Args:
        connection: An idle connection to a warehouse that has all migrations.
        contracts: The contracts, for the order of the datasets, their titles and what is personal.
        extent: How much is read.

    Returns:
        The scorecard; without datasets when nothing was ever judged.
    """
    bounds = vars(extent or Extent())
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        # One moment for all queries: a run may be writing.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        statements = (_GATES, _TREND, _CHECKS, _LEDGER_TOTALS, _LEDGER_LINES, _FAILING, _SAMPLES)
        gates, *parts = (_by_dataset(_rows(cursor, statement, bounds)) for statement in statements)
    datasets = [name for name in contracts if name in gates]
    cards = [_card(contracts[name], gates[name][0], [part.get(name, []) for part in parts]) for name in datasets]
    return Scorecard(generated_at=datetime.now(UTC), datasets=tuple(cards))


def _rows(cursor: RealDictCursor, statement: str | sql.Composed, bounds: Mapping[str, int]) -> list[_Line]:
    cursor.execute(statement, bounds)
    return [dict(line) for line in cursor.fetchall()]


def _by_dataset(lines: Iterable[_Line]) -> dict[str, list[_Line]]:
    found: dict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        found[line["dataset"]].append(line)
    return found


def _card(contract: Contract, gate: _Line, parts: Sequence[list[_Line]]) -> DatasetCard:
    trend, results, totals, files, failing, samples = parts
    checks = tuple(_check(contract, line) for line in results)
    return DatasetCard(
        dataset=contract.dataset,
        title=contract.title,
        has_rows=gate["has_rows"],
        gate_is_open=gate["is_open"],
        reasons=tuple(gate["reasons"].splitlines()),
        held_back=_held_back(gate),
        composite=gate["composite"],
        as_of=gate["as_of_date"],
        evaluated_at=gate["evaluated_at"],
        run_id=gate["run_id"],
        contract_version=gate["contract_version"] or "",
        scores=_scores(trend),
        checks=checks,
        ledger=_ledger(contract.dataset, totals, files),
        failing=(*_failing(contract, failing), *_staying(checks, failing, samples)),
    )


def _held_back(gate: _Line) -> HeldBack | None:
    if gate["files_held_back"] is None:
        return None
    return HeldBack(files=gate["files_held_back"], rows=gate["rows_held_back"], since=gate["accepted_until"])


def _scores(trend: Iterable[_Line]) -> tuple[Score, ...]:
    by_name: dict[str, list[_Line]] = defaultdict(list)
    for line in trend:
        by_name[line["rule"]].append(line)
    return tuple(_score(by_name[name]) for name in SCORES if name in by_name)


def _score(history: Sequence[_Line]) -> Score:
    latest = history[-1]
    return Score(
        name=latest["rule"],
        dimension=latest["dimension"],
        value=latest["score"],
        verdict=Verdict(latest["verdict"]),
        rows_checked=latest["rows_checked"],
        rows_failed=latest["rows_failed"],
        warn_threshold=latest["warn_threshold"],
        fail_threshold=latest["threshold"],
        note=latest["note"],
        trend=tuple(
            TrendPoint(
                run_id=line["run_id"],
                evaluated_at=line["evaluated_at"],
                score=line["score"],
                verdict=Verdict(line["verdict"]),
            )
            for line in history
        ),
    )


def _check(contract: Contract, line: _Line) -> Check:
    copied = (
        *("rule", "kind", "dimension", "severity", "rows_checked", "rows_failed", "rows_pending", "rows_resolved"),
        *("rows_failed_before", "score", "note"),
    )
    # Results of before descriptions were kept have none; the contract says what it can of them.
    described = line["description"] or {rule.id: rule.description for rule in contract.rules}.get(line["rule"], "")
    return Check(verdict=Verdict(line["verdict"]), description=described, **{name: line[name] for name in copied})


def _ledger(dataset: str, totals: Sequence[_Line], files: Sequence[_Line]) -> Ledger:
    total = totals[0] if totals else {f"{unit}_{part}": 0 for unit in ("rows", "amount") for part in PARTS}
    return Ledger(
        total=_ledger_line(dataset, total),
        files=totals[0]["files"] if totals else 0,
        lines=tuple(_ledger_line(dataset, line) for line in files),
    )


def _ledger_line(dataset: str, line: _Line) -> LedgerLine:
    rows: dict[str, Any] = {f"rows_{part}": int(line[f"rows_{part}"]) for part in PARTS}
    rows["rows_corrected"] = int(line.get("rows_corrected", 0))
    amounts: dict[str, Any] = {f"amount_{part}": line[f"amount_{part}"] or ZERO for part in PARTS}
    names: dict[str, Any] = {name: line.get(name) or "" for name in ("source_file", "status", "content_hash")}
    return LedgerLine(dataset=dataset, **names, **rows, **amounts)


def _failing(contract: Contract, lines: Iterable[_Line]) -> tuple[FailingRows, ...]:
    by_rule: dict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        by_rule[line["rule"]].append(line)
    return tuple(
        FailingRows(rule=rule, total=found[0]["total"], rows=tuple(_failing_row(contract, line) for line in found))
        for rule, found in by_rule.items()
    )


def _failing_row(contract: Contract, line: _Line) -> FailingRow:
    cells, hidden = shown_cells(line["raw"], line["kind"], contract)
    place = {name: line[name] for name in ("source_file", "source_row", "reasons")}
    return FailingRow(**place, cells=cells, hidden=hidden)


def _staying(checks: Iterable[Check], failing: Iterable[_Line], samples: Iterable[_Line]) -> Iterator[FailingRows]:
    """Samples of the rules that have no line in quarantine: what breaks a warning stays, what repeats is no loss."""
    known = {line["rule"] for line in failing}
    by_rule: dict[str, list[_Line]] = defaultdict(list)
    for line in samples:
        by_rule[line["rule"]].append(line)
    for check in checks:
        if check.rows_failed and check.rule in by_rule and check.rule not in known:
            rows = tuple(_sample(line) for line in by_rule[check.rule])
            yield FailingRows(rule=check.rule, total=check.rows_failed, rows=rows, set_aside=False)


def _sample(line: _Line) -> FailingRow:
    return FailingRow(
        source_file=line["source_file"],
        source_row=line["source_row"],
        reasons=line["rule"],
        cells=tuple(json.loads(line["cells"]).items()),
    )
