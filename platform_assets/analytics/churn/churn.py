"""Churn probabilities: chosen and judged on days gone by, then given for today.

Four days a horizon H apart, today the last of them. On the first, models are fitted; what happened in the H days after
it calibrates them and trains the challenger. On the second, the transaction model and the score are chosen by the H
days that follow (``choice``). On the third, these are fitted to what was known then, calibrated by the H days before,
and judged on the H days after: of those nothing was used, neither to learn nor to choose. Today they are fitted to all,
and calibrated on the latest horizon that is complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from platform_assets.analytics.churn.calibration import Flags
from platform_assets.analytics.churn.choice import Choice
from platform_assets.analytics.churn.evaluation import (
    CALIBRATION_SCHEMA,
    EVALUATION_SCHEMA,
    area_gain,
    area_under_curve,
    brier_score,
    calibration_lines,
)
from platform_assets.analytics.churn.learning import ADMITTED, churned, learn, too_little
from platform_assets.analytics.churn.scores import Score, days_since_last, model_score
from platform_assets.analytics.lifetime.fitting import fit
from platform_assets.analytics.lifetime.histories import Array, Histories

CHURN_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("days_since_last", pa.int32()),
        ("score", pa.string()),
        ("churn_rate", pa.float64()),
        ("reason", pa.string()),
    ]
)
"""One row per customer.

- ``churn_rate``: probability of no order in the ``horizon_days`` after ``as_of_date``, calibrated, whatever the score
- ``score``: what it comes from: ``active`` (transaction model), ``logistic`` or ``recency``
- ``reason``: why there is no probability; missing where there is one
"""


@dataclass(frozen=True)
class Backtest:
    """How good churn probabilities are.

    Attributes:
        choice: What they come from.
        evaluation: Rows of ``EVALUATION_SCHEMA``; none where there was too little to judge.
        calibration: Rows of ``CALIBRATION_SCHEMA``, likewise.
        reason: Why there are none.
    """

    choice: Choice
    evaluation: pa.Table
    calibration: pa.Table
    reason: str | None = None


def backtest(choice: Choice, earlier: pa.Table, later: pa.Table, horizon_days: int) -> Backtest:
    """Judge probabilities at a split with what was learned and chosen before it.

    Args:
        choice: The model and the score, chosen without the days after the split.
        earlier: Rows of ``SUMMARIES_SCHEMA`` one horizon before the split, with a holdout of one horizon.
        later: The same at the split.
        horizon_days: The horizon.
    """
    learned = learn(choice.model, earlier, horizon_days)
    problem = learned if isinstance(learned, str) else too_little(later)
    if problem or isinstance(learned, str):
        return Backtest(choice, EVALUATION_SCHEMA.empty_table(), CALIBRATION_SCHEMA.empty_table(), problem)
    found, gone = fit(choice.model, Histories.of_summaries(later)), churned(later)
    rates = {score: learned.churn(score, found, later) for score in ADMITTED}
    judged = rates | {Score.ALIVE: 1 - model_score(Score.ALIVE, found, later, horizon_days)}
    lines = _lines(choice, judged, later, horizon_days)
    bins = [line for score, rate in rates.items() for line in calibration_lines(score.value, rate, gone)]
    return Backtest(
        choice,
        pa.Table.from_pylist(lines, schema=EVALUATION_SCHEMA),
        pa.Table.from_pylist(bins, schema=CALIBRATION_SCHEMA),
    )


def churn_rates(latest: pa.Table, now: pa.Table, horizon_days: int, judged: Backtest) -> pa.Table:
    """Churn probabilities of today's customers.

    Args:
        latest: Rows of ``SUMMARIES_SCHEMA`` one horizon ago, with a holdout of one horizon: up to today.
        now: The same today, without a holdout.
        horizon_days: The horizon.
        judged: Which model and score are used, and that they could be judged.

    Returns:
        Rows of ``CHURN_SCHEMA``.
    """
    model, score = judged.choice.model, judged.choice.score
    learned = judged.reason or learn(model, latest, horizon_days)
    problem = learned if isinstance(learned, str) else None
    rates: pa.Array = pa.nulls(now.num_rows, pa.float64())
    if not isinstance(learned, str) and now.num_rows:
        rates = pa.array(learned.churn(score, fit(model, Histories.of_summaries(now)), now))
    columns = {
        "customer_id": now["customer_id"],
        "as_of_date": now["as_of_date"],
        "horizon_days": pa.array(np.full(now.num_rows, horizon_days, dtype=np.int32)),
        "days_since_last": pa.array(days_since_last(now).astype(np.int32)),
        "score": pa.array([None if problem else score.value] * now.num_rows, pa.string()),
        "churn_rate": rates,
        "reason": pa.array([problem] * now.num_rows, pa.string()),
    }
    return pa.table(columns).cast(CHURN_SCHEMA)


def _lines(
    choice: Choice, rates: Mapping[Score, Array], summaries: pa.Table, horizon_days: int
) -> list[dict[str, Any]]:
    gone, silent = churned(summaries), days_since_last(summaries)
    share = float(gone.mean())
    same = {
        "model": choice.model.name,
        "choice_date": choice.day,
        "split_date": summaries["as_of_date"][0].as_py(),
        "horizon_days": horizon_days,
        "customers": len(gone),
        "churned": int(gone.sum()),
        "churn_rate": share,
        "brier_of_base_rate": share * (1 - share),
    }
    return [
        same
        | _areas(silent if score is Score.RECENCY else rate, silent, gone)  # the rule as it is, before calibration
        | {
            "score": score.value,
            "expected_churn_rate": float(rate.mean()),
            "brier_score": brier_score(rate, gone),
            "is_admitted": score in ADMITTED,
            "is_used": score is choice.score,
        }
        for score, rate in rates.items()
    ]


def _areas(scores: Array, silent: Array, gone: Flags) -> dict[str, float | None]:
    gain = area_gain(scores, silent, gone)
    return {
        "area_under_curve": area_under_curve(scores, gone),
        "area_above_recency": gain.gain,
        "area_above_recency_low": gain.low,
        "area_above_recency_high": gain.high,
    }
