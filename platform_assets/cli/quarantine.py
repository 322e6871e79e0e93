"""``quarantine list``, ``show``, ``export`` and ``discard``: what was set aside, for people who see to it.

Belongs here: the actions that process nothing. Does not belong here: taking corrections (``quarantine_replay``), the
file they are written in (``quarantine_files``), the options (``quarantine_options``).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one
from rich.markup import escape

from platform_assets.cli.output import console_of_output
from platform_assets.cli.quarantine_files import Faults, contract_of, read_rows, write_rows
from platform_assets.cli.quarantine_tables import groups_table, print_line, totals_table
from platform_assets.cli.warehouse import warehouse
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.choose import make_engine
from platform_assets.errors import PlatformError
from platform_assets.lake.table import Table
from platform_assets.quality.corrections import Cells, Place, cells_of
from platform_assets.settings import Settings
from platform_assets.transforms.corrections import Corrections
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.quality.quarantine_records import (
    Deed,
    Line,
    Wanted,
    count_lines,
    groups,
    history,
    lines,
    record,
    totals,
)
from platform_assets.warehouse.trail.audit import record as record_in_trail
from platform_assets.warehouse.trail.audit import user

Choice = Mapping[str, Any]
"""``reason``, ``file`` and ``row`` of the lines meant; ``None`` where it does not matter."""

_NEXT = """\
What to do next:
  the rule is wrong           change the contract or its settings, then: ./platform quarantine replay
  the reference is wrong      deliver the right file, then: ./platform quarantine replay
  the rows are wrong          ./platform quarantine export DATASET --out rows.csv
                              correct them there, then: ./platform quarantine replay rows.csv
  they are not worth it       ./platform quarantine discard DATASET --reason R --why TEXT
  see rows and their history  ./platform quarantine show DATASET --reason R"""


def list_groups(settings: Settings, dataset: str | None, *, with_discarded: bool) -> int:
    """Print what is set aside, by dataset and reason.

    Raises:
        PlatformError: There is no such dataset.
    """
    if dataset is not None:
        contract_of(dataset)
    with warehouse(settings) as (connection, _):
        found = groups(connection, Wanted(dataset=dataset, with_discarded=with_discarded))
        sums = totals(connection, dataset)
    console = console_of_output()
    if found:
        console.print(groups_table(found))
    if sums:
        console.print(totals_table(sums))
    if found:
        console.print(_NEXT, markup=False, highlight=False)
    else:
        rest = sum(one.rows for one in sums)
        console.print("Nothing is in quarantine." if not rest else f"All {rest:,} rows are discarded (see --all).")
    return 0


def show(settings: Settings, dataset: str, choice: Choice, limit: int, *, with_discarded: bool, unmask: bool) -> int:
    """Print lines with their reasons, cells and history; cells about persons are masked.

    Raises:
        PlatformError: There is no such dataset.
    """
    contract, console = contract_of(dataset), console_of_output()
    # A line that is asked for by its number is shown in any case.
    wanted = Wanted(dataset=dataset, with_discarded=with_discarded or choice["row"] is not None, **choice)
    with warehouse(settings) as (connection, _):
        count = count_lines(connection, wanted)
        if unmask and count:
            _record_export(connection, dataset, choice, min(count, limit), "the screen, unmasked")
        for line in lines(connection, wanted, limit):
            events = history(connection, dataset, line.source_file, line.source_row)
            print_line(line, events, contract, console, unmask=unmask)
        past = [] if count or choice["row"] is None else history(connection, dataset, choice["file"], choice["row"])
    if count > limit:
        console.print(f"{limit:,} of {count:,} lines; more with --limit, or with ./platform quarantine export")
    elif past:
        last = past[-1]
        console.print(f"Not in quarantine any more: {last.event} on {last.event_at:%Y-%m-%d}.", markup=False)
    elif not count:
        console.print("No such lines are in quarantine.")
    return 0


def export(settings: Settings, dataset: str, choice: Choice, path: Path, *, with_discarded: bool) -> int:
    """Write lines to a CSV file in which they can be corrected.

    Raises:
        PlatformError: There is no such dataset or no such line, or the file cannot be written.
    """
    contract = contract_of(dataset)
    with warehouse(settings) as (connection, _):
        found = lines(connection, Wanted(dataset=dataset, with_discarded=with_discarded, **choice))
        rows = [line for line in found if line.kind != "file"]
        if not rows:
            refused = " but whole files; deliver those again" if found else ""
            raise PlatformError(
                f"No such lines of {dataset} are in quarantine{refused}.", "See ./platform quarantine list."
            )
        _record_export(connection, dataset, choice, len(rows), str(path))
    written = write_rows(path, contract, rows, _cells(settings, dataset, rows))
    console = console_of_output()
    console.print(f"{written:,} lines written to {escape(str(path))}, with all their cells: personal ones, too.")
    if len(found) > len(rows):
        console.print(f"{len(found) - len(rows):,} refused files are not among them: deliver those again.")
    console.print(f"Correct the cells, then: ./platform quarantine replay {escape(str(path))}", highlight=False)
    return 0


def discard(settings: Settings, target: str, choice: Choice, why: str) -> int:
    """Give lines up: they stay out of the warehouse and in the ledger.

    Args:
        settings: Whose warehouse it is.
        target: A dataset, with a choice of its lines; or a file that ``export`` has written.
        choice: Which lines of the dataset; all of them are never meant.
        why: The reason, for the history.

    Raises:
        PlatformError: There is no such line, no choice, or no reason.
    """
    if not why.strip():
        raise PlatformError("--why is empty.", "Say why the lines are given up: it is all that others will know.")
    with warehouse(settings) as (connection, _):
        is_file = target not in CONTRACTS and Path(target).is_file()
        found = _of_file(connection, Path(target)) if is_file else _chosen(connection, target, choice)
        pending = [line for line in found if line.status == "pending"]
        record(connection, "discarded", [Deed(line=line) for line in pending], actor=user(), why=why.strip())
    before = f"; {len(found) - len(pending):,} were before" if len(found) > len(pending) else ""
    console_of_output().print(f"{len(pending):,} lines discarded{before}. A correction takes them up again.")
    return 0


def _record_export(connection: Connection, dataset: str, choice: Choice, count: int, to: str) -> None:
    """Before it happens: what has left the platform must not be missing from the audit trail."""
    chosen = {name: value for name, value in choice.items() if value is not None}
    details = {"lines": count, "to": to, "user": user(), **chosen}
    with transaction(connection) as cursor:
        record_in_trail(cursor, "export", dataset, details)


def _cells(settings: Settings, dataset: str, rows: list[Line]) -> dict[Place, Cells]:
    raw, corrections = (Table(settings.lake / layer / dataset) for layer in ("raw", "corrections"))
    engine = make_engine(settings, "duckdb")
    try:
        places = [line.place for line in rows]
        return dict(cells_of(contract_of(dataset), raw, Corrections.of(corrections), places, engine))
    finally:
        engine.close()


def _chosen(connection: Connection, dataset: str, choice: Choice) -> list[Line]:
    contract_of(dataset)
    if all(value is None for value in choice.values()):
        raise PlatformError("Which lines?", "Choose them with --reason, --file and --row, or name a file of export.")
    found = lines(connection, Wanted(dataset=dataset, with_discarded=True, **choice))
    if not found:
        raise PlatformError(f"No such lines of {dataset} are in quarantine.", "See ./platform quarantine list.")
    return found


def _of_file(connection: Connection, path: Path) -> list[Line]:
    edited = read_rows(path, None)
    known = {line.place: line for line in lines(connection, edited.lines)}
    faults = Faults(path)
    for row in edited.rows:
        if row.place not in known:
            faults.add("not in quarantine", row.at)
    faults.tell("Export again: some of it has been seen to.")
    return [known[row.place] for row in edited.rows]
