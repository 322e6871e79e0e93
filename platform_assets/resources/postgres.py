"""PostgreSQL as assets see it: a connection to a warehouse whose tables exist, in the name of the run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import dagster as dg
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one
from pydantic import PrivateAttr

from platform_assets.errors import LoadError
from platform_assets.services.postgres import ensure_postgres
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets.warehouse.schema.roles import assume_loader
from platform_assets.warehouse.trail.audit import record_login
from platform_assets.warehouse.trail.runs import Run, introduce, register_run


class PostgresResource(dg.ConfigurableResource[Any]):
    """The warehouse. Starts the embedded server when none runs, and brings its tables up to date.

    A run takes its epoch when it starts, not when it loads first: of two runs, the one that started later is newer.
    """

    _run: Run | None = PrivateAttr(default=None)
    _came_too_late: bool = PrivateAttr(default=False)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Give the run its epoch. Steps that have no use for PostgreSQL do not come here.

        Raises:
            ServiceError: No server can be reached or started.
        """
        if context.run is None:
            return
        with self.connection() as connection:
            self._run, is_new = register_run(connection, context.run.run_id)
        # A process that starts after its run was declared dead would take an epoch above that of the run's successor.
        # The order matters: a run that is alive after it had its epoch was there before whatever replaces it.
        self._came_too_late = is_new and _has_ended(context, context.run.run_id)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection to the warehouse as the loader, closed afterwards.

        Raises:
            LoadError: The run had ended before this process came to the warehouse.
            ServiceError: No server can be reached or started, or the login may not load.
        """
        if self._run is not None and self._came_too_late:
            raise LoadError(
                f"Run {self._run.run_id} had ended before this step came to the warehouse, which changes nothing.",
                "Nothing is lost: start the run again, if that has not been done.",
            )
        urls = ensure_postgres(Settings.from_environment())
        with closing(psycopg2.connect(urls.dsn, fallback_application_name="platform")) as connection:
            migrate(connection)
            assume_loader(connection)
            introduce(connection, self._run, _step())
            record_login(connection)
            yield connection


def _has_ended(context: dg.InitResourceContext, run_id: str) -> bool:
    run = context.instance.get_run_by_id(run_id) if context.instance else None
    return run is not None and run.is_finished


def _step() -> str | None:
    """The step that is being executed, if any."""
    try:
        return str(dg.OpExecutionContext.get().op_handle)
    except dg.DagsterInvariantViolationError:
        return None
