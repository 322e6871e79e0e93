"""The schemas of a configured server while a restore replaces them.

Belongs here: putting them aside, back, and what a killed restore left of that. Does not belong here: restoring
(``restoring``), and the order of it all (``placing``).

Until the restore is complete, what was there is in ``<schema>_replacing_<time>``; afterwards in
``<schema>_replaced_<time>``. So a name tells whether a restore has come to its end.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg2
from psycopg2 import extensions, sql

from platform_assets.backup.contents import tables_there
from platform_assets.backup.dumps import SCHEMAS
from platform_assets.backup.faults import BackupError
from platform_assets.backup.making import Say
from platform_assets.services.postgres import DAGSTER_SCHEMA

_UNFINISHED, _DONE = "_replacing_", "_replaced_"
_LEFTOVER = re.compile(rf"({'|'.join((*SCHEMAS, DAGSTER_SCHEMA))}){_UNFINISHED}(\d{{14,20}})")


@dataclass(frozen=True)
class Aside:
    """Schemas that were put aside.

    Attributes:
        dsn: Their server.
        names: What they were called.
        time: When it was, as their new names have it: to the microsecond, because one may follow another at once.
    """

    dsn: str
    names: tuple[str, ...]
    time: str

    def renamed(self, ending: str) -> dict[str, str]:
        """The names with an ending, by what they were called."""
        return {name: f"{name}{ending}{self.time}" for name in self.names}


@contextmanager
def alone(dsn: str) -> Iterator[None]:
    """Keep other restores off a database for the duration of the block, whichever home they are of.

    Raises:
        BackupError: Another restore is under way, or the server does not answer.
    """
    with closing(_connected(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('platform:restore', 0))")
            if cursor.fetchone() != (True,):
                raise BackupError("Another restore into this database is under way.", "Let it finish.")
            yield


def schemas_there(dsn: str) -> list[str]:
    """Schemas that a backup has and that are in a configured database; that of Dagster only with tables in it."""
    with _changing(dsn) as cursor:
        return _there(cursor)


def put_aside(dsn: str) -> Aside:
    """Rename the schemas that are there, in one transaction."""
    with _changing(dsn) as cursor:
        aside = Aside(dsn, tuple(_there(cursor)), f"{datetime.now(tz=UTC):%Y%m%d%H%M%S%f}")
        _rename(cursor, aside.renamed(_UNFINISHED))
    return aside


def put_back(aside: Aside) -> None:
    """Drop what was restored, if anything, and give back the names of what was there, in one transaction.

    Raises:
        BackupError: The server did not do it; everything is as it was then, under other names.
    """
    with _changing(aside.dsn) as cursor:
        for name in _there(cursor):
            cursor.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        _give_back(cursor, aside)


def conclude(aside: Aside) -> list[str]:
    """Say by their names that a restore has replaced them, and return the names."""
    finished = aside.renamed(_DONE)
    with _changing(aside.dsn) as cursor:
        _rename(cursor, {before: finished[name] for name, before in aside.renamed(_UNFINISHED).items()})
    return list(finished.values())


def mend(dsn: str, say: Say) -> None:
    """See to what killed restores left: nothing is dropped.

    Where nothing has been restored in the place of what was there, that gets its names back. Where something is in its
    place, that may be the complete restore or somebody's work since: it stays, and what was there keeps aside.

    Raises:
        BackupError: The server refuses.
    """
    with _changing(dsn) as cursor:
        for aside in _leftovers(cursor, dsn):
            if set(_there(cursor)).isdisjoint(aside.names):
                _give_back(cursor, aside)
                say(f"A restore was killed at {aside.time}: {', '.join(aside.names)} have their names again.")
                continue
            finished = aside.renamed(_DONE)
            _rename(cursor, {before: finished[name] for name, before in aside.renamed(_UNFINISHED).items()})
            say(
                f"A restore was killed at {aside.time}, when the databases were there and the lake perhaps was not. "
                f"What was there before is in {', '.join(finished.values())}. Restore again with --replace."
            )


@contextmanager
def _changing(dsn: str) -> Iterator[extensions.cursor]:
    """A transaction.

    Raises:
        BackupError: The server refuses, or does not answer.
    """
    try:
        with closing(_connected(dsn)) as connection, connection, connection.cursor() as cursor:
            yield cursor
    except psycopg2.Error as error:
        problem = f"The server did not let the schemas be moved: {str(error).strip()}"
        remedy = (
            f"Mend that and restore again: schemas named ...{_UNFINISHED}<time> get their names back, or rename them "
            "yourself (ALTER SCHEMA ... RENAME TO ...)."
        )
        raise BackupError(problem, remedy) from error


def _connected(dsn: str) -> extensions.connection:
    try:
        return psycopg2.connect(dsn)
    except psycopg2.OperationalError as error:
        raise BackupError(f"The server does not answer: {str(error).strip()}", "Start it, then run again.") from error


def _there(cursor: extensions.cursor) -> list[str]:
    cursor.execute("SELECT nspname::text FROM pg_namespace WHERE nspname = ANY(%s) ORDER BY 1", (list(SCHEMAS),))
    names = [name for (name,) in cursor.fetchall()]
    return [*names, *([DAGSTER_SCHEMA] if tables_there(cursor, [DAGSTER_SCHEMA]) else [])]


def _leftovers(cursor: extensions.cursor, dsn: str) -> list[Aside]:
    """What is still aside, the latest first: that was there last."""
    cursor.execute("SELECT nspname::text FROM pg_namespace ORDER BY 1")
    found: dict[str, list[str]] = {}
    for (name,) in cursor.fetchall():
        if match := _LEFTOVER.fullmatch(name):
            found.setdefault(match[2], []).append(match[1])
    return [Aside(dsn, tuple(names), time) for time, names in sorted(found.items(), reverse=True)]


def _give_back(cursor: extensions.cursor, aside: Aside) -> None:
    if DAGSTER_SCHEMA in aside.names:  # the platform makes an empty one whenever it comes to a server
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {}").format(sql.Identifier(DAGSTER_SCHEMA)))
    _rename(cursor, {after: before for before, after in aside.renamed(_UNFINISHED).items()})


def _rename(cursor: extensions.cursor, names: Mapping[str, str]) -> None:
    for before, after in names.items():
        statement = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
        cursor.execute(statement.format(sql.Identifier(before), sql.Identifier(after)))
