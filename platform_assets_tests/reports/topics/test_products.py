from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from platform_assets_tests.reports.topics.made import page, parsed


def product(name: str, sales: int, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "product_id": name,
        "product_name": f"The {name}",
        "currency": "EUR",
        "net_sales_amount": Decimal(sales),
        "gross_sales_amount": Decimal(sales),
        "discounts_amount": Decimal(0),
        "returns_amount": Decimal(0),
    }
    return {**given, **more}


def test_classes_add_up_and_the_finding_is_that_of_class_a() -> None:
    rows = [
        product("A1", 800, revenue_rate=0.8, cumulative_rate=0.8, abc_class="A"),
        product("B1", 150, revenue_rate=0.15, cumulative_rate=0.95, abc_class="B"),
        product("C1", 30, revenue_rate=0.03, cumulative_rate=0.98, abc_class="C"),
        product("C2", 20, revenue_rate=0.02, cumulative_rate=1.0, abc_class="C"),
    ]
    made = page("products", product_performance=rows)
    text = parsed(made).text
    assert "1 of 4 products (class A) bring 80.0 % of net sales in EUR." in text
    assert "A 1 25.0 % 800 80.0 %" in text
    assert "C 2 50.0 % 50 5.0 %" in text
    assert made.plots["pareto-0"]["data"][0]["y"] == [0.8, 0.95, 0.98, 1.0]
    assert made.plots["pareto-0"]["data"][1]["x"] == [0.25, 0.5, 1.0]


def test_money_of_several_currencies_is_not_added_up() -> None:
    made = page("products", product_performance=[product("A1", 800), product("A2", 500, currency="USD")])
    (sales,) = (one for one in made.headlines if one.label.startswith("Net sales"))
    assert sales.value is None
    assert "EUR and USD" in sales.note


def test_rates_are_of_sums_not_means_of_rates() -> None:
    rows = [
        product("A1", 900, gross_sales_amount=Decimal(1000), discounts_amount=Decimal(100), profit_amount=Decimal(90),
                net_sales_with_profit_amount=Decimal(900)),
        product("A2", 100, gross_sales_amount=Decimal(100)),
    ]  # fmt: skip
    found = {one.label: one.value for one in page("products", product_performance=rows).headlines}
    assert found["Discounts"] == pytest.approx(100 / 1100)
    assert found["Margin"] == pytest.approx(0.1)


def test_the_best_products_are_drawn_best_on_top_and_those_named_alike_apart() -> None:
    rows = [product("A1", 10, product_name="Same"), product("A2", 30, product_name="Same"), product("A3", 20)]
    (bars,) = page("products", product_performance=rows).plots["top-0"]["data"]
    # The last of a category axis is on top.
    assert bars["x"] == [10, 20, 30]
    assert bars["y"] == ["Same (2)", "The A3", "Same"]


def test_price_changes_say_from_what_to_what() -> None:
    change = {"product_id": "A1", "source": "sales", "currency": "EUR", "is_temporary": False}
    rows = [
        {**change, "changed_date": date(2024, 3, 1), "before_amount": 10, "after_amount": 12, "change_rate": 0.2},
        {**change, "changed_date": date(2024, 4, 1), "before_amount": 12, "after_amount": 9, "change_rate": -0.25},
    ]
    text = parsed(page("products", price_changes=rows, product_performance=[product("A1", 1)])).text
    assert "2 price changes found: 1 up and 1 down; the newest on 2024-04-01." in text
    assert "2024-04-01 The A1 A1 sales EUR 12.00 9.00 -25.0 % no" in text


def test_a_pair_is_told_with_its_lift_and_support() -> None:
    pair = {"item_a": "A1", "item_b": "A2", "baskets_both": 6, "support_rate": 0.06, "lift": 3.0, "q_value": 0.01}
    other = {**pair, "item_b": "A3", "lift": 9.0, "is_significant": False}
    rows = [{**pair, "is_significant": True}, other]
    made = page("products", product_affinity=rows, product_performance=[product("A1", 1), product("A2", 1)])
    text = parsed(made).text
    assert "1 pair of products is bought together more often than chance explains" in text
    assert "most of all The A1 and The A2 (3.00 times)." in text
    assert made.plots["affinity"]["data"][0]["marker"]["color"] == ["score", "muted"]


def test_no_pair_is_an_answer() -> None:
    pair = {"item_a": "A1", "item_b": "A2", "lift": 9.0, "is_significant": False}
    assert "No pair of products is bought together more often" in parsed(page("products", product_affinity=[pair])).text


def test_what_is_gone_is_told_with_what_took_over() -> None:
    gone = [{"product_id": "A1", "silent_days": 90, "expected_orders": 12.0, "last_sale_date": date(2024, 1, 1)}]
    taken = [{"product_id": "A1", "successor_id": "A2", "is_substitute": True, "taken_over_rate": 0.5}]
    text = parsed(page("products", gone_products=gone, substitutes=taken)).text
    assert "1 product has gone silent; for 1 of them another one sells more since." in text
    assert "A1 A2 yes" in text


def test_only_a_category_whose_interval_leaves_nought_out_certainly_grows() -> None:
    trend = {"source_system": "web_shop", "currency": "EUR", "low_rate": -0.1, "high_rate": 0.9}
    rows = [
        {**trend, "category": "Toys", "growth_per_year_rate": 0.4},
        {**trend, "category": "Desks", "growth_per_year_rate": 0.2, "low_rate": 0.1, "high_rate": 0.3},
    ]
    text = parsed(page("products", category_trends=rows)).text
    assert "1 of 2 categories certainly grows or shrinks, Desks (web shop) most (+20.0 % a year)." in text
    text = parsed(page("products", category_trends=rows[:1])).text
    assert "None of 1 category certainly grows or shrinks." in text
