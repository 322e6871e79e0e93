"""``psql``, ``dg`` and ``dagster``: programs of others, on the platform's database and instance."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg2.extensions import parse_dsn

from platform_assets.services.cluster import programs
from platform_assets.services.dagster_home import prepare_dagster_home
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings


def psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run psql on the warehouse; ``--dbname dagster`` and the like lead elsewhere on the same server.

    Raises:
        ServiceError: PostgreSQL cannot be reached.
    """
    embedded = str(programs() / "psql")
    # The embedded one has no TLS, which a configured server may ask for.
    program = embedded if settings.postgres_url is None else shutil.which("psql") or embedded
    with postgres_session(settings) as urls:
        return _call([program, *arguments], _connection_variables(urls.dsn))


def _connection_variables(dsn: str) -> dict[str, str]:
    """Name an address in libpq's variables: arguments of psql come before them, and no password shows in ``ps``."""
    parts = parse_dsn(dsn)
    database = parts.pop("dbname")
    return {"PGDATABASE": database, **{f"PG{name.upper()}": value for name, value in parts.items()}}


def dagster(settings: Settings, program: str, arguments: Sequence[str]) -> int:
    """Run one of Dagster's programs on the platform's own instance.

    Raises:
        ServiceError: PostgreSQL cannot be reached.
    """
    with postgres_session(settings) as urls:
        environment = prepare_dagster_home(settings, urls)
        return _call([str(Path(sys.executable).parent / program), *arguments], environment)


def _call(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program with this terminal; Ctrl-C is its business, not ours."""
    with subprocess.Popen(command, env={**os.environ, **environment}) as child:
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return child.wait()
        finally:
            signal.signal(signal.SIGINT, before)
