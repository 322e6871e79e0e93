from typing import Any

import pytest

from platform_assets.quality.results import Verdict
from platform_assets.quality.scorecard import State
from platform_assets_tests.reports.cards import card, check, score, scorecard, shut_card


def test_a_shut_gate_is_a_failure_whatever_the_other_scores_are() -> None:
    assert card(gate_is_open=False, composite=0.99).state is State.FAIL


def test_a_dataset_without_rows_neither_passes_nor_fails() -> None:
    assert card(has_rows=False, scores=(score("validity", None, verdict=Verdict.FAIL),)).state is State.EMPTY


@pytest.mark.parametrize(
    "found",
    [
        {"scores": (score("validity", 0.93, verdict=Verdict.WARN),)},
        {"scores": (score("freshness", 30.0, verdict=Verdict.FAIL),)},
        {"checks": (check("rows_per_day", kind="drift"),)},
        {"checks": (check("price_not_negative", failed=5000, verdict=Verdict.FAIL),)},
    ],
)
def test_what_a_person_should_see_to_is_a_warning(found: dict[str, Any]) -> None:
    assert card(**found).state is State.WARN


def test_a_few_rows_that_break_a_rule_are_counted_in_a_score_and_are_no_warning_themselves() -> None:
    assert card(checks=(check("price_not_negative", failed=5),)).state is State.PASS


def test_rules_with_rows_that_wait_are_shown_although_none_fails() -> None:
    waiting = check("customer_known", verdict=Verdict.PASS, rows_pending=50)
    kept = check("price_not_negative", verdict=Verdict.PASS)
    assert card(checks=(waiting, kept)).costs == (waiting,)


def test_the_shut_gates_of_all_datasets_are_found() -> None:
    assert [one.dataset for one in scorecard(card(), shut_card("superstore_sales")).shut] == ["superstore_sales"]


def test_what_somebody_has_to_see_to_comes_first_and_the_rest_keeps_its_order() -> None:
    fine, also_fine = card("ecommerce_transactions"), card("product_catalog")
    warned = card("retail_analytics", checks=(check("rows_per_day", kind="drift"),))
    ranked = scorecard(fine, also_fine, warned, shut_card("superstore_sales")).worst_first
    assert [one.dataset for one in ranked] == [
        "superstore_sales",
        "retail_analytics",
        "ecommerce_transactions",
        "product_catalog",
    ]


def test_scores_are_in_the_order_of_their_definition_whichever_dataset_has_them() -> None:
    late = card("product_catalog", scores=(score("freshness", 1.0),))
    early = card("superstore_sales", scores=(score("validity", 1.0), score("integrity", 1.0)))
    assert scorecard(late, early).score_names == ("validity", "integrity", "freshness")
