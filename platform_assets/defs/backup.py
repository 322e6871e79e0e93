"""Jobs and schedules for backups, and what the UI shows of them.

A backup is no step of a refresh: it is made when the configuration says so, in a run of its own. One run works at a
time, so what it finds is whole.
"""

from contextlib import closing
from typing import Any

import dagster as dg
import psycopg2

from platform_assets.backup.deployment import deployment_id, own_backups
from platform_assets.backup.keeping import back_up
from platform_assets.backup.records import record_verification
from platform_assets.backup.store import find_backup
from platform_assets.backup.verifying import verify_backup
from platform_assets.config import load_config
from platform_assets.defs.warehouse_table import DATA_TEAM
from platform_assets.resources.platform import PlatformResource
from platform_assets.services.postgres import ensure_postgres
from platform_assets.settings import Settings

BACKUP = dg.AssetKey(["operations", "backup"])
EVERY_NIGHT = "0 3 * * *"
EVERY_SUNDAY = "0 5 * * 0"

backup_asset = dg.AssetSpec(
    BACKUP,
    description="The backups: warehouse, Dagster's history and lake of one moment. Made by the job backup, tried out "
    "by the job verify_backup, both on schedules that the configuration sets.",
    group_name="operations",
    kinds={"postgres", "parquet"},
    owners=[DATA_TEAM],
)


@dg.op(pool="postgres")
def make_backup(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Make a backup of this moment, then delete those that need not stay."""
    settings = platform.settings
    kept = back_up(settings, ensure_postgres(settings), platform.config, context.log.info)
    for warning in kept.warnings:
        context.log.warning(warning)
    manifest = kept.backup.manifest
    metadata: dict[str, Any] = {
        "backup": manifest.name,
        "folder": dg.MetadataValue.path(kept.backup.folder),
        "bytes": manifest.bytes,
        "seconds": dg.MetadataValue.float(kept.seconds),
        "tables": manifest.tables,
        "rows": manifest.rows,
        "encrypted": manifest.encryption is not None,
        "deleted": len(kept.deleted),
        "warnings": "; ".join(kept.warnings) or "none",
    }
    context.log_event(dg.AssetMaterialization(BACKUP, metadata=metadata))


@dg.op(pool="postgres")
def try_backup(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Restore the newest backup into a scratch server and compare everything; fail if anything differs."""
    settings = platform.settings
    # None of another deployment that uses the same folder, unless there is no other.
    own = own_backups(settings.backups, deployment_id(settings))
    backup = find_backup(settings.backups, own[-1] if own else None)
    verdict = verify_backup(settings, backup, context.log.info)
    manifest = verdict.backup.manifest
    with closing(psycopg2.connect(ensure_postgres(settings).dsn)) as connection:
        record_verification(connection, manifest, settings.backups, verdict.problems)
    metadata: dict[str, Any] = {
        "backup": manifest.name,
        "seconds": dg.MetadataValue.float(verdict.seconds),
        "tables": manifest.tables,
    }
    if verdict.problems:
        told = f"Backup {manifest.name} is not sound: {'; '.join(verdict.problems)}"
        raise dg.Failure(told, metadata=metadata, allow_retries=False)
    context.log_event(dg.AssetObservation(BACKUP, metadata={**metadata, "verified": True}))


@dg.job(description="Back up the warehouse, Dagster's history and the lake, all as they are at one moment.")
def backup() -> None:
    """One step."""
    make_backup()


@dg.job(name="verify_backup", description="Restore the newest backup into a scratch server and compare everything.")
def verify() -> None:
    """One step."""
    try_backup()


@dg.definitions
def defs() -> dg.Definitions:
    """The jobs, and schedules that run where the configuration names a time for them."""
    config = load_config(Settings.from_environment().config_file).backup
    return dg.Definitions(
        assets=[backup_asset],
        jobs=[backup, verify],
        schedules=[
            _schedule(backup, config.schedule, EVERY_NIGHT),
            _schedule(verify, config.verify_schedule, EVERY_SUNDAY),
        ],
    )


def _schedule(job: dg.JobDefinition, configured: str | None, otherwise: str) -> dg.ScheduleDefinition:
    runs = dg.DefaultScheduleStatus.STOPPED if configured is None else dg.DefaultScheduleStatus.RUNNING
    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=configured or otherwise,
        execution_timezone="UTC",
        default_status=runs,
        description="Runs when the configuration file sets its time (backup), or when it is turned on here.",
    )
