"""Recency, frequency, monetary: scores on quantile edges that keep equal customers equal, and the eleven segments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import yaml

from platform_assets.contracts.calendar import day_number
from platform_assets.engines.engine import MONEY, Engine, Frame
from platform_assets.transforms.counting import counts_by
from platform_assets.transforms.quantiles import quantile_edges

_EPOCH = date(1970, 1, 1)

BINS = 5
FIXED_FREQUENCY_EDGES = (2, 3, 5, 9)
"""Orders from which on a customer scores 2, 3, 4 and 5, where quantiles cannot tell customers apart."""
TIED_SHARE = 0.4
"""Share of customers with one order from which on quantiles of the frequency cannot tell customers apart."""

SCORES_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("last_order_date", pa.date32()),
        ("days_since_last", pa.int32()),
        ("frequency", pa.int64()),
        ("monetary_amount", MONEY),
        ("recency_score", pa.int16()),
        ("frequency_score", pa.int16()),
        ("monetary_score", pa.int16()),
        ("rfm_cell", pa.string()),
        ("segment", pa.string()),
    ]
)
SEGMENTS_SCHEMA = pa.schema(
    [
        ("segment", pa.string()),
        ("customers", pa.int64()),
        ("customer_share", pa.float64()),
        ("revenue_amount", MONEY),
        ("revenue_share", pa.float64()),
        ("avg_days_since_last", pa.float64()),
        ("avg_frequency", pa.float64()),
        ("avg_monetary_amount", MONEY),
    ]
)


@dataclass(frozen=True)
class RfmEdges:
    """From which value on a customer scores 2, 3, 4 and 5.

    Attributes:
        recency: Of minus the days since the last order, so that more is better.
        frequency: Of the days with an order.
        monetary: Of net revenue.
    """

    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    monetary: tuple[Decimal, ...]

    def levels(self) -> dict[str, int]:
        """How many different scores each measure can give; fewer than five means that ties fill whole bins."""
        return {name: len(set(getattr(self, name))) + 1 for name in ("recency", "frequency", "monetary")}


def customer_measures(sales: Frame, as_of: date, window_days: int | None) -> Frame:
    """The three measures of every customer who ever ordered.

    Args:
        sales: Rows of core/sales.
        as_of: The day they are taken on; later sales do not count.
        window_days: Frequency and monetary look back so many days; ``None`` for the whole history.

    Returns:
        ``customer_id``, ``last_order_date``, ``days_since_last``, ``frequency`` (days with an order; returns are
        none), ``monetary_amount`` (net revenue, returns taken off) and ``_rank`` (minus the days since the last).
    """
    end = datetime.combine(as_of + timedelta(days=1), time())
    known = sales.filter(~nw.col("customer_id").is_null() & (nw.col("sold_at") < end))
    known = known.with_columns(nw.col("sold_at").cast(nw.Date).alias("_day"))
    orders = known.filter(~nw.col("is_return"))
    last = orders.group_by("customer_id").agg(nw.col("_day").max().alias("last_order_date"))
    if window_days is not None:
        start = datetime.combine(as_of + timedelta(days=1 - window_days), time())
        known, orders = (frame.filter(nw.col("sold_at") >= start) for frame in (known, orders))
    days = orders.select("customer_id", "_day").unique(["customer_id", "_day"])
    frequency = days.group_by("customer_id").agg(nw.len().alias("frequency"))
    monetary = known.group_by("customer_id").agg(nw.col("net_amount").sum().alias("monetary_amount"))
    frame = last.join(frequency, on="customer_id", how="left").join(monetary, on="customer_id", how="left")
    since = day_number(nw.col("last_order_date")) * -1 + (as_of - _EPOCH).days
    return frame.with_columns(
        since.alias("days_since_last"),
        nw.col("frequency").fill_null(0),
        nw.when(nw.col("monetary_amount").is_null())
        .then(nw.lit(Decimal(0)))
        .otherwise(nw.col("monetary_amount"))
        .cast(nw.Decimal(18, 4))
        .alias("monetary_amount"),
    ).with_columns((nw.col("days_since_last") * -1).alias("_rank"))


def rfm_edges(measures: Frame, engine: Engine) -> RfmEdges:
    """The edges of a customer base: quantiles, or fixed ones for the frequency where ties demand it."""
    every = measures.with_columns(nw.lit(1).alias("_all"))
    counted = engine.collect(counts_by(every, "_all", {"once": nw.col("frequency") <= 1})).to_pylist()
    is_tied = bool(counted) and counted[0]["once"] / counted[0]["rows"] > TIED_SHARE
    frequency = FIXED_FREQUENCY_EDGES if is_tied else quantile_edges(measures, "frequency", BINS, engine)
    recency = quantile_edges(measures, "_rank", BINS, engine)
    return RfmEdges(recency, frequency, quantile_edges(measures, "monetary_amount", BINS, engine))


def rfm_scores(measures: Frame, edges: RfmEdges, as_of: date) -> Frame:
    """Score customers: one more for every edge that is reached, so equal values have equal scores.

    Args:
        measures: What ``customer_measures`` gives.
        edges: From which value on a customer scores more.
        as_of: The day the measures are of.

    Returns:
        Rows of ``SCORES_SCHEMA``.
    """
    scored = measures.with_columns(
        _score("_rank", edges.recency, "recency_score"),
        _score("frequency", edges.frequency, "frequency_score"),
        _score("monetary_amount", edges.monetary, "monetary_score"),
        nw.lit(as_of).cast(nw.Date).alias("as_of_date"),
    )
    names = ("recency_score", "frequency_score", "monetary_score")
    scored = scored.with_columns(nw.concat_str([nw.col(name).cast(nw.String) for name in names]).alias("rfm_cell"))
    return scored.with_columns(_segment().alias("segment")).select(SCORES_SCHEMA.names)


def segment_summary(scores: Frame, engine: Engine) -> pa.Table:
    """The segments with their size and money, the best first; also those without customers.

    Returns:
        Rows of ``SEGMENTS_SCHEMA``; shares are of all customers and of all revenue.
    """
    grouped = scores.group_by("segment").agg(
        nw.len().alias("customers"),
        nw.col("monetary_amount").sum().alias("revenue"),
        nw.col("days_since_last").sum().alias("days"),
        nw.col("frequency").sum().alias("orders"),
    )
    grouped = grouped.with_columns(nw.col("customers", "days", "orders").cast(nw.Int64))
    found = {line["segment"]: line for line in engine.collect(grouped).to_pylist()}
    customers = sum(line["customers"] for line in found.values())
    revenue = sum((line["revenue"] for line in found.values()), Decimal(0))
    lines = [_summary_line(name, found.get(name), customers, revenue) for name in segment_map()]
    return pa.Table.from_pylist(lines, schema=SEGMENTS_SCHEMA)


@cache
def segment_map() -> dict[str, tuple[str, ...]]:
    """The cells of each segment, the best segment first."""
    text = Path(__file__).with_name("rfm_segments.yaml").read_text(encoding="utf-8")
    return {name: tuple(map(str, cells)) for name, cells in yaml.safe_load(text).items()}


def _score(column: str, edges: tuple[Any, ...], name: str) -> nw.Expr:
    score = nw.lit(1)
    for edge in edges:
        score = score + nw.when(nw.col(column) >= edge).then(nw.lit(1)).otherwise(nw.lit(0))
    return score.cast(nw.Int64).alias(name)


def _segment() -> nw.Expr:
    segment = nw.lit(None).cast(nw.String)
    for name, cells in segment_map().items():
        segment = nw.when(nw.col("rfm_cell").is_in(list(cells))).then(nw.lit(name)).otherwise(segment)
    return segment


def _summary_line(name: str, found: Mapping[str, Any] | None, customers: int, revenue: Decimal) -> dict[str, Any]:
    if found is None:
        return {
            "segment": name,
            "customers": 0,
            "customer_share": 0.0,
            "revenue_amount": Decimal(0),
            "revenue_share": 0.0,
        }
    size = found["customers"]
    return {
        "segment": name,
        "customers": size,
        "customer_share": size / customers,
        "revenue_amount": found["revenue"],
        "revenue_share": float(found["revenue"] / revenue) if revenue else None,
        "avg_days_since_last": found["days"] / size,
        "avg_frequency": found["orders"] / size,
        "avg_monetary_amount": (found["revenue"] / size).quantize(Decimal("0.0001")),
    }
