"""Whole tables and appended rows: what is loaded without regard to the file it came from.

Belongs here: making a table equal to the rows given, writing nothing where nothing changed; appending. Does not belong
here: facts that are replaced file by file (``slices``), and members that facts refer to (``dimensions``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from psycopg2 import extensions, sql

from platform_assets.warehouse.loading.bulk import insert_staged
from platform_assets.warehouse.loading.difference import Difference
from platform_assets.warehouse.loading.staging import staged
from platform_assets.warehouse.loading.transaction import lock, transaction


@dataclass(frozen=True)
class MergeCounts:
    """What a merge did.

    Attributes:
        inserted: Rows whose key was new.
        updated: Rows that differed.
        deleted: Rows whose key was not among those given.
        unchanged: Rows that were there already, value for value.
    """

    inserted: int
    updated: int
    deleted: int
    unchanged: int


def merge_rows(
    connection: extensions.connection,
    table: str,
    key: Sequence[str],
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    delete_missing: bool = True,
) -> MergeCounts:
    """Make a table equal to the rows given, in one transaction.

    Columns that are not among the rows (surrogate keys, for one) keep their values.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The table, as ``schema.name``.
        key: Columns that identify a row.
        schema: Names and types of the batches' columns.
        batches: All rows the table is to have.
        delete_missing: Whether rows with other keys are deleted.

    Returns:
        How many rows were inserted, updated, deleted, and left as they were.

    Raises:
        LoadError: A key is null or given twice, rows do not fit the table, did not arrive as they were sent, or break
            a constraint. Nothing is written then.
    """
    with transaction(connection) as cursor:
        lock(cursor, table)
        with staged(cursor, table, schema, batches) as arrived:
            difference = Difference(cursor, table, tuple(key), arrived)
            difference.find()
            deleted = difference.delete() if delete_missing else 0
            updated = difference.update()
            inserted = difference.insert()
            difference.refresh_statistics(inserted + updated)
            return MergeCounts(inserted, updated, deleted, arrived.totals.rows - inserted - updated)


def append_rows(
    connection: extensions.connection, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> int:
    """Add the rows whose primary key the table does not have; the others are left as they are.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The table, as ``schema.name``.
        schema: Names and types of the batches' columns.
        batches: The rows.

    Returns:
        Number of rows added.

    Raises:
        LoadError: Rows do not fit the table, did not arrive as they were sent, or break another constraint.
    """
    with transaction(connection) as cursor:
        lock(cursor, table)
        with staged(cursor, table, schema, batches) as arrived:
            return insert_staged(cursor, table, arrived, 0, sql.SQL("ON CONFLICT DO NOTHING"))
