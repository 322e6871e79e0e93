import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from platform_assets.cli.outcome import Outcome
from platform_assets.cli.report import show
from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.quality.ledger import LedgerLine, refused_line
from platform_assets.quality.results import SCORES, Assessment, CheckResult, HeldBack, Kind, Verdict


def check(
    rule: str, verdict: Verdict = Verdict.PASS, *, score: float | None = 1.0, failed: int = 0, **more: Any
) -> CheckResult:
    values: dict[str, Any] = {
        "dataset": "retail_analytics",
        "rule": rule,
        "kind": Kind.SCORE if rule in SCORES else Kind.RULE,
        "dimension": Dimension.VALIDITY,
        "severity": Severity.ERROR,
        "verdict": verdict,
        "rows_checked": 1000,
        "rows_failed": failed,
        "score": score,
        "threshold": 0.9,
        "description": "a rule",
    }
    return CheckResult(**{**values, **more})


def assessment(
    *results: CheckResult, ledger: tuple[LedgerLine, ...] = (), held_back: HeldBack | None = None
) -> Assessment:
    named = {result.rule: result for result in [*(check(name) for name in SCORES), *results]}
    return Assessment(
        dataset="retail_analytics",
        as_of=date(2024, 5, 1),
        evaluated_at=datetime(2024, 5, 2, tzinfo=UTC),
        results=tuple(named.values()),
        ledger=ledger,
        has_rows=True,
        contract_version="1-3fa94b21",
        held_back=held_back,
    )


def outcome(*assessments: Assessment, failures: Mapping[str, str] | None = None) -> Outcome:
    return Outcome(
        run_id="0123456789abcdef",
        engine="duckdb",
        seconds=10.0,
        assessments=assessments,
        tables={"warehouse.fct_sales": 1_234_567},
        segments=(
            {
                "segment": "Champions",
                "customers": 1200,
                "customer_share": 0.25,
                "revenue_amount": Decimal("9876543.2100"),
                "revenue_share": None,
                "avg_days_since_last": Decimal("12.4"),
            },
        ),
        spans={"raw/a": (100.0, 101.5), "raw/b": (101.5, 102.0), "staging/a": (102.0, 105.0)},
        failures=dict(failures or {}),
    )


def printed(result: Outcome, pages: Path | None = None) -> str:
    text = io.StringIO()
    show(result, Console(file=text, width=200, color_system=None), pages)
    return text.getvalue()


LINE = LedgerLine(
    dataset="retail_analytics",
    source_file="a.csv",
    rows_read=5000,
    rows_rejected=1,
    rows_quarantined=2,
    rows_duplicate=3,
    rows_loaded=4994,
    amount_read=Decimal("1234567.8900"),
    amount_loaded=Decimal("1234567.8900"),
)


def test_a_person_sees_gates_ledger_tables_segments_times_and_where_to_look_next() -> None:
    text = printed(outcome(assessment(ledger=(LINE,))))

    for expected in (
        "open",
        "5,000",
        "4,994",
        "1,234,567.89",
        "1,234,567",
        "Champions",
        "9,876,543.21",
        "25.0%",
        "Every gate is open.",
        "./platform up",
        "./platform scorecard",
    ):
        assert expected in text


def test_a_shut_gate_is_told_with_its_reason() -> None:
    shut = assessment(check("validity", Verdict.FAIL, score=0.85, failed=150, shuts_gate=True))

    text = printed(outcome(shut))

    assert "gate shut: retail_analytics: validity is 0.85000, the threshold is 0.9" in text
    assert "85.000% (under 90%)" in text
    assert "Every gate is open." not in text


def test_rules_that_are_broken_are_listed_with_what_happens() -> None:
    text = printed(
        outcome(
            assessment(
                check("amount_spent_not_negative", Verdict.WARN, failed=1234),
                check("customer_known", Verdict.WARN, failed=7, severity=Severity.WARN),
            )
        )
    )

    (negative,) = (line for line in text.splitlines() if "amount_spent_not_negative" in line)
    (unknown,) = (line for line in text.splitlines() if "customer_known" in line)
    assert negative.split()[2:] == ["1,234", "1,000", "set", "aside"]
    assert unknown.split()[2:] == ["7", "1,000", "stays"]


def test_a_score_between_its_two_thresholds_says_which_one_it_missed() -> None:
    text = printed(outcome(assessment(check("validity", Verdict.WARN, score=0.93, warn_threshold=0.95))))

    assert "93.000% (warns under 95%)" in text


def test_a_dataset_without_references_has_no_integrity() -> None:
    judged = assessment()
    without = tuple(result for result in judged.results if result.rule != "integrity")

    text = printed(outcome(replace(judged, results=without)))
    (line,) = (line for line in text.splitlines() if line.strip().endswith(" open"))

    assert line.split() == [
        "retail_analytics",
        "100.000%",
        "100.000%",
        "100.000%",
        "-",
        "1.0",
        "h",
        "0",
        "of",
        "0",
        "open",
    ]


def test_what_a_shut_gate_holds_back_is_counted() -> None:
    shut = check("validity", Verdict.FAIL, score=0.85, shuts_gate=True)

    text = printed(outcome(assessment(shut, held_back=HeldBack(files=2, rows=1500, since=date(2024, 4, 30)))))

    assert "Held back: 2 files with 1,500 lines; what is published reaches to 2024-04-30." in text


def test_rows_that_wait_for_their_parents_are_counted_apart() -> None:
    text = printed(outcome(assessment(check("customer_known", failed=0, rows_pending=50, severity=Severity.WARN))))

    (line,) = (line for line in text.splitlines() if "customer_known" in line)
    assert line.split()[2:] == ["0", "1,000", "50", "stays"]


def test_what_is_unlike_the_past_is_told_in_words() -> None:
    drift = check("rows_per_day", Verdict.WARN, kind=Kind.DRIFT, note="10 rows, 100 to 140 expected")

    assert "10 rows, 100 to 140 expected" in printed(outcome(assessment(drift)))


@pytest.mark.parametrize("name", ["scorecard.html", "index.html"])
def test_a_page_is_named_where_the_run_has_made_it(tmp_path: Path, name: str) -> None:
    page = tmp_path / name
    assert str(page) not in printed(outcome(), tmp_path)
    page.write_text("")
    assert str(page) in printed(outcome(), tmp_path)


def test_tables_of_the_star_are_told_one_by_one_and_results_together() -> None:
    rows = {"analytics.kpis": 30, "analytics.rfm_scores": 4_000, "warehouse.dim_date": 366}
    text = printed(replace(outcome(), tables=rows))
    assert re.search(r"warehouse\.dim_date +366 *\n", text)
    assert re.search(r"analytics, 2 tables +4,030 *\n", text)
    assert "analytics.kpis" not in text


def test_refused_files_and_failed_steps_are_named_with_their_reasons() -> None:
    refused = refused_line("retail_analytics", "[bad].csv", {"lines": 0, "reason": "No [header].", "content_hash": "x"})

    text = printed(outcome(assessment(ledger=(refused,)), failures={"core/sales": "it broke"}))

    assert "refused: retail_analytics/[bad].csv: No [header]." in text
    assert "failed: core/sales: it broke" in text
    assert "Every gate is open." not in text


def test_seconds_are_added_up_by_layer_in_the_order_of_the_flow() -> None:
    result = outcome()

    assert result.assets == {"raw/a": 1.5, "raw/b": 0.5, "staging/a": 3.0}
    assert list(result.layers.items()) == [("raw", 2.0), ("staging", 3.0)]


def test_programs_get_the_same_with_money_as_text() -> None:
    shut = assessment(check("validity", Verdict.FAIL, score=0.85, failed=150, shuts_gate=True), ledger=(LINE,))

    data = json.loads(json.dumps(outcome(shut).to_json()))

    assert data["gates"]["retail_analytics"]["open"] is False
    dataset = data["datasets"]["retail_analytics"]
    assert dataset["as_of"] == "2024-05-01"
    assert dataset["ledger"]["files"][0]["amount_read"] == "1234567.8900"
    assert dataset["ledger"]["total"]["rows_read"] == 5000
    (validity,) = (one for one in dataset["checks"] if one["rule"] == "validity")
    asked = ("value", "threshold", "severity", "rows_checked", "rows_failed", "passed")
    assert [validity[name] for name in asked] == [0.85, 0.9, "error", 1000, 150, False]
    assert data["tables"] == {"warehouse.fct_sales": 1_234_567}
    assert data["seconds_per_asset"]["raw/a"] == 1.5


def test_customers_who_never_ordered_have_no_shares() -> None:
    prospects = {
        "segment": "Prospects",
        "customers": 7,
        "customer_share": None,
        "revenue_amount": Decimal(0),
        "revenue_share": None,
        "avg_days_since_last": None,
    }
    text = printed(replace(outcome(), segments=(prospects,)))
    assert re.search(r"Prospects +7 +- +0\.00 +- +-", text)
