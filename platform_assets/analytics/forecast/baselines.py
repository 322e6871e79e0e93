"""The forecasts that every other one has to beat: the same season again, and last year's with this year's growth."""

from dataclasses import dataclass

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray, Grain
from platform_assets.analytics.forecast.scale import scale_of

_GROWTH_WEEKS = 8
"""Newest weeks whose growth over the year before counts."""


@dataclass(frozen=True)
class SeasonalNaive:
    """What was a season ago; with less than a season known, the last value."""

    name: str = "seasonal_naive"

    def needs(self, grain: Grain) -> int:  # noqa: ARG002 - part of the protocol
        """One step is enough."""
        return 1

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        """The newest season over and over."""
        season = grain.season if len(values) >= grain.season else 1
        return np.tile(values[-season:], -(-horizon // season))[:horizon]


@dataclass(frozen=True)
class RobustYearOverYear:
    """What was a year ago, smoothed 1-2-1 over like steps, times the median growth of the last eight weeks.

    The year is 52 whole weeks, so that weekdays meet weekdays. The median is what makes it robust: a promotion in
    one of the weeks does not move it.
    """

    name: str = "robust_year_over_year"

    def needs(self, grain: Grain) -> int:
        """A year, and the weeks whose growth is taken."""
        return grain.annual + _GROWTH_WEEKS * grain.inner

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        """Last year with this year's growth."""
        scale = scale_of(values)
        scaled = scale.forward(values)
        growth = float(np.median((scaled[grain.annual :] - scaled[: -grain.annual])[-_GROWTH_WEEKS * grain.inner :]))
        # A step whose like of the week before or after is not known counts in its place.
        known, inner = len(scaled), grain.inner
        padded = np.concatenate([scaled[:inner], scaled, scaled[-inner:]])
        smooth = (padded[:known] + 2 * scaled + padded[2 * inner :]) / 4
        year = np.tile(smooth[known - grain.annual :], -(-horizon // grain.annual))[:horizon]
        years = 1 + np.arange(horizon) // grain.annual
        return scale.backward(year + growth * years)
