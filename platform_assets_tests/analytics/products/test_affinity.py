import random
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from platform_assets.analytics.products.affinity import (
    AFFINITY_SCHEMA,
    Affinity,
    AffinityRules,
    affinity,
    category_baskets,
    product_baskets,
)
from platform_assets.analytics.products.discovery import q_values
from platform_assets.engines.engine import Engine, Frame
from platform_assets_tests.analytics.products.shop import line, product, products, sales

AS_OF = date(2024, 6, 30)
BASKETS = pa.schema(
    [("basket", pa.string()), ("item", pa.string()), ("source_system", pa.string()), ("size", pa.int64())]
)
SMALL = AffinityRules(fewest_orders=1, fewest_together=1)


def baskets(engine: Engine, orders: list[str]) -> Frame:
    """Orders, each written as its items."""
    pairs = [
        {"basket": f"o{n}", "item": item, "source_system": "shop", "size": len(items)}
        for n, items in enumerate(orders)
        for item in items
    ]
    return engine.from_arrow(pa.Table.from_pylist(pairs, BASKETS))


def pairs_of(found: Affinity) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["item_a"], row["item_b"]): row for row in found.pairs.to_pylist()}


def test_support_confidence_and_lift_are_those_by_hand(engine: Engine) -> None:
    # ten orders: A in 5, B in 4, both in 3
    found = affinity(baskets(engine, ["AB", "AB", "AB", "A", "A", "B", "C", "C", "C", "C"]), "category", engine, SMALL)

    assert found.pairs.schema == AFFINITY_SCHEMA
    (row,) = found.pairs.to_pylist()
    assert (row["item_a"], row["item_b"], row["level"]) == ("A", "B", "category")
    assert (row["baskets"], row["baskets_a"], row["baskets_b"], row["baskets_both"]) == (10, 5, 4, 3)
    rates = row["support_rate"], row["confidence_a_to_b_rate"], row["confidence_b_to_a_rate"], row["lift"]
    # Seven orders of one line and three of two: 7 a + 3 (2 a - a ** 2) = 5 for A, 4 for B; both are in 3 x 2 a b.
    expected = 6 * (13 - 109**0.5) / 6 * (13 - 121**0.5) / 6
    assert row["expected_baskets"] == pytest.approx(expected)
    assert rates == pytest.approx((0.3, 0.6, 0.75, 3 / expected))
    assert row["p_value"] == pytest.approx(binom.sf(2, 10, expected / 10))
    assert (found.baskets, found.items, found.tests) == (10, 3, 3)
    assert row["q_value"] == pytest.approx(min(1, 3 * row["p_value"]))


def test_what_is_rare_is_not_paired_and_a_huge_order_is_left_out_and_counted(engine: Engine) -> None:
    orders = ["AB"] * 6 + ["CD"] * 2 + ["ABCDEFGH"]
    rules = AffinityRules(fewest_orders=3, fewest_together=2, largest_basket=7)

    found = affinity(baskets(engine, orders), "product", engine, rules)

    assert set(pairs_of(found)) == {("A", "B")}
    assert (found.baskets, found.baskets_left_out, found.items) == (8, 1, 2)


def test_only_so_many_items_are_paired_the_most_frequent_ones_and_of_equal_ones_the_first(engine: Engine) -> None:
    found = affinity(baskets(engine, ["ABCD"] * 3 + ["D"] * 2), "product", engine, AffinityRules(1, 1, most_items=3))

    assert set(pairs_of(found)) == {("A", "B"), ("A", "D"), ("B", "D")}


def test_a_shop_without_two_frequent_items_has_no_pairs(engine: Engine) -> None:
    found = affinity(baskets(engine, ["A", "A"]), "product", engine, SMALL)

    assert (len(found.pairs), found.tests, found.pairs.schema) == (0, 0, AFFINITY_SCHEMA)


def drawn_orders(seed: int, planted: float) -> list[str]:
    """Orders of items that have nothing to do with each other, but that B follows A as often as planted."""
    chance = random.Random(seed)
    orders = []
    for _ in range(2000):
        items = set(chance.choices("ABCDEFGHIJKLMNOPQRST", range(2, 22), k=chance.choice((1, 1, 2, 3, 5))))
        if "A" in items and chance.random() < planted:
            items.add("B")
        orders.append("".join(sorted(items)))
    return orders


def test_a_planted_pair_is_found_and_chance_makes_hardly_any(engine: Engine) -> None:
    planted = affinity(baskets(engine, drawn_orders(1, 0.5)), "product", engine)
    chance = affinity(baskets(engine, drawn_orders(2, 0.0)), "product", engine)

    significant = [pair for pair, row in pairs_of(planted).items() if row["is_significant"]]
    assert significant[0] == ("A", "B")
    assert len(significant) <= 2
    assert sum(row["is_significant"] for row in pairs_of(chance).values()) == 0


def test_orders_of_different_sizes_make_no_pairs(engine: Engine) -> None:
    chance = np.random.default_rng(5)
    names, share = np.array(list("ABCDEFGHIJKLMNOPQRST")), np.repeat([0.02, 0.08], 10)
    sizes = chance.choice([1, 2, 12], 3000, p=[0.6, 0.3, 0.1])
    orders = ["".join(sorted(set(chance.choice(names, size, p=share)))) for size in sizes]

    rows = affinity(baskets(engine, orders), "product", engine).pairs.to_pylist()

    # Large orders bring most pairs together more often than if orders were all alike.
    alike = [row["baskets_both"] * row["baskets"] / (row["baskets_a"] * row["baskets_b"]) for row in rows]
    assert float(np.mean(alike)) > 1.5
    assert float(np.mean([row["lift"] for row in rows])) == pytest.approx(1, abs=0.1)
    assert not any(row["is_significant"] for row in rows)


def test_two_shops_that_sell_different_things_make_no_pairs_of_them(engine: Engine) -> None:
    chance = np.random.default_rng(6)
    orders = []
    for shop, names in (("one", "ABCD"), ("other", "WXYZ")):
        for number in range(400):
            items = set(chance.choice(list(names), 2))
            orders += [
                {"basket": f"{shop}{number}", "item": item, "source_system": shop, "size": len(items)} for item in items
            ]
    frame = engine.from_arrow(pa.Table.from_pylist(orders, BASKETS))

    assert not any(row["is_significant"] for row in affinity(frame, "product", engine).pairs.to_pylist())


def test_the_order_of_the_rows_does_not_matter(engine: Engine) -> None:
    orders = drawn_orders(3, 0.3)

    first, second = (affinity(baskets(engine, some), "product", engine) for some in (orders, orders[::-1]))

    assert first == second


def test_baskets_are_orders_without_returns_and_each_item_counts_once(engine: Engine) -> None:
    lines = [
        line("P1", AS_OF, order_id="O1"), line("P1", AS_OF, order_id="O1"), line("P2", AS_OF, order_id="O1"),
        line("P3", AS_OF, order_id="O1", is_return=True), line("P1", AS_OF, order_id="O1", source_system="market"),
        line(None, AS_OF, order_id="O2"), line("P4", AS_OF + timedelta(days=1), order_id="O1"),
        line("P5", AS_OF - timedelta(days=30), order_id="O0"),
    ]  # fmt: skip

    rows = engine.collect(product_baskets(sales(engine, lines), AS_OF, 30)).to_pylist()

    assert sorted((r["basket"], r["item"], r["source_system"], r["size"]) for r in rows) == [
        ("market:O1", "P1", "market", 1),
        ("shop:O1", "P1", "shop", 2),
        ("shop:O1", "P2", "shop", 2),
    ]


def test_categories_are_paired_by_what_products_are(engine: Engine) -> None:
    kinds = products(engine, [product("P1", "Toys"), product("P2", "Toys"), product("P3", "Games"), product("P4")])
    lines = [line(name, AS_OF, order_id="O1") for name in ("P1", "P2", "P3", "P4")]

    rows = engine.collect(category_baskets(sales(engine, lines), kinds, AS_OF)).to_pylist()

    assert sorted((row["item"], row["size"]) for row in rows) == [("Games", 4), ("Toys", 4)]


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    # of five tests: 5 x .01 / 1, 5 x .02 / 2, 5 x .04 / 3, and never less than the next one
    assert q_values([0.04, 0.01, 0.02], 5) == pytest.approx([0.2 / 3, 0.05, 0.05])
    assert q_values([], 5).size == 0
    assert q_values([0.9], 9) == pytest.approx([1])
