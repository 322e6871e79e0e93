from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.lifetime.checks import (
    faulty_groups,
    faulty_values,
    model_in_use,
    spend_correlation,
    totals_apart,
    unsettled_fits,
    valued_share,
)
from platform_assets.analytics.lifetime.choice import COMPARISON_SCHEMA
from platform_assets.analytics.lifetime.groups import GROUPS_SCHEMA
from platform_assets.analytics.lifetime.value_schemas import TOTALS_SCHEMA, VALUES_SCHEMA

AMOUNTS = ("value_low_amount", "value_amount", "value_high_amount", "outcome_low_amount", "outcome_high_amount")
GOOD: dict[str, Any] = {
    "customer_id": "a",
    "alive_rate": 0.9,
    "active_rate": 0.5,
    "expected_orders": 2.0,
    "discounted_orders": 1.9,
    "value_basis": "revenue",
    **dict(zip(AMOUNTS, map(Decimal, (8, 10, 12, 0, 30)), strict=True)),
}


def values(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([GOOD | row for row in rows], VALUES_SCHEMA)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"value_amount": None, "reason": "too few"}, set()),
        ({"value_amount": None}, {"a value or a reason"}),
        ({"active_rate": 1.1}, {"rates between 0 and 1"}),
        ({"expected_orders": -1.0, "discounted_orders": -2.0}, {"orders not negative"}),
        ({"discounted_orders": 2.1}, {"discounted orders not above orders"}),
        ({"value_low_amount": Decimal(13)}, {"intervals in order"}),
        ({"value_low_amount": Decimal(11)}, {"intervals in order"}),
        ({"value_high_amount": Decimal(9)}, {"intervals in order"}),
        ({"value_high_amount": None}, set()),
        ({"outcome_low_amount": Decimal(31)}, {"intervals in order"}),
        ({"discounted_orders": None, "expected_orders": None, "alive_rate": None}, set()),
    ],
)
def test_a_faulty_value_is_found(change: dict[str, Any], broken: set[str]) -> None:
    assert {name for name, count in faulty_values(values(change)).items() if count} == broken


def test_a_customer_who_is_there_twice_is_found() -> None:
    assert faulty_values(values({}, {}))["one row per customer"] == 1


@pytest.mark.parametrize(("total", "gap"), [("20", "0"), ("20.0003", "0"), ("21", "0.9997")])
def test_totals_are_sums_but_for_rounding(total: str, gap: str) -> None:
    row = {"value_basis": "revenue", "customers": 2, "value_amount": Decimal(total)}
    table = pa.Table.from_pylist([row], TOTALS_SCHEMA)

    assert totals_apart(values({}, {"customer_id": "b"}), table) == {"revenue": Decimal(gap)}


def test_a_total_that_is_missing_is_found() -> None:
    assert totals_apart(values({}), TOTALS_SCHEMA.empty_table())["revenue"] > 9


def test_customers_without_a_value_are_counted_by_reason() -> None:
    table = values({}, {"customer_id": "b", "value_amount": None, "reason": "too few"})

    assert valued_share(table) == (0.5, {"too few": 1})
    assert valued_share(VALUES_SCHEMA.empty_table()) == (None, {})


def test_the_model_in_use_is_the_chosen_one() -> None:
    rows = [{"model": name, "bias_rate": 0.1, "is_chosen": name == "b"} for name in "ab"]
    found = model_in_use(pa.Table.from_pylist(rows, COMPARISON_SCHEMA))

    assert found == {"model": "b", "bias_rate": 0.1, "tracking_error_rate": None, "correlation": None}
    assert model_in_use(COMPARISON_SCHEMA.empty_table()) is None


def group(grouping: str = "cohort", name: str = "all", **change: Any) -> dict[str, Any]:
    known = {"model": "mbg_nbd", "parameter": "r", "is_converged": True, "is_used": True, "correlation": None}
    return {"grouping": grouping, "fitted_group": name} | known | change


SPEND_ROW = group("spend", model="gamma_gamma", parameter="p", correlation=0.2)


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        ([group(), group("channel"), SPEND_ROW], set()),
        ([group(), group(name="2023"), SPEND_ROW], set()),
        ([group(name="2023")], {"a fit to all in every grouping", "customers scored with a fit in use"}),
        ([group(), group("channel", is_used=False)], {"a fit to all in every grouping"}),
        ([group(model="bg_nbd")], {"customers scored with a fit in use"}),
        ([SPEND_ROW], {"customers scored with a fit in use"}),
    ],
)
def test_a_fit_that_is_missing_is_found(rows: list[dict[str, Any]], broken: set[str]) -> None:
    groups = pa.Table.from_pylist(rows, GROUPS_SCHEMA)
    scored = values({"model": "mbg_nbd", "fitted_group": "all"}, {"customer_id": "unscored", "model": None})

    assert {name for name, count in faulty_groups(groups, scored).items() if count} == broken


def test_nobody_needs_no_fit() -> None:
    assert set(faulty_groups(GROUPS_SCHEMA.empty_table(), VALUES_SCHEMA.empty_table()).values()) == {0}


def test_a_fit_in_use_without_parameters_is_found_and_one_out_of_use_is_not() -> None:
    rows = [group(), group(name="2023", is_used=False, is_converged=False), SPEND_ROW | {"is_converged": False}]

    assert unsettled_fits(pa.Table.from_pylist(rows, GROUPS_SCHEMA)) == ["gamma_gamma of all"]


def test_the_correlation_of_spend_and_orders_is_that_of_the_spend_model() -> None:
    assert spend_correlation(pa.Table.from_pylist([group(), SPEND_ROW], GROUPS_SCHEMA)) == 0.2
    assert spend_correlation(pa.Table.from_pylist([group()], GROUPS_SCHEMA)) is None
