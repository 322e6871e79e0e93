"""A benchmark of the whole platform beside the barest script for the same data: ratios, measured in one run."""

import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2

from platform_assets.cli.bench_platform import Ready, embedded_environment, ready, run_platform
from platform_assets.cli.bench_process import Measured, measure
from platform_assets.cli.bench_sheets import Sheet, megabytes, rate_text, seconds_text, show, terminal, write_markdown
from platform_assets.samples.generate import generate
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate


def bench(settings: Settings, rows: int, seed: int, file: Path | None = None) -> int:
    """Generate a sample, process it, process one more file, then do it with the barest script, and print all.

    Args:
        settings: The engine to measure; all state goes to a temporary folder.
        rows: Transaction lines to generate; the other datasets scale with them.
        seed: Which sample.
        file: Where to write the tables as Markdown, too.

    Raises:
        PlatformError: A measured process failed.
    """
    console = terminal()
    with tempfile.TemporaryDirectory(prefix="platform-bench-") as folder, ready(settings, settings.engine) as on:
        scratch = Path(folder)
        console.print(f"generating {rows:,} transaction lines, and the other datasets in proportion")
        summary = generate(scratch / "raw", rows, seed)
        sheets = _measure_all(settings, on, scratch, sum(summary.lines.values()))
    show(console, sheets)
    write_markdown(file, sheets)
    return 0


def _measure_all(settings: Settings, on: Ready, scratch: Path, lines: int) -> list[Sheet]:
    raw, home = scratch / "raw", scratch / "home"
    newest = max((raw / "ecommerce_transactions").iterdir())
    newest.rename(scratch / newest.name)
    first, outcome = run_platform(settings, on, raw, home)
    again, _ = run_platform(settings, on, raw, home)
    (scratch / newest.name).rename(newest)
    one_more, after = run_platform(settings, on, raw, home)
    barest = _measure_barest(settings, scratch)
    added = _lines_read(after) - _lines_read(outcome)
    end_to_end = [
        ("platform: everything, all checks", lines - added, first),
        ("platform: one more daily file", added, one_more),
        ("platform: nothing new", 0, again),
        ("barest script: everything, no checks", lines, barest),
    ]
    return [_layers(outcome, first, lines - added, on.engine), _comparison(barest, end_to_end)]


def _measure_barest(settings: Settings, scratch: Path) -> Measured:
    there = replace(settings, home=scratch / "barest", postgres_url=None)
    with postgres_session(there) as urls:
        with closing(psycopg2.connect(urls.dsn)) as connection:
            migrate(connection)
        script = [sys.executable, "-m", "platform_assets.cli.barest", str(scratch / "raw"), urls.dsn]
        return measure(script, embedded_environment())


def _layers(outcome: dict[str, Any], measured: Measured, lines: int, engine: str) -> Sheet:
    spans: dict[str, list[tuple[float, float]]] = {}
    for name, (start, end) in outcome["spans"].items():
        spans.setdefault(name.split("/", 1)[0], []).append((start, end))
    rows = []
    for layer, seconds in outcome["seconds_per_layer"].items():
        peak = max(measured.peak(start, end) for start, end in spans[layer])
        rows.append((layer, seconds_text(seconds), rate_text(lines / max(seconds, 0.001)), megabytes(peak)))
    columns = ("layer", "seconds", "lines per second", "peak memory")
    return Sheet(f"{lines:,} lines on {engine}, by layer", columns, tuple(rows))


def _lines_read(outcome: dict[str, Any]) -> int:
    return sum(int(dataset["ledger"]["total"]["rows_read"]) for dataset in outcome["datasets"].values())


def _comparison(barest: Measured, measured: list[tuple[str, int, Measured]]) -> Sheet:
    rows = tuple(
        (
            what,
            f"{lines:,}",
            seconds_text(one.seconds),
            rate_text(lines / one.seconds),
            megabytes(one.peak()),
            f"{one.seconds / barest.seconds:.2f}",
        )
        for what, lines, one in measured
    )
    columns = ("what", "lines read", "seconds", "lines per second", "peak memory", "times the barest script")
    return Sheet("End to end, start of the process included", columns, rows)
