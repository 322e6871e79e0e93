"""The numbered SQL files of ``sql/migrations``: applied in order, each once.

Belongs here: applying them and holding applied ones against the files. Does not belong here: any DDL.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import extensions

from platform_assets.errors import PlatformError
from platform_assets.settings import CHECKOUT
from platform_assets.warehouse.transaction import lock, transaction

MIGRATIONS = CHECKOUT / "sql" / "migrations"
_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_LOCK = "migrations"


class MigrationError(PlatformError):
    """The migration files do not go together with each other or with the database."""


@dataclass(frozen=True)
class Migration:
    """One file.

    Attributes:
        name: Its name, which gives the order.
        statements: Its text.
        sha256: Hash of the text.
    """

    name: str
    statements: str
    sha256: str


def migrate(connection: extensions.connection, folder: Path = MIGRATIONS) -> list[str]:
    """Apply the migrations the database lacks, each in a transaction of its own.

    Several processes may do so at the same time: one works, the others wait and find nothing to do.

    Args:
        connection: An idle connection of an owner of the schemas.
        folder: Where the files are.

    Returns:
        Names of the files applied now, in order; empty when the database is up to date.

    Raises:
        MigrationError: An applied file was changed or is gone, a file's name or number is not in order,
            or its statements failed.
    """
    migrations = read_migrations(folder)
    with transaction(connection) as cursor:
        pending = _pending(migrations, _applied(cursor))
    return [migration.name for migration in pending if _apply(connection, migration, migrations)]


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the files in order.

    Raises:
        MigrationError: A name is not ``NNNN_name.sql``, a number occurs twice, or there are no files.
    """
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise MigrationError(f"There are no migrations in {folder}.", "Restore the folder from the repository.")
    wrong = [path.name for path in paths if not _NAME.fullmatch(path.name)]
    if wrong:
        raise MigrationError(f"Not named NNNN_name.sql: {', '.join(wrong)}.", "Rename them.")
    numbers = [path.name[:4] for path in paths]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise MigrationError(f"Several migrations have the number {', '.join(twice)}.", "Number them apart.")
    return [_read(path) for path in paths]


def _read(path: Path) -> Migration:
    # Line ends as git keeps them, so that a checkout with CRLF has the same hash.
    text = path.read_text(encoding="utf-8")
    return Migration(path.name, text, hashlib.sha256(text.encode()).hexdigest())


def _applied(cursor: extensions.cursor) -> dict[str, str]:
    # to_regclass() would answer from a cache that waiting for the lock does not refresh.
    cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'ops' AND tablename = 'schema_migrations'")
    if cursor.fetchone() == (0,):
        return {}
    cursor.execute("SELECT name, sha256 FROM ops.schema_migrations")
    return dict(cursor.fetchall())


def _pending(migrations: list[Migration], applied: dict[str, str]) -> list[Migration]:
    """Hold the applied migrations against the files, and return the rest."""
    hashes = {migration.name: migration.sha256 for migration in migrations}
    gone = sorted(applied.keys() - hashes.keys())
    if gone:
        problem = f"The database has migrations that are no files here: {', '.join(gone)}."
        raise MigrationError(problem, "Use the newer checkout that made them, or another database.")
    changed = sorted(name for name, sha256 in applied.items() if hashes[name] != sha256)
    if changed:
        problem = f"These migrations were changed after they had been applied: {', '.join(changed)}."
        raise MigrationError(problem, "Restore them, and put the change into a new file with the next number.")
    pending = [migration for migration in migrations if migration.name not in applied]
    late = [migration.name for migration in pending if applied and migration.name < max(applied)]
    if late:
        problem = f"{', '.join(late)} would come before {max(applied)}, which has been applied already."
        raise MigrationError(problem, "Give it the next free number.")
    return pending


def _apply(connection: extensions.connection, migration: Migration, migrations: list[Migration]) -> bool:
    """Apply one file, unless another process has just done so."""
    with transaction(connection) as cursor:
        lock(cursor, _LOCK)
        if migration not in _pending(migrations, _applied(cursor)):
            return False
        _execute(cursor, migration)
        cursor.execute(
            "INSERT INTO ops.schema_migrations (name, sha256) VALUES (%s, %s)", (migration.name, migration.sha256)
        )
        return True


def _execute(cursor: extensions.cursor, migration: Migration) -> None:
    try:
        cursor.execute(migration.statements)
    except psycopg2.Error as error:
        problem = f"Migration {migration.name} failed, and nothing of it was applied: {str(error).strip()}"
        raise MigrationError(problem, "Correct the file, or what it relies on, and run again.") from error
