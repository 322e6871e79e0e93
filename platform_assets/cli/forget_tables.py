"""What ``forget-customer`` prints: where a person is, before and after.

Belongs here: tables for people. Does not belong here: looking for anybody.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from platform_assets.backup.store import backup_names, moment_of
from platform_assets.cli.quarantine_tables import table_of
from platform_assets.erasure.landing import Standing
from platform_assets.erasure.proof import Found

_LINES_SHOWN = 10


def found_table(title: str, found: Sequence[Found]) -> Table:
    """Where a person was found, and where only the same text was."""
    table = table_of(title, "place", "column", "cells", "is")
    for one in sorted(found, key=lambda one: (not one.is_person, one.place, one.column)):
        table.add_row(one.place, one.column, f"{one.cells:,}", "the person" if one.is_person else "the same text")
    return table


def print_found(console: Console, found: Sequence[Found], *, is_shared: bool) -> None:
    """What the platform keeps of the person."""
    console.print(found_table("Found", found) if found else "Nothing is found in what the platform keeps.")
    if is_shared:
        console.print("A name of the person is also that of another customer: it is only looked for beside the id.")


def print_standings(console: Console, standings: Sequence[Standing]) -> None:
    """Where the person stands in the landing zone."""
    table = table_of("Landing zone", "file", "lines", "with --landing")
    for one in standings:
        lines = ", ".join(map(str, one.lines[:_LINES_SHOWN]))
        more = f" and {len(one.lines) - _LINES_SHOWN:,} more" if len(one.lines) > _LINES_SHOWN else ""
        table.add_row(f"{one.dataset}/{one.file.name}", f"{lines}{more}" or "-", one.obstacle or "is rewritten")
    if standings:
        console.print(table)


def print_backups(console: Console, folder: Path) -> None:
    """Backups that were made while the person was there."""
    names = backup_names(folder) if folder.is_dir() else []
    for name in names:
        console.print(f"Backup {name} of {moment_of(name):%Y-%m-%d %H:%M} UTC may hold the person.", markup=False)
    if names:
        console.print("Let retention delete these backups. After restoring one, give this command again.")


def print_replaced(console: Console, folders: Sequence[Path], schemas: Sequence[str]) -> None:
    """What a restore has moved aside while the person was there."""
    for folder in folders:
        console.print(f"{folder}, which a restore has moved aside, may hold the person: delete it.", markup=False)
    for name in schemas:
        problem = f"Schema {name}, which a restore has moved aside, may hold the person: drop it."
        console.print(problem, markup=False)
