"""From a score to a probability: what share of customers with such a score did buy, one horizon earlier."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from platform_assets.analytics.lifetime.histories import Array

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Calibration:
    """A line that never falls, from a score to a probability.

    Attributes:
        scores: Where it bends, rising.
        rates: The probability there; in between it is interpolated, beyond the ends it stays.
        certain: No probability is nearer to 0 or 1 than this.
    """

    scores: Array
    rates: Array
    certain: float

    def rate(self, scores: Array) -> Array:
        """The probability that belongs to each score: never 0 nor 1, for nobody is certain."""
        rate: Array = np.clip(np.interp(scores, self.scores, self.rates), self.certain, 1 - self.certain)
        return rate


@dataclass(frozen=True)
class OddsCalibration:
    """A straight line from log odds to log odds.

    Attributes:
        slope: What is left of differences in log odds; not below 0, so that the order of customers stays.
        shift: What is added to log odds.
        certain: No probability is nearer to 0 or 1 than this.
    """

    slope: float
    shift: float
    certain: float

    def rate(self, scores: Array) -> Array:
        """The probability that belongs to each, of 0 to 1."""
        odds = logit(np.clip(scores, self.certain, 1 - self.certain))
        rate: Array = np.clip(expit(self.slope * odds + self.shift), self.certain, 1 - self.certain)
        return rate


def odds_calibrated(rates: Array, happened: Flags) -> OddsCalibration:
    """Logistic regression of what happened on the log odds of a probability (Platt 1999): for one that has their shape.

    Args:
        rates: The probability before it happened, by what did not know of it.
        happened: What happened: to some, and to some not.
    """
    certain = 1 / (len(rates) + 2)
    order = np.lexsort((happened, rates))  # the order of rows must not change the last digits
    odds, flags = logit(np.clip(rates[order], certain, 1 - certain)), happened[order]
    fitted = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(odds[:, None], flags)
    slope = float(fitted.coef_[0, 0])
    if slope < 0:
        return OddsCalibration(0.0, float(logit(flags.mean())), certain)
    return OddsCalibration(slope, float(fitted.intercept_[0]), certain)


def calibrated(scores: Array, happened: Flags, *, is_probability: bool) -> Calibration:
    """Centred isotonic regression of what happened on the score.

    Plain isotonic regression makes steps: customers whom the score tells apart get the same probability. Here each step
    counts at its centre and lines join the centres, which keeps the order of customers (Oron and Flournoy, "Centered
    Isotonic Regression", 2017).

    Args:
        scores: Before it happened; higher is likelier.
        happened: What happened.
        is_probability: Whether the score goes from 0 to 1, and means what it says at these two.
    """
    order = np.lexsort((happened, scores))  # the order of rows must not change the last digits
    ranked, flags = scores[order], happened[order].astype(np.float64)
    steps, place = np.unique(IsotonicRegression().fit(ranked, flags).predict(ranked), return_inverse=True)
    centers = np.bincount(place, weights=ranked) / np.bincount(place)
    if is_probability:
        centers, steps = np.array([0.0, *centers, 1.0]), np.array([0.0, *steps, 1.0])
    return Calibration(centers, steps, 1 / (len(scores) + 2))  # Laplace's bound on what was never seen
