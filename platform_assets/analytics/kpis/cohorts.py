"""How many customers come back: monthly cohorts, the time to the second order, repeat rates.

Belongs here: what happened. Does not belong here: what will happen (``lifetime``, ``churn``).
"""

from datetime import date, datetime, time, timedelta
from math import sqrt
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from platform_assets.contracts.calendar import day_number
from platform_assets.engines.engine import Engine, Frame

COHORTS_SCHEMA = pa.schema(
    [
        ("cohort_month_date", pa.date32()),
        ("month_number", pa.int32()),
        ("cohort_customers", pa.int64()),
        ("customers", pa.int64()),
        ("retention_rate", pa.float64()),
        ("reason", pa.string()),
    ]
)
"""One row per month of first orders and month since, up to the newest month of any cohort: a full rectangle.

``cohort_month_date``: first day of the month of the first order. ``month_number``: 0 is that month. ``customers``: how
many of the cohort ordered in that month; ``retention_rate``: their share. Both are null where the month was not over on
``as_of``: what is not known yet is not nought; ``reason`` says so.
"""

SECOND_ORDER_SCHEMA = pa.schema(
    [
        ("days", pa.int32()),
        ("at_risk", pa.int64()),
        ("second_orders", pa.int64()),
        ("second_order_rate", pa.float64()),
        ("low_rate", pa.float64()),
        ("high_rate", pa.float64()),
    ]
)
"""One row per number of days after which somebody ordered again.

``at_risk``: customers who had not ordered again before and were watched so long. ``second_order_rate``: share that has
ordered again by then (Kaplan and Meier, so customers who were watched for less count as long as they were);
``low_rate`` and ``high_rate``: its 95 % interval (Greenwood, log-log).
"""

REPEAT_SCHEMA = pa.schema(
    [
        ("window_days", pa.int32()),
        ("customers", pa.int64()),
        ("repeaters", pa.int64()),
        ("repeat_rate", pa.float64()),
        ("low_rate", pa.float64()),
        ("high_rate", pa.float64()),
        ("reason", pa.string()),
    ]
)
"""One row per window: customers whose first order is at least so old, and how many ordered again within it.

The interval is Wilson's at 95 %.
"""

REPEAT_WINDOWS = (90, 365)
_Z = 1.959963984540054
_EPOCH = date(1970, 1, 1)


def retention_cohorts(sales: Frame, as_of: date, engine: Engine) -> pa.Table:
    """The share of each month's new customers that ordered in each month since.

    Args:
        sales: Rows of core/sales.
        as_of: The last day that counts.
        engine: What computes.

    Returns:
        Rows of ``COHORTS_SCHEMA``, by cohort and month.
    """
    month = nw.col("sold_at").dt.year().cast(nw.Int64) * 12 + nw.col("sold_at").dt.month().cast(nw.Int64) - 1
    months = _orders(sales, as_of).with_columns(month.alias("_month")).select("customer_id", "_month")
    months = engine.kept(months.unique(["customer_id", "_month"]))
    firsts = months.group_by("customer_id").agg(nw.col("_month").min().alias("_first"))
    counted = months.join(firsts, on="customer_id", how="inner").group_by("_first", "_month").agg(nw.len().alias("_n"))
    cells = {(int(r["_first"]), int(r["_month"])): int(r["_n"]) for r in engine.collect(counted).to_pylist()}
    return pa.Table.from_pylist(_rectangle(cells, as_of), schema=COHORTS_SCHEMA)


def second_order_times(sales: Frame, as_of: date, engine: Engine) -> pa.Table:
    """How long customers take to order on another day, counted: small, however many customers there are.

    Returns:
        ``days`` (to the second order, else up to ``as_of``), ``has_second``, ``watched`` (days from the first order to
        ``as_of``) and ``customers``.
    """
    days = _orders(sales, as_of).with_columns(day_number(nw.col("sold_at")).alias("_day"))
    days = engine.kept(days.select("customer_id", "_day").unique(["customer_id", "_day"]))
    firsts = days.group_by("customer_id").agg(nw.col("_day").min().alias("_first"))
    later = days.join(firsts, on="customer_id", how="inner").filter(nw.col("_day") > nw.col("_first"))
    seconds = later.group_by("customer_id").agg(nw.col("_day").min().alias("_second"))
    people = firsts.join(seconds, on="customer_id", how="left").group_by("_first", "_second")
    rows = engine.collect(people.agg(nw.len().alias("customers"))).to_pylist()
    end = (as_of - _EPOCH).days
    lines = [_time(row, end) for row in rows]
    return pa.Table.from_pylist(sorted(lines, key=lambda line: tuple(line.values())), schema=_TIMES_SCHEMA)


def time_to_second_order(times: pa.Table) -> pa.Table:
    """The curve of those who have ordered again, by days since the first order.

    Args:
        times: What ``second_order_times`` gives.

    Returns:
        Rows of ``SECOND_ORDER_SCHEMA``.
    """
    days, is_second, people = (times[name].to_numpy() for name in ("days", "has_second", "customers"))
    events, where = np.unique(days[is_second], return_inverse=True)
    seconds = np.bincount(where, weights=people[is_second], minlength=len(events)).astype(np.int64)
    order = np.argsort(days, kind="stable")
    before = np.concatenate(([0], np.cumsum(people[order])))[np.searchsorted(days[order], events, side="left")]
    at_risk = (people.sum() - before).astype(np.int64)
    survival = np.cumprod(1 - seconds / at_risk)
    low, high = _greenwood(survival, seconds, at_risk)
    columns = [events, at_risk, seconds, 1 - survival, 1 - high, 1 - low]
    return pa.table([pa.array(c) for c in columns], names=SECOND_ORDER_SCHEMA.names).cast(SECOND_ORDER_SCHEMA)


def median_days(curve: pa.Table) -> int | None:
    """After how many days half of the customers have ordered again; ``None`` where that has not been seen."""
    reached = [row["days"] for row in curve.to_pylist() if row["second_order_rate"] >= 0.5]  # noqa: PLR2004 - half
    return min(reached, default=None)


def repeat_rates(times: pa.Table) -> pa.Table:
    """The share of customers who ordered again within fixed windows since their first order.

    Args:
        times: What ``second_order_times`` gives.

    Returns:
        Rows of ``REPEAT_SCHEMA``.
    """
    rows = times.to_pylist()
    lines = []
    for window in REPEAT_WINDOWS:
        old = [row for row in rows if row["watched"] >= window]
        count = sum(row["customers"] for row in old)
        repeaters = sum(row["customers"] for row in old if row["has_second"] and row["days"] <= window)
        line = {"window_days": window, "customers": count, "repeaters": repeaters}
        if not count:
            line["reason"] = f"no customer's first order is {window} days old"
        else:
            low, high = _wilson(repeaters, count)
            line |= {"repeat_rate": repeaters / count, "low_rate": low, "high_rate": high}
        lines.append(line)
    return pa.Table.from_pylist(lines, schema=REPEAT_SCHEMA)


_TIMES_SCHEMA = pa.schema(
    [("days", pa.int32()), ("has_second", pa.bool_()), ("watched", pa.int32()), ("customers", pa.int64())]
)


def _orders(sales: Frame, as_of: date) -> Frame:
    end = datetime.combine(as_of + timedelta(days=1), time())
    return sales.filter(~nw.col("customer_id").is_null() & ~nw.col("is_return") & (nw.col("sold_at") < end))


def _rectangle(cells: dict[tuple[int, int], int], as_of: date) -> list[dict[str, Any]]:
    cohorts = sorted({first for first, _ in cells})
    newest = as_of.year * 12 + as_of.month - 1
    over = newest if (as_of + timedelta(days=1)).day == 1 else newest - 1
    lines = []
    for first in cohorts:
        size = cells[first, first]
        for number in range(newest - cohorts[0] + 1):
            line: dict[str, Any] = {"cohort_month_date": date(first // 12, first % 12 + 1, 1), "month_number": number}
            line["cohort_customers"] = size
            if first + number > over:
                line["reason"] = f"the month was not over on {as_of}"
            else:
                line["customers"] = cells.get((first, first + number), 0)
                line["retention_rate"] = line["customers"] / size
            lines.append(line)
    return lines


def _time(row: dict[str, Any], end: int) -> dict[str, Any]:
    first, second = int(row["_first"]), row["_second"]
    has_second = second is not None and second == second  # noqa: PLR0124 - pandas makes a missing number a NaN
    days = int(second) - first if has_second else end - first
    return {"days": days, "has_second": has_second, "watched": end - first, "customers": int(row["customers"])}


def _greenwood(survival: Any, seconds: Any, at_risk: Any) -> tuple[Any, Any]:
    """The interval of a survival curve on the scale log(-log S), where it stays between 0 and 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(seconds / (at_risk * (at_risk - seconds)))) / np.abs(np.log(survival))
        low, high = (survival ** np.exp(sign * _Z * spread) for sign in (1, -1))
    certain = (survival <= 0) | ~np.isfinite(spread)
    return np.where(certain, 0.0, low), np.where(certain, survival, high)


def _wilson(hits: int, count: int) -> tuple[float, float]:
    rate, z2 = hits / count, _Z * _Z / count
    half = _Z * sqrt(rate * (1 - rate) / count + z2 / count / 4)
    return (rate + z2 / 2 - half) / (1 + z2), (rate + z2 / 2 + half) / (1 + z2)
