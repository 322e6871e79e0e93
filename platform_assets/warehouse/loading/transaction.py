"""Transactions of the loaders: who owns one, how long it may wait, and what its failures are called.

Belongs here: begin, commit, locks, time limits, and the translation of database errors. Does not belong here: what is
written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

import psycopg2
from psycopg2 import errors, extensions, sql

from platform_assets.errors import LoadError

LOCK_TIMEOUT_SECONDS = 120
"""How long a load waits for another one, and for readers that hold a table."""

RIGHT_IS_MISSING = (
    "Use the owner's login, or give it the right: runs need SELECT, INSERT, UPDATE and DELETE for retail_loader on a"
    " table of your own. See docs/security.md."
)

_LIMITS = {
    "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
    "statement_timeout": "2h",
    # A loader that hangs with its transaction open must not keep the others waiting for ever.
    "idle_in_transaction_session_timeout": "30min",
    # The server notices a killed loader inside a long statement, too, and frees its locks.
    "client_connection_check_interval": "1s",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    # PostgreSQL then writes names of tables with their schema, and nothing of a user's shadows its own functions.
    "search_path": "pg_catalog, pg_temp",
}

_WRONG_STATEMENTS = (psycopg2.ProgrammingError, psycopg2.NotSupportedError, psycopg2.InternalError)

_owned: "WeakSet[extensions.connection]" = WeakSet()


@contextmanager
def transaction(connection: extensions.connection) -> Iterator[extensions.cursor]:
    """Run what is inside in one transaction: all of it is committed, or nothing.

    Transactions nest by joining: every function of this package uses this one, so wrapping several calls makes them
    one transaction.

    Args:
        connection: An idle connection, or one inside another ``transaction``.

    Yields:
        A cursor of the connection.

    Raises:
        LoadError: The connection has a transaction of its own open, another load holds what this one needs, or the
            database refused the rows.
    """
    if connection in _owned:
        with connection.cursor() as cursor:
            yield cursor
        return
    if connection.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE:
        raise LoadError(
            "The connection has a transaction open that this load did not begin.",
            "Commit or roll back before you call the warehouse.",
        )
    _owned.add(connection)
    try:
        with _translated(), connection, connection.cursor() as cursor:
            settings = sql.SQL(", ").join([sql.SQL("set_config(%s, %s, true)")] * len(_LIMITS))
            cursor.execute(sql.SQL("SELECT {}").format(settings), [text for pair in _LIMITS.items() for text in pair])
            yield cursor
    finally:
        _owned.discard(connection)


def lock(cursor: extensions.cursor, table: str) -> None:
    """Wait until no other load holds a table, and hold it until the transaction ends.

    It is a fence, too: where a newer run has loaded the table, an older one does not get it. So a step that lives on
    after its run has failed and was started again cannot undo what the new run did.

    Args:
        cursor: A cursor inside ``transaction``.
        table: What only one load may write at a time: a table with its schema.

    Raises:
        LoadError: Another load still held it when the time limit was over, or the run was replaced by a newer one.
    """
    _wait(cursor, table, "SELECT run_id, started_at FROM ops.lock_for_load(%s)", table)
    newer = cursor.fetchone()
    if newer is not None:
        run_id, started_at = newer
        raise LoadError(
            f"A newer run ({run_id}, started {started_at:%Y-%m-%d %H:%M:%S %Z}) has loaded {table} since; this step"
            " belongs to a run that was replaced, and changes nothing.",
            "Nothing is lost: the newer run has done its work.",
        )


def hold(cursor: extensions.cursor, name: str) -> None:
    """Wait until nobody else holds ``name``, and hold it until the transaction ends; for what is not a load.

    Raises:
        LoadError: It was still held when the time limit was over.
    """
    _wait(cursor, name, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"platform:{name}")


def _wait(cursor: extensions.cursor, name: str, statement: str, value: str) -> None:
    try:
        cursor.execute(statement, (value,))
    except errors.LockNotAvailable as error:
        raise LoadError(
            f"Another load held {name} for more than {LOCK_TIMEOUT_SECONDS} s.",
            "Let it finish (pg_stat_activity shows it), then run again.",
        ) from error


def table_identifier(table: str) -> sql.Identifier:
    """Quote ``schema.name``."""
    return sql.Identifier(*table.split("."))


@contextmanager
def _translated() -> Iterator[None]:
    """Say what a database error means; everything else passes."""
    try:
        yield
    except errors.LockNotAvailable as error:
        problem = f"A table stayed locked for more than {LOCK_TIMEOUT_SECONDS} s: {_told(error)}"
        raise LoadError(problem, "Find who holds it in pg_stat_activity, then run again.") from error
    except errors.InsufficientPrivilege as error:
        problem = f"This login has not the right to do that, and nothing was written: {_told(error)}"
        raise LoadError(problem, RIGHT_IS_MISSING) from error
    except (psycopg2.IntegrityError, psycopg2.DataError) as error:
        problem = f"PostgreSQL refused the rows, and nothing was written: {_told(error)}"
        raise LoadError(problem, "Correct the rows, or the contract that let them pass.") from error
    except (psycopg2.DatabaseError, psycopg2.InterfaceError) as error:
        # A connection that ends in the middle of COPY is a DatabaseError without a class of its own; PostgreSQL's own
        # internal errors are files it cannot read or write. The rest are statements that are wrong.
        if isinstance(error, _WRONG_STATEMENTS) and not isinstance(error, errors.InternalError_):
            raise
        # Whether a commit whose answer was lost took place is not known here; running again is right in both cases.
        problem = f"PostgreSQL broke the load off: {_told(error)}"
        raise LoadError(problem, "See that the server runs, then run again: what is loaded already is left.") from error


def _told(error: psycopg2.Error) -> str:
    parts = (error.diag.message_primary, error.diag.message_detail, error.diag.message_hint, error.diag.context)
    return "; ".join(part for part in parts if part) or str(error).strip()
