from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.forecast.forecasts import RevenueForecast, forecast_revenue
from platform_assets.analytics.forecast.grains import WEEK, FloatArray, Grain
from platform_assets.analytics.forecast.models import numpy_models
from platform_assets.analytics.forecast.results import (
    BACKTEST_SCHEMA,
    COVERAGE_SCHEMA,
    FORECASTS_SCHEMA,
    SKILL_SCHEMA,
    money,
)
from platform_assets.analytics.forecast.series import Series, SeriesKey
from platform_assets_tests.analytics.forecast.panel import START, daily_panel, weekly_panel

AS_OF = date(2024, 1, 1)
Row = dict[str, Any]


@cache
def weekly() -> RevenueForecast:
    return forecast_revenue(weekly_panel(), AS_OF, numpy_models())


@cache
def daily() -> RevenueForecast:
    return forecast_revenue(daily_panel(), AS_OF, numpy_models())


def one(values: FloatArray, member: str = "tea") -> Series:
    return Series(SeriesKey("EUR", "category", member), WEEK, START, values)


def forecast(*series: Series) -> RevenueForecast:
    return forecast_revenue(series, AS_OF, numpy_models())


def used(found: RevenueForecast) -> Row:
    return next(row for row in found.skill.to_pylist() if row["is_used"])


def saved(found: RevenueForecast) -> float:
    """Share of the seasonal naive forecast's absolute error that the combination avoids, over everything."""
    errors: dict[str, Decimal] = {}
    for row in found.backtest.to_pylist():
        error = abs(row["actual_amount"] - row["forecast_amount"])
        errors[row["model"]] = errors.get(row["model"], Decimal(0)) + error
    return float(1 - errors["combination"] / errors["seasonal_naive"])


@pytest.mark.parametrize("found", [weekly, daily], ids=["weeks", "days"])
class TestARetailPanel:
    def test_is_forecast_a_quarter_better_than_by_last_season_again(self, found: Any) -> None:
        assert saved(found()) >= 0.25

    def test_is_within_the_80_percent_interval_as_often_as_that_says(self, found: Any) -> None:
        line = found().coverage.to_pylist()[0]
        assert line["nominal_rate"] == 0.8
        assert line["points"] >= 200
        assert line["is_enough"]
        assert 0.75 <= line["realised_rate"] <= 0.87

    def test_is_within_the_95_percent_interval_nearly_always(self, found: Any) -> None:
        assert 0.92 <= found().coverage.to_pylist()[1]["realised_rate"] <= 0.98

    def test_is_tried_at_four_origins_at_least(self, found: Any) -> None:
        assert all(row["origins"] >= 4 for row in found().skill.to_pylist() if row["is_used"])

    def test_is_forecastable_with_hardly_an_exception(self, found: Any) -> None:
        statuses = [row["status"] for row in found().forecasts.to_pylist() if row["step"] == 1]
        assert statuses.count("forecastable") >= 0.9 * len(statuses)

    def test_has_nested_intervals_around_every_forecast(self, found: Any) -> None:
        for row in found().forecasts.to_pylist():
            if row["status"] != "forecastable":
                continue
            ends = ("lower_95_amount", "lower_80_amount", "forecast_amount", "upper_80_amount", "upper_95_amount")
            amounts = [row[name] for name in ends]
            assert amounts == sorted(amounts)
            assert amounts[0] < amounts[-1]

    def test_has_weights_that_sum_to_one(self, found: Any) -> None:
        shares: dict[str, float] = {}
        for row in found().skill.to_pylist():
            shares[row["member"]] = shares.get(row["member"], 0.0) + (row["weight_rate"] or 0.0)
        assert list(shares.values()) == pytest.approx([1.0] * len(shares))


def test_realised_coverage_is_that_of_the_stored_intervals() -> None:
    rows = [row for row in weekly().backtest.to_pylist() if row["lower_80_amount"] is not None]
    held = sum(row["lower_80_amount"] <= row["actual_amount"] <= row["upper_80_amount"] for row in rows)
    line = weekly().coverage.to_pylist()[0]
    assert line["points"] == len(rows)
    assert line["covered_points"] == held


def test_stored_figures_follow_from_the_stored_backtest() -> None:
    line = next(row for row in weekly().skill.to_pylist() if row["is_used"])
    rows = [
        row
        for row in weekly().backtest.to_pylist()
        if row["member"] == line["member"] and row["model"] == "combination"
    ]
    size = sum(abs(row["actual_amount"]) for row in rows)
    assert line["points"] == len(rows)
    assert line["wape_rate"] == pytest.approx(
        float(sum(abs(row["actual_amount"] - row["forecast_amount"]) for row in rows) / size), abs=1e-6
    )
    assert line["bias_rate"] == pytest.approx(
        float(sum(row["forecast_amount"] - row["actual_amount"] for row in rows) / size), abs=1e-6
    )


@dataclass(frozen=True)
class Late:
    """A member that only the whole history is long enough for."""

    size: int
    name: str = "late"

    def needs(self, grain: Grain) -> int:  # noqa: ARG002 - the protocol of members
        return self.size

    def forecast(self, values: FloatArray, grain: Grain, horizon: int) -> FloatArray:  # noqa: ARG002 - see above
        return np.full(horizon, values.mean())


def test_a_member_that_was_never_tried_is_listed_with_its_weight_and_no_figures() -> None:
    series = weekly_panel()[0]

    found = forecast_revenue([series], AS_OF, [*numpy_models(), Late(len(series.values))])

    rows = {row["model"]: row for row in found.skill.to_pylist()}
    assert sum(row["weight_rate"] or 0 for row in rows.values()) == pytest.approx(1, abs=1e-12)
    assert rows["late"]["weight_rate"] > 0
    assert (rows["late"]["origins"], rows["late"]["points"], rows["late"]["wape_rate"]) == (0, 0, None)


def test_the_first_step_is_the_one_after_the_last_that_is_known() -> None:
    rows = [row for row in weekly().forecasts.to_pylist() if row["member"] == "category 00"]
    assert [row["step"] for row in rows] == list(range(1, 14))
    assert [row["period_start_date"] for row in rows] == [START + timedelta(weeks=208 + step) for step in range(13)]


def test_tables_have_their_schemas_also_without_series() -> None:
    for found in (weekly(), forecast()):
        assert found.forecasts.schema == FORECASTS_SCHEMA
        assert found.backtest.schema == BACKTEST_SCHEMA
        assert found.skill.schema == SKILL_SCHEMA
        assert found.coverage.schema == COVERAGE_SCHEMA
    assert forecast().forecasts.num_rows == 0


def test_the_same_series_in_another_order_give_the_same_tables() -> None:
    panel = weekly_panel(members=3)
    once, again = forecast(*panel), forecast(*panel[::-1])
    for name in ("forecasts", "backtest", "skill", "coverage"):
        assert getattr(once, name).equals(getattr(again, name)), name


def test_days_and_weeks_are_calibrated_apart() -> None:
    found = forecast(*weekly_panel(members=2), *daily_panel(members=2, days=300))
    assert found.coverage["grain"].to_pylist() == ["day", "day", "week", "week"]
    alone = forecast(*weekly_panel(members=2))
    assert found.forecasts.filter(pa.compute.equal(found.forecasts["grain"], "week")).equals(alone.forecasts)


def test_what_last_year_says_as_well_is_not_forecastable_and_has_no_number() -> None:
    # A level that jumps about, the same every year but for the noise: nothing can beat last year by much.
    rng = np.random.default_rng(8)
    year = np.tile(np.exp(rng.normal(7, 0.5, 52)), 3)[:150]
    found = forecast(one(year * np.exp(rng.normal(0, 0.05, 150))))
    assert {row["is_used"] for row in found.skill.to_pylist()} == {False}
    rows = found.forecasts.to_pylist()
    assert {row["status"] for row in rows} == {"not_forecastable"}
    assert {row["forecast_amount"] for row in rows} == {None}
    assert {row["upper_95_amount"] for row in rows} == {None}
    assert all(row["baseline_amount"] > 0 for row in rows)
    assert "below 5%" in found.skill["reason"][0].as_py()


def test_noise_around_a_level_is_forecast_as_a_level_and_says_so() -> None:
    found = forecast(one(np.exp(np.random.default_rng(9).normal(7, 0.5, 200))))
    assert used(found)["status"] == "level_only"
    assert used(found)["reason"].startswith("a mean level: the recent mean does as well")
    for row in found.forecasts.to_pylist():
        assert row["lower_80_amount"] < 1100 < row["upper_80_amount"]  # exp(7) = 1096.6


def test_a_new_series_gets_its_recent_mean_and_says_so() -> None:
    found = forecast(one(np.array([8.0, 10, 12, 14])))
    assert found.forecasts["forecast_amount"].to_pylist() == [Decimal("11.0000")] * 13
    assert found.forecasts["upper_80_amount"].null_count == 13
    line = used(found)
    assert (line["status"], line["model"], line["origins"]) == ("level_only", "recent_mean", 0)
    assert line["reason"] == "short: 4 weeks are known and a full test takes 78; the recent mean, untested"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.ones(3), "new: 3 weeks are known, less than four weeks"),
        (np.concatenate([np.ones(100), np.zeros(13)]), "ended: no revenue in the last 13 weeks"),
    ],
)
def test_what_cannot_be_tried_has_a_reason_and_no_number(values: FloatArray, reason: str) -> None:
    found = forecast(one(values))
    assert found.skill["reason"].to_pylist() == [reason]
    assert set(found.forecasts["reason"].to_pylist()) == {reason}
    assert found.forecasts["forecast_amount"].null_count == found.forecasts.num_rows == 13


def test_an_intermittent_series_gets_a_mean_level_and_says_so() -> None:
    rng = np.random.default_rng(4)
    values = np.where(rng.random((12, 208)) < 0.5, rng.uniform(5, 15, (12, 208)), 0.0)
    found = forecast(*(one(row, f"member {place:02}") for place, row in enumerate(values)))
    lines = [row for row in found.skill.to_pylist() if row["is_used"]]
    assert {row["status"] for row in lines} == {"level_only"}
    assert all(row["reason"].startswith("intermittent: a mean level") for row in lines)
    assert set(found.skill["model"].to_pylist()) == {"tsb", "recent_mean", "combination", "seasonal_naive"}
    levels = [row["forecast_amount"] for row in found.forecasts.to_pylist() if row["forecast_amount"] is not None]
    assert float(sum(levels)) / len(levels) == pytest.approx(5, abs=1)  # half of the weeks, 10 each


def test_a_constant_series_is_forecast_without_error() -> None:
    found = forecast(one(np.full(160, 70.0)))
    assert set(found.forecasts["status"].to_pylist()) == {"forecastable"}
    assert set(found.forecasts["forecast_amount"].to_pylist()) == {Decimal("70.0000")}


def test_too_few_errors_give_no_interval_and_a_reason() -> None:
    found = forecast(one(weekly_panel(members=1)[0].values[:60]))
    assert found.coverage["reason"].to_pylist() == ["interval unavailable: too few errors of earlier origins"] * 2
    assert found.coverage["realised_rate"].null_count == 2


def test_work_may_be_spread_over_processes() -> None:
    panel = weekly_panel(members=2, weeks=80)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert forecast_revenue(panel, AS_OF, numpy_models(), spread=pool.map).forecasts.equals(
            forecast(*panel).forecasts
        )


def test_an_amount_beyond_what_the_lake_can_hold_is_no_amount() -> None:
    assert money(99_999_999_999_999.5) == Decimal("99999999999999.5000")
    assert money(1e14) is None
    assert money(float("inf")) is None
    assert money(float("nan")) is None


def test_progress_is_told_series_by_series() -> None:
    told: list[str] = []
    forecast_revenue(weekly_panel(members=2, weeks=80), AS_OF, numpy_models(), on_progress=told.append)
    assert told == [
        "forecast by week: 1 of 2 series (EUR category category 00)",
        "forecast by week: 2 of 2 series (EUR category category 01)",
    ]


def test_a_short_series_is_judged_by_the_origin_there_is() -> None:
    # 40 weeks of growth by one a week, 27 of them known: the last week again is off by 1 to 13, the mean of 15 to 27,
    # 21, by 7 to 19.
    found = forecast(one(np.arange(1.0, 41)))
    assert set(found.forecasts["status"].to_pylist()) == {"not_forecastable"}
    assert found.forecasts["forecast_amount"].null_count == 13
    saved = 1 - sum(range(7, 20)) / sum(range(1, 14))
    (line,) = (row for row in found.skill.to_pylist() if row["model"] == "recent_mean")
    assert line["skill_rate"] == pytest.approx(saved)
    assert line["reason"] == (
        f"short: 40 weeks are known and a full test takes 78; the recent mean has {saved:.1%} less error than the "
        "seasonal naive forecast over 13 steps from 1 origin, below 5%"
    )


def test_a_short_series_whose_mean_does_better_than_the_last_week_is_forecast_by_it() -> None:
    # Every other week 30, else 10; the last of the 27 known weeks has 10, and 7 of the 13 that came 30.
    found = forecast(one(np.tile([10.0, 30], 20)))
    mean = (7 * 10 + 6 * 30) / 13
    saved = 1 - (7 * (30 - mean) + 6 * (mean - 10)) / (7 * 20)
    line = used(found)
    assert (line["status"], line["model"]) == ("level_only", "recent_mean")
    assert line["skill_rate"] == pytest.approx(saved)
    assert f"the recent mean, {saved:.1%} less error" in line["reason"]


@pytest.mark.parametrize("last", [-50.0, 0.0])
def test_what_comes_after_an_origin_does_not_change_its_interval(last: float) -> None:
    panel = weekly_panel(members=1, weeks=140)[0].values
    changed = np.concatenate([panel[:-1], [last]])
    then, now = (forecast(one(values)).backtest.to_pylist() for values in (panel, changed))
    ends = [
        [(row["forecast_amount"], row["lower_80_amount"], row["upper_80_amount"]) for row in rows
         if row["model"] == "combination"]
        for rows in (then, now)
    ]  # fmt: skip
    assert ends[0] == ends[1]
    assert ends[0][-1][1] is not None
