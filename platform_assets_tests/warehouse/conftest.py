"""A real PostgreSQL for the tests of the warehouse: one server per session, one database per test."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import extensions, sql

from platform_assets.services.cluster import SUPERUSER, Cluster
from platform_assets.warehouse.schema.migrations import migrate

Connect = Callable[[], extensions.connection]
TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a server whose database ``migrated`` has all migrations."""
    # Not below pytest's own folder: its path is too long for a socket, and closed to other users.
    home = Path(tempfile.mkdtemp(prefix="wh"))
    cluster = Cluster(home)
    cluster.start()
    address = f"host={cluster.socket_folder} user={SUPERUSER}"
    execute_alone(address, "CREATE DATABASE migrated")
    # Nothing here outlives the tests, and waiting for the disk would take most of their time.
    execute_alone(address, "ALTER SYSTEM SET fsync = off")
    execute_alone(address, "SELECT pg_reload_conf()")
    with closing(psycopg2.connect(f"{address} dbname={TEMPLATE}")) as connection:
        migrate(connection)
    try:
        yield address
    finally:
        cluster.stop()
        shutil.rmtree(home)


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """Address of a database of this test alone, with all migrations."""
    yield from _database(server, TEMPLATE)


@pytest.fixture
def empty_database(server: str) -> Iterator[str]:
    """Address of a database of this test alone, with nothing in it."""
    yield from _database(server, "template0")


@pytest.fixture
def connect(database: str) -> Iterator[Connect]:
    """Opens connections to the test's database, and closes them at its end."""
    opened: list[extensions.connection] = []

    def open_connection() -> extensions.connection:
        opened.append(psycopg2.connect(database))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def connection(connect: Connect) -> extensions.connection:
    """A connection to the test's database."""
    return connect()


def execute_alone(address: str, statement: str | sql.Composable) -> None:
    """Run a statement outside of any transaction."""
    with closing(psycopg2.connect(f"{address} dbname=postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _database(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    identifiers = sql.Identifier(name), sql.Identifier(template)
    execute_alone(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*identifiers))
    yield f"{server} dbname={name}"
    execute_alone(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifiers[0]))
