"""Pareto/NBD: customers who buy at random times and leave at a random moment.

Schmittlein, Morrison and Colombo, "Counting Your Customers: Who Are They and What Will They Do Next?" (1987). Rates of
buying are gamma distributed (r, alpha), rates of leaving too (s, beta).

The literature writes the likelihood with two hypergeometric functions, whose derivatives by their parameters have no
closed form. Here the moment of leaving is integrated out by Gauss-Legendre quadrature in logarithmic time, where the
integrand is smooth; the same nodes are the distribution of that moment, and the gradient is an expectation over it
(Fisher's identity). Twenty-four nodes give twelve digits.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import digamma, gammaln

from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import TransactionModel

_NODES, _WEIGHTS = (values / 2 for values in np.polynomial.legendre.leggauss(24))
_NODES = _NODES + 0.5
_DECAY = 40.0
"""Beyond exp(-40) of its height the integrand adds nothing."""
_BLOCK = 4096
"""Rows at a time: the nodes of so many stay in the processor's cache."""


class ParetoNbd(TransactionModel):
    """Pareto/NBD."""

    name: ClassVar[str] = "pareto_nbd"
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    times: ClassVar[tuple[int, ...]] = (1, 3)

    def starts(self) -> tuple[Array, ...]:
        """Of the middle, of few who buy often, and of many who stay long."""
        return tuple(np.array(start) for start in ((1.0, 5.0, 1.0, 5.0), (0.5, 2.0, 0.5, 2.0), (2.0, 2.0, 0.3, 10.0)))

    def scores(self, theta: Array, rows: Histories) -> tuple[Array, Array]:
        """With the moment of leaving integrated out."""
        r, alpha, s, beta = theta
        moment = _leaving(r + rows.frequency, s, alpha + rows.recency, beta + rows.recency, rows.age - rows.recency)
        of_count = rows.of_frequency(lambda n: gammaln(r + n) - gammaln(r))
        likelihood = of_count + r * np.log(alpha) + s * np.log(beta) + moment.log_total
        by_r = rows.of_frequency(lambda n: digamma(r + n)) - digamma(r) + np.log(alpha) - moment.log_alpha
        by_alpha = r / alpha - (r + rows.frequency) * moment.per_alpha
        by_s = np.log(beta) + (1 - moment.stays) / s - moment.log_beta
        by_beta = s / beta - s * moment.per_beta - moment.gone_per_beta
        return likelihood, np.column_stack([by_r * r, by_alpha * alpha, by_s * s, by_beta * beta])

    def alive(self, theta: Array, rows: Histories) -> Array:
        """The share of the end itself in the integral over all moments."""
        r, alpha, s, beta = theta
        times = (alpha + rows.recency, beta + rows.recency, rows.age - rows.recency)
        return _leaving(r + rows.frequency, s, *times).stays

    def expected(self, theta: Array, rows: Histories, weeks: float) -> Array:
        """In closed form."""
        r, alpha, s, beta = theta
        log_ratio = np.log1p(weeks / (beta + rows.age))
        spread = -np.expm1(-(s - 1) * log_ratio) / (s - 1) if s != 1 else log_ratio
        orders: Array = (r + rows.frequency) / (alpha + rows.age) * (beta + rows.age) * spread * self.alive(theta, rows)
        return orders

    def active(self, theta: Array, rows: Histories, weeks: float) -> Array:
        """One minus the integral over all moments of leaving without an order before."""
        r, alpha, s, beta = theta
        after, before = alpha + rows.age, beta + rows.age
        silent = _leaving(r + rows.frequency, s, after, before, np.full(len(after), weeks)).log_total
        silent = silent + (r + rows.frequency) * np.log(after) + s * np.log(before)
        active: Array = -np.expm1(np.minimum(silent, 0.0)) * self.alive(theta, rows)
        return active

    def pace(self, theta: Array, rows: Histories, weeks: float) -> Array:
        """In closed form."""
        r, alpha, s, beta = theta
        staying = np.exp(-s * np.log1p(weeks / (beta + rows.age)))
        pace: Array = (r + rows.frequency) / (alpha + rows.age) * staying * self.alive(theta, rows)
        return pace

    def simulated(self, theta: Array, age: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """A rate, a moment of leaving, and orders at random times until then."""
        r, alpha, s, beta = theta
        rate = rng.gamma(r, 1 / alpha, len(age))
        leaving = np.maximum(rng.gamma(s, 1 / beta, len(age)), 1e-300)
        stay = np.minimum(rng.standard_exponential(len(age)) / leaving, age)
        orders = rng.poisson(rate * stay)
        last = rng.beta(np.maximum(orders, 1), 1) * stay
        return orders.astype(np.float64), np.where(orders > 0, last, 0.0)

    def futures(self, theta: Array, rows: Histories, weeks: float, draws: int, rng: np.random.Generator) -> Array:
        """The same, with rates as they are distributed given the history."""
        r, alpha, s, beta = theta
        shape = draws, len(rows.age)
        is_alive = rng.random(shape) < self.alive(theta, rows)
        rate = rng.gamma(r + rows.frequency, 1 / (alpha + rows.age), shape)
        leaving = np.maximum(rng.gamma(s, 1 / (beta + rows.age), shape), 1e-300)
        stay = np.minimum(rng.standard_exponential(shape) / leaving, weeks)
        return np.where(is_alive, rng.poisson(rate * stay), 0).astype(np.float64)


@dataclass(frozen=True)
class _Leaving:
    """The moment of leaving, integrated out, per history.

    Attributes:
        log_total: Logarithm of the integral over all moments, staying to the end among them.
        stays: Probability of having stayed to the end.
        log_alpha: Expectation of log(alpha + moment); ``log_beta`` likewise.
        per_alpha: Expectation of 1 / (alpha + moment); ``per_beta`` likewise, ``gone_per_beta`` over those who left.
    """

    log_total: Array
    stays: Array
    log_alpha: Array
    log_beta: Array
    per_alpha: Array
    per_beta: Array
    gone_per_beta: Array


def _leaving(m: Array, s: float, alpha: Array, beta: Array, width: Array) -> _Leaving:
    """Integrate (alpha + u) ** -m times s (beta + u) ** -(s + 1) over u from 0 to width, and add the end itself."""
    columns = np.empty((7, len(m)))
    for start in range(0, len(m), _BLOCK):
        part = slice(start, start + _BLOCK)
        columns[:, part] = _block(m[part], s, alpha[part], beta[part], width[part])
    return _Leaving(*columns)


def _block(m: Array, s: float, alpha: Array, beta: Array, width: Array) -> tuple[Array, ...]:
    least = np.minimum(alpha, beta)
    reach = np.log1p(np.minimum(width, alpha * np.expm1(np.minimum(_DECAY / m, 50.0))) / least)
    steps = reach[:, None] * _NODES
    grown = np.exp(steps)
    moment = (grown - 1) * least[:, None]
    is_alpha = (alpha <= beta)[:, None]
    other = np.log1p(moment / np.maximum(alpha, beta)[:, None])
    log_a, log_b = np.where(is_alpha, steps, other), np.where(is_alpha, other, steps)
    gone = np.exp(steps - m[:, None] * log_a - (s + 1) * log_b) * _WEIGHTS * (reach * least * s / beta)[:, None]
    end_a, end_b = np.log1p(width / alpha), np.log1p(width / beta)
    end = np.exp(-m * end_a - s * end_b)
    total = end + gone.sum(axis=1)
    stays = end / total
    share = gone / total[:, None]
    gone_per_beta = (share / (beta[:, None] + moment)).sum(axis=1)
    return (
        np.log(total) - m * np.log(alpha) - s * np.log(beta),
        stays,
        np.log(alpha) + (share * log_a).sum(axis=1) + stays * end_a,
        np.log(beta) + (share * log_b).sum(axis=1) + stays * end_b,
        (share / (alpha[:, None] + moment)).sum(axis=1) + stays / (alpha + width),
        gone_per_beta + stays / (beta + width),
        gone_per_beta,
    )
