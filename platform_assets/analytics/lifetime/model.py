"""What a transaction model can say, and what a fit of one is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from platform_assets.analytics.lifetime.histories import Array, Histories


class TransactionModel(ABC):
    """A model of when customers buy and when they are gone. All parameters are positive; times in weeks.

    Methods that take histories give one value per row of them.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    """Names of the parameters, in the literature's letters."""
    times: ClassVar[tuple[int, ...]]
    """Which of the parameters are times: they change with the unit of time."""

    @abstractmethod
    def starts(self) -> tuple[Array, ...]:
        """Parameters to start a fit from, for ages of about ten units."""

    @abstractmethod
    def scores(self, theta: Array, rows: Histories) -> tuple[Array, Array]:
        """The log-likelihood of each history, and its gradient by the logarithm of the parameters.

        Returns:
            Shapes (rows,) and (rows, parameters).
        """

    @abstractmethod
    def alive(self, theta: Array, rows: Histories) -> Array:
        """P(alive): that the customer has not left yet, from 0 to 1. It is no churn score: see ``churn.scores``."""

    @abstractmethod
    def expected(self, theta: Array, rows: Histories, weeks: float) -> Array:
        """Expected orders in the next weeks."""

    @abstractmethod
    def active(self, theta: Array, rows: Histories, weeks: float) -> Array:
        """P(X(weeks) > 0): that there is at least one order in the next weeks."""

    @abstractmethod
    def pace(self, theta: Array, rows: Histories, weeks: float) -> Array:
        """Expected orders per week at the moment so many weeks from now: the derivative of ``expected``."""

    @abstractmethod
    def simulated(self, theta: Array, age: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Histories of customers of the ages given: their frequency and recency."""

    @abstractmethod
    def futures(self, theta: Array, rows: Histories, weeks: float, draws: int, rng: np.random.Generator) -> Array:
        """Draws of the orders each history has in the next weeks: shape (draws, rows)."""

    def unconditional(self, theta: Array, weeks: Array) -> Array:
        """Expected orders of a new customer so many weeks after the first order."""
        zero = np.zeros(1)
        fresh = Histories(zero, zero, zero, np.ones(1), np.zeros(1, dtype=np.int64))
        return np.array([self.expected(theta, fresh, float(week))[0] for week in weeks])


@dataclass(frozen=True)
class Fit:
    """A model with the parameters that fit best.

    Attributes:
        model: The model.
        theta: Its parameters; those that are times, in weeks.
        log_likelihood: Of all customers, with times in weeks.
        customers: How many there were.
        evaluations: How often the likelihood was computed, starts included.
        is_converged: Whether the gradient vanishes there; a ridge (parameters without a best value) does not.
        covariance: Of the logarithms of the parameters, from the outer product of the scores.
    """

    model: TransactionModel
    theta: Array
    log_likelihood: float
    customers: int
    evaluations: int
    is_converged: bool
    covariance: Array

    @property
    def named(self) -> dict[str, float]:
        """The parameters by their letters."""
        return dict(zip(self.model.parameters, map(float, self.theta), strict=True))

    @property
    def standard_errors(self) -> Array:
        """Of the parameters, by the delta method."""
        errors: Array = self.theta * np.sqrt(np.diag(self.covariance))
        return errors
