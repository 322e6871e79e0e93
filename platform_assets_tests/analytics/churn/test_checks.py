from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.churn.checks import (
    chosen_by,
    faulty_actions,
    faulty_rates,
    held_out_by_action,
    measurement_apart,
    missed_bins,
    score_in_use,
)
from platform_assets.analytics.churn.churn import CHURN_SCHEMA
from platform_assets.analytics.churn.evaluation import CALIBRATION_SCHEMA, EVALUATION_SCHEMA
from platform_assets.analytics.churn.retention import MEASUREMENT_SCHEMA, RETENTION_SCHEMA

STAKE: dict[str, Any] = {
    "customer_id": "a",
    "churn_rate": 0.5,
    "value_amount": Decimal(10),
    "value_at_stake_amount": Decimal(5),
    "stake_rank": 1,
    "action": "none",
    "is_held_out": False,
}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"churn_rate": None, "reason": "too few"}, set()),
        ({"churn_rate": None}, {"a probability or a reason"}),
        ({"churn_rate": 1.0}, {"nobody is certain"}),
        ({"days_since_last": -1}, {"days since the last order not negative"}),
    ],
)
def test_a_faulty_probability_is_found(change: dict[str, Any], broken: set[str]) -> None:
    row = {"customer_id": "a", "churn_rate": 0.5, "days_since_last": 3} | change

    assert {name for name, n in faulty_rates(pa.Table.from_pylist([row], CHURN_SCHEMA)).items() if n} == broken


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        ([{}], set()),
        ([{"value_at_stake_amount": None, "stake_rank": None, "reason": "too few"}], set()),
        ([{"value_at_stake_amount": Decimal(6)}], {"stake is probability times value"}),
        ([{"value_at_stake_amount": None, "stake_rank": None}], {"a stake or a reason"}),
        ([{"stake_rank": 2}], {"ranks without gap"}),
        (
            [{}, {"stake_rank": 2, "value_amount": Decimal(12), "value_at_stake_amount": Decimal(6)}],
            {"the most at stake first"},
        ),
        ([{"action": None}], {"an action for everyone"}),
    ],
)
def test_a_faulty_action_is_found(rows: list[dict[str, Any]], broken: set[str]) -> None:
    table = pa.Table.from_pylist([STAKE | row for row in rows], RETENTION_SCHEMA)

    assert {name for name, count in faulty_actions(table).items() if count} == broken


def ranked(*groups: tuple[str, int, int]) -> pa.Table:
    """So many customers held out and so many not, per action."""
    rows = [
        STAKE | {"action": action, "is_held_out": place < held}
        for action, held, others in groups
        for place in range(held + others)
    ]
    return pa.Table.from_pylist(rows, RETENTION_SCHEMA)


def test_customers_held_out_by_action_instead_of_by_chance_are_found() -> None:
    even = held_out_by_action(ranked(("none", 50, 450), ("reminder", 51, 449)))
    uneven = held_out_by_action(ranked(("none", 0, 500), ("reminder", 100, 400)))

    assert even is not None
    assert uneven is not None
    assert uneven < 1e-4
    assert even > 0.5
    assert held_out_by_action(ranked(("none", 1, 5), ("reminder", 0, 3))) is None
    assert held_out_by_action(RETENTION_SCHEMA.empty_table()) is None


def test_bins_are_missed_where_the_interval_does_not_hold_the_probability() -> None:
    rows = [
        {"score": score, "bin": 1, "expected_churn_rate": rate, "churn_low_rate": 0.4, "churn_high_rate": 0.6}
        for score, rate in (("active", 0.5), ("active", 0.7), ("recency", 0.1))
    ]

    assert missed_bins(pa.Table.from_pylist(rows, CALIBRATION_SCHEMA), "active") == (1, 2)


def test_the_score_in_use_is_told_with_the_days_that_chose_it() -> None:
    rows = [{"score": name, "is_used": name == "active", "horizon_days": 91} for name in ("active", "recency")]
    found = score_in_use(pa.Table.from_pylist(rows, EVALUATION_SCHEMA))

    assert found is not None
    assert found["score"] == "active"
    assert score_in_use(EVALUATION_SCHEMA.empty_table()) is None
    assert chosen_by(found) == "not chosen, for the history before is too short"
    assert chosen_by(found | {"choice_date": date(2024, 1, 31)}) == "chosen by the 91 days after 2024-01-31"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"customers": 4}, ["reminder: customers 4, of its customers 3"]),
        ({"held_out": 0}, ["reminder: held_out 0, of its customers 1"]),
        ({"value_at_stake_amount": None}, ["reminder: value_at_stake_amount None, of its customers 15.0000"]),
        ({"action": "other"}, ["no row for reminder", "other: customers 3, of its customers 0"]),
    ],
)
def test_a_measurement_of_other_customers_than_there_are_is_found(change: dict[str, Any], found: list[str]) -> None:
    row = {"action": "reminder", "customers": 3, "held_out": 1, "value_at_stake_amount": Decimal(15)} | change
    measured = pa.Table.from_pylist([row, {"action": "loyalty", "customers": 0, "held_out": 0}], MEASUREMENT_SCHEMA)

    assert measurement_apart(measured, ranked(("none", 5, 7), ("reminder", 1, 2)))[: len(found) or None] == found
