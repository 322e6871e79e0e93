"""Pictures in Markdown: small enough to be shown at once, and true to their figures."""

import re

import pyarrow as pa
import pytest

from platform_assets.analytics.forecast.results import FORECASTS_SCHEMA
from platform_assets.analytics.products.measures import PERFORMANCE_SCHEMA
from platform_assets.reports.formats import amount, whole
from platform_assets.reports.page import PAGES
from platform_assets.reports.pictures import MOST_CHARACTERS, bar_chart, line_chart
from platform_assets.reports.result_metadata import TOLD, page_of, result_numbers, result_picture
from platform_assets_tests.reports.parsed import EVIL
from platform_assets_tests.reports.topics.made import DAY


def test_bars_are_as_long_as_their_figures() -> None:
    chart = bar_chart("Orders", ["a", "bb"], [100.0, 50.0], whole)
    assert chart.splitlines() == ["**Orders**", "", "```text", f"a  100 {'█' * 20}", f"bb  50 {'█' * 10}", "```"]


def test_what_is_below_nought_looks_different() -> None:
    assert f"-40 {'▒' * 20}" in bar_chart("Change", ["a"], [-40.0], amount).replace("\N{MINUS SIGN}", "-")


def test_no_name_ends_the_block_it_stands_in() -> None:
    chart = bar_chart("Orders", ["```\n\n<img src=x>"], [1.0], whole)
    assert chart.count("```") == 2
    assert len(chart.splitlines()) == 5


def points(chart: str) -> list[tuple[int, int]]:
    path = re.findall(r"d='M([^']*?)z?'", chart)[-1].split(",")
    return list(zip(map(int, path[::2]), map(int, path[1::2]), strict=True))


def test_a_line_goes_from_nought_to_the_most() -> None:
    chart = line_chart("Sales", ("May", "July"), [0.0, 50.0, 100.0], whole)
    assert points(chart) == [(0, 99), (280, 50), (560, 0)]
    assert "May to July, from 0 to 100" in chart


def test_a_single_value_is_drawn_too() -> None:
    assert points(line_chart("Sales", ("May", "May"), [7.0], whole)) == [(0, 0)]


def test_the_largest_pictures_are_shown_at_once() -> None:
    values = [float(value) for value in range(10**8, 10**8 + 53)]
    assert len(line_chart("x" * 60, ("2024-01-01", "2024-12-30"), values, amount)) < MOST_CHARACTERS
    fan = [float(10**8)] * 28
    assert len(line_chart("x" * 60, ("2024-01-01", "2024-12-30"), fan, amount, (fan, fan))) < MOST_CHARACTERS
    assert len(bar_chart("x" * 60, ["n" * 80] * 12, [-1e9] * 12, amount)) < MOST_CHARACTERS


def test_every_table_is_told_on_a_page() -> None:
    assert {told.page for told in TOLD.values()} == PAGES.keys()
    assert page_of("incidents") == "anomalies.html"
    assert page_of("not_a_result") is None


def test_numbers_are_those_of_the_rows_and_what_is_unknown_is_left_out() -> None:
    day = {"grain": "day", "scope": "total", "currency": "EUR", "period_start_date": DAY}
    rows = [{**day, "step": 1, "forecast_amount": 10}, {**day, "step": 2, "forecast_amount": 15}]
    table = pa.Table.from_pylist(rows, FORECASTS_SCHEMA)
    assert result_numbers("revenue_forecasts", table) == {"revenue, next 2 days": 25.0, "series not forecastable": 0}
    unknown = pa.Table.from_pylist([{**rows[0], "forecast_amount": None}], FORECASTS_SCHEMA)
    assert "revenue, next 1 days" not in result_numbers("revenue_forecasts", unknown)


@pytest.mark.parametrize("name", ["revenue_forecasts", "not_a_result"])
def test_an_empty_table_has_no_picture(name: str) -> None:
    assert result_picture(name, FORECASTS_SCHEMA.empty_table()) is None


def test_names_of_the_data_stay_within_their_bars() -> None:
    table = pa.Table.from_pylist(
        [{"product_id": "P1", "product_name": EVIL, "net_sales_amount": 5}], PERFORMANCE_SCHEMA
    )
    picture = result_picture("product_performance", table)
    assert picture is not None
    assert picture.splitlines()[3].startswith("<script>alert('x')</scr…")
