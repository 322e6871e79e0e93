"""What must hold of forecasts of revenue: sums, calendars, intervals, weights, and realised coverage.

Belongs here: judging the result tables by themselves. Does not belong here: whether a series can be forecast
(``skill``).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.forecast.combination import COMBINATION
from platform_assets.analytics.forecast.coverage import ENOUGH_POINTS
from platform_assets.analytics.forecast.grains import GRAINS
from platform_assets.analytics.forecast.series import CATEGORY, CHANNEL, TOTAL
from platform_assets.analytics.forecast.skill import NOT_FORECASTABLE

Grade = Literal["good", "doubtful", "bad"]
JUDGED_LEVEL = 0.8
DOUBTFUL, BAD = (0.70, 0.90), (0.65, 0.93)
"""Realised coverage of the 80 % interval outside of which it is doubtful, and outside of which it is bad."""
_KEY = ("grain", "currency", "scope", "member")
_PLACE = Decimal("0.0001")
_DAYS = {grain.name: grain.days for grain in GRAINS}
_TINY = 1e-9
Row = dict[str, Any]


def broken_sums(series: pa.Table) -> list[str]:
    """Steps whose categories, or channels, do not add up to the total.

    Args:
        series: Rows of ``SERIES_SCHEMA``.
    """
    sums: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    members: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in series.to_pylist():
        place = row["grain"], row["currency"], row["period_start_date"]
        sums[*place, row["scope"]] += row["revenue_amount"]
        members[*place, row["scope"]] += 1
    broken = []
    for place in sorted({key[:3] for key in sums}):
        total = sums[*place, TOTAL]
        for scope in (CATEGORY, CHANNEL):
            parts = sums[*place, scope]
            if abs(parts - total) > _PLACE * (members[*place, scope] + 1):
                broken.append(f"{place[0]} {place[2]} {place[1]}: {scope} {parts}, total {total}")
    return broken


def broken_calendars(series: pa.Table) -> list[str]:
    """Series with holes, or that end before or after the others of their grain.

    Args:
        series: Rows of ``SERIES_SCHEMA``.
    """
    dates: dict[tuple[Any, ...], list[date]] = defaultdict(list)
    for row in series.to_pylist():
        dates[tuple(row[name] for name in _KEY)].append(row["period_start_date"])
    ends: dict[str, date] = {}
    for key, days in dates.items():
        ends[key[0]] = max(ends.get(key[0], date.min), *days)
    broken = []
    for key, days in sorted(dates.items()):
        if any((after - before).days != _DAYS[key[0]] for before, after in pairwise(sorted(days))):
            broken.append(f"{_named(key)}: steps are missing or doubled")
        if max(days) != ends[key[0]]:
            broken.append(f"{_named(key)}: ends {max(days)}, others {ends[key[0]]}")
    return broken


def broken_forecasts(forecasts: pa.Table) -> list[str]:
    """Forecasts whose intervals are not within each other, that lack a reason, or are where there is no skill.

    Args:
        forecasts: Rows of ``FORECASTS_SCHEMA``.
    """
    return [f"{_named(_key(row))} step {row['step']}: {fault}" for row in forecasts.to_pylist() for fault in _of(row)]


def _of(row: Row) -> Iterator[str]:
    names = ("lower_95_amount", "lower_80_amount", "upper_80_amount", "upper_95_amount")
    ends = [row[name] for name in names if row[name] is not None]
    if ends != sorted(ends):
        yield f"interval ends are {', '.join(map(str, ends))}"
    is_none = row["status"] == NOT_FORECASTABLE
    if is_none != (row["forecast_amount"] is None):
        yield f"{row['status']}, and the forecast is {row['forecast_amount']}"
    if is_none and ends:
        yield "an interval without a forecast"
    if not row["reason"]:
        yield "no reason"
    if row["period_start_date"] <= row["as_of_date"] and _DAYS[row["grain"]] == 1:
        yield f"{row['period_start_date']} is over"


def broken_weights(skill: pa.Table) -> list[str]:
    """Series whose weights do not sum to 1, or that are published by none of their models, or by several.

    Args:
        skill: Rows of ``SKILL_SCHEMA``.
    """
    weights: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    used: dict[tuple[Any, ...], int] = defaultdict(int)
    wanted: dict[tuple[Any, ...], int] = {}
    for row in skill.to_pylist():
        key = _key(row)
        if row["weight_rate"] is not None:
            weights[key].append(row["weight_rate"])
        used[key] += row["is_used"]
        wanted[key] = int(row["status"] != NOT_FORECASTABLE)
    sums = {key: sum(of) for key, of in weights.items()}
    broken = [
        f"{_named(key)}: weights sum to {total:.6f}" for key, total in sorted(sums.items()) if abs(total - 1) > _TINY
    ]
    return broken + [f"{_named(key)}: {used[key]} models in use" for key in sorted(wanted) if used[key] != wanted[key]]


def wrong_coverage(coverage: pa.Table, backtest: pa.Table) -> list[str]:
    """Where the published coverage is not that of the backtest's intervals.

    Args:
        coverage: Rows of ``COVERAGE_SCHEMA``.
        backtest: Rows of ``BACKTEST_SCHEMA``.
    """
    broken = []
    for row in coverage.to_pylist():
        if row["nominal_rate"] != JUDGED_LEVEL:
            continue
        is_its = pc.and_(pc.equal(backtest["grain"], row["grain"]), pc.equal(backtest["model"], COMBINATION))
        its = backtest.filter(pc.and_(is_its, pc.is_valid(backtest["lower_80_amount"])))
        came, lower, upper = (_numbers(its, name) for name in ("actual_amount", "lower_80_amount", "upper_80_amount"))
        # Amounts are kept to four places: an end that is what came may fall on either side of it.
        near = np.minimum(np.abs(came - lower), np.abs(came - upper)) <= float(_PLACE)
        covered, doubt = int(((came >= lower) & (came <= upper)).sum()), int(near.sum())
        if len(came) != row["points"] or abs(covered - row["covered_points"]) > doubt:
            told = f"{row['covered_points']} of {row['points']}"
            broken.append(f"{row['grain']}: {told} are covered, and {covered} of {len(came)} in the backtest")
    return broken


def coverage_grades(coverage: pa.Table) -> dict[str, tuple[Grade, float]]:
    """How the realised coverage of the 80 % interval is, and what it is, of each grain with points enough to say.

    Args:
        coverage: Rows of ``COVERAGE_SCHEMA``.
    """
    rows = (row for row in coverage.to_pylist() if row["nominal_rate"] == JUDGED_LEVEL)
    return {
        row["grain"]: (_grade(row["realised_rate"]), row["realised_rate"])
        for row in rows
        if row["points"] >= ENOUGH_POINTS
    }


def _grade(rate: float) -> Grade:
    if not BAD[0] <= rate <= BAD[1]:
        return "bad"
    return "good" if DOUBTFUL[0] <= rate <= DOUBTFUL[1] else "doubtful"


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _named(key: tuple[Any, ...]) -> str:
    return " ".join(str(part) for part in key)


def _numbers(table: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    column: np.ndarray[Any, np.dtype[np.float64]] = table[name].cast(pa.float64()).fill_null(np.inf).to_numpy()
    return column
