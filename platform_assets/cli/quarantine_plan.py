"""What a file of corrected rows comes to: checked against quarantine and lake before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass

from platform_assets.cli.quarantine_files import CONTENT_DIGITS, EditedFile, EditedRow, Faults, contract_of
from platform_assets.engines.choose import make_engine
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.update import Update
from platform_assets.quality.corrections import Cells, Correction, Place, cells_of, corrected_places, with_corrections
from platform_assets.settings import Settings
from platform_assets.transforms.corrections import Corrections
from platform_assets.transforms.schemas import EXTRA
from platform_assets.warehouse.quality.quarantine_records import Deed, Line

_EXPORT = "Export again and change only the cells of the data; refused files are delivered again instead."


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        deeds: The corrections for the history.
        unchanged: Rows that say what the lake says already.
        table: The table of corrections.
        update: Its next version.
    """

    deeds: tuple[Deed, ...]
    unchanged: int
    table: Table
    update: Update


@dataclass(frozen=True)
class _Lake:
    """What the lake knows about the lines at hand."""

    source: Snapshot
    corrected: Mapping[Place, Mapping[str, object]]
    cells: Mapping[Place, dict[str, str | None]]


def plan(settings: Settings, edited: EditedFile, lines: Mapping[Place, Line]) -> Plan:
    """Check a file and say what is to be done.

    Args:
        settings: Whose lake it is.
        edited: The file.
        lines: The dataset's lines in quarantine, discarded ones included.

    Raises:
        CorrectionError: Something of it cannot be done; all that is wrong is told.
    """
    contract = contract_of(edited.dataset)
    raw, table = (Table(settings.lake / layer / edited.dataset) for layer in ("raw", "corrections"))
    corrections, source = Corrections.of(table), raw.snapshot()
    engine = make_engine(settings, "duckdb")
    try:
        cells = cells_of(contract, raw, corrections, [row.place for row in edited.rows], engine)
    finally:
        engine.close()
    lake = _Lake(source, corrected_places(contract, corrections, source), cells)
    faults, made, deeds = Faults(edited.path), [], []
    for row in edited.rows:
        if fault := _fault(row, lines.get(row.place), lake):
            faults.add(fault, row.at)
        elif not _is_unchanged(row, cells.get(row.place, {})) and row.place in lines:
            one = _correction(row, lines[row.place], contract.column_names, cells.get(row.place, {}))
            made.append(one)
            deeds.append(Deed(line=lines[row.place], raw=one.text))
    faults.tell(_EXPORT)
    update = with_corrections(contract, corrections, source, made)
    return Plan(tuple(deeds), len(edited.rows) - len(made), table, update)


def _fault(row: EditedRow, line: Line | None, lake: _Lake) -> str | None:
    if line is None:
        # What a replay that was broken off has loaded already is in order when it is given again.
        is_done = row.place in lake.corrected and _is_unchanged(row, lake.cells.get(row.place, {}))
        return None if is_done else "not in quarantine"
    if line.kind == "file":
        return "a file refused as a whole cannot be corrected by rows"
    held = lake.source.slices.get(row.place[0])
    if held is None or held.facts["content_hash"] != line.content_hash:
        return "the raw file has changed since it was judged: run ./platform run first"
    if row.content and row.content != (line.content_hash or "")[:CONTENT_DIGITS]:
        return "the raw file has changed since the export"
    return None


def _is_unchanged(row: EditedRow, cells: Cells) -> bool:
    return all((cells.get(name) or "") == text for name, text in row.cells.items())


def _correction(row: EditedRow, line: Line, columns: tuple[str, ...], before: Cells) -> Correction:
    """The row as it shall be; a cell that says what it said is left as it was, which keeps null and empty apart."""
    cells: dict[str, str | None] = {}
    for name in columns:
        held = before.get(name)
        given = row.cells.get(name, held or "")
        cells[name] = held if given == (held or "") else given or None
    return Correction(row.place, cells, before.get(EXTRA), was_line=line.kind == "line")
