"""Forecasts, backtests and skill as rows of the result tables."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from platform_assets.analytics.forecast.backtest import BASELINE
from platform_assets.analytics.forecast.combination import COMBINATION
from platform_assets.analytics.forecast.coverage import Band, Bands
from platform_assets.analytics.forecast.intervals import LEVELS
from platform_assets.analytics.forecast.results import money
from platform_assets.analytics.forecast.series import Series
from platform_assets.analytics.forecast.skill import Score, Tested, Verdict

Line = dict[str, Any]
"""A row of a result table, by column."""


def forecast_lines(tested: Tested, verdict: Verdict, bands: Bands, as_of: date) -> Iterator[Line]:
    """Rows of ``FORECASTS_SCHEMA`` of one series; amounts are null where it is not forecastable."""
    series, size = tested.series, len(tested.series.values)
    now = tested.backtest.now.forecasts if tested.backtest else {}
    baseline = BASELINE.forecast(series.values, series.grain, tested.horizon)
    for step in range(tested.horizon):
        yield {
            **_key(series),
            "as_of_date": as_of,
            "period_start_date": series.date_of(size + step),
            "step": step + 1,
            "status": verdict.status,
            "model": verdict.model,
            "forecast_amount": money(now[verdict.model][step]) if verdict.model else None,
            **(_ends(bands.now, step, LEVELS) if verdict.model else {}),
            "baseline_amount": money(baseline[step]),
            "reason": verdict.reason,
        }


def backtest_lines(tested: Tested, bands: Bands) -> Iterator[Line]:
    """Rows of ``BACKTEST_SCHEMA`` of one series."""
    series = tested.series
    for origin, prediction in enumerate(tested.backtest.past if tested.backtest else ()):
        for model, ahead in prediction.forecasts.items():
            known = bands.past.get(origin, {}) if model == COMBINATION else {}
            for step, amount in enumerate(ahead):
                yield {
                    **_key(series),
                    "origin_date": series.date_of(prediction.cut),
                    "period_start_date": series.date_of(prediction.cut + step),
                    "step": step + 1,
                    "model": model,
                    "actual_amount": money(series.values[prediction.cut + step]),
                    "forecast_amount": money(amount),
                    **_ends(known, step, LEVELS[:1]),
                }


def skill_lines(tested: Tested, scores: Mapping[str, Score], verdict: Verdict) -> Iterator[Line]:
    """Rows of ``SKILL_SCHEMA`` of one series; one without figures where nothing could be tried."""
    shares = tested.backtest.now.shares if tested.backtest else {}
    # A member that was never tried, for want of history at all origins, has its share of the combination all the same.
    for name in dict.fromkeys([*scores, *shares]) or [verdict.model or BASELINE.name]:
        score = scores.get(name)
        yield {
            **_key(tested.series),
            "model": name,
            "is_used": name == verdict.model,
            "weight_rate": shares.get(name),
            **(_figures(score) if score else {"origins": 0, "points": 0}),
            "status": verdict.status,
            "reason": verdict.reason,
        }


def _figures(score: Score) -> Line:
    return {
        "origins": score.origins,
        "points": score.points,
        "wape_rate": score.wape,
        "bias_rate": score.bias,
        "mase": score.mase,
        "skill_rate": score.skill,
        "mean_skill_rate": score.mean_skill,
    }


def _ends(bands: Mapping[float, Band], step: int, levels: tuple[float, ...]) -> Line:
    return {
        f"{side}_{level:.0%}_amount".replace("%", ""): money(bands[level][place][step])
        for level in levels
        if level in bands
        for place, side in enumerate(("lower", "upper"))
    }


def _key(series: Series) -> Line:
    key = series.key
    return {"grain": series.grain.name, "currency": key.currency, "scope": key.scope, "member": key.member}
