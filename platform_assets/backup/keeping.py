"""A backup as an operator means it: made, remembered, and older ones removed that are not needed any more.

Belongs here: the order of these steps. Does not belong here: each of them.
"""

import time
from contextlib import closing
from dataclasses import dataclass

import psycopg2

from platform_assets.backup.deployment import deployment_id, own_backups
from platform_assets.backup.faults import BackupError
from platform_assets.backup.making import Say, make_backup
from platform_assets.backup.manifest import Manifest, read_manifest
from platform_assets.backup.records import record_backup, record_deletions, verdicts
from platform_assets.backup.retention import superfluous
from platform_assets.backup.store import Backup, backup_name, delete_backups, moment_of
from platform_assets.config import Config
from platform_assets.errors import PlatformError
from platform_assets.services.postgres import PostgresUrls
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate

SHRUNK = 0.5
"""A backup of less than this share of the one before is worth a warning."""


@dataclass(frozen=True)
class Kept:
    """What making a backup came to.

    Attributes:
        backup: The backup.
        seconds: How long it took.
        deleted: Names of the backups that retention deleted.
        warnings: What is odd about it, in sentences.
    """

    backup: Backup
    seconds: float
    deleted: tuple[str, ...]
    warnings: tuple[str, ...]


def back_up(settings: Settings, urls: PostgresUrls, config: Config, say: Say) -> Kept:
    """Make a backup, remember it in the warehouse, and then delete those of this deployment that need not stay.

    Raises:
        BackupError: It cannot be made; nothing was deleted then.
    """
    started = time.monotonic()
    with closing(psycopg2.connect(urls.dsn)) as connection:
        migrate(connection)
    deployment = deployment_id(settings)
    names = own_backups(settings.backups, deployment)
    backup = make_backup(settings, urls, config.currencies, say)
    with closing(psycopg2.connect(urls.dsn)) as connection:
        record_backup(connection, backup.manifest, settings.backups)
        sound = [moment_of(name) for name, (_, is_sound) in verdicts(connection).items() if is_sound]
        gone = superfluous(
            [moment_of(name) for name in own_backups(settings.backups, deployment)],
            keep_daily=config.backup.keep_daily,
            keep_weekly=config.backup.keep_weekly,
            verified=sound,
        )
        deleted = tuple(backup_name(moment) for moment in gone)
        warnings = _warnings(settings, backup.manifest, names[-1] if names else None)
        if deleted:
            try:
                delete_backups(settings.backups, deleted)
                record_deletions(connection, deleted)
            except PlatformError as error:
                warnings, deleted = (*warnings, f"Older backups stay until the next one: {error}"), ()
    return Kept(backup, time.monotonic() - started, deleted, warnings)


def _warnings(settings: Settings, manifest: Manifest, before: str | None) -> tuple[str, ...]:
    warnings = []
    if manifest.waiting:
        warnings.append(
            f"{len(manifest.waiting)} files were in the lake and not in the warehouse; the next run loads them."
        )
    try:
        last = read_manifest(settings.backups / before).bytes if before is not None else 0
    except BackupError as error:
        return (*warnings, error.problem)
    if manifest.bytes < SHRUNK * last:
        warnings.append(f"It has {manifest.bytes:,} bytes; the backup before it had {last:,}.")
    return tuple(warnings)
