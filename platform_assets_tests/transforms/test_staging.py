from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from platform_assets.contracts.readings import DateReading, NumberReading, Reading
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine
from platform_assets.transforms.facts import file_facts
from platform_assets.transforms.schemas import (
    INVALID,
    LINE_HASH,
    QUARANTINED,
    RAW_LINE,
    SOURCE_FILE,
    SOURCE_ROW,
    missing_flag,
    staged_schema,
)
from platform_assets.transforms.staging import raw_lines
from platform_assets_tests.frames import Row, raw_frame, raw_rows, staged_frame, staged_rows

TRANSACTIONS, SUPERSTORE = CONTRACTS["ecommerce_transactions"], CONTRACTS["superstore_sales"]
GOOD = {
    "transaction_id": "536365",
    "customer_id": "17850.0",
    "product_id": "85123a",
    "transaction_date": "12/1/2010 8:26",
    "quantity": "6",
    "unit_price": "2.55",
}
READINGS = {"transaction_date": DateReading("mdy", "/")}


def stage(engine: Engine, *changes: Mapping[str, str | None]) -> list[dict[str, Any]]:
    return staged_rows(engine, TRANSACTIONS, [{**GOOD, **change} for change in changes], READINGS)


def test_a_row_comes_out_typed_and_conformed(engine: Engine) -> None:
    (row,) = stage(engine, {})

    assert {name: row[name] for name in TRANSACTIONS.column_names} == {
        "transaction_id": "536365",
        "customer_id": "17850",
        "product_id": "85123A",
        "product_name": None,
        "transaction_date": datetime(2010, 12, 1, 8, 26),
        "quantity": 6,
        "unit_price": Decimal("2.5500"),
        "total_amount": Decimal("15.3000"),
        "country": None,
        "channel": "Online",
    }


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_staged_frames_have_the_columns_and_types_of_their_schema(engine: Engine, dataset: str) -> None:
    contract = CONTRACTS[dataset]
    rows = raw_rows(contract, [{}, dict.fromkeys(contract.column_names, "x")])

    assert engine.collect(staged_frame(engine, contract, rows)).schema.equals(staged_schema(contract))


def test_every_row_keeps_its_place_and_its_fingerprint(engine: Engine) -> None:
    raw = [
        *raw_rows(TRANSACTIONS, [GOOD, GOOD], "b.csv"),
        *raw_rows(TRANSACTIONS, [{**GOOD, "quantity": "7"}], "a.csv"),
    ]

    rows = staged_rows(engine, TRANSACTIONS, raw, READINGS)

    places = [(row[SOURCE_FILE], row[SOURCE_ROW], row[LINE_HASH]) for row in rows]
    assert places == sorted((row[SOURCE_FILE], row[SOURCE_ROW], row[LINE_HASH]) for row in raw)


def test_missing_cells_get_their_defaults_and_are_remembered_as_missing(engine: Engine) -> None:
    given, missing = stage(
        engine, {"channel": "Store", "total_amount": "15.30"}, {"channel": " ", "total_amount": "NULL"}
    )
    flags = [missing_flag(TRANSACTIONS.column(name)) for name in ("channel", "total_amount")]

    assert (given["channel"], given["total_amount"], [given[flag] for flag in flags]) == (
        "Store",
        Decimal("15.3"),
        [False, False],
    )
    assert (missing["channel"], missing["total_amount"], [missing[flag] for flag in flags]) == (
        "Online",
        Decimal("15.3"),
        [True, True],
    )


def test_an_unreadable_cell_gets_no_default(engine: Engine) -> None:
    (row,) = staged_rows(engine, SUPERSTORE, [{"quantity": "some"}])

    assert row["quantity"] is None
    assert row["_breaks_quantity_readable"]


def test_a_missing_total_is_unknown_where_a_factor_is(engine: Engine) -> None:
    (row,) = stage(engine, {"quantity": "many"})

    assert row["total_amount"] is None
    assert not row["_breaks_total_amount_readable"]


def test_a_product_that_money_cannot_hold_is_unreadable_and_stops_no_other_row(engine: Engine) -> None:
    huge = {"quantity": "999999999999999999", "unit_price": "99999999999999.9999"}

    rows = stage(engine, huge, {**huge, "total_amount": "1"}, {})

    assert [row["total_amount"] for row in rows] == [None, Decimal(1), Decimal("15.3")]
    assert [row["_breaks_total_amount_readable"] for row in rows] == [True, False, False]
    assert [row["_breaks_total_amount_matches"] for row in rows] == [False, True, False]
    assert [row[QUARANTINED] for row in rows] == [True, True, False]


def test_a_warning_neither_invalidates_nor_sets_aside(engine: Engine) -> None:
    guest, free, wrong = stage(engine, {"customer_id": None}, {"unit_price": "0"}, {"unit_price": "-1"})

    assert [(row[INVALID], row[QUARANTINED]) for row in (guest, free, wrong)] == [
        (False, False),
        (False, False),
        (True, True),
    ]


def test_a_row_without_a_needed_value_is_set_aside_and_not_invalid(engine: Engine) -> None:
    (row,) = stage(engine, {"product_id": None})

    assert (row[INVALID], row[QUARANTINED]) == (False, True)


def test_rows_set_aside_keep_their_raw_line_as_csv_and_others_do_not(engine: Engine) -> None:
    good, bad = stage(engine, {}, {"quantity": "0", "product_name": 'A "small", red\nbox', "customer_id": " 17850.0 "})

    assert good[RAW_LINE] is None
    assert bad[RAW_LINE] == '536365, 17850.0 ,85123a,"A ""small"", red\nbox",12/1/2010 8:26,0,2.55,,,'


def test_the_raw_line_of_any_row_can_be_looked_up(engine: Engine) -> None:
    raw = raw_frame(engine, TRANSACTIONS, raw_rows(TRANSACTIONS, [GOOD]))

    (line,) = engine.collect(raw_lines(raw, TRANSACTIONS)).to_pylist()

    assert (line[SOURCE_ROW], line[RAW_LINE]) == (2, "536365,17850.0,85123a,,12/1/2010 8:26,6,2.55,,,")


def test_dates_and_rates_of_an_order_are_read_as_its_file_writes_them(engine: Engine) -> None:
    order = {
        "order_date": "08/11/2016",
        "ship_date": "11/11/2016",
        "discount": "20%",
        "sales": "1.261,96",
        "profit": "(5,5)",
    }
    euro = NumberReading(decimal=",", group=".", decorated=True)
    readings: dict[str, Reading] = {
        "order_date": DateReading("dmy", "/"),
        "ship_date": DateReading("dmy", "/"),
        "discount": NumberReading(percent=True),
        "sales": euro,
        "profit": euro,
    }

    (row,) = staged_rows(engine, SUPERSTORE, [order], readings)

    assert [row[name] for name in order] == [
        date(2016, 11, 8),
        date(2016, 11, 11),
        Decimal("0.2"),
        Decimal("1261.96"),
        Decimal("-5.5"),
    ]


def test_facts_count_each_file_by_itself(engine: Engine) -> None:
    first: list[Row] = [GOOD, {**GOOD, "customer_id": None}, {**GOOD, "quantity": "x"}, {**GOOD, "unit_price": "-1"}]
    second = [{**GOOD, "transaction_date": "12/2/2010 9:00", "channel": "Store", "total_amount": "15.30"}]
    raw = [*raw_rows(TRANSACTIONS, first, "a.csv"), *raw_rows(TRANSACTIONS, second, "b.csv")]

    facts = file_facts(staged_frame(engine, TRANSACTIONS, raw, READINGS), TRANSACTIONS, engine)

    one, other = facts["a.csv"], facts["b.csv"]
    assert (one["rows"], one["invalid"], one["quarantined"], other["rows"], other["quarantined"]) == (4, 2, 2, 1, 0)
    # 15.30 twice; the third is unknown; -6.00 is set aside
    assert (Decimal(one["amount"]), Decimal(one["quarantined_amount"])) == (Decimal("24.60"), Decimal("-6.00"))
    assert {name: count for name, count in one["missing"].items() if count} == {
        "customer_id": 1,
        "product_name": 4,
        "country": 4,
        "channel": 4,
        "total_amount": 4,
    }
    assert {name for name, count in other["missing"].items() if count} == {"product_name", "country"}
    assert {rule: count for rule, count in one["broken"].items() if count} == {
        "customer_id_present": 1,
        "quantity_readable": 1,
        "unit_price_not_negative": 1,
        "unit_price_positive": 1,
    }
    assert (one["days"], other["days"]) == ({"2010-12-01": 2}, {"2010-12-02": 1})
