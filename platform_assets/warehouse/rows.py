"""Rows of core tables in the shape of warehouse tables: surrogate keys looked up, columns named as there."""

from collections.abc import Iterator
from typing import Any

import narwhals as nw
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.analytics.rfm import SCORES_SCHEMA
from platform_assets.engines.engine import INSTANT, MONEY, Engine
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW
from platform_assets.warehouse.read import key_map

Frame = nw.LazyFrame[Any]

UNKNOWN_KEY = -1

FCT_SALES_SCHEMA = pa.schema(
    [
        ("customer_key", pa.int64()),
        ("product_key", pa.int64()),
        ("channel_key", pa.int64()),
        ("source_row", pa.int64()),
        ("sold_at", INSTANT),
        ("date_key", pa.int32()),
        ("is_return", pa.bool_()),
        ("source_system", pa.string()),
        ("source_file", pa.string()),
        ("net_amount", MONEY),
        ("quantity", pa.int64()),
        ("order_id", pa.string()),
        ("unit_price_amount", MONEY),
        ("gross_amount", MONEY),
        ("discount_amount", MONEY),
        ("profit_amount", MONEY),
        ("country", pa.string()),
    ]
)

_DIMENSIONS = {
    "customer_id": ("warehouse.dim_customer", "customer_key"),
    "product_id": ("warehouse.dim_product", "product_key"),
    "channel": ("warehouse.dim_channel", "channel_key"),
}


def fact_rows(sales: Frame, connection: Connection, engine: Engine) -> Frame:
    """Sale lines with the surrogate keys of their dimensions; -1 where a line names none.

    Args:
        sales: Rows of core/sales.
        connection: The warehouse, whose dimensions are loaded.
        engine: What computes.

    Returns:
        Rows of ``FCT_SALES_SCHEMA``.
    """
    for natural, (table, surrogate) in _DIMENSIONS.items():
        sales = sales.join(engine.from_arrow(key_map(connection, table)), on=natural, how="left")
        sales = sales.with_columns(nw.col(surrogate).fill_null(UNKNOWN_KEY))
    day = nw.col("sold_at").dt
    return sales.with_columns(
        (day.year().cast(nw.Int64) * 10_000 + day.month().cast(nw.Int64) * 100 + day.day().cast(nw.Int64))
        .cast(nw.Int32)
        .alias("date_key"),
        nw.col(SOURCE_FILE).alias("source_file"),
        nw.col(SOURCE_ROW).alias("source_row"),
    ).select(FCT_SALES_SCHEMA.names)


def scored_customers(scores: Frame, connection: Connection, engine: Engine) -> tuple[Frame, pa.Schema]:
    """Customers' scores with the surrogate key of the customer, and the schema of these rows."""
    keys = engine.from_arrow(key_map(connection, "warehouse.dim_customer"))
    schema = pa.schema([pa.field("customer_key", pa.int64()), *SCORES_SCHEMA])
    return scores.join(keys, on="customer_id", how="inner").select(schema.names), schema


def stream(rows: Frame, schema: pa.Schema, engine: Engine) -> Iterator[pa.RecordBatch]:
    """The rows as batches of exactly a schema."""
    for batch in engine.batches(rows):
        yield batch.select(schema.names).cast(schema)
