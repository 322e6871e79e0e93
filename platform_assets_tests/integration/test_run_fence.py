"""Runs and their epochs in Dagster: what it tells the resource, and what a step that outlives its run can do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from platform_assets.defs import operations
from platform_assets.errors import LoadError
from platform_assets.resources.postgres import PostgresResource
from platform_assets_tests.integration import orphan
from platform_assets_tests.integration.running import PATIENCE_SECONDS, Home

pytestmark = pytest.mark.integration


def found(home: Home, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(home.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def lives(pid: int) -> bool:
    """Whether a process works: not one that has ended and waits to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def orphaned(home: Home, tmp_path: Path) -> Iterator[tuple[dg.DagsterInstance, str, int]]:
    """A run that was killed and declared dead, and whose step process lives on: the run's id, the step's process."""
    with home.instance() as instance:
        environment = os.environ | {"ORPHAN_FOLDER": str(tmp_path), "ORPHAN_VALUE": "old"}
        command = [sys.executable, "-m", "platform_assets_tests.integration.orphan"]
        working = tmp_path / "working"
        with (tmp_path / "told").open("w") as told, subprocess.Popen(command, env=environment, stderr=told) as parent:
            try:
                until(lambda: parent.poll() is not None or (working.exists() and working.read_text() != ""))
            finally:
                parent.kill()
        assert working.exists(), (tmp_path / "told").read_text()
        step = int(working.read_text())
        (run,) = instance.get_runs()
        instance.report_run_failed(run, "The process that ran it was ended.")
        try:
            yield instance, run.run_id, step
        finally:
            if lives(step):
                os.kill(step, signal.SIGKILL)


def test_a_step_that_outlives_its_run_can_no_longer_commit_after_the_retry(
    home: Home, orphaned: tuple[dg.DagsterInstance, str, int], tmp_path: Path
) -> None:
    instance, dead_run, step = orphaned
    assert lives(step)

    @dg.asset(io_manager_key="warehouse", metadata={"table": orphan.TABLE})
    def loaded() -> Any:
        return orphan.load("new")

    retry = dg.materialize([loaded], resources=operations.defs().resources, instance=instance)
    assert retry.success
    (tmp_path / "go_on").touch()
    until(lambda: not lives(step))

    assert found(home, f"SELECT rule FROM {orphan.TABLE}") == [("new",)]
    assert found(home, "SELECT run_id, step FROM ops.audit_log WHERE kind = 'load'") == [(retry.run_id, "loaded")]
    assert found(home, "SELECT run_id FROM ops.runs ORDER BY epoch") == [(dead_run,), (retry.run_id,)]
    (failure,) = instance.all_logs(dead_run, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert failure.dagster_event is not None
    assert f"A newer run ({retry.run_id}" in str(failure.dagster_event.step_failure_data.error)


def test_a_step_that_starts_after_its_run_was_declared_dead_is_given_no_chance(home: Home) -> None:
    with dg.DagsterInstance.ephemeral() as instance, dg.build_init_resource_context(instance=instance) as outside:
        run = instance.create_run_for_job(orphan.job())
        instance.report_run_failed(run)
        context = dg.InitResourceContext(
            resource_config={},
            resources=outside.resources,
            resource_def=None,
            all_resource_defs={},
            instance=instance,
            dagster_run=run,
        )
        postgres = PostgresResource()
        postgres.setup_for_execution(context)
        with pytest.raises(LoadError, match=f"Run {run.run_id} had ended before"), postgres.connection():
            pass
    assert found(home, "SELECT count(*) FROM ops.load_fences") == [(0,)]


class Noting(dg.ConfigurableResource[Any]):
    """Notes when Dagster sets it up, in which process, and for which run."""

    folder: str

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        name = context.run.run_id if context.run else "no run"
        with Path(self.folder, name).open("a", encoding="utf-8") as notes:
            notes.write(f"{os.getpid()}\n")


class Holding(dg.ConfigurableIOManager):
    """Has another resource as a part, and knows the step it works for."""

    part: dg.ResourceDependency[Noting]

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:  # noqa: ARG002 - Dagster's signature
        context.add_output_metadata({"step": str(dg.OpExecutionContext.get().op_handle)})

    def load_input(self, context: dg.InputContext) -> object:
        raise NotImplementedError


@dg.asset(io_manager_key="holding")
def within() -> int:
    """Needs it, as a part of its IO manager."""
    return 1


@dg.asset
def without() -> None:
    """Needs nothing of it."""


def noting_job() -> dg.JobDefinition:
    folder = os.environ["NOTES"]
    definitions = dg.Definitions(
        [within, without],
        jobs=[dg.define_asset_job("noting", dg.AssetSelection.all(), executor_def=dg.multiprocess_executor)],
        resources={"holding": Holding(part=Noting(folder=folder))},
    )
    return definitions.resolve_job_def("noting")


def test_dagster_sets_a_part_of_an_io_manager_up_with_the_run_once_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES", str(tmp_path))
    done = noting_job().execute_in_process()
    assert [path.name for path in tmp_path.iterdir()] == [done.run_id]
    assert (tmp_path / done.run_id).read_text() == f"{os.getpid()}\n"
    told = [event.materialization.metadata for event in done.get_asset_materialization_events()]
    assert {str(metadata["step"].value) for metadata in told if "step" in metadata} == {"within"}


def test_dagster_sets_it_up_in_the_process_of_each_step_that_needs_it_and_in_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    (tmp_path / "notes").mkdir()
    (tmp_path / "home").mkdir()
    with (
        dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance,
        dg.execute_job(dg.reconstructable(noting_job), instance=instance) as done,
    ):
        assert done.success
        run_id = done.run_id
    (notes,) = (tmp_path / "notes").iterdir()
    assert notes.name == run_id
    # Besides, this process does when it looks at the result: after the end, and only with execute_job.
    (process,) = set(notes.read_text().split()) - {str(os.getpid())}
    assert process.isdigit()
