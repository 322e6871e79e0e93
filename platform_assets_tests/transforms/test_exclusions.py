from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.rules import LineUnique
from platform_assets.engines.engine import Engine
from platform_assets.transforms.exclusions import exclusions, repeats, version_rules
from platform_assets_tests.frames import Row, raw_rows, staged_frame

TRANSACTIONS, CATALOG, SUPERSTORE = (
    CONTRACTS[name] for name in ("ecommerce_transactions", "product_catalog", "superstore_sales")
)
LINE = {
    "transaction_id": "1",
    "customer_id": "c",
    "product_id": "p",
    "transaction_date": "2024-01-01",
    "quantity": "1",
    "unit_price": "5",
}


def set_aside(
    engine: Engine, contract: Contract, rows: Sequence[Row], as_of: date | None = None
) -> dict[tuple[str, int], set[str]]:
    """Which rules of the version each row breaks, by file and line."""
    found = engine.collect(exclusions(staged_frame(engine, contract, rows), contract, as_of)).to_pylist()
    rules = [rule.id for rule in version_rules(contract)]
    return {
        (row["_source_file"], row["_source_row"]): {rule for rule in rules if row[f"_breaks_{rule}"]} for row in found
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_the_first_of_equal_lines_by_file_and_line_stays_whatever_the_order_of_arrival(
    engine: Engine, order: tuple[int, ...]
) -> None:
    files = [
        raw_rows(TRANSACTIONS, [{**LINE, "quantity": "2"}, LINE, LINE], "b.csv"),
        raw_rows(TRANSACTIONS, [{**LINE, "quantity": "3"}, LINE], "a.csv"),
        raw_rows(TRANSACTIONS, [LINE, {**LINE, "quantity": "2"}], "c.csv"),
    ]
    arrived: list[dict[str, Any]] = [row for place in order for row in reversed(files[place])]

    assert set_aside(engine, TRANSACTIONS, arrived) == {
        ("b.csv", 3): {"line_unique"},
        ("b.csv", 4): {"line_unique"},
        ("c.csv", 2): {"line_unique"},
        ("c.csv", 3): {"line_unique"},
    }


def test_lines_of_one_invoice_that_differ_in_anything_are_no_duplicates(engine: Engine) -> None:
    rows = raw_rows(TRANSACTIONS, [LINE, {**LINE, "product_id": "q"}, {**LINE, "customer_id": None}])

    assert set_aside(engine, TRANSACTIONS, rows) == {}


def test_the_number_of_a_line_does_not_count_when_lines_are_compared(engine: Engine) -> None:
    line = {"order_id": "o", "order_date": "2024-01-01", "customer_id": "c", "product_id": "p", "sales": "1"}
    rows = raw_rows(SUPERSTORE, [{**line, "row_id": "1"}, {**line, "row_id": "2"}])

    assert set_aside(engine, SUPERSTORE, rows) == {("a.csv", 3): {"line_unique"}}


def test_the_first_product_of_a_key_stays_and_other_descriptions_of_it_are_set_aside(engine: Engine) -> None:
    rows = [
        *raw_rows(CATALOG, [{"product_id": "a1", "price": "2"}, {"product_id": "b", "price": "1"}], "z.csv"),
        *raw_rows(CATALOG, [{"product_id": "A1", "price": "1"}, {"product_id": "A1", "price": "3"}], "y.csv"),
    ]

    assert set_aside(engine, CATALOG, rows) == {
        ("y.csv", 3): {"product_id_unique"},
        ("z.csv", 2): {"product_id_unique"},
    }


def test_a_row_that_is_set_aside_anyway_does_not_take_the_good_row_of_its_key_along(engine: Engine) -> None:
    described = {"product_id": "a", "category": "c"}
    rows = raw_rows(CATALOG, [{**described, "cost": "-1"}, {**described, "cost": "1"}, {**described, "cost": "2"}])
    assert set_aside(engine, CATALOG, rows) == {("a.csv", 4): {"product_id_unique"}}


def test_a_repeated_line_is_a_duplicate_and_not_a_repeated_key_as_well(engine: Engine) -> None:
    rows = raw_rows(CATALOG, [{"product_id": "A", "price": "1"}, {"product_id": "A", "price": "1"}])

    assert set_aside(engine, CATALOG, rows) == {("a.csv", 3): {"line_unique"}}


def test_products_without_a_key_repeat_nothing(engine: Engine) -> None:
    rows = raw_rows(CATALOG, [{"price": "1"}, {"price": "2"}])

    assert set_aside(engine, CATALOG, rows) == {}


def test_an_event_may_be_one_day_after_as_of_and_not_more(engine: Engine) -> None:
    instants = ["2024-01-10 00:00", "2024-01-11 23:59:59.999999", "2024-01-12 00:00", "2025-01-01", None]
    rows = raw_rows(TRANSACTIONS, [{**LINE, "transaction_date": instant} for instant in instants])

    assert set_aside(engine, TRANSACTIONS, rows, date(2024, 1, 10)) == {
        ("a.csv", 4): {"transaction_date_not_in_future"},
        ("a.csv", 5): {"transaction_date_not_in_future"},
    }


def test_without_as_of_nothing_is_after_it(engine: Engine) -> None:
    rows = raw_rows(TRANSACTIONS, [{**LINE, "transaction_date": "9999-12-31"}])

    assert set_aside(engine, TRANSACTIONS, rows) == {}


def test_a_row_may_break_several_rules_of_a_version_and_is_set_aside_once(engine: Engine) -> None:
    late = {**LINE, "transaction_date": "2030-01-01"}

    found = set_aside(engine, TRANSACTIONS, raw_rows(TRANSACTIONS, [late, late]), date(2024, 1, 1))

    assert found == {
        ("a.csv", 2): {"transaction_date_not_in_future"},
        ("a.csv", 3): {"line_unique", "transaction_date_not_in_future"},
    }


def test_a_contract_without_a_line_rule_has_no_duplicates_and_keeps_its_keys(engine: Engine) -> None:
    rules = tuple(rule for rule in CATALOG.own_rules if not isinstance(rule, LineUnique))
    rows = raw_rows(CATALOG, [{"product_id": "A", "price": "1"}, {"product_id": "A", "price": "1"}])

    assert set_aside(engine, replace(CATALOG, own_rules=rules), rows) == {("a.csv", 3): {"product_id_unique"}}


def test_repeats_of_a_key_of_two_columns_need_both(engine: Engine) -> None:
    rows = [("x", "1"), ("x", "2"), ("x", "1"), (None, "1"), (None, "1")]
    table = pa.table(
        {
            "a": [a for a, _ in rows],
            "b": [b for _, b in rows],
            "_source_file": ["f"] * 5,
            "_source_row": pa.array(range(5), pa.int64()),
        }
    )

    found = engine.collect(repeats(engine.from_arrow(table), ("a", "b")))

    assert found["_source_row"].to_pylist() == [2]
