"""What is known of products around the day on which one of them was sold last.

Belongs here: the reductions on the engine that ``substitutes`` weighs. Does not belong here: the weighing.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.lines import lines_between, order_ref
from platform_assets.engines.engine import Engine, Frame


@dataclass(frozen=True)
class SubstituteRules:
    """When a product is gone, and what may have replaced it.

    Attributes:
        fewest_orders: A product must have had so many.
        fewest_silent_days: And none for so long.
        fewest_expected: And would have had so many in that time (7: chance leaves one in a thousand silent).
        most_gone: So many are looked at, those with most orders.
        longest_window: So many days before and after the last sale are compared at most.
        fewest_after: A successor must have had so many orders after.
        false_discovery_rate: Share of the substitutes that may be chance.
    """

    fewest_orders: int = 10
    fewest_silent_days: int = 28
    fewest_expected: float = 7.0
    most_gone: int = 200
    longest_window: int = 91
    fewest_after: int = 5
    false_discovery_rate: float = 0.05


@dataclass(frozen=True)
class Gone:
    """A product that is no longer sold.

    Attributes:
        product_id: The product.
        group: Its sub-category, else its category.
        first: Day of its first sale.
        last: Day of its last one.
        orders: How many orders it was in.
    """

    product_id: str
    group: str
    first: date
    last: date
    orders: int

    def expected(self, as_of: date) -> float:
        """Orders it would have had since, at the rate of its life."""
        return self.orders / ((self.last - self.first).days + 1) * (as_of - self.last).days

    def window(self, as_of: date, rules: SubstituteRules) -> int:
        """Days that are compared on either side of the last sale."""
        return min(rules.longest_window, (as_of - self.last).days)


@dataclass(frozen=True)
class Traces:
    """Counts around the last sales of products that are gone.

    Attributes:
        days: By group and product, the orders of each day.
        shop: Days in their order, and all orders of the shop up to each.
        groups: The same per group.
        customers: By gone product and successor: customers of both; the successor's buyers; the gone product's
            customers who bought in the group after; all who did.
        together: By gone product and other, orders with both.
    """

    days: Mapping[str, Mapping[str, list[tuple[date, int]]]]
    shop: tuple[list[date], list[int]]
    groups: Mapping[str, tuple[list[date], list[int]]]
    customers: Mapping[tuple[str, str], tuple[int, int, int, int]]
    together: Mapping[tuple[str, str], int]

    def elsewhere(self, group: str, after: date, until: date) -> int:
        """Orders lines of products of other groups, after one day and until another."""
        whole, own = self.shop, self.groups[group]
        return sum(sign * (_up_to(whole, day) - _up_to(own, day)) for sign, day in ((1, until), (-1, after)))

    def kinship(self, gone: str, other: str) -> dict[str, Any]:
        """How the two are related by who bought them and what was bought with them."""
        shared, buyers, own, every = self.customers.get((gone, other), (0, 0, 0, 0))
        lift = (shared / own) / (buyers / every) if own and buyers else None
        return {
            "shared_customers": shared,
            "customer_lift": lift,
            "baskets_together": self.together.get((gone, other), 0),
        }


def group_lines(lines: Frame, products: Frame) -> Frame:
    """Sold lines with their ``group``, ``day`` and ``basket``."""
    kinds = products.select(
        "product_id",
        nw.when(nw.col("sub_category").is_null())
        .then(nw.col("category"))
        .otherwise(nw.col("sub_category"))
        .alias("group"),
    )
    sold = lines.filter(~nw.col("is_return") & ~nw.col("product_id").is_null())
    named = sold.join(kinds, on="product_id", how="inner").filter(~nw.col("group").is_null())
    return named.with_columns(nw.col("sold_at").cast(nw.Date).alias("day"), order_ref().alias("basket"))


def traces(
    sales: Frame,
    products: Frame,
    gone: list[Gone],
    as_of: date,
    engine: Engine,
    *,
    rules: SubstituteRules,
) -> Traces:
    """Count what there is to know about the products of the groups in which one is gone."""
    lines = group_lines(lines_between(sales, as_of), products).select(
        "product_id", "group", "day", "basket", "customer_id"
    )
    everything = engine.collect(lines.group_by("group", "day").agg(nw.len().alias("n"))).to_pylist()
    spans = _spans(gone, as_of, engine, rules)
    names = engine.from_arrow(pa.table({"group": pa.array(sorted({one.group for one in gone}), pa.string())}))
    near = engine.kept(lines.join(names, on="group", how="inner"))
    daily = near.select("group", "product_id", "day", "basket").unique().group_by("group", "product_id", "day")
    days: dict[str, dict[str, list[tuple[date, int]]]] = defaultdict(lambda: defaultdict(list))
    for row in engine.collect(daily.agg(nw.len().alias("n"))).to_pylist():
        days[row["group"]][row["product_id"]].append((row["day"], int(row["n"])))
    by_group: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for row in everything:
        by_group[row["group"]].append((row["day"], int(row["n"])))
    every = [cell for cells in by_group.values() for cell in cells]
    sums = {group: _running(cells) for group, cells in by_group.items()}
    return Traces(days, _running(every), sums, _customers(near, spans, engine), _together(near, spans, engine))


def _spans(gone: list[Gone], as_of: date, engine: Engine, rules: SubstituteRules) -> Frame:
    """The gone products with the days after their last sale that are looked at."""
    table = {
        "gone": pa.array([one.product_id for one in gone], pa.string()),
        "group": pa.array([one.group for one in gone], pa.string()),
        "after": pa.array([one.last for one in gone], pa.date32()),
        "until": pa.array([one.last + timedelta(days=one.window(as_of, rules)) for one in gone], pa.date32()),
    }
    return engine.from_arrow(pa.table(table))


def _customers(near: Frame, spans: Frame, engine: Engine) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    known = near.filter(~nw.col("customer_id").is_null())
    own = known.join(spans.select(nw.col("gone").alias("product_id")), on="product_id", how="inner").rename(
        {"product_id": "gone"}
    )
    own = own.select("gone", "customer_id").unique().with_columns(nw.lit(1).alias("is_own"))
    after = known.select("group", "product_id", "day", "customer_id").join(spans, on="group", how="inner")
    after = after.filter((nw.col("day") > nw.col("after")) & (nw.col("day") <= nw.col("until")))
    bought = (
        after.select("gone", "product_id", "customer_id").unique().join(own, on=["gone", "customer_id"], how="left")
    )
    bought = engine.kept(bought.with_columns(nw.col("is_own").fill_null(0)))
    counts = nw.len().alias("every"), nw.col("is_own").sum().alias("own")
    people = bought.select("gone", "customer_id", "is_own").unique().group_by("gone").agg(*counts)
    whole = {row["gone"]: (int(row["own"]), int(row["every"])) for row in engine.collect(people).to_pylist()}
    pairs = engine.collect(bought.group_by("gone", "product_id").agg(*counts)).to_pylist()
    return {(r["gone"], r["product_id"]): (int(r["own"]), int(r["every"]), *whole[r["gone"]]) for r in pairs}


def _together(near: Frame, spans: Frame, engine: Engine) -> dict[tuple[str, str], int]:
    baskets = near.select("group", "product_id", "basket").unique()
    own = baskets.join(spans.select(nw.col("gone").alias("product_id")), on="product_id", how="inner").rename(
        {"product_id": "gone"}
    )
    both = baskets.join(own, on=["group", "basket"], how="inner")
    others = both.filter(nw.col("gone") != nw.col("product_id"))
    rows = engine.collect(others.group_by("gone", "product_id").agg(nw.len().alias("n"))).to_pylist()
    return {(row["gone"], row["product_id"]): int(row["n"]) for row in rows}


def _running(cells: list[tuple[date, int]]) -> tuple[list[date], list[int]]:
    """Days in their order, and what was counted up to each."""
    days: dict[date, int] = defaultdict(int)
    for day, count in cells:
        days[day] += count
    ordered = sorted(days)
    sums, reached = [], 0
    for day in ordered:
        reached += days[day]
        sums.append(reached)
    return ordered, sums


def _up_to(running: tuple[list[date], list[int]], day: date) -> int:
    place = bisect_right(running[0], day)
    return running[1][place - 1] if place else 0
