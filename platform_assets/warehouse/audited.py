"""A load together with its row of the audit trail, in one transaction.

Belongs here: where all loads of assets end. Does not belong here: how a load is done (``loads``).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2 import extensions, sql

from platform_assets.warehouse.loading.transaction import lock, table_identifier, transaction
from platform_assets.warehouse.loads import Load
from platform_assets.warehouse.trail.audit import file_changes, files_held, record


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Attributes:
        counts: Rows that changed, by the way they changed.
        rows: Rows of the table afterwards.
        audit_hash: Hash of the load's row in the audit trail.
    """

    counts: Mapping[str, int]
    rows: int
    audit_hash: str


def apply_audited(connection: extensions.connection, load: Load, details: Mapping[str, str]) -> Loaded:
    """Apply a load and record it: both are committed, or neither.

    Args:
        connection: An idle connection.
        load: The load.
        details: What the audit trail is to say besides counts, files and seconds.

    Raises:
        LoadError: The load was refused, or the run was replaced by a newer one.
    """
    started = time.monotonic()
    with transaction(connection) as cursor:
        before = files_held(cursor, load.table)
        counts = load.apply(connection)
        # A load that found nothing to do has not been here: older runs must not follow it all the same.
        lock(cursor, load.table)
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(table_identifier(load.table)))
        (rows,) = cursor.fetchall()[0]
        files = file_changes(before, files_held(cursor, load.table))
        seconds = round(time.monotonic() - started, 3)
        told = {**details, **counts, "rows": rows, "seconds": seconds, "files": files}
        return Loaded(counts, rows, record(cursor, "load", load.table, told))
