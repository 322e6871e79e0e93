"""The PostgreSQL this platform works with: the embedded one, started when needed, or one that is configured.

Belongs here: who shares the embedded server, its two databases, and the addresses they have. Does not belong here:
tables (``warehouse``), and how a server process is made (``cluster``).

Every process that uses the embedded server holds a share in ``<home>/run/postgres.users`` for as long as it lives; the
kernel gives it back even after ``kill -9``. Starting, joining and stopping happen one at a time under
``<home>/run/postgres.lock``. So the last command to leave can stop the server, and nobody can join it meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from psycopg2 import errors, sql

from platform_assets.errors import ServiceError
from platform_assets.services.cluster import SUPERUSER, Cluster
from platform_assets.services.locks import Share, exclusive_lock, is_unused
from platform_assets.services.postgres_address import parsed_address, refuse_unverified
from platform_assets.settings import Settings

DRIVER = "postgresql+psycopg2"
"""Named in full everywhere: SQLAlchemy 2.1 takes a plain ``postgresql://`` for psycopg 3."""

WAREHOUSE_DATABASE = "retail"
DAGSTER_DATABASE = "dagster"
DAGSTER_SCHEMA = "dagster"
"""Holds Dagster's tables when both live in the one database of a configured server."""


@dataclass(frozen=True)
class PostgresUrls:
    """Where the platform's databases are.

    Attributes:
        warehouse: SQLAlchemy's URL of the warehouse.
        dagster: SQLAlchemy's URL of Dagster's own storage.
        dsn: The warehouse's address for psycopg2 and psql.
    """

    warehouse: str
    dagster: str
    dsn: str


@dataclass(frozen=True)
class PostgresStatus:
    """What is known about the PostgreSQL of one home.

    Attributes:
        embedded: Whether it is the platform's own server.
        running: Whether it runs; for a configured server, whether it answers.
        pid: The server's process id, where it is embedded and runs.
        since: When it was started, where it is embedded and runs.
        address: Its socket folder, or the configured URL without the password.
    """

    embedded: bool
    running: bool
    pid: int | None
    since: datetime | None
    address: str


@dataclass
class _Usage:
    """This process's share in one server, and how many sessions are open on it."""

    share: Share
    sessions: int = 0


_usages: dict[Path, _Usage] = {}
_checked: set[str] = set()


def ensure_postgres(settings: Settings) -> PostgresUrls:
    """Return the addresses of a PostgreSQL that runs, starting the embedded one if need be.

    The process counts as a user of the embedded server from now on until it ends or closes its last session.

    Raises:
        ServiceError: The server cannot be started or reached.
        SettingsError: The configured URL is not one of a PostgreSQL, or not of one that proves who it is.
    """
    if settings.postgres_url is not None:
        urls = _configured_urls(settings, settings.postgres_url)
        _once(urls.dsn, _make_dagster_schema)
        return urls
    cluster = Cluster(settings.home)
    with exclusive_lock(_lock(settings)):
        if settings.home not in _usages:
            _usages[settings.home] = _Usage(Share(_users(settings)))
        urls = _embedded_urls(cluster)
        if cluster.start():
            _checked.discard(urls.dsn)
        _once(urls.dsn, lambda _: _make_databases(cluster))
    return urls


@contextmanager
def postgres_session(settings: Settings) -> Iterator[PostgresUrls]:
    """Use PostgreSQL for the duration of one command.

    At the end the embedded server is stopped, unless another process uses it.

    Raises:
        ServiceError: The server cannot be started or reached.
        SettingsError: The configured URL is not one of a PostgreSQL, or not of one that proves who it is.
    """
    if settings.postgres_url is not None:
        yield ensure_postgres(settings)
        return
    try:
        urls = ensure_postgres(settings)
        _usages[settings.home].sessions += 1
        yield urls
    finally:
        _leave(settings)


def stop_postgres(settings: Settings) -> bool:
    """Stop the embedded server, whoever uses it, and return whether it ran. A configured one is left alone.

    Raises:
        ServiceError: It does not stop.
    """
    if settings.postgres_url is not None:
        return False
    with exclusive_lock(_lock(settings)):
        return Cluster(settings.home).stop()


def stop_postgres_if_unused(settings: Settings) -> bool:
    """Stop the embedded server if no process uses it, and return whether it was stopped.

    Raises:
        ServiceError: It does not stop.
    """
    if settings.postgres_url is not None or not _lock(settings).exists():
        return False
    with exclusive_lock(_lock(settings)):
        return is_unused(_users(settings)) and Cluster(settings.home).stop()


def postgres_status(settings: Settings) -> PostgresStatus:
    """Tell whether PostgreSQL runs, without starting it.

    Raises:
        SettingsError: The configured URL is not one of a PostgreSQL, or not of one that proves who it is.
    """
    if settings.postgres_url is not None:
        urls = _configured_urls(settings, settings.postgres_url)
        return PostgresStatus(
            embedded=False,
            running=_answers(urls.dsn),
            pid=None,
            since=None,
            address=str(parsed_address(settings.postgres_url)),
        )
    cluster = Cluster(settings.home)
    server = cluster.server()
    return PostgresStatus(
        embedded=True,
        running=server is not None,
        pid=server.pid if server else None,
        since=datetime.fromtimestamp(server.started, tz=UTC) if server else None,
        address=str(cluster.socket_folder),
    )


def _leave(settings: Settings) -> None:
    """Close a session; with the last one of this process give the share back, and stop a server nobody else uses."""
    usage = _usages.get(settings.home)
    if usage is None:
        return
    usage.sessions = max(0, usage.sessions - 1)
    if usage.sessions:
        return
    _usages.pop(settings.home).share.release()
    stop_postgres_if_unused(settings)


def _lock(settings: Settings) -> Path:
    return settings.home / "run" / "postgres.lock"


def _users(settings: Settings) -> Path:
    return settings.home / "run" / "postgres.users"


def _embedded_urls(cluster: Cluster) -> PostgresUrls:
    def address(scheme: str, database: str) -> str:
        return f"{scheme}://{SUPERUSER}@/{database}?host={cluster.socket_folder}"

    return PostgresUrls(
        warehouse=address(DRIVER, WAREHOUSE_DATABASE),
        dagster=address(DRIVER, DAGSTER_DATABASE),
        dsn=address("postgresql", WAREHOUSE_DATABASE),
    )


def _configured_urls(settings: Settings, configured: str) -> PostgresUrls:
    url = parsed_address(configured)
    refuse_unverified(settings, url)
    # Dagster has no setting for a schema; PostgreSQL's own search path does it, for every connection.
    dagster = url.set(drivername=DRIVER).update_query_dict({"options": f"-csearch_path={DAGSTER_SCHEMA}"})
    return PostgresUrls(
        warehouse=url.set(drivername=DRIVER).render_as_string(hide_password=False),
        dagster=dagster.render_as_string(hide_password=False),
        dsn=url.set(drivername="postgresql").render_as_string(hide_password=False),
    )


def _once(dsn: str, prepare: Callable[[str], None]) -> None:
    """Prepare the databases behind ``dsn``, unless this process has done so already."""
    if dsn in _checked:
        return
    try:
        prepare(dsn)
    except psycopg2.OperationalError as error:
        problem = f"PostgreSQL cannot be reached: {str(error).strip()}"
        remedy = "Check PLATFORM_POSTGRES_URL, or unset it for the embedded server; ./platform status says what runs."
        raise ServiceError(problem, remedy) from error
    _checked.add(dsn)


def _make_databases(cluster: Cluster) -> None:
    with closing(psycopg2.connect(host=str(cluster.socket_folder), user=SUPERUSER, dbname="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select datname from pg_database")
            there = {name for (name,) in cursor.fetchall()}
            for name in sorted({WAREHOUSE_DATABASE, DAGSTER_DATABASE} - there):
                cursor.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            # Dagster commits after every event. Its last moments may be lost when the machine itself dies, no more.
            relaxed = sql.SQL("alter database {} set synchronous_commit = off")
            cursor.execute(relaxed.format(sql.Identifier(DAGSTER_DATABASE)))


def _make_dagster_schema(dsn: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        # "if not exists" would ask for the right to create even where it exists, which a loader's login has not.
        cursor.execute("select to_regnamespace(%s) is null", (DAGSTER_SCHEMA,))
        if cursor.fetchone() == (True,):
            try:
                cursor.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(DAGSTER_SCHEMA)))
            except errors.InsufficientPrivilege as error:
                problem = f"The database has no schema {DAGSTER_SCHEMA}, and this login may not make one."
                remedy = "Let its owner run ./platform migrate and ./platform run once: docs/security.md."
                raise ServiceError(problem, remedy) from error


def _answers(dsn: str) -> bool:
    try:
        psycopg2.connect(dsn, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True
