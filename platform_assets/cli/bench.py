"""A benchmark of the whole platform beside the barest script for the same data: ratios, measured in one run."""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from rich import box
from rich.console import Console
from rich.table import Table

from platform_assets.errors import PlatformError
from platform_assets.samples.generate import generate
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import CHECKOUT, Settings
from platform_assets.warehouse.migrations import migrate

_SAMPLE_SECONDS = 0.05
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Measured:
    """One finished process.

    Attributes:
        seconds: Wall time.
        memory: Resident memory in bytes, by moment (seconds since 1970).
    """

    seconds: float
    memory: tuple[tuple[float, int], ...]

    def peak(self, since: float = 0.0, until: float = float("inf")) -> int:
        """The most memory in a span of time, in bytes."""
        return max((size for moment, size in self.memory if since <= moment <= until), default=0)


def bench(settings: Settings, rows: int, seed: int) -> int:
    """Generate a sample, process it, process one more file, then do it with the barest script, and print all.

    Args:
        settings: The engine to measure; all state goes to a temporary folder.
        rows: Transaction lines to generate; the other datasets scale with them.
        seed: Which sample.

    Raises:
        PlatformError: A measured process failed.
    """
    console = Console() if sys.stdout.isatty() else Console(width=120)
    with tempfile.TemporaryDirectory(prefix="platform-bench-") as folder:
        scratch = Path(folder)
        console.print(f"generating {rows:,} transaction lines, and the other datasets in proportion")
        summary = generate(scratch / "raw", rows, seed)
        lines = sum(summary.lines.values())
        newest = max((scratch / "raw" / "ecommerce_transactions").iterdir())
        newest.rename(scratch / newest.name)
        first, outcome = _measure_platform(settings, scratch, "first")
        again, _ = _measure_platform(settings, scratch, "again")
        (scratch / newest.name).rename(newest)
        one_more, after = _measure_platform(settings, scratch, "one more")
        barest = _measure_barest(settings, scratch)
        added = _lines_read(after) - _lines_read(outcome)
        console.print(_layers(outcome, first, lines - added, settings.engine))
        console.print(
            _comparison(
                barest,
                [
                    ("platform: everything, all checks", lines - added, first),
                    ("platform: one more daily file", added, one_more),
                    ("platform: nothing new", 0, again),
                    ("barest script: everything, no checks", lines, barest),
                ],
            )
        )
    return 0


def _measure_platform(settings: Settings, scratch: Path, name: str) -> tuple[Measured, dict[str, Any]]:
    result = scratch / f"{name}.json"
    command = ["run", "--raw", str(scratch / "raw"), "--home", str(scratch / "home"), "--engine", settings.engine]
    measured = _measure([sys.executable, "-m", "platform_assets.cli", *command, "--json", str(result)])
    return measured, json.loads(result.read_text(encoding="utf-8"))


def _measure_barest(settings: Settings, scratch: Path) -> Measured:
    there = replace(settings, home=scratch / "barest", postgres_url=None)
    with postgres_session(there) as urls:
        with closing(psycopg2.connect(urls.dsn)) as connection:
            migrate(connection)
        return _measure([sys.executable, "-m", "platform_assets.cli.barest", str(scratch / "raw"), urls.dsn])


def _measure(command: list[str]) -> Measured:
    """Run a process and watch its memory; PostgreSQL's own is not counted on either side."""
    started, memory = time.monotonic(), []
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=subprocess.STDOUT, env=os.environ.copy())
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                memory.append((time.time(), watched.memory_info().rss))
            except psutil.NoSuchProcess:
                break
            time.sleep(_SAMPLE_SECONDS)
        if process.wait() != 0:
            log.seek(0)
            tail = "".join(log.readlines()[-5:])
            raise PlatformError(f"{' '.join(command[2:4])} ended with exit code {process.returncode}: {tail}", "")
    return Measured(time.monotonic() - started, tuple(memory))


def _layers(outcome: dict[str, Any], measured: Measured, lines: int, engine: str) -> Table:
    table = Table(title=f"{lines:,} lines on {engine}, by layer", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("layer", "seconds", "lines per second", "peak memory"):
        table.add_column(column, justify="left" if column == "layer" else "right")
    spans: dict[str, list[tuple[float, float]]] = {}
    for name, (start, end) in outcome["spans"].items():
        spans.setdefault(name.split("/", 1)[0], []).append((start, end))
    for layer, seconds in outcome["seconds_per_layer"].items():
        peak = max(measured.peak(start, end) for start, end in spans[layer])
        table.add_row(layer, f"{seconds:,.1f}", f"{lines / max(seconds, 0.001):,.0f}", f"{peak / _MEGABYTE:,.0f} MB")
    return table


def _lines_read(outcome: dict[str, Any]) -> int:
    return sum(int(dataset["ledger"]["total"]["rows_read"]) for dataset in outcome["datasets"].values())


def _comparison(barest: Measured, measured: list[tuple[str, int, Measured]]) -> Table:
    table = Table(title="End to end, start of the process included", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("what", "lines read", "seconds", "lines per second", "peak memory", "times the barest script"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for what, lines, one in measured:
        rate, ratio = f"{lines / one.seconds:,.0f}", f"{one.seconds / barest.seconds:.2f}"
        memory = f"{one.peak() / _MEGABYTE:,.0f} MB"
        table.add_row(what, f"{lines:,}", f"{one.seconds:,.1f}", rate, memory, ratio)
    return table
