"""How far parameters could be from the truth: fits to customers drawn from the fitted model itself."""

import numpy as np

from platform_assets.analytics.lifetime.fitting import fit
from platform_assets.analytics.lifetime.gamma_gamma import SpendFit, fit_spend
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import Fit

MOST = 3000
"""Customers drawn at most. Of more, so many are drawn and the deviations shrunk by the root of the ratio."""


def parameter_draws(found: Fit, ages: Array, draws: int, rng: np.random.Generator) -> Array:
    """Parameters of fits to drawn customers: a parametric bootstrap (m out of n for many customers).

    Args:
        found: The fit.
        ages: T of the customers it is of.
        draws: How many times.
        rng: Source of chance.

    Returns:
        Shape (draws, parameters), around the fit. Customers drawn without a repeat order, which nothing can be fitted
        to, stand for the fit itself.
    """
    sampled = _evenly(np.sort(ages))
    shrink = np.sqrt(len(sampled) / len(ages))
    center = np.log(found.theta)
    drawn = []
    for _ in range(draws):
        frequency, recency = found.model.simulated(found.theta, sampled, rng)
        theta = found.theta
        if frequency.any():
            theta = fit(found.model, Histories.of(frequency, np.minimum(recency, sampled), sampled), found).theta
        drawn.append(np.exp(center + shrink * (np.log(theta) - center)))
    return np.array(drawn)


def spend_draws(found: SpendFit, orders: Array, draws: int, rng: np.random.Generator) -> Array:
    """The same for the spend model.

    Args:
        found: The fit.
        orders: Repeat orders with money of each customer; those without any are left out.
        draws: How many times.
        rng: Source of chance.

    Returns:
        Shape (draws, 3).
    """
    repeat = orders[orders > 0]
    sampled = _evenly(np.sort(repeat))
    shrink = np.sqrt(len(sampled) / len(repeat))
    center = np.log(found.theta)
    drawn = []
    for _ in range(draws):
        again = fit_spend(sampled, found.simulated(sampled, rng), found)
        theta = found.theta if again is None else again.theta
        drawn.append(np.exp(center + shrink * (np.log(theta) - center)))
    return np.array(drawn)


def _evenly(values: Array) -> Array:
    """At most so many, evenly over all."""
    if len(values) <= MOST:
        return values
    return values[np.linspace(0, len(values) - 1, MOST).astype(np.int64)]
