"""pandas: everything in memory, with Arrow types; easy to step through in a debugger."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_assets.engines.engine import Engine
from platform_assets.lake.snapshot import Part


class PandasEngine(Engine):
    """pandas with Arrow-backed columns."""

    name = "pandas"

    def scan(self, parts: Sequence[Part], schema: pa.Schema, slice_column: str = "_source_file") -> nw.LazyFrame:
        tables = [_read(part, schema, slice_column) for part in parts]
        return self.from_arrow(pa.concat_tables([schema.empty_table(), *tables]))

    def from_arrow(self, table: pa.Table) -> nw.LazyFrame:
        return nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)).lazy()

    def batches(self, frame: nw.LazyFrame) -> Iterator[pa.RecordBatch]:
        yield from self.collect(frame).to_batches(max_chunksize=65_536)

    def _write(self, frame: nw.LazyFrame, path: Path) -> None:
        pq.write_table(self.collect(frame), path, compression="zstd")


def _read(part: Part, schema: pa.Schema, slice_column: str) -> pa.Table:
    live = None if part.keep is None else pc.field(slice_column).isin(list(part.keep))
    return pq.read_table(part.path, columns=schema.names, filters=live).cast(schema)
