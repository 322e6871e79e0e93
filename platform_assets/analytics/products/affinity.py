"""What is bought together in one order, and whether that is more than chance.

Belongs here: pairs of products and of categories. Does not belong here: what to recommend to whom.

The memory is bounded: only items in enough orders are paired, the most frequent ones first, and an order with more
items than a person buys (a wholesale order, a day's till roll) is left out, because its pairs grow with the square of
its size. What was left out is counted.

Large orders hold any two items together more often than chance would have it if orders were all alike: the expectation
takes every order's dataset and size as they are.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import binom

from platform_assets.analytics.lines import lines_between, order_ref
from platform_assets.analytics.products.discovery import q_values
from platform_assets.analytics.products.independence import expected_together
from platform_assets.engines.engine import Engine, Frame

Level = Literal["product", "category"]

AFFINITY_SCHEMA = pa.schema(
    [
        ("level", pa.string()),
        ("item_a", pa.string()),
        ("item_b", pa.string()),
        ("baskets", pa.int64()),
        ("baskets_a", pa.int64()),
        ("baskets_b", pa.int64()),
        ("baskets_both", pa.int64()),
        ("expected_baskets", pa.float64()),
        ("support_rate", pa.float64()),
        ("confidence_a_to_b_rate", pa.float64()),
        ("confidence_b_to_a_rate", pa.float64()),
        ("lift", pa.float64()),
        ("p_value", pa.float64()),
        ("q_value", pa.float64()),
        ("is_significant", pa.bool_()),
    ]
)
"""One row per pair of items that were together in enough orders; ``item_a`` comes before ``item_b`` in the alphabet.

``baskets``: orders that were looked at; ``baskets_a``, ``baskets_b``, ``baskets_both``: those with the one, the other,
both. ``expected_baskets``: how many would have both if every line of an order were drawn by itself, as often A and B as
they are in the orders of that dataset. ``support_rate``: share of orders with both; ``confidence_a_to_b_rate``: share
of the orders with A that have B, too. ``lift``: how many times as often as expected. ``p_value``: how often chance
alone would bring them together so often (binomial, which is on the safe side where orders differ: Hoeffding, 1956);
``q_value``: the same with regard to all pairs of frequent items, also those that were never together (Benjamini and
Hochberg); ``is_significant``: below ``AffinityRules.false_discovery_rate``.
"""


@dataclass(frozen=True)
class AffinityRules:
    """What is paired.

    Attributes:
        fewest_orders: An item must be in so many orders.
        fewest_together: A pair must be in so many.
        most_items: So many items are paired, those in the most orders.
        largest_basket: An order with more different products is left out.
        false_discovery_rate: Share of the significant pairs that may be chance.
    """

    fewest_orders: int = 20
    fewest_together: int = 5
    most_items: int = 1000
    largest_basket: int = 60
    false_discovery_rate: float = 0.05


@dataclass(frozen=True)
class Affinity:
    """Pairs, and what they were found among.

    Attributes:
        pairs: Rows of ``AFFINITY_SCHEMA``, the highest lift of the significant ones first.
        baskets: Orders looked at.
        baskets_left_out: Orders with too many items.
        items: Items that were paired.
        tests: Pairs of them: what the discoveries are among.
    """

    pairs: pa.Table
    baskets: int
    baskets_left_out: int
    items: int
    tests: int


def product_baskets(sales: Frame, as_of: date, days: int | None = None) -> Frame:
    """Which product is in which order: ``basket`` and ``item``, each pair once.

    With the ``source_system`` and the ``size`` of the order, the number of its different products.
    """
    return _baskets(lines_between(sales, as_of, days).with_columns(nw.col("product_id").alias("item")))


def category_baskets(sales: Frame, products: Frame, as_of: date, days: int | None = None) -> Frame:
    """Which category is in which order, by the category that products have now: as ``product_baskets``.

    Args:
        sales: Rows of core/sales.
        products: ``product_id`` and ``category``, one row per product.
        as_of: The last day that counts.
        days: How many days up to it count; ``None`` for all.
    """
    lines = lines_between(sales, as_of, days).filter(~nw.col("product_id").is_null())
    kinds = products.select("product_id", nw.col("category").alias("item"))
    return _baskets(lines.join(kinds, on="product_id", how="left"))


def affinity(baskets: Frame, level: Level, engine: Engine, rules: AffinityRules | None = None) -> Affinity:
    """The pairs of items that are in one order more often than chance would have it.

    Args:
        baskets: What ``product_baskets`` or ``category_baskets`` gives.
        level: What the items are.
        engine: What computes.
        rules: What is paired.
    """
    rules = rules or AffinityRules()
    kept = engine.kept(baskets.filter(nw.col("size") <= rules.largest_basket))
    total, every = (engine.collect(one.select("basket").unique("basket").select(nw.len()))[0][0].as_py()
                    for one in (kept, baskets))  # fmt: skip
    frequent = _frequent(kept, engine, rules)
    pairs = _paired(kept, frequent, engine, rules) if len(frequent) > 1 else []
    tests = len(frequent) * (len(frequent) - 1) // 2
    judged = AFFINITY_SCHEMA.empty_table()
    if pairs:
        named = [(pair["item"], pair["item_b"]) for pair in pairs]
        expected = expected_together(kept, named, engine, are_counted=level == "product")
        judged = _judged(pairs, frequent, expected, (int(total), tests), rules)
    told = judged.set_column(0, AFFINITY_SCHEMA.field(0), pa.repeat(pa.scalar(level), len(judged)))
    return Affinity(told, int(total), int(every) - int(total), len(frequent), tests)


def _baskets(lines: Frame) -> Frame:
    known = lines.filter(~nw.col("is_return") & ~nw.col("product_id").is_null())
    named = known.select(order_ref().alias("basket"), "source_system", "product_id", "item")
    sized = named.unique(["basket", "product_id"]).with_columns(nw.len().over("basket").alias("size"))
    items = sized.filter(~nw.col("item").is_null()).select("basket", "source_system", "size", "item")
    return items.unique(["basket", "item"])


def _frequent(kept: Frame, engine: Engine, rules: AffinityRules) -> dict[str, int]:
    """The items that are paired, with how many orders they are in."""
    counted = kept.group_by("item").agg(nw.len().alias("n"))
    rows = engine.collect(counted.filter(nw.col("n") >= rules.fewest_orders)).to_pylist()
    ordered = sorted(rows, key=lambda row: (-row["n"], row["item"]))
    return {row["item"]: int(row["n"]) for row in ordered[: rules.most_items]}


def _paired(kept: Frame, frequent: dict[str, int], engine: Engine, rules: AffinityRules) -> list[dict[str, Any]]:
    names = engine.from_arrow(pa.table({"item": pa.array(frequent, pa.string())}))
    some = engine.kept(kept.join(names, on="item", how="inner"))
    other = some.rename({"item": "item_b"})
    both = some.join(other, on="basket", how="inner").filter(nw.col("item") < nw.col("item_b"))
    counted = both.group_by("item", "item_b").agg(nw.len().alias("n"))
    rows: list[dict[str, Any]] = engine.collect(counted.filter(nw.col("n") >= rules.fewest_together)).to_pylist()
    return rows


def _judged(
    pairs: list[dict[str, Any]],
    frequent: dict[str, int],
    expected: npt.NDArray[np.float64],
    counted: tuple[int, int],
    rules: AffinityRules,
) -> pa.Table:
    total, tests = counted
    both, first, second = (
        np.array(values, dtype=np.int64)
        for values in zip(*((p["n"], frequent[p["item"]], frequent[p["item_b"]]) for p in pairs), strict=True)
    )
    p_values = binom.sf(both - 1, total, expected / total)
    q = q_values(p_values, tests)
    columns: dict[str, Any] = {
        "level": [None] * len(pairs),
        "item_a": [pair["item"] for pair in pairs],
        "item_b": [pair["item_b"] for pair in pairs],
        "baskets": np.full(len(pairs), total),
        "baskets_a": first,
        "baskets_b": second,
        "baskets_both": both,
        "expected_baskets": expected,
        "support_rate": both / total,
        "confidence_a_to_b_rate": both / first,
        "confidence_b_to_a_rate": both / second,
        "lift": both / expected,
        "p_value": p_values,
        "q_value": q,
        "is_significant": q < rules.false_discovery_rate,
    }
    keys = [("is_significant", "descending"), ("lift", "descending"), ("item_a", "ascending"), ("item_b", "ascending")]
    return pa.table(columns, schema=AFFINITY_SCHEMA).sort_by(keys)
