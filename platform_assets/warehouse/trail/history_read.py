"""Who loaded or changed what, when, and from which file: reading the audit trail and what stands beside it.

Belongs here: the queries. Does not belong here: how it is shown (``cli.history``), adding to the trail (``audit``).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg2 import extensions
from psycopg2.extras import RealDictCursor


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries are asked for; ``None`` where it does not matter.

    Attributes:
        table: A table, with or without its schema, or whatever else the entries may speak of.
        file: A raw file that they brought, changed or removed.
        run: A run, by its id or how it begins.
    """

    table: str | None = None
    file: str | None = None
    run: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of the audit trail."""

    entry_id: int
    recorded_at: datetime
    actor_role: str
    login_role: str
    application: str
    run_id: str | None
    step: str | None
    kind: str
    object: str
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """A raw file whose rows a table holds now."""

    table_name: str
    dataset: str
    source_file: str
    slice_id: str
    loaded_rows: int
    loaded_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunSeen:
    """A run that came to the warehouse."""

    run_id: str
    epoch: int
    started_at: datetime
    role: str
    host: str
    code_version: str


@dataclass(frozen=True, kw_only=True)
class Chain:
    """What the hashes of the audit trail say.

    Attributes:
        length: How many entries there are.
        hash: Hash of the last one, which stands for all; empty without any.
        broken_at: Position of the first broken link; ``None`` when it is whole.
        problem: What is wrong there.
    """

    length: int
    hash: str
    broken_at: int | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class History:
    """What was asked for.

    Attributes:
        chain: Whether the audit trail is whole.
        entries: The newest entries, the newest first.
        count: How many there are in all.
        files: What tables hold now of the file, or of the table, asked for.
        runs: The runs asked for.
    """

    chain: Chain
    entries: tuple[Entry, ...]
    count: int
    files: tuple[HeldFile, ...]
    runs: tuple[RunSeen, ...]


_ENTRIES = """
    SELECT
        entry_id, recorded_at, actor_role, login_role, application, run_id, step, kind, object, details,
        count(*) OVER () AS of_all
    FROM ops.audit_log
    WHERE (%(table)s::text IS NULL OR object = %(table)s OR split_part(object, '.', 2) = %(table)s)
        AND (%(run)s::text IS NULL OR starts_with(run_id, %(run)s))
        AND (%(file)s::text IS NULL OR details @> jsonb_build_object(
            'files', jsonb_build_array(jsonb_build_object('source_file', %(file)s::text))))
    ORDER BY entry_id DESC
    LIMIT %(limit)s
"""

_FILES = """
    SELECT table_name, dataset, source_file, slice_id, loaded_rows, loaded_at
    FROM ops.loaded_slices
    WHERE (%(table)s::text IS NULL OR table_name = %(table)s OR split_part(table_name, '.', 2) = %(table)s)
        AND (%(file)s::text IS NULL OR source_file = %(file)s)
        AND (%(table)s::text IS NOT NULL OR %(file)s::text IS NOT NULL)
    ORDER BY table_name, dataset, source_file
"""

_RUNS = """
    SELECT run_id, epoch, started_at, role, host, code_version
    FROM ops.runs
    WHERE starts_with(run_id, %(run)s)
    ORDER BY epoch DESC
"""

_CHAIN = """
    SELECT
        (SELECT count(*) FROM ops.audit_log) AS length,
        coalesce((SELECT hash FROM ops.audit_log ORDER BY entry_id DESC LIMIT 1), '') AS hash,
        broken.entry_id AS broken_at,
        broken.problem
    FROM (SELECT) AS always
    LEFT JOIN ops.audit_verify() AS broken ON true
"""


def read_history(connection: extensions.connection, wanted: Wanted, limit: int) -> History:
    """Read the newest entries of what is asked for, and see whether the audit trail is whole.

    Args:
        connection: A connection to a database whose migrations have been applied.
        wanted: Which entries.
        limit: How many of them at most.
    """
    values = {**asdict(wanted), "limit": limit}
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        (chain,) = _rows(cursor, _CHAIN, values)
        entries = _rows(cursor, _ENTRIES, values)
        files = _rows(cursor, _FILES, values)
        runs = _rows(cursor, _RUNS, values) if wanted.run else []
    count = entries[0]["of_all"] if entries else 0
    return History(
        chain=Chain(**chain),
        entries=tuple(Entry(**{name: value for name, value in one.items() if name != "of_all"}) for one in entries),
        count=count,
        files=tuple(HeldFile(**one) for one in files),
        runs=tuple(RunSeen(**one) for one in runs),
    )


def _rows(cursor: RealDictCursor, statement: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    cursor.execute(statement, values)
    return [dict(found) for found in cursor.fetchall()]
