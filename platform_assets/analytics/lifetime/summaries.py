"""Sale lines down to one row per customer: the sufficient statistics of the lifetime models, on any engine.

Belongs here: what is counted per customer, on which side of the split. Does not belong here: any model.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.calendar import day_number
from platform_assets.engines.engine import MONEY, Frame, conformed

_EPOCH = date(1970, 1, 1)
_AMOUNTS = (
    "repeat_spend_amount",
    "sales_amount",
    "returns_amount",
    "margin_known_amount",
    "margin_amount",
    "holdout_amount",
)
_COUNTS = ("orders", "spend_orders", "recent_orders", "holdout_orders")

SUMMARIES_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("channel", pa.string()),
        ("first_order_date", pa.date32()),
        ("last_order_date", pa.date32()),
        ("frequency", pa.int64()),
        ("recency_weeks", pa.float64()),
        ("age_weeks", pa.float64()),
        ("spend_orders", pa.int64()),
        ("repeat_spend_amount", MONEY),
        ("recent_orders", pa.int64()),
        ("sales_amount", MONEY),
        ("returns_amount", MONEY),
        ("margin_known_amount", MONEY),
        ("margin_amount", MONEY),
        ("whole_recency_weeks", pa.float64()),
        ("holdout_orders", pa.int64()),
        ("holdout_amount", MONEY),
    ]
)
"""One row per customer with an order on or before the day of the split; an order is a day with at least one sale.

- ``as_of_date``: the split; all that follows is of the time up to and with it, unless it is called holdout
- ``channel``: of the first order; the first by name where that day has several
- ``frequency``: x, the orders after the first; orders for nothing count, returns do not
- ``recency_weeks``: t_x, from the first order to the last; ``age_weeks``: T, from the first order to the split
- ``spend_orders``: those of the repeat orders with money in them; ``repeat_spend_amount``: the money in them
- ``recent_orders``: orders in the last ``recent_days`` days, the first order among them
- ``sales_amount``: all orders, returns not taken off; ``returns_amount``: returns, as a positive amount
- ``margin_known_amount``: sales of lines whose profit is known; ``margin_amount``: that profit
- ``whole_recency_weeks``: from the first order to the last one, those after the split among them
- ``holdout_orders``, ``holdout_amount``: orders and their money in the days after the split
"""
ORDER_DAYS_SCHEMA = pa.schema([("first_order_date", pa.date32()), ("order_date", pa.date32()), ("orders", pa.int64())])
"""Orders (days with a sale of one customer) by the date of that customer's first order and by their own."""


@dataclass(frozen=True)
class Split:
    """Where the past ends.

    Attributes:
        as_of: The last day of the past.
        holdout_days: So many days after it are counted apart.
        recent_days: So many days up to it are recent.
    """

    as_of: date
    holdout_days: int = 0
    recent_days: int = 91


def customer_days(sales: Frame, until: date) -> Frame:
    """One row per customer and day with a sale.

    Args:
        sales: Rows of core/sales.
        until: Later sales do not count.

    Returns:
        ``customer_id``, ``_day`` (days since 1970-01-01) and ``_date``, ``_first`` and ``_first_date`` (those of the
        first order), ``channel``, ``sales``, ``known`` and ``profit`` (money of lines with a profit that is known, and
        that profit).
    """
    orders = _known(sales, until).filter(~nw.col("is_return"))
    is_known = ~nw.col("profit_amount").is_null()
    orders = orders.with_columns(_money(nw.col("net_amount"), is_known).alias("_known"))
    days = orders.group_by("customer_id", "_day").agg(
        nw.col("_date").min().alias("_date"),
        nw.col("channel").min().alias("channel"),
        nw.col("net_amount").sum().alias("sales"),
        nw.col("_known").sum().alias("known"),
        nw.col("profit_amount").sum().alias("profit"),
    )
    first = days.group_by("customer_id").agg(
        nw.col("_day").min().alias("_first"), nw.col("_date").min().alias("_first_date")
    )
    return days.join(first, on="customer_id", how="inner")


def customer_summaries(sales: Frame, split: Split) -> Frame:
    """What the models know of each customer.

    Args:
        sales: Rows of core/sales.
        split: Where the past ends, and how much of the future is counted beside it.

    Returns:
        Rows of ``SUMMARIES_SCHEMA``.
    """
    end = _number(split.as_of)
    days = customer_days(sales, split.as_of + timedelta(days=split.holdout_days)).filter(nw.col("_first") <= end)
    flagged = _flagged(days, end, split.recent_days)
    grouped = flagged.group_by("customer_id").agg(
        nw.col("_first").min().alias("_first"),
        nw.col("_last").max().alias("_last"),
        nw.col("_first_date").min().alias("first_order_date"),
        nw.col("_last_date").max().alias("last_order_date"),
        nw.col("_day").max().alias("_latest"),
        nw.col("_channel").min().alias("channel"),
        *(nw.col(f"_{name}").sum().alias(name) for name in (*_COUNTS, *_AMOUNTS) if name != "returns_amount"),
    )
    returned = _known(sales, split.as_of).filter(nw.col("is_return"))
    returned = returned.group_by("customer_id").agg(nw.col("net_amount").sum().alias("_returned"))
    joined = grouped.join(returned, on="customer_id", how="left")
    return conformed(_reported(joined, split), SUMMARIES_SCHEMA)


def orders_by_day(sales: Frame, until: date) -> Frame:
    """How many orders each cohort made on each day, for tracking: rows of ``ORDER_DAYS_SCHEMA``."""
    days = customer_days(sales, until).select(
        nw.col("_first_date").alias("first_order_date"), nw.col("_date").alias("order_date")
    )
    counted = days.group_by("first_order_date", "order_date").agg(nw.len().alias("orders"))
    return conformed(counted, ORDER_DAYS_SCHEMA)


def _flagged(days: Frame, end: int, recent_days: int) -> Frame:
    past, later = nw.col("_day") <= end, nw.col("_day") > end
    spent = past & (nw.col("_day") > nw.col("_first")) & (nw.col("sales") > 0)
    flags = {
        "orders": past,
        "spend_orders": spent,
        "recent_orders": past & (nw.col("_day") > end - recent_days),
        "holdout_orders": later,
    }
    amounts = {
        "repeat_spend_amount": ("sales", spent),
        "sales_amount": ("sales", past),
        "margin_known_amount": ("known", past),
        "margin_amount": ("profit", past),
        "holdout_amount": ("sales", later),
    }
    return days.with_columns(
        nw.when(past).then(nw.col("_day")).alias("_last"),
        nw.when(past).then(nw.col("_date")).alias("_last_date"),
        nw.when(nw.col("_day") == nw.col("_first")).then(nw.col("channel")).alias("_channel"),
        *(nw.when(flag).then(nw.lit(1)).otherwise(nw.lit(0)).alias(f"_{name}") for name, flag in flags.items()),
        *(_money(nw.col(of), flag).alias(f"_{name}") for name, (of, flag) in amounts.items()),
    )


def _reported(grouped: Frame, split: Split) -> Frame:
    first, last = nw.col("_first"), nw.col("_last")
    returned = nw.col("_returned")
    return grouped.with_columns(
        nw.lit(split.as_of).cast(nw.Date).alias("as_of_date"),
        ((nw.col("_latest") - first).cast(nw.Float64) / 7).alias("whole_recency_weeks"),
        (nw.col("orders") - 1).alias("frequency"),
        ((last - first).cast(nw.Float64) / 7).alias("recency_weeks"),
        ((nw.lit(_number(split.as_of)) - first).cast(nw.Float64) / 7).alias("age_weeks"),
        _money(returned * -1, ~returned.is_null()).alias("returns_amount"),
    )


def _known(sales: Frame, until: date) -> Frame:
    end = datetime.combine(until + timedelta(days=1), time())
    rows = sales.filter(~nw.col("customer_id").is_null() & (nw.col("sold_at") < end))
    return rows.with_columns(
        day_number(nw.col("sold_at")).alias("_day"), nw.col("sold_at").cast(nw.Date).alias("_date")
    )


def _money(amount: nw.Expr, flag: nw.Expr) -> nw.Expr:
    return nw.when(flag).then(amount).otherwise(nw.lit(Decimal(0))).cast(nw.Decimal(18, 4))


def _number(day: date) -> int:
    return (day - _EPOCH).days
