"""Rows that people corrected: laid over the raw rows of the file they come from, then treated like any row.

A corrected row keeps its file and line. It is bound to the content of the file it corrects: once the file has changed,
the line may be another one, and the correction no longer applies.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.readings import PLAIN, NumberReading, Reading
from platform_assets.engines.engine import Engine, Frame
from platform_assets.ingestion.fingerprint import Assembler
from platform_assets.ingestion.source import Block
from platform_assets.lake.snapshot import Slice, Snapshot
from platform_assets.lake.table import Table
from platform_assets.transforms.schemas import EXTRA, SOURCE_FILE, SOURCE_ROW, raw_schema

WAS_LINE = "_was_line"
"""Whether the line could not be taken apart before it was corrected."""

_PLACE = [SOURCE_FILE, SOURCE_ROW]


def corrections_schema(contract: Contract) -> pa.Schema:
    """Every cell as text, the unknown columns of the line, where it stands, and what it was."""
    cells = [(column.name, pa.string()) for column in contract.columns]
    place = [(SOURCE_FILE, pa.string()), (SOURCE_ROW, pa.int64()), (WAS_LINE, pa.bool_())]
    return pa.schema([*cells, (EXTRA, pa.string()), *place])


@dataclass(frozen=True)
class Corrections:
    """One version of a dataset's corrections.

    Attributes:
        table: The table they are in.
        snapshot: The version.
    """

    table: Table
    snapshot: Snapshot

    @classmethod
    def of(cls, table: Table) -> "Corrections":
        """The newest version."""
        return cls(table, table.snapshot())

    def to(self, source: Snapshot, name: str) -> Slice | None:
        """The corrections that apply to a file: those of the content it has in a version of the raw table."""
        piece, raw = self.snapshot.slices.get(name), source.slices.get(name)
        applies = piece and raw and piece.facts["content_hash"] == raw.facts["content_hash"]
        return piece if applies else None

    def stored(self, names: Collection[str], contract: Contract) -> pa.Table:
        """The corrected rows of some files as they are kept; columns that the contract has gained are empty."""
        schema = corrections_schema(contract)
        tables = [schema.empty_table()]
        for part in self.table.parts(self.snapshot, names):
            found = pq.ParquetFile(part.path).read()
            live = found.filter(pc.is_in(found[SOURCE_FILE], pa.array(sorted(names), pa.string())))
            tables.append(_conformed(live, schema))
        return pa.concat_tables(tables)

    def rows(self, source: Snapshot, names: Collection[str], contract: Contract) -> pa.Table:
        """The corrected rows that apply to some files, as rows of ``raw_schema``; their fingerprints are made now."""
        live = [name for name in names if self.to(source, name)]
        stored = self.stored(live, contract) if live else corrections_schema(contract).empty_table()
        batches = [
            _assembled(stored.filter(pc.equal(stored[SOURCE_FILE], name)), name, source.slices[name], contract)
            for name in live
        ]
        return pa.Table.from_batches([batch for part in batches for batch in part], raw_schema(contract))


def corrected(rows: Frame, corrections: pa.Table, engine: Engine) -> tuple[Frame, Frame | None]:
    """Raw rows without those that are corrected, and the corrected ones in their stead, if there are any."""
    if not corrections.num_rows:
        return rows, None
    instead = engine.from_arrow(corrections)
    return rows.join(instead.select(_PLACE), on=_PLACE, how="anti"), instead


def raw_with_corrections(
    contract: Contract, raw: Table, corrections: Corrections, names: Collection[str], engine: Engine
) -> Frame:
    """The raw rows of some files as they are staged: with their corrections."""
    source = raw.snapshot()
    names = [name for name in names if name in source.slices]
    rows = engine.scan(raw.parts(source, names), raw_schema(contract))
    rows, instead = corrected(rows, corrections.rows(source, names, contract), engine)
    return rows if instead is None else engine.concat([rows, instead], raw_schema(contract))


def readings_of_corrections(contract: Contract, readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """How corrected cells are read: as the file's, but a number may have any number of decimals."""
    numbers = {column.name: readings.get(column.name, PLAIN) for column in contract.columns if column.type.is_numeric}
    patient = {
        name: replace(reading, long=True) for name, reading in numbers.items() if isinstance(reading, NumberReading)
    }
    return {**readings, **patient}


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _assembled(stored: pa.Table, name: str, raw: Slice, contract: Contract) -> Iterator[pa.RecordBatch]:
    extra = [json.loads(text) if text else {} for text in stored[EXTRA].to_pylist()]
    unknown = list(raw.facts["unknown_columns"])
    others = [pa.array([cells.get(header) for cells in extra], pa.string()) for header in unknown]
    known = [stored[column].combine_chunks() for column in contract.column_names]
    block = Block((*contract.column_names, *unknown), (*known, *others), stored[SOURCE_ROW].combine_chunks())
    assembler = Assembler(contract, name)
    for part in block.slices():
        yield assembler.assemble(part, {column: column for column in contract.column_names})
