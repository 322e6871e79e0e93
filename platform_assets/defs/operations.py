"""What runs the assets: resources, IO managers, the executor, the job and the sensor of the landing zone."""

from importlib.util import find_spec
from typing import Any

import dagster as dg

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.ingestion.arrivals import Arrivals, arrivals, next_cursor
from platform_assets.io_managers.parquet import ParquetIOManager
from platform_assets.io_managers.postgres import PostgresIOManager
from platform_assets.presentation.progress import progress_logger
from platform_assets.resources.platform import PlatformResource
from platform_assets.resources.postgres import PostgresResource
from platform_assets.resources.selection import selected_assets

REFRESH = "refresh"

refresh = dg.define_asset_job(
    REFRESH,
    selection=dg.AssetSelection.all(),
    description="Bring everything up to date with the landing zone; only new, changed and removed files cost work.",
)

CHECKS = "checks"

checks = dg.define_asset_job(
    CHECKS,
    selection=dg.AssetSelection.groups("staging", "quarantine", "quality"),
    description="Judge what the lake has by the contracts, thresholds and rules as they are now, and bring the "
    "scorecard up to date. No raw file is read and the warehouse's sales stay as they are; a gate that opens lets its "
    "news pass with the next refresh.",
)


@dg.sensor(
    name="landing_zone",
    job=refresh,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one run when files in the landing zone are new, changed or gone, and completely written.",
)
def landing_zone(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SensorResult | dg.SkipReason:
    """Compare the landing zone with what the lake has read; a file is complete when two looks find it alike."""
    seen: Arrivals = arrivals(
        {dataset: platform.landing_folder(dataset) for dataset in CONTRACTS},
        {dataset: platform.table("raw", dataset) for dataset in CONTRACTS},
    )
    decision = next_cursor(context.cursor, seen)
    if not decision.starts_run:
        context.update_cursor(decision.cursor)
        return dg.SkipReason(decision.reason)
    # Dagster always says which repository, but not to a test that calls a sensor.
    graph = context.repository_def.asset_graph if context.repository_def else None
    selected = selected_assets(graph, platform.settings.select) if graph else None
    request = dg.RunRequest(run_key=decision.run_key, asset_selection=selected)
    return dg.SensorResult(run_requests=[request], cursor=decision.cursor)


def spark_resources() -> dict[str, dg.ConfigurableResource[Any]]:
    """Spark sessions for assets, where Spark is installed."""
    if find_spec("dagster_pyspark") is None:
        return {}
    from platform_assets.resources.spark import SparkResource  # noqa: PLC0415 - not there for everyone

    return {"pyspark": SparkResource()}


@dg.definitions
def defs() -> dg.Definitions:
    """Everything but the assets."""
    platform, postgres = PlatformResource.configure_at_launch(), PostgresResource()
    return dg.Definitions(
        jobs=[refresh, checks],
        sensors=[landing_zone],
        executor=dg.in_process_executor,
        loggers={"progress": progress_logger},
        resources={
            "platform": platform,
            "postgres": postgres,
            "lake": ParquetIOManager(platform=platform),
            "warehouse": PostgresIOManager(platform=platform, postgres=postgres),
            **spark_resources(),
        },
    )
