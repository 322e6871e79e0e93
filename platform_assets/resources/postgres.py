"""PostgreSQL as assets see it: a connection to a warehouse whose tables exist."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import dagster as dg
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.services.postgres import ensure_postgres
from platform_assets.settings import Settings
from platform_assets.warehouse.migrations import migrate


class PostgresResource(dg.ConfigurableResource[Any]):
    """The warehouse. Starts the embedded server when none runs, and brings its tables up to date."""

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection to the warehouse, closed afterwards.

        Raises:
            ServiceError: No server can be reached or started.
        """
        urls = ensure_postgres(Settings.from_environment())
        with closing(psycopg2.connect(urls.dsn)) as connection:
            migrate(connection)
            yield connection
