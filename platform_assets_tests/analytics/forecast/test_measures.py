import numpy as np
import pytest

from platform_assets.analytics.forecast.measures import bias, mase, skill, smape, wape

ACTUAL = np.array([100.0, 50.0, 0.0])
FORECAST = np.array([80.0, 60.0, 0.0])


def test_smape_is_that_of_the_m4_competition() -> None:
    assert smape(ACTUAL, FORECAST) == pytest.approx(200 * (20 / 180 + 10 / 110 + 0) / 3)


def test_wape_and_bias_are_by_the_size_of_what_came() -> None:
    assert wape(ACTUAL, FORECAST) == pytest.approx(30 / 150)
    assert bias(ACTUAL, FORECAST) == pytest.approx(-10 / 150)


def test_returns_count_with_their_size() -> None:
    assert wape(np.array([-100.0, 100.0]), np.array([0.0, 100.0])) == pytest.approx(0.5)


def test_mase_is_by_the_seasonal_naive_error_of_the_known_part() -> None:
    known = np.array([1.0, 2.0, 3.0, 5.0])  # two steps apart: 2 and 3
    assert mase(known, np.array([10.0]), np.array([5.0]), 2) == pytest.approx(5 / 2.5)
    assert mase(known, np.array([10.0]), np.array([6.0]), 52) == pytest.approx(4 / (4 / 3))


def test_skill_is_the_share_of_the_error_avoided() -> None:
    assert skill(ACTUAL, FORECAST, np.array([60.0, 70.0, 0.0])) == pytest.approx(0.5)
    assert skill(ACTUAL, np.array([0.0, 50.0, 0.0]), np.array([50.0, 50.0, 0.0])) == pytest.approx(-1.0)


def test_what_cannot_be_said_is_none() -> None:
    assert wape(np.zeros(2), np.ones(2)) is None
    assert bias(np.zeros(2), np.ones(2)) is None
    assert mase(np.ones(9), np.ones(2), np.zeros(2), 1) is None
    assert skill(ACTUAL, FORECAST, ACTUAL) is None
