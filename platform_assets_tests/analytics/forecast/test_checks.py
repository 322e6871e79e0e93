from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.forecast import checks
from platform_assets.analytics.forecast.forecasts import RevenueForecast, forecast_revenue
from platform_assets.analytics.forecast.grains import DAY
from platform_assets.analytics.forecast.models import numpy_models
from platform_assets.analytics.forecast.results import COVERAGE_SCHEMA
from platform_assets.analytics.forecast.series import Series, SeriesKey, series_table

START = date(2024, 1, 1)
AS_OF = START + timedelta(days=279)
KEYS = [
    SeriesKey("USD", *names)
    for names in (
        ("total", "total"),
        ("category", "A"),
        ("category", "B"),
        ("channel", "Online"),
    )
]


def shop() -> list[Series]:
    noise = np.random.default_rng(0)
    week = np.tile([100.0, 90, 95, 100, 120, 140, 60], 40)
    parts = [np.round(week * noise.lognormal(0, 0.1, 280), 4) for _ in range(2)]
    whole = np.round(parts[0] + parts[1], 4)
    return [Series(key, DAY, START, values) for key, values in zip(KEYS, (whole, *parts, whole), strict=True)]


@pytest.fixture(scope="module")
def series() -> pa.Table:
    return series_table(shop())


@pytest.fixture(scope="module")
def made() -> RevenueForecast:
    return forecast_revenue(shop(), AS_OF, numpy_models())


def changed(table: pa.Table, row: int, **values: Any) -> pa.Table:
    lines = table.to_pylist()
    lines[row] |= values
    return pa.Table.from_pylist(lines, schema=table.schema)


def test_what_is_right_passes_every_check(series: pa.Table, made: RevenueForecast) -> None:
    assert checks.broken_sums(series) == []
    assert checks.broken_calendars(series) == []
    assert checks.broken_forecasts(made.forecasts) == []
    assert checks.broken_weights(made.skill) == []
    assert checks.wrong_coverage(made.coverage, made.backtest) == []


def test_a_category_that_lost_a_cent_does_not_add_up(series: pa.Table) -> None:
    row = series.to_pylist()[300]
    assert row["scope"] == "category"

    found = checks.broken_sums(changed(series, 300, revenue_amount=row["revenue_amount"] - Decimal("0.01")))

    assert len(found) == 1
    assert found[0].startswith(f"day {row['period_start_date']} USD: category")


def test_a_day_that_is_missing_is_a_hole_and_at_the_end_an_early_end(series: pa.Table) -> None:
    assert checks.broken_calendars(pa.concat_tables([series.slice(0, 5), series.slice(6)])) == [
        "day USD total total: steps are missing or doubled"
    ]
    assert checks.broken_calendars(series.slice(0, len(series) - 1)) == [
        f"day USD channel Online: ends {AS_OF - timedelta(days=1)}, others {AS_OF}"
    ]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"lower_80_amount": Decimal(10**9)}, "interval ends are"),
        ({"forecast_amount": None}, "and the forecast is None"),
        ({"status": "not_forecastable"}, "not_forecastable, and the forecast is"),
        ({"reason": ""}, "no reason"),
        ({"period_start_date": AS_OF}, "is over"),
    ],
)
def test_a_forecast_that_contradicts_itself_is_named(made: RevenueForecast, values: dict[str, Any], fault: str) -> None:
    found = checks.broken_forecasts(changed(made.forecasts, 0, **values))

    assert found
    assert all(one.startswith("day USD category A step 1") for one in found)
    assert fault in found[0]


def test_weights_that_do_not_sum_to_one_and_two_published_models_are_named(made: RevenueForecast) -> None:
    place = next(at for at, row in enumerate(made.skill.to_pylist()) if row["weight_rate"] and not row["is_used"])

    assert "weights sum to" in checks.broken_weights(changed(made.skill, place, weight_rate=1.0))[0]
    assert checks.broken_weights(changed(made.skill, place, is_used=True)) == ["day USD category A: 2 models in use"]


def test_a_coverage_that_the_backtest_does_not_show_is_named(made: RevenueForecast) -> None:
    row = made.coverage.to_pylist()[0]
    assert row["points"] > 0

    assert checks.wrong_coverage(changed(made.coverage, 0, points=row["points"] + 1), made.backtest)
    assert checks.wrong_coverage(changed(made.coverage, 0, covered_points=row["covered_points"] - 5), made.backtest)


@pytest.mark.parametrize(
    ("rate", "grade"),
    [
        (0.64, "bad"),
        (0.65, "doubtful"),
        (0.69, "doubtful"),
        (0.70, "good"),
        (0.90, "good"),
        (0.91, "doubtful"),
        (0.93, "doubtful"),
        (0.94, "bad"),
    ],
)
def test_coverage_is_graded_by_how_far_it_is_from_what_was_promised(rate: float, grade: str) -> None:
    assert checks.coverage_grades(coverage(rate, 200)) == {"day": (grade, rate)}


def test_few_steps_are_no_judgement_on_coverage() -> None:
    assert checks.coverage_grades(coverage(0.1, 199)) == {}


def coverage(rate: float, points: int) -> pa.Table:
    row = {"grain": "day", "points": points, "covered_points": round(rate * points), "width_rate": 1.0, "reason": None}
    rows = [{**row, "nominal_rate": level, "realised_rate": rate, "is_enough": points >= 200} for level in (0.8, 0.95)]
    return pa.Table.from_pylist(rows, schema=COVERAGE_SCHEMA)
