"""Rows of core tables in the shape of warehouse tables: surrogate keys looked up, columns named as there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import narwhals as nw
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.engines.engine import INSTANT, MONEY, Engine
from platform_assets.errors import LoadError
from platform_assets.transforms.core_dimensions import CUSTOMERS_SCHEMA, PRODUCTS_SCHEMA, location_id
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW
from platform_assets.warehouse.star.model import INTERACTIONS, LOCATION, SALES, Fact
from platform_assets.warehouse.star.pseudonyms import Pseudonyms
from platform_assets.warehouse.star.read import member_keys

Frame = nw.LazyFrame[Any]

FactRows = Callable[[Frame, Connection, Mapping[str, str], Engine], Iterator[pa.RecordBatch]]
"""What makes facts of sale lines, such as ``sale_facts``."""

UNKNOWN_KEY = -1

DIM_CUSTOMER_SCHEMA = pa.schema([*CUSTOMERS_SCHEMA, pa.field("customer_pseudonym", pa.string())])

DIM_PRODUCT_SCHEMA = pa.schema([*PRODUCTS_SCHEMA, pa.field("price_currency", pa.string())])

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
        ("source_profit_amount", MONEY),
        ("country", pa.string()),
        ("location_key", pa.int64()),
        ("currency", pa.string()),
        ("cost_amount", MONEY),
    ]
)

FCT_CUSTOMER_INTERACTIONS_SCHEMA = pa.schema(
    [
        ("customer_key", pa.int64()),
        ("channel_key", pa.int64()),
        ("source_row", pa.int64()),
        ("interacted_at", INSTANT),
        ("date_key", pa.int32()),
        ("source_system", pa.string()),
        ("source_file", pa.string()),
        ("amount", MONEY),
        ("items", pa.int64()),
        ("avg_item_price_amount", MONEY),
        ("currency", pa.string()),
    ]
)


def customer_versions(members: Frame, pseudonyms: Pseudonyms, engine: Engine) -> Iterator[pa.RecordBatch]:
    """Customers under their own names and their pseudonyms: rows of ``DIM_CUSTOMER_SCHEMA``."""
    for batch in stream(members, CUSTOMERS_SCHEMA, engine):
        names = pseudonyms.of_all(batch.column("customer_id"))
        yield pa.record_batch([*batch.columns, names], schema=DIM_CUSTOMER_SCHEMA)


def product_versions(members: Frame, price_currency: str, engine: Engine) -> Iterator[pa.RecordBatch]:
    """Products with the currency of the catalogue's prices and costs: rows of ``DIM_PRODUCT_SCHEMA``."""
    priced = nw.when(nw.col("is_in_catalog")).then(nw.lit(price_currency))
    return stream(members.with_columns(priced.alias("price_currency")), DIM_PRODUCT_SCHEMA, engine)


def sale_facts(
    sales: Frame, connection: Connection, currencies: Mapping[str, str], engine: Engine
) -> Iterator[pa.RecordBatch]:
    """Sale lines with the keys of the versions valid when they happened; -1 where a line names no member.

    Args:
        sales: Rows of core/sales.
        connection: The warehouse, whose dimensions are loaded and locked.
        currencies: Currency by dataset.
        engine: What computes.

    Returns:
        Rows of ``FCT_SALES_SCHEMA``.

    Raises:
        LoadError: A line names a member that its dimension does not have, as its rows are taken.
    """
    named = sales.with_columns(location_id().alias(LOCATION.natural))
    rows = _described(_with_keys(named, SALES, connection, engine), currencies).with_columns(
        nw.when(nw.col("currency") == nw.col("price_currency"))
        .then(nw.col("quantity") * nw.col("cost_amount"))
        .alias("cost_amount"),
        nw.col("profit_amount").alias("source_profit_amount"),
    )
    return _known(stream(rows, FCT_SALES_SCHEMA, engine), SALES)


def interaction_facts(
    sales: Frame, connection: Connection, currencies: Mapping[str, str], engine: Engine
) -> Iterator[pa.RecordBatch]:
    """Purchases across channels with the keys of the versions valid when they happened.

    Args:
        sales: Rows of core/sales, of datasets whose lines are such purchases.
        connection: The warehouse, whose dimensions are loaded and locked.
        currencies: Currency by dataset.
        engine: What computes.

    Returns:
        Rows of ``FCT_CUSTOMER_INTERACTIONS_SCHEMA``.

    Raises:
        LoadError: A row names a member that its dimension does not have, as its rows are taken.
    """
    named = {
        "sold_at": "interacted_at",
        "net_amount": "amount",
        "quantity": "items",
        "unit_price_amount": "avg_item_price_amount",
    }
    rows = _described(_with_keys(sales, INTERACTIONS, connection, engine), currencies).rename(named)
    return _known(stream(rows, FCT_CUSTOMER_INTERACTIONS_SCHEMA, engine), INTERACTIONS)


def _with_keys(sales: Frame, fact: Fact, connection: Connection, engine: Engine) -> Frame:
    """Sale lines with surrogate keys: null where the dimension lacks the member, -1 where the line names none."""
    for dimension in fact.dimensions:
        sales = sales.join(engine.from_arrow(member_keys(connection, dimension)), on=dimension.natural, how="left")
        if dimension.has_versions:
            since, until, at = nw.col("valid_from"), nw.col("valid_to"), nw.col("sold_at")
            sales = sales.filter(since.is_null() | (at >= since), until.is_null() | (at < until))
            sales = sales.drop("valid_from", "valid_to")
        names_none = nw.col(dimension.natural).is_null()
        key = nw.when(names_none).then(nw.lit(UNKNOWN_KEY)).otherwise(nw.col(dimension.surrogate))
        sales = sales.with_columns(key.alias(dimension.surrogate))
    return sales


def _described(sales: Frame, currencies: Mapping[str, str]) -> Frame:
    """Sale lines with their day and currency, and their lineage named as in the warehouse."""
    day, currency = nw.col("sold_at").dt, nw.lit(None, nw.String)
    for dataset, code in currencies.items():
        currency = nw.when(nw.col("source_system") == dataset).then(nw.lit(code)).otherwise(currency)
    return sales.with_columns(
        (day.year().cast(nw.Int64) * 10_000 + day.month().cast(nw.Int64) * 100 + day.day().cast(nw.Int64))
        .cast(nw.Int32)
        .alias("date_key"),
        nw.col(SOURCE_FILE).alias("source_file"),
        nw.col(SOURCE_ROW).alias("source_row"),
        currency.alias("currency"),
    )


def _known(batches: Iterator[pa.RecordBatch], fact: Fact) -> Iterator[pa.RecordBatch]:
    """The batches, as long as every member they name is known."""
    for batch in batches:
        for dimension in fact.dimensions:
            if unknown := batch.column(dimension.surrogate).null_count:
                problem = f"{unknown} rows for {fact.table} name a {dimension.natural} {dimension.table} does not have."
                raise LoadError(problem, f"Nothing was written. Load {dimension.table} first, then run again.")
        yield batch


def pseudonymous_schema(schema: pa.Schema) -> pa.Schema:
    """A schema with pseudonyms in the place of customers' ids, where it has those."""
    names = ["customer_pseudonym" if name == "customer_id" else name for name in schema.names]
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def pseudonymous(rows: Frame, schema: pa.Schema, pseudonyms: Pseudonyms, engine: Engine) -> Iterator[pa.RecordBatch]:
    """Rows of results under the customers' pseudonyms: rows of ``pseudonymous_schema``."""
    for batch in stream(rows, schema, engine):
        columns = [
            pseudonyms.of_all(column) if name == "customer_id" else column
            for name, column in zip(schema.names, batch.columns, strict=True)
        ]
        yield pa.record_batch(columns, schema=pseudonymous_schema(schema))


def stream(rows: Frame, schema: pa.Schema, engine: Engine) -> Iterator[pa.RecordBatch]:
    """The rows as batches of exactly a schema."""
    for batch in engine.batches(rows):
        yield batch.select(schema.names).cast(schema)
