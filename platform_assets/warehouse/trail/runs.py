"""Runs as the warehouse knows them: each has an epoch, and its connections say whose they are.

Belongs here: giving a run its epoch, and telling a session its run. Does not belong here: what the epoch is good for
(``transaction.lock``), Dagster (``resources``).
"""

import socket
import tomllib
from dataclasses import dataclass
from functools import cache

from psycopg2 import extensions

from platform_assets.settings import CHECKOUT
from platform_assets.warehouse.loading.transaction import transaction


@dataclass(frozen=True)
class Run:
    """A run that has come to the warehouse.

    Attributes:
        run_id: Dagster's id of it.
        epoch: Rises from run to run.
    """

    run_id: str
    epoch: int


def register_run(connection: extensions.connection, run_id: str) -> tuple[Run, bool]:
    """Give a run its epoch; all steps of a run and all their processes get the same one.

    Args:
        connection: An idle connection.
        run_id: Dagster's id of the run.

    Returns:
        The run, and whether this was the first time that it came.
    """
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT epoch, is_new FROM ops.register_run(%s, %s, %s)", (run_id, socket.gethostname(), code_version())
        )
        epoch, is_new = cursor.fetchall()[0]
    return Run(run_id, epoch), is_new


def introduce(connection: extensions.connection, run: Run | None, step: str | None) -> None:
    """Say whose a session is: the loads of a run pass the fence, and the audit trail names it.

    Args:
        connection: An idle connection; it is the run's until it is closed.
        run: The run; ``None`` for a command, whose loads pass no fence.
        step: The step of the run, where it is known.
    """
    said = {"platform.run_id": run.run_id if run else "", "platform.step": step or ""}
    with transaction(connection) as cursor:
        for_the_session = ", ".join(["set_config(%s, %s, false)"] * len(said))
        cursor.execute(f"SELECT {for_the_session}", [text for pair in said.items() for text in pair])


@cache
def code_version() -> str:
    """The version of the platform that runs."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])
