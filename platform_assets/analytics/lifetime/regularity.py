"""How regularly customers order: the transaction models suppose that they order at random times.

Belongs here: Wheat and Morrison, "Estimating Purchase Regularity with Two Interpurchase Times" (1990). Does not belong
here: what follows where orders are regular.
"""

from dataclasses import dataclass
from datetime import date

import narwhals as nw
import numpy as np
import pyarrow as pa

from platform_assets.analytics.lifetime.summaries import customer_days
from platform_assets.engines.engine import Frame, conformed

LEAST = 30
"""Customers with two intervals needed to tell random times from regular ones."""
REGULAR = 1.5
"""From here on times are so regular that models of random times see customers leave too late."""
CLOCKWORK = 1000.0
"""The most that is told; orders that come to the day have no finite regularity."""
_SHORTEST = 8
"""Two intervals of less together say little: they are counted in whole days, of at least one."""
_Z = 1.959964

INTERVALS_SCHEMA = pa.schema([("before_days", pa.int64()), ("last_days", pa.int64()), ("customers", pa.int64())])
"""Customers by their last two intervals between orders: the last, and the one before it; days."""


@dataclass(frozen=True)
class Regularity:
    """How regularly customers order.

    Attributes:
        customers: Those with two intervals long enough.
        k: Shape of the gamma distribution of intervals: 1 for random times, more for regular ones, less for bursts;
            ``None`` of too few customers.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    customers: int
    k: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_regular(self) -> bool:
        """Whether times are regular beyond chance, and so much that it matters."""
        return self.k is not None and self.low is not None and self.k >= REGULAR and self.low > 1


def last_intervals(sales: Frame, until: date) -> Frame:
    """The last two intervals between orders of every customer with three orders.

    Args:
        sales: Rows of core/sales.
        until: Later sales do not count.

    Returns:
        Rows of ``INTERVALS_SCHEMA``.
    """
    days = customer_days(sales, until).select("customer_id", "_day")
    last = _latest(days, "_last")
    second = _latest(_before(days, last, "_last"), "_second")
    third = _latest(_before(days, second, "_second"), "_third")
    joined = last.join(second, on="customer_id", how="inner").join(third, on="customer_id", how="inner")
    intervals = joined.select(
        (nw.col("_second") - nw.col("_third")).alias("before_days"),
        (nw.col("_last") - nw.col("_second")).alias("last_days"),
    )
    counted = intervals.group_by("before_days", "last_days").agg(nw.len().alias("customers"))
    return conformed(counted, INTERVALS_SCHEMA)


def regularity(intervals: pa.Table) -> Regularity:
    """The shape k of the intervals between orders.

    Of two intervals that are gamma distributed with shape k, the first takes a share of both that is beta distributed
    (k, k), whatever the customer's own pace and however long both are: its variance 1 / (4 (2k + 1)) gives k.

    Args:
        intervals: Rows of ``INTERVALS_SCHEMA``.
    """
    intervals = intervals.sort_by([(name, "ascending") for name in INTERVALS_SCHEMA.names])  # for equal sums
    before, last, customers = (intervals[name].to_numpy().astype(np.float64) for name in INTERVALS_SCHEMA.names)
    is_long = before + last >= _SHORTEST
    total = int(customers[is_long].sum())
    if total < LEAST:
        return Regularity(total)
    # an interval of d days is one of at least d - 1 and less than d: the middle, of all the days there are to share
    share = (before[is_long] - 0.5) / (before + last - 1)[is_long]
    weights = customers[is_long] / total
    squares = np.square(share - 0.5)
    variance = float(weights @ squares)
    error = _Z * float(np.sqrt(weights @ np.square(squares - variance) / total))
    return Regularity(total, _shape(variance), _shape(variance + error), _shape(variance - error))


def _shape(variance: float) -> float:
    least = 1 / (8 * (CLOCKWORK + 0.5))
    return max(1 / (8 * max(variance, least)) - 0.5, 0.0)


def _latest(days: Frame, name: str) -> Frame:
    return days.group_by("customer_id").agg(nw.col("_day").max().alias(name))


def _before(days: Frame, latest: Frame, name: str) -> Frame:
    return days.join(latest, on="customer_id", how="inner").filter(nw.col("_day") < nw.col(name))
