"""Which unusual days of which series belong together.

Belongs here: runs of unusual days, and which runs of several segments are one event. Does not belong here: what an
event is called and what it is worth (``incidents``).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from platform_assets.analytics.anomalies.measures import TOTAL, SeriesKey
from platform_assets.analytics.anomalies.series import JudgedPanel

Series = tuple[SeriesKey, str]
GAP_DAYS = 1
"""So many usual days between two unusual ones leave them one incident."""
ALIKE = 1.5
"""Segments whose ratios of actual to expected differ by no more than this factor do the same."""
_STOPPED = 0.05
"""Below it, ratios differ by chance alone."""
_MADE_UP = 0.5
"""Where so much of a segment's loss is another one's gain, buyers went there."""


@dataclass(frozen=True)
class Run:
    """Unusual days of one segment in a row.

    Attributes:
        key: The segment.
        days: Places of the days on which any of its measures is unusual.
    """

    key: SeriesKey
    days: tuple[int, ...]


def spans(panel: JudgedPanel) -> list[tuple[slice, list[Series]]]:
    """Days that belong together, and which series are unusual in them.

    Runs of two segments are one event only where they have a day in common and do the same on it: a part that is off
    on most of its days while the whole is, segments that rise or fall alike, the same sales seen by another dimension,
    or buyers that went from one part to another. That days follow each other makes them no event: of many segments,
    one is unusual by chance on most days.
    """
    runs = _runs(panel)
    if not runs:
        return []
    pairs = [(one, other) for one, other in _sharing(runs) if _belong(panel, runs[one], runs[other])]
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(runs), len(runs)))
    _, component = connected_components(graph, directed=False)
    events: dict[int, list[Run]] = defaultdict(list)
    for run, event in zip(runs, component, strict=True):
        events[int(event)].append(run)
    return [_span(panel, members) for members in events.values()]


def _runs(panel: JudgedPanel) -> list[Run]:
    unusual: dict[SeriesKey, npt.NDArray[np.bool_]] = {}
    for (key, _), series in panel.series.items():
        unusual[key] = unusual[key] | series.is_unusual if key in unusual else series.is_unusual
    runs = []
    for key in sorted(unusual):
        days = np.flatnonzero(unusual[key])
        parts = np.split(days, np.flatnonzero(np.diff(days) > GAP_DAYS + 1) + 1)
        runs += [Run(key, tuple(part.tolist())) for part in parts if len(part)]
    return runs


def _sharing(runs: list[Run]) -> list[tuple[int, int]]:
    """Pairs of runs that have a day in common."""
    by_day: dict[int, list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        for day in run.days:
            by_day[day].append(place)
    return sorted({pair for places in by_day.values() for pair in combinations(places, 2)})


def _belong(panel: JudgedPanel, one: Run, other: Run) -> bool:
    days = np.array(sorted(set(one.days) & set(other.days)))
    if TOTAL in (one.key.dimension, other.key.dimension):
        part = other if one.key.dimension == TOTAL else one
        return 2 * len(days) >= len(part.days) or any(_alike(*pair) for pair in _ratios(panel, one, other, days))
    if one.key.dimension != other.key.dimension:
        return any((a - 1) * (b - 1) > 0 for a, b in _ratios(panel, one, other, days))
    return any(_alike(*pair) for pair in _ratios(panel, one, other, days)) or _makes_up(panel, one, other, days)


def _ratios(panel: JudgedPanel, one: Run, other: Run, days: npt.NDArray[np.int64]) -> Iterator[tuple[float, float]]:
    """Actual by expected of both, in each measure that is unusual in both."""
    for key, measure in panel.series:
        if key != one.key or (other.key, measure) not in panel.series:
            continue
        judged = [panel.series[run.key, measure] for run in (one, other)]
        if all(series.is_unusual[days].any() for series in judged):
            first, second = (
                float(np.nansum(series.values[days]) / np.nansum(series.expected[days])) for series in judged
            )
            yield first, second


def _alike(one: float, other: float) -> bool:
    low, high = sorted((max(one, _STOPPED), max(other, _STOPPED)))
    return (one - 1) * (other - 1) > 0 and high <= ALIKE * low


def _makes_up(panel: JudgedPanel, one: Run, other: Run, days: npt.NDArray[np.int64]) -> bool:
    differences = []
    for run in (one, other):
        money = panel.series[run.key, "net_amount"]
        differences.append(float(np.nansum(money.values[days] - money.expected[days])))
    largest = max(abs(difference) for difference in differences)
    return differences[0] * differences[1] < 0 and abs(sum(differences)) <= _MADE_UP * largest


def _span(panel: JudgedPanel, members: list[Run]) -> tuple[slice, list[Series]]:
    days = [day for run in members for day in run.days]
    span, keys = slice(min(days), max(days) + 1), {run.key for run in members}
    return span, [name for name, series in panel.series.items() if name[0] in keys and series.is_unusual[span].any()]
