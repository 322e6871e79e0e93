"""What took over from products that are no longer sold.

Belongs here: telling which products are gone, and weighing what followed them. Does not belong here: what to reorder.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from math import exp
from typing import Any

import narwhals as nw
import pyarrow as pa
from scipy.stats import binom

from platform_assets.analytics.lines import lines_between
from platform_assets.analytics.products.discovery import q_values
from platform_assets.analytics.products.succession import Gone, SubstituteRules, Traces, group_lines, traces
from platform_assets.engines.engine import Engine, Frame

GONE_SCHEMA = pa.schema(
    [
        ("product_id", pa.string()),
        ("product_group", pa.string()),
        ("first_sale_date", pa.date32()),
        ("last_sale_date", pa.date32()),
        ("orders", pa.int64()),
        ("silent_days", pa.int32()),
        ("expected_orders", pa.float64()),
        ("p_value", pa.float64()),
    ]
)
"""One row per product that is no longer sold.

``product_group``: its sub-category, else its category. ``silent_days``: from its last sale to ``as_of``;
``expected_orders``: how many it would have had in them at the rate of its life; ``p_value``: how often such a product
has none all the same (Poisson).
"""

SUBSTITUTES_SCHEMA = pa.schema(
    [
        ("product_id", pa.string()),
        ("last_sale_date", pa.date32()),
        ("successor_id", pa.string()),
        ("window_days", pa.int32()),
        ("lost_orders", pa.int64()),
        ("orders_before", pa.int64()),
        ("orders_after", pa.int64()),
        ("expected_orders", pa.float64()),
        ("gained_orders", pa.float64()),
        ("taken_over_rate", pa.float64()),
        ("shared_customers", pa.int64()),
        ("customer_lift", pa.float64()),
        ("baskets_together", pa.int64()),
        ("p_value", pa.float64()),
        ("q_value", pa.float64()),
        ("is_substitute", pa.bool_()),
        ("reason", pa.string()),
    ]
)
"""One row per product that is gone and each product of its group that sold more afterwards, the likeliest first.

``window_days``: length of the periods before and after the last sale. ``lost_orders``: orders of the gone product in
the one before. ``orders_before`` and ``orders_after``: of the successor; ``expected_orders``: what it would have had
after, had it moved with the products of other groups; ``gained_orders``: what it had more; ``taken_over_rate``: that as
a share of what the gone product would have had. ``shared_customers``: customers of the gone product who bought the
successor after; ``customer_lift``: how many times likelier they were to than all buyers of the group.
``baskets_together``: orders with both while both were sold: what replaces each other is seldom bought together.
``p_value``: of so many orders after (binomial); ``q_value``: with regard to all candidates of all gone products.
``is_substitute``: significant, and bought by the same customers where that is known. A gone product without a
candidate has one row with the ``reason``.
"""


def gone_products(sales: Frame, products: Frame, as_of: date, engine: Engine, rules: SubstituteRules) -> list[Gone]:
    """The products that are no longer sold: silent for longer than chance explains, those with most orders first.

    Args:
        sales: Rows of core/sales.
        products: ``product_id``, ``category`` and ``sub_category``, one row per product.
        as_of: The last day that counts.
        engine: What computes.
        rules: When a product is gone.
    """
    days = group_lines(lines_between(sales, as_of), products).select("product_id", "group", "day", "basket").unique()
    grouped = days.group_by("product_id", "group").agg(
        nw.col("day").min().alias("first"), nw.col("day").max().alias("last"), nw.len().alias("orders")
    )
    silent_from = as_of - timedelta(days=rules.fewest_silent_days)
    rows = engine.collect(
        grouped.filter((nw.col("orders") >= rules.fewest_orders) & (nw.col("last") <= silent_from))
    ).to_pylist()
    found = [Gone(r["product_id"], r["group"], r["first"], r["last"], int(r["orders"])) for r in rows]
    gone = [one for one in found if one.expected(as_of) >= rules.fewest_expected]
    return sorted(gone, key=lambda one: (-one.orders, one.product_id))[: rules.most_gone]


def gone_table(gone: list[Gone], as_of: date) -> pa.Table:
    """The products that are gone as rows of ``GONE_SCHEMA``."""
    lines = [
        {
            "product_id": one.product_id,
            "product_group": one.group,
            "first_sale_date": one.first,
            "last_sale_date": one.last,
            "orders": one.orders,
            "silent_days": (as_of - one.last).days,
            "expected_orders": one.expected(as_of),
            "p_value": exp(-one.expected(as_of)),
        }
        for one in gone
    ]
    return pa.Table.from_pylist(lines, schema=GONE_SCHEMA)


def substitutes(
    sales: Frame,
    products: Frame,
    gone: list[Gone],
    as_of: date,
    engine: Engine,
    *,
    rules: SubstituteRules,
) -> pa.Table:
    """What took over from products that are gone.

    Args:
        sales: Rows of core/sales.
        products: ``product_id``, ``category`` and ``sub_category``, one row per product.
        gone: What ``gone_products`` gives.
        as_of: The last day that counts.
        engine: What computes.
        rules: What is a substitute.

    Returns:
        Rows of ``SUBSTITUTES_SCHEMA``.
    """
    left = traces(sales, products, gone, as_of, engine, rules=rules)
    lines: list[dict[str, Any]] = []
    for one in gone:
        lines += _candidates(one, left, as_of, rules)
    tested = [line for line in lines if "p_value" in line]
    for line, q in zip(tested, q_values([line["p_value"] for line in tested]), strict=True):
        lift = line["customer_lift"]
        line["q_value"] = float(q)
        line["is_substitute"] = bool(q < rules.false_discovery_rate and (lift is None or lift > 1))
    order = {one.product_id: place for place, one in enumerate(gone)}
    risen = [line for line in lines if "reason" in line or line["gained_orders"] > 0]
    ordered = sorted(risen, key=lambda line: (order[line["product_id"]], *_likeliness(line)))
    return pa.Table.from_pylist(ordered, schema=SUBSTITUTES_SCHEMA)


def _likeliness(line: Mapping[str, Any]) -> tuple[Any, ...]:
    if "reason" in line:
        return (0,)
    return not line["is_substitute"], -line["gained_orders"], line["successor_id"]


def _candidates(one: Gone, left: Traces, as_of: date, rules: SubstituteRules) -> list[dict[str, Any]]:
    window = one.window(as_of, rules)
    before, after = one.last - timedelta(days=window), one.last + timedelta(days=window)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for product, days in left.days[one.group].items():
        for day, orders in days:
            if before < day <= after:
                counts[product][day > one.last] += orders
    lost = counts.pop(one.product_id, [0, 0])[0]
    growth = _growth(left.elsewhere(one.group, before, one.last), left.elsewhere(one.group, one.last, after))
    told = {"product_id": one.product_id, "last_sale_date": one.last, "window_days": window, "lost_orders": lost}
    lines = [
        {
            **told,
            "successor_id": product,
            **_gain(pair[0], pair[1], growth, lost),
            **left.kinship(one.product_id, product),
        }
        for product, pair in sorted(counts.items())
        if pair[1] >= rules.fewest_after
    ]
    if any(line["gained_orders"] > 0 for line in lines):
        return lines
    return [*lines, {**told, "is_substitute": False, "reason": f"nothing of {one.group} sold more afterwards"}]


def _gain(before: int, after: int, growth: float, lost: int) -> dict[str, Any]:
    expected = before * growth
    return {
        "orders_before": before,
        "orders_after": after,
        "expected_orders": expected,
        "gained_orders": after - expected,
        "taken_over_rate": (after - expected) / (lost * growth) if lost else None,
        "p_value": float(binom.sf(after - 1, before + after, growth / (1 + growth))),
    }


def _growth(before: int, after: int) -> float:
    """How the rest of the shop moved: what a successor would have done anyway; kept within bounds where it is small."""
    return min(max((after + 1) / (before + 1), 0.2), 5.0)
