"""Engines side by side: the same samples at several sizes, each run in a fresh home, and whether the results are equal.

What a run costs whatever the data is measured with the smallest sample, twice: the first run after the start of an
engine's server finds it cold. At every size a server is new, but has seen the smallest sample, as one in use has.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from platform_assets.cli.bench_platform import Ready, ready, run_once
from platform_assets.cli.bench_process import Measured
from platform_assets.cli.bench_results import Fixed, Result, differences
from platform_assets.cli.bench_sheets import Sheet, megabytes, seconds_text, show, terminal, write_markdown
from platform_assets.cli.bench_tables import engines_sheet, fixed_sheet, growth_sheet, layers_sheet
from platform_assets.errors import PlatformError
from platform_assets.samples.generate import generate
from platform_assets.samples.plan import MINIMUM_ROWS, Plan
from platform_assets.services.spark_address import require_installed
from platform_assets.services.spark_server import default_memory
from platform_assets.settings import EngineName, Settings

EXIT_EQUAL, EXIT_DIFFERENT = 0, 1
_MEMORY_SHARE = 0.75
"""Of the machine's memory, for one run: what is left is PostgreSQL's, and keeps the machine alive."""


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        engines: Which engines, in this order.
        sizes: Transaction lines, in rising order; the other datasets scale with them.
        seed: Which samples.
        skips: Whether an engine that needs too much memory is noted and passed over instead of ending everything.
    """

    engines: tuple[EngineName, ...]
    sizes: tuple[int, ...]
    seed: int
    skips: bool


@dataclass
class _Bench:
    """A comparison under way, and what it has found so far."""

    settings: Settings
    asked: Comparison
    scratch: Path
    tell: Callable[[str], None]
    limit: int = field(default_factory=lambda: int(psutil.virtual_memory().total * _MEMORY_SHARE))
    fixed: dict[str, Fixed] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    samples: dict[int, tuple[Path, int]] = field(default_factory=dict)

    def run(self) -> None:
        """Measure everything, the smallest sample first."""
        smallest = self._generated(MINIMUM_ROWS)
        for engine in self.asked.engines:
            self._measure_fixed(engine, *smallest)
        for rows in self.asked.sizes:
            sample = self._generated(rows)
            for engine in self.asked.engines:
                self._measure_size(engine, rows, *sample, warm_up=smallest[0])

    def sheets(self) -> list[Sheet]:
        """What was found, as tables; those without a line are left out."""
        engines = [one for one in self.asked.engines if one in self.fixed]
        sheets = [
            engines_sheet(self.results, self.fixed, self.limit),
            layers_sheet(self.results),
            growth_sheet(self.results, self.fixed),
            fixed_sheet([self.fixed[one] for one in engines], self._heap),
        ]
        return [sheet for sheet in sheets if sheet.rows]

    @property
    def _heap(self) -> str:
        if "spark" not in self.asked.engines:
            return ""
        return self.settings.spark_memory or default_memory(psutil.virtual_memory().total)

    def _generated(self, rows: int) -> tuple[Path, int]:
        """A sample, and how many lines its datasets have together."""
        if rows not in self.samples:
            self.tell(f"generating {rows:,} transaction lines, and the other datasets in proportion")
            summary = generate(self.scratch / f"raw-{rows}", rows, self.asked.seed)
            self.samples[rows] = summary.out, sum(summary.lines.values())
        return self.samples[rows]

    def _measure_fixed(self, engine: EngineName, raw: Path, lines: int) -> None:
        with ready(self.settings, engine) as on:
            first, _ = self._allowed_run(on, raw)
            later, _ = self._allowed_run(on, raw)
        self.fixed[engine] = Fixed(engine, lines, on.seconds, first.seconds, later.seconds)
        started = f"server up in {seconds_text(on.seconds)} s, " if on.server else ""
        runs = f"first run {seconds_text(first.seconds)} s, second {seconds_text(later.seconds)} s"
        self.tell(f"  {engine}, smallest sample: {started}{runs}")

    def _measure_size(self, engine: EngineName, rows: int, raw: Path, lines: int, warm_up: Path) -> None:
        with ready(self.settings, engine) as on:
            if on.server is not None:
                self._allowed_run(on, warm_up)
            measured, outcome = run_once(self.settings, on, raw, self.scratch, self.limit)
        if measured.exceeded and not self.asked.skips:
            raise self._too_large(engine, rows)
        self.results.append(Result(engine, rows, lines, measured, outcome))
        found = "needs too much memory" if measured.exceeded else f"{seconds_text(measured.seconds)} s"
        self.tell(f"  {engine}, {rows:,} rows: {found}, {megabytes(measured.peak())}")

    def _allowed_run(self, on: Ready, raw: Path) -> tuple[Measured, dict[str, Any]]:
        measured, outcome = run_once(self.settings, on, raw, self.scratch, self.limit)
        if measured.exceeded:
            raise self._too_large(on.engine, MINIMUM_ROWS)
        return measured, outcome

    def _too_large(self, engine: str, rows: int) -> PlatformError:
        problem = f"{engine} needs more than {megabytes(self.limit)} for {rows:,} rows, three quarters of this machine."
        return PlatformError(problem, "Leave the engine or the size out, or add --skip-over-memory to note it.")


def bench_engines(settings: Settings, asked: Comparison, file: Path | None = None) -> int:
    """Measure engines side by side, and print what came of it, also of an unfinished comparison.

    Args:
        settings: What holds for every run; all state goes to temporary folders.
        asked: What is compared.
        file: Where to write the tables as Markdown, too.

    Returns:
        0 when all engines came to the same results, else 1.

    Raises:
        SettingsError: A size is too small.
        PlatformError: A run failed, or needed more memory than the machine can give.
    """
    for rows in asked.sizes:
        Plan(rows, asked.seed)
    if "spark" in asked.engines:
        require_installed()
    console = terminal()
    with tempfile.TemporaryDirectory(prefix="platform-bench-", ignore_cleanup_errors=True) as folder:
        bench = _Bench(settings, asked, Path(folder), console.print)
        try:
            bench.run()
        finally:
            sheets = bench.sheets()
            show(console, sheets)
            write_markdown(file, sheets)
    return _judge(bench.results, console)


def _judge(results: list[Result], console: Console) -> int:
    found = differences(results)
    for sentence in found:
        console.print(f"DIFFERENT RESULTS: {sentence}", style="bold red")
    finished = [one.rows for one in results if not one.measured.exceeded]
    if not found and len(set(finished)) < len(finished):
        console.print("At each size all engines that finished came to the same results: rows, money, gates.")
    return EXIT_DIFFERENT if found else EXIT_EQUAL
