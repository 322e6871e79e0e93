"""Each rule is written twice over (Narwhals and Pandera): hand-computed verdicts, and both agree row for row."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest

from platform_assets.contracts.columns import ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.row_rules import Present, Readable, RowRule
from platform_assets.contracts.rules import Dimension, Severity, broken_flag
from platform_assets.engines.engine import Engine
from platform_assets.transforms.schemas import QUARANTINED
from platform_assets_tests.frames import raw_rows, staged_frame, staged_rows

ECOMMERCE = {
    "transaction_id": "536365",
    "customer_id": "17850",
    "product_id": "85123A",
    "transaction_date": "2010-12-01 08:26:00",
    "quantity": "6",
    "unit_price": "2.55",
    "total_amount": "15.30",
}
SUPERSTORE = {
    "row_id": "1",
    "order_id": "CA-2016-152156",
    "order_date": "2016-11-08",
    "ship_date": "2016-11-11",
    "customer_id": "CG-12520",
    "product_id": "FUR-BO-10001798",
    "sales": "261.96",
    "quantity": "2",
    "discount": "0",
    "profit": "41.9136",
}
CATALOG = {"product_id": "A1", "category": "Chairs", "price": "10", "list_price": "12", "cost": "5", "weight_g": "100"}
RETAIL = {
    "customer_id": "C1",
    "purchase_date": "2024-05-01",
    "channel": "Online",
    "amount_spent": "30.00",
    "items_purchased": "3",
    "avg_item_price": "10.00",
}
GOOD = {
    "ecommerce_transactions": ECOMMERCE,
    "superstore_sales": SUPERSTORE,
    "product_catalog": CATALOG,
    "retail_analytics": RETAIL,
}

CASES: list[tuple[str, Mapping[str, str | None], set[str]]] = [
    ("ecommerce_transactions", {}, set()),
    ("ecommerce_transactions", {"transaction_id": None}, {"transaction_id_present"}),
    ("ecommerce_transactions", {"customer_id": ""}, {"customer_id_present"}),
    ("ecommerce_transactions", {"quantity": "0", "total_amount": "0"}, {"quantity_not_zero"}),
    ("ecommerce_transactions", {"quantity": "-6", "total_amount": "-15.30"}, set()),
    ("ecommerce_transactions", {"quantity": "six"}, {"quantity_readable"}),
    ("ecommerce_transactions", {"quantity": None}, {"quantity_present"}),
    ("ecommerce_transactions", {"unit_price": "0", "total_amount": "0"}, {"unit_price_positive"}),
    (
        "ecommerce_transactions",
        {"unit_price": "-1", "total_amount": "-6"},
        {"unit_price_positive", "unit_price_not_negative"},
    ),
    ("ecommerce_transactions", {"total_amount": "15.31"}, set()),
    ("ecommerce_transactions", {"total_amount": "15.29"}, set()),
    ("ecommerce_transactions", {"total_amount": "15.3101"}, {"total_amount_matches"}),
    ("ecommerce_transactions", {"total_amount": "15.2899"}, {"total_amount_matches"}),
    ("ecommerce_transactions", {"total_amount": "-15.30"}, {"total_amount_matches"}),
    ("ecommerce_transactions", {"total_amount": None}, set()),
    ("ecommerce_transactions", {"total_amount": "much"}, {"total_amount_readable"}),
    ("ecommerce_transactions", {"transaction_date": "1989-12-31 23:59:59"}, {"transaction_date_not_before_1990"}),
    ("ecommerce_transactions", {"transaction_date": "1990-01-01"}, set()),
    ("ecommerce_transactions", {"transaction_date": "2010-02-30"}, {"transaction_date_readable"}),
    ("superstore_sales", {}, set()),
    ("superstore_sales", {"sales": "0"}, set()),
    ("superstore_sales", {"sales": "-0.01"}, {"sales_not_negative"}),
    ("superstore_sales", {"profit": "-500"}, set()),
    ("superstore_sales", {"quantity": "0"}, {"quantity_positive"}),
    ("superstore_sales", {"quantity": None}, set()),
    ("superstore_sales", {"discount": "1"}, set()),
    ("superstore_sales", {"discount": "1.000001"}, {"discount_is_rate"}),
    ("superstore_sales", {"discount": "-0.1"}, {"discount_is_rate"}),
    ("superstore_sales", {"ship_date": "2016-11-08"}, set()),
    ("superstore_sales", {"ship_date": "2016-11-07"}, {"ship_date_after_order_date"}),
    ("superstore_sales", {"ship_date": "2016-12-08"}, set()),
    ("superstore_sales", {"ship_date": "2016-12-09"}, {"ship_date_after_order_date"}),
    ("superstore_sales", {"ship_date": None}, set()),
    ("superstore_sales", {"row_id": "one"}, {"row_id_readable"}),
    ("product_catalog", {}, set()),
    ("product_catalog", {"price": "12.0001"}, {"price_not_above_list_price"}),
    ("product_catalog", {"price": "12", "list_price": None}, set()),
    ("product_catalog", {"cost": "-0.0001"}, {"cost_not_negative"}),
    ("product_catalog", {"weight_g": "0"}, {"weight_g_positive"}),
    ("product_catalog", {"category": "n/a"}, {"category_present"}),
    ("product_catalog", {"product_id": "-"}, {"product_id_present"}),
    ("retail_analytics", {}, set()),
    ("retail_analytics", {"channel": "call  centre"}, {"channel_known"}),
    ("retail_analytics", {"channel": "CALL_CENTER"}, set()),
    ("retail_analytics", {"channel": None}, {"channel_present"}),
    ("retail_analytics", {"items_purchased": "0", "avg_item_price": None}, {"items_purchased_positive"}),
    # 3 items: 0.01 and half a cent per item are 0.025
    ("retail_analytics", {"amount_spent": "30.025"}, set()),
    ("retail_analytics", {"amount_spent": "30.0251"}, {"amount_matches_items"}),
    ("retail_analytics", {"amount_spent": "29.975"}, set()),
    ("retail_analytics", {"amount_spent": "29.9749"}, {"amount_matches_items"}),
    (
        "retail_analytics",
        {"amount_spent": "-30", "avg_item_price": "-10"},
        {"amount_spent_not_negative"},
    ),
]


def broken_by(contract: Contract, row: Mapping[str, Any]) -> set[str]:
    return {rule.id for rule in contract.row_rules if row[broken_flag(rule)]}


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_row_breaks_exactly_the_rules_it_was_made_to_break(engine: Engine, dataset: str) -> None:
    cases = [(change, expected) for name, change, expected in CASES if name == dataset]

    rows = staged_rows(engine, CONTRACTS[dataset], [{**GOOD[dataset], **change} for change, _ in cases])

    found = [(change, broken_by(CONTRACTS[dataset], row)) for (change, _), row in zip(cases, rows, strict=True)]
    assert found == cases


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_only_rules_of_severity_error_set_a_row_aside(engine: Engine, dataset: str) -> None:
    contract = CONTRACTS[dataset]
    severe = {rule.id for rule in contract.row_rules if rule.severity.value == "error"}
    cases = [(change, expected) for name, change, expected in CASES if name == dataset]

    rows = staged_rows(engine, contract, [{**GOOD[dataset], **change} for change, _ in cases])

    assert [row[QUARANTINED] for row in rows] == [bool(expected & severe) for _, expected in cases]


def pandera_verdicts(rule: RowRule, rows: pd.DataFrame) -> list[bool]:
    """True where Pandera finds that a row breaks a rule."""
    return [not kept for kept in rule.pandera_check()(rows).check_output]


AWKWARD = {
    ColumnType.TEXT: ["", "x", "Online", "call center", "NULL", "Ünï", '"quoted"'],
    ColumnType.IDENTIFIER: ["", "17850.0", "a1", "-", "00501"],
    ColumnType.INTEGER: ["0", "1", "-1", "3", "x", "", "999999999999999999", "2.0", "30"],
    ColumnType.MONEY: [
        "0",
        "0.0001",
        "-0.0001",
        "10.005",
        "30",
        "x",
        "",
        "99999999999999.9999",
        "-7.5",
        "90000000000000",
    ],
    ColumnType.RATE: ["0", "1", "1.000001", "-0.000001", "0.5", "", "x"],
    ColumnType.NUMBER: ["0", "-0.0", "1e-9", "-3", "2.5", "", "x"],
    ColumnType.DATE: ["2016-11-08", "2016-12-08", "2016-12-09", "1989-12-31", "9999-12-31", "0001-01-01", "", "x"],
    ColumnType.TIMESTAMP: ["2016-11-08 23:59:59.999999", "1989-12-31 23:59:59", "1990-01-01", "9999-12-31", "", "x"],
}


def awkward_rows(contract: Contract, rows: int) -> list[dict[str, str]]:
    chance = random.Random(contract.dataset)
    return [{c.name: chance.choice(AWKWARD[c.type]) for c in contract.columns} for _ in range(rows)]


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_pandera_and_narwhals_agree_row_for_row(engine: Engine, dataset: str) -> None:
    contract = CONTRACTS[dataset]
    table = engine.collect(staged_frame(engine, contract, raw_rows(contract, awkward_rows(contract, 400))))
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    unreadable = {rule.column: frame[broken_flag(rule)] for rule in contract.row_rules if isinstance(rule, Readable)}
    rules = [rule for rule in contract.row_rules if not isinstance(rule, Readable)]

    for rule in rules:
        broken = pandera_verdicts(rule, frame)
        if isinstance(rule, Present) and rule.column in unreadable:
            # A cell that cannot be read breaks "readable" alone, so that one fault is told once.
            broken = [
                is_broken and not hidden for is_broken, hidden in zip(broken, unreadable[rule.column], strict=True)
            ]
        assert table[broken_flag(rule)].to_pylist() == broken, rule.id
        assert set(broken) == {True, False}, f"the rows do not try {rule.id}"


def test_pandera_validates_a_frame_that_keeps_every_rule_and_refuses_one_that_does_not(engine: Engine) -> None:
    contract = CONTRACTS["superstore_sales"]
    checks = [rule.pandera_check() for rule in contract.row_rules if not isinstance(rule, Readable)]
    schema = pandera.DataFrameSchema(checks=checks)
    good, bad = (
        engine.collect(staged_frame(engine, contract, raw_rows(contract, [{**SUPERSTORE, "sales": sales}]))).to_pandas()
        for sales in ("1", "-1")
    )

    schema.validate(good, lazy=True)

    with pytest.raises(pandera.errors.SchemaErrors, match="sales_not_negative"):
        schema.validate(bad, lazy=True)


def test_readable_is_judged_from_what_staging_found(engine: Engine) -> None:
    rule = Readable(
        id="sales_readable", dimension=Dimension.VALIDITY, severity=Severity.ERROR, description="", column="sales"
    )
    frame = pd.DataFrame({"_unreadable_sales": [True, False]})

    assert pandera_verdicts(rule, frame) == [True, False]
    flagged = engine.from_arrow(pa.table({"_unreadable_sales": [True, False]})).select(rule.broken().alias("broken"))
    assert engine.collect(flagged)["broken"].to_pylist() == [True, False]


def test_the_product_rule_is_exact_beyond_the_digits_of_a_double(engine: Engine) -> None:
    contract = CONTRACTS["ecommerce_transactions"]
    big = {**ECOMMERCE, "quantity": "7", "unit_price": "9007199254740.9931"}
    product = Decimal("9007199254740.9931") * 7
    cells = [{**big, "total_amount": str(product + Decimal(change))} for change in ("0.01", "0.0101", "-0.0101")]

    rows = staged_rows(engine, contract, cells)

    assert [broken_by(contract, row) for row in rows] == [set(), {"total_amount_matches"}, {"total_amount_matches"}]
