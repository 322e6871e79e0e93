"""Whether a series can be forecast at all: what its models saved against the seasonal naive forecast."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from platform_assets.analytics.forecast import measures
from platform_assets.analytics.forecast.backtest import BASELINE, Backtest
from platform_assets.analytics.forecast.combination import COMBINATION
from platform_assets.analytics.forecast.intermittent import ORIGINS_NEEDED, Kind, RecentMean
from platform_assets.analytics.forecast.series import Series

FORECASTABLE = "forecastable"
LEVEL_ONLY = "level_only"
NOT_FORECASTABLE = "not_forecastable"
LEAST_SKILL = 0.05
"""Share of the error that has to be avoided: of the seasonal naive forecast's, and of the recent mean's."""
_EXACT = 1e-9


@dataclass(frozen=True)
class Tested:
    """A series and its backtest.

    Attributes:
        series: The series.
        kind: What could be done with it.
        backtest: What was forecast; ``None`` for kinds without any forecast.
        horizon: How many steps ahead.
    """

    series: Series
    kind: Kind
    backtest: Backtest | None = field(compare=False)
    horizon: int


@dataclass(frozen=True)
class Score:
    """How good a model was over all origins that it was tried at; ``None`` where that cannot be said.

    Attributes:
        points: Steps that were forecast.
        origins: From how many origins.
        wape: Sum of absolute errors by sum of absolute amounts.
        bias: Sum of forecast minus actual by the same.
        mase: Mean over origins of the mean absolute error by that of the seasonal naive forecast in the known part.
        skill: Share of the seasonal naive forecast's error that is avoided.
        mean_skill: Share of the recent mean's.
        error: Mean absolute error.
        is_exact: Whether all errors are those of arithmetic.
    """

    points: int
    origins: int
    wape: float | None
    bias: float | None
    mase: float | None
    skill: float | None
    mean_skill: float | None
    error: float
    is_exact: bool


@dataclass(frozen=True)
class Verdict:
    """What is published for a series.

    Attributes:
        status: ``FORECASTABLE``, ``LEVEL_ONLY`` or ``NOT_FORECASTABLE``.
        reason: Why.
        model: What makes the forecast; ``None`` where there is none.
    """

    status: str
    reason: str
    model: str | None


def scores(tested: Tested) -> dict[str, Score]:
    """Of every model that was tried, by name."""
    past = tested.backtest.past if tested.backtest else ()
    names = dict.fromkeys(name for prediction in past for name in prediction.forecasts)
    return {name: _score(tested, name) for name in names}


def verdict(tested: Tested, found: Mapping[str, Score]) -> Verdict:
    """Judge a series.

    Args:
        tested: The series and its backtest.
        found: What ``scores`` gives.
    """
    size, step = len(tested.series.values), tested.series.grain.name
    if tested.kind is Kind.TOO_NEW:
        return Verdict(NOT_FORECASTABLE, f"new: {size} {step}s are known, less than four weeks", None)
    if tested.kind is Kind.ENDED:
        return Verdict(NOT_FORECASTABLE, f"ended: no revenue in the last {tested.horizon} {step}s", None)
    if tested.kind is Kind.SHORT:
        wanted = (ORIGINS_NEEDED + 2) * tested.horizon
        return _short(f"short: {size} {step}s are known and a full test takes {wanted}", found)
    return _judged(tested.kind, found)


def _short(known: str, found: Mapping[str, Score]) -> Verdict:
    """A short series is judged by the origins there are; without any, its mean level is published untested."""
    mean = found.get(RecentMean().name)
    if mean is None:
        return Verdict(LEVEL_ONLY, f"{known}; the recent mean, untested", RecentMean().name)
    if mean.is_exact or _saved(mean) >= LEAST_SKILL:
        return Verdict(LEVEL_ONLY, f"{known}; the recent mean, {_told(mean)}", RecentMean().name)
    return Verdict(NOT_FORECASTABLE, f"{known}; the recent mean has {_told(mean)}, below {LEAST_SKILL:.0%}", None)


def _judged(kind: Kind, found: Mapping[str, Score]) -> Verdict:
    score, naive, mean = found[COMBINATION], found[BASELINE.name], found[RecentMean().name]
    reason = _told(score)
    if score.is_exact:
        return Verdict(FORECASTABLE, reason, COMBINATION)
    if _saved(score) < LEAST_SKILL:
        off = f"that one was off by {_rate(naive.wape)} of revenue"
        return Verdict(NOT_FORECASTABLE, f"{reason}, below {LEAST_SKILL:.0%}; {off}", None)
    if kind is Kind.INTERMITTENT:
        return Verdict(LEVEL_ONLY, f"intermittent: a mean level; {reason}", COMBINATION)
    if score.error > (1 - LEAST_SKILL) * mean.error:
        return Verdict(LEVEL_ONLY, f"a mean level: the recent mean does as well; {reason}", COMBINATION)
    return Verdict(FORECASTABLE, reason, COMBINATION)


def _saved(score: Score) -> float:
    return score.skill if score.skill is not None else -np.inf


def _told(score: Score) -> str:
    over = f"over {score.points} steps from {score.origins} origin{'s' if score.origins > 1 else ''}"
    if score.is_exact:
        return f"no error {over}"
    if score.skill is None:
        return f"some error {over}, where the seasonal naive forecast had none"
    return f"{score.skill:.1%} less error than the seasonal naive forecast {over}"


def _rate(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.1%}"


def _score(tested: Tested, name: str) -> Score:
    values, season = tested.series.values, tested.series.grain.season
    past = tested.backtest.past if tested.backtest else ()
    tried = [prediction for prediction in past if name in prediction.forecasts]
    came = [values[prediction.cut : prediction.cut + tested.horizon] for prediction in tried]
    ahead = [prediction.forecasts[name] for prediction in tried]
    scaled = [
        measures.mase(values[: prediction.cut], actual, forecast, season)
        for prediction, actual, forecast in zip(tried, came, ahead, strict=True)
    ]
    known = [value for value in scaled if value is not None]
    actual, forecast = np.concatenate(came), np.concatenate(ahead)
    naive, mean = (
        np.concatenate([prediction.forecasts[name] for prediction in tried])
        for name in (BASELINE.name, RecentMean().name)
    )
    return Score(
        points=len(actual),
        origins=len(tried),
        wape=measures.wape(actual, forecast),
        bias=measures.bias(actual, forecast),
        mase=float(np.mean(known)) if known else None,
        skill=measures.skill(actual, forecast, naive),
        mean_skill=measures.skill(actual, forecast, mean),
        error=float(np.abs(actual - forecast).mean()),
        is_exact=bool(np.allclose(actual, forecast, rtol=_EXACT, atol=0.0)),
    )
