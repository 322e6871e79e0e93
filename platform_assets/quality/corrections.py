"""Correcting rows: what a quarantined row says now, cell by cell, and keeping what people make of it.

Belongs here: the cells of rows as they are staged, and the next version of a dataset's corrections. Does not belong
here: how corrected rows are staged (``transforms.corrections``), the files people edit (``cli``).
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.engines.engine import Engine
from platform_assets.lake.snapshot import Slice, Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.update import Update
from platform_assets.lake.writing import SegmentWriter
from platform_assets.transforms.corrections import WAS_LINE, Corrections, corrections_schema, raw_with_corrections
from platform_assets.transforms.schemas import EXTRA, SOURCE_FILE, SOURCE_ROW

Place: TypeAlias = tuple[str, int]
"""A line: its file and its number."""

Cells: TypeAlias = Mapping[str, str | None]

_NEEDS_QUOTES = re.compile('[",\n\r]')


@dataclass(frozen=True)
class Correction:
    """A row as a person wants it.

    Attributes:
        place: The line it stands for.
        cells: Text by column of the contract.
        extra: The line's unknown columns as a JSON object, as the raw row has them.
        was_line: Whether the line could not be taken apart.
    """

    place: Place
    cells: Cells
    extra: str | None = None
    was_line: bool = False

    @property
    def text(self) -> str:
        """The row as one line of CSV, written as the quarantine writes it."""
        return ",".join(map(_quoted, self.cells.values()))


def cells_of(
    contract: Contract, raw: Table, corrections: Corrections, places: Collection[Place], engine: Engine
) -> dict[Place, dict[str, str | None]]:
    """The cells of rows as they are staged, unknown columns under ``_extra``; lines that are no rows are left out."""
    if not places:
        return {}
    files = {file for file, _ in places}
    rows = raw_with_corrections(contract, raw, corrections, files, engine)
    wanted = pa.table([[file for file, _ in places], [row for _, row in places]], [SOURCE_FILE, SOURCE_ROW])
    names = [SOURCE_FILE, SOURCE_ROW, *contract.column_names, EXTRA]
    found = rows.join(engine.from_arrow(wanted), on=[SOURCE_FILE, SOURCE_ROW], how="semi").select(names)
    return {(line.pop(SOURCE_FILE), line.pop(SOURCE_ROW)): line for line in engine.collect(found).to_pylist()}


def corrected_places(contract: Contract, corrections: Corrections, source: Snapshot) -> dict[Place, dict[str, Any]]:
    """The corrections that apply, by the line they stand for."""
    live = [name for name in corrections.snapshot.slices if corrections.to(source, name)]
    stored = corrections.stored(live, contract).to_pylist() if live else []
    return {(line[SOURCE_FILE], line[SOURCE_ROW]): line for line in stored}


def with_corrections(
    contract: Contract, corrections: Corrections, source: Snapshot, made: Sequence[Correction]
) -> Update:
    """The next version of a dataset's corrections; one of the same line replaces the one before.

    Args:
        contract: The dataset's contract.
        corrections: The version before.
        source: The raw version that the corrections are bound to; it has every file corrected.
        made: What is new.
    """
    kept = corrected_places(contract, corrections, source)
    for one in made:
        was_line = kept[one.place][WAS_LINE] if one.place in kept else one.was_line
        place = dict(zip((SOURCE_FILE, SOURCE_ROW), one.place, strict=True))
        kept[one.place] = {**one.cells, EXTRA: one.extra, **place, WAS_LINE: was_line}
    before = corrections.snapshot
    # Those of other contents stay: they apply again should the file come back as it was.
    files = {one.place[0] for one in made}
    others = [name for name in before.slices if name not in files and not corrections.to(source, name)]
    rows = {name: corrections.stored([name], contract).to_pylist() for name in others}
    for (file, _), row in sorted(kept.items()):
        rows.setdefault(file, []).append(row)
    hashes = {name: (source if name not in others else before).slices[name].facts["content_hash"] for name in rows}
    return _update(contract, corrections.table, before, rows, hashes)


def _update(
    contract: Contract, table: Table, before: Snapshot, rows: Mapping[str, list[dict[str, Any]]], hashes: dict[str, str]
) -> Update:
    """All corrections in one new segment: they are as few as people can make."""
    segment = table.new_segment()
    slices = {}
    schema = corrections_schema(contract)
    for name, lines in rows.items():
        told = json.dumps([hashes[name], sorted(lines, key=lambda line: int(line[SOURCE_ROW]))], sort_keys=True)
        facts = {"content_hash": hashes[name], "rows": len(lines), "lines": sum(line[WAS_LINE] for line in lines)}
        slices[name] = Slice(hashlib.sha256(told.encode()).hexdigest()[:32], segment.name, facts)
    if {name: piece.id for name, piece in slices.items()} == before.ids:
        return Update(before, is_news=False)
    with SegmentWriter(segment, schema) as writer:
        for lines in rows.values():
            writer.add(pa.RecordBatch.from_pylist(lines, schema=schema))
    return Update(before.with_slices(slices, before.slices.keys(), {segment.name: tuple(sorted(slices))}))


def _quoted(cell: str | None) -> str:
    text = cell or ""
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
