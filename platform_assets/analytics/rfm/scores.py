"""The three measures of every customer, their scores, and the customers who never ordered.

Belongs here: one row per customer. Does not belong here: making edges (``edges``), summing up (``segments``).
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.lines import order_ref
from platform_assets.analytics.rfm.edges import RfmEdges
from platform_assets.analytics.rfm.segments import PROSPECTS, segment_map
from platform_assets.contracts.calendar import day_number
from platform_assets.engines.engine import MONEY, Frame, conformed

FrequencyOf = Literal["days", "orders"]
"""What the frequency counts: days with an order, or orders."""

_EPOCH = date(1970, 1, 1)

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
"""One row per known customer.

``last_order_date``: day of the newest order up to ``as_of_date``. ``days_since_last``: days from it to
``as_of_date``. ``frequency``: days with an order in the window (or orders, as asked). ``monetary_amount``: net revenue
in the window, returns taken off. The scores are 1 to 5, 5 is best; ``rfm_cell`` is the three as text. A customer of the
segment ``Prospects`` never ordered in the currency of the scores: no date, no days, no scores and no cell; frequency
and money are 0.
"""


def customer_measures(sales: Frame, as_of: date, window_days: int | None, frequency_of: FrequencyOf = "days") -> Frame:
    """The three measures of every customer who ever ordered.

    Args:
        sales: Rows of core/sales.
        as_of: The day they are taken on; later sales do not count.
        window_days: Frequency and monetary look back so many days; ``None`` for the whole history.
        frequency_of: What the frequency counts. An order is told from others by its number within its dataset; a
            line without one is an order by itself.

    Returns:
        ``customer_id``, ``last_order_date``, ``days_since_last``, ``frequency`` (returns are
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
    counted = ["customer_id", "_day"] if frequency_of == "days" else ["customer_id", "_order"]
    named = orders if frequency_of == "days" else orders.with_columns(order_ref().alias("_order"))
    frequency = named.select(counted).unique(counted).group_by("customer_id").agg(nw.len().alias("frequency"))
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


def prospects(customers: Frame, scores: Frame, as_of: date) -> Frame:
    """The known customers who have no order in the scores: with returns only, or with orders in other currencies.

    Args:
        customers: Rows that name every customer known on the day in ``customer_id``, such as sale lines up to it.
        scores: Those who ordered: what ``rfm_scores`` gives.
        as_of: The day the scores are of.

    Returns:
        Rows of ``SCORES_SCHEMA``, one per customer.
    """
    known = customers.select("customer_id").filter(~nw.col("customer_id").is_null()).unique("customer_id")
    frame = known.join(scores.select("customer_id"), on="customer_id", how="anti")
    told = {
        "customer_id": nw.col("customer_id"),
        "as_of_date": nw.lit(as_of),
        "frequency": nw.lit(0),
        "monetary_amount": nw.lit(Decimal(0)),
        "segment": nw.lit(PROSPECTS),
    }
    # On pandas, no null can be cast to a whole number unless it is Arrow's: those of this column are.
    length = nw.col("customer_id").str.len_chars()
    nothing = {True: nw.when(length < 0).then(length), False: nw.lit(None)}
    columns = {one.name: told.get(one.name, nothing[pa.types.is_integer(one.type)]) for one in SCORES_SCHEMA}
    return conformed(frame.select(**columns), SCORES_SCHEMA)


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
