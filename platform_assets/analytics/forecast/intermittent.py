"""Series without enough to model: which kind they are of, and forecasts of their mean level."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray, Grain

ORIGINS_NEEDED = 4
"""Origins that a backtest takes; a series too short for them is new or short."""
_SPARSE_RATE = 0.24
"""Share of steps without revenue above which a series is intermittent (Syntetos and Boylan, 2005: every 1.32 steps)."""
_OPEN_RATE = 0.25
"""Share of a weekday's dates with revenue from which on it is a day to do business on."""
_FEWEST_WEEKS = 4
_RATES = (0.02, 0.05, 0.1, 0.2, 0.3)


class Kind(Enum):
    """What can be done with a series.

    Attributes:
        REGULAR: It is modelled.
        SHORT: Too short for a full test: its recent mean is all there is to say, and judged by the origins there are.
        INTERMITTENT: Most forecasts of it are of a rate: how often times how much.
        ENDED: Nothing in the newest steps, as many as are forecast, though there was before.
        TOO_NEW: Less than four weeks.
    """

    REGULAR = "regular"
    SHORT = "short"
    INTERMITTENT = "intermittent"
    ENDED = "ended"
    TOO_NEW = "too new"


def kind_of(values: FloatArray, grain: Grain, horizon: int) -> Kind:
    """Which kind a series is of."""
    if len(values) < _FEWEST_WEEKS * grain.inner:
        return Kind.TOO_NEW
    if len(values) > horizon and not values[-horizon:].any():
        return Kind.ENDED
    if len(values) < (ORIGINS_NEEDED + 2) * horizon:
        return Kind.SHORT
    return Kind.INTERMITTENT if _sparse_rate(values, grain.inner) > _SPARSE_RATE else Kind.REGULAR


def _sparse_rate(values: FloatArray, inner: int) -> float:
    """Share of steps without revenue, of those on weekdays to do business on; 1 where there is no such weekday."""
    has_revenue = values != 0
    is_open = np.array([has_revenue[place::inner].mean() >= _OPEN_RATE for place in range(inner)])
    counted = has_revenue[is_open[np.arange(len(values)) % inner]]
    return float(1 - counted.mean()) if counted.size else 1.0


@dataclass(frozen=True)
class RecentMean:
    """The mean of the newest 13 weeks, the same for every step."""

    name: str = "recent_mean"
    weeks: int = 13

    def needs(self, grain: Grain) -> int:
        """Four weeks."""
        return _FEWEST_WEEKS * grain.inner

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        """The level of late."""
        return np.full(horizon, values[-self.weeks * grain.inner :].mean())


@dataclass(frozen=True)
class Tsb:
    """How often times how much, each smoothed (Teunter, Syntetos and Babai, 2011).

    Croston's method updates only when something is sold and so never notices an end; here the rate falls with every
    empty step. The two smoothing rates are those of a grid with the smallest squared one-step error.
    """

    name: str = "tsb"

    def needs(self, grain: Grain) -> int:
        """Four weeks."""
        return _FEWEST_WEEKS * grain.inner

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        """The rate of late, the same for every step."""
        values = values[-grain.memory :]
        often, much = (axis.ravel() for axis in np.meshgrid(_RATES, _RATES, indexing="ij"))
        sold = values[values != 0]
        chance = np.full(len(often), len(sold) / len(values))
        size = np.full(len(often), sold.mean() if len(sold) else 0.0)
        errors = np.zeros(len(often))
        for value in values:
            errors += (value - chance * size) ** 2
            chance = chance + often * (float(value != 0) - chance)
            if value != 0:
                size = size + much * (value - size)
        best = int(np.argmin(errors))
        return np.full(horizon, chance[best] * size[best])
