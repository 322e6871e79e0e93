"""quality/profiles: what every delivery looked like beside those before it, in PostgreSQL."""

import dagster as dg

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.defs.warehouse_table import warehouse_table
from platform_assets.presentation.metadata import markdown_table
from platform_assets.quality.deliveries import history_of
from platform_assets.resources.platform import PlatformResource
from platform_assets.warehouse.loads import MergeLoad
from platform_assets.warehouse.quality.profile_rows import PROFILES_KEY, PROFILES_SCHEMA, profile_rows


@warehouse_table(
    "quality", "profiles", PROFILES_SCHEMA, deps=[dg.AssetKey(["assessment", dataset]) for dataset in CONTRACTS]
)
def quality_profiles(platform: PlatformResource) -> dg.MaterializeResult[MergeLoad]:
    """Every figure of every delivery with what was expected of it; what is forgotten by the lake stays here."""
    histories = {dataset: history_of(platform.table("deliveries", dataset).snapshot()) for dataset in CONTRACTS}
    rows = profile_rows(histories)
    load = MergeLoad("quality.profiles", PROFILES_KEY, rows.schema, rows.to_batches(), delete_missing=False)
    found = [
        {"dataset": dataset, "check": metric.family, "what was found": metric.text}
        for dataset, history in histories.items()
        if history.last
        for metric in history.last.metrics
        if metric.is_outside
    ]
    told = {"not as usual": markdown_table(found)} if found else {}
    return dg.MaterializeResult(value=load, metadata={"figures not as usual": len(found), **told})
