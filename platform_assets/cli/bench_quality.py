"""The rules' own speed: one file judged by this platform, by hand on the same engines, and by other tools.

Each judgement is a process of its own; all are measured in turn, several times, and the best of each counts, so that
what else the machine does falls on all of them alike.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from platform_assets.cli.bench_platform import Ready, embedded_environment, ready
from platform_assets.cli.bench_process import measure
from platform_assets.cli.bench_quality_data import MINIMUM_ROWS, rules_as_json, write_orders
from platform_assets.cli.bench_quality_measure import BY_HAND, OURS
from platform_assets.cli.bench_quality_others import OTHERS, environment_of_others
from platform_assets.cli.bench_quality_tables import Finding, quality_sheet
from platform_assets.cli.bench_sheets import show, terminal, write_markdown
from platform_assets.services.spark_address import require_installed
from platform_assets.settings import EngineName, Settings

EXIT_RIGHT, EXIT_WRONG = 0, 1
WAYS = (OURS, BY_HAND)
_SMALL = "small.parquet"


@dataclass(frozen=True)
class Asked:
    """What is measured.

    Attributes:
        rows: Rows of the file.
        seed: Which file.
        engines: On which engines the platform and the hand-written queries are measured.
        others: Whether other tools are, too.
        repeats: How often each.
    """

    rows: int
    seed: int
    engines: tuple[EngineName, ...]
    others: bool
    repeats: int


@dataclass
class _Bench:
    """A benchmark under way."""

    asked: Asked
    folder: Path
    engines: Mapping[str, Ready]
    others: Path | None
    tell: Callable[[str], None]
    found: list[Finding] = field(default_factory=list)

    def run(self, file: Path) -> None:
        """Measure everything, the whole round again and again."""
        for name, on in self.engines.items():
            if on.server is not None:
                # A server in use has judged before: the first client would pay for all that come after.
                for way in WAYS:
                    self._measured(way, name, file)
        for turn in range(1, self.asked.repeats + 1):
            self.tell(f"measuring, {turn} of {self.asked.repeats}")
            self.found += [self._measured(way, name, file) for name in self.engines for way in WAYS]
            if self.others is not None:
                self.found += [self._measured(tool, frames, file) for tool, frames in OTHERS]

    def _measured(self, way: str, engine: str, file: Path) -> Finding:
        result = self.folder / "result.json"
        on = self.engines.get(engine) if way in WAYS else None
        python = sys.executable if on else str(self.others)
        server = on.server if on else None
        about = json.dumps({"rules": rules_as_json(), "small": str(self.folder / _SMALL), "server": server})
        arguments = [way, engine, str(file), about, str(result)]
        command = [python, "-m", "platform_assets.cli.bench_quality_measure", *arguments]
        environment = embedded_environment() | {"PLATFORM_HOME": str(self.folder)} | (on.environment if on else {})
        peak = measure(command, environment, server).peak()
        took = json.loads(result.read_text(encoding="utf-8"))
        result.unlink()
        return Finding(way, engine, took["seconds"], took["cpu"], max(took["peak"], peak), took["counts"])


def bench_quality(settings: Settings, asked: Asked, markdown: Path | None = None) -> int:
    """Write the file, have everybody judge it, and print what came of it.

    Args:
        settings: Where the environment of the other tools is kept; all else goes to a temporary folder.
        asked: What is measured.
        markdown: Where to write the table as Markdown, too.

    Returns:
        0 when everybody counted what is wrong with the file by construction, else 1.

    Raises:
        SettingsError: There are too few rows.
        PlatformError: A judgement failed, or the other tools could not be installed.
    """
    if "spark" in asked.engines:
        require_installed()
    console = terminal()
    others = environment_of_others(settings.home, console.print) if asked.others else None
    with (
        tempfile.TemporaryDirectory(prefix="platform-bench-", ignore_cleanup_errors=True) as name,
        ExitStack() as stack,
    ):
        folder = Path(name)
        console.print(f"writing {asked.rows:,} rows")
        write_orders(folder / _SMALL, MINIMUM_ROWS, asked.seed)
        truth = write_orders(folder / "orders.parquet", asked.rows, asked.seed)
        engines: dict[str, Ready] = {engine: stack.enter_context(ready(settings, engine)) for engine in asked.engines}
        bench = _Bench(asked, folder, engines, others, console.print)
        bench.run(folder / "orders.parquet")
    sheets = [quality_sheet(bench.found, truth, asked.rows)]
    show(console, sheets)
    write_markdown(markdown, sheets)
    wrong = wrong_counts(bench.found, truth)
    for sentence in wrong:
        console.print(f"WRONG COUNT: {sentence}", style="bold red")
    return EXIT_WRONG if wrong else EXIT_RIGHT


def wrong_counts(found: Sequence[Finding], truth: Mapping[str, int]) -> list[str]:
    """Say who counted something else than what is wrong by construction, each once."""
    sentences = [
        f"{one.way} on {one.engine}: {rule} is {one.counts.get(rule, 0):,} instead of {truth.get(rule, 0):,}"
        for one in found
        for rule in sorted({*one.expected(truth), *one.counts})
        if one.counts.get(rule, 0) != truth.get(rule, 0)
    ]
    return list(dict.fromkeys(sentences))
