"""Tables of measurements, for the terminal and as Markdown, and how their numbers are written."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

MEGABYTE = 1_000_000
NOTHING = "-"
_WIDTH = 120


@dataclass(frozen=True)
class Sheet:
    """A table of texts.

    Attributes:
        title: One line above it.
        columns: Their names.
        rows: As many cells each.
        texts: How many columns from the left hold words; the others hold numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


def terminal() -> Console:
    """Where the tables go."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def show(console: Console, sheets: Iterable[Sheet]) -> None:
    """Print tables."""
    for sheet in sheets:
        table = Table(title=sheet.title, title_justify="left", box=box.SIMPLE_HEAD)
        for place, name in enumerate(sheet.columns):
            table.add_column(name, justify="left" if place < sheet.texts else "right")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def write_markdown(file: Path | None, sheets: Sequence[Sheet]) -> None:
    """Write tables to a file, if there are any and one to write to."""
    if file is not None and sheets:
        file.write_text("\n".join(map(markdown, sheets)), encoding="utf-8")


def markdown(sheet: Sheet) -> str:
    """A table as Markdown, its title above it."""
    rule = ("---" if place < sheet.texts else "---:" for place in range(len(sheet.columns)))
    lines = ["| " + " | ".join(cells) + " |" for cells in (sheet.columns, *sheet.rows)]
    return "\n".join([sheet.title, "", lines[0], "|" + "|".join(rule) + "|", *lines[1:], ""])


def megabytes(size: int) -> str:
    """An amount of memory for people."""
    return f"{size / MEGABYTE:,.0f} MB"


def seconds_text(seconds: float) -> str:
    """A time for people."""
    return f"{seconds:,.1f}"


def rate_text(rate: float | None) -> str:
    """Lines per second for people."""
    return NOTHING if rate is None else f"{rate:,.0f}"
