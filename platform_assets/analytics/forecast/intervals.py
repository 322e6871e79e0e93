"""Intervals from the errors of a backtest, pooled over series: split-conformal, without a shape of errors assumed.

Vovk, Gammerman and Shafer (2005); Lei and others (2018). An error is divided by what is typical of its series and of
the step ahead, so that errors of all series speak of one thing, a score; the interval leaves out as many scores below
as above, so that it is lopsided where errors are. What is typical of a series is taken from its other origins, for
scores as for the forecast of today: an error that was its own yardstick would look too tame. It leans on what is
typical of the other series, the more the fewer origins there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray

LEVELS = (0.8, 0.95)
"""Shares of steps that intervals are to hold."""
_FEWEST_ORIGINS = 2
"""Origins of a series that its scores take: one for the error, another one for the yardstick."""
_SMALLEST_ERROR = 0.003
"""The smallest typical error that is believed: 0.3 % of the amount."""
_ORIGINS_OF_THE_OTHERS = 1.0
"""How many origins of the series itself the other series count for."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Calibration:
    """How far off forecasts are, below and above.

    Attributes:
        scores: Errors (what came minus the forecast) in shares of what is typical, in rising order.
        growth: Errors grow with this power of the steps ahead, 0 to 1.
        typical: What is typical of each series of the pool one step ahead, ``None`` where it has no errors yet.
    """

    scores: FloatArray
    growth: float
    typical: tuple[float | None, ...]

    def reach(self, level: float) -> tuple[float, float] | None:
        """The scores between which such a share lies, with the correction for a finite number of them.

        Returns:
            One that is not above 0 and one that is not below; ``None`` with fewer scores than leave one out on each
            side (9 for 80 %, 39 for 95 %): interval unavailable.
        """
        count, tail = len(self.scores), (1 - level) / 2
        low, high = floor((count + 1) * tail + _ROUNDING), ceil((count + 1) * (1 - tail) - _ROUNDING)
        if low < 1 or high > count:
            return None
        return min(0.0, float(self.scores[low - 1])), max(0.0, float(self.scores[high - 1]))

    def ends(self, place: int, horizon: int, level: float) -> tuple[FloatArray, FloatArray] | None:
        """How far the interval of a series of the pool reaches below (negative) and above, by steps ahead.

        Returns:
            ``None`` where there are too few scores, or the series itself has no errors to go by.
        """
        reach, typical = self.reach(level), self.typical[place]
        if reach is None or typical is None:
            return None
        width = typical * np.arange(1.0, horizon + 1) ** self.growth
        return reach[0] * width, reach[1] * width


def calibrate(pool: Sequence[FloatArray]) -> Calibration:
    """Learn from the errors of a pool of series.

    Args:
        pool: Per series one row per origin and one column per step ahead: what came minus what was forecast, in the
            error scale of the series. A series with one origin adds no scores, and without any it has no interval.

    Returns:
        What is typical of each series, and the scores of all.
    """
    steps = np.arange(1.0, max((rows.shape[1] for rows in pool), default=0) + 1)
    growth = _growth([rows for rows in pool if len(rows) >= _FEWEST_ORIGINS], steps)
    level = [np.abs(rows) / steps**growth for rows in pool]
    own = np.array([_middle(sizes) if sizes.size else np.nan for sizes in level])
    others = [_of_others(own, place) for place in range(len(pool))]
    typical = [_yardstick(sizes, other) if sizes.size else None for sizes, other in zip(level, others, strict=True)]
    scores = [
        row / steps**growth / _yardstick(np.delete(sizes, origin, axis=0), other)
        for rows, sizes, other in zip(pool, level, others, strict=True)
        if len(rows) >= _FEWEST_ORIGINS
        for origin, row in enumerate(rows)
    ]
    return Calibration(np.sort(np.concatenate([np.zeros(0), *scores])), growth, tuple(typical))


def _yardstick(sizes: FloatArray, others: float | None) -> float:
    """Typical of a series: of its own origins, and a little of the other series."""
    own = _middle(sizes)
    if others is None:
        return own
    weight = _ORIGINS_OF_THE_OTHERS / (len(sizes) + _ORIGINS_OF_THE_OTHERS)
    return float(own ** (1 - weight) * others**weight)


def _of_others(own: FloatArray, place: int) -> float | None:
    known = np.delete(own, place)
    known = known[~np.isnan(known)]
    return float(np.median(known)) if known.size else None


def _middle(sizes: FloatArray) -> float:
    return max(_SMALLEST_ERROR, float(np.median(sizes)))


def _growth(pool: Sequence[FloatArray], steps: FloatArray) -> float:
    """The slope of typical errors over steps ahead, both as logarithms."""
    if not pool or len(steps) < 2:  # noqa: PLR2004 - a slope takes two
        return 0.0
    relative = np.concatenate([np.abs(rows) / _middle(np.abs(rows)) for rows in pool])
    typical = np.maximum(np.median(relative, axis=0), _ROUNDING)
    return float(np.clip(np.polyfit(np.log(steps), np.log(typical), 1)[0], 0.0, 1.0))
