import numpy as np
import pytest

from platform_assets.analytics.forecast import library
from platform_assets.analytics.forecast.backtest import backtest
from platform_assets.analytics.forecast.grains import DAY, WEEK
from platform_assets.analytics.forecast.library import LibraryModel, default_models, library_models
from platform_assets.analytics.forecast.models import Forecaster, numpy_models
from platform_assets_tests.analytics.forecast.panel import daily_panel, weekly_panel


def test_without_the_library_numpy_does_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "find_spec", lambda _: None)
    assert [model.name for model in default_models()] == [model.name for model in numpy_models()]


def test_the_library_is_asked_for_or_not() -> None:
    names = [model.name for model in default_models(with_library=True)]
    assert names[-2:] == ["mstl", "auto_theta"]
    assert len(default_models(with_library=False)) == len(names) - 2


def test_a_forecast_of_the_library_goes_through_the_scale_and_its_bounds() -> None:
    class Wild:
        def forecast(self, y: np.ndarray[tuple[int], np.dtype[np.float64]], h: int) -> dict[str, object]:
            assert y.max() == pytest.approx(1)
            return {"mean": [0.5, 1.5, 99.0][:h]}

    model = LibraryModel("wild", lambda _: Wild())
    values = np.exp(np.tile([0.0, 1.0], 100))
    assert model.forecast(values, WEEK, 3) == pytest.approx(np.exp([0.5, 1.5, 2.0]))


@pytest.mark.parametrize("model", library_models(), ids=lambda model: model.name)
def test_models_of_the_library_forecast_retail_weeks(model: Forecaster) -> None:
    pytest.importorskip("statsforecast", reason="the optional extra forecast is not installed")
    values = weekly_panel(members=1)[0].values
    known, came = values[:-13], values[-13:]
    ahead = model.forecast(known, WEEK, 13)
    assert (model.forecast(known, WEEK, 13) == ahead).all()
    assert np.abs(ahead - came).sum() / came.sum() < 0.3


def test_models_of_the_library_stay_away_from_days() -> None:
    found = backtest(daily_panel(members=1, days=760)[0].values, DAY, 28, default_models(with_library=True))
    assert set(found.now.shares) == {model.name for model in numpy_models()}


def test_they_join_the_combination_once_two_years_are_known() -> None:
    pytest.importorskip("statsforecast", reason="the optional extra forecast is not installed")
    found = backtest(weekly_panel(members=1, weeks=135)[0].values, WEEK, 13, default_models(with_library=True))
    assert [("mstl" in one.forecasts) for one in found.past] == [one.cut >= 104 for one in found.past]
    assert found.now.shares["mstl"] > 0
