"""Series of net revenue: complete calendars with zeros, one per currency and total, category or channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import narwhals as nw
import numpy as np
import pyarrow as pa

from platform_assets.analytics.forecast.grains import FloatArray, Grain
from platform_assets.analytics.forecast.results import SERIES_SCHEMA, money
from platform_assets.analytics.largest import MOST_SEGMENTS, in_last_year, with_largest
from platform_assets.analytics.lines import with_category_at_sale
from platform_assets.engines.engine import Engine, Frame

TOTAL = "total"
CATEGORY = "category"
CHANNEL = "channel"
UNKNOWN = "unknown"
"""The member that sales without a category or channel belong to, so that members add up to the total."""
NO_CURRENCY = "XXX"
"""What ISO 4217 says where no currency is known."""


@dataclass(frozen=True, order=True)
class SeriesKey:
    """What a series is of. Amounts of different currencies are never added.

    Attributes:
        currency: ISO 4217 code.
        scope: ``total``, ``category`` or ``channel``.
        member: The name of the category or channel; ``total`` for the total.
    """

    currency: str
    scope: str
    member: str

    def __str__(self) -> str:
        return f"{self.currency} {self.scope} {self.member}" if self.scope != TOTAL else f"{self.currency} {TOTAL}"


@dataclass(frozen=True)
class Series:
    """Net revenue in every step from the first one with any to the last one that is over.

    Attributes:
        key: What it is of.
        grain: Its steps.
        start_date: The first day of its first step.
        values: One amount per step, zero where nothing was sold.
    """

    key: SeriesKey
    grain: Grain
    start_date: date
    values: FloatArray = field(compare=False)

    def date_of(self, step: int) -> date:
        """The first day of a step, counted from 0; also of those ahead."""
        return self.grain.dates(self.start_date, [step])[0]


def daily_revenue(sales: Frame, products: Frame, currencies: Mapping[str, str], as_of: date) -> Frame:
    """Net revenue per day, currency, category and channel: all that the engine has to do.

    The category is the one that the product had at the sale.

    Args:
        sales: Rows of core/sales.
        products: Rows of core/products.
        currencies: Currency by dataset; a dataset that is not named has ``NO_CURRENCY``.
        as_of: The last day that counts.

    Returns:
        ``currency``, ``category``, ``channel``, ``day`` and ``revenue_amount``, in no order.
    """
    end = datetime.combine(as_of + timedelta(days=1), time())
    counted = sales.filter((nw.col("sold_at") < end) & ~nw.col("net_amount").is_null())
    currency = nw.lit(NO_CURRENCY)
    for dataset, code in sorted(currencies.items()):
        currency = nw.when(nw.col("source_system") == dataset).then(nw.lit(code)).otherwise(currency)
    keyed = with_category_at_sale(counted, products).select(
        currency.alias("currency"),
        nw.col("category_at_sale").fill_null(UNKNOWN).alias(CATEGORY),
        nw.col(CHANNEL).fill_null(UNKNOWN),
        nw.col("sold_at").cast(nw.Date).alias("day"),
        "net_amount",
    )
    keys = ("currency", CATEGORY, CHANNEL, "day")
    return keyed.group_by(*keys).agg(nw.col("net_amount").sum().alias("revenue_amount"))


def of_largest(daily: Frame, as_of: date, engine: Engine, most: int = MOST_SEGMENTS) -> Frame:
    """The same of the largest categories and channels of each currency by the last year, all others as ``OTHERS``.

    Args:
        daily: What ``daily_revenue`` gives.
        as_of: The last day that counts.
        engine: What computes.
        most: So many categories, and so many channels, are series of their own.
    """
    counts = in_last_year(as_of, at="day", amount="revenue_amount")
    named = with_largest(daily, (CATEGORY, CHANNEL), engine, by="currency", counts=counts, most=most)
    keys = ("currency", CATEGORY, CHANNEL, "day")
    return named.group_by(*keys).agg(nw.col("revenue_amount").sum())


def revenue_series(daily: pa.Table, grain: Grain, as_of: date) -> list[Series]:
    """Complete series of all totals, categories and channels.

    Args:
        daily: What ``daily_revenue`` gives, collected.
        grain: Days or weeks.
        as_of: The last day that is over; a week that it does not end is dropped, as is a first week that the data
            of its currency enter in the middle.

    Returns:
        In the order of their keys; none for members whose sales are all in dropped weeks.
    """
    found: dict[SeriesKey, dict[date, Decimal]] = {}
    first: dict[str, date] = {}
    for row in daily.to_pylist():
        currency, day, amount = row["currency"], row["day"], row["revenue_amount"]
        first[currency] = min(day, first.get(currency, day))
        for scope, member in ((TOTAL, TOTAL), (CATEGORY, row[CATEGORY]), (CHANNEL, row[CHANNEL])):
            days = found.setdefault(SeriesKey(currency, scope, member), {})
            days[day] = days.get(day, Decimal(0)) + amount
    made = (_series(key, found[key], grain, first[key.currency], as_of) for key in sorted(found))
    return [series for series in made if series is not None]


def series_table(series: Iterable[Series]) -> pa.Table:
    """Series as rows of ``SERIES_SCHEMA``."""
    lines = [
        {
            "grain": one.grain.name,
            "currency": one.key.currency,
            "scope": one.key.scope,
            "member": one.key.member,
            "period_start_date": one.date_of(step),
            "revenue_amount": money(value),
        }
        for one in series
        for step, value in enumerate(one.values)
    ]
    return pa.Table.from_pylist(lines, schema=SERIES_SCHEMA)


def _series(key: SeriesKey, days: Mapping[date, Decimal], grain: Grain, first: date, as_of: date) -> Series | None:
    start = grain.first_step(first)
    sums = [Decimal(0)] * grain.whole_steps(start, as_of)
    for day, amount in days.items():
        step = (day - start).days // grain.days
        if 0 <= step < len(sums):
            sums[step] += amount
    begun = next((step for step, value in enumerate(sums) if value), None)
    if begun is None:
        return None
    return Series(key, grain, grain.dates(start, [begun])[0], np.array(sums[begun:], dtype=float))
