"""The audit trail as the platform writes it: who did what to which table, when and from which files.

Belongs here: adding to ``ops.audit_log``, and what a load did to the files of its table. Does not belong here: the
chain of hashes (``ops.audit`` in ``sql``), reading it for people (``history_read``).
"""

import json
import os
import pwd
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg2 import extensions

from platform_assets.warehouse.loading.transaction import transaction

_logins: set[tuple[int, str]] = set()
"""Databases that this process has come to; a forked one has an id of its own."""


def record(cursor: extensions.cursor, kind: str, object_name: str, details: Mapping[str, Any] | None = None) -> str:
    """Add a row to the audit trail, in the transaction of what it speaks of.

    Make it the transaction's last statement: nobody else can add a row until it ends.

    Args:
        cursor: A cursor inside ``transaction``.
        kind: What was done: load, delete, grant, export, erasure, login, migrate, backup, restore.
        object_name: To what: a table with its schema, a dataset, a file, a role.
        details: What else is known about it; must not hold anything personal.

    Returns:
        Hash of the row, which stands for all rows up to it.
    """
    text = json.dumps(details or {}, default=str, ensure_ascii=False)
    cursor.execute("SELECT ops.audit(%s, %s, %s::jsonb)", (kind, object_name, text))
    (row_hash,) = cursor.fetchone() or ("",)
    return str(row_hash)


def record_login(connection: extensions.connection) -> None:
    """Record that this process has come to a database, once for each process and database.

    A login that may only read the audit trail leaves no row of its own.

    Args:
        connection: An idle connection to a database whose migrations have been applied.
    """
    info = connection.info
    login = os.getpid(), f"{info.host}:{info.port}/{info.dbname}"
    if login in _logins:
        return
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT current_database(), coalesce("
            "has_function_privilege(to_regprocedure('ops.audit(text, text, jsonb)')::oid, 'EXECUTE'), false)"
        )
        database, may_append = cursor.fetchone() or ("", False)
        if may_append:
            record(cursor, "login", database, {"host": socket.gethostname(), "process": login[0], "user": user()})
    _logins.add(login)


def user() -> str:
    """Who started this process: the user of the operating system."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container
        return f"user {os.getuid()}"


Files = Mapping[tuple[str, str], tuple[str, int]]
"""What a table holds of raw files: version and number of rows by dataset and file."""


def files_held(cursor: extensions.cursor, table: str) -> Files:
    """Read which version of which raw file a table holds."""
    cursor.execute(
        "SELECT dataset, source_file, slice_id, loaded_rows FROM ops.loaded_slices WHERE table_name = %s", (table,)
    )
    return {(dataset, file): (slice_id, rows) for dataset, file, slice_id, rows in cursor.fetchall()}


def file_changes(before: Files, after: Files) -> list[dict[str, Any]]:
    """Tell what a load did to the files of its table, as ``ops.file_history`` shows it."""
    return list(_changes(before, after))


def _changes(before: Files, after: Files) -> Iterator[dict[str, Any]]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) == after.get(key):
            continue
        change = "new" if key not in before else "changed" if key in after else "removed"
        slice_id, rows = after[key] if key in after else before[key]
        dataset, file = key
        yield {
            "dataset": dataset,
            "source_file": file,
            "change": change,
            "loaded_rows": rows,
            "slice_id": slice_id,
        }
