"""Where categories go: their trend, and the weeks in which they changed level.

Belongs here: weekly sales of categories over their whole history. Does not belong here: single odd days
(``anomalies``), the weeks to come (``forecast``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import norm

from platform_assets.analytics.lines import currency, lines_between
from platform_assets.analytics.products.changes import ChangeRules, level_changes
from platform_assets.analytics.products.discovery import q_values
from platform_assets.contracts.calendar import day_number
from platform_assets.engines.engine import MONEY, Engine, Frame

TRENDS_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("category", pa.string()),
        ("currency", pa.string()),
        ("first_week_date", pa.date32()),
        ("last_week_date", pa.date32()),
        ("weeks", pa.int32()),
        ("growth_per_year_rate", pa.float64()),
        ("low_rate", pa.float64()),
        ("high_rate", pa.float64()),
        ("p_value", pa.float64()),
        ("reason", pa.string()),
    ]
)
"""One row per dataset and category: where a dataset begins later than others, that is no growth of its categories.

``weeks``: complete ones from Monday, from its first sale to ``as_of``. ``growth_per_year_rate``: by how much its weekly
net sales grow in a year, seasons apart: the median of all changes between the same four weeks of different years (the
seasonal slope of Hirsch, Slack and Smith, 1982; 0.1 is a tenth more), with its 95 % interval; ``p_value``: of no trend
(their seasonal Kendall test). Null, with the ``reason``, where there are too few weeks.
"""

CHANGES_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("category", pa.string()),
        ("currency", pa.string()),
        ("change_date", pa.date32()),
        ("is_against_others", pa.bool_()),
        ("change_rate", pa.float64()),
        ("low_rate", pa.float64()),
        ("high_rate", pa.float64()),
        ("before_amount", MONEY),
        ("after_amount", MONEY),
        ("p_value", pa.float64()),
        ("q_value", pa.float64()),
        ("is_significant", pa.bool_()),
    ]
)
"""One row per week in which a category of a dataset changed its level for good.

``change_date``: Monday of the first week on the new level. ``change_rate``: by how much, apart from its trend: -0.3 is
three tenths less; ``low_rate`` and ``high_rate``: its 95 % interval. ``is_against_others``: whether what the
dataset's categories did alike (seasons, holidays, outages) was taken off first; it needs three. ``before_amount`` and
``after_amount``: median weekly net sales of the 13 weeks before and after, as they were. ``p_value``: by a
bootstrap, already for the best of all weeks; ``q_value``: with regard to all categories.
"""

FEWEST_WEEKS = 26
FEWEST_TREND_WEEKS = 104
"""Two years: within less, a season looks like a trend."""
_MONDAY = 3
"""1970-01-01 was a Thursday: days since then plus three, over seven, count the weeks from Monday."""
_AROUND = 13
_PLACES = Decimal("0.0001")
_BLOCK, _SEASONS = 4, 13
_SIDE = 1.959964
"""Half of a 95 % interval in standard deviations."""
_FEWEST_SERIES = 3

Floats = npt.NDArray[np.float64]
Key = tuple[str, str, str | None]


@dataclass(frozen=True)
class WeeklySales:
    """Net sales of categories in complete weeks.

    Attributes:
        first_week: Monday of the first week.
        series: By dataset, category and currency, one value per week; NaN before its first week with a sale.
    """

    first_week: date
    series: Mapping[Key, Floats]


def weekly_category_sales(
    sales: Frame, products: Frame, currencies: Mapping[str, str], as_of: date, engine: Engine
) -> WeeklySales:
    """The net sales of each category and week.

    Args:
        sales: Rows of core/sales.
        products: ``product_id`` and ``category``, one row per product.
        currencies: Currency of each dataset.
        as_of: The last day; the week it is in counts when it is a Sunday.
        engine: What computes.
    """
    kinds = products.select("product_id", nw.col("category").alias("_category"))
    lines = lines_between(sales, as_of).filter(~nw.col("product_id").is_null()).with_columns(currency(currencies))
    week = ((day_number(nw.col("sold_at")) + _MONDAY) // 7).alias("_week")
    named = lines.join(kinds, on="product_id", how="inner").filter(~nw.col("_category").is_null())
    grouped = (
        named.with_columns(week)
        .group_by("source_system", "_category", "currency", "_week")
        .agg(nw.col("net_amount").sum())
    )
    rows = engine.collect(grouped).to_pylist()
    end = ((as_of - date(1970, 1, 1)).days + 1 + _MONDAY) // 7
    cells = {
        (r["source_system"], r["_category"], r["currency"], int(r["_week"])): float(r["net_amount"])
        for r in rows
        if r["_week"] < end
    }
    first = min((week for *_, week in cells), default=end)
    series = {key: _series(cells, key, first, end) for key in sorted({key[:3] for key in cells}, key=str)}
    return WeeklySales(date(1970, 1, 1) + timedelta(days=first * 7 - _MONDAY), series)


def category_trends(weekly: WeeklySales) -> pa.Table:
    """The trend of every category: rows of ``TRENDS_SCHEMA``."""
    lines = []
    for key, values in weekly.series.items():
        known = np.flatnonzero(~np.isnan(values))
        if not len(known):
            continue
        ends = {"first_week_date": _monday(weekly, known[0]), "last_week_date": _monday(weekly, known[-1])}
        lines.append({**_named(key), **ends, "weeks": len(known), **_trend(values[known[0] :])})
    return pa.Table.from_pylist(lines, schema=TRENDS_SCHEMA)


def category_changes(weekly: WeeklySales, seed: int, rules: ChangeRules | None = None) -> pa.Table:
    """The weeks in which categories changed their level.

    Args:
        weekly: What ``weekly_category_sales`` gives.
        seed: Of the bootstrap; each category has a stream of its own.
        rules: What is a change.

    Returns:
        Rows of ``CHANGES_SCHEMA``, by category and week.
    """
    rules = rules or ChangeRules()
    logs = {key: _logs(values) for key, values in weekly.series.items()}
    lines: list[dict[str, Any]] = []
    tests = 0
    for number, (key, values) in enumerate(weekly.series.items()):
        common = _common(logs, key)
        own = logs[key] if common is None else logs[key] - common
        known = np.flatnonzero(~np.isnan(own))
        if len(known) < FEWEST_WEEKS:
            continue
        start = int(known[0])
        found = level_changes(own[start:], np.random.default_rng([seed, number]), rules)
        tests += max(1, len(found))
        lines += [
            {
                **_named(key),
                "change_date": _monday(weekly, start + change.place),
                "is_against_others": common is not None,
                "change_rate": float(np.expm1(change.size)),
                "low_rate": float(np.expm1(change.low)),
                "high_rate": float(np.expm1(change.high)),
                "before_amount": _median(values[max(0, start + change.place - _AROUND) : start + change.place]),
                "after_amount": _median(values[start + change.place :][:_AROUND]),
                "p_value": change.p_value,
            }
            for change in found
        ]
    for line, q in zip(lines, q_values([line["p_value"] for line in lines], tests), strict=True):
        line |= {"q_value": float(q), "is_significant": bool(q < rules.false_discovery_rate)}
    return pa.Table.from_pylist(lines, schema=CHANGES_SCHEMA)


def _series(cells: Mapping[Any, float], key: Any, first: int, end: int) -> Floats:
    values = np.array([cells.get((*key, week), 0.0) for week in range(first, end)])
    sold = np.flatnonzero(values)
    values[: sold[0] if len(sold) else len(values)] = np.nan
    return values


def _logs(values: Floats) -> Floats:
    """Logarithms; a week without sales, or with more returns than sales, stands at a twentieth of the median."""
    positive = values[values > 0]
    floor = float(np.median(positive)) / 20 if len(positive) else 1.0
    return np.log(np.where(np.isnan(values), np.nan, np.maximum(values, floor)))


def _common(logs: Mapping[Key, Floats], key: Key) -> Floats | None:
    """What the categories of the dataset did alike: the median of their distances from their own level.

    A median, so that one category that changes does not show as a change of all others the other way round.
    """
    own = {other: row for other, row in logs.items() if (other[0], other[2]) == (key[0], key[2])}
    begun = np.isnan(np.array(list(own.values()))).all(axis=0)
    rows = [row - np.nanmedian(row) for row in own.values() if (np.isnan(row) == begun).all()]
    return np.asarray(np.median(rows, axis=0)) if len(rows) >= _FEWEST_SERIES else None


def _trend(values: Floats) -> dict[str, Any]:
    if len(values) < FEWEST_TREND_WEEKS:
        return {"reason": f"{len(values)} complete weeks: a trend takes {FEWEST_TREND_WEEKS}, or seasons look like one"}
    blocks = len(values) // _BLOCK
    means = values[-blocks * _BLOCK :].reshape(blocks, _BLOCK).mean(axis=1)
    if not (means > 0).all():
        return {"reason": "in some four weeks it brought nothing in"}
    slopes, variance = _seasonal_slopes(np.log(means))
    spread = _SIDE * variance**0.5
    places = (len(slopes) - 1) / 2 + np.array([0, -spread / 2, spread / 2])
    rates = np.expm1(np.interp(places, np.arange(len(slopes)), np.sort(slopes)))
    surplus = abs(int(np.sign(slopes).sum()))
    p_value = 2 * norm.sf(max(surplus - 1, 0) / variance**0.5)
    named = zip(("growth_per_year_rate", "low_rate", "high_rate"), map(float, rates), strict=True)
    return {**dict(named), "p_value": float(min(p_value, 1.0))}


def _seasonal_slopes(logs: Floats) -> tuple[Floats, float]:
    """Slopes per year between all pairs of the same season, and the variance of the sum of their signs by chance."""
    year = _BLOCK * _SEASONS * 7 / 365.25
    slopes, variance = [], 0.0
    for season in range(_SEASONS):
        own = logs[season::_SEASONS]
        count = len(own)
        before, after = np.triu_indices(count, 1)
        slopes.append((own[after] - own[before]) / ((after - before) * year))
        variance += count * (count - 1) * (2 * count + 5) / 18
    return np.concatenate(slopes), variance


def _named(key: Key) -> dict[str, Any]:
    return dict(zip(("source_system", "category", "currency"), key, strict=True))


def _median(values: Floats) -> Decimal:
    return Decimal(float(np.nanmedian(values))).quantize(_PLACES)


def _monday(weekly: WeeklySales, place: int) -> date:
    return weekly.first_week + timedelta(weeks=int(place))
