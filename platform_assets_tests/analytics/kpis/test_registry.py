from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.kpis.checks import breaches
from platform_assets.analytics.kpis.documentation import kpi_markdown, kpi_query
from platform_assets.analytics.kpis.formulas import components_of, ratio, total
from platform_assets.analytics.kpis.registry import COMPONENTS, KPIS
from platform_assets.analytics.kpis.sql import VALUES_SCHEMA, unavailable, values_sql
from platform_assets.settings import CHECKOUT


def test_every_formula_is_made_of_known_components() -> None:
    used = {name for kpi in KPIS.values() if kpi.formula is not None for name in components_of(kpi.formula)}

    assert used == set(COMPONENTS)


@pytest.mark.parametrize(
    ("name", "additivity"),
    [
        ("net_sales", "additive"),
        ("orders", "distinct"),
        ("return_rate", "ratio"),
        ("cac", "none"),
        ("profit", "additive"),
    ],
)
def test_additivity_follows_from_the_formula(name: str, additivity: str) -> None:
    assert KPIS[name].additivity == additivity


def test_formulas_read_as_people_write_them() -> None:
    assert str(total("gross", "-discounts", "-returns")) == "gross - discounts - returns"
    assert str(ratio(total("gross", "-discounts"), "orders")) == "(gross - discounts) / orders"


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    assert total("a", "-b").value({"a": Decimal(5), "b": Decimal(3)}) == 2
    assert total("a", "-b").value({"a": Decimal(5), "b": None}) is None


def test_what_the_data_cannot_give_is_null_with_the_reason() -> None:
    rows = {row["kpi"]: row for row in unavailable().to_pylist()}

    assert {"cac", "roas", "ltv_to_cac", "conversion_rate", "gmroi", "inventory_turnover", "sell_through_rate"} <= set(
        rows
    )
    assert all(row["value"] is None and row["reason"].startswith("not available: no dataset") for row in rows.values())


def test_there_is_no_sql_for_what_the_data_cannot_give() -> None:
    with pytest.raises(KeyError, match="roas"):
        values_sql("month", "total", ["net_sales", "roas"])


def test_the_page_names_every_figure_its_formula_and_every_reason() -> None:
    page = kpi_markdown()

    for kpi in KPIS.values():
        assert f"| {kpi.title} |" in page
        assert kpi.definition in page
        assert (f"`{kpi.formula}`" if kpi.is_available else kpi.reason) in page


def test_the_query_of_a_figure_reads_one_schema_and_adds_up_only_what_it_needs() -> None:
    query = kpi_query("return_rate")

    assert "sum(returns_amount) AS returns" in query
    assert "count(DISTINCT" not in query
    assert "warehouse." not in query


def row(**given: Any) -> dict[str, Any]:
    told = {
        "kpi": "return_rate",
        "grain": "all",
        "dimension": "total",
        "member": "all",
        "currency": "EUR",
        "value": 0.1,
    }
    return {**told, "is_complete": False, **given}


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ({"value": -0.1}, "in_range"),
        ({"kpi": "discount_rate", "value": 1.01}, "in_range"),
        ({"value": None}, "null_has_a_reason"),
        ({"reason": "because"}, "null_has_a_reason"),
    ],
    ids=str,
)
def test_values_that_cannot_be_are_found(given: dict[str, Any], check: str) -> None:
    found = {one.check for one in breaches(pa.Table.from_pylist([row(**given)], schema=VALUES_SCHEMA))}

    assert check in found - {"is_complete"}


def test_a_figure_without_a_row_is_missed() -> None:
    missed = {one.kpi for one in breaches(unavailable()) if one.check == "is_complete"}

    assert missed == {name for name, kpi in KPIS.items() if kpi.is_available}


def test_the_committed_page_is_current() -> None:
    committed = CHECKOUT / "docs" / "kpis.md"
    text = committed.read_text(encoding="utf-8") if committed.exists() else ""

    assert text == kpi_markdown(), "docs/kpis.md is out of date: write what kpi_markdown() gives to it"
