"""Which transaction model predicts best what came after the split."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import xlogy

from platform_assets.analytics.lifetime.fitting import MODELS, fit
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import Fit, TransactionModel
from platform_assets.analytics.lifetime.summaries import ORDER_DAYS_SCHEMA

COMPARISON_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("split_date", pa.date32()),
        ("holdout_days", pa.int32()),
        ("customers", pa.int64()),
        ("log_likelihood", pa.float64()),
        ("is_converged", pa.bool_()),
        ("holdout_log_likelihood", pa.float64()),
        ("deviance", pa.float64()),
        ("behind_best", pa.float64()),
        ("behind_best_error", pa.float64()),
        ("orders", pa.int64()),
        ("expected_orders", pa.float64()),
        ("bias_rate", pa.float64()),
        ("correlation", pa.float64()),
        ("mean_absolute_error", pa.float64()),
        ("root_mean_squared_error", pa.float64()),
        ("tracking_error_rate", pa.float64()),
        ("is_chosen", pa.bool_()),
        ("regularity", pa.float64()),
        ("regularity_low", pa.float64()),
        ("regularity_high", pa.float64()),
        ("regularity_customers", pa.int64()),
    ]
)
"""One row per transaction model, fitted to orders up to the split and judged on the days after it.

- ``holdout_log_likelihood``: log density of the orders after the split, given those before and the parameters of then
- ``deviance``: Poisson deviance of the orders expected of each customer; least for the right expectation, which is what
  value is made of; ``behind_best``: how much more than that of the best, ``behind_best_error``: its standard error
- ``orders``, ``expected_orders``: after the split, all customers; ``bias_rate``: expected over actual, minus 1
- ``correlation``, ``mean_absolute_error``, ``root_mean_squared_error``: of expected and actual orders per customer;
  the correlation is missing where all customers did the same
- ``tracking_error_rate``: mean of what the cumulative repeat orders of all were expected to be, week by week after the
  split, against what they were: absolute, relative; missing where the orders by day were not given
- ``is_chosen``: the one with the least deviance
- ``regularity``: Wheat and Morrison's k of the times between orders of the whole history, with its 95 % interval: 1 for
  random times, which every one of these models supposes, more for regular ones; the same in each row, missing of too
  few customers; ``regularity_customers``: those with two such times
"""


@dataclass(frozen=True)
class Holdout:
    """Customers on both sides of a split.

    Attributes:
        split: The last day of the past.
        days: So many days after it are known.
        past: Histories up to the split.
        whole: Histories of the same customers up to the end.
        orders: Orders after the split, per customer.
    """

    split: date
    days: int
    past: Histories
    whole: Histories
    orders: Array

    @classmethod
    def of(cls, summaries: pa.Table, split: date, days: int) -> "Holdout":
        """From rows of ``SUMMARIES_SCHEMA`` that were made with this split."""
        names = ("frequency", "holdout_orders", "whole_recency_weeks", "age_weeks")
        frequency, later, recency, age = (summaries[name].to_numpy() for name in names)
        until_end = (np.round(age * 7) + days) / 7  # of whole days, as recency is: sums of sevenths are not exact
        whole = Histories.of(frequency + later, recency, until_end)
        return cls(split, days, Histories.of_summaries(summaries), whole, later.astype(np.float64))


def choose(
    holdout: Holdout, order_days: pa.Table | None = None, models: Sequence[TransactionModel] = MODELS
) -> tuple[TransactionModel, pa.Table]:
    """Fit every model to the past and take the one whose expectations the rest deviates from least.

    Args:
        holdout: The customers.
        order_days: Rows of ``ORDER_DAYS_SCHEMA`` up to the end of the holdout, of customers known at the split.
        models: In order of preference, should two be equal.

    Returns:
        The model, and rows of ``COMPARISON_SCHEMA``.
    """
    fits = [fit(model, holdout.past) for model in models]
    deviances = [_deviances(found, holdout) for found in fits]
    chosen = int(np.argmin([deviance.sum() for deviance in deviances]))
    lines = [
        _line(found, holdout, order_days) | _behind(deviance, deviances[chosen]) | {"is_chosen": place == chosen}
        for place, (found, deviance) in enumerate(zip(fits, deviances, strict=True))
    ]
    return models[chosen], pa.Table.from_pylist(lines, schema=COMPARISON_SCHEMA)


def predictive_density(found: Fit, holdout: Holdout) -> Array:
    """Log density of what each customer did after the split, given what they did before.

    The likelihood of a history is the density of the moments of all its orders, so that of the whole over that of the
    past is the density of the rest: a proper score, for how many as for when.
    """
    whole = holdout.whole.every(found.model.scores(found.theta, holdout.whole)[0])
    past = holdout.past.every(found.model.scores(found.theta, holdout.past)[0])
    return whole - past


def tracking(found: Fit, order_days: pa.Table, until: date) -> tuple[Array, Array]:
    """Repeat orders of all cohorts together, week by week, as expected and as they came.

    Args:
        found: A fit; its past may end long before.
        order_days: Rows of ``ORDER_DAYS_SCHEMA`` up to that day.
        until: The last day of the last week; weeks are counted back from here to the first order.

    Returns:
        Cumulative repeat orders at the end of each week: expected, actual.
    """
    order_days = order_days.sort_by([(name, "ascending") for name in ORDER_DAYS_SCHEMA.names])  # for equal sums
    firsts, days = (order_days[name].to_numpy() for name in ("first_order_date", "order_date"))
    orders = order_days["orders"].to_numpy().astype(np.float64)
    is_first = firsts == days
    weeks = int((np.datetime64(until) - firsts.min()).astype("timedelta64[D]").astype(np.int64) + 1) // 7
    ends = np.array([np.datetime64(until - timedelta(weeks=back)) for back in range(weeks - 1, -1, -1)])
    actual = np.array([orders[~is_first & (days <= end)].sum() for end in ends])
    ages = (ends[:, None] - firsts[is_first][None, :]).astype("timedelta64[D]").astype(np.int64)
    distinct, place = np.unique(np.maximum(ages, 0), return_inverse=True)
    curve = found.model.unconditional(found.theta, distinct / 7)
    return curve[place.reshape(ages.shape)] @ orders[is_first], actual


def _line(found: Fit, holdout: Holdout, order_days: pa.Table | None) -> dict[str, Any]:
    expected = _expected(found, holdout)
    actual = holdout.orders
    same = np.ptp(expected) == 0 or np.ptp(actual) == 0
    return {
        "model": found.model.name,
        "split_date": holdout.split,
        "holdout_days": holdout.days,
        "customers": found.customers,
        "log_likelihood": found.log_likelihood,
        "is_converged": found.is_converged,
        "holdout_log_likelihood": float(predictive_density(found, holdout).sum()),
        "orders": int(actual.sum()),
        "expected_orders": float(expected.sum()),
        "bias_rate": float(expected.sum() / actual.sum() - 1) if actual.sum() else None,
        "correlation": None if same else float(np.corrcoef(expected, actual)[0, 1]),
        "mean_absolute_error": float(np.abs(expected - actual).mean()),
        "root_mean_squared_error": float(np.sqrt(np.square(expected - actual).mean())),
        "tracking_error_rate": None if order_days is None else _tracking_error(found, holdout, order_days),
    }


def _expected(found: Fit, holdout: Holdout) -> Array:
    return holdout.past.every(found.model.expected(found.theta, holdout.past, holdout.days / 7))


def _deviances(found: Fit, holdout: Holdout) -> Array:
    expected, actual = np.maximum(_expected(found, holdout), 1e-12), holdout.orders
    deviances: Array = 2 * (xlogy(actual, actual / expected) - (actual - expected))
    return np.where(np.isfinite(deviances), deviances, np.inf)  # no number is no good expectation


def _behind(deviance: Array, best: Array) -> dict[str, float]:
    gaps = deviance - best if np.isfinite(best).all() else np.zeros_like(best)
    return {
        "deviance": float(deviance.sum()),
        "behind_best": float(gaps.sum()),
        "behind_best_error": float(gaps.std() * np.sqrt(len(gaps))),
    }


def _tracking_error(found: Fit, holdout: Holdout, order_days: pa.Table) -> float | None:
    expected, actual = tracking(found, order_days, holdout.split + timedelta(days=holdout.days))
    after = slice(-(holdout.days // 7), None)
    if holdout.days < 7 or not (actual[after] > 0).all():  # noqa: PLR2004 - a week
        return None
    return float(np.abs(expected[after] / actual[after] - 1).mean())
