"""What holds of every page: empty tables are told, texts stay texts, nothing is fetched, plots can be drawn."""

import json
import re
from datetime import date
from typing import Any

import pytest
from plotly.graph_objects import Figure

from platform_assets.defs.reports import REPORTS
from platform_assets.reports.page import PAGES, Grid, Page
from platform_assets_tests.reports.parsed import EVIL, loaded, without_roles
from platform_assets_tests.reports.topics.made import OF_NAME, filled, page, parsed, shown

NAMES = tuple(OF_NAME)
KEYS: dict[str, Any] = {
    "rfm_migration": {"from_segment": f"{EVIL}1", "to_segment": f"{EVIL}2"},
    "revenue_series": {"grain": "day", "scope": "total"},
    "revenue_forecasts": {"grain": "day", "scope": "total", "step": 1},
    "forecast_skill": {"grain": "day", "scope": "category"},
    "forecast_coverage": {"grain": "day", "nominal_rate": 0.8},
    "daily_measures": {"dimension": "total", "measure": "net_amount"},
    "sales_changes": {"dimension": "total"},
    "kpis": {"kpi": "net_sales", "unit": "amount", "direction": "up"},
    "kpi_values": {"kpi": "net_sales", "grain": "month", "dimension": "total"},
    "retention_cohorts": {"month_number": 1},
}
BESIDES: dict[str, dict[str, Any]] = {
    "retention_cohorts": {"month_number": 0},
    "kpi_values": {"period_start_date": date(2024, 4, 1)},
    "insights": {"week_date": date(2024, 4, 24)},
}
"""Second rows, where a table cannot do with one."""
EMPTY = {
    "customers": "There are no customers",
    "products": "No product was sold",
    "forecast": "no day has sales",
    "anomalies": "Nothing unusual",
    "insights": "no week is over",
    "kpis": "No month of sales is over",
}


def spoiled(name: str) -> Page:
    """A page all of whose tables have a row with markup in every text that can come from a file."""
    tables = {
        table: [filled(shown(schema), EVIL, **KEYS.get(table, {}))] for table, schema in OF_NAME[name].reads.items()
    }
    for table, key in BESIDES.items():
        if table in tables:
            tables[table].append({**tables[table][0], **key})
    return page(name, **tables)


def test_there_is_a_report_for_every_page() -> None:
    assert tuple(report.name for report in REPORTS) == tuple(PAGES)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_empty_tables_says_so(name: str) -> None:
    made = page(name)
    text = parsed(made).text
    assert EMPTY[name] in text
    assert all(section.finding for section in made.sections)
    assert "As of 2024-05-01 · made 2024-05-02 06:30 UTC" in text
    assert "nan" not in text.lower().split()
    assert "None" not in text


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_the_data_becomes_markup(name: str) -> None:
    found = parsed(spoiled(name))
    assert EVIL in " ".join(found.words)
    assert not [tag for tag, _ in found.elements if tag == "img"]
    assert not any(attribute.startswith("on") for _, attributes in found.elements for attribute in attributes)
    # Figures, Plotly (taken out) and the page's own.
    assert sum(tag == "script" for tag, _ in found.elements) == 2


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_plots_is_escaped_because_plotly_reads_tags(name: str) -> None:
    made = spoiled(name)
    assert made.plots
    assert "<script" not in json.dumps(made.plots)
    assert "<img" not in json.dumps(made.plots)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fetches_nothing_and_leads_to_reports_only(name: str) -> None:
    found = parsed(spoiled(name))
    assert loaded(found) == set()
    (policy,) = (one["content"] for _, one in found.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")
    assert not re.search(r"https?:", str(policy))


@pytest.mark.parametrize("name", NAMES)
def test_every_plot_has_a_place_and_plotly_takes_it(name: str) -> None:
    made = spoiled(name)
    places = [str(one["data-plot"]) for _, one in parsed(made).elements if "data-plot" in one]
    assert sorted(places) == sorted(made.plots)
    for figure in made.plots.values():
        Figure(without_roles(figure))  # raises where a property does not exist or has a wrong value


@pytest.mark.parametrize("name", NAMES)
def test_a_page_leads_to_all_others(name: str) -> None:
    links = {str(one.get("href")) for tag, one in parsed(page(name)).elements if tag == "a"}
    assert {f"{other}.html" for other in (*PAGES, "scorecard") if other != name} <= links


@pytest.mark.parametrize("name", NAMES)
def test_sections_with_a_picture_have_its_figures_in_a_table(name: str) -> None:
    for section in spoiled(name).sections:
        kinds = _kinds(section.blocks)
        assert "plot" not in kinds or "grid" in kinds


def _kinds(blocks: Any) -> set[str]:
    found = set()
    for block in blocks:
        found.add(block.kind)
        for option in getattr(block, "options", {}).values():
            found |= _kinds(option)
    return found


def test_a_table_that_is_cut_says_of_how_many() -> None:
    rows = [
        {"product_id": f"P{number:02}", "currency": "EUR", "net_sales_amount": number, "abc_class": "C"}
        for number in range(20)
    ]
    text = parsed(page("products", product_performance=rows)).text
    assert "The first 15 of 20." in text


def test_an_optional_column_is_left_out_where_it_says_nothing() -> None:
    names = [
        column.title
        for block in page("kpis", repeat_rates=[{"window_days": 90, "customers": 2}]).sections[5].blocks
        if isinstance(block, Grid)
        for column in block.shown
    ]
    assert "Within days" in names
    assert "Why there is none" not in names
