import numpy as np
import pytest

from platform_assets.analytics.forecast.forecasts import RevenueForecast, forecast_revenue
from platform_assets.analytics.forecast.grains import WEEK, FloatArray
from platform_assets.analytics.forecast.intermittent import RecentMean
from platform_assets.analytics.forecast.series import Series, SeriesKey
from platform_assets_tests.analytics.forecast.panel import START

STEADY = np.full(160, 900.0) + np.tile([50.0, -50], 80)


def series(scope: str, member: str, values: FloatArray, begun: int = 0) -> Series:
    return Series(SeriesKey("EUR", scope, member), WEEK, WEEK.dates(START, [begun])[0], values[begun:])


def shop(begun: int, size: float = 300.0) -> RevenueForecast:
    """A shop to which a channel was added after so many weeks."""
    added = np.where(np.arange(160) >= begun, size, 0.0)
    channels = [series("channel", "store", STEADY), series("channel", "web", added, begun)]
    total = series("total", "total", STEADY + added)
    return forecast_revenue([total, *channels], START, [RecentMean()])


def reason(found: RevenueForecast, scope: str = "total") -> str:
    return str(next(row["reason"] for row in found.skill.to_pylist() if row["scope"] == scope))


# 160 weeks have origins from the 69th on (seven of 13 weeks, with a year and a horizon before them), so that
# the season before is from the 17th on.
@pytest.mark.parametrize(("begun", "is_new"), [(0, False), (17, False), (18, True), (100, True)])
def test_a_total_with_a_channel_that_last_season_did_not_have_is_flagged(begun: int, is_new: bool) -> None:
    found = shop(begun)
    assert ("members that were not there a season before" in reason(found)) is is_new
    assert "members that were not there" not in reason(found, "channel")


def test_the_share_that_is_new_is_that_of_the_revenue_tested() -> None:
    # From the 70th week on: 91 weeks of 900 (45 of them 50 more, 46 less), and 60 of 300.
    share = 60 * 300 / (91 * 900 + 60 * 300 - 50)
    assert f"; {share:.0%} of the revenue tested" in reason(shop(100))


def test_a_new_member_of_little_weight_is_not_worth_a_word() -> None:
    assert "members that were not there" not in reason(shop(100, size=30))


def test_the_error_is_told_against_that_of_the_recent_mean_too() -> None:
    rows = {row["model"]: row for row in shop(100).skill.to_pylist() if row["scope"] == "total"}
    assert rows["recent_mean"]["mean_skill_rate"] == 0
    assert rows["seasonal_naive"]["skill_rate"] == 0
    better = 1 / (1 - rows["recent_mean"]["skill_rate"])
    assert rows["seasonal_naive"]["mean_skill_rate"] == pytest.approx(1 - better)
