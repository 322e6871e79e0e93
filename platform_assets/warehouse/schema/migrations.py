"""Bringing a database up to date with the files of ``sql``: all of it in one transaction, or nothing.

Belongs here: what a database lacks, and applying it in order. Does not belong here: any DDL, reading files
(``sql_files``), how views and roles are made again (``repeatables``).
"""

from dataclasses import dataclass, field
from pathlib import Path

from psycopg2 import extensions

from platform_assets.warehouse.loading.transaction import hold, transaction
from platform_assets.warehouse.schema.repeatables import (
    Recorded,
    drop_views,
    forget_roles,
    make_view,
    recorded_repeatables,
    run_roles,
)
from platform_assets.warehouse.schema.sql_files import (
    ROLES,
    SQL,
    MigrationError,
    SqlFile,
    read_migrations,
    read_roles,
    read_views,
)
from platform_assets.warehouse.trail.audit import record

_LOCK = "migrations"


@dataclass(frozen=True)
class Plan:
    """What a database lacks.

    Attributes:
        migrations: Numbered files to apply, in order.
        views: Files of views to make, or to make again.
        roles: The file of the roles, where it is to be run.
        dropped: Names of the files whose views are dropped first: those made again, and those that are gone.
        gone: Names of repeatable files that were run and are no more.
    """

    migrations: tuple[SqlFile, ...] = ()
    views: tuple[SqlFile, ...] = ()
    roles: SqlFile | None = None
    dropped: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files to run, in order."""
        last = () if self.roles is None else (self.roles,)
        return tuple(file.name for file in (*self.migrations, *self.views, *last))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.names and not self.gone


@dataclass(frozen=True)
class Migrated:
    """What was done.

    Attributes:
        applied: Names of the files that were run, in order.
        gone: Names of repeatable files that are no more; their views were dropped.
        refusal: Why PostgreSQL did not let this login run the file of the roles; ``None`` where it did, or need not.
    """

    applied: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    refusal: str | None = None


@dataclass(frozen=True)
class _Files:
    migrations: list[SqlFile]
    views: list[SqlFile]
    roles: SqlFile | None


@dataclass(frozen=True)
class _State:
    """What a database says was run: numbered files by hash, and repeatable ones."""

    migrations: dict[str, str] = field(default_factory=dict)
    repeatables: dict[str, Recorded] = field(default_factory=dict)


def migrate(connection: extensions.connection, folder: Path = SQL, *, again: bool = False) -> Migrated:
    """Run what the database lacks, in one transaction: others see all of it or nothing.

    Several processes may do so at the same time: one works, the others wait and find nothing to do. Where nothing is to
    be done it costs a few milliseconds.

    Args:
        connection: An idle connection of an owner of the schemas.
        folder: Where the files are.
        again: Whether to try the roles again, where this login was not allowed to make them.

    Returns:
        What was done now.

    Raises:
        MigrationError: An applied file was changed or is gone, a file's name or number is not in order, its statements
            failed, or something hangs on a view that has to be made again. Nothing was changed then.
    """
    files = _read(folder)
    with transaction(connection) as cursor:
        if _plan(files, _state(cursor), again=again).is_empty:
            return Migrated()
    with transaction(connection) as cursor:
        hold(cursor, _LOCK)
        plan = _plan(files, _state(cursor), again=again)
        return Migrated() if plan.is_empty else _apply(cursor, plan)


def plan_migrations(connection: extensions.connection, folder: Path = SQL, *, again: bool = False) -> Plan:
    """Tell what ``migrate`` would do, and change nothing.

    Raises:
        MigrationError: An applied file was changed or is gone, or a file's name or number is not in order.
    """
    files = _read(folder)
    with transaction(connection) as cursor:
        return _plan(files, _state(cursor), again=again)


def _read(folder: Path) -> _Files:
    return _Files(read_migrations(folder), read_views(folder), read_roles(folder))


def _state(cursor: extensions.cursor) -> _State:
    # to_regclass() would answer from a cache that waiting for the lock does not refresh.
    cursor.execute(
        "SELECT tablename FROM pg_tables"
        " WHERE schemaname = 'ops' AND tablename IN ('schema_migrations', 'repeatable_files')"
    )
    tables = {name for (name,) in cursor.fetchall()}
    if "schema_migrations" not in tables:
        return _State()
    cursor.execute("SELECT name, sha256 FROM ops.schema_migrations")
    migrations = dict(cursor.fetchall())
    return _State(migrations, recorded_repeatables(cursor) if "repeatable_files" in tables else {})


def _plan(files: _Files, state: _State, *, again: bool) -> Plan:
    migrations = _pending(files.migrations, state.migrations)
    ran = state.repeatables
    # Any view may stand in the way of what a migration does to the tables below.
    views = [view for view in files.views if migrations or _is_other(view, ran)]
    gone = sorted(ran.keys() - {view.name for view in files.views} - {ROLES})
    dropped = [view.name for view in views if view.name in ran] + gone
    if files.roles is None and ROLES in ran:
        gone = [*gone, ROLES]
    return Plan(
        migrations=tuple(migrations),
        views=tuple(views),
        # A view that is made again has no grants.
        roles=files.roles if files.roles and (views or migrations or _is_due(files.roles, ran, again=again)) else None,
        dropped=tuple(dropped),
        gone=tuple(gone),
    )


def _is_other(file: SqlFile, ran: dict[str, Recorded]) -> bool:
    return file.name not in ran or ran[file.name].sha256 != file.sha256


def _is_due(roles: SqlFile, ran: dict[str, Recorded], *, again: bool) -> bool:
    return _is_other(roles, ran) or (again and ran[roles.name].refusal is not None)


def _pending(migrations: list[SqlFile], applied: dict[str, str]) -> list[SqlFile]:
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


def _apply(cursor: extensions.cursor, plan: Plan) -> Migrated:
    drop_views(cursor, plan.dropped)
    for migration in plan.migrations:
        migration.run(cursor)
        cursor.execute(
            "INSERT INTO ops.schema_migrations (name, sha256) VALUES (%s, %s)", (migration.name, migration.sha256)
        )
    for view in plan.views:
        make_view(cursor, view)
    refusal = run_roles(cursor, plan.roles) if plan.roles else None
    if ROLES in plan.gone:
        forget_roles(cursor)
    done = Migrated(tuple(name for name in plan.names if refusal is None or name != ROLES), plan.gone, refusal)
    _audit(cursor, plan, done)
    return done


def _audit(cursor: extensions.cursor, plan: Plan, done: Migrated) -> None:
    details = {"files": done.applied, "gone": done.gone, "refusal": done.refusal}
    record(cursor, "migrate", "sql", {name: value for name, value in details.items() if value})
    if plan.roles and done.refusal is None:
        record(cursor, "grant", f"sql/{ROLES}", {"sha256": plan.roles.sha256})
