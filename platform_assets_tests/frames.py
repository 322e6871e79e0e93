"""Small raw and staged frames for the tests of transformations."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from platform_assets.contracts.columns import Column
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.readings import Reading
from platform_assets.engines.engine import Engine, Frame, conformed
from platform_assets.transforms.schemas import LINE_HASH, SOURCE_FILE, SOURCE_ROW, raw_schema, staged_schema, value_type
from platform_assets.transforms.staging import staged
from platform_assets.transforms.typing import trimmed_cells, typed

Row = Mapping[str, Any]


def typed_values(
    engine: Engine,
    column: Column,
    cells: Sequence[str | None],
    reading: Reading | None = None,
    beside: Mapping[str, Sequence[str | None]] | None = None,
) -> list[Any]:
    """What a column's cells become."""
    texts = {"_at": range(len(cells)), column.name: pa.array(cells, pa.string()), **(beside or {})}
    frame = typed(trimmed_cells(engine.from_arrow(pa.table(texts)), [column]), [(column, reading)])
    schema = pa.schema([("_at", pa.int64()), (column.name, value_type(column))])
    rows = engine.collect(conformed(frame, schema)).to_pylist()
    return [row[column.name] for row in sorted(rows, key=lambda row: int(row["_at"]))]


def raw_rows(contract: Contract, rows: Iterable[Row], file: str = "a.csv") -> list[dict[str, Any]]:
    """Raw rows of one file: cells as given, lines numbered from 2."""
    made = []
    for line, row in enumerate(rows, start=2):
        cells = {name: row.get(name) for name in contract.column_names}
        counted = [(name, text) for name, text in cells.items() if name not in contract.identity_ignores]
        digest = hashlib.md5(repr(counted).encode(), usedforsecurity=False).digest()[:8]
        place = {SOURCE_FILE: file, SOURCE_ROW: line, LINE_HASH: int.from_bytes(digest, "little", signed=True)}
        made.append({**cells, **place})
    return made


def raw_frame(engine: Engine, contract: Contract, rows: Iterable[Row]) -> Frame:
    """Rows as ``raw_rows`` makes them, as a frame."""
    return engine.from_arrow(pa.Table.from_pylist(list(rows), schema=raw_schema(contract)))


def staged_frame(
    engine: Engine, contract: Contract, rows: Iterable[Row], readings: Mapping[str, Reading] | None = None
) -> Frame:
    """Rows as ``raw_rows`` makes them, staged."""
    frame = staged(raw_frame(engine, contract, rows), contract, readings or {})
    return engine.from_arrow(engine.collect(conformed(frame, staged_schema(contract))))


def staged_rows(
    engine: Engine, contract: Contract, rows: Iterable[Row], readings: Mapping[str, Reading] | None = None
) -> list[dict[str, Any]]:
    """Staged rows in the order of their lines; a lone file's rows are given as cells."""
    given = list(rows)
    raw = given if given and SOURCE_ROW in given[0] else raw_rows(contract, given)
    table = engine.collect(staged_frame(engine, contract, raw, readings))
    return sorted(table.to_pylist(), key=lambda row: (row[SOURCE_FILE], row[SOURCE_ROW]))
