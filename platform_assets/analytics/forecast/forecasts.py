"""The whole of a forecast: try, judge, and say what is to come, as tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import TypeAlias

import pyarrow as pa

from platform_assets.analytics.forecast.backtest import backtest
from platform_assets.analytics.forecast.coverage import bands, coverage_table
from platform_assets.analytics.forecast.intermittent import Kind, RecentMean, Tsb, kind_of
from platform_assets.analytics.forecast.library import default_models
from platform_assets.analytics.forecast.lines import Line, backtest_lines, forecast_lines, skill_lines
from platform_assets.analytics.forecast.models import Forecaster
from platform_assets.analytics.forecast.newcomers import flagged
from platform_assets.analytics.forecast.results import (
    BACKTEST_SCHEMA,
    COVERAGE_SCHEMA,
    FORECASTS_SCHEMA,
    SKILL_SCHEMA,
)
from platform_assets.analytics.forecast.series import Series
from platform_assets.analytics.forecast.skill import Tested, scores, verdict

Spread: TypeAlias = Callable[[Callable[[Series], Tested], Iterable[Series]], Iterable[Tested]]
"""Calls a function once per series and gives what it returned, in their order."""

_LEVEL_MODELS: tuple[Forecaster, ...] = (Tsb(), RecentMean())


@dataclass(frozen=True)
class RevenueForecast:
    """What is known about the future, and how far to trust it.

    Attributes:
        forecasts: Rows of ``FORECASTS_SCHEMA``.
        backtest: Rows of ``BACKTEST_SCHEMA``.
        skill: Rows of ``SKILL_SCHEMA``.
        coverage: Rows of ``COVERAGE_SCHEMA``.
    """

    forecasts: pa.Table
    backtest: pa.Table
    skill: pa.Table
    coverage: pa.Table


def forecast_revenue(
    series: Iterable[Series],
    as_of: date,
    models: Sequence[Forecaster] | None = None,
    horizon: int | None = None,
    *,
    spread: Spread = map,
    on_progress: Callable[[str], None] | None = None,
) -> RevenueForecast:
    """Forecast series of revenue.

    Args:
        series: What ``revenue_series`` gives, of one grain or several.
        as_of: The last day that is known.
        models: Members of the combination; ``None`` for ``default_models()``.
        horizon: Steps ahead; ``None`` for what is usual for the grain.
        spread: Does the work once per series, in their order: an engine's ``spread`` does several at once.
        on_progress: Is told of every series that is done.

    Returns:
        The tables, in the order of grain and key; the same for the same input.
    """
    members = default_models() if models is None else tuple(models)
    ordered = sorted(series, key=lambda one: (one.grain.name, one.key))
    pools: list[list[Tested]] = []
    for grain, group in groupby(ordered, key=lambda one: one.grain):
        its, pool = list(group), []
        work = partial(tested, models=members, horizon=horizon or grain.horizon)
        for place, one in enumerate(spread(work, its), 1):
            pool.append(one)
            if on_progress:
                on_progress(f"forecast by {grain.name}: {place} of {len(its)} series ({one.series.key})")
        pools.append(pool)
    return joined([judged(pool, as_of) for pool in pools])


def tested(series: Series, models: Sequence[Forecaster], horizon: int) -> Tested:
    """A series with its backtest, by models that fit its kind."""
    kind = kind_of(series.values, series.grain, horizon)
    if kind in {Kind.TOO_NEW, Kind.ENDED}:
        return Tested(series, kind, None, horizon)
    fitting = {Kind.SHORT: (RecentMean(),), Kind.INTERMITTENT: _LEVEL_MODELS}.get(kind, models)
    return Tested(series, kind, backtest(series.values, series.grain, horizon, fitting), horizon)


def judged(pool: Sequence[Tested], as_of: date) -> RevenueForecast:
    """What the backtests of one grain say, its intervals calibrated on all of them."""
    made = bands(pool)
    found = [scores(one) for one in pool]
    said = [flagged(verdict(one, its), one, pool) for one, its in zip(pool, found, strict=True)]
    ahead: list[Line] = []
    past: list[Line] = []
    skill: list[Line] = []
    for one, own, its, what in zip(pool, made, found, said, strict=True):
        ahead += forecast_lines(one, what, own, as_of)
        past += backtest_lines(one, own)
        skill += skill_lines(one, its, what)
    return RevenueForecast(
        pa.Table.from_pylist(ahead, schema=FORECASTS_SCHEMA),
        pa.Table.from_pylist(past, schema=BACKTEST_SCHEMA),
        pa.Table.from_pylist(skill, schema=SKILL_SCHEMA),
        coverage_table(pool[0].series.grain.name, pool, made),
    )


def joined(parts: Sequence[RevenueForecast]) -> RevenueForecast:
    """Forecasts of several grains as one."""
    return RevenueForecast(
        pa.concat_tables([FORECASTS_SCHEMA.empty_table(), *(part.forecasts for part in parts)]),
        pa.concat_tables([BACKTEST_SCHEMA.empty_table(), *(part.backtest for part in parts)]),
        pa.concat_tables([SKILL_SCHEMA.empty_table(), *(part.skill for part in parts)]),
        pa.concat_tables([COVERAGE_SCHEMA.empty_table(), *(part.coverage for part in parts)]),
    )
