"""warehouse/*: the star schema and the marts in PostgreSQL."""

from collections.abc import Collection, Iterable
from datetime import date

import dagster as dg
import narwhals as nw
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.analytics.rfm import SCORES_SCHEMA, SEGMENTS_SCHEMA
from platform_assets.defs.warehouse_table import warehouse_table
from platform_assets.lake.table import Table
from platform_assets.lake.whole import whole_rows
from platform_assets.resources.platform import PlatformResource
from platform_assets.resources.postgres import PostgresResource
from platform_assets.transforms.core_dimensions import CUSTOMERS_SCHEMA, PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_DATASETS, sales_rows
from platform_assets.warehouse.loads import DatesLoad, MergeLoad, SliceLoad
from platform_assets.warehouse.rows import FCT_SALES_SCHEMA, fact_rows, scored_customers, stream
from platform_assets.warehouse.slices import FileKey

_CHANNEL_SCHEMA = pa.schema([("channel", pa.string())])


def dimension_asset(name: str, source: str, key: str, schema: pa.Schema, description: str) -> dg.AssetsDefinition:
    """A dimension: merged by its natural key, so that surrogate keys never change; members are never deleted."""

    @warehouse_table("warehouse", name, schema, ins={"members": dg.AssetIn(["core", source])}, description=description)
    def dimension(platform: PlatformResource, members: Table) -> dg.MaterializeResult[MergeLoad]:
        rows = whole_rows(members, members.snapshot(), schema, platform.loader)
        batches = stream(rows, schema, platform.loader)
        return dg.MaterializeResult(value=MergeLoad(f"warehouse.{name}", [key], schema, batches, delete_missing=False))

    return dimension


@warehouse_table("warehouse", "dim_date", ins={"sales": dg.AssetIn(["core", "sales"])})
def warehouse_dim_date(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[DatesLoad]:
    """One row per day of the years that sales speak of."""
    rows = sales_rows(sales, sales.snapshot(), platform.loader)
    span = rows.select(nw.col("sold_at").min().alias("first"), nw.col("sold_at").max().alias("last"))
    line = platform.loader.collect(span).to_pylist()[0]
    if line["first"] is None:
        return dg.MaterializeResult(value=DatesLoad(None, None))
    first, last = date(line["first"].year, 1, 1), date(line["last"].year, 12, 31)
    return dg.MaterializeResult(value=DatesLoad(first, last), metadata={"first": str(first), "last": str(last)})


@warehouse_table(
    "warehouse",
    "fct_sales",
    FCT_SALES_SCHEMA,
    ins={"sales": dg.AssetIn(["core", "sales"])},
    deps=[dg.AssetKey(["warehouse", name]) for name in ("dim_customer", "dim_product", "dim_channel", "dim_date")],
)
def warehouse_fct_sales(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[SliceLoad]:
    """One row per sale line, returns included, with keys to its dimensions and lineage to file and row.

    Only files whose rows changed are sent, in one transaction.
    """
    snapshot, engine = sales.snapshot(), platform.loader

    def rows_of(connection: Connection, files: Collection[FileKey]) -> Iterable[pa.RecordBatch]:
        keys = [f"{dataset}/{name}" for dataset, name in files]
        rows = fact_rows(sales_rows(sales, snapshot, engine, keys), connection, engine)
        return stream(rows, FCT_SALES_SCHEMA, engine)

    wanted: dict[str, dict[str, str]] = {dataset: {} for dataset in SALES_DATASETS}
    for key, piece in snapshot.slices.items():
        dataset, name = key.split("/", 1)
        wanted[dataset][name] = piece.id
    return dg.MaterializeResult(value=SliceLoad("warehouse.fct_sales", wanted, rows_of, FCT_SALES_SCHEMA))


@warehouse_table(
    "warehouse",
    "rfm_scores",
    SCORES_SCHEMA,
    table="analytics.rfm_scores",
    owner="team:analytics",
    ins={"scores": dg.AssetIn(["analytics", "rfm_scores"])},
    deps=[dg.AssetKey(["warehouse", "dim_customer"])],
)
def warehouse_rfm_scores(
    platform: PlatformResource, postgres: PostgresResource, scores: Table
) -> dg.MaterializeResult[MergeLoad]:
    """The customers' scores and segments for analysts, with the key of the customer."""
    rows = whole_rows(scores, scores.snapshot(), SCORES_SCHEMA, platform.loader)
    with postgres.connection() as connection:
        keyed, schema = scored_customers(rows, connection, platform.loader)
    batches = stream(keyed, schema, platform.loader)
    return dg.MaterializeResult(value=MergeLoad("analytics.rfm_scores", ["customer_id"], schema, batches))


@warehouse_table(
    "warehouse",
    "rfm_segments",
    SEGMENTS_SCHEMA,
    table="analytics.rfm_segments",
    owner="team:analytics",
    ins={"segments": dg.AssetIn(["analytics", "rfm_segments"])},
)
def warehouse_rfm_segments(platform: PlatformResource, segments: Table) -> dg.MaterializeResult[MergeLoad]:
    """The eleven customer segments for analysts."""
    rows = whole_rows(segments, segments.snapshot(), SEGMENTS_SCHEMA, platform.loader)
    batches = stream(rows, SEGMENTS_SCHEMA, platform.loader)
    return dg.MaterializeResult(value=MergeLoad("analytics.rfm_segments", ["segment"], SEGMENTS_SCHEMA, batches))


@dg.definitions
def defs() -> dg.Definitions:
    """The star schema and the marts."""
    dimensions = [
        dimension_asset(
            "dim_customer", "customers", "customer_id", CUSTOMERS_SCHEMA, "One row per customer; -1 is a guest."
        ),
        dimension_asset(
            "dim_product", "products", "product_id", PRODUCTS_SCHEMA, "One row per product; -1 is no product named."
        ),
        dimension_asset(
            "dim_channel", "channels", "channel", _CHANNEL_SCHEMA, "One row per sales channel; -1 is none named."
        ),
    ]
    facts = [warehouse_dim_date, warehouse_fct_sales, warehouse_rfm_scores, warehouse_rfm_segments]
    return dg.Definitions(assets=[*dimensions, *facts])
