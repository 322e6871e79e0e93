"""Small frames the tests of the warehouse share, and ways to look at a table."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg2
import pyarrow as pa
from psycopg2 import extensions

from platform_assets.warehouse.loading.slices import SliceCounts, replace_slices
from platform_assets.warehouse.loads import CalendarLoad
from platform_assets.warehouse.star.calendar_settings import CalendarSettings

MONEY = pa.decimal128(18, 4)
SALES = "warehouse.fct_sales"
DATASET = "ecommerce_transactions"

SALES_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("order_id", pa.string()),
        ("sold_at", pa.timestamp("us")),
        ("date_key", pa.int32()),
        ("customer_key", pa.int64()),
        ("product_key", pa.int64()),
        ("channel_key", pa.int64()),
        ("quantity", pa.int64()),
        ("net_amount", MONEY),
        ("is_return", pa.bool_()),
        ("location_key", pa.int64()),
        ("currency", pa.string()),
    ]
)


def sale(file: str, row: int, amount: str = "2.5000", **changes: Any) -> dict[str, Any]:
    """One sale line of a guest on 2 January 2024."""
    line = {
        "source_system": DATASET,
        "source_file": file,
        "source_row": row,
        "order_id": f"{file}-{row}",
        "sold_at": datetime(2024, 1, 2, 9, 30, tzinfo=UTC).replace(tzinfo=None),
        "date_key": 20240102,
        "customer_key": -1,
        "product_key": -1,
        "channel_key": -1,
        "quantity": 1,
        "net_amount": Decimal(amount),
        "is_return": False,
        "location_key": -1,
        "currency": "EUR",
    }
    return line | changes


def sales(lines: Sequence[Mapping[str, Any]]) -> list[pa.RecordBatch]:
    """Sale lines as batches of two rows."""
    batches: list[pa.RecordBatch] = pa.Table.from_pylist(list(lines), SALES_SCHEMA).to_batches(max_chunksize=2)
    return batches


def load_sales(
    connection: extensions.connection,
    slices: Mapping[str, str],
    lines: Sequence[Mapping[str, Any]],
    removed: Sequence[str] = (),
) -> SliceCounts:
    """Replace files of the sales dataset; the calendar has 2024 then."""
    CalendarLoad(CalendarSettings(), (date(2024, 1, 2), date(2024, 1, 2))).apply(connection)
    wanted = {(DATASET, file): slice_id for file, slice_id in slices.items()}
    gone = [(DATASET, file) for file in removed]
    return replace_slices(connection, SALES, wanted, gone, SALES_SCHEMA, sales(lines))


def query(source: extensions.connection | str, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Rows of a query, in a transaction of its own; an address is connected to for it."""
    if isinstance(source, str):
        with closing(psycopg2.connect(source)) as connection:
            return query(connection, statement, values)
    with source, source.cursor() as cursor:
        cursor.execute(statement, tuple(values) or None)
        return list(cursor) if cursor.description else []


def loaded_lines(source: extensions.connection | str) -> list[tuple[str, int, str]]:
    """File, row and amount of every sale line."""
    return query(source, "SELECT source_file, source_row, net_amount::text FROM warehouse.fct_sales ORDER BY 1, 2")
