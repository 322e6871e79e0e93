"""How good a probability was: discrimination, error, calibration."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from platform_assets.analytics.churn.calibration import Flags
from platform_assets.analytics.churn.measurement import wilson
from platform_assets.analytics.lifetime.histories import Array

BINS = 10
_NORMAL = 1.959964

EVALUATION_SCHEMA = pa.schema(
    [
        ("score", pa.string()),
        ("model", pa.string()),
        ("choice_date", pa.date32()),
        ("split_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("customers", pa.int64()),
        ("churned", pa.int64()),
        ("churn_rate", pa.float64()),
        ("expected_churn_rate", pa.float64()),
        ("area_under_curve", pa.float64()),
        ("area_above_recency", pa.float64()),
        ("area_above_recency_low", pa.float64()),
        ("area_above_recency_high", pa.float64()),
        ("brier_score", pa.float64()),
        ("brier_of_base_rate", pa.float64()),
        ("is_admitted", pa.bool_()),
        ("is_used", pa.bool_()),
    ]
)
"""One row per score: probabilities of the day of the split, judged on the horizon after it. Of those days nothing was
used: what was learned and chosen rests on days up to the split.

- ``model``: the transaction model of ``active`` and ``alive``
- ``choice_date``: model and score in use were chosen by the horizon after this day, which ends with the split; missing
  where too few customers had ordered by then: the first model and its score are used, unchosen
- ``churned``: customers without an order within the horizon; ``churn_rate``: their share; ``expected_churn_rate``: mean
  of the probabilities
- ``area_under_curve``: chance that of a customer who left and one who did not, the former had the higher probability
- ``area_above_recency``: that less the area of the rule of thumb, the days since the last order, with the 95 % interval
  of that difference, ``area_above_recency_low`` to ``area_above_recency_high``; all 0 for the rule itself
- ``brier_score``: mean squared error of the probabilities; ``brier_of_base_rate``: of saying the true rate of everyone
- ``is_admitted``: whether it may be used at all (P(alive) may not); ``is_used``: whether customers are scored with it
"""

CALIBRATION_SCHEMA = pa.schema(
    [
        ("score", pa.string()),
        ("bin", pa.int16()),
        ("customers", pa.int64()),
        ("expected_churn_rate", pa.float64()),
        ("churn_rate", pa.float64()),
        ("churn_low_rate", pa.float64()),
        ("churn_high_rate", pa.float64()),
    ]
)
"""Customers in ten bins by probability, equal ones together: what was expected, what came (95 % interval)."""


@dataclass(frozen=True)
class AreaGain:
    """How far one score's area under the curve is above another's.

    Attributes:
        gain: The difference.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    gain: float
    low: float
    high: float


def area_under_curve(scores: Array, happened: Flags) -> float | None:
    """Chance that one it happened to has a higher score than one it did not; ties count half.

    Returns:
        ``None`` when it happened to all or to none.
    """
    positive = int(happened.sum())
    negative = len(happened) - positive
    if not positive or not negative:
        return None
    ranks = float(rankdata(scores)[happened].sum())
    return (ranks - positive * (positive + 1) / 2) / (positive * negative)


def area_gain(first: Array, second: Array, happened: Flags) -> AreaGain:
    """What the first score's area is above the second's, with the interval of DeLong, DeLong and Clarke-Pearson (1988).

    Both order the same customers, so that most of what chance does to one area it does to the other.

    Args:
        first: The one score, higher where it is likelier.
        second: The other.
        happened: Whether it happened: to some, and to some not.
    """
    gaps = [
        one - other for one, other in zip(*(_placements(scores, happened) for scores in (first, second)), strict=True)
    ]
    gain = float(gaps[0].mean())
    half = _NORMAL * float(np.sqrt(sum(gap.var() / max(len(gap) - 1, 1) for gap in gaps)))
    return AreaGain(gain, gain - half, gain + half)


def _placements(scores: Array, happened: Flags) -> tuple[Array, Array]:
    """Of each it happened to, the share of the others below; of each other, the share of those it happened to above."""
    ranks = rankdata(scores)
    below = (ranks[happened] - rankdata(scores[happened])) / (~happened).sum()
    above = 1 - (ranks[~happened] - rankdata(scores[~happened])) / happened.sum()
    return below, above


def brier_score(rates: Array, happened: Flags) -> float:
    """Mean squared error of probabilities."""
    return float(np.square(rates - happened).mean())


def calibration_lines(score: str, rates: Array, happened: Flags) -> list[dict[str, Any]]:
    """Rows of ``CALIBRATION_SCHEMA``: customers in bins of about equal size, equal probabilities in one."""
    edges = np.unique(np.quantile(rates, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
    bins = np.searchsorted(edges, rates, side="left")
    lines = []
    for number in np.unique(bins):
        here = bins == number
        low, high = wilson(int(happened[here].sum()), int(here.sum()))
        lines.append(
            {
                "score": score,
                "bin": int(number) + 1,
                "customers": int(here.sum()),
                "expected_churn_rate": float(rates[here].mean()),
                "churn_rate": float(happened[here].mean()),
                "churn_low_rate": low,
                "churn_high_rate": high,
            }
        )
    return lines
