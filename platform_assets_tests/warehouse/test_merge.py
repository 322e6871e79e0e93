from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from psycopg2 import extensions

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.encoders import BinaryEncoder
from platform_assets.warehouse.loading.merge import MergeCounts, append_rows, merge_rows
from platform_assets.warehouse.star.read import row_counts
from platform_assets_tests.warehouse.rows import load_sales, query, sale

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


def reasons(connection: extensions.connection) -> dict[int, str]:
    """Reasons by row."""
    return dict(query(connection, f"SELECT source_row, reasons FROM {QUARANTINE}"))


def test_a_merge_inserts_updates_deletes_and_leaves_the_rest(connection: extensions.connection) -> None:
    first = [quarantined("d", row) for row in (1, 2, 3)]
    assert merge_quarantine(connection, first) == MergeCounts(3, 0, 0, 0)
    second = [quarantined("d", 2), quarantined("d", 3, "other"), quarantined("d", 4)]
    assert merge_quarantine(connection, second) == MergeCounts(1, 1, 1, 1)
    assert reasons(connection) == {2: "quantity_not_zero", 3: "other", 4: "quantity_not_zero"}


@pytest.mark.parametrize(("before", "after"), [(None, ""), ("", None), ("x", None), (None, "x"), ("x", "X")])
def test_null_and_empty_text_are_different_values(
    connection: extensions.connection, before: str | None, after: str | None
) -> None:
    merge_quarantine(connection, [quarantined("d", 1) | {"raw": before}])
    assert merge_quarantine(connection, [quarantined("d", 1) | {"raw": after}]) == MergeCounts(0, 1, 0, 0)
    assert query(connection, f"SELECT raw FROM {QUARANTINE}") == [(after,)]


def test_the_same_rows_again_write_nothing(connection: extensions.connection) -> None:
    rows = [quarantined("d", row) for row in (1, 2, 3)]
    merge_quarantine(connection, rows)
    before = physical_rows(connection, QUARANTINE)
    assert merge_quarantine(connection, rows[::-1]) == MergeCounts(0, 0, 0, 3)
    assert physical_rows(connection, QUARANTINE) == before


def test_rows_that_are_not_given_stay_when_asked_to(connection: extensions.connection) -> None:
    merge_quarantine(connection, [quarantined("d", 1)])
    assert merge_quarantine(connection, [quarantined("d", 2)], delete_missing=False) == MergeCounts(1, 0, 0, 0)
    assert reasons(connection).keys() == {1, 2}


def test_a_key_given_twice_is_refused_with_examples(connection: extensions.connection) -> None:
    with pytest.raises(LoadError, match=r"same key: Key \(dataset, source_file, source_row\)=\(d, a\.csv, 7\)"):
        merge_quarantine(connection, [quarantined("d", 7, "a"), quarantined("d", 7, "b"), quarantined("d", 8)])
    assert row_counts(connection)[QUARANTINE] == 0


def test_a_row_without_its_key_is_refused(connection: extensions.connection) -> None:
    with pytest.raises(LoadError, match=r"1 rows for quality\.quarantine have no source_file"):
        merge_quarantine(connection, [quarantined("d", 1), quarantined("d", 2) | {"source_file": None}])
    assert row_counts(connection)[QUARANTINE] == 0


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

    def changed(self: BinaryEncoder, batch: pa.RecordBatch) -> bytes:
        return encode(self, change(batch) if "sold_at" in batch.schema.names else batch)

    monkeypatch.setattr(BinaryEncoder, "encode", changed)
    with pytest.raises(LoadError, match=r"(?s)smallest of sold_at: 1704196800000000 sent, 1704196800000001 arrived"):
        load_sales(connection, {"a.csv": "1"}, [sale("a.csv", 1, sold_at=noon)])


def test_appended_rows_stay_as_they_were_first(connection: extensions.connection) -> None:
    def append(rows: list[dict[str, Any]]) -> int:
        batches = pa.Table.from_pylist(rows, QUARANTINE_SCHEMA).to_batches()
        return append_rows(connection, QUARANTINE, QUARANTINE_SCHEMA, batches)

    assert append([quarantined("d", 1, "first")]) == 1
    assert append([quarantined("d", 1, "again"), quarantined("d", 2, "new")]) == 1
    assert query(connection, f"SELECT source_row, reasons FROM {QUARANTINE} ORDER BY 1") == [(1, "first"), (2, "new")]


def test_a_transaction_of_the_caller_is_neither_committed_nor_lost(connection: extensions.connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        with pytest.raises(LoadError, match="has a transaction open"):
            merge_quarantine(connection, [quarantined("d", 1)])
    connection.rollback()
    assert merge_quarantine(connection, [quarantined("d", 1)]).inserted == 1
