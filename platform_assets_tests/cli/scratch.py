"""A database of one test file, with all migrations, on the server that the tests of the command line share."""

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from sqlalchemy.engine import make_url

from platform_assets.services.postgres import PostgresUrls, ensure_postgres
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate

_numbers = itertools.count(1)


@contextmanager
def scratch_warehouse(settings: Settings) -> Iterator[PostgresUrls]:
    """Make a database, migrate it, and drop it at the end."""
    urls = ensure_postgres(settings)
    name = f"scratch_{next(_numbers)}"
    execute(urls.dsn, f"CREATE DATABASE {name} TEMPLATE template0")
    there = make_url(urls.warehouse).set(database=name).render_as_string(hide_password=False)
    scratch = PostgresUrls(there, there, psycopg2.extensions.make_dsn(urls.dsn, dbname=name))
    try:
        with closing(psycopg2.connect(scratch.dsn)) as connection:
            migrate(connection)
        yield scratch
    finally:
        execute(urls.dsn, f"DROP DATABASE {name} WITH (FORCE)")


def execute(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement outside of any transaction, and fetch what it returns."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
