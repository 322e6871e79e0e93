import numpy as np
import pytest

from platform_assets.analytics.forecast.combination import combined, weights
from platform_assets.analytics.forecast.scale import scale_of

LOG = scale_of(np.array([1.0, 2.0]))
PLAIN = scale_of(np.array([-1.0, 2.0]))


def test_weights_are_inverse_squares_of_the_mean_error() -> None:
    past = [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 6.0}]
    assert weights(["a", "b"], past) == pytest.approx({"a": 0.8, "b": 0.2})


def test_nothing_known_means_equal_weights() -> None:
    assert weights(["a", "b"], []) == {"a": 0.5, "b": 0.5}


def test_only_origins_where_all_took_part_are_compared() -> None:
    past = [{"a": 100.0}, {"a": 1.0, "b": 2.0}]
    assert weights(["a", "b"], past) == pytest.approx({"a": 0.8, "b": 0.2})


def test_origins_long_ago_are_forgotten() -> None:
    past = [{"a": 100.0, "b": 1.0}, *[{"a": 1.0, "b": 2.0}] * 4]
    assert weights(["a", "b"], past) == pytest.approx({"a": 0.8, "b": 0.2})


def test_a_member_without_any_error_takes_all() -> None:
    assert weights(["a", "b", "c"], [{"a": 0.0, "b": 1.0, "c": 0.0}]) == {"a": 0.5, "b": 0.0, "c": 0.5}


def test_positive_series_are_combined_as_logarithms_and_others_as_amounts() -> None:
    forecasts = {"a": np.array([1.0]), "b": np.array([100.0])}
    shares = {"a": 0.5, "b": 0.5}
    assert combined(forecasts, shares, LOG) == pytest.approx([10])
    assert combined(forecasts, shares, PLAIN) == pytest.approx([50.5])


def test_a_forecast_of_nothing_has_no_logarithm_and_is_combined_as_an_amount() -> None:
    forecasts = {"a": np.array([0.0]), "b": np.array([100.0])}
    assert combined(forecasts, {"a": 0.5, "b": 0.5}, LOG) == pytest.approx([50])
