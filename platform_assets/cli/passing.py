"""``psql``, ``dg`` and ``dagster``: programs of others, on the platform's database and instance."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from platform_assets.backup.libpq import libpq_environment
from platform_assets.cli.warehouse import connect
from platform_assets.services.cluster import programs
from platform_assets.services.dagster_home import prepare_dagster_home
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings
from platform_assets.warehouse.trail.audit import record_login


def psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run psql on the warehouse; ``--dbname dagster`` and the like lead elsewhere on the same server.

    Raises:
        ServiceError: PostgreSQL cannot be reached.
        SettingsError: The configured URL says what psql cannot be told.
    """
    embedded = str(programs() / "psql")
    # The embedded one has no TLS, which a configured server may ask for.
    program = embedded if settings.postgres_url is None else shutil.which("psql") or embedded
    with postgres_session(settings) as urls:
        with closing(connect(urls)) as connection:
            record_login(connection)
        return _call([program, *arguments], libpq_environment(urls.dsn))


def dagster(settings: Settings, program: str, arguments: Sequence[str]) -> int:
    """Run one of Dagster's programs on the platform's own instance.

    Raises:
        ServiceError: PostgreSQL cannot be reached.
    """
    with postgres_session(settings) as urls:
        environment = {**os.environ, **prepare_dagster_home(settings, urls)}
        return _call([str(Path(sys.executable).parent / program), *arguments], environment)


def _call(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program with this terminal and in an environment; Ctrl-C is its business, not ours."""
    with subprocess.Popen(command, env=environment) as child:
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return child.wait()
        finally:
            signal.signal(signal.SIGINT, before)
