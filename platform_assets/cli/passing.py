"""``psql``, ``dg`` and ``dagster``: other programs, on the platform's database and instance."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from platform_assets.services.cluster import programs
from platform_assets.services.dagster_home import prepare_dagster_home
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings


def psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run the embedded psql on the warehouse.

    Raises:
        ServiceError: PostgreSQL cannot be reached.
    """
    with postgres_session(settings) as urls:
        # The address comes first: psql takes a database name among the arguments for a user name otherwise.
        return _call([str(programs() / "psql"), f"--dbname={urls.dsn}", *arguments], {})


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
    with subprocess.Popen(command, env={**os.environ, **environment}) as child:  # noqa: S603 -- our own programs
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return child.wait()
        finally:
            signal.signal(signal.SIGINT, before)
