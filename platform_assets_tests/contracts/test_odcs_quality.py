"""Rules as quality checks of the Open Data Contract Standard: which metric, which fields, in which place."""

from typing import Any

import pytest

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.rules import Dimension, Severity
from platform_assets_tests.contracts.made_up import EVERYTHING
from platform_assets_tests.contracts.odcs_parts import check, column, every_check, table

contracts = pytest.mark.parametrize("contract", [*CONTRACTS.values(), EVERYTHING], ids=lambda one: one.dataset)
TOTAL = {"product": "total", "factor": "quantity", "price": "price"}


@contracts
def test_every_rule_is_one_check_with_its_dimension_severity_and_sentence(contract: Contract) -> None:
    dimensions = {
        Dimension.COMPLETENESS: "completeness",
        Dimension.UNIQUENESS: "uniqueness",
        Dimension.VALIDITY: "conformity",
        Dimension.CONSISTENCY: "consistency",
        Dimension.TIMELINESS: "timeliness",
    }
    severities = {Severity.ERROR: "error", Severity.WARN: "warning"}
    told = {(one["id"], one["dimension"], one["severity"], one["description"]) for one in every_check(contract)}

    rules = contract.rules
    assert told == {(r.id, dimensions[r.dimension], severities[r.severity], r.description) for r in rules}
    assert len(every_check(contract)) == len(rules)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("shop_present", {"metric": "nullValues", "mustBe": 0, "unit": "rows"}),
        ("name_given", {"metric": "nullValues", "mustBe": 0, "unit": "rows"}),
        ("known_colour", {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["Red", "Blue"]}}),
        ("code_form", {"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "^(?:[A-Z]|x)$"}}),
        ("number_once", {"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["shop", "line"]}}),
        ("code_once", {"metric": "duplicateValues", "mustBe": 0, "unit": "rows"}),
    ],
)
def test_a_rule_that_a_metric_of_the_standard_means_has_that_metric(rule: str, said: dict[str, Any]) -> None:
    found = check(rule)

    assert found["type"] == "library"
    assert said.items() <= found.items()
    assert ("arguments" in found) == ("arguments" in said)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("line_readable", {"rule": "Readable", "column": "line"}),
        ("share_is_rate", {"rule": "Within", "column": "share", "low": 0, "high": 1, "exclusive": False}),
        ("share_is_small", {"rule": "Within", "column": "share", "high": 0.5, "exclusive": False}),
        ("quantity_some", {"rule": "NotEqual", "column": "quantity", "value": 0}),
        ("sold_already", {"rule": "NotAfterAsOf", "column": "sold_at"}),
        ("total_adds_up", {"rule": "ProductOf", **TOTAL, "fixed": 0.01, "per_factor": 0}),
        ("price_within", {"rule": "NotAbove", "column": "price", "limit": "total"}),
        ("sold_lately", {"rule": "NotBefore", "column": "sold_at", "year": 1990}),
        ("line_once", {"rule": "LineUnique", "ignored": ["zip"]}),
        ("one_name", {"rule": "OneValuePer", "key": "code", "column": "name"}),
        ("sent_after", {"rule": "DaysBetween", "earlier": "sold_at", "later": "sent_on", "low": 0, "high": 9}),
        (
            "price_agrees",
            {
                "rule": "AgreesWith",
                "key": "code",
                "column": "price",
                "reference": ["product_catalog", "product_id", "list_price"],
                "tolerance": 0.5,
            },
        ),
        (
            "unheard",
            {
                "rule": "Unheard",
                "column": "price",
                "tolerance": 0.005,
                "exactly": "0.12345678901234567890123",
                "window": {"hours": 24, "of": "error"},
                "words": ["a", "b"],
                "pairs": [["x", 1], ["y", 2]],
            },
        ),
    ],
)
def test_every_other_rule_is_a_custom_check_with_all_its_fields(rule: str, said: dict[str, Any]) -> None:
    found = check(rule)

    assert (found["type"], found["engine"]) == ("custom", "platform-assets")
    assert found["implementation"] == said


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("shop", ["shop_present"]),
        ("code", ["code_form", "code_once", "code_known"]),
        ("sold_at", ["sold_at_readable", "sold_lately", "sold_already"]),
        ("name", ["name_given"]),
    ],
)
def test_a_rule_about_one_column_is_found_there(name: str, rules: list[str]) -> None:
    assert [entry["id"] for entry in column(name)["quality"]] == rules


def test_a_rule_about_the_row_or_the_dataset_is_found_at_the_table() -> None:
    expected = ["total_adds_up", "price_within", "sent_after", "line_once", "number_once", "one_name"]
    expected += ["price_agrees", "unheard"]

    assert [entry["id"] for entry in table()["quality"]] == expected


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("share_is_rate", "It is set aside in quarantine."),
        ("weight_some", "It stays, and is counted."),
        ("line_once", "The first stays; a repeat is a duplicate in the ledger, neither loaded nor set aside."),
        ("code_once", "The first stays; the others are set aside in quarantine."),
        ("zip_once", "All stay, and those after the first are counted."),
        ("code_known", "It stays: pending for the grace time of the reference, and counted when that is over."),
        ("unheard", "It stays, and is counted."),
    ],
)
def test_a_check_says_what_becomes_of_a_row(rule: str, told: str) -> None:
    assert check(rule)["businessImpact"] == told
