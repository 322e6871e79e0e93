"""The challenger of the transaction model: a logistic regression on what customers did."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from platform_assets.analytics.churn.calibration import Flags
from platform_assets.analytics.lifetime.histories import Array

FOLDS = 5
"""Parts that customers are divided into to say of each what was learned from the others."""
FEATURES = (
    "log_frequency",
    "recency_weeks",
    "age_weeks",
    "silent_weeks",
    "silence_in_own_intervals",
    "log_recent_orders",
    "log_mean_spend",
    "log_sales",
    "has_come_back",
)


@dataclass(frozen=True)
class Challenger:
    """A fitted logistic regression.

    Attributes:
        center: Mean of each feature where it was trained.
        spread: Standard deviation of each; 1 for one that does not vary.
        weights: Per standardised feature, log odds of an order.
        intercept: Log odds of an order for the average customer.
    """

    center: Array
    spread: Array
    weights: Array
    intercept: float

    def active(self, summaries: pa.Table) -> Array:
        """Probability of an order within the horizon it was trained for, per row of ``SUMMARIES_SCHEMA``."""
        return self.says(features(summaries))

    def says(self, seen: Array) -> Array:
        """The same, of what ``features`` sees."""
        standard = (seen - self.center) / self.spread
        # beyond what was seen in training, a feature says no more than at its edge of six standard deviations;
        # a sum per row, for the last digits of a matrix product depend on where the row is
        odds = (np.clip(standard, -6, 6) * self.weights).sum(axis=1) + self.intercept
        active: Array = 1 / (1 + np.exp(-odds))
        return active


def features(summaries: pa.Table) -> Array:
    """What the challenger sees of each row of ``SUMMARIES_SCHEMA``: shape (customers, ``FEATURES``)."""

    def column(name: str) -> Array:
        values: Array = summaries[name].cast(pa.float64()).to_numpy()
        return values

    frequency, recency, age = column("frequency"), column("recency_weeks"), column("age_weeks")
    silent = age - recency
    interval = np.where(frequency > 0, recency / np.maximum(frequency, 1), age)
    spend = column("repeat_spend_amount") / np.maximum(column("spend_orders"), 1)
    columns = (
        np.log1p(frequency),
        recency,
        age,
        silent,
        np.minimum(silent / np.maximum(interval, 1 / 7), 50.0),
        np.log1p(column("recent_orders")),
        np.log1p(np.maximum(spend, 0)),
        np.log1p(np.maximum(column("sales_amount"), 0)),
        (frequency > 0).astype(np.float64),
    )
    return np.column_stack(columns)


def train(summaries: pa.Table) -> Challenger:
    """Train on customers whose holdout is known: did they order in it?

    Args:
        summaries: Rows of ``SUMMARIES_SCHEMA`` with a holdout as long as the horizon; some ordered in it, some did not.
    """
    seen, is_active = features(summaries), summaries["holdout_orders"].to_numpy() > 0
    order = _order(seen, is_active)
    return _trained(seen[order], is_active[order])


def out_of_fold(summaries: pa.Table) -> Array:
    """What the challenger says of each customer when it is trained on others: on four fifths, of the last fifth.

    Args:
        summaries: As for ``train``; at least ``FOLDS`` ordered, and as many did not.

    Returns:
        Probability of an order per customer.
    """
    seen, is_active = features(summaries), summaries["holdout_orders"].to_numpy() > 0
    order = _order(seen, is_active)
    # By lot, not by the order of features: parts alike in those would tell of each customer what they should not know.
    lots = np.random.default_rng(0).permutation(len(order))
    fold = np.empty(len(order), dtype=np.int64)
    fold[order[np.lexsort((lots, is_active[order]))]] = np.arange(len(order)) % FOLDS  # each with both kinds
    active = np.empty(len(order))
    for number in range(FOLDS):
        others = order[fold[order] != number]
        active[fold == number] = _trained(seen[others], is_active[others]).says(seen[fold == number])
    return active


def _order(seen: Array, is_active: Flags) -> npt.NDArray[np.int64]:
    """By kind, then by features: the order of rows must not change the last digits."""
    order: npt.NDArray[np.int64] = np.lexsort((*seen.T, is_active))
    return order


def _trained(seen: Array, is_active: Flags) -> Challenger:
    spread = seen.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    center = seen.mean(axis=0)
    fitted = LogisticRegression(max_iter=1000, tol=1e-8).fit((seen - center) / spread, is_active)
    return Challenger(center, spread, fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))
