"""Which transaction model and which score churn probabilities come from, by days on which they are not judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from platform_assets.analytics.churn.calibration import Flags
from platform_assets.analytics.churn.evaluation import area_under_curve
from platform_assets.analytics.churn.learning import ADMITTED, churned, learn, too_little
from platform_assets.analytics.churn.scores import Score, days_since_last
from platform_assets.analytics.lifetime.choice import Holdout, choose
from platform_assets.analytics.lifetime.fitting import MODELS, fit
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import TransactionModel


@dataclass(frozen=True)
class Choice:
    """What churn probabilities come from.

    Attributes:
        model: The transaction model.
        score: The score.
        day: The day whose horizon after it decided; ``None`` where the history is too short to choose.
    """

    model: TransactionModel = MODELS[0]
    score: Score = Score.ACTIVE
    day: date | None = None


def chosen(earliest: pa.Table, earlier: pa.Table, horizon_days: int) -> Choice:
    """Take the model whose expectations a horizon deviated from least, then the score that did best in that horizon.

    Args:
        earliest: Rows of ``SUMMARIES_SCHEMA`` with a holdout of one horizon: to learn from.
        earlier: The same one horizon later: to choose by.
        horizon_days: The horizon.

    Returns:
        The choice. Where either has too few customers it is the first model and its own score, whatever they did: a
        choice by the days that it is to be judged on would look better than it is.
    """
    if too_little(earlier):
        return Choice()
    day = earlier["as_of_date"][0].as_py()
    model, _ = choose(Holdout.of(earlier, day, horizon_days))
    learned = learn(model, earliest, horizon_days)
    if isinstance(learned, str):
        return Choice()
    found, gone = fit(model, Histories.of_summaries(earlier)), churned(earlier)
    rates = {score: learned.churn(score, found, earlier) for score in ADMITTED}
    ordered = rates | {Score.RECENCY: days_since_last(earlier)}  # the rule as it is, before calibration
    areas = {score: area_under_curve(values, gone) or 0.0 for score, values in ordered.items()}
    return Choice(model, best_score(rates, areas, gone), day)


def best_score(rates: Mapping[Score, Array], areas: Mapping[Score, float], gone: Flags) -> Score:
    """The model, unless another errs less by more than chance; never one that orders worse than the rule of thumb.

    Args:
        rates: Churn probabilities by score.
        areas: Areas under the curve by score.
        gone: Who did not order.
    """
    errors = {score: np.square(rate - gone) for score, rate in rates.items()}
    best = Score.ACTIVE if areas[Score.ACTIVE] >= areas[Score.RECENCY] else Score.RECENCY
    for score in (Score.LOGISTIC, Score.RECENCY):
        gain = errors[best] - errors[score]
        is_better = gain.mean() > gain.std() / np.sqrt(len(gain))
        if is_better and areas[score] >= areas[Score.RECENCY]:
            best = score
    return best
