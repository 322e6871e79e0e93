"""BG/NBD and MBG/NBD: customers who buy at random times and may leave after an order.

Fader, Hardie and Lee, "Counting Your Customers the Easy Way" (2005): a customer may leave after each repeat order.
Batislam, Denizel and Filiztekin, "Empirical validation and comparison of models for customer base analysis" (2007):
also after the first one. Rates are gamma distributed (r, alpha), chances to leave beta (a, b).
"""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from scipy.special import betaincinv, betaln, digamma, expit, gammaln, hyp2f1

from platform_assets.analytics.lifetime.histories import Array, Histories, Places
from platform_assets.analytics.lifetime.model import TransactionModel

_POLE = 1e-6
"""So near to a = 1 the closed form is a difference of equals."""
_NODES, _WEIGHTS = (values / 2 for values in np.polynomial.legendre.leggauss(48))
_WEIGHTS, _NODES = 2 * _WEIGHTS * (_NODES + 0.5), (_NODES + 0.5) ** 2  # closer together where chances are small


class _BetaGeometric(TransactionModel):
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    times: ClassVar[tuple[int, ...]] = (1,)
    first_chances: ClassVar[int]
    """How many chances to leave the first order brings."""

    def starts(self) -> tuple[Array, ...]:
        return tuple(np.array(start) for start in ((1.0, 5.0, 1.0, 2.0), (0.25, 1.0, 0.8, 2.5), (2.0, 2.0, 0.5, 10.0)))

    def scores(self, theta: Array, rows: Histories) -> tuple[Array, Array]:
        r, alpha, a, b = theta
        x = rows.frequency
        to_end, to_last = alpha + rows.age, alpha + rows.recency
        log_end, log_last = np.log(to_end), np.log(to_last)
        gone = self._log_odds_gone(theta, rows, log_end - log_last)
        p_gone = expit(gone)
        p_alive = 1 - p_gone
        of_count = rows.of_frequency(lambda n: self._of_count(theta, n))
        likelihood = of_count + r * np.log(alpha) - (r + x) * log_end + np.logaddexp(0.0, gone)
        by_count = rows.of_frequency(lambda n: digamma(r + n) - digamma(r))
        by_r = by_count + np.log(alpha) - p_alive * log_end - p_gone * log_last
        by_alpha = r / alpha - (r + x) * (p_alive / to_end + p_gone / to_last)
        spread = rows.of_frequency(lambda n: digamma(a + b) - digamma(a + b + n + self.first_chances))
        by_a = spread + p_gone / a
        by_b = spread + rows.of_frequency(lambda n: digamma(b + n + self.first_chances) - digamma(b))
        by_b -= p_gone / self._before(b, rows)
        return likelihood, np.column_stack([by_r * r, by_alpha * alpha, by_a * a, by_b * b])

    def alive(self, theta: Array, rows: Histories) -> Array:
        alpha = theta[1]
        gone = self._log_odds_gone(theta, rows, np.log(alpha + rows.age) - np.log(alpha + rows.recency))
        p_alive: Array = expit(-gone)
        return p_alive

    def expected(self, theta: Array, rows: Histories, weeks: float) -> Array:
        r, alpha, a, b = theta
        a = a if abs(a - 1) > _POLE else 1 + _POLE
        c = a + b + rows.frequency + self.first_chances - 1
        x, age = r + rows.frequency, alpha + rows.age
        orders = c / (a - 1) * (1 - _hypergeometric(x, a - 1, c, weeks / age))

        def given(chance: Array, part: Places) -> Array:
            share = -np.expm1(-x[part, None] * np.log1p(chance * weeks / age[part, None]))
            given_chance: Array = share / chance
            return given_chance

        known: Array = self._where_known(orders, theta, rows, given) * self.alive(theta, rows)
        return known

    def active(self, theta: Array, rows: Histories, weeks: float) -> Array:
        r, alpha = theta[:2]
        silent = -(r + rows.frequency) * np.log1p(weeks / (alpha + rows.age))
        active: Array = -np.expm1(silent) * self.alive(theta, rows)
        return active

    def pace(self, theta: Array, rows: Histories, weeks: float) -> Array:
        r, alpha, a, b = theta
        x, age = r + rows.frequency, alpha + rows.age
        left = _hypergeometric(x + 1, a, a + b + rows.frequency + self.first_chances, weeks / age)

        def given(chance: Array, part: Places) -> Array:
            stays: Array = np.exp(-(x[part, None] + 1) * np.log1p(chance * weeks / age[part, None]))
            return stays

        pace: Array = x / age * self._where_known(left, theta, rows, given) * self.alive(theta, rows)
        return pace

    def simulated(self, theta: Array, age: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        r, alpha, a, b = theta
        rate = rng.gamma(r, 1 / alpha, len(age))
        chance = np.clip(rng.beta(a, b, len(age)), 1e-12, 1.0)
        until_gone = rng.geometric(chance) - self.first_chances
        wished = rng.poisson(rate * age)
        orders = np.minimum(wished, until_gone)
        # the last of the orders made is one of the order statistics of those wished, which are uniform in time
        last = rng.beta(np.maximum(orders, 1), wished - orders + 1) * age
        return orders.astype(np.float64), np.where(orders > 0, last, 0.0)

    def futures(self, theta: Array, rows: Histories, weeks: float, draws: int, rng: np.random.Generator) -> Array:
        r, alpha, a, b = theta
        shape = draws, len(rows.age)
        is_alive = rng.random(shape) < self.alive(theta, rows)
        rate = rng.gamma(r + rows.frequency, 1 / (alpha + rows.age), shape)
        chance = np.clip(rng.beta(a, b + rows.frequency + self.first_chances, shape), 1e-12, 1.0)
        orders = np.minimum(rng.poisson(rate * weeks), rng.geometric(chance))
        return np.where(is_alive, orders, 0).astype(np.float64)

    def _where_known(
        self, closed: Array, theta: Array, rows: Histories, given: Callable[[Array, Places], Array]
    ) -> Array:
        """The closed form; where it cannot be computed, the mean over the chance to leave given the history.

        Args:
            closed: Values of the closed form, NaN or infinite for some rows of many orders.
            theta: Parameters.
            rows: Histories.
            given: The same, for chances (rows by nodes) of some rows.
        """
        part = np.flatnonzero(~np.isfinite(closed))
        if not len(part):
            return closed
        a, b = theta[2:]
        stays = b + rows.frequency[part] + self.first_chances
        chances = np.maximum(betaincinv(a, stays[:, None], _NODES), 1e-12)
        closed[part] = given(chances, part) @ _WEIGHTS
        return closed

    def _of_count(self, theta: Array, n: Array) -> Array:
        r, _, a, b = theta
        of_count: Array = gammaln(r + n) - gammaln(r) + betaln(a, b + n + self.first_chances) - betaln(a, b)
        return of_count

    def _before(self, b: float, rows: Histories) -> Array:
        """The weight of staying before the last chance to leave; 1 where there has been no chance."""
        chances = rows.frequency + self.first_chances
        return np.where(chances > 0, b + chances - 1, 1.0)

    def _log_odds_gone(self, theta: Array, rows: Histories, log_ratio: Array) -> Array:
        """Of having left right after the last order, against being there still."""
        r, _, a, b = theta
        odds = np.log(a) - np.log(self._before(b, rows)) + (r + rows.frequency) * log_ratio
        return np.where(rows.frequency + self.first_chances > 0, odds, -np.inf)


def _hypergeometric(x: Array, a: float, c: Array, ratio: Array) -> Array:
    """2F1(x, a; c; -ratio), by the series of which no two terms cancel; not finite where that overflows.

    Up to a ratio of 1 the series converges as it is. Beyond, it is computed after Pfaff's transformation: the way the
    literature writes it.
    """
    value: Array = hyp2f1(x, a, c, -np.minimum(ratio, 1.0))
    far = ratio > 1
    with np.errstate(over="ignore", invalid="ignore"):
        value[far] = np.exp(-x * np.log1p(ratio))[far] * hyp2f1(
            x[far], (c - a)[far], c[far], (ratio / (1 + ratio))[far]
        )
    return value


class BgNbd(_BetaGeometric):
    """BG/NBD: whoever has not come back yet has not left; so P(alive) is 1 for every customer with one order."""

    name: ClassVar[str] = "bg_nbd"
    first_chances: ClassVar[int] = 0


class MbgNbd(_BetaGeometric):
    """MBG/NBD: a customer may leave after the first order too."""

    name: ClassVar[str] = "mbg_nbd"
    first_chances: ClassVar[int] = 1
