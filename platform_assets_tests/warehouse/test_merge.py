from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from psycopg2 import extensions

from platform_assets.errors import LoadError
from platform_assets.warehouse import bulk
from platform_assets.warehouse.encoders import BinaryEncoder
from platform_assets.warehouse.merge import MergeCounts, append_rows, delete_missing_rows, merge_rows
from platform_assets.warehouse.read import key_map, row_counts
from platform_assets.warehouse.transaction import transaction
from platform_assets_tests.warehouse.rows import load_sales, loaded_lines, merge_customers, query, sale

CUSTOMERS = "warehouse.dim_customer"
QUARANTINE = "quality.quarantine"
QUARANTINE_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("kind", pa.string()),
        ("reasons", pa.string()),
        ("raw", pa.string()),
    ]
)


def customers(connection: extensions.connection) -> dict[str, str | None]:
    """Name by id, of the ordinary customers."""
    rows = query(connection, f"SELECT customer_id, customer_name FROM {CUSTOMERS} WHERE NOT is_special_member")
    return dict(rows)


def customer_keys(connection: extensions.connection) -> dict[str, int]:
    table = key_map(connection, CUSTOMERS)
    return dict(zip(table["customer_id"].to_pylist(), table["customer_key"].to_pylist(), strict=True))


def physical_rows(connection: extensions.connection, table: str) -> list[tuple[Any, ...]]:
    """Where each version of each row is, and which transaction wrote it."""
    return query(connection, f"SELECT ctid, xmin, xmax FROM {table} ORDER BY ctid")


def merge_quarantine(connection: extensions.connection, rows: list[dict[str, Any]], **options: Any) -> MergeCounts:
    batches = pa.Table.from_pylist(rows, QUARANTINE_SCHEMA).to_batches()
    key = ["dataset", "source_file", "source_row"]
    return merge_rows(connection, QUARANTINE, key, QUARANTINE_SCHEMA, batches, **options)


def quarantined(dataset: str, row: int, reasons: str = "quantity_not_zero") -> dict[str, Any]:
    named = {"dataset": dataset, "source_file": "a.csv", "source_row": row}
    return named | {"kind": "quarantined", "reasons": reasons, "raw": None}


def test_a_merge_inserts_updates_deletes_and_leaves_the_rest(connection: extensions.connection) -> None:
    assert merge_customers(connection, {"a": "Ann", "b": "Ben", "c": None}) == MergeCounts(3, 0, 0, 0)
    assert merge_customers(connection, {"b": "Ben", "c": "Cem", "d": "Dora"}) == MergeCounts(1, 1, 1, 1)
    assert customers(connection) == {"b": "Ben", "c": "Cem", "d": "Dora"}


@pytest.mark.parametrize(("before", "after"), [(None, ""), ("", None), ("x", None), (None, "x"), ("x", "X")])
def test_null_and_empty_text_are_different_values(
    connection: extensions.connection, before: str | None, after: str | None
) -> None:
    merge_customers(connection, {"a": before})
    assert merge_customers(connection, {"a": after}) == MergeCounts(0, 1, 0, 0)
    assert customers(connection) == {"a": after}


def test_the_same_rows_again_write_nothing(connection: extensions.connection) -> None:
    names = {"a": "Ann", "b": None, "c": "Cem"}
    merge_customers(connection, names)
    before = physical_rows(connection, CUSTOMERS)
    assert merge_customers(connection, dict(reversed(names.items()))) == MergeCounts(0, 0, 0, 3)
    assert physical_rows(connection, CUSTOMERS) == before


def test_surrogate_keys_never_change(connection: extensions.connection) -> None:
    merge_customers(connection, {"c": "Cem", "m": "Mo"})
    first = customer_keys(connection)
    merge_customers(connection, {"a": "Ann", "c": "Cem 2", "m": "Mo"})
    merge_customers(connection, {"z": "Zoe", "m": "Mo", "c": None})
    later = customer_keys(connection)
    assert {name: later[name] for name in first} == first
    assert len(set(later.values())) == len(later)


def test_new_surrogate_keys_follow_the_natural_keys_however_the_rows_arrive(connection: extensions.connection) -> None:
    names = [f"C{(number * 389) % 1000:03}" for number in range(1000)]
    merge_customers(connection, dict.fromkeys(names))
    keys = customer_keys(connection)
    assert [name for name, _ in sorted(keys.items(), key=lambda item: item[1])] == ["unknown", *sorted(names)]


def test_the_special_member_survives_whatever_is_merged(connection: extensions.connection) -> None:
    special = "SELECT customer_key, customer_name FROM warehouse.dim_customer WHERE customer_id = 'unknown'"
    before = query(connection, special)
    assert merge_customers(connection, {}) == MergeCounts(0, 0, 0, 0)
    assert merge_customers(connection, {"unknown": "somebody"}).updated == 0
    assert query(connection, special) == before


def test_rows_that_are_not_given_stay_when_asked_to(connection: extensions.connection) -> None:
    merge_customers(connection, {"a": "Ann"})
    assert merge_customers(connection, {"b": "Ben"}, delete_missing=False) == MergeCounts(1, 0, 0, 0)
    assert customers(connection) == {"a": "Ann", "b": "Ben"}


def test_a_scope_keeps_the_rows_outside_of_it(connection: extensions.connection) -> None:
    merge_quarantine(connection, [quarantined("one", 1), quarantined("one", 2), quarantined("two", 1)])
    counts = merge_quarantine(connection, [quarantined("one", 2, "other")], scope={"dataset": "one"})
    assert counts == MergeCounts(0, 1, 1, 0)
    left = query(connection, f"SELECT dataset, source_row, reasons FROM {QUARANTINE} ORDER BY 1, 2")
    assert left == [("one", 2, "other"), ("two", 1, "quantity_not_zero")]


def test_rows_outside_of_the_scope_are_refused(connection: extensions.connection) -> None:
    with pytest.raises(LoadError, match=r"1 rows for quality\.quarantine are outside of"):
        merge_quarantine(connection, [quarantined("one", 1), quarantined("two", 1)], scope={"dataset": "one"})
    assert row_counts(connection)[QUARANTINE] == 0


def test_a_key_given_twice_is_refused_with_examples(connection: extensions.connection) -> None:
    with pytest.raises(LoadError, match=r"same key: Key \(dataset, source_file, source_row\)=\(d, a\.csv, 7\)"):
        merge_quarantine(connection, [quarantined("d", 7, "a"), quarantined("d", 7, "b"), quarantined("d", 8)])
    assert row_counts(connection)[QUARANTINE] == 0


def test_a_row_without_its_key_is_refused(connection: extensions.connection) -> None:
    schema = pa.schema([("customer_id", pa.string())])
    batches = pa.table([["a", None]], schema=schema).to_batches()
    with pytest.raises(LoadError, match=r"1 rows for .* have no customer_id"):
        merge_rows(connection, CUSTOMERS, ["customer_id"], schema, batches)


def test_a_broken_constraint_leaves_the_table_as_it_was(connection: extensions.connection) -> None:
    merge_quarantine(connection, [quarantined("d", 1)])
    with pytest.raises(LoadError, match=r"(?s)refused the rows, and nothing was written.*quarantine_source_row_check"):
        merge_quarantine(connection, [quarantined("d", 2), quarantined("d", -1)])
    assert query(connection, f"SELECT source_row FROM {QUARANTINE}") == [(1,)]


def without_last_row(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.slice(0, batch.num_rows - 1)


def replaced(column: str, values: list[Any]) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        at = batch.schema.get_field_index(column)
        return batch.set_column(at, batch.schema.field(at), pa.array(values, batch.schema.field(at).type))

    return change


@pytest.mark.parametrize(
    ("corruption", "message"),
    [
        (without_last_row, "2 rows sent, 1 arrived"),
        (replaced("price_amount", [Decimal(1), Decimal("2.0001")]), r"total of price_amount: 3\.0000 sent, 3\.0001"),
        (replaced("price_amount", [Decimal(3), None]), "nulls of price_amount: 0 sent, 1 arrived"),
        (replaced("product_name", ["a", "b"]), "total of product_name: 3 sent, 2 arrived"),
        (replaced("volume_cm3", [1.5, -2.6]), "total of volume_cm3: 4.0 sent, 4.1 arrived"),
        (replaced("is_in_catalog", [True, True]), "total of is_in_catalog: 1 sent, 2 arrived"),
    ],
)
def test_rows_that_arrive_otherwise_than_sent_are_never_published(
    connection: extensions.connection,
    monkeypatch: pytest.MonkeyPatch,
    corruption: Callable[[pa.RecordBatch], pa.RecordBatch],
    message: str,
) -> None:
    schema = pa.schema(
        [
            ("product_id", pa.string()),
            ("product_name", pa.string()),
            ("price_amount", pa.decimal128(18, 4)),
            ("volume_cm3", pa.float64()),
            ("is_in_catalog", pa.bool_()),
        ]
    )
    columns = [["P1", "P2"], ["ab", "c"], [Decimal(1), Decimal(2)], [1.5, -2.5], [True, False]]
    table = pa.table(columns, schema=schema)
    encode = BinaryEncoder.encode
    monkeypatch.setattr(BinaryEncoder, "encode", lambda self, batch: encode(self, corruption(batch)))
    with pytest.raises(LoadError, match=f"(?s)did not arrive as they were sent.*{message}"):
        merge_rows(connection, "warehouse.dim_product", ["product_id"], schema, table.to_batches())
    assert row_counts(connection)["warehouse.dim_product"] == 1


def test_moments_that_change_on_the_way_are_noticed(
    connection: extensions.connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2024, 1, 2, 12, tzinfo=UTC).replace(tzinfo=None)
    change = replaced("sold_at", [noon.replace(tzinfo=UTC, microsecond=1)])
    encode = BinaryEncoder.encode
    monkeypatch.setattr(BinaryEncoder, "encode", lambda self, batch: encode(self, change(batch)))
    with pytest.raises(LoadError, match=r"(?s)smallest of sold_at: 1704196800000000 sent, 1704196800000001 arrived"):
        load_sales(connection, {"a.csv": "1"}, [sale("a.csv", 1, sold_at=noon)])


def test_members_that_are_gone_are_deleted_after_their_facts(connection: extensions.connection) -> None:
    merge_customers(connection, {"a": "Ann", "b": "Ben"})
    keys = customer_keys(connection)
    load_sales(connection, {"a.csv": "1"}, [sale("a.csv", 1, customer_key=keys["a"])])
    schema = pa.schema([("customer_id", pa.string())])
    only_b = pa.table([["b"]], schema=schema).to_batches()
    with pytest.raises(LoadError, match=r"(?s)nothing was written.*fct_sales_customer_fkey"):
        delete_missing_rows(connection, CUSTOMERS, ["customer_id"], schema, only_b)
    load_sales(connection, {"a.csv": "2"}, [sale("a.csv", 1, customer_key=keys["b"])])
    assert delete_missing_rows(connection, CUSTOMERS, ["customer_id"], schema, only_b) == 1
    assert customer_keys(connection) == {"unknown": -1, "b": keys["b"]}


def test_appended_rows_stay_as_they_were_first(connection: extensions.connection) -> None:
    def append(rows: list[dict[str, Any]]) -> int:
        batches = pa.Table.from_pylist(rows, QUARANTINE_SCHEMA).to_batches()
        return append_rows(connection, QUARANTINE, QUARANTINE_SCHEMA, batches)

    assert append([quarantined("d", 1, "first")]) == 1
    assert append([quarantined("d", 1, "again"), quarantined("d", 2, "new")]) == 1
    assert query(connection, f"SELECT source_row, reasons FROM {QUARANTINE} ORDER BY 1") == [(1, "first"), (2, "new")]


def test_several_loads_in_one_transaction_are_published_together_or_not_at_all(
    connection: extensions.connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "SMALLEST_BULK", 1)

    def load(key: int | None) -> None:
        with transaction(connection):
            merge_customers(connection, {"a": "Ann"})
            customer = customer_keys(connection)["a"] if key is None else key
            load_sales(connection, {"a.csv": "1"}, [sale("a.csv", 1, customer_key=customer)])

    with pytest.raises(LoadError, match="fct_sales_customer_fkey"):
        load(4711)
    assert customers(connection) == {}
    load(None)
    assert (customers(connection), loaded_lines(connection)) == ({"a": "Ann"}, [("a.csv", 1, "2.5000")])


def test_a_transaction_of_the_caller_is_neither_committed_nor_lost(connection: extensions.connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        with pytest.raises(LoadError, match="has a transaction open"):
            merge_customers(connection, {"a": "Ann"})
    connection.rollback()
    assert merge_customers(connection, {"a": "Ann"}).inserted == 1


AWKWARD = ["", " ", '"', 'a"b', "a,b", "a\nb", "a\r\nb", "a\\b", r"\N", "NULL", "0012", "1e5", "ß", "日本", "🛒"]


def test_a_key_map_gives_back_every_natural_key_as_it_is(connection: extensions.connection) -> None:
    merge_customers(connection, dict.fromkeys(AWKWARD))
    keys = customer_keys(connection)
    assert set(keys) == {*AWKWARD, "unknown"}
    stored = query(connection, f"SELECT customer_id, customer_key FROM {CUSTOMERS}")
    assert keys == dict(stored)


def test_the_key_map_of_the_calendar_has_dates(connection: extensions.connection) -> None:
    load_sales(connection, {}, [])
    table = key_map(connection, "warehouse.dim_date")
    assert table.schema == pa.schema([("date", pa.date32()), ("date_key", pa.int32())])
    assert table.slice(0, 2).to_pylist() == [
        {"date": None, "date_key": -1},
        {"date": date(2024, 1, 1), "date_key": 20240101},
    ]


def test_a_table_that_is_no_dimension_has_no_key_map(connection: extensions.connection) -> None:
    with pytest.raises(LoadError, match="fct_sales is no dimension"):
        key_map(connection, "warehouse.fct_sales")
