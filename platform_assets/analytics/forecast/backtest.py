"""The rolling origin: what would have been forecast, and what came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platform_assets.analytics.forecast.baselines import SeasonalNaive
from platform_assets.analytics.forecast.combination import COMBINATION, combined, weights
from platform_assets.analytics.forecast.grains import FloatArray, Grain
from platform_assets.analytics.forecast.intermittent import ORIGINS_NEEDED, RecentMean
from platform_assets.analytics.forecast.models import Forecaster
from platform_assets.analytics.forecast.scale import scale_of

MOST_ORIGINS = 8
BASELINE = SeasonalNaive()
REFERENCES: tuple[Forecaster, ...] = (BASELINE, RecentMean())
"""Forecasts that take no part in the combination unless they are members: what it has to beat."""


@dataclass(frozen=True)
class Prediction:
    """What is forecast with the steps before ``cut``.

    Attributes:
        cut: How many steps were known.
        forecasts: Amounts ahead by model: the members, ``combination`` and the references.
        shares: The weights of the members.
    """

    cut: int
    forecasts: dict[str, FloatArray]
    shares: dict[str, float]


@dataclass(frozen=True)
class Backtest:
    """A series' forecasts at past origins, the oldest first, and the one of today.

    Attributes:
        past: At origins ``horizon`` steps apart, the last of which ends with the series.
        now: With all steps known.
    """

    past: tuple[Prediction, ...]
    now: Prediction


def origins(size: int, grain: Grain, horizon: int) -> list[int]:
    """Where forecasts are tried: steps known at each origin, the oldest first.

    Origins have a year to learn from, unless that leaves less than four of them, and two horizons in any case.
    """
    year = grain.annual + horizon
    fewest = max(2 * horizon, min(year, size - ORIGINS_NEEDED * horizon))
    count = min(MOST_ORIGINS, (size - fewest) // horizon)
    return [size - horizon * back for back in range(count, 0, -1)]


def backtest(values: FloatArray, grain: Grain, horizon: int, models: Sequence[Forecaster]) -> Backtest:
    """Try models at past origins and forecast with all that is known.

    The weights of the combination at an origin come from the errors of earlier ones that were over by then, so that
    what is measured there is what would have happened.

    Args:
        values: Amounts, the oldest first.
        grain: Their steps.
        horizon: Steps ahead, and from one origin to the next.
        models: The members.

    Returns:
        All forecasts.
    """
    past: list[Prediction] = []
    errors: list[dict[str, float]] = []
    for cut in origins(len(values), grain, horizon):
        prediction = _predict(values[:cut], grain, horizon, models, errors)
        errors.append(_errors(prediction, values[cut : cut + horizon]))
        past.append(prediction)
    return Backtest(tuple(past), _predict(values, grain, horizon, models, errors))


def _predict(
    known: FloatArray, grain: Grain, horizon: int, models: Sequence[Forecaster], errors: Sequence[dict[str, float]]
) -> Prediction:
    usable = [model for model in models if model.needs(grain) <= len(known)]
    made = {model.name: model.forecast(known, grain, horizon) for model in usable}
    made = {name: ahead for name, ahead in made.items() if np.isfinite(ahead).all()}
    references = {model.name: model.forecast(known, grain, horizon) for model in REFERENCES}
    made = made or {BASELINE.name: references[BASELINE.name]}
    shares = weights(list(made), errors)
    together = combined(made, shares, scale_of(known))
    return Prediction(len(known), {**made, COMBINATION: together, **references}, shares)


def _errors(prediction: Prediction, came: FloatArray) -> dict[str, float]:
    return {name: float(np.abs(came - prediction.forecasts[name]).mean()) for name in prediction.shares}
