import numpy as np
import pytest

from platform_assets.analytics.forecast.grains import DAY, WEEK, FloatArray, Grain
from platform_assets.analytics.forecast.intermittent import Kind, RecentMean, Tsb, kind_of

STEADY = np.full(200, 10.0)
CLOSED_ON_WEEKENDS = np.tile([5.0, 5, 5, 5, 5, 0, 0], 40)
OPEN_ON_ONE_SUNDAY = np.concatenate([CLOSED_ON_WEEKENDS[:-1], [1.0]])
SPARSE = np.tile([0.0, 0, 0, 12], 50)


@pytest.mark.parametrize(
    ("values", "grain", "kind"),
    [
        (STEADY, WEEK, Kind.REGULAR),
        (STEADY[:78], WEEK, Kind.REGULAR),
        (STEADY[:77], WEEK, Kind.SHORT),
        (STEADY[:4], WEEK, Kind.SHORT),
        (STEADY[:3], WEEK, Kind.TOO_NEW),
        (STEADY[:27], DAY, Kind.TOO_NEW),
        (SPARSE, WEEK, Kind.INTERMITTENT),
        (CLOSED_ON_WEEKENDS, DAY, Kind.REGULAR),
        (OPEN_ON_ONE_SUNDAY, DAY, Kind.REGULAR),
        (CLOSED_ON_WEEKENDS, WEEK, Kind.INTERMITTENT),
        (np.tile([3.0, *[0] * 9], 40), DAY, Kind.INTERMITTENT),
        (np.concatenate([STEADY, np.zeros(13)]), WEEK, Kind.ENDED),
        (np.concatenate([STEADY, np.zeros(12)]), WEEK, Kind.REGULAR),
    ],
)
def test_a_series_is_of_one_kind(values: FloatArray, grain: Grain, kind: Kind) -> None:
    assert kind_of(values, grain, grain.horizon if grain is WEEK else 28) is kind


def test_the_recent_mean_is_of_thirteen_weeks() -> None:
    assert RecentMean().forecast(np.arange(20.0), WEEK, 2).tolist() == [13, 13]
    assert RecentMean().forecast(np.arange(4.0), WEEK, 2).tolist() == [1.5, 1.5]


def test_sparse_sales_are_forecast_as_how_often_times_how_much() -> None:
    assert Tsb().forecast(SPARSE, WEEK, 3) == pytest.approx(np.full(3, 3.0), rel=0.05)


def test_the_rate_falls_when_sales_stop_as_crostons_does_not() -> None:
    after = Tsb().forecast(np.concatenate([SPARSE, np.zeros(60)]), WEEK, 1)[0]
    assert after < 3.0 * 0.4
