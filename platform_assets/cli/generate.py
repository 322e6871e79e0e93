"""``generate``: write sample data and say what was written."""

import sys
from pathlib import Path

from platform_assets.samples.generate import SampleSummary, generate
from platform_assets.samples.plan import DEFAULT_ROWS


def generate_sample(out: Path, rows: int | None, seed: int) -> int:
    """Write sample data to ``out`` and print a summary.

    Raises:
        SettingsError: Rows or seed are out of range, or there are files in the way.
    """
    _print_summary(generate(out.resolve(), DEFAULT_ROWS if rows is None else rows, seed, _tell))
    return 0


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr)


def _print_summary(summary: SampleSummary) -> None:
    for dataset, lines in summary.lines.items():
        print(f"{dataset:<24} {summary.files[dataset]:>6} files {lines:>12} lines")
    print(f"{summary.bytes_written / 1e6:.1f} MB in {summary.out}; what is wrong in it on purpose: {summary.truth}")
