from dataclasses import replace

import pytest

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.readings import (
    DateReading,
    NumberReading,
    Reading,
    reading_from_json,
    reading_to_json,
)
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.row_rules import Present, Readable, RowRule, Within
from platform_assets.contracts.rules import Dimension, KnownIn, LineUnique, OneValuePer, Rule, Severity, broken_flag

contracts = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
SALES = CONTRACTS["superstore_sales"]


def with_column(contract: Contract, name: str, column: Column) -> Contract:
    return replace(contract, columns=tuple(column if old.name == name else old for old in contract.columns))


def test_the_four_datasets_are_registered_under_their_own_names() -> None:
    assert list(CONTRACTS) == ["ecommerce_transactions", "superstore_sales", "product_catalog", "retail_analytics"]
    assert all(name == contract.dataset for name, contract in CONTRACTS.items())


@contracts
def test_every_rule_of_a_contract_has_a_name_of_its_own(contract: Contract) -> None:
    names = [rule.id for rule in contract.rules]

    assert len(set(names)) == len(names)


@contracts
def test_rules_speak_of_columns_that_exist(contract: Contract) -> None:
    for rule in contract.rules:
        if isinstance(rule, RowRule):
            assert set(rule.columns) <= set(contract.column_names), rule.id
        if isinstance(rule, OneValuePer):
            assert {rule.key, rule.column} <= set(contract.column_names), rule.id


@contracts
def test_references_name_columns_of_registered_datasets(contract: Contract) -> None:
    pairs = [pair for rule in contract.rules if isinstance(rule, KnownIn) for pair in rule.references]

    assert all(column in CONTRACTS[dataset].column_names for dataset, column in pairs)


@contracts
def test_every_column_that_must_have_a_value_has_a_rule_that_says_so(contract: Contract) -> None:
    demanded = {rule.column for rule in contract.rules if isinstance(rule, Present) and rule.severity is Severity.ERROR}

    assert demanded == {column.name for column in contract.columns if not column.nullable}


@contracts
def test_every_column_that_is_not_text_has_a_rule_that_it_can_be_read(contract: Contract) -> None:
    read = {rule.column for rule in contract.rules if isinstance(rule, Readable)}

    assert read == {c.name for c in contract.columns if c.type not in {ColumnType.TEXT, ColumnType.IDENTIFIER}}


@contracts
def test_amount_and_event_columns_have_the_types_that_are_summed_and_compared(contract: Contract) -> None:
    if contract.amount is not None:
        assert contract.column(contract.amount).type is ColumnType.MONEY
    if contract.event_at is not None:
        assert contract.column(contract.event_at).type.is_temporal


def test_an_unknown_column_is_an_error_of_the_programmer() -> None:
    with pytest.raises(KeyError):
        SALES.column("no_such_column")


def test_only_the_columns_a_line_rule_ignores_do_not_count_when_lines_are_compared() -> None:
    assert SALES.identity_ignores == {"row_id"}
    assert CONTRACTS["product_catalog"].identity_ignores == frozenset()


def test_a_rule_looks_at_the_columns_its_fields_name() -> None:
    rules = {rule.id: rule for rule in CONTRACTS["ecommerce_transactions"].row_rules}

    assert rules["total_amount_matches"].columns == ("total_amount", "quantity", "unit_price")
    assert rules["quantity_not_zero"].columns == ("quantity",)


def test_equal_contracts_have_equal_fingerprints() -> None:
    assert fingerprint(SALES) == fingerprint(replace(SALES))


@pytest.mark.parametrize(
    "changed",
    [
        replace(SALES, version=2),
        replace(SALES, amount="profit"),
        replace(SALES, own_rules=SALES.own_rules[1:]),
        replace(SALES, own_rules=(replace(SALES.own_rules[0], severity=Severity.WARN), *SALES.own_rules[1:])),
        replace(SALES, columns=SALES.columns[:-1]),
        replace(SALES, columns=tuple(reversed(SALES.columns))),
        with_column(SALES, "profit", replace(SALES.column("profit"), type=ColumnType.NUMBER)),
        with_column(SALES, "profit", replace(SALES.column("profit"), aliases=("gain",))),
        with_column(SALES, "profit", replace(SALES.column("profit"), null_markers=frozenset({""}))),
        with_column(SALES, "postal_code", replace(SALES.column("postal_code"), zero_padded=None)),
    ],
    ids=["version", "amount", "fewer rules", "severity", "fewer columns", "order", "type", "alias", "markers", "zeros"],
)
def test_a_contract_that_changed_anywhere_has_a_new_fingerprint(changed: Contract) -> None:
    assert fingerprint(changed) != fingerprint(SALES)


def test_a_field_of_a_rule_alone_changes_the_fingerprint() -> None:
    def bounded(high: int) -> Contract:
        rule: Rule = Within(
            id="rate",
            dimension=Dimension.VALIDITY,
            severity=Severity.ERROR,
            description="",
            column="discount",
            high=high,
        )
        return replace(SALES, own_rules=(rule,))

    assert fingerprint(bounded(1)) != fingerprint(bounded(2))


def test_the_order_of_a_sets_members_does_not_change_the_fingerprint() -> None:
    one, other = (
        with_column(SALES, "city", replace(SALES.column("city"), null_markers=frozenset(marks)))
        for marks in (["", "x", "none"], ["none", "", "x"])
    )

    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    "reading",
    [
        DateReading("iso"),
        DateReading("mdy", "/", 2),
        NumberReading(),
        NumberReading(decimal=",", group=".", percent=True, decorated=True, long=True),
    ],
)
def test_a_reading_survives_being_written_as_plain_data(reading: Reading) -> None:
    assert reading_from_json(reading_to_json(reading)) == reading


def test_the_flag_of_a_rule_is_named_after_it() -> None:
    rule = LineUnique(id="line_unique", dimension=Dimension.UNIQUENESS, severity=Severity.ERROR, description="")

    assert broken_flag(rule) == "_breaks_line_unique"
