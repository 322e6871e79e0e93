from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.kpis.cohort_checks import impossible_cohorts, impossible_curve, impossible_repeats
from platform_assets.analytics.kpis.cohorts import COHORTS_SCHEMA, REPEAT_SCHEMA, SECOND_ORDER_SCHEMA

COHORT = {
    "cohort_month_date": date(2024, 1, 1),
    "month_number": 1,
    "cohort_customers": 8,
    "customers": 2,
    "retention_rate": 0.25,
}
STEP = {"days": 5, "at_risk": 10, "second_orders": 1, "second_order_rate": 0.1, "low_rate": 0.02, "high_rate": 0.4}
REPEAT = {"window_days": 90, "customers": 10, "repeaters": 3, "repeat_rate": 0.3, "low_rate": 0.1, "high_rate": 0.6}


def cohorts(**given: Any) -> pa.Table:
    return pa.Table.from_pylist([COHORT | given], schema=COHORTS_SCHEMA)


def repeats(**given: Any) -> pa.Table:
    return pa.Table.from_pylist([REPEAT | given], schema=REPEAT_SCHEMA)


def curve(*given: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([STEP | one for one in given], schema=SECOND_ORDER_SCHEMA)


def test_what_can_be_is_not_found() -> None:
    unknown = {"customers": None, "retention_rate": None, "reason": "the month is not over"}
    later = {"days": 9, "second_order_rate": 0.2}

    assert impossible_cohorts(cohorts()) == []
    assert impossible_cohorts(cohorts(**unknown)) == []
    assert impossible_cohorts(cohorts(month_number=0, customers=8, retention_rate=1.0)) == []
    assert impossible_curve(curve({}, later)) == []
    assert impossible_repeats(repeats()) == []
    assert impossible_repeats(repeats(repeat_rate=None, customers=0, repeaters=0, reason="too young")) == []


@pytest.mark.parametrize(
    "given",
    [
        {"customers": 9, "retention_rate": 1.125},
        {"customers": -1, "retention_rate": -0.125},
        {"retention_rate": 0.5},
        {"customers": None, "retention_rate": None},
        {"reason": "the month is not over"},
        {"month_number": 0},
    ],
    ids=str,
)
def test_cohorts_that_cannot_be_are_found(given: dict[str, Any]) -> None:
    (found,) = impossible_cohorts(cohorts(**given))

    assert found.startswith("2024-01-01 month ")


@pytest.mark.parametrize(
    "given",
    [
        {"second_order_rate": 1.2, "high_rate": 1.3},
        {"low_rate": -0.1},
        {"low_rate": 0.2},
        {"high_rate": 0.05},
        {"second_orders": 11},
        {"second_orders": 0},
    ],
    ids=str,
)
def test_steps_of_the_curve_that_cannot_be_are_found(given: dict[str, Any]) -> None:
    (found,) = impossible_curve(curve(given))

    assert found.startswith("after 5 days: ")


def test_a_curve_that_falls_is_found() -> None:
    found = impossible_curve(curve({"second_order_rate": 0.2}, {"days": 9}))

    assert found == ["after 9 days it is lower than after 5"]


@pytest.mark.parametrize(
    "given",
    [
        {"repeaters": 11},
        {"low_rate": 0.4},
        {"high_rate": 0.2},
        {"repeat_rate": None},
        {"reason": "too young"},
    ],
    ids=str,
)
def test_repeat_rates_that_cannot_be_are_found(given: dict[str, Any]) -> None:
    (found,) = impossible_repeats(repeats(**given))

    assert found.startswith("90 days: ")
