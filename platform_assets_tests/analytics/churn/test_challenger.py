from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.churn.challenger import FEATURES, features, out_of_fold, train
from platform_assets.analytics.churn.evaluation import area_under_curve
from platform_assets.analytics.lifetime.summaries import SUMMARIES_SCHEMA


def customers(frequency: list[int], recency: list[float], age: list[float], later: list[int]) -> pa.Table:
    rows = [
        {
            "customer_id": f"c{number:05}",
            "frequency": x,
            "recency_weeks": t_x,
            "age_weeks": whole,
            "spend_orders": x,
            "repeat_spend_amount": Decimal(20 * x),
            "recent_orders": 1,
            "sales_amount": Decimal(20 * (x + 1)),
            "holdout_orders": orders,
        }
        for number, (x, t_x, whole, orders) in enumerate(zip(frequency, recency, age, later, strict=True))
    ]
    return pa.Table.from_pylist(rows, SUMMARIES_SCHEMA)


def test_features_are_what_their_names_say() -> None:
    seen = dict(zip(FEATURES, features(customers([0, 2], [0, 20], [30, 50], [0, 1])).T, strict=True))

    assert seen["log_frequency"] == pytest.approx(np.log([1, 3]))
    assert seen["silent_weeks"].tolist() == [30, 30]
    assert seen["silence_in_own_intervals"].tolist() == [1, 3]
    assert seen["log_mean_spend"] == pytest.approx([0, np.log(21)])
    assert seen["log_sales"] == pytest.approx(np.log([21, 61]))
    assert seen["has_come_back"].tolist() == [0, 1]


def test_it_learns_who_orders_and_its_probabilities_add_up() -> None:
    rng = np.random.default_rng(0)
    frequency = rng.integers(0, 8, 3000)
    silent = rng.uniform(0, 40, 3000)
    age = silent + np.where(frequency > 0, 30.0, 0.0)
    later = rng.random(3000) < 1 / (1 + np.exp(1 + silent / 10 - frequency / 2))
    table = customers(
        frequency.tolist(), np.where(frequency > 0, 30.0, 0.0).tolist(), age.tolist(), later.astype(int).tolist()
    )

    active = train(table).active(table)

    assert active.mean() == pytest.approx(later.mean(), abs=1e-3)
    assert active[later].mean() > active[~later].mean() + 0.2
    assert ((active > 0) & (active < 1)).all()


def test_what_it_says_of_others_than_it_was_trained_on_knows_nothing_where_there_is_nothing_to_know() -> None:
    """Who orders is drawn by lot: those it learned from it seems to know, the others not."""
    rng = np.random.default_rng(2)
    seen, unseen = [], []
    for _ in range(12):
        later = rng.permutation(60) < 30
        frequency, recency, age = rng.integers(0, 5, 60), rng.uniform(1, 30, 60), rng.uniform(30, 60, 60)
        table = customers(frequency.tolist(), recency.tolist(), age.tolist(), later.astype(int).tolist())
        seen.append(area_under_curve(train(table).active(table), later) or 0)
        unseen.append(area_under_curve(out_of_fold(table), later) or 1)

    assert np.mean(seen) > 0.6
    assert np.mean(unseen) < 0.53


def test_out_of_fold_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    frequency, recency, later = rng.integers(1, 9, 200), rng.uniform(1, 30, 200), rng.integers(0, 2, 200)
    table = customers(frequency.tolist(), recency.tolist(), [40.0] * 200, later.tolist())
    turned = rng.permutation(200)

    assert (out_of_fold(table.take(turned)) == out_of_fold(table)[turned]).all()
