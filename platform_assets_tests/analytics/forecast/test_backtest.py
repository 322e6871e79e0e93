from dataclasses import dataclass

import numpy as np
import pytest

from platform_assets.analytics.forecast.backtest import backtest, origins
from platform_assets.analytics.forecast.grains import WEEK, FloatArray, Grain


@dataclass(frozen=True)
class Off:
    """Says the last value and so much more."""

    name: str
    by: float
    least: int = 1

    def needs(self, grain: Grain) -> int:
        del grain
        return self.least

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:
        del grain
        return np.full(horizon, values[-1] + self.by)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (208, [104, 117, 130, 143, 156, 169, 182, 195]),
        (130, [65, 78, 91, 104, 117]),
        (78, [26, 39, 52, 65]),
        (60, [34, 47]),
        (20, []),
    ],
)
def test_origins_are_a_horizon_apart_and_end_with_the_series(size: int, expected: list[int]) -> None:
    assert origins(size, WEEK, 13) == expected


def test_a_forecast_knows_nothing_of_what_came_after_its_origin() -> None:
    values = np.random.default_rng(5).uniform(50, 150, 208)
    changed = values.copy()
    changed[182:] *= 3
    models = (Off("a", 1.0), Off("b", -7.0))
    before, after = (backtest(series, WEEK, 13, models).past for series in (values, changed))
    for one, other in zip(before, after, strict=True):
        is_same = all((one.forecasts[name] == other.forecasts[name]).all() for name in one.forecasts)
        assert is_same == (one.cut <= 182)


def test_weights_at_an_origin_come_from_the_origins_before() -> None:
    found = backtest(np.full(208, 100.0), WEEK, 13, (Off("near", 1.0), Off("far", 2.0)))
    assert found.past[0].shares == {"near": 0.5, "far": 0.5}
    assert found.past[1].shares == pytest.approx({"near": 0.8, "far": 0.2})
    assert found.now.shares == pytest.approx({"near": 0.8, "far": 0.2})


def test_a_model_takes_part_as_soon_as_there_is_enough_for_it() -> None:
    found = backtest(np.full(208, 100.0), WEEK, 13, (Off("a", 1.0), Off("late", 1.0, least=150)))
    assert ["late" in one.forecasts for one in found.past] == [cut >= 150 for cut in origins(208, WEEK, 13)]


def test_a_model_that_says_no_number_is_left_out() -> None:
    found = backtest(np.full(208, 100.0), WEEK, 13, (Off("a", 1.0), Off("broken", float("nan"))))
    assert set(found.now.forecasts) == {"a", "combination", "seasonal_naive", "recent_mean"}


def test_without_any_model_the_baseline_stands_in() -> None:
    found = backtest(np.arange(1.0, 209), WEEK, 13, (Off("late", 0.0, least=999),))
    assert found.now.forecasts["combination"].tolist() == np.arange(157.0, 170).tolist()
