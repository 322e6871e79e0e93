import numpy as np
import pytest

from platform_assets.analytics.forecast.autoregression import autoregression
from platform_assets.analytics.forecast.baselines import RobustYearOverYear, SeasonalNaive
from platform_assets.analytics.forecast.grains import DAY, GRAINS, WEEK, Grain
from platform_assets.analytics.forecast.models import Forecaster, SmoothModel, numpy_models
from platform_assets.analytics.forecast.scale import scale_of
from platform_assets.analytics.forecast.seasonality import seasonal_effects
from platform_assets.analytics.forecast.smoothing import damped_trend, theta

WEEKS = np.arange(160.0)
WAVE = np.sin(2 * np.pi * np.arange(52) / 52)


@pytest.mark.parametrize("model", [*numpy_models(), SeasonalNaive()], ids=lambda model: model.name)
@pytest.mark.parametrize("grain", GRAINS, ids=lambda grain: grain.name)
class TestEveryModel:
    def test_of_a_constant_series_says_the_constant(self, model: Forecaster, grain: Grain) -> None:
        ahead = model.forecast(np.full(3 * grain.annual, 120.0), grain, grain.horizon)
        assert ahead == pytest.approx(np.full(grain.horizon, 120.0), rel=1e-9)

    def test_speaks_in_the_unit_of_the_series(self, model: Forecaster, grain: Grain) -> None:
        values = np.exp(np.random.default_rng(1).normal(5, 0.2, 3 * grain.annual))
        ahead = model.forecast(values, grain, grain.horizon)
        assert model.forecast(values * 1000, grain, grain.horizon) == pytest.approx(ahead * 1000, rel=1e-6)

    def test_can_do_with_as_little_as_it_says(self, model: Forecaster, grain: Grain) -> None:
        values = np.random.default_rng(2).uniform(1, 2, model.needs(grain))
        assert np.isfinite(model.forecast(values, grain, grain.horizon)).all()

    def test_takes_zeros_and_returns_that_exceed_sales(self, model: Forecaster, grain: Grain) -> None:
        values = np.random.default_rng(3).normal(1, 2, 2 * grain.annual)
        values[::9] = 0
        assert np.isfinite(model.forecast(values, grain, grain.horizon)).all()

    def test_never_forecasts_less_than_nothing_where_there_never_was(self, model: Forecaster, grain: Grain) -> None:
        values = np.maximum(0, np.linspace(50, -5, 3 * grain.annual))
        assert (model.forecast(values, grain, grain.horizon) >= 0).all()


def test_the_seasonal_naive_forecast_is_last_year_again() -> None:
    assert SeasonalNaive().forecast(WEEKS, WEEK, 3).tolist() == [108, 109, 110]
    assert SeasonalNaive().forecast(WEEKS, DAY, 9).tolist() == [153, 154, 155, 156, 157, 158, 159, 153, 154]


def test_the_seasonal_naive_forecast_of_less_than_a_year_is_the_last_value() -> None:
    assert SeasonalNaive().forecast(np.array([3.0, 5.0]), WEEK, 2).tolist() == [5, 5]


def test_year_over_year_takes_the_median_growth_so_that_one_promotion_does_not_move_it() -> None:
    values = 100 * np.exp(0.2 * WEEKS / 52)
    calm = RobustYearOverYear().forecast(values, WEEK, 13)
    assert calm == pytest.approx(100 * np.exp(0.2 * (160 + np.arange(13)) / 52), rel=1e-3)
    values[-4] *= 10
    assert RobustYearOverYear().forecast(values, WEEK, 13) == pytest.approx(calm, rel=1e-9)


def test_year_over_year_smooths_one_two_one_over_like_steps() -> None:
    year = np.ones(60)
    year[10] = np.e**4  # the second step ahead, a year before
    assert np.log(RobustYearOverYear().forecast(year, WEEK, 4)) == pytest.approx([0, 1, 2, 1])
    days = np.ones(364 + 56)
    days[70] = np.e**4
    ahead = np.log(RobustYearOverYear().forecast(days, DAY, 28))
    assert ahead[[7, 14, 21]] == pytest.approx([1, 2, 1])
    assert np.delete(ahead, [7, 14, 21]) == pytest.approx(np.zeros(25))


def test_a_damped_trend_goes_on_with_smaller_and_smaller_steps() -> None:
    steps = np.diff(damped_trend(10 + 2 * np.arange(100.0), 13))
    assert ((steps > 0) & (steps < 2)).all()
    assert (np.diff(steps) < 0).all()


def test_theta_has_half_the_slope_of_the_series_as_drift() -> None:
    ahead = theta(10 + 2 * np.arange(100.0), 5)
    assert np.diff(ahead) == pytest.approx(np.ones(4))


def test_an_autoregression_finds_changes_that_take_turns() -> None:
    values = np.cumsum(np.where(np.arange(200) % 2, 1.0, -1.0))
    ahead = autoregression(values, 4, 8)
    assert np.sign(np.diff(ahead)).tolist() == [1, -1, 1] or np.sign(np.diff(ahead)).tolist() == [-1, 1, -1]
    assert np.sign(ahead[0] - values[-1]) == -np.sign(values[-1] - values[-2])


def test_an_autoregression_of_a_short_series_is_the_last_value() -> None:
    assert autoregression(np.arange(20.0), 3, 8).tolist() == [19, 19, 19]


def test_identical_years_keep_their_effects() -> None:
    effects = seasonal_effects(np.tile(WAVE, 4), 52)
    assert effects == pytest.approx(WAVE, abs=0.02)


def test_noise_has_next_to_no_seasons() -> None:
    kept = [seasonal_effects(np.random.default_rng(seed).normal(0, 1, 208), 52) for seed in range(20)]
    # Means of four values would have a variance of one quarter.
    assert np.mean([(effects**2).mean() for effects in kept]) < 0.25 / 10


def test_the_first_effect_is_that_of_the_next_step() -> None:
    values = np.tile(WAVE, 5)[:-7]
    assert seasonal_effects(values, 52)[0] == pytest.approx(WAVE[45], abs=0.05)


def test_less_than_two_years_have_no_seasons() -> None:
    assert not seasonal_effects(np.tile(WAVE, 2)[:-1], 52).any()


@pytest.mark.parametrize("name", ["seasonal_damped_trend", "seasonal_theta", "seasonal_random_walk"])
def test_seasons_come_back_in_the_forecast(name: str) -> None:
    model = next(model for model in numpy_models() if model.name == name)
    ahead = model.forecast(1000 * np.exp(np.tile(WAVE, 4)), WEEK, 52)
    assert np.log(ahead / 1000) == pytest.approx(WAVE, abs=0.1)


def test_weekdays_come_back_in_the_forecast_of_days() -> None:
    week = np.array([1.0, 1, 1, 1, 2, 3, 0])
    ahead = numpy_models()[0].forecast(np.tile(week, 30), DAY, 14)
    assert ahead == pytest.approx(np.tile(week, 2), abs=0.02)


def test_a_model_that_runs_away_is_stopped_at_the_width_of_the_known_range() -> None:
    wild = SmoothModel("wild", lambda values, _, horizon: values[-1] + 100.0 * np.arange(1, horizon + 1))
    ahead = wild.forecast(np.exp(np.array([0.0, 1.0, 0.0, 1.0])), WEEK, 3)
    assert ahead == pytest.approx(np.exp([2, 2, 2]))


@pytest.mark.parametrize(
    ("values", "is_log"),
    [([1.0, 2, 3], True), ([0.0, 2, 3], False), ([-1.0, 2, 3], False), ([0.001, 2, 3], False)],
)
def test_logarithms_are_for_series_that_stay_clear_of_zero(values: list[float], is_log: bool) -> None:
    scale = scale_of(np.array(values))
    assert scale.is_log == is_log
    assert scale.backward(scale.forward(np.array(values))) == pytest.approx(values)
