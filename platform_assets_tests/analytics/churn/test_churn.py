from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import rankdata

from platform_assets.analytics.churn.calibration import Flags
from platform_assets.analytics.churn.choice import Choice, best_score, chosen
from platform_assets.analytics.churn.churn import CHURN_SCHEMA, Backtest, backtest, churn_rates
from platform_assets.analytics.churn.evaluation import CALIBRATION_SCHEMA, EVALUATION_SCHEMA
from platform_assets.analytics.churn.learning import Learned, learn
from platform_assets.analytics.churn.scores import Score, ScoreRefusedError, days_since_last, model_score
from platform_assets.analytics.lifetime.beta_geometric import BgNbd
from platform_assets.analytics.lifetime.fitting import MODELS, fit
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import TransactionModel
from platform_assets.analytics.lifetime.summaries import Split
from platform_assets_tests.analytics.lifetime.sales import SPLIT, cdnow_sales, summaries

HORIZON = 91
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


Windows = tuple[pa.Table, pa.Table, pa.Table, pa.Table]


@pytest.fixture(scope="module")
def windows(shared_datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Windows:
    """CDNOW two horizons and one before the split, at the split, and a horizon after it."""
    sales, scratch = cdnow_sales(shared_datasets), tmp_path_factory.mktemp("churn")
    days = [SPLIT + timedelta(days=HORIZON * place) for place in (-2, -1, 0, 1)]
    past = [summaries(sales, Split(day, HORIZON, HORIZON), scratch) for day in days[:3]]
    return past[0], past[1], past[2], summaries(sales, Split(days[3], 0, HORIZON), scratch)


@pytest.fixture(scope="module")
def choice(windows: Windows) -> Choice:
    return chosen(windows[0], windows[1], HORIZON)


def judged(windows: Windows, choice: Choice) -> tuple[Backtest, dict[str, dict[str, Any]]]:
    found = backtest(choice, windows[1], windows[2], HORIZON)
    return found, {row["score"]: row for row in found.evaluation.to_pylist()}


def replaced(table: pa.Table, holdout_orders: Flags) -> pa.Table:
    """With other customers ordering after the split, a week after it."""
    recency, age = table["recency_weeks"].to_numpy(), table["age_weeks"].to_numpy()
    columns = {
        "holdout_orders": holdout_orders.astype(np.int64),
        "whole_recency_weeks": np.where(holdout_orders, age + 1, recency),
    }
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    return table


def test_churn_of_cdnow_is_predicted_better_than_by_recency(windows: Windows, choice: Choice) -> None:
    found, rows = judged(windows, choice)

    assert found.evaluation.schema == EVALUATION_SCHEMA
    used = rows[choice.score.value]
    assert used["is_used"]
    assert used["area_under_curve"] >= 0.77
    assert used["area_under_curve"] > rows["recency"]["area_under_curve"]
    assert used["area_above_recency_low"] < used["area_above_recency"] < used["area_above_recency_high"]
    assert used["brier_score"] < rows["recency"]["brier_score"]
    assert used["brier_score"] < used["brier_of_base_rate"]
    assert used["churn_rate"] == pytest.approx(1 - 0.171, abs=1e-3)
    assert [row["is_used"] for row in rows.values()].count(True) == 1
    assert {row["model"] for row in rows.values()} == {choice.model.name}
    assert {(row["choice_date"], row["split_date"]) for row in rows.values()} == {
        (SPLIT - timedelta(days=HORIZON), SPLIT)
    }


def test_days_on_which_it_is_judged_change_no_choice_and_it_can_fail(windows: Windows, choice: Choice) -> None:
    """Had those come back whom recency, but not the score in use, expected, that shows, and is not chosen away."""
    later = windows[2]
    score = model_score(Score.ACTIVE, fit(choice.model, Histories.of_summaries(later)), later, HORIZON)
    ahead = rankdata(-days_since_last(later)) - rankdata(score)
    contrary = replaced(later, ahead > np.quantile(ahead, 0.8))

    _, rows = judged((*windows[:2], contrary, windows[3]), choice)

    assert rows[choice.score.value]["is_used"]
    assert rows[choice.score.value]["area_above_recency_high"] < 0
    assert rows["recency"]["area_above_recency_high"] == 0


def test_what_came_in_the_days_of_the_choice_decides_it(windows: Windows, choice: Choice) -> None:
    """Where exactly those come back who came last, recency is chosen."""
    latest = -days_since_last(windows[1])

    other = chosen(windows[0], replaced(windows[1], latest > np.quantile(latest, 0.8)), HORIZON)

    assert other.score is Score.RECENCY
    assert choice.score is not Score.RECENCY


@pytest.mark.parametrize(("place", "kept"), [(0, 60), (1, 60), (0, 0)])
def test_a_history_too_short_to_choose_is_judged_with_the_first_model(windows: Windows, place: int, kept: int) -> None:
    short = [table.slice(0, kept) if number == place else table for number, table in enumerate(windows[:2])]

    choice = chosen(short[0], short[1], HORIZON)
    _, rows = judged(windows, choice)

    assert (choice.model.name, choice.score, choice.day) == ("mbg_nbd", Score.ACTIVE, None)
    assert rows["active"]["is_used"]
    assert rows["active"]["choice_date"] is None


def test_another_score_is_taken_only_where_it_errs_less_by_more_than_chance() -> None:
    gone = np.arange(1000) % 2 == 0
    good, better, worse = (np.where(gone, right, 1 - right) for right in (0.8, 0.9, 0.6))
    unsure = np.where(np.arange(1000) < 500, better, np.where(gone, 0.736, 0.264))  # by .0002
    areas = dict.fromkeys((Score.ACTIVE, Score.LOGISTIC, Score.RECENCY), 0.8)

    def best(challenger: Array, **other: float) -> Score:
        rates = {Score.ACTIVE: good, Score.LOGISTIC: challenger, Score.RECENCY: worse}
        return best_score(rates, areas | {Score(name): area for name, area in other.items()}, gone)

    assert best(better) is Score.LOGISTIC
    assert best(worse) is Score.ACTIVE
    assert best(unsure) is Score.ACTIVE
    assert best(better, logistic=0.7) is Score.ACTIVE
    assert best(worse, active=0.7) is Score.RECENCY


@pytest.mark.parametrize(
    ("model", "score", "area"),
    [
        ("pareto_nbd", "active", 0.793),
        ("mbg_nbd", "active", 0.788),
        ("bg_nbd", "active", 0.785),
        ("bg_nbd", "logistic", 0.793),
        ("bg_nbd", "recency", 0.784),
        ("bg_nbd", "alive", 0.332),
        ("pareto_nbd", "alive", 0.747),
    ],
)
def test_scores_order_customers_of_cdnow_as_measured_before(
    windows: Windows, model: str, score: str, area: float
) -> None:
    _, rows = judged(windows, Choice(next(one for one in MODELS if one.name == model)))

    assert rows[score]["area_under_curve"] == pytest.approx(area, abs=0.002)


def test_p_alive_is_reported_but_never_admitted(windows: Windows) -> None:
    _, rows = judged(windows, Choice(BgNbd()))

    assert {name: row["is_admitted"] for name, row in rows.items()} == {
        "active": True,
        "logistic": True,
        "recency": True,
        "alive": False,
    }
    assert not rows["alive"]["is_used"]
    learned = learn(BgNbd(), windows[1], HORIZON)
    assert isinstance(learned, Learned)
    with pytest.raises(ScoreRefusedError, match="no churn score"):
        learned.churn(Score.ALIVE, fit(BgNbd(), Histories.of_summaries(windows[2])), windows[2])


@each_model
def test_probabilities_are_calibrated_on_time_that_nothing_had_seen(windows: Windows, model: TransactionModel) -> None:
    found, rows = judged(windows, Choice(model))

    assert found.calibration.schema == CALIBRATION_SCHEMA
    assert rows["active"]["expected_churn_rate"] == pytest.approx(rows["active"]["churn_rate"], abs=0.05)
    bins = [row for row in found.calibration.to_pylist() if row["score"] == "active"]
    assert sum(row["customers"] for row in bins) == 2357
    assert [row["expected_churn_rate"] for row in bins] == sorted(row["expected_churn_rate"] for row in bins)
    gap = sum(abs(row["expected_churn_rate"] - row["churn_rate"]) * row["customers"] for row in bins) / 2357
    assert gap < 0.05
    assert all(row["churn_low_rate"] <= row["churn_rate"] <= row["churn_high_rate"] for row in bins)


def test_todays_customers_get_a_probability_each(windows: Windows, choice: Choice) -> None:
    _, _, later, now = windows
    found, _ = judged(windows, choice)

    table = churn_rates(later, now, HORIZON, found)

    assert table.schema == CHURN_SCHEMA
    rates = table["churn_rate"].to_numpy()
    assert ((rates > 0) & (rates < 1)).all()
    assert table["customer_id"].to_pylist() == now["customer_id"].to_pylist()
    assert set(table["score"].to_pylist()) == {choice.score.value}
    assert table["reason"].null_count == table.num_rows
    assert table["days_since_last"].to_pylist() == days_since_last(now).tolist()
    # whoever bought again often and lately is less likely to stay away than who came once, long ago
    frequency, silent = now["frequency"].to_numpy(), days_since_last(now)
    assert rates[(frequency >= 5) & (silent < 60)].max() < rates[(frequency == 0) & (silent > 280)].min()


def test_the_order_of_rows_changes_no_probability(windows: Windows) -> None:
    chance = np.random.default_rng(4)
    turned = [table.take(chance.permutation(table.num_rows)) for table in windows]

    first, second = (
        churn_rates(later, now, HORIZON, backtest(chosen(earliest, earlier, HORIZON), earlier, later, HORIZON))
        for earliest, earlier, later, now in (windows, turned)
    )

    assert first.sort_by("customer_id") == second.sort_by("customer_id")


@pytest.mark.parametrize("kept", [0, 60])
def test_too_few_customers_get_a_reason_instead_of_a_number(windows: Windows, kept: int) -> None:
    earliest, earlier, later, now = (table.slice(0, kept) for table in windows)

    found = backtest(chosen(earliest, earlier, HORIZON), earlier, later, HORIZON)
    table = churn_rates(later, now, HORIZON, found)

    assert found.reason is not None
    assert found.reason.startswith(f"{kept} customers a horizon ago")
    assert table["churn_rate"].null_count == kept
    assert set(table["reason"].to_pylist()) <= {found.reason}


def test_where_everybody_stays_nothing_can_be_learned(windows: Windows) -> None:
    everyone = replaced(windows[1], np.ones(2357, dtype=bool))

    reason = learn(BgNbd(), everyone, HORIZON)

    assert isinstance(reason, str)
    assert "2357 ordered in it and 0 did not" in reason
    assert everyone["as_of_date"][0].as_py() == date(1997, 7, 1)
