"""Models of statsforecast, an optional extra, behind the protocol of ``models``."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray, Grain
from platform_assets.analytics.forecast.models import NEVER, Forecaster, numpy_models
from platform_assets.analytics.forecast.scale import scale_of

EXTRA = "forecast"
"""The optional extra that brings statsforecast."""


@dataclass(frozen=True)
class LibraryModel:
    """A model of statsforecast, fitted in the scale of the series.

    Attributes:
        name: What results call it.
        make: From a grain to the model of statsforecast.
    """

    name: str
    make: Callable[[Grain], Any]

    def needs(self, grain: Grain) -> int:
        """Two years of weeks: before that it has no seasons to find, and numpy's members do as well.

        It stays away from days: half a second per fit, and no error saved on a seeded panel of retail days.
        """
        return NEVER if grain.inner > 1 else 2 * grain.annual

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        """The forecasts of the library, in amounts; never farther from the known range than that range is wide."""
        scale = scale_of(values)
        scaled = scale.forward(values)[-max(grain.memory, 2 * grain.annual) :]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its optimisers speak of single steps that it recovers from
            ahead = np.asarray(self.make(grain).forecast(y=scaled, h=horizon)["mean"], dtype=float)
        low, high = scaled.min(), scaled.max()
        return scale.backward(np.clip(ahead, 2 * low - high, 2 * high - low))


def has_library() -> bool:
    """Whether the optional extra is installed."""
    return find_spec("statsforecast") is not None


def default_models(*, with_library: bool | None = None) -> tuple[Forecaster, ...]:
    """The members of the combination.

    Args:
        with_library: Whether statsforecast takes part; ``None`` for whether it is installed.
    """
    use = has_library() if with_library is None else with_library
    return (*numpy_models(), *library_models()) if use else numpy_models()


def library_models() -> tuple[Forecaster, ...]:
    """MSTL with a smoothed trend, and the best of four Theta models."""
    return LibraryModel("mstl", _mstl), LibraryModel("auto_theta", _auto_theta)


def _mstl(grain: Grain) -> Any:
    from statsforecast.models import MSTL, AutoETS  # noqa: PLC0415 - optional, and slow to import

    return MSTL(season_length=grain.annual, trend_forecaster=AutoETS(model="ZZN"))


def _auto_theta(grain: Grain) -> Any:
    from statsforecast.models import AutoTheta  # noqa: PLC0415 - optional, and slow to import

    return AutoTheta(season_length=grain.season)
