"""analytics/*: what all of them are computed for, from which sales where money is added up, and what is shown."""

from collections.abc import Collection
from datetime import date

import dagster as dg
import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.customer_360 import main_currency
from platform_assets.engines.engine import Frame
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import ACCEPTED, Table
from platform_assets.presentation.metadata import markdown_table
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_sales import SALES_DATASETS, sales_rows

_EPOCH = date(1970, 1, 1)
_PREVIEW_ROWS = 10


def analysis_day(platform: PlatformResource) -> date:
    """The day results are computed for: the one asked for, or the newest event date of the accepted sales."""
    if platform.settings.as_of is not None:
        return platform.settings.as_of
    accepted = [platform.table("staging", name).snapshot(ACCEPTED) for name in SALES_DATASETS]
    days = [date.fromisoformat(day) for version in accepted if (day := version.attributes.get("as_of"))]
    return max(days, default=_EPOCH)


def main_datasets(platform: PlatformResource) -> tuple[str, list[str]]:
    """The currency that amounts of customers are in, and the datasets that have it.

    It is one that core/sales has lines in: a shop that fills one dataset alone has its currency, whatever the others
    would have.
    """
    currencies = platform.config.currencies
    slices = platform.table("core", "sales").snapshot().slices
    with_lines = {key.split("/", 1)[0] for key, piece in slices.items() if piece.facts.get("rows")}
    return main_currency({name: currencies.of(name) for name in SALES_DATASETS}, currencies.default, with_lines)


def main_currency_sales(platform: PlatformResource, table: Table, snapshot: Snapshot) -> Frame:
    """The rows of core/sales whose money can be added up: those in the main currency."""
    _, datasets = main_datasets(platform)
    return sales_rows(table, snapshot, platform.engine).filter(nw.col("source_system").is_in(datasets))


def row_preview(name: str, key: Collection[str], rows: pa.Table) -> dg.MetadataValue | str:
    """The first rows of a table of results; of single customers none: in Dagster's events nobody could erase them."""
    if "customer_id" in key:
        return f"One row per customer, not shown here: see analytics.{name} in PostgreSQL."
    return markdown_table(rows.slice(0, _PREVIEW_ROWS).to_pylist(), _PREVIEW_ROWS)
