"""core/*: one conformed model over all datasets, from their accepted versions."""

from collections.abc import Sequence

import dagster as dg

from platform_assets.engines.engine import Frame
from platform_assets.lake.table import ACCEPTED, Table
from platform_assets.lake.update import Update
from platform_assets.lake.whole import content_ids, whole_update
from platform_assets.presentation.metadata import column_schema, markdown_table
from platform_assets.quality.record import judgement_of
from platform_assets.reports.wording import held_back
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.accepted import counting_rows
from platform_assets.transforms.core_dimensions import (
    CATALOG,
    CHANNELS_SCHEMA,
    CUSTOMERS_SCHEMA,
    LOCATIONS_SCHEMA,
    PRODUCTS_SCHEMA,
    channels,
    customers,
    locations,
    price_edges,
    products,
)
from platform_assets.transforms.core_sales import SALES_DATASETS, SALES_SCHEMA, Source, sales_rows, update_sales

_OWNER = "team:data"


@dg.asset(
    key=["core", "sales"],
    io_manager_key="lake",
    group_name="core",
    kinds={"parquet"},
    owners=[_OWNER],
    deps=[dg.AssetKey(["staging", dataset]) for dataset in SALES_DATASETS],
    metadata=column_schema(SALES_SCHEMA),
)
def core_sales(platform: PlatformResource) -> dg.MaterializeResult[Update]:
    """All sales datasets, one line per sale line, with lineage to file and row; only changed files are computed."""
    sources = [Source(platform.contract(name), platform.table("staging", name)) for name in SALES_DATASETS]
    table = platform.table("core", "sales")
    before = table.snapshot()
    after, written = update_sales(table, sources, platform.engine)
    metadata: dict[str, dg.MetadataValue | int] = {
        "files conformed": len(written),
        "files removed": len(set(before.slices) - set(after.slices)),
        **missing_news(platform, SALES_DATASETS),
    }
    return dg.MaterializeResult(value=Update(after, is_news=after != before), metadata=metadata)


@dg.asset(
    key=["core", "customers"],
    io_manager_key="lake",
    group_name="core",
    kinds={"parquet"},
    owners=[_OWNER],
    ins={"sales": dg.AssetIn(["core", "sales"])},
    metadata=column_schema(CUSTOMERS_SCHEMA),
)
def core_customers(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[Update]:
    """Every known customer of any dataset, one row per version.

    A version is a stretch of time in which segment and country stay what they are, told by the dates of the sales; it
    ends where the next one begins. All else is as in the newest sale that says something.
    """
    snapshot = sales.snapshot()
    update = whole_update(
        platform.table("core", "customers"),
        content_ids(snapshot),
        lambda: customers(sales_rows(sales, snapshot, platform.engine), SALES_DATASETS),
        CUSTOMERS_SCHEMA,
        platform.engine,
    )
    return dg.MaterializeResult(value=update)


@dg.asset(
    key=["core", "products"],
    io_manager_key="lake",
    group_name="core",
    kinds={"parquet"},
    owners=[_OWNER],
    ins={"sales": dg.AssetIn(["core", "sales"])},
    deps=[dg.AssetKey(["staging", CATALOG])],
    metadata=column_schema(PRODUCTS_SCHEMA),
)
def core_products(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[Update]:
    """Every product that is sold or in the catalogue, one row per version.

    A version is a stretch of time in which prices, cost, categories and brand stay what they are, told by the days from
    which the catalogue's rows are valid; it ends where the next one begins. All else is the newest that is known; the
    catalogue's description wins over that on sales.
    """
    staged, snapshot = platform.table("staging", CATALOG), sales.snapshot()
    accepted = staged.snapshot(ACCEPTED)
    catalog = counting_rows(staged, accepted, platform.contract(CATALOG), platform.engine)
    edges = price_edges(catalog, platform.engine)

    def build() -> Frame:
        return products(sales_rows(sales, snapshot, platform.engine), catalog, edges)

    made_from = [content_ids(snapshot), accepted.attributes.get("pieces")]
    table = platform.table("core", "products")
    update = whole_update(table, made_from, build, PRODUCTS_SCHEMA, platform.engine)
    edges_told = ", ".join(f"{edge:,}" for edge in edges)
    told: dict[str, dg.MetadataValue | str] = {"price tier edges": edges_told, **missing_news(platform, [CATALOG])}
    return dg.MaterializeResult(value=update, metadata=told)


@dg.asset(
    key=["core", "channels"],
    io_manager_key="lake",
    group_name="core",
    kinds={"parquet"},
    owners=[_OWNER],
    ins={"sales": dg.AssetIn(["core", "sales"])},
    metadata=column_schema(CHANNELS_SCHEMA),
)
def core_channels(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[Update]:
    """Every channel through which something was sold, with the number of sale lines."""
    snapshot = sales.snapshot()
    update = whole_update(
        platform.table("core", "channels"),
        content_ids(snapshot),
        lambda: channels(sales_rows(sales, snapshot, platform.engine)),
        CHANNELS_SCHEMA,
        platform.engine,
    )
    return dg.MaterializeResult(value=update)


@dg.asset(
    key=["core", "locations"],
    io_manager_key="lake",
    group_name="core",
    kinds={"parquet"},
    owners=[_OWNER],
    ins={"sales": dg.AssetIn(["core", "sales"])},
    metadata=column_schema(LOCATIONS_SCHEMA),
)
def core_locations(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[Update]:
    """Every place that something was sold to: country, region, state and city, as far as they are known."""
    snapshot = sales.snapshot()
    update = whole_update(
        platform.table("core", "locations"),
        content_ids(snapshot),
        lambda: locations(sales_rows(sales, snapshot, platform.engine)),
        LOCATIONS_SCHEMA,
        platform.engine,
    )
    return dg.MaterializeResult(value=update)


def missing_news(platform: PlatformResource, datasets: Sequence[str]) -> dict[str, dg.MetadataValue]:
    """Metadata that says which datasets' news this table goes without, and why; none when there are none."""
    judged = [judgement_of(platform.table("assessment", name).snapshot()) for name in datasets]
    lines = [
        {"dataset": one.dataset, "held back": held_back(one.held_back), "because": "; ".join(one.reasons)}
        for one in judged
        if one is not None and one.held_back is not None
    ]
    return {"held back": markdown_table(lines)} if lines else {}
