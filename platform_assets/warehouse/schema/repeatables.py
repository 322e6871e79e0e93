"""The repeatable files of ``sql``: views and roles, run again whenever they or what they are made of changed.

Belongs here: dropping and making views, running the roles, and the record of it. Does not belong here: when that is due
(``migrations``).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg2 import errors, extensions, sql

from platform_assets.warehouse.loading.transaction import table_identifier
from platform_assets.warehouse.schema.sql_files import ROLES, MigrationError, SqlFile, view_of


@dataclass(frozen=True)
class Recorded:
    """A repeatable file as it was run last.

    Attributes:
        sha256: Hash of its text then.
        refusal: Why PostgreSQL did not let this login run it; ``None`` where it did.
    """

    sha256: str
    refusal: str | None


def recorded_repeatables(cursor: extensions.cursor) -> dict[str, Recorded]:
    """Read what was run, by name of the file."""
    cursor.execute("SELECT name, sha256, refusal FROM ops.repeatable_files")
    return {name: Recorded(sha256, refusal) for name, sha256, refusal in cursor.fetchall()}


def drop_views(cursor: extensions.cursor, names: Iterable[str]) -> None:
    """Drop the views of these files, and forget them.

    Raises:
        MigrationError: Something that is no file here hangs on one, or it may not be dropped.
    """
    for name in names:
        view = view_of(name)
        try:
            cursor.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(table_identifier(view)))
        except errors.DependentObjectsStillExist as error:
            problem = f"{view} has to be made anew, and something of yours hangs on it: {error.diag.message_detail}."
            remedy = (
                "Nothing was changed. Keep its definition (in psql: \\d+), drop it, run ./platform migrate, and make"
                " it again; or put it into sql/views on the tables themselves, and it is looked after."
            )
            raise MigrationError(problem, remedy) from error
        except (errors.InsufficientPrivilege, errors.WrongObjectType) as error:
            problem = f"{view} cannot be dropped to be made anew: {str(error).strip()}"
            raise MigrationError(problem, "Let its owner run ./platform migrate.") from error
        cursor.execute("DELETE FROM ops.repeatable_files WHERE name = %s", (name,))


def make_view(cursor: extensions.cursor, file: SqlFile) -> None:
    """Make the view of a file, and record it.

    Raises:
        MigrationError: The statements failed, or made no view of the file's name.
    """
    file.run(cursor)
    schema, name = view_of(file.name).split(".")
    cursor.execute("SELECT count(*) FROM pg_views WHERE schemaname = %s AND viewname = %s", (schema, name))
    if cursor.fetchone() == (0,):
        raise MigrationError(f"{file.name} makes no view {schema}.{name}.", "Name the file after the view it makes.")
    _record(cursor, file, None)


def run_roles(cursor: extensions.cursor, file: SqlFile) -> str | None:
    """Run the file of the roles, and record it; where this login may not, nothing of it remains.

    Returns:
        Why PostgreSQL did not let this login run it; ``None`` where it did.

    Raises:
        MigrationError: The statements failed for another reason.
    """
    cursor.execute("SAVEPOINT before_roles")
    try:
        file.run(cursor)
    except MigrationError as error:
        if not isinstance(error.__cause__, errors.InsufficientPrivilege):
            raise
        told = error.__cause__.diag
        refusal: str | None = ". ".join(part for part in (told.message_primary, told.message_hint) if part)
        cursor.execute("ROLLBACK TO SAVEPOINT before_roles")
    else:
        cursor.execute("RELEASE SAVEPOINT before_roles")
        refusal = None
    _record(cursor, file, refusal)
    return refusal


def forget_roles(cursor: extensions.cursor) -> None:
    """Forget the file of the roles, which is gone; the roles stay."""
    cursor.execute("DELETE FROM ops.repeatable_files WHERE name = %s", (ROLES,))


def _record(cursor: extensions.cursor, file: SqlFile, refusal: str | None) -> None:
    cursor.execute(
        "INSERT INTO ops.repeatable_files (name, sha256, refusal) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE"
        " SET sha256 = excluded.sha256, applied_at = excluded.applied_at, refusal = excluded.refusal",
        (file.name, file.sha256, refusal),
    )
