"""Sale lines whose price, quantity or amount is unlike the product's.

Belongs here: robust distances on the log scale, their ranking, and the lines behind them. Does not belong here: rules
that hold without a comparison, such as prices above zero (``contracts``).
"""

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from platform_assets.analytics.anomalies.prices import (
    LEAST_LINES,
    PAID_SCHEMA,
    Floats,
    Indices,
    grouped,
    quantiles,
    spreads,
    unit_prices,
)
from platform_assets.engines.engine import INSTANT, MONEY, Engine, Frame

OUTLIERS_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("order_id", pa.string()),
        ("product_id", pa.string()),
        ("category", pa.string()),
        ("sold_at", INSTANT),
        ("quantity", pa.int64()),
        ("net_amount", MONEY),
        ("unit_price_amount", MONEY),
        ("usual_price_amount", MONEY),
        ("impact_amount", MONEY),
        ("price_z", pa.float64()),
        ("quantity_z", pa.float64()),
        ("amount_z", pa.float64()),
        ("score", pa.float64()),
        ("reason", pa.string()),
        ("rank", pa.int64()),
        ("_source_file", pa.string()),
        ("_source_row", pa.int64()),
    ]
)
"""The sale lines most unlike their product, the first one first (``rank``).

``unit_price_amount`` is what one piece cost, said or computed; ``usual_price_amount`` is the product's median price
over all days up to the day, those after the sale, too; products without a price above zero have none, and no line here.
``impact_amount`` is what the line brought in more than at it. ``price_z``, ``quantity_z`` and ``amount_z`` are
distances from the product's median in robust standard deviations of the logarithm; ``reason`` is the one that counts
most in the ``score``: price, quantity or amount."""
_FEW = 5
"""So few lines of a category make nothing usual there."""
LEAST_PRICE = 0.0001
"""Amounts have four places."""
_KEYS = [name for name in PAID_SCHEMA.names if name != "lines"]


@dataclass(frozen=True, kw_only=True)
class OutlierSettings:
    """How lines are ranked.

    Attributes:
        most: So many lines at most.
        threshold: From which score on a line is unlike its product.
        shrinkage: The spread of a product counts like so many lines less than that of its category.
        price_floor: The least spread of prices, on the log scale.
        size_floor: That of quantities and amounts.
        ordinary: Quantities and amounts vary freely: only what is beyond so many deviations counts.
        tail: What this share of the lines of a category does is usual there: discounts, large orders.
        beyond: A line must be so many times as far off as they are to reach the threshold.
    """

    most: int = 200
    threshold: float = 5.0
    shrinkage: float = 20.0
    price_floor: float = 0.05
    size_floor: float = 0.5
    ordinary: float = 4.0
    tail: float = 0.01
    beyond: float = 1.5


@dataclass(frozen=True)
class Scores:
    """Distances of each row of ``PAID_SCHEMA``; 0 where the product was sold too rarely to say.

    Attributes:
        price_z: Of the price.
        quantity_z: Of the quantity.
        amount_z: Of the amount.
        usual_price: The product's median price; NaN where no line of it had a price above zero.
        score: All distances together.
    """

    price_z: Floats
    quantity_z: Floats
    amount_z: Floats
    usual_price: Floats
    score: Floats


def scored(table: pa.Table, settings: OutlierSettings | None = None) -> Scores:
    """How unlike its product each way of being sold is.

    Args:
        table: Rows of ``PAID_SCHEMA``.
        settings: How lines are ranked.
    """
    settings = settings or OutlierSettings()
    product, products = grouped(table, ["source_system", "product_id"])
    category, categories = grouped(table, ["source_system", "category"])
    groups = (product, len(products)), (category, len(categories))
    weights = _numbers(table, "lines")
    price = unit_prices(table)
    price_z, centre = _distances(price, groups, weights, settings, settings.price_floor)
    quantity_z, _ = _distances(_numbers(table, "quantity"), groups, weights, settings, settings.size_floor)
    amount_z, _ = _distances(_numbers(table, "net_amount"), groups, weights, settings, settings.size_floor)
    beyond = [np.maximum(np.abs(z) - settings.ordinary, 0) for z in (quantity_z, amount_z)]
    score = np.sqrt(price_z**2 + beyond[0] ** 2 + beyond[1] ** 2)
    return Scores(price_z, quantity_z, amount_z, np.exp(centre), score)


def outliers(lines: Frame, table: pa.Table, engine: Engine, settings: OutlierSettings | None = None) -> pa.Table:
    """The sale lines most unlike their product.

    Args:
        lines: What ``prices.categorised`` gives.
        table: Its rows of ``PAID_SCHEMA``.
        engine: What computes.
        settings: How lines are ranked.

    Returns:
        Rows of ``OUTLIERS_SCHEMA``, by rank; ties are broken by file and row.
    """
    settings = settings or OutlierSettings()
    scores = scored(table, settings)
    # What is always free, or costs less than amounts can say, has no usual price to be unlike.
    has_price = np.nan_to_num(scores.usual_price) >= LEAST_PRICE
    places = np.flatnonzero((scores.score >= settings.threshold) & has_price)
    places = places[np.argsort(-scores.score[places], kind="stable")][: settings.most]
    if not len(places):
        return OUTLIERS_SCHEMA.empty_table()
    chosen = table.take(pa.array(places))
    found = {_key(row): int(place) for place, row in zip(places, chosen.to_pylist(), strict=True)}
    rows = [_line(row, found[_key(row)], scores) for row in _behind(lines, chosen, engine) if _key(row) in found]
    rows.sort(key=lambda row: (-row["score"], row["source_system"], row["_source_file"], row["_source_row"]))
    ranked = [{**row, "rank": rank} for rank, row in enumerate(rows[: settings.most], start=1)]
    return pa.Table.from_pylist(ranked, schema=OUTLIERS_SCHEMA)


def _distances(
    values: Floats,
    groups: tuple[tuple[Indices, int], tuple[Indices, int]],
    weights: Floats,
    settings: OutlierSettings,
    floor: float,
) -> tuple[Floats, Floats]:
    """Distance of each value from its product's median, and that median's logarithm; NaN without any above zero."""
    (product, products), (category, categories) = groups
    is_good = np.isfinite(values) & (values > 0)
    log = np.log(np.where(is_good, values, 1.0))
    own = spreads(log, product, products, weights * is_good)
    left = log - own.centre[product]
    wide = spreads(left, category, categories, weights * is_good).scale[category]
    all_lines = np.maximum(np.bincount(category, weights * is_good, categories), 1)
    share = np.clip(1 - np.maximum(settings.tail, _FEW / all_lines), 0, 1)
    tail = quantiles(np.abs(left), category, categories, weights * is_good, share)[category]
    least = np.maximum(floor, np.nan_to_num(tail) * settings.beyond / settings.threshold)
    count = own.weight[product]
    squares = (count * own.scale[product] ** 2 + settings.shrinkage * wide**2) / (count + settings.shrinkage)
    z = left / np.maximum(np.sqrt(squares), least)
    return np.where(is_good & (count >= LEAST_LINES), z, 0.0), np.where(count > 0, own.centre[product], np.nan)


def _behind(lines: Frame, chosen: pa.Table, engine: Engine) -> list[dict[str, Any]]:
    """The sale lines that may be of the chosen kinds: those of their products, sold in their quantities."""
    few = chosen.select(["source_system", "product_id", "quantity"]).group_by(
        ["source_system", "product_id", "quantity"]
    )
    keys = engine.from_arrow(few.aggregate([]))
    sold = lines.filter(~nw.col("is_return")).select(*_KEYS, "order_id", "sold_at", "_source_file", "_source_row")
    rows: list[dict[str, Any]] = engine.collect(
        sold.join(keys, on=["source_system", "product_id", "quantity"], how="inner")
    ).to_pylist()
    return rows


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEYS)


def _line(row: dict[str, Any], place: int, scores: Scores) -> dict[str, Any]:
    distances = {name: float(getattr(scores, name)[place]) for name in ("price_z", "quantity_z", "amount_z")}
    usual = float(scores.usual_price[place])
    net, quantity = float(row["net_amount"]), row["quantity"]
    price = row["unit_price_amount"]
    most = max(distances, key=lambda name: abs(distances[name]))
    return {
        **row,
        **distances,
        "unit_price_amount": _money(net / quantity) if price is None else price,
        "usual_price_amount": _money(usual),
        "impact_amount": _money(net - usual * quantity),
        "score": float(scores.score[place]),
        "reason": most.removesuffix("_z"),
    }


def _money(number: float) -> Any:
    return pa.scalar(round(number, 4)).cast(MONEY).as_py()


def _numbers(table: pa.Table, name: str) -> Floats:
    result: Floats = table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return result
