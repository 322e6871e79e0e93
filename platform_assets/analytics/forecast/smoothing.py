"""Exponential smoothing in plain numpy: damped trend and Theta, each fitted over a whole grid of parameters at once."""

from itertools import product

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray

_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0)
_TRENDS = (0.0, 0.03, 0.1, 0.25, 0.5)
"""Weight of the newest error in the slope, as a share of its weight in the level."""
_DAMPINGS = (0.8, 0.9, 0.95, 0.98)
_WARM_UP = 10
"""One-step errors that do not count, while the first level is forgotten; fewer where the series is short."""


def damped_trend(values: FloatArray, horizon: int) -> FloatArray:
    """Exponential smoothing with a damped linear trend (Gardner and McKenzie, 1985).

    The parameters are those of a grid with the smallest squared one-step error; without a trend among them, it is
    simple exponential smoothing.

    Args:
        values: The series, in the scale where its errors are alike.
        horizon: How many steps ahead.

    Returns:
        The forecasts.
    """
    grid = [
        (level, share, phi)
        for level, share, phi in product(_LEVELS, _TRENDS, _DAMPINGS)
        if share or phi == _DAMPINGS[0]
    ]
    alpha, share, phi = np.array(grid).T
    beta = alpha * share
    level, slope, errors = np.full(len(grid), values[: _WARM_UP // 2].mean()), np.zeros(len(grid)), np.zeros(len(grid))
    warm = min(_WARM_UP, len(values) // 3)
    for step, value in enumerate(values):
        slope = phi * slope
        error = value - level - slope
        level = value - (1 - alpha) * error
        slope = slope + beta * error
        if step >= warm:
            errors += error * error
    best = int(np.argmin(errors))
    steps = np.cumsum(phi[best] ** np.arange(1, horizon + 1))
    return np.asarray(level[best] + slope[best] * steps)


def theta(values: FloatArray, horizon: int) -> FloatArray:
    """The Theta method in its state-space form: smoothing with half the slope of the whole series as drift.

    Hyndman and Billah (2003): equal to the method that won the M3 competition (Assimakopoulos and Nikolopoulos, 2000).
    """
    alpha = np.array(_LEVELS)
    size = len(values)
    slope = np.polyfit(np.arange(size), values, 1)[0] if size > 1 else 0.0
    level, errors = np.full(len(alpha), values[0]), np.zeros(len(alpha))
    for value in values:
        error = value - level
        level = value - (1 - alpha) * error
        errors += error * error
    best = int(np.argmin(errors))
    weight = (1 - (1 - alpha[best]) ** size) / alpha[best]
    return np.asarray(level[best] + slope / 2 * (np.arange(horizon) + weight))
