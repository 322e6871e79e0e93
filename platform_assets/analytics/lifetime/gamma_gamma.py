"""Gamma-Gamma: how much a customer spends per order, when orders vary around a mean of the customer's own.

Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). Spend of an order is gamma distributed (p), its rate
is gamma distributed over customers (q, v). Customers without a repeat order with money in it are expected to spend
what the population does.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import digamma, gammaln

from platform_assets.analytics.lifetime.climbing import climbed
from platform_assets.analytics.lifetime.histories import Array

LEAST = 30
"""With fewer repeat customers the spend of customers is not modelled."""
DEPENDENT = 0.3
"""Correlation of orders and mean spend from which on the model's independence does not hold."""
_LOG_BOUND = 12.0
_VANISHES = 1e-5
_ROUGHLY, _NEARLY, _EXACTLY = 1e-2, _VANISHES / 2, _VANISHES / 30
_THIN = 10_000
"""Customers on whom the starts are compared; the best of them is finished on all."""
_STARTS = ((2.0, 3.0, 1.0), (6.0, 4.0, 0.5), (1.0, 1.5, 2.0))
"""Of p, q and v, for a mean spend of 1."""


@dataclass(frozen=True)
class SpendFit:
    """A Gamma-Gamma model with the parameters that fit best.

    Attributes:
        theta: p, q and v (in money).
        log_likelihood: Of all repeat customers.
        customers: How many there were.
        correlation: Of the number of repeat orders and mean spend; the model supposes none.
        is_converged: Whether the gradient vanishes there.
        covariance: Of the logarithms of the parameters, from the outer product of the scores.
    """

    parameters: ClassVar[tuple[str, ...]] = ("p", "q", "v")
    theta: Array
    log_likelihood: float
    customers: int
    correlation: float
    is_converged: bool
    covariance: Array

    @property
    def named(self) -> dict[str, float]:
        """The parameters by their letters."""
        return dict(zip(self.parameters, map(float, self.theta), strict=True))

    @property
    def standard_errors(self) -> Array:
        """Of the parameters, by the delta method."""
        errors: Array = self.theta * np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def problem(self) -> str | None:
        """Why the model cannot say what customers spend; ``None`` when it can."""
        if self.theta[1] <= 1:
            return "the spend of customers varies so much that its mean is not finite (q <= 1)"
        return None

    @property
    def population_mean(self) -> float:
        """Expected spend per order of a customer of whom nothing is known; infinite for q <= 1."""
        p, q, v = self.theta
        return float(p * v / (q - 1)) if q > 1 else float("inf")

    def expected(self, orders: Array, mean: Array, theta: Array | None = None) -> Array:
        """Expected spend per order of each customer, between their own mean and that of the population.

        Args:
            orders: Repeat orders with money in them.
            mean: Money per one of those; ignored where there is none.
            theta: Other parameters than those that fit best.

        Returns:
            Spend; infinite where the parameters give no finite mean (q <= 1 for customers without such orders).
        """
        p, q, v = self.theta if theta is None else theta
        total = np.where(orders > 0, orders * mean, 0.0)
        weight = p * orders + q - 1
        spend: Array = np.where(weight > 0, p * (v + total) / np.where(weight > 0, weight, 1.0), np.inf)
        return spend

    def simulated(self, orders: Array, rng: np.random.Generator) -> Array:
        """Mean spend of customers with so many repeat orders, each at least 1."""
        p, q, v = self.theta
        rate = rng.gamma(q, 1 / v, len(orders))
        mean: Array = rng.gamma(p * orders) / (rate * orders)
        return mean


def fit_spend(orders: Array, mean: Array, near: SpendFit | None = None) -> SpendFit | None:
    """Fit by maximum likelihood with the analytic gradient.

    Args:
        orders: Repeat orders with money in them, per customer.
        mean: Money per one of those.
        near: A fit to similar customers, to start from.

    Returns:
        The fit over customers with at least one such order, or ``None`` where they are fewer than ``LEAST``.
    """
    is_repeat = (orders > 0) & (mean > 0)
    x, z = orders[is_repeat], mean[is_repeat]
    if len(x) < LEAST:
        return None
    order = np.lexsort((z, x))  # sums of floats depend on their order, the order of rows on the engine
    x, z = x[order], z[order]
    scale = float(np.mean(z))
    if near is None:
        found = _best(x, z / scale)
    else:
        start = np.log(near.theta / (1.0, 1.0, scale))
        found = _climb(x, z / scale, start, _NEARLY, near.covariance * near.customers)
    theta = np.exp(found) * np.array([1.0, 1.0, scale])
    likelihood, gradient = _scores(theta, x, z)
    slope = np.abs(gradient.mean(axis=0)).max()
    constant = np.ptp(x) == 0 or np.ptp(z) == 0
    return SpendFit(
        theta,
        float(likelihood.sum()),
        len(x),
        0.0 if constant else float(np.corrcoef(x, z)[0, 1]),
        bool(slope < _VANISHES and np.abs(found).max() < _LOG_BOUND),
        np.asarray(np.linalg.pinv(gradient.T @ gradient, hermitian=True), dtype=np.float64),
    )


def _best(x: Array, z: Array) -> Array:
    """Roughly from every start, on some of the customers; then from the best of them exactly, then on all."""
    step = max(len(x) // _THIN, 1)
    tried = [_climb(x[::step], z[::step], np.log(start), _ROUGHLY) for start in _STARTS]
    best = min(tried, key=lambda found: -float(likelihoods(np.exp(found), x[::step], z[::step]).sum()))
    for every in sorted({step, 1}, reverse=True):
        best = _climb(x[::every], z[::every], best, _EXACTLY)
    return best


def _climb(x: Array, z: Array, start: Array, steepest: float, inverse: Array | None = None) -> Array:
    def loss(log_theta: Array) -> tuple[float, Array]:
        likelihood, gradient = _scores(np.exp(np.clip(log_theta, -_LOG_BOUND, _LOG_BOUND)), x, z)
        return -float(likelihood.mean()), -gradient.mean(axis=0)

    found: Array = np.clip(climbed(loss, start, steepest, inverse).x, -_LOG_BOUND, _LOG_BOUND)
    return found


def likelihoods(theta: Array, orders: Array, mean: Array) -> Array:
    """The log-likelihood of each customer for the parameters p, q and v; the arguments are those of ``fit_spend``."""
    return _scores(theta, orders, mean)[0]


def _scores(theta: Array, x: Array, z: Array) -> tuple[Array, Array]:
    """The log-likelihood of each customer, and its gradient by the logarithm of the parameters."""
    p, q, v = theta
    levels, level = np.unique(x, return_inverse=True)
    counted = (gammaln(p * levels + q) - gammaln(p * levels) - gammaln(q))[level]
    by_sum, by_own = digamma(p * levels + q)[level], digamma(p * levels)[level]
    log_rest, log_total = np.log(v + x * z), np.log(x * z)
    likelihood = counted + q * np.log(v) + p * x * log_total - np.log(z) - (p * x + q) * log_rest
    by_p = x * (by_sum - by_own + log_total - log_rest)
    by_q = by_sum - digamma(q) + np.log(v) - log_rest
    by_v = q / v - (p * x + q) / (v + x * z)
    return likelihood, np.column_stack([by_p * p, by_q * q, by_v * v])
