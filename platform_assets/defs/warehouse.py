"""warehouse/*: the star schema in PostgreSQL. Tables of results are loaded with their topics."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import dagster as dg
import narwhals as nw
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.defs.warehouse_table import warehouse_table
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.whole import content_ids, fingerprint_of, whole_rows
from platform_assets.resources.platform import PlatformResource
from platform_assets.services.keys import pseudonym_key
from platform_assets.transforms.core_dimensions import CATALOG, CUSTOMERS_SCHEMA, LOCATIONS_SCHEMA, PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_DATASETS, sales_rows
from platform_assets.warehouse.loading.slices import FileKey
from platform_assets.warehouse.loads import CalendarLoad, DimensionLoad, SliceLoad, Told
from platform_assets.warehouse.star.calendar import DIM_DATE_SCHEMA, whole_years
from platform_assets.warehouse.star.fact_slices import fact_slice_id
from platform_assets.warehouse.star.model import (
    CHANNEL,
    CUSTOMER,
    INTERACTIONS,
    LOCATION,
    PRODUCT,
    SALES,
    Dimension,
    Fact,
)
from platform_assets.warehouse.star.pseudonyms import Pseudonyms
from platform_assets.warehouse.star.rows import (
    DIM_CUSTOMER_SCHEMA,
    DIM_PRODUCT_SCHEMA,
    FCT_CUSTOMER_INTERACTIONS_SCHEMA,
    FCT_SALES_SCHEMA,
    FactRows,
    customer_versions,
    interaction_facts,
    product_versions,
    sale_facts,
    stream,
)

_CHANNEL_SCHEMA = pa.schema([("channel", pa.string())])
_INTERACTION_DATASETS = ("retail_analytics",)
_MEMBERS_BY = 1
"""Raise it when the same core tables make other members, so that they are loaded again."""


@warehouse_table("warehouse", "dim_customer", DIM_CUSTOMER_SCHEMA, ins={"members": dg.AssetIn(["core", "customers"])})
def warehouse_dim_customer(platform: PlatformResource, members: Table) -> dg.MaterializeResult[DimensionLoad]:
    """One row per version of a customer; -1 is a guest. Facts follow when versions change."""
    snapshot, pseudonyms = members.snapshot(), Pseudonyms(pseudonym_key(platform.settings))
    rows = whole_rows(members, snapshot, CUSTOMERS_SCHEMA, platform.loader)
    batches = customer_versions(rows, pseudonyms, platform.loader)
    told = _told("customers", snapshot, pseudonyms.of("which key"))
    return dg.MaterializeResult(value=DimensionLoad(CUSTOMER, told, DIM_CUSTOMER_SCHEMA, batches))


@warehouse_table("warehouse", "dim_product", DIM_PRODUCT_SCHEMA, ins={"members": dg.AssetIn(["core", "products"])})
def warehouse_dim_product(platform: PlatformResource, members: Table) -> dg.MaterializeResult[DimensionLoad]:
    """One row per version of a product; -1 is no product named. Facts and their costs follow when versions change."""
    snapshot, currency = members.snapshot(), platform.config.currencies.of(CATALOG)
    rows = whole_rows(members, snapshot, PRODUCTS_SCHEMA, platform.loader)
    batches = product_versions(rows, currency, platform.loader)
    told = _told("products", snapshot, currency)
    return dg.MaterializeResult(value=DimensionLoad(PRODUCT, told, DIM_PRODUCT_SCHEMA, batches))


def dimension_asset(dimension: Dimension, source: str, schema: pa.Schema, description: str) -> dg.AssetsDefinition:
    """A dimension as its core table has it, with surrogate keys that stay."""
    layer, name = dimension.table.split(".")

    @warehouse_table(layer, name, schema, ins={"members": dg.AssetIn(["core", source])}, description=description)
    def asset(platform: PlatformResource, members: Table) -> dg.MaterializeResult[DimensionLoad]:
        snapshot = members.snapshot()
        batches = stream(whole_rows(members, snapshot, schema, platform.loader), schema, platform.loader)
        return dg.MaterializeResult(value=DimensionLoad(dimension, _told(source, snapshot), schema, batches))

    return asset


def _told(name: str, snapshot: Snapshot, *more: str) -> Told:
    """The version of a core table, and what else its members are made from, for ``ops.loaded_slices``."""
    return Told("core", name, fingerprint_of([_MEMBERS_BY, dict(content_ids(snapshot)), *more]))


@warehouse_table("warehouse", "dim_date", DIM_DATE_SCHEMA, ins={"sales": dg.AssetIn(["core", "sales"])})
def warehouse_dim_date(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[CalendarLoad]:
    """One row per day of the calendar and fiscal years that sales speak of, interactions among them."""
    rows = sales_rows(sales, sales.snapshot(), platform.loader)
    span = rows.select(nw.col("sold_at").min().alias("first"), nw.col("sold_at").max().alias("last"))
    line = platform.loader.collect(span).to_pylist()[0]
    events = (line["first"].date(), line["last"].date()) if line["first"] is not None else None
    settings = platform.config.calendar
    told = dict(zip(("first", "last"), map(str, whole_years(events, settings)), strict=True)) if events else {}
    return dg.MaterializeResult(value=CalendarLoad(settings, events), metadata=told)


@warehouse_table(
    "warehouse",
    "fct_customer_interactions",
    FCT_CUSTOMER_INTERACTIONS_SCHEMA,
    ins={"sales": dg.AssetIn(["core", "sales"])},
    deps=[dg.AssetKey(["warehouse", name]) for name in ("dim_customer", "dim_channel", "dim_date")],
)
def warehouse_fct_customer_interactions(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[SliceLoad]:
    """One row per purchase of a customer in a channel, with keys to its dimensions and lineage to file and row.

    Only files whose rows changed are sent, in one transaction.
    """
    rows = _Rows(interaction_facts, FCT_CUSTOMER_INTERACTIONS_SCHEMA, _INTERACTION_DATASETS)
    return dg.MaterializeResult(value=_slices(platform, sales, INTERACTIONS, rows))


@warehouse_table(
    "warehouse",
    "fct_sales",
    FCT_SALES_SCHEMA,
    ins={"sales": dg.AssetIn(["core", "sales"])},
    deps=[
        dg.AssetKey(["warehouse", name])
        for name in ("dim_customer", "dim_product", "dim_channel", "dim_location", "dim_date")
    ],
)
def warehouse_fct_sales(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[SliceLoad]:
    """One row per sale line, returns included, with keys to its dimensions and lineage to file and row.

    Only files whose rows changed are sent, in one transaction.
    """
    rows = _Rows(sale_facts, FCT_SALES_SCHEMA, SALES_DATASETS)
    return dg.MaterializeResult(value=_slices(platform, sales, SALES, rows))


@dataclass(frozen=True)
class _Rows:
    """Facts: what makes them of sale lines, their columns, and the datasets whose lines they are made of."""

    made_by: FactRows
    schema: pa.Schema
    datasets: tuple[str, ...]


def _slices(platform: PlatformResource, sales: Table, fact: Fact, rows: _Rows) -> SliceLoad:
    """The load of a table of facts, file by file."""
    snapshot, engine = sales.snapshot(), platform.loader
    currencies = {dataset: platform.config.currencies.of(dataset) for dataset in rows.datasets}

    def rows_of(connection: Connection, files: Collection[FileKey]) -> Iterable[pa.RecordBatch]:
        keys = [f"{dataset}/{name}" for dataset, name in files]
        return rows.made_by(sales_rows(sales, snapshot, engine, keys), connection, currencies, engine)

    wanted: dict[str, dict[str, str]] = {dataset: {} for dataset in rows.datasets}
    for key, piece in snapshot.slices.items():
        dataset, name = key.split("/", 1)
        if dataset in wanted:
            wanted[dataset][name] = fact_slice_id(piece.id, currencies[dataset])
    return SliceLoad(fact.table, wanted, rows_of, rows.schema)


@dg.definitions
def defs() -> dg.Definitions:
    """The star schema."""
    dimensions = [
        dimension_asset(CHANNEL, "channels", _CHANNEL_SCHEMA, "One row per sales channel; -1 is none named."),
        dimension_asset(LOCATION, "locations", LOCATIONS_SCHEMA, "One row per place sold to; -1 is none named."),
    ]
    others = [warehouse_dim_customer, warehouse_dim_product, warehouse_dim_date]
    facts = [warehouse_fct_customer_interactions, warehouse_fct_sales]
    return dg.Definitions(assets=[*dimensions, *others, *facts])
