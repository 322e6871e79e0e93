"""A retail panel with known parts: growth, time of the year, weekdays, promotions and noise that lasts."""

from datetime import date

import numpy as np

from platform_assets.analytics.forecast.grains import DAY, WEEK, FloatArray
from platform_assets.analytics.forecast.series import Series, SeriesKey

START = date(2020, 1, 6)


def weekly_panel(members: int = 20, weeks: int = 208, seed: int = 6) -> list[Series]:
    """Categories of one retailer by week."""
    rng = np.random.default_rng(seed)
    return [
        Series(
            SeriesKey("EUR", "category", f"category {member:02}"),
            WEEK,
            START,
            _amounts(rng, np.arange(float(weeks)), 52.0),
        )
        for member in range(members)
    ]


def daily_panel(members: int = 5, days: int = 1120, seed: int = 6) -> list[Series]:
    """Channels of one retailer by day; weekends sell more."""
    rng = np.random.default_rng(seed)
    week = np.array([0.9, 0.85, 0.9, 1.0, 1.15, 1.4, 0.8])
    steps = np.arange(float(days))
    return [
        Series(
            SeriesKey("EUR", "channel", f"channel {member}"),
            DAY,
            START,
            _amounts(rng, steps, 364.0) * week[np.arange(days) % 7],
        )
        for member in range(members)
    ]


def _amounts(rng: np.random.Generator, steps: FloatArray, year: float) -> FloatArray:
    """A level that grows by up to a fifth a year, a yearly wave with a peak before its end, noise of 8 %."""
    years = steps / year
    growth, wave, phase, peak = rng.uniform(-0.05, 0.2), rng.uniform(0.1, 0.3), rng.uniform(0, 1), rng.uniform(0.2, 0.5)
    season = wave * np.sin(2 * np.pi * (years + phase)) + peak * np.exp(-(((years % 1) - 0.93) ** 2) / 0.001)
    noise = np.zeros(len(steps))
    for step, shock in enumerate(rng.normal(0, 0.06, len(steps))):
        noise[step] = 0.5 * noise[step - 1] + shock if step else shock
    promotions = 0.3 * (rng.random(len(steps)) < 0.03)
    return np.asarray(10_000 * rng.uniform(0.3, 3) * np.exp(growth * years + season + noise + promotions))
