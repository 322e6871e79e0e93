"""Raw scores of how likely a customer is to buy within the horizon; higher is likelier."""

from enum import StrEnum

import numpy as np
import pyarrow as pa

from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import Fit
from platform_assets.errors import PlatformError


class Score(StrEnum):
    """What customers can be ordered by."""

    ACTIVE = "active"
    """P(X(H) > 0) of the transaction model: at least one order within the horizon."""
    LOGISTIC = "logistic"
    """A logistic regression on what customers did, trained one horizon earlier."""
    RECENCY = "recency"
    """The rule of thumb: the longer ago the last order, the less likely the next."""
    ALIVE = "alive"
    """P(alive) of the transaction model: reported beside the others, never used."""


class ScoreRefusedError(PlatformError):
    """A measure that does not tell who will buy was asked for as a churn score."""


def check_churn_score(score: Score) -> Score:
    """Refuse what is no churn score.

    P(alive) says whether a customer may still come back at all, not whether they will within the horizon. BG/NBD's is
    1 for everyone who ordered once, most of whom never return: as a churn score it is worse than chance.

    Raises:
        ScoreRefusedError: The score is P(alive).
    """
    if score is Score.ALIVE:
        raise ScoreRefusedError(
            "P(alive) is no churn score: BG/NBD gives 1 to all with a single order, most of whom never return.",
            "Use the probability of an order within the horizon (active), the logistic regression or the recency rule.",
        )
    return score


def days_since_last(summaries: pa.Table) -> Array:
    """Days from the last order to the day of the view, per row of ``SUMMARIES_SCHEMA``."""
    weeks = summaries["age_weeks"].to_numpy() - summaries["recency_weeks"].to_numpy()
    days: Array = np.round(weeks * 7)
    return days


def model_score(score: Score, found: Fit, summaries: pa.Table, horizon_days: int) -> Array:
    """A score of the transaction model, or the rule of thumb, per customer; ``ALIVE`` for reports only."""
    if score is Score.RECENCY:
        return -days_since_last(summaries)
    rows = Histories.of_summaries(summaries)
    if score is Score.ALIVE:
        return rows.every(found.model.alive(found.theta, rows))
    return rows.every(found.model.active(found.theta, rows, horizon_days / 7))
