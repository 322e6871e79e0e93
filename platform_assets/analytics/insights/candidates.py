"""What may become a finding: weekly tests, daily incidents and wrong prices, each with its p-value.

Belongs here: bringing the three kinds of evidence into one form, and all tests that were made for it. Does not belong
here: choosing among them (``report``).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from platform_assets.analytics.anomalies.incidents import Incident
from platform_assets.analytics.anomalies.lines import OutlierSettings
from platform_assets.analytics.anomalies.measures import Panel, SeriesKey
from platform_assets.analytics.anomalies.prices import Floats
from platform_assets.analytics.anomalies.series import JudgedPanel
from platform_assets.analytics.insights.null import LEAST_TAIL, TAIL_SHARE, tail_of
from platform_assets.analytics.insights.record import Candidate
from platform_assets.analytics.insights.weekly import PRICE_LEVEL, Test, weekly_tests

DAYS = 7
LONG, LONG_WINDOW = 4, 52
"""So many weeks are tested together, too, against those of a year."""
WRONG = 5.0
"""A price so many times above or below the usual one is no discount."""

_PRICE_INDEX = 0.25
"""Discounts end somewhere, and a price a little beyond the largest that was seen is still one."""

_MOST_ALIKE = 1000


@dataclass(frozen=True)
class Family:
    """Tests of one kind that were made for a report.

    Attributes:
        candidates: Those that may become findings.
        others: p-values of all other tests of the kind.
    """

    candidates: list[Candidate]
    others: Floats


def weekly_family(panels: Mapping[str, Panel], week: date, window: int) -> Family:
    """Every test of every dataset is a candidate: of the week, and of the last weeks together."""
    found = []
    for source in sorted(panels):
        for weeks, history in ((1, window), (LONG, max(window, LONG_WINDOW))):
            tests = weekly_tests(panels[source], week, weeks=weeks, window=history)
            found += [_of_test(test, week, weeks) for test in tests]
    return Family(found, np.empty(0))


def daily_family(judged: Mapping[str, JudgedPanel], incidents: Sequence[Incident], week: date) -> Family:
    """The incidents that begin in a week are candidates; each judged day of each series was a test."""
    candidates, others = [], []
    for source in sorted(judged):
        panel = judged[source]
        first = (week - panel.panel.start).days
        days = slice(max(first, 0), max(first + DAYS, 0))
        own = [
            one for one in incidents if one.key.source_system == source and week <= one.first < week + timedelta(DAYS)
        ]
        null = {measure: _distances(panel, measure, first) for measure in panel.distances}
        for (_, measure), series in sorted(panel.series.items()):
            z = np.abs(series.z[days])
            others.append(tail_of(null[measure], z[~np.isnan(z)]))
        candidates += [_of_incident(one, panel, null) for one in own]
    return Family(candidates, np.concatenate(others) if others else np.empty(0))


def price_family(outliers: pa.Table, null: Floats, week: date, weekly_lines: float) -> Family:
    """Products with wrong prices on a day are candidates; each line of the week was a test.

    Args:
        outliers: Rows of ``lines.OUTLIERS_SCHEMA``.
        null: What ``price_distances`` gives.
        week: The Monday of the week.
        weekly_lines: So many lines are sold in a week.
    """
    groups: dict[tuple[str, str, date], list[dict[str, Any]]] = defaultdict(list)
    for row in outliers.to_pylist():
        ratio = float(row["unit_price_amount"]) / float(row["usual_price_amount"])
        day = row["sold_at"].date()
        if week <= day < week + timedelta(DAYS) and not 1 / WRONG < ratio < WRONG:
            groups[row["source_system"], row["product_id"], day].append(row)
    candidates = [_of_prices(key, rows, null) for key, rows in sorted(groups.items())]
    others = max(0, round(weekly_lines) - len(candidates))
    return Family(candidates, np.ones(others))


def price_distances(distances: Floats, lines: Floats) -> Floats:
    """How far prices of lines are off, in rising order; of lines alike, no more than a thousand count.

    Args:
        distances: ``price_z`` of each distinct way of being sold, see ``lines.scored``.
        lines: How many lines were sold like that.
    """
    return np.sort(np.repeat(np.abs(distances), np.minimum(lines, _MOST_ALIKE).astype(np.int64)))


def _of_test(test: Test, week: date, weeks: int) -> Candidate:
    up = test.value >= test.expected
    kinds = ("price increase", "markdown") if test.measure == PRICE_LEVEL else ("surge", "drop")
    return Candidate(
        type=kinds[0] if up else kinds[1],
        key=test.key,
        measure=test.measure,
        first=week - timedelta(DAYS * (weeks - 1)),
        last=week + timedelta(DAYS - 1),
        value=test.value,
        expected=test.expected,
        money=test.money,
        low=test.low,
        high=test.high,
        p=test.p,
        orders=test.orders,
        null_size=test.null_size,
        details={"price_ratio": test.value / test.expected} if test.measure == PRICE_LEVEL else {},
        is_weekly=True,
    )


def _of_incident(incident: Incident, panel: JudgedPanel, null: Mapping[str, Floats]) -> Candidate:
    """The p-value is the least of the segment's days and measures, each of which was a test of the report."""
    days = slice(*((day - panel.panel.start).days for day in (incident.first, incident.last + timedelta(1))))
    value, expected = panel.sums(incident.key, incident.measure, days)
    orders, _ = panel.sums(incident.key, "orders", days)
    low, high = _interval(panel, incident.key, days, null["net_amount"])
    parts = [part for part in incident.parts if part.is_unusual][:3]
    return Candidate(
        type=str(incident.kind),
        key=incident.key,
        measure=incident.measure,
        first=incident.first,
        last=incident.last,
        value=value,
        expected=expected,
        money=incident.impact,
        low=low,
        high=high,
        p=min(_least_p(panel, incident.key, measure, days, null[measure]) for measure in sorted(null)),
        orders=int(orders),
        null_size=len(null[incident.measure]),
        details={
            "orders_ratio": incident.orders_ratio,
            "price_ratio": incident.price_ratio,
            "expected_money": incident.expected,
        },
        evidence=tuple(f"{part.key.segment} ({part.key.dimension}) {part.difference:+,.0f}." for part in parts),
    )


def _interval(panel: JudgedPanel, key: SeriesKey, days: slice, null: Floats) -> tuple[float, float]:
    """The 90 % interval of the deviation in money; days are taken to deviate together, which is on the safe side."""
    judged = panel.series[key, "net_amount"]
    width = (float(np.quantile(null, 0.9)) if len(null) else 0.0) * judged.scale[days]
    actual, _ = panel.sums(key, "net_amount", days)
    ends = (float(np.nansum(judged.expected[days] * np.exp(sign * width))) for sign in (1, -1))
    low, high = (actual - end for end in ends)
    return low, high


def _least_p(panel: JudgedPanel, key: SeriesKey, measure: str, days: slice, null: Floats) -> float:
    if (key, measure) not in panel.series:
        return 1.0
    z = np.abs(panel.series[key, measure].z[days])
    return float(tail_of(null, z[~np.isnan(z)]).min(initial=1.0))


def _of_prices(key: tuple[str, str, date], rows: list[dict[str, Any]], null: Floats) -> Candidate:
    source, product, day = key
    money = float(sum(row["impact_amount"] for row in rows))
    quantity = sum(row["quantity"] for row in rows)
    value = float(sum(row["net_amount"] for row in rows)) / quantity
    usual = float(rows[0]["usual_price_amount"])
    strongest = max(abs(row["price_z"]) for row in rows)
    return Candidate(
        type="price error",
        key=SeriesKey(source, "product", product),
        measure="unit_price",
        first=day,
        last=day,
        value=value,
        expected=usual,
        money=money,
        low=money,
        high=money,
        p=float(tail_of(null, np.array([strongest]), _price_tail(len(null)), _PRICE_INDEX)[0]),
        orders=len({row["order_id"] for row in rows}),
        null_size=len(null),
        details={"price_ratio": value / usual, "product": product, "lines": len(rows)},
    )


def _price_tail(size: int) -> float:
    """The share of prices that are the tail: a hundredth, as usual as discounts are; more where there are few."""
    return min(TAIL_SHARE, max(OutlierSettings().tail, (LEAST_TAIL + 1) / max(size, 1)))


def _distances(panel: JudgedPanel, measure: str, first: int) -> Floats:
    """How far usual and unusual days of a measure are off, but for those of the week and what goes on after it.

    They are in rising order. An event shows in many series at once: its own days would say that such days are common.
    """
    start, end = first, first + 2 * DAYS
    # Nor the days after a dataset's last sale: all of its series stop at once.
    size = int(np.flatnonzero(panel.panel.values["orders"].any(axis=0)).max(initial=-1)) + 1
    z, day = panel.distances[measure]
    return z[((day < start) | (day >= end)) & (day < size)]
