"""What a product usually costs: the reduction to distinct prices, and medians with their spread.

Belongs here: prices of products, weighted by how often they were paid. Does not belong here: which line is unlike them
(``lines``).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from platform_assets.engines.engine import INSTANT, MONEY, Frame

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

PAID_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("product_id", pa.string()),
        ("category", pa.string()),
        ("quantity", pa.int64()),
        ("unit_price_amount", MONEY),
        ("net_amount", MONEY),
        ("lines", pa.int64()),
    ]
)
"""Each distinct way a product was sold, and how many sale lines (no returns) were like that; ``unit_price_amount`` is
null where the source does not say."""
USUAL_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("product_id", pa.string()),
        ("usual_price", pa.float64()),
        ("lines", pa.int64()),
    ]
)
"""The median price of one piece of each product in each source, and of how many sale lines."""
_CATEGORIES = pa.schema(
    [("product_id", pa.string()), ("valid_from", INSTANT), ("valid_to", INSTANT), ("category", pa.string())]
)
LEAST_LINES = 5
"""With fewer sale lines, a product has no usual price."""
MAD_TO_SIGMA = 1.4826
"""A normal distribution's standard deviation in units of its median absolute deviation."""


@dataclass(frozen=True)
class Spread:
    """Median and robust standard deviation of each group.

    Attributes:
        centre: Weighted median.
        scale: Weighted median absolute deviation in units of a standard deviation; 0 where all are alike.
        weight: Sum of the weights.
    """

    centre: Floats
    scale: Floats
    weight: Floats


def categorised(sales: Frame, products: Frame, as_of: date) -> Frame:
    """Sale lines up to a day, with the category that their product had at the sale.

    Args:
        sales: Rows of core/sales.
        products: Rows of core/products: every product's versions, without gaps.
        as_of: The last day that counts.
    """
    end = datetime.combine(as_of + timedelta(days=1), time())
    known = products.select(
        nw.col("product_id").alias("_product"),
        nw.col("valid_from").alias("_from"),
        nw.col("valid_to").alias("_to"),
        nw.col("category").alias("_category"),
    )
    lines = sales.filter(nw.col("sold_at") < end).join(known, left_on="product_id", right_on="_product", how="left")
    fits = nw.col("_from").is_null() | ((nw.col("_from") <= nw.col("sold_at")) & (nw.col("sold_at") < nw.col("_to")))
    category = nw.coalesce(nw.col("_category"), nw.col("category")).alias("category")
    return lines.filter(fits).with_columns(category)


def no_products() -> pa.Table:
    """What stands for core/products where there is none: lines keep their own category."""
    return _CATEGORIES.empty_table()


def paid(lines: Frame) -> Frame:
    """The distinct ways that products were sold.

    Args:
        lines: What ``categorised`` gives.

    Returns:
        Rows of ``PAID_SCHEMA``; lines without a product are not in it.
    """
    sold = lines.filter(~nw.col("is_return") & ~nw.col("product_id").is_null() & (nw.col("quantity") > 0))
    keys = [name for name in PAID_SCHEMA.names if name != "lines"]
    return sold.select(keys).group_by(keys).agg(nw.len().alias("lines")).with_columns(nw.col("lines").cast(nw.Int64))


def unit_prices(table: pa.Table) -> Floats:
    """What one piece cost in each row of ``PAID_SCHEMA``: the price said, else the amount by the quantity."""
    said = _floats(table["unit_price_amount"])
    with np.errstate(divide="ignore", invalid="ignore"):
        computed = _floats(table["net_amount"]) / _floats(table["quantity"])
    return np.where(np.isnan(said), computed, said)


def usual_prices(table: pa.Table) -> pa.Table:
    """The median price of each product in each source.

    Args:
        table: Rows of ``PAID_SCHEMA``.

    Returns:
        Rows of ``USUAL_SCHEMA``, by source and product; those of few lines are not in it.
    """
    # What the sales brought in, after discounts: that is what the money of other days is compared with.
    with np.errstate(divide="ignore", invalid="ignore"):
        price = _floats(table["net_amount"]) / _floats(table["quantity"])
    good = np.isfinite(price) & (price > 0)
    table, price = table.filter(pa.array(good)), price[good]
    group, keys = grouped(table, ["source_system", "product_id"])
    spread = spreads(price, group, len(keys), _floats(table["lines"]))
    rows = [
        {"source_system": source, "product_id": product, "usual_price": float(centre), "lines": int(weight)}
        for (source, product), centre, weight in zip(keys, spread.centre, spread.weight, strict=True)
        if weight >= LEAST_LINES
    ]
    return pa.Table.from_pylist(rows, schema=USUAL_SCHEMA)


def grouped(table: pa.Table, names: list[str]) -> tuple[Indices, list[tuple[Any, ...]]]:
    """The group of each row, and the groups' keys in rising order, missing ones first."""
    rows = list(zip(*(table[name].to_pylist() for name in names), strict=True))
    keys = sorted(set(rows), key=lambda key: tuple((value is not None, value or "") for value in key))
    place = {key: index for index, key in enumerate(keys)}
    return np.array([place[row] for row in rows], dtype=np.int64), keys


def spreads(values: Floats, group: Indices, groups: int, weights: Floats | None = None) -> Spread:
    """Weighted median and spread of each group; NaN for groups without values."""
    weights = np.ones(len(values)) if weights is None else weights
    centre = quantiles(values, group, groups, weights)
    away = np.abs(values - centre[group]) if len(values) else values
    scale = quantiles(away, group, groups, weights) * MAD_TO_SIGMA
    return Spread(centre, scale, np.bincount(group, weights, groups).astype(float))


def quantiles(values: Floats, group: Indices, groups: int, weights: Floats, share: Floats | float = 0.5) -> Floats:
    """The lower weighted quantile of each group: the least value with that share of the weight at or below it.

    Args:
        values: The values.
        group: The group of each.
        groups: How many groups there are.
        weights: How often each value is there.
        share: Of all groups, or of each one.
    """
    result = np.full(groups, np.nan)
    order = np.lexsort((values, group))
    reached = np.cumsum(weights[order])
    ends = np.searchsorted(group[order], np.arange(groups), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    shares = np.broadcast_to(share, groups)
    for index in np.flatnonzero(ends > starts):
        first, last = starts[index], ends[index]
        before = reached[first - 1] if first else 0.0
        wanted = before + (reached[last - 1] - before) * shares[index]
        place = int(np.searchsorted(reached[first:last], wanted - 1e-9))
        result[index] = values[order[first + place]]
    return result


def _floats(column: pa.ChunkedArray) -> Floats:
    result: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return result
