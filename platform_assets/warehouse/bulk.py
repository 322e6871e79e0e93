"""Inserting many rows at once: constraints and indexes are put aside and built again over all rows.

Belongs here: when that pays, the locks it takes, and moving staged rows into their table. Does not belong here: which
rows are moved (``merge``, ``slices``).

PostgreSQL checks a foreign key row by row, with a query each; added to a filled table, it checks all rows with one
join. Building an index over many rows is cheaper than adding them one by one, too, above all beside the index entries
of rows that have just been deleted. A million sales with four foreign keys take 46 s one way and 8 s the other. The
constraints and indexes keep their names and definitions (not comments on them), and the transaction is not committed
unless every constraint holds. Readers wait while it lasts, since the table is locked; where a reader keeps the table
busy, rows go in the slow way.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2 import errors, extensions, sql

from platform_assets.warehouse.staging import Staged, names_sql
from platform_assets.warehouse.transaction import table_identifier

SMALLEST_BULK = 20_000
"""Fewer rows go in as they are: the row by row checks take less than a second."""
SMALLEST_SHARE = 0.25
"""New rows as a share of the table's, by size: below, checking all of the table again costs more than it saves."""
PATIENCE_SECONDS = 10.0
"""How long readers are waited for before the slow way is taken."""
_RETRY_SECONDS = 0.05
_TABLE_WAIT = "3s"
"""How long the table is waited for at a time: readers queue behind it. An autovacuum gives way after one second."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Aside:
    """What is put aside of a table: names and definitions as PostgreSQL writes them."""

    constraints: dict[str, str]
    indexes: dict[str, str]
    referenced: tuple[str, ...]
    """Other tables the constraints refer to."""


_CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid), CASE WHEN confrelid > 0 THEN confrelid::regclass::text END
    FROM pg_constraint AS c
    WHERE conrelid = to_regclass(%s) AND contype IN ('p', 'u', 'f')
        AND NOT EXISTS (  -- views that group by the primary key
            SELECT FROM pg_depend WHERE refclassid = 'pg_constraint'::regclass AND refobjid = c.oid AND deptype = 'n')
        AND NOT EXISTS (  -- foreign keys of other tables
            SELECT FROM pg_constraint AS other
            WHERE other.contype = 'f' AND other.conindid = c.conindid AND c.contype <> 'f')
    ORDER BY contype = 'f', conname
"""
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index AS i
    WHERE indrelid = to_regclass(%s) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
    ORDER BY 1
"""


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
    aside = _what_to_put_aside(cursor, table) if _pays(cursor, table, staged, new_rows) else None
    if aside is None or not _locked(cursor, table, aside):
        cursor.execute(statement)
        return cursor.rowcount
    with _put_aside(cursor, table, aside):
        cursor.execute(statement)
        return cursor.rowcount


def _pays(cursor: extensions.cursor, table: str, staged: Staged, new_rows: int) -> bool:
    if new_rows < SMALLEST_BULK:
        return False
    name, staging = table_identifier(table).as_string(cursor), staged.table.as_string(cursor)
    cursor.execute("SELECT pg_relation_size(%s), pg_relation_size(%s)", (name, staging))
    held, arrived = cursor.fetchone() or (0, 0)
    return bool(arrived * new_rows / staged.totals.rows >= held * SMALLEST_SHARE)


def _what_to_put_aside(cursor: extensions.cursor, table: str) -> _Aside | None:
    """Keys and indexes nothing else depends on; ``None`` where there is nothing."""
    relation = (table_identifier(table).as_string(cursor),)
    cursor.execute(_CONSTRAINTS, relation)
    constraints = cursor.fetchall()
    cursor.execute(_INDEXES, relation)
    indexes = dict(cursor.fetchall())
    if not constraints and not indexes:
        return None
    definitions = {name: definition for name, definition, _ in constraints}
    return _Aside(definitions, indexes, tuple(sorted({other for *_, other in constraints if other})))


def _locked(cursor: extensions.cursor, table: str, aside: _Aside) -> bool:
    """Lock the table and those it refers to, all or none of them, within ``PATIENCE_SECONDS``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        cursor.execute("SAVEPOINT before_locks")
        try:
            _lock_all(cursor, table, aside.referenced)
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.InsufficientPrivilege) as error:
            cursor.execute("ROLLBACK TO SAVEPOINT before_locks")
            if time.monotonic() > deadline or isinstance(error, errors.InsufficientPrivilege):
                _log.warning("%s cannot be locked for a bulk load, rows go in one by one: %s", table, error)
                return False
            time.sleep(_RETRY_SECONDS)
        else:
            cursor.execute("RELEASE SAVEPOINT before_locks")
            return True


def _lock_all(cursor: extensions.cursor, table: str, referenced: tuple[str, ...]) -> None:
    """Wait for the table itself (an autovacuum gives way to those who wait), but for no second one.

    Who holds one lock and waits for another can end in a deadlock with a reader who came from the other side.
    """
    cursor.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", (_TABLE_WAIT,))
    (usual, *_) = cursor.fetchone() or ("0",)
    cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table_identifier(table)))
    for other in referenced:
        cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT").format(sql.SQL(other)))
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (usual,))


@contextmanager
def _put_aside(cursor: extensions.cursor, table: str, aside: _Aside) -> Iterator[None]:
    name = table_identifier(table)
    drops = [sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(constraint)) for constraint in aside.constraints]
    adds = [
        sql.SQL("ADD CONSTRAINT {} {}").format(sql.Identifier(constraint), sql.SQL(definition))
        for constraint, definition in aside.constraints.items()
    ]
    for index in aside.indexes:
        cursor.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(index)))
    if drops:
        cursor.execute(sql.SQL("ALTER TABLE {} {}").format(name, sql.SQL(", ").join(drops)))
    yield
    cursor.execute(sql.SQL("ANALYZE {}").format(name))
    for definition in aside.indexes.values():
        cursor.execute(definition)
    if adds:
        cursor.execute(sql.SQL("ALTER TABLE {} {}").format(name, sql.SQL(", ").join(adds)))
