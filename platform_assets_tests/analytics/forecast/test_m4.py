import json
from pathlib import Path

import numpy as np
import pytest

from platform_assets.analytics.forecast.backtest import backtest
from platform_assets.analytics.forecast.combination import COMBINATION
from platform_assets.analytics.forecast.grains import WEEK
from platform_assets.analytics.forecast.models import numpy_models
from platform_assets_tests.analytics.forecast.m4 import HORIZON, scores, weekly


def test_the_measures_give_the_published_figures_of_the_naive_forecast(shared_datasets: Path) -> None:
    truth = json.loads((shared_datasets / "truth.json").read_text(encoding="utf-8"))["m4_weekly"]
    listed = weekly(shared_datasets)
    assert len(listed) == truth["series"]
    percent, scaled = scores((one, np.full(HORIZON, one.known[-1])) for one in listed)
    assert (percent, scaled) == pytest.approx((truth["naive"]["sMAPE"], truth["naive"]["MASE"]), abs=5e-4)


def test_numpy_alone_does_better_than_the_winner_of_m4_on_every_sixth_series(shared_datasets: Path) -> None:
    listed = weekly(shared_datasets, every=6)
    models = numpy_models()
    pairs = [(one, backtest(one.known, WEEK, HORIZON, models).now.forecasts[COMBINATION]) for one in listed]
    percent, scaled = scores(pairs)
    # Published for all 359 series: Theta 9.093 and 2.637, the winner 7.817 and 2.356.
    assert percent < 7.817
    assert scaled < 2.356
