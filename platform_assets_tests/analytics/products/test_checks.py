from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.products.affinity import AFFINITY_SCHEMA
from platform_assets.analytics.products.checks import (
    changes_that_are_none,
    covered_rate,
    pairs_that_cannot_be,
    rates_out_of_range,
    sales_that_do_not_add_up,
    shares_that_do_not_close,
    silent_nulls,
    successors_of_nothing,
)
from platform_assets.analytics.products.measures import PERFORMANCE_SCHEMA
from platform_assets.analytics.products.prices import PRICE_CHANGES_SCHEMA
from platform_assets.analytics.products.substitutes import GONE_SCHEMA, SUBSTITUTES_SCHEMA
from platform_assets.analytics.products.trends import CHANGES_SCHEMA, TRENDS_SCHEMA

SOLD = {
    "product_id": "P1",
    "currency": "EUR",
    "category": "Toys",
    "gross_sales_amount": Decimal(100),
    "discounts_amount": Decimal(15),
    "returns_amount": Decimal(5),
    "net_sales_amount": Decimal(80),
    "margin_rate": 0.4,
    "growth_reason": "not on sale through both periods",
    "revenue_rate": 1.0,
    "cumulative_rate": 1.0,
    "abc_class": "A",
}
PAIR = {
    "item_a": "P1",
    "item_b": "P2",
    "baskets": 100,
    "baskets_a": 20,
    "baskets_b": 10,
    "baskets_both": 4,
    "expected_baskets": 2.0,
    "lift": 2,
}
CHANGE = {
    "product_id": "P1",
    "changed_date": date(2024, 3, 1),
    "before_amount": Decimal(10),
    "after_amount": Decimal(8),
    "change_rate": -0.2,
}
TREND = {"category": "Toys", "currency": "EUR", "growth_per_year_rate": 0.1, "p_value": 0.03}


def performance(*given: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([SOLD | one for one in given], schema=PERFORMANCE_SCHEMA)


def tables(**given: pa.Table) -> dict[str, pa.Table]:
    empty = {
        "product_performance": PERFORMANCE_SCHEMA,
        "product_affinity": AFFINITY_SCHEMA,
        "category_affinity": AFFINITY_SCHEMA,
        "category_trends": TRENDS_SCHEMA,
        "category_changes": CHANGES_SCHEMA,
        "gone_products": GONE_SCHEMA,
        "substitutes": SUBSTITUTES_SCHEMA,
    }
    return {name: schema.empty_table() for name, schema in empty.items()} | given


def test_net_sales_that_are_not_the_rest_of_gross_sales_are_found() -> None:
    assert sales_that_do_not_add_up(performance({})) == []
    assert sales_that_do_not_add_up(performance({"net_sales_amount": Decimal("80.0001")})) == ["P1 (EUR)"]


def test_shares_that_are_not_one_in_each_currency_are_found() -> None:
    halves = {"revenue_rate": 0.5}, {"product_id": "P2", "revenue_rate": 0.5}

    assert shares_that_do_not_close(performance(*halves, {"currency": "USD"})) == []
    (found,) = shares_that_do_not_close(performance(halves[0], {"currency": "USD"}))
    assert found.startswith("EUR: shares of revenue are 0.5")


def test_a_class_that_does_not_follow_revenue_is_found() -> None:
    small = {"product_id": "P2", "net_sales_amount": Decimal(10), "revenue_rate": 0.5}
    swapped = performance({"revenue_rate": 0.5, "abc_class": "C"}, small)

    assert shares_that_do_not_close(swapped) == ["EUR: a class with less revenue comes before one with more"]


@pytest.mark.parametrize(
    ("table", "column", "schema"),
    [
        ("product_performance", "revenue_rate", PERFORMANCE_SCHEMA),
        ("product_performance", "cumulative_rate", PERFORMANCE_SCHEMA),
        ("product_affinity", "support_rate", AFFINITY_SCHEMA),
        ("category_affinity", "q_value", AFFINITY_SCHEMA),
        ("category_trends", "p_value", TRENDS_SCHEMA),
        ("category_changes", "q_value", CHANGES_SCHEMA),
        ("gone_products", "p_value", GONE_SCHEMA),
        ("substitutes", "p_value", SUBSTITUTES_SCHEMA),
    ],
)
def test_shares_and_probabilities_beyond_their_range_are_found(table: str, column: str, schema: pa.Schema) -> None:
    def found(value: float) -> list[str]:
        return rates_out_of_range(tables(**{table: pa.Table.from_pylist([{column: value}], schema=schema)}))

    assert found(1.0) == found(0.0) == []
    assert found(1.01) == [f"{table}.{column} = 1.01"]
    assert found(-0.01) == [f"{table}.{column} = -0.01"]


@pytest.mark.parametrize(
    ("given", "column"),
    [
        ({"margin_rate": None}, "margin_rate"),
        ({"margin_reason": "neither cost nor profit of it is known"}, "margin_rate"),
        ({"growth_reason": None}, "growth_rate"),
        ({"growth_rate": 0.2}, "growth_rate"),
    ],
    ids=str,
)
def test_products_without_a_figure_and_without_the_reason_are_found(given: dict[str, Any], column: str) -> None:
    assert silent_nulls(tables(product_performance=performance({}))) == []
    (found,) = silent_nulls(tables(product_performance=performance(given)))
    assert found.startswith(f"product_performance: P1 has {column} ")


@pytest.mark.parametrize("given", [{"growth_per_year_rate": None}, {"reason": "too few weeks"}], ids=str)
def test_trends_without_a_figure_and_without_the_reason_are_found(given: dict[str, Any]) -> None:
    good, bad = (pa.Table.from_pylist([TREND | one], schema=TRENDS_SCHEMA) for one in ({}, given))

    assert silent_nulls(tables(category_trends=good)) == []
    assert len(silent_nulls(tables(category_trends=bad))) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"baskets_both": 11, "lift": 5.5},
        {"baskets_both": 0, "lift": 0},
        {"baskets": 19},
        {"item_b": "P1"},
        {"item_b": "P0"},
        {"lift": 2.1},
    ],
    ids=str,
)
def test_pairs_that_cannot_be_are_found(given: dict[str, Any]) -> None:
    good, bad = (pa.Table.from_pylist([PAIR | one], schema=AFFINITY_SCHEMA) for one in ({}, given))

    assert pairs_that_cannot_be(good) == []
    assert len(pairs_that_cannot_be(bad)) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"after_amount": Decimal(10), "change_rate": 0.0},
        {"change_rate": 0.2},
        {"before_amount": Decimal(0), "change_rate": -0.2},
    ],
    ids=str,
)
def test_price_changes_that_are_none_are_found(given: dict[str, Any]) -> None:
    from_nothing = {"before_amount": Decimal(0), "change_rate": None}
    good = pa.Table.from_pylist([CHANGE, CHANGE | from_nothing], schema=PRICE_CHANGES_SCHEMA)
    bad = pa.Table.from_pylist([CHANGE | given], schema=PRICE_CHANGES_SCHEMA)

    assert changes_that_are_none(good) == []
    assert changes_that_are_none(bad) == ["P1 on 2024-03-01"]


def test_successors_of_products_that_are_not_gone_and_gone_ones_without_a_word_are_found() -> None:
    gone = pa.Table.from_pylist([{"product_id": "P1"}, {"product_id": "P2"}], schema=GONE_SCHEMA)

    def told(*pairs: tuple[str, str]) -> pa.Table:
        rows = [{"product_id": one, "successor_id": other} for one, other in pairs]
        return pa.Table.from_pylist(rows, schema=SUBSTITUTES_SCHEMA)

    assert successors_of_nothing(gone, told(("P1", "P3"), ("P2", "none"))) == []
    assert successors_of_nothing(gone, told(("P1", "P3"))) == ["P2"]
    assert successors_of_nothing(gone, told(("P1", "P3"), ("P2", "none"), ("P4", "P3"))) == ["P4"]
    assert successors_of_nothing(gone, told(("P1", "P1"), ("P2", "none"))) == ["P1"]


def test_coverage_is_the_share_of_products_whose_value_is_known() -> None:
    assert covered_rate(performance({}, {"category": None}, {}, {}), "category") == 0.75
    assert covered_rate(PERFORMANCE_SCHEMA.empty_table(), "category") is None
