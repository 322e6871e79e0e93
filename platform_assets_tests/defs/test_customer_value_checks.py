from decimal import Decimal
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from platform_assets.analytics.churn.churn import CHURN_SCHEMA
from platform_assets.analytics.churn.evaluation import EVALUATION_SCHEMA
from platform_assets.analytics.churn.retention import MEASUREMENT_SCHEMA, RETENTION_SCHEMA
from platform_assets.analytics.lifetime.groups import GROUPS_SCHEMA
from platform_assets.analytics.lifetime.value_schemas import VALUES_SCHEMA
from platform_assets.defs.customer_value import CUSTOMER_VALUE
from platform_assets.defs.customer_value_checks import CHECKS
from platform_assets.defs.topics import Verdict

Rows = list[dict[str, Any]]
NAMED = {check.name: check for check in (*CUSTOMER_VALUE.checks, *CHECKS)}
SCHEMAS = {table.name: table.schema for table in CUSTOMER_VALUE.tables}
FIT = {
    "grouping": "cohort",
    "fitted_group": "all",
    "model": "mbg_nbd",
    "parameter": "r",
    "is_converged": True,
    "is_used": True,
}
SPEND = FIT | {"grouping": "spend", "model": "gamma_gamma", "parameter": "p"}
USED = {
    "score": "active",
    "is_used": True,
    "horizon_days": 91,
    "area_under_curve": 0.78,
    "area_above_recency": -0.02,
    "area_above_recency_low": -0.05,
    "area_above_recency_high": 0.01,
    "brier_score": 0.11,
    "brier_of_base_rate": 0.14,
}


def verdict(check: str, **rows: Rows) -> Verdict:
    tables = {name: pa.Table.from_pylist(rows.get(name, []), schema) for name, schema in SCHEMAS.items()}
    return NAMED[check].judge(tables)


def test_the_tables_are_those_of_the_topic() -> None:
    assert {
        "lifetime_groups": GROUPS_SCHEMA,
        "lifetime_values": VALUES_SCHEMA,
        "churn_rates": CHURN_SCHEMA,
    }.items() <= (SCHEMAS.items())
    assert SCHEMAS["churn_evaluation"] == EVALUATION_SCHEMA
    assert (SCHEMAS["retention_actions"], SCHEMAS["retention_measurement"]) == (RETENTION_SCHEMA, MEASUREMENT_SCHEMA)


@pytest.mark.parametrize(
    ("check", "severity"),
    [
        ("groups_have_fits", dg.AssetCheckSeverity.ERROR),
        ("measurement_adds_up", dg.AssetCheckSeverity.ERROR),
        ("fits_settled", dg.AssetCheckSeverity.WARN),
        ("spend_goes_without_orders", dg.AssetCheckSeverity.WARN),
    ],
)
def test_what_is_wrong_is_an_error_and_what_is_doubtful_a_warning(check: str, severity: dg.AssetCheckSeverity) -> None:
    assert NAMED[check].severity is severity
    assert verdict(check).passed


def test_a_customer_scored_with_a_fit_that_is_not_in_use_is_an_error() -> None:
    scored = [{"customer_id": "a", "model": "mbg_nbd", "fitted_group": "2023"}]

    found = verdict("groups_have_fits", lifetime_groups=[FIT], lifetime_values=scored)

    assert (found.passed, found.description) == (False, "customers scored with a fit in use: 1 without")
    own = FIT | {"fitted_group": "2023"}
    assert verdict("groups_have_fits", lifetime_groups=[FIT, own], lifetime_values=scored).passed


def test_a_fit_whose_parameters_were_not_found_is_named() -> None:
    found = verdict("fits_settled", lifetime_groups=[FIT | {"is_converged": False}, SPEND])

    assert (found.passed, found.description) == (False, "mbg_nbd of all")
    assert verdict("fits_settled", lifetime_groups=[FIT, SPEND]).passed


@pytest.mark.parametrize(
    ("correlation", "said"),
    [
        (0.3, None),
        (-0.29, None),
        (0.31, "too low of customers who order often"),
        (-0.5, "too high of customers who order often"),
    ],
)
def test_spend_that_goes_with_the_number_of_orders_is_told_with_what_it_means(
    correlation: float, said: str | None
) -> None:
    found = verdict("spend_goes_without_orders", lifetime_groups=[FIT, SPEND | {"correlation": correlation}])

    assert found.passed == (said is None)
    assert (said or "Among customers who came back") in found.description
    assert f"{correlation:+.2f}" in found.description
    assert found.numbers == {"correlation": correlation}


def test_a_measurement_of_other_customers_than_the_actions_have_is_an_error() -> None:
    ranked = [{"customer_id": "a", "action": "reminder", "is_held_out": False, "value_at_stake_amount": Decimal(5)}]
    measured = {"action": "reminder", "customers": 1, "held_out": 0, "value_at_stake_amount": Decimal(5)}

    wrong = verdict(
        "measurement_adds_up", retention_actions=ranked, retention_measurement=[measured | {"customers": 2}]
    )

    assert verdict("measurement_adds_up", retention_actions=ranked, retention_measurement=[measured]).passed
    assert (wrong.passed, wrong.description) == (False, "reminder: customers 2, of its customers 1")


@pytest.mark.parametrize(
    ("change", "passed"),
    [
        ({}, True),
        ({"area_above_recency_high": 0.0}, True),
        ({"area_above_recency_high": -0.001}, False),
        ({"brier_score": 0.14}, False),
    ],
)
def test_a_score_worse_than_recency_by_more_than_chance_is_warned_of(change: dict[str, Any], passed: bool) -> None:
    found = verdict("better_than_recency", churn_evaluation=[USED | change])

    assert found.passed == passed
    assert "-0.020 against recency alone" in found.description
    assert "not chosen, for the history before is too short" in found.description
