"""The main job from the command line: an ordinary Dagster run in this process, and its result for people and programs.

Belongs here: starting the run and turning its outcome into an exit code. Does not belong here: how the result is
collected (``outcome``) and shown (``report``).
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from platform_assets.cli.generate import generate_sample
from platform_assets.cli.output import console_of_output
from platform_assets.errors import PlatformError
from platform_assets.ingestion.discovery import discover
from platform_assets.services.dagster_home import prepare_dagster_home
from platform_assets.services.locks import exclusive_lock, is_unused
from platform_assets.services.postgres import postgres_session
from platform_assets.services.reports_server import reports_folder
from platform_assets.services.up_state import up_lock
from platform_assets.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    from platform_assets.cli.outcome import Outcome

EXIT_OK, EXIT_ERROR, EXIT_GATE_SHUT = 0, 1, 3
PID_TAG = "platform/pid"
_PATIENCE_SECONDS = 900
_POLL_SECONDS = 3
"""Columns of the report where there is no terminal to ask."""


def run(settings: Settings, json_file: Path | None) -> int:
    """Process the landing zone and show what came of it.

    Args:
        settings: Where everything is.
        json_file: Where to write the result for programs, too.

    Returns:
        0 when every gate is open, 3 when one is shut, 1 when a step failed.

    Raises:
        PlatformError: Something a person has to see to before a run makes sense.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise PlatformError(f"There is no folder {json_file.parent} to write {json_file.name} to.", "Make it first.")
    if settings.engine == "spark":
        _find_spark(settings)
    if not _has_files(settings.raw):
        _say(f"{settings.raw} is empty: generating sample data")
        generate_sample(settings.raw, None, 42)
    settings.home.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(settings.home / "run" / "refresh.lock"):
        outcome = execute(settings)
    from platform_assets.cli.report import show

    console = console_of_output()
    show(outcome, console, reports_folder(settings))
    if json_file is not None:
        json_file.write_text(json.dumps(outcome.to_json(), indent=1) + "\n", encoding="utf-8")
    return exit_code(outcome)


def execute(settings: Settings) -> "Outcome":
    """Run the job once and collect what it did.

    Raises:
        ServiceError: PostgreSQL cannot be started or reached.
    """
    started = time.monotonic()
    _say("starting PostgreSQL and loading the assets")
    with postgres_session(settings) as urls:
        os.environ.update(prepare_dagster_home(settings, urls))
        import dagster as dg

        from platform_assets.cli.outcome import collect
        from platform_assets.definitions import defs
        from platform_assets.resources.selection import selected_assets

        definitions = defs()
        graph = definitions.resolve_asset_graph()
        selected = selected_assets(graph, settings.select)
        job = definitions.resolve_job_def("refresh")
        with dg.DagsterInstance.get() as instance:
            _keep_connections(instance)
            _clear_orphans(instance, settings)
            _wait_for_others(instance)
            _say(f"processing {settings.raw} on {settings.engine}")
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                asset_selection=selected,
                run_config={
                    "loggers": {"progress": {}},
                    "resources": {"platform": {"config": {"engine": settings.engine}}},
                },
                tags={PID_TAG: str(os.getpid())},
            )
            return collect(settings, urls, instance, result, graph=graph, seconds=time.monotonic() - started)


def exit_code(outcome: "Outcome") -> int:
    """0 when every gate is open, 3 when one is shut, 1 when a step failed."""
    if outcome.failures:
        return EXIT_ERROR
    return EXIT_OK if all(one.gate_is_open for one in outcome.assessments) else EXIT_GATE_SHUT


def _find_spark(settings: Settings) -> None:
    """See that there is a Spark before anything is written.

    Raises:
        PlatformError: There is none, or it cannot be started or reached.
    """
    from platform_assets.services.spark import ensure_spark

    _say("starting Spark" if settings.spark_remote is None else "looking for the Spark server of SPARK_REMOTE")
    ensure_spark(settings)


def _keep_connections(instance: "dg.DagsterInstance") -> None:
    """Let the run's records share connections, as the web server does; otherwise every event opens its own."""
    for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        if storage is not None:
            storage.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=4)


def _clear_orphans(instance: "dg.DagsterInstance", settings: Settings) -> None:
    """End what killed processes left: runs that look as if they went on, and their slots in pools.

    Without the second, this run would wait for a slot for ever: the daemon that frees them need not be running. Whoever
    calls holds the lock of the command line, so no run of a command is under way; runs of the daemon are, while it is.
    """
    import dagster as dg

    is_up = not is_unused(up_lock(settings))
    statuses = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    for one in instance.get_runs(dg.RunsFilter(statuses=statuses)):
        if PID_TAG in one.tags or not is_up:
            instance.report_run_failed(one, "The process that ran it was ended.")
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids():
        holder = instance.get_run_by_id(run_id)
        if holder is None or holder.is_finished:
            storage.free_concurrency_slots_for_run(run_id)


def _wait_for_others(instance: "dg.DagsterInstance") -> None:
    """Wait for runs that were started from the UI or by the sensor: one run owns the lake at a time.

    Raises:
        PlatformError: They take longer than a person would wait.
    """
    import dagster as dg

    working = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while others := instance.get_run_ids(working):
        if time.monotonic() > deadline:
            problem = f"Run {others[0][:8]} has been at work for {_PATIENCE_SECONDS // 60} minutes."
            raise PlatformError(problem, "Wait for it or end it in the UI, then try again.")
        _say(f"waiting for run {others[0][:8]}, which is at work")
        time.sleep(_POLL_SECONDS)


def _has_files(raw: Path) -> bool:
    if not raw.is_dir():
        return False
    return any(
        discover(folder)
        for folder in sorted(raw.iterdir())
        if folder.is_dir() and not folder.name.startswith(("_", "."))
    )


def _say(text: str) -> None:
    print(f"• {text}", file=sys.stderr, flush=True)
