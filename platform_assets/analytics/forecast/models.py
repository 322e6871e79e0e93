"""What a model of one series is, and the ensemble that needs numpy alone."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from platform_assets.analytics.forecast.autoregression import autoregression
from platform_assets.analytics.forecast.baselines import RobustYearOverYear
from platform_assets.analytics.forecast.grains import FloatArray, Grain
from platform_assets.analytics.forecast.scale import scale_of
from platform_assets.analytics.forecast.seasonality import seasonally_adjusted
from platform_assets.analytics.forecast.smoothing import damped_trend, theta

NEVER = sys.maxsize
"""What a model needs that is not for a grain: more steps than any series has."""
_LAGS = 8
_DAILY_LAGS = 14


class Forecaster(Protocol):
    """A model of a single series. Anything with these three that can be pickled can be a member of the combination."""

    @property
    def name(self) -> str:
        """What results call it."""

    def needs(self, grain: Grain) -> int:
        """The fewest steps that it can be fitted to."""

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        """Fit to amounts, the oldest first, and say the next ones; the same for the same input, always."""


@dataclass(frozen=True)
class SmoothModel:
    """A model of the level in the scale of the series, with the seasons taken out before and put back after.

    Attributes:
        name: What results call it.
        level: From the adjusted series, its grain and a horizon to forecasts.
        is_seasonal: Whether seasons are taken out at all.
    """

    name: str
    level: Callable[[FloatArray, Grain, int], FloatArray]
    is_seasonal: bool = True

    def needs(self, grain: Grain) -> int:
        """A few like steps."""
        return 3 * grain.inner

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        """The level ahead, with its seasons; never farther from the known range than that range is wide."""
        scale = scale_of(values)
        scaled, ahead = scale.forward(values), np.zeros(horizon)
        low, high = scaled.min(), scaled.max()
        if self.is_seasonal:
            scaled, ahead = seasonally_adjusted(scaled, grain, horizon)
        level = self.level(scaled[-grain.memory :], grain, horizon)
        return scale.backward(np.clip(level + ahead, 2 * low - high, 2 * high - low))


def numpy_models() -> tuple[Forecaster, ...]:
    """The members of the combination that need no library."""
    return (
        SmoothModel("seasonal_damped_trend", _damped_trend),
        SmoothModel("seasonal_theta", _theta),
        SmoothModel("seasonal_autoregression", _autoregression),
        SmoothModel("seasonal_random_walk", _random_walk),
        SmoothModel("damped_trend", _damped_trend, is_seasonal=False),
        RobustYearOverYear(),
    )


def _autoregression(values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
    return autoregression(values, horizon, _LAGS if grain.inner == 1 else _DAILY_LAGS)


def _damped_trend(values: FloatArray, _: Grain, horizon: int) -> FloatArray:
    return damped_trend(values, horizon)


def _theta(values: FloatArray, _: Grain, horizon: int) -> FloatArray:
    return theta(values, horizon)


def _random_walk(values: FloatArray, _: Grain, horizon: int) -> FloatArray:
    return np.full(horizon, values[-1])
