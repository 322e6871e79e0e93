"""What one complete horizon teaches: what scores are worth as probabilities, and the challenger.

Belongs here: learning from customers whose horizon is over. Does not belong here: judging it, choosing by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from platform_assets.analytics.churn.calibration import Calibration, Flags, OddsCalibration, calibrated, odds_calibrated
from platform_assets.analytics.churn.challenger import Challenger, out_of_fold, train
from platform_assets.analytics.churn.scores import Score, check_churn_score, model_score
from platform_assets.analytics.lifetime.fitting import fit
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import Fit, TransactionModel

LEAST = 100
"""Customers needed to learn from."""
LEAST_OF_EACH = 20
"""Customers who ordered in the horizon, and customers who did not, needed to learn from."""
ADMITTED = (Score.ACTIVE, Score.LOGISTIC, Score.RECENCY)
"""Scores that may be used."""


@dataclass(frozen=True)
class Learned:
    """What one complete horizon taught.

    Attributes:
        model: The transaction model it was learned with.
        horizon_days: How long.
        calibrations: From raw scores to probabilities of an order.
        challenger: The logistic regression.
    """

    model: TransactionModel
    horizon_days: int
    calibrations: Mapping[Score, Calibration | OddsCalibration]
    challenger: Challenger

    def churn(self, score: Score, found: Fit, summaries: pa.Table) -> Array:
        """Probability of no order within the horizon, per customer.

        Args:
            score: From which score.
            found: A fit of the same model to these customers.
            summaries: Rows of ``SUMMARIES_SCHEMA``.

        Raises:
            ScoreRefusedError: It is no churn score.
        """
        is_challenger = check_churn_score(score) is Score.LOGISTIC
        raw = (
            self.challenger.active(summaries)
            if is_challenger
            else model_score(score, found, summaries, self.horizon_days)
        )
        return 1 - self.calibrations[score].rate(raw)


def learn(model: TransactionModel, summaries: pa.Table, horizon_days: int) -> Learned | str:
    """Calibrate and train on one complete horizon.

    The challenger is calibrated on what it says of customers it was not trained on: of those it was trained on it says
    too much.

    Args:
        model: The transaction model.
        summaries: Rows of ``SUMMARIES_SCHEMA`` with a holdout of that many days.
        horizon_days: The horizon.

    Returns:
        What was learned, or why nothing could be.
    """
    problem = too_little(summaries)
    if problem:
        return problem
    found, active = fit(model, Histories.of_summaries(summaries)), ~churned(summaries)
    calibrations: dict[Score, Calibration | OddsCalibration] = {
        score: calibrated(
            model_score(score, found, summaries, horizon_days), active, is_probability=score is Score.ACTIVE
        )
        for score in (Score.ACTIVE, Score.RECENCY)
    }
    calibrations[Score.LOGISTIC] = odds_calibrated(out_of_fold(summaries), active)
    return Learned(model, horizon_days, calibrations, train(summaries))


def too_little(summaries: pa.Table) -> str | None:
    """Why there is nothing to learn from a horizon; ``None`` where there is."""
    customers, gone = summaries.num_rows, int(churned(summaries).sum())
    if customers < LEAST or min(gone, customers - gone) < LEAST_OF_EACH:
        return (
            f"{customers} customers a horizon ago, of whom {customers - gone} ordered in it and {gone} did not: "
            f"learning needs {LEAST}, with {LEAST_OF_EACH} of each kind"
        )
    if not (summaries["frequency"].to_numpy() > 0).any():
        return "no customer had come back a horizon ago"
    return None


def churned(summaries: pa.Table) -> Flags:
    """Who did not order in the holdout, per row of ``SUMMARIES_SCHEMA``."""
    gone: Flags = summaries["holdout_orders"].to_numpy() == 0
    return gone
