from datetime import date
from decimal import Decimal
from typing import Any

from platform_assets_tests.reports.topics.made import page, parsed

WEEK, BEFORE = date(2024, 4, 22), date(2024, 4, 15)


def insight(week: date, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "week_date": week,
        "insight_id": "f1",
        "rank": 1,
        "insight_type": "drop",
        "title": "Chairs fell",
        "text": "Chairs sold less.",
        "measure": "net_amount",
        "value": 60.0,
        "expected_value": 100.0,
        "impact_amount": Decimal(-4000),
        "impact_low_amount": Decimal(-6000),
        "impact_high_amount": Decimal(-2000),
        "p": 0.001,
        "p_adjusted": 0.04,
        "tests": 120,
        "orders": 55,
        "null_size": 200,
        "confidence": "high",
        "is_new": True,
        "first_date": week,
        "last_date": week,
        "action": "Look at stock.",
        "verify": "Sales are back in two weeks.",
        "sql": "SELECT 60 AS value",
    }
    return {**given, **more}


def report(week: date, insights: int, **more: Any) -> dict[str, Any]:
    given = {
        "week_date": week,
        "tests": 120,
        "insights": insights,
        "false_discovery_rate": 0.1,
        "summary": f"{insights} findings.",
    }
    return {**given, **more}


def test_a_finding_has_evidence_money_sql_action_and_how_to_verify_it() -> None:
    text = parsed(page("insights", insights=[insight(WEEK)], insight_reports=[report(WEEK, 1)])).text
    for expected in (
        "1. Chairs fell",
        "net amount 60.00, expected 100.00",
        "-4,000 (-6,000 to -2,000)",
        "p 0.001, 0.04 after 120 tests; 55 orders, against 200 usual values",
        "Look at stock.",
        "Sales are back in two weeks.",
        "SELECT 60 AS value",
    ):
        assert expected in text


def test_the_newest_week_counts_and_those_before_are_listed_apart() -> None:
    old = insight(BEFORE, title="Tables rose")
    made = page("insights", insights=[insight(WEEK), old], insight_reports=[report(WEEK, 1), report(BEFORE, 1)])
    values = {one.label: one.value for one in made.headlines}
    assert (values["Insights of the newest week"], values["Money they are about"], values["Insights of all weeks"]) == (
        1,
        4000,
        2,
    )
    newest, earlier = made.sections[:2]
    assert "Chairs fell" in str(newest)
    assert "Tables rose" not in str(newest)
    assert "Tables rose" in str(earlier)


def test_nothing_unusual_is_an_answer() -> None:
    quiet = report(WEEK, 0, summary="Nothing unusual: 120 tests, none beyond what chance alone shows.")
    text = parsed(page("insights", insight_reports=[quiet])).text
    assert "Nothing unusual: 120 tests" in text
    assert "Nothing unusual is an answer" in text


def test_the_waterfall_leads_from_before_to_after() -> None:
    change = {
        "source_system": "web_shop",
        "dimension": "total",
        "week_date": WEEK,
        "baseline_weeks": 4,
        "net_before_amount": 100,
        "net_after_amount": 130,
        "buyers_effect_amount": 50,
        "orders_per_buyer_effect_amount": -30,
        "units_per_order_effect_amount": 20,
        "price_per_unit_effect_amount": -10,
        "method": "LMDI",
    }
    made = page("insights", sales_changes=[change])
    (trace,) = made.plots["why-0"]["data"]
    assert trace["y"] == [100, 50, -30, 20, -10, 130]
    assert trace["y"][0] + sum(trace["y"][1:-1]) == trace["y"][-1]
    assert trace["measure"] == ["absolute", "relative", "relative", "relative", "relative", "total"]
    assert "web shop +30 (most by buyers)" in parsed(made).text


def test_the_self_test_is_told() -> None:
    placebo = {
        "week_date": WEEK,
        "runs": 20,
        "runs_with_findings": 1,
        "false_report_rate": 0.05,
        "findings": 2,
        "seed": 0,
    }
    made = page("insights", insight_placebo=[placebo])
    assert "1 of 20 reports contained a finding (5.0 %)" in parsed(made).text


def test_a_self_test_that_could_not_be_made_says_why() -> None:
    placebo = {"week_date": WEEK, "runs": 0, "reason": "the history is too short"}
    assert "could not be made: the history is too short" in parsed(page("insights", insight_placebo=[placebo])).text
