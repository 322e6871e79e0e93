"""The warehouse as commands come to it: its tables are up to date, and the audit trail knows who came.

Belongs here: what several commands share of it. Does not belong here: what they do there.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.errors import PlatformError
from platform_assets.services.postgres import PostgresUrls, postgres_session
from platform_assets.settings import Settings
from platform_assets.warehouse.loading.transaction import RIGHT_IS_MISSING
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets.warehouse.trail.audit import record_login


@contextmanager
def warehouse(settings: Settings) -> Iterator[tuple[Connection, PostgresUrls]]:
    """A connection to the warehouse, whose tables are up to date.

    Raises:
        MigrationError: The tables cannot be brought up to date.
        PlatformError: The login may not do what is done inside.
        ServiceError: PostgreSQL cannot be started or reached.
    """
    with postgres_session(settings) as urls, closing(connect(urls)) as connection:
        migrate(connection)
        record_login(connection)
        try:
            yield connection, urls
        except errors.InsufficientPrivilege as error:
            problem = f"This login has not the right to do that: {str(error).strip()}"
            raise PlatformError(problem, RIGHT_IS_MISSING) from error


def connect(urls: PostgresUrls) -> Connection:
    """A connection to the warehouse as it is; commands call themselves ``platform command`` there."""
    return psycopg2.connect(urls.dsn, fallback_application_name="platform command")
