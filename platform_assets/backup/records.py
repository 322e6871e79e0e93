"""What the warehouse remembers of its backups: ``ops.backups`` and the audit trail.

Belongs here: writing and reading those rows. Does not belong here: the backups themselves (``store``).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from psycopg2 import extensions

from platform_assets.backup.manifest import Manifest
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.trail.audit import record

_COLUMNS = "name, folder, started_at, cut_at, finished_at, bytes, tables, rows, is_encrypted"


def record_backup(connection: extensions.connection, manifest: Manifest, root: Path) -> None:
    """Remember that a backup was made."""
    with transaction(connection) as cursor:
        _insert(cursor, manifest, root)
        record(cursor, "backup", manifest.name, {"bytes": manifest.bytes, "rows": manifest.rows, "folder": str(root)})


def record_verification(
    connection: extensions.connection, manifest: Manifest, root: Path, problems: Sequence[str]
) -> None:
    """Remember whether a backup was seen to restore."""
    with transaction(connection) as cursor:
        _insert(cursor, manifest, root)
        cursor.execute(
            "UPDATE ops.backups SET verified_at = clock_timestamp(), is_sound = %s, problem = %s WHERE name = %s",
            (not problems, "; ".join(problems) or None, manifest.name),
        )
        record(cursor, "backup", manifest.name, {"verified": not problems, "problems": len(problems)})


def record_deletions(connection: extensions.connection, names: Collection[str]) -> None:
    """Remember that retention deleted backups."""
    with transaction(connection) as cursor:
        cursor.execute("UPDATE ops.backups SET deleted_at = clock_timestamp() WHERE name = ANY(%s)", (sorted(names),))
        record(cursor, "delete", "backups", {"names": sorted(names)})


def record_restore(connection: extensions.connection, manifest: Manifest) -> None:
    """Remember, in a warehouse that was restored, what it was restored from."""
    with transaction(connection) as cursor:
        record(cursor, "restore", manifest.name, {"cut_at": manifest.cut_at, "rows": manifest.rows})


def verdicts(connection: extensions.connection) -> dict[str, tuple[datetime, bool]]:
    """When each backup was last verified, and whether it was sound, by name."""
    with transaction(connection) as cursor:
        cursor.execute("SELECT name, verified_at, is_sound FROM ops.backups WHERE verified_at IS NOT NULL")
        return {name: (verified_at, is_sound) for name, verified_at, is_sound in cursor.fetchall()}


def _insert(cursor: extensions.cursor, manifest: Manifest, root: Path) -> None:
    """A backup that another warehouse has made, or this one before it was restored, is remembered, too."""
    cursor.execute(
        f"INSERT INTO ops.backups ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"  # noqa: S608 - a constant
        " ON CONFLICT (name) DO NOTHING",
        (
            manifest.name,
            str(root),
            manifest.started_at,
            manifest.cut_at,
            manifest.finished_at,
            manifest.bytes,
            manifest.tables,
            manifest.rows,
            manifest.encryption is not None,
        ),
    )
