"""``history``: who loaded or changed what, when, and from which file; and whether the record of it is whole.

Belongs here: the command and its tables. Does not belong here: the queries (``warehouse.trail.history_read``).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from platform_assets.cli.output import console_of_output
from platform_assets.cli.quarantine_tables import table_of
from platform_assets.cli.warehouse import warehouse
from platform_assets.errors import PlatformError
from platform_assets.reports.wording import count, instant
from platform_assets.settings import Settings
from platform_assets.warehouse.trail.history_read import Chain, Entry, History, Wanted, read_history

EXIT_BROKEN = 1
_WIDTH = 4000
"""Columns where there is no terminal to ask: a file or a pipe has room, and folded cells help nobody there."""
_FILES_SHOWN = 20
_ID_CHARACTERS = 8
_SIGNS = {"inserted": "+", "updated": "~", "deleted": "\N{MINUS SIGN}"}


def show_history(settings: Settings, wanted: Wanted, limit: int, output_format: str) -> int:
    """Print what is recorded, the newest first.

    Args:
        settings: Whose warehouse it is.
        wanted: What is asked for.
        limit: How many entries at most.
        output_format: ``table`` or ``json``.

    Returns:
        0, or 1 when the audit trail was tampered with.

    Raises:
        PlatformError: The limit leaves nothing to show, or nothing is recorded of what is asked for.
        ServiceError: PostgreSQL cannot be reached.
    """
    if limit < 1:
        raise PlatformError(f"--limit is {limit}, which leaves nothing to show.", "Give 1 or more.")
    history = _read(settings, wanted, limit)
    if output_format == "json":
        print(json.dumps(asdict(history), default=_plain, ensure_ascii=False, indent=1))
    else:
        _print(history, wanted, console_of_output(_WIDTH))
    return 0 if history.chain.broken_at is None else EXIT_BROKEN


def _read(settings: Settings, wanted: Wanted, limit: int) -> History:
    with warehouse(settings) as (connection, _):
        history = read_history(connection, wanted, limit)
    if not (history.entries or history.files or history.runs):
        asked = ", ".join(f"{name} {value}" for name, value in asdict(wanted).items() if value)
        raise PlatformError(f"Nothing is recorded of {asked}.", "See ./platform history without it.")
    return history


def _print(history: History, wanted: Wanted, console: Console) -> None:
    for run in history.runs:
        told = f"by {run.role} on {run.host}, version {run.code_version}, epoch {count(run.epoch)}"
        console.print(Text(f"Run {run.run_id}: came {instant(run.started_at)} {told}"))
    if history.entries:
        console.print(_changes(history, wanted.file) if wanted.file else _entries(history))
    if len(history.entries) < history.count:
        rest = f"{count(len(history.entries))} of {count(history.count)} entries; more with --limit"
        console.print(rest, style="dim", highlight=False)
    if history.files:
        console.print(_held(history))
    console.print(_verdict(history.chain))


def _entries(history: History) -> Table:
    table = table_of("What was done, the newest first", "when", "what", "to", "how much", "who", "run", "step", left=7)
    for entry in history.entries:
        table.add_row(
            instant(entry.recorded_at),
            entry.kind,
            Text(entry.object),
            Text(extent(entry.details)),
            Text(_who(entry)),
            (entry.run_id or "")[:_ID_CHARACTERS],
            Text(entry.step or ""),
        )
    return table


def _changes(history: History, file: str) -> Table:
    table = table_of(f"What was done with {file}", "when", "table", "dataset", "change", "run", "who", "rows", left=6)
    for entry in history.entries:
        for change in entry.details["files"]:
            if change["source_file"] == file:
                where = Text(entry.object), Text(change["dataset"]), change["change"]
                by = (entry.run_id or "")[:_ID_CHARACTERS], Text(_who(entry))
                table.add_row(instant(entry.recorded_at), *where, *by, count(change["loaded_rows"]))
    return table


def _held(history: History) -> Table:
    rows = sum(file.loaded_rows for file in history.files)
    title = f"Held now: {count(rows)} rows of {_numbered(len(history.files), 'file')}"
    table = table_of(title, "table", "dataset", "file", "loaded", "rows", left=4)
    for file in history.files[:_FILES_SHOWN]:
        where = Text(file.table_name), Text(file.dataset), Text(file.source_file)
        table.add_row(*where, instant(file.loaded_at), count(file.loaded_rows))
    rest = len(history.files) - _FILES_SHOWN
    if rest > 0:
        table.add_row(f"and {_numbered(rest, 'more file')}", *[""] * 4, style="dim")
    return table


def extent(details: Mapping[str, Any]) -> str:
    """What an entry says about how much was done: ``+1,200 -3 rows, 2 files, 1.5 s``."""
    changed = [f"{sign}{count(details[name])}" for name, sign in _SIGNS.items() if details.get(name)]
    parts = [f"{' '.join(changed)} rows"] if changed else ["nothing to do"] if "inserted" in details else []
    files = details.get("files")
    if isinstance(files, list) and files:
        parts.append(_numbered(len(files), "file"))
    if isinstance(lines := details.get("lines"), int):
        parts.append(_numbered(lines, "line"))
    if isinstance(seconds := details.get("seconds"), int | float):
        parts.append(f"{seconds:,.1f} s")
    return ", ".join(parts)


def _who(entry: Entry) -> str:
    roles = entry.actor_role if entry.actor_role == entry.login_role else f"{entry.actor_role} ({entry.login_role})"
    user = entry.details.get("user")
    return f"{roles}, {user}" if user else roles


def _verdict(chain: Chain) -> Text:
    if chain.broken_at is None:
        told = f"Audit trail: {_numbered(chain.length, 'entry', 'entries')}, whole; it ends with {chain.hash[:16]}."
        return Text(told, style="green")
    told = f"AUDIT TRAIL BROKEN at entry {count(chain.broken_at)}: {chain.problem}. Somebody has tampered with it."
    return Text(told, style="bold red")


def _numbered(number: int, one: str, several: str | None = None) -> str:
    return f"{count(number)} {one if number == 1 else several or one + 's'}"


def _plain(value: Any) -> str:
    return str(value.isoformat())
