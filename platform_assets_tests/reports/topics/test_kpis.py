from datetime import date
from typing import Any

import pytest

from platform_assets.reports.formats import NOTHING
from platform_assets_tests.reports.topics.made import page, parsed

MARCH, APRIL, MAY = date(2024, 3, 1), date(2024, 4, 1), date(2024, 5, 1)


def kpi(name: str, title: str, unit: str = "amount", direction: str = "up", **more: Any) -> dict[str, Any]:
    given = {
        "kpi": name,
        "title": title,
        "unit": unit,
        "direction": direction,
        "definition": f"{title} means this.",
        "formula": name,
        "is_available": True,
    }
    return {**given, **more}


def value(name: str, month: date, number: float | None, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "kpi": name,
        "grain": "month",
        "period_start_date": month,
        "is_complete": True,
        "dimension": "total",
        "member": "all",
        "currency": "EUR",
        "value": number,
    }
    return {**given, **more}


SALES = kpi("net_sales", "Net sales")
VALUES = (
    value("net_sales", MARCH, 1000.0),
    value("net_sales", APRIL, 1250.0),
    value("net_sales", MAY, 9.0, is_complete=False),
)


def test_the_newest_month_that_is_over_is_compared_with_the_one_before() -> None:
    text = parsed(page("kpis", kpis=[SALES], kpi_values=VALUES)).text
    assert "Net sales of 2024-04: 1,250 EUR (+25.0 % against the month before); 1 figure better, 0 worse." in text
    assert "Net sales amount EUR 1,250 1,000 +25.0 % better" in text


def test_a_month_without_sales_before_it_is_held_against_no_other_month() -> None:
    values = (value("net_sales", date(2024, 2, 1), 100.0), value("net_sales", APRIL, 300.0))
    text = parsed(page("kpis", kpis=[SALES], kpi_values=values)).text
    assert "Net sales of 2024-04: 300 EUR (with nothing in the month before to compare)" in text
    assert "200" not in text.split("Trends")[0]


def test_a_currency_without_sales_in_the_newest_month_says_so() -> None:
    values = (*VALUES[:2], value("net_sales", MARCH, 70.0, currency="USD"))
    text = parsed(page("kpis", kpis=[SALES], kpi_values=values)).text
    assert "Net sales amount EUR 1,250 1,000 +25.0 % better" in text
    assert f"Net sales amount USD {NOTHING} 70 {NOTHING} {NOTHING} nothing was sold in this currency" in text


@pytest.mark.parametrize(
    ("direction", "after", "judgement"),
    [
        ("up", 0.2, "better"),
        ("down", 0.2, "worse"),
        ("down", 0.05, "better"),
        ("none", 0.2, NOTHING),
        ("up", 0.1, NOTHING),
    ],
)
def test_better_is_where_the_registry_says(direction: str, after: float, judgement: str) -> None:
    rate = kpi("return_rate", "Return rate", "rate", direction)
    made = page("kpis", kpis=[rate], kpi_values=[value("return_rate", MARCH, 0.1), value("return_rate", APRIL, after)])
    (grid,) = made.sections[0].blocks
    assert grid.rows[0]["judgement"] == judgement  # type: ignore[union-attr]


def test_a_rate_changes_by_percentage_points() -> None:
    rate = kpi("return_rate", "Return rate", "rate", "down")
    made = page("kpis", kpis=[rate], kpi_values=[value("return_rate", MARCH, 0.1), value("return_rate", APRIL, 0.125)])
    assert "12.5 % 10.0 % +2.5 pp worse" in parsed(made).text


def test_a_figure_that_cannot_be_had_has_a_reason_and_no_number() -> None:
    cost = kpi("cac", "Acquisition cost", is_available=False, reason="nobody tells what was spent", formula=None)
    made = page("kpis", kpis=[SALES, cost], kpi_values=VALUES)
    text = parsed(made).text
    assert "1 figure cannot be had from this data" in text
    assert "Acquisition cost Acquisition cost means this. nobody tells what was spent" in text
    assert "Acquisition cost" not in [one.label for one in made.headlines]


def test_trends_are_of_months_that_are_over() -> None:
    (trace,) = page("kpis", kpis=[SALES], kpi_values=VALUES).plots["trend-0"]["data"]
    assert (trace["x"], trace["y"]) == (["2024-03-01", "2024-04-01"], [1000.0, 1250.0])


def test_the_first_month_has_nothing_to_be_compared_with() -> None:
    text = parsed(page("kpis", kpis=[SALES], kpi_values=[VALUES[0]])).text
    assert f"Net sales amount EUR 1,000 {NOTHING} {NOTHING}" in text


def cohort(month: date, number: int, customers: int | None) -> dict[str, Any]:
    rate = None if customers is None else customers / 10
    return {
        "cohort_month_date": month,
        "month_number": number,
        "cohort_customers": 10,
        "customers": customers,
        "retention_rate": rate,
    }


def test_cohorts_are_drawn_with_gaps_where_nothing_is_known_yet() -> None:
    rows = [
        cohort(MARCH, 0, 10),
        cohort(MARCH, 1, 4),
        cohort(MARCH, 2, 3),
        cohort(APRIL, 0, 10),
        cohort(APRIL, 1, 6),
        cohort(APRIL, 2, None),
    ]
    made = page("kpis", retention_cohorts=rows)
    (trace,) = made.plots["cohorts"]["data"]
    assert trace["y"] == ["2024-03", "2024-04"]
    assert trace["z"] == [[0.4, 0.3], [0.6, None]]
    assert "50.0 % of new customers ordered again in the month after their first." in parsed(made).text


def test_cohorts_of_the_first_month_have_nothing_to_show_yet() -> None:
    made = page("kpis", retention_cohorts=[cohort(MAY, 0, 10)])
    assert "cohorts" not in made.plots
    assert "No month after a first order is over yet." in parsed(made).text


def test_how_far_figures_can_be_trusted_is_told_by_dataset() -> None:
    trust = kpi("rows_loaded_rate", "Rows loaded", "rate")
    given = value("rows_loaded_rate", MARCH, 0.975, grain="all", dimension="dataset", member="web_shop")
    assert "web shop 97.5 %" in parsed(page("kpis", kpis=[trust], kpi_values=[given])).text
