"""An autoregression on the steps of a series, held back by a penalty so that short series do not overfit it."""

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray

_PENALTY = 0.05
"""Per lag, in shares of the steps' own sum of squares: farther lags have to earn more."""
_SHORTEST = 30
"""Steps from which on anything is said about how they follow each other."""


def autoregression(values: FloatArray, horizon: int, lags: int) -> FloatArray:
    """Ridge regression of each change on the changes before it, with half the mean change as drift.

    Args:
        values: The series, in the scale where its changes are alike.
        horizon: How many steps ahead.
        lags: Changes that are looked back at; fewer in a short series.

    Returns:
        The forecasts; the last value again where the series is too short.
    """
    changes = np.diff(values)
    if len(changes) < _SHORTEST:
        return np.full(horizon, values[-1])
    drift = changes.mean() / 2
    around = changes - drift
    lags = min(lags, len(changes) // 5)
    past = np.stack([around[lags - 1 - lag : len(around) - 1 - lag] for lag in range(lags)], axis=1)
    penalty = np.diag(np.arange(1, lags + 1) * _PENALTY * float((around**2).sum()) + np.finfo(float).tiny)
    weights = np.linalg.lstsq(past.T @ past + penalty, past.T @ around[lags:], rcond=None)[0]
    window = around[::-1][:lags].copy()
    ahead = np.empty(horizon)
    for step in range(horizon):
        ahead[step] = window @ weights
        window = np.concatenate([[ahead[step]], window[:-1]])
    return np.asarray(values[-1] + np.cumsum(ahead + drift))
