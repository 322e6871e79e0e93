import random
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from platform_assets.analytics.products.abc_classes import classified
from platform_assets.analytics.products.measures import PERFORMANCE_SCHEMA, product_performance
from platform_assets.engines.engine import Engine
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets_tests.analytics.products.shop import CURRENCIES, line, product, products, sales

AS_OF = date(2024, 6, 30)
TURN = datetime(2024, 6, 1)
VERSIONS = [
    product("P1", "Old", valid_to=TURN, cost_amount=Decimal(4)),
    product("P1", "New", valid_from=TURN, cost_amount=Decimal(5), sub_category="Sub", brand="B"),
    product("P2"),
    product("P3", "New"),
]
MAY, JUNE = date(2024, 5, 10), date(2024, 6, 20)
LINES = [
    line("P1", MAY, 18, gross_amount=Decimal(20), quantity=2, order_id="O1", customer_id="a"),
    line("P1", MAY, 9, discount_amount=Decimal(1), order_id="O1", customer_id="a"),
    line("P1", JUNE, 10, order_id="O2", customer_id="b"),
    line("P1", JUNE, -10, quantity=-1, is_return=True, order_id="R1", customer_id="a"),
    line("P1", date(2024, 7, 1), 1000),
    line("P2", JUNE, 30, quantity=None),
    line("P1", JUNE, 7, source_system="market", order_id="O1", profit_amount=Decimal(3)),
    line(None, JUNE, 500),
]


def test_a_product_is_summed_up_per_currency_with_its_cost_at_the_sale(engine: Engine) -> None:
    table = product_performance(
        sales(engine, LINES), products(engine, VERSIONS), CURRENCIES, AS_OF, engine, period_days=30
    )

    assert table.schema == PERFORMANCE_SCHEMA
    rows = {(row["product_id"], row["currency"]): row for row in table.to_pylist()}
    assert list(rows) == [("P2", "EUR"), ("P1", "EUR"), ("P1", "USD")]
    # sold 20 + 10 + 10 gross, 18 + 9 + 10 net; cost 2 x 4 + 4 + 5, and -5 for what came back
    first = rows["P1", "EUR"]
    wanted = {
        "as_of_date": AS_OF, "product_name": "The P1", "category": "New", "sub_category": "Sub", "brand": "B",
        "first_sale_date": MAY, "last_sale_date": JUNE, "orders": 2, "customers": 2, "units_sold": 4,
        "units_returned": 1,
        "gross_sales_amount": Decimal(40), "discounts_amount": Decimal(3), "returns_amount": Decimal(10),
        "net_sales_amount": Decimal(27), "profit_amount": Decimal(27 - 12), "net_sales_with_profit_amount": Decimal(27),
        "margin_coverage_rate": 1.0, "margin_reason": None, "discount_rate": 0.075, "return_rate": 0.25,
    }  # fmt: skip
    assert {name: first[name] for name in wanted} == wanted
    assert first["margin_rate"] == pytest.approx(15 / 27)
    second = rows["P2", "EUR"]
    assert (second["units_sold"], second["margin_rate"], second["profit_amount"]) == (None, None, None)
    assert (second["margin_coverage_rate"], second["margin_reason"]) == (0.0, "neither cost nor profit of it is known")
    assert (rows["P1", "USD"]["profit_amount"], rows["P1", "USD"]["margin_rate"]) == (Decimal(3), pytest.approx(3 / 7))


def test_a_margin_is_not_made_of_a_cost_in_another_currency(engine: Engine) -> None:
    lines = [line("P1", MAY, 18), line("P1", MAY, 9, source_system="market"), line("P2", MAY, 5)]
    known = products(engine, VERSIONS)

    found = product_performance(sales(engine, lines), known, CURRENCIES | {CATALOG: "USD"}, AS_OF, engine)

    rows = {(row["product_id"], row["currency"]): row for row in found.to_pylist()}
    euros, dollars, uncosted = rows["P1", "EUR"], rows["P1", "USD"], rows["P2", "EUR"]
    assert (dollars["profit_amount"], dollars["margin_rate"]) == (9 - 4, pytest.approx(5 / 9))
    assert (euros["profit_amount"], euros["margin_rate"], euros["net_sales_with_profit_amount"]) == (None, None, None)
    assert euros["margin_coverage_rate"] == 0
    assert euros["margin_reason"] == "the catalogue's costs are in USD, the sales in EUR"
    assert uncosted["margin_reason"] == "neither cost nor profit of it is known"
    assert [(row["margin_rate"] is None) == bool(row["margin_reason"]) for row in rows.values()] == [True] * 3


def test_growth_is_between_two_periods_of_equal_length_and_says_when_there_is_none(engine: Engine) -> None:
    periods = [("old", 60, 50), ("old", 59, 40), ("old", 30, 60), ("old", 29, 50), ("old", 0, 50), ("fresh", 40, 9),
               ("quiet", 100, 9), ("quiet", 3, 9)]  # fmt: skip
    lines = [line(name, AS_OF - timedelta(days=ago), net) for name, ago, net in periods]

    table = product_performance(sales(engine, lines), products(engine, []), CURRENCIES, AS_OF, engine, period_days=30)

    rows = {row["product_id"]: row for row in table.to_pylist()}
    old = rows["old"]
    assert (old["previous_period_amount"], old["period_amount"], old["growth_rate"]) == (100, 100, 0.0)
    assert (rows["fresh"]["growth_rate"], rows["fresh"]["growth_reason"]) == (None, "not on sale through both periods")
    assert rows["quiet"]["growth_reason"] == "it brought nothing in in the period before"


def ranked(*amounts: tuple[str, int]) -> list[tuple[str, str]]:
    rows = [{"product_id": name, "currency": "EUR", "net_sales_amount": Decimal(net)} for name, net in amounts]
    return [(row["product_id"], row["abc_class"]) for row in classified(rows)]


def test_a_product_that_crosses_a_limit_belongs_to_the_class_above_it() -> None:
    # 70, then 85 of 100: b starts below 80 and is the last A; c starts at 85, d at 95
    assert ranked(("d", 5), ("a", 70), ("c", 10), ("b", 15)) == [("a", "A"), ("b", "A"), ("c", "B"), ("d", "C")]


def test_equal_products_are_ranked_by_id_and_what_lost_money_is_the_last() -> None:
    assert ranked(("z", 50), ("y", 50), ("x", -5), ("w", 0)) == [("y", "A"), ("z", "A"), ("w", "C"), ("x", "C")]


def test_without_revenue_all_are_of_the_last_class() -> None:
    assert ranked(("b", 0), ("a", 0)) == [("a", "C"), ("b", "C")]


def test_shares_are_of_the_currency_and_add_up_to_the_whole() -> None:
    chance = random.Random(2)
    rows = [
        {"product_id": f"p{n}", "currency": money, "net_sales_amount": Decimal(chance.randrange(1, 900)) / 7}
        for n in range(50)
        for money in ("EUR", "USD")
    ]
    chance.shuffle(rows)

    table = classified(rows)

    for money in ("EUR", "USD"):
        own = [row for row in table if row["currency"] == money]
        assert sum(row["revenue_rate"] for row in own) == pytest.approx(1)
        assert own[-1]["cumulative_rate"] == 1
        above = [row for row in own if row["abc_class"] == "A"]
        assert above[-1]["cumulative_rate"] >= 0.8 > above[-1]["cumulative_rate"] - above[-1]["revenue_rate"]


def test_the_order_of_the_lines_does_not_matter(engine: Engine) -> None:
    shuffled = random.Random(1).sample(LINES, len(LINES))
    first, second = (
        product_performance(sales(engine, lines), products(engine, VERSIONS), CURRENCIES, AS_OF, engine)
        for lines in (LINES, shuffled)
    )

    assert first.equals(second)
