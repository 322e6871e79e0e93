"""Inserting many rows at once: constraints and indexes are put aside and built again over all rows.

Belongs here: when that pays, the locks it takes, and moving staged rows into their table. Does not belong here: which
rows are moved (``merge``, ``slices``), and how things are put aside and back: functions of the owner do that, since the
loader owns nothing (migration 0013).

PostgreSQL checks a foreign key row by row, with a query each; added to a filled table, it checks all rows with one
join. Building an index over many rows is cheaper than adding them one by one, too, above all beside the index entries
of rows that have just been deleted. A million sales with four foreign keys take 46 s one way and 8 s the other. The
constraints and indexes keep their names and definitions (not comments on them), and the transaction is not committed
unless every constraint holds. Readers wait while it lasts, since the table is locked; where a reader keeps the table
busy, rows go in the slow way.
"""

import logging
import time
from collections.abc import Sequence

from psycopg2 import errors, extensions, sql

from platform_assets.warehouse.loading.staging import Staged, names_sql
from platform_assets.warehouse.loading.transaction import table_identifier

SMALLEST_BULK = 20_000
"""Fewer rows go in as they are: the row by row checks take less than a second."""
SMALLEST_SHARE = 0.25
"""New rows as a share of the table's, by size: below, checking all of the table again costs more than it saves."""
PATIENCE_SECONDS = 10.0
"""How long readers are waited for before the slow way is taken."""
_RETRY_SECONDS = 0.05
_TABLE_WAIT = "3s"
"""How long the table is waited for at a time: readers queue behind it. An autovacuum gives way after one second."""

_REFERENCED = """
    SELECT count(*) > 0, coalesce(array_agg(DISTINCT refers_to::text) FILTER (WHERE refers_to > 0), '{}')
    FROM ops.can_be_put_aside(%s::regclass)
"""

_log = logging.getLogger(__name__)


def insert_staged(
    cursor: extensions.cursor, table: str, staged: Staged, new_rows: int, condition: sql.Composable
) -> int:
    """Move staged rows into their table.

    Args:
        cursor: A cursor inside ``transaction``.
        table: The table, as ``schema.name``.
        staged: The rows; ``staged`` is their alias in ``condition``.
        new_rows: How many of them meet the condition; decides how they go in.
        condition: What stands between FROM staging AS staged and the end of the statement; may be empty.

    Returns:
        Number of rows inserted.
    """
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS staged {}").format(
        table_identifier(table), names_sql(staged.names), names_sql(staged.names, "staged."), staged.table, condition
    )
    in_bulk = _pays(cursor, table, staged, new_rows) and _locked(cursor, table) and _put_aside(cursor, table)
    cursor.execute(statement)
    inserted = cursor.rowcount
    if in_bulk:
        _call(cursor, "put_back", table)
    return inserted


def _pays(cursor: extensions.cursor, table: str, staged: Staged, new_rows: int) -> bool:
    if new_rows < SMALLEST_BULK:
        return False
    name, staging = table_identifier(table).as_string(cursor), staged.table.as_string(cursor)
    cursor.execute("SELECT pg_relation_size(%s), pg_relation_size(%s)", (name, staging))
    held, arrived = cursor.fetchone() or (0, 0)
    return bool(arrived * new_rows / staged.totals.rows >= held * SMALLEST_SHARE)


def _locked(cursor: extensions.cursor, table: str) -> bool:
    """Lock the table and those it refers to, all or none of them, within ``PATIENCE_SECONDS``.

    There is nothing to lock, and nothing to put aside, where it has neither constraints nor indexes.
    """
    cursor.execute(_REFERENCED, (table_identifier(table).as_string(cursor),))
    (anything, referenced) = cursor.fetchone() or (False, [])
    if not anything:
        return False
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        cursor.execute("SAVEPOINT before_locks")
        try:
            _lock_all(cursor, table, referenced)
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.InsufficientPrivilege) as error:
            cursor.execute("ROLLBACK TO SAVEPOINT before_locks")
            if time.monotonic() > deadline or isinstance(error, errors.InsufficientPrivilege):
                _log.warning("%s cannot be locked for a bulk load, rows go in one by one: %s", table, error)
                return False
            time.sleep(_RETRY_SECONDS)
        else:
            cursor.execute("RELEASE SAVEPOINT before_locks")
            return True


def _lock_all(cursor: extensions.cursor, table: str, referenced: Sequence[str]) -> None:
    """Wait for the table itself (an autovacuum gives way to those who wait), but for no second one.

    Who holds one lock and waits for another can end in a deadlock with a reader who came from the other side.
    """
    cursor.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", (_TABLE_WAIT,))
    (usual, *_) = cursor.fetchone() or ("0",)
    cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table_identifier(table)))
    for other in referenced:
        cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT").format(sql.SQL(other)))
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (usual,))


def _put_aside(cursor: extensions.cursor, table: str) -> bool:
    """Put constraints and indexes aside, unless a check that this transaction has put off still needs them."""
    cursor.execute("SAVEPOINT before_aside")
    try:
        _call(cursor, "put_aside", table)
    except errors.ObjectInUse as error:
        cursor.execute("ROLLBACK TO SAVEPOINT before_aside")
        _log.warning("%s is in use by its own transaction, rows go in one by one: %s", table, error)
        return False
    cursor.execute("RELEASE SAVEPOINT before_aside")
    return True


def _call(cursor: extensions.cursor, function: str, table: str) -> None:
    """Have the owner of the tables do what the loader's role may not (see migration 0013)."""
    name = table_identifier(table).as_string(cursor)
    cursor.execute(sql.SQL("SELECT ops.{}(%s::regclass)").format(sql.Identifier(function)), (name,))
