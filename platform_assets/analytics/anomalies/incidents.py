"""Unusual days as incidents: when, how much money, what contributed, and what it looks like.

Belongs here: sizes, contributions and names. Does not belong here: whether a day is unusual (``baseline``), which of
them belong together (``spans``), and how many incidents chance alone would show (``insights``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from platform_assets.analytics.anomalies.measures import TOTAL, SeriesKey
from platform_assets.analytics.anomalies.series import PRICE_LEVEL, JudgedPanel
from platform_assets.analytics.anomalies.spans import Series, spans

LONG_RUN_DAYS = 7


class Kind(StrEnum):
    """What an incident looks like."""

    OUTAGE = "outage"
    CLOSURE = "closure"
    PROMOTION = "promotion"
    MARKDOWN = "markdown"
    PRICE_INCREASE = "price increase"
    LEVEL_SHIFT = "level shift"
    SURGE = "surge"
    DROP = "drop"


@dataclass(frozen=True)
class Limits:
    """From which ratio of actual to expected on an incident has its name.

    Attributes:
        stopped: Orders at or below it have stopped.
        going_on: Orders of the whole at or above it go on.
        busy: Orders at or above it are more than usual.
        cheap: Prices at or below it are reduced.
        dear: Prices at or above it are raised.
        alone: A part with this share of the whole's difference, and not much more, is what happened.
    """

    stopped: float = 0.2
    going_on: float = 0.5
    busy: float = 1.15
    cheap: float = 0.92
    dear: float = 1.08
    alone: float = 0.9


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one segment contributed to an incident.

    Attributes:
        key: The segment.
        measure: Always net sales.
        actual: What it sold.
        expected: What it was expected to sell.
        is_unusual: Whether it was unusual by itself.
    """

    key: SeriesKey
    actual: float
    expected: float
    is_unusual: bool

    @property
    def difference(self) -> float:
        """Money more or less than expected."""
        return self.actual - self.expected


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Unusual days of one dataset that belong together.

    Attributes:
        id: The same for the same dataset, segment, measure and first day.
        kind: What it looks like.
        key: The segment it is about: the whole dataset, or the part that stands out.
        measure: The measure that stands out most.
        first: First unusual day.
        last: Last one.
        actual: Net sales of the segment in these days.
        expected: What was expected.
        lower: Lower end of the expected band, added up over the days.
        upper: Upper end.
        orders_ratio: Orders by expected orders.
        price_ratio: Level of prices by the expected one.
        z: The largest distance from the expectation, with its sign.
        unusual_days: How many days of the segment's measure were unusual.
        is_retrospective: Whether it was found with the days after it, for want of days before.
        parts: What the segments contributed, the largest first.
    """

    id: str
    kind: Kind
    key: SeriesKey
    measure: str
    first: date
    last: date
    actual: float
    expected: float
    lower: float
    upper: float
    orders_ratio: float
    price_ratio: float
    z: float
    unusual_days: int
    is_retrospective: bool
    parts: tuple[Part, ...]

    @property
    def impact(self) -> float:
        """Money more or less than expected."""
        return self.actual - self.expected


def incidents(
    judged: Mapping[str, JudgedPanel], *, least_weeks: int = 4, limits: Limits | None = None
) -> list[Incident]:
    """Group the unusual days of all datasets.

    Args:
        judged: What ``series.judged_panels`` gives.
        least_weeks: With fewer weeks before it, a day was judged by the days after it.
        limits: When an incident has which name.

    Returns:
        Incidents in the order of time.
    """
    found = [
        _incident(panel, *span, least_weeks, limits or Limits()) for panel in judged.values() for span in spans(panel)
    ]
    return sorted(found, key=lambda incident: (incident.first, incident.id))


def _incident(panel: JudgedPanel, days: slice, members: list[Series], least_weeks: int, limits: Limits) -> Incident:
    key = _headline(panel, days, members, limits)
    measure = max(
        (name for member, name in members if member == key), key=lambda name: _farthest(panel, key, name, days)
    )
    judged = panel.series[key, measure]
    own = np.flatnonzero(judged.is_unusual[days])
    days = slice(days.start + int(own[0]), days.start + int(own[-1]) + 1)
    place = days.start + int(np.nanargmax(np.abs(judged.z[days])))
    actual, expected = panel.sums(key, "net_amount", days)
    money = panel.series[key, "net_amount"]
    first, last = panel.panel.days[days.start], panel.panel.days[days.stop - 1]
    ratios = _ratio(panel, key, "orders", days), _ratio(panel, key, PRICE_LEVEL, days)
    return Incident(
        id=hashlib.sha256(f"{key}/{measure}/{first}".encode()).hexdigest()[:16],
        kind=_kind(panel, key, measure, days, limits),
        key=key,
        measure=measure,
        first=first,
        last=last,
        actual=actual,
        expected=expected,
        lower=float(np.nansum(money.lower[days])),
        upper=float(np.nansum(money.upper[days])),
        orders_ratio=ratios[0],
        price_ratio=ratios[1],
        z=float(judged.z[place]),
        unusual_days=len(own),
        is_retrospective=days.start < least_weeks * 7,
        parts=_parts(panel, days, members),
    )


def _headline(panel: JudgedPanel, days: slice, members: list[Series], limits: Limits) -> SeriesKey:
    """The segment that an incident is about.

    The whole where it is unusual, unless one part has nearly all of its difference; else what stopped, else the part
    with the largest difference.
    """
    keys = sorted({key for key, _ in members})
    difference = {key: float(np.subtract(*panel.sums(key, "net_amount", days))) for key in keys}
    parts = sorted((key for key in keys if key.dimension != TOTAL), key=lambda key: -abs(difference[key]))
    whole = [key for key in keys if key.dimension == TOTAL]
    if whole:
        of_whole = difference[whole[0]]
        alone = [key for key in parts if limits.alone <= difference[key] / (of_whole or np.inf) <= 1 / limits.alone]
        return alone[0] if alone else whole[0]
    stopped = [key for key in parts if _least_ratio(panel, key, days) <= limits.stopped]
    return (stopped or parts)[0]


def _least_ratio(panel: JudgedPanel, key: SeriesKey, days: slice) -> float:
    unusual = panel.series[key, "orders"].is_unusual[days]
    judged = panel.series[key, "orders"]
    expected = float(np.nansum(judged.expected[days][unusual]))
    return float(judged.values[days][unusual].sum()) / expected if expected else 1.0


def _farthest(panel: JudgedPanel, key: SeriesKey, measure: str, days: slice) -> float:
    return float(np.nanmax(np.abs(panel.series[key, measure].z[days])))


def _ratio(panel: JudgedPanel, key: SeriesKey, measure: str, days: slice) -> float:
    actual, expected = panel.sums(key, measure, days)
    return actual / expected if expected else 1.0


def _kind(panel: JudgedPanel, key: SeriesKey, measure: str, days: slice, limits: Limits) -> Kind:
    orders, price = _ratio(panel, key, "orders", days), _ratio(panel, key, PRICE_LEVEL, days)
    if orders <= limits.stopped:
        whole = SeriesKey(key.source_system, TOTAL, "all")
        return Kind.CLOSURE if _ratio(panel, whole, "orders", days) >= limits.going_on else Kind.OUTAGE
    if price <= limits.cheap:
        return Kind.PROMOTION if orders >= limits.busy else Kind.MARKDOWN
    if price >= limits.dear and measure == PRICE_LEVEL:
        return Kind.PRICE_INCREASE
    if days.stop - days.start >= LONG_RUN_DAYS and panel.series[key, measure].is_shift[days].any():
        return Kind.LEVEL_SHIFT
    return Kind.SURGE if _ratio(panel, key, measure, days) >= 1 else Kind.DROP


def _parts(panel: JudgedPanel, days: slice, members: list[Series]) -> tuple[Part, ...]:
    unusual = {key for key, _ in members}
    parts = []
    for key in panel.panel.keys:
        if key.dimension != TOTAL and not np.isnan(panel.series[key, "net_amount"].expected[days]).any():
            actual, expected = panel.sums(key, "net_amount", days)
            parts.append(Part(key=key, actual=actual, expected=expected, is_unusual=key in unusual))
    return tuple(sorted(parts, key=lambda part: (-abs(part.difference), part.key)))
