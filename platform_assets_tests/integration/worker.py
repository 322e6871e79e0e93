"""What a run's process does. It is forked from a process that has imported everything, which saves seconds a run.

Belongs here: starting the command line in such a process. Does not belong here: any test, and any import of pytest.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg2

from platform_assets.cli import main as command_line
from platform_assets.cli import outcome, report, run
from platform_assets.definitions import defs
from platform_assets.services.dagster_home import prepare_dagster_home
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate

PRELOADED = (command_line, outcome, report, run, defs())


def prepare_database(environment: Mapping[str, str]) -> None:
    """Make every table that a first run would make, Dagster's and the warehouse's."""
    os.environ.update(environment)
    with postgres_session(Settings.from_environment()) as urls, closing(psycopg2.connect(urls.dsn)) as connection:
        migrate(connection)
        os.environ.update(prepare_dagster_home(Settings.from_environment(), urls))
        dg.DagsterInstance.get().dispose()


def run_command(arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path) -> None:
    """Run the command line as a shell would: in a process group of its own, with its output in files."""
    os.setsid()
    for stream, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    for name in [name for name in os.environ if name.startswith(("PLATFORM_", "DAGSTER_", "SPARK_"))]:
        del os.environ[name]
    os.environ.update(environment)
    sys.exit(command_line.main(list(arguments)))
