"""The quarantine as a person wants to see it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table

from platform_assets.contracts.contract import Contract
from platform_assets.quality.masking import shown_cells
from platform_assets.warehouse.quality.quarantine_records import Event, Group, Line, Total

_REASON_CHARACTERS = 90


def table_of(title: str, *columns: str, left: int = 1) -> Table:
    """An empty table in the style of this command line; ``left`` columns are of text, the others of numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position < left else "right", overflow="fold")
    return table


def groups_table(groups: Sequence[Group]) -> Table:
    """What is set aside, by dataset and reason."""
    table = table_of(
        "In quarantine", "dataset", "kind", "reason", "file", "rows", "files", "since", "tried again", left=4
    )
    for group in groups:
        file = group.first_file if group.files == 1 else f"{group.first_file}, ..."
        counts = f"{group.rows:,}", f"{group.files:,}", _day(group.since), f"{group.attempts:,}"
        table.add_row(group.dataset, group.kind, _shortened(group.reason), file, *counts)
    return table


def totals_table(totals: Sequence[Total]) -> Table:
    """What is set aside, by dataset, in rows and money."""
    table = table_of("Set aside in all", "dataset", "rows", "of these discarded", "money of the rows")
    for total in totals:
        amount = "-" if total.amount is None else f"{total.amount:,.2f}"
        table.add_row(total.dataset, f"{total.rows:,}", f"{total.discarded:,}", amount)
    return table


def print_line(line: Line, events: Sequence[Event], contract: Contract, console: Console, *, unmask: bool) -> None:
    """One line with its reasons, its cells and its history."""
    place = line.source_file if line.kind == "file" else f"{line.source_file} line {line.source_row:,}"
    given_up = ", discarded" if line.status == "discarded" else ""
    console.print(f"{place} ({line.kind}{given_up})", style="bold", markup=False, highlight=False)
    console.print(f"  {line.reasons}", style="red", markup=False, highlight=False)
    if unmask:
        contract = replace(contract, columns=tuple(replace(column, personal=False) for column in contract.columns))
    cells, hidden = shown_cells(line.raw, line.kind, contract)
    for name, text in cells:
        console.print(f"  {name:<20} {text}", markup=False, highlight=False)
    if hidden:
        console.print(f"  {hidden}", style="dim", markup=False, highlight=False)
    for event in events:
        console.print(f"  {_told(event)}", style="dim", markup=False, highlight=False)
    console.print()


def _told(event: Event) -> str:
    moment = f"{event.event_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    by = f" by {event.actor}" if event.actor else f" in run {event.run_id[:8]}" if event.run_id else ""
    why = f": {event.why}" if event.why else f": {event.reasons}" if event.event in {"quarantined", "kept"} else ""
    return f"{moment}  {event.event}{by}{why}"


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}" if moment else "-"


def _shortened(text: str) -> str:
    return text if len(text) <= _REASON_CHARACTERS else f"{text[:_REASON_CHARACTERS]}..."
