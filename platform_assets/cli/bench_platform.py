"""The platform as the thing that is measured: one run in a home of its own, on an engine that is ready for it."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from platform_assets.cli.bench_process import Measured, measure
from platform_assets.services.postgres import stop_postgres_if_unused
from platform_assets.services.spark import ensure_spark, spark_status, stop_spark
from platform_assets.settings import EngineName, Settings

_ELSEWHERE = ("PLATFORM_POSTGRES_URL", "SPARK_REMOTE")
"""Sample data has no business in a real warehouse, and a cluster's memory cannot be seen from here."""

TOPICS = ("customer_value", "customer_360", "products", "kpis", "forecast", "anomalies_and_insights")
WITHOUT_TOPICS = f"not ({' or '.join(f'tag:topic={topic}' for topic in TOPICS)} or group:reports)"
"""What other programs are compared by: from files to the star and RFM segments. They have no analyses beyond."""


@dataclass(frozen=True)
class Ready:
    """An engine that runs can use.

    Attributes:
        engine: Which one.
        server: Process id of its server, where it has one.
        seconds: How long that server took to start.
        environment: What a run needs to know of it; this may hold a token.
    """

    engine: EngineName
    server: int | None = None
    seconds: float = 0.0
    environment: dict[str, str] = field(default_factory=dict, repr=False)


@contextmanager
def ready(settings: Settings, engine: EngineName) -> Iterator[Ready]:
    """Start the server that an engine needs, and stop it at the end.

    Raises:
        ServiceError: It is not installed or does not start.
    """
    if engine != "spark":
        yield Ready(engine)
        return
    with tempfile.TemporaryDirectory(prefix="platform-bench-spark-", ignore_cleanup_errors=True) as folder:
        there = replace(settings, home=Path(folder), spark_remote=None)
        started = time.monotonic()
        try:
            url = ensure_spark(there)
            seconds = time.monotonic() - started
            yield Ready(engine, spark_status(there).pid, seconds, {"SPARK_REMOTE": url})
        finally:
            stop_spark(there)


def run_platform(
    settings: Settings, on: Ready, raw: Path, home: Path, limit: int | None = None
) -> tuple[Measured, dict[str, Any]]:
    """Run the main job in a process of its own, as ``./platform run`` does, and measure it.

    Args:
        settings: What holds for every run.
        on: The engine.
        raw: The landing zone.
        home: The folder of all state; an embedded PostgreSQL that a killed run has left there is stopped.
        limit: From how many bytes of memory on the run is ended.

    Returns:
        The measurement, and the run's result for programs; that is empty for a run that needed too much memory.

    Raises:
        PlatformError: The run failed, or a gate was shut.
    """
    with tempfile.TemporaryDirectory(prefix="platform-bench-") as folder:
        result = Path(folder) / "result.json"
        options = ["--raw", str(raw), "--home", str(home), "--engine", on.engine, "--json", str(result)]
        options += ["--select", WITHOUT_TOPICS]
        command = [sys.executable, "-m", "platform_assets.cli", "run", *options]
        try:
            measured = measure(command, embedded_environment() | on.environment, on.server, limit)
        finally:
            stop_postgres_if_unused(replace(settings, home=home, postgres_url=None))
        return measured, {} if measured.exceeded else json.loads(result.read_text(encoding="utf-8"))


def run_once(
    settings: Settings, on: Ready, raw: Path, scratch: Path, limit: int | None = None
) -> tuple[Measured, dict[str, Any]]:
    """``run_platform`` in a fresh home below ``scratch`` that is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="home-", dir=scratch))
    try:
        return run_platform(settings, on, raw, home, limit)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def embedded_environment() -> dict[str, str]:
    """This process's environment without the servers of others."""
    return {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
