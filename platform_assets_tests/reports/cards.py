"""A scorecard of which every number is known: what the page and the command line are tested on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from platform_assets.quality.ledger import LedgerLine
from platform_assets.quality.results import HeldBack, Verdict
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

FIRST = datetime(2024, 5, 1, 6, 30, tzinfo=UTC)
RUN = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def score(name: str, *values: float | None, verdict: Verdict = Verdict.PASS, **more: Any) -> Score:
    """A score with its last values, a day apart; all but the last passed."""
    verdicts = [Verdict.PASS] * (len(values) - 1) + [verdict]
    points = tuple(
        TrendPoint(run_id=RUN, evaluated_at=FIRST + timedelta(days=place), score=value, verdict=verdicts[place])
        for place, value in enumerate(values)
    )
    given: dict[str, Any] = {
        "name": name,
        "dimension": "timeliness" if name == "freshness" else name,
        "value": values[-1],
        "verdict": verdict,
        "rows_checked": 10_000,
        "rows_failed": 0 if values[-1] is None else round(10_000 * (1 - values[-1])),
        "warn_threshold": None,
        "fail_threshold": 0.9,
        "note": "",
        "trend": points,
    }
    return Score(**{**given, **more})


def check(rule: str, *, failed: int = 0, verdict: Verdict = Verdict.WARN, **more: Any) -> Check:
    """A rule that some of 10,000 rows break."""
    given: dict[str, Any] = {
        "rule": rule,
        "kind": "rule",
        "dimension": "validity",
        "severity": "error",
        "verdict": verdict,
        "rows_checked": 10_000,
        "rows_failed": failed,
        "rows_pending": 0,
        "rows_resolved": 0,
        "rows_failed_before": None,
        "score": 1 - failed / 10_000,
        "description": f"{rule} holds",
        "note": "",
    }
    return Check(**{**given, **more})


def ledger(*lines: LedgerLine) -> Ledger:
    """A ledger of one file, or of those given; its total is that of a month's file."""
    file = LedgerLine(
        dataset="retail_analytics",
        source_file="may.csv",
        rows_read=12_345,
        rows_rejected=5,
        rows_quarantined=300,
        rows_duplicate=40,
        rows_loaded=12_000,
        amount_read=Decimal("1234567.8900"),
        amount_quarantined=Decimal("34567.8900"),
        amount_loaded=Decimal("1200000.0000"),
    )
    return Ledger(total=file, files=len(lines) or 1, lines=lines or (file,))


def failing(rule: str, *rows: FailingRow, total: int | None = None) -> FailingRows:
    """The lines that a rule set aside."""
    return FailingRows(rule=rule, total=len(rows) if total is None else total, rows=rows)


def row(file: str, line: int, reasons: str, **cells: str) -> FailingRow:
    """A line that was set aside."""
    return FailingRow(source_file=file, source_row=line, reasons=reasons, cells=tuple(cells.items()))


def card(dataset: str = "retail_analytics", **more: Any) -> DatasetCard:
    """A dataset that is in order."""
    given: dict[str, Any] = {
        "dataset": dataset,
        "title": "one purchase of a customer in a channel",
        "has_rows": True,
        "gate_is_open": True,
        "reasons": (),
        "held_back": None,
        "composite": 0.98765,
        "as_of": date(2024, 5, 3),
        "evaluated_at": FIRST + timedelta(days=2),
        "run_id": RUN,
        "contract_version": "1-3fa94b21",
        "scores": (
            score("completeness", 0.97, 0.98, 0.975),
            score("uniqueness", 1.0, 1.0, 1.0),
            score("freshness", 30.0, 2.0, 3.5, fail_threshold=24, rows_checked=2, rows_failed=0),
        ),
        "checks": (),
        "ledger": ledger(),
        "failing": (),
    }
    return DatasetCard(**{**given, **more})


def shut_card(dataset: str = "superstore_sales") -> DatasetCard:
    """A dataset whose gate is shut, with the rule that did it and its lines."""
    return card(
        dataset,
        gate_is_open=False,
        reasons=("validity is 0.72727, the threshold is 0.9",),
        held_back=HeldBack(files=1, rows=120, since=date(2024, 4, 30)),
        scores=(score("validity", 0.99, 0.72727, verdict=Verdict.FAIL, warn_threshold=0.95),),
        checks=(
            check("sales_not_negative", failed=2727, rows_failed_before=100),
            check("customer_known", failed=12, severity="warn", rows_pending=7),
            check("rows_per_day", kind="drift", verdict=Verdict.WARN, description="rows per day", note="too few"),
        ),
        failing=(
            failing("sales_not_negative", row("may.csv", 7, "sales_not_negative", sales="-3.50", customer_name="•••")),
        ),
    )


def scorecard(*cards: DatasetCard) -> Scorecard:
    """A scorecard of these datasets."""
    return Scorecard(generated_at=FIRST + timedelta(days=2, hours=1), datasets=cards or (card(), shut_card()))
