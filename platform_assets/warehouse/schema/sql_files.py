"""The files of ``sql``: numbered migrations, and repeatable ones for views and roles.

Belongs here: reading and running one. Does not belong here: which of them a database needs (``migrations``), and any
DDL.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import errors, extensions

from platform_assets.errors import PlatformError
from platform_assets.settings import CHECKOUT

SQL = CHECKOUT / "sql"
ROLES = "roles.sql"
_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_VIEW = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.sql")
_VIEWS = "views/"


class MigrationError(PlatformError):
    """The files do not go together with each other or with the database."""


@dataclass(frozen=True)
class SqlFile:
    """One file.

    Attributes:
        name: Its name: ``NNNN_name.sql``, ``views/schema.name.sql`` or ``roles.sql``.
        statements: Its text.
        sha256: Hash of the text.
    """

    name: str
    statements: str
    sha256: str

    def run(self, cursor: extensions.cursor) -> None:
        """Run its statements.

        Raises:
            MigrationError: They failed.
        """
        try:
            cursor.execute(self.statements)
        except psycopg2.Error as error:
            problem = f"{self.name} failed, and nothing was changed: {str(error).strip()}"
            remedy = "Correct the file, or what it relies on, and run again."
            if isinstance(error, errors.InsufficientPrivilege):
                remedy = "Let an owner of the schemas run ./platform migrate: set PLATFORM_POSTGRES_URL to its login."
            raise MigrationError(problem, remedy) from error


def view_of(name: str) -> str:
    """The view that a file of this name makes, as ``schema.name``."""
    return name.removeprefix(_VIEWS).removesuffix(".sql")


def read_migrations(folder: Path = SQL) -> list[SqlFile]:
    """Read the numbered files in order.

    Args:
        folder: The folder that holds ``migrations``.

    Raises:
        MigrationError: A name is not ``NNNN_name.sql``, a number occurs twice, or there are no files.
    """
    paths = sorted((folder / "migrations").glob("*.sql"))
    if not paths:
        raise MigrationError(f"There are no migrations in {folder}.", "Restore the folder from the repository.")
    _check_names(paths, _MIGRATION, "NNNN_name.sql")
    numbers = [path.name[:4] for path in paths]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise MigrationError(f"Several migrations have the number {', '.join(twice)}.", "Number them apart.")
    return [_read(path, path.name) for path in paths]


def read_views(folder: Path = SQL) -> list[SqlFile]:
    """Read the files of the views, by name.

    Raises:
        MigrationError: A name is not ``schema.name.sql``.
    """
    paths = sorted((folder / "views").glob("*.sql"))
    _check_names(paths, _VIEW, "schema.name.sql")
    return [_read(path, _VIEWS + path.name) for path in paths]


def read_roles(folder: Path = SQL) -> SqlFile | None:
    """Read the file of the roles and their grants, if there is one."""
    path = folder / ROLES
    return _read(path, ROLES) if path.exists() else None


def _check_names(paths: list[Path], pattern: re.Pattern[str], wanted: str) -> None:
    wrong = [path.name for path in paths if not pattern.fullmatch(path.name)]
    if wrong:
        raise MigrationError(f"Not named {wanted}: {', '.join(wrong)}.", "Rename them.")


def _read(path: Path, name: str) -> SqlFile:
    # Line ends as git keeps them, so that a checkout with CRLF has the same hash.
    text = path.read_text(encoding="utf-8")
    return SqlFile(name, text, hashlib.sha256(text.encode()).hexdigest())
