"""pandas: everything in memory, with Arrow types; easy to step through in a debugger."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_assets.engines.engine import Engine, Frame, conformed
from platform_assets.lake.segments import parquet_files
from platform_assets.lake.snapshot import Part


class PandasEngine(Engine):
    """pandas with Arrow-backed columns."""

    name = "pandas"

    def scan(self, parts: Sequence[Part], schema: pa.Schema, slice_column: str = "_source_file") -> Frame:
        """The rows, read at once into Arrow-backed columns."""
        tables = [_read(part, schema, slice_column) for part in parts]
        return self.from_arrow(pa.concat_tables([schema.empty_table(), *tables]))

    def from_arrow(self, table: pa.Table) -> Frame:
        """The table as Arrow-backed pandas columns."""
        frame: nw.DataFrame[Any] = nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype), eager_only=True)
        return frame.lazy()

    def concat(self, frames: Sequence[Frame], schema: pa.Schema) -> Frame:
        """The frames as Arrow tables one below the other: pandas guesses the type of a column without values."""
        return self.from_arrow(
            pa.concat_tables(self.collect(conformed(frame, schema)).cast(schema) for frame in frames)
        )

    def batches(self, frame: Frame) -> Iterator[pa.RecordBatch]:
        """The rows in batches; the whole frame is in memory all the while."""
        yield from self.collect(frame).to_batches(max_chunksize=65_536)

    def _write(self, frame: Frame, path: Path) -> None:
        pq.write_table(self.collect(frame), path, compression="zstd")


def _read(part: Part, schema: pa.Schema, slice_column: str) -> pa.Table:
    live = None if part.keep is None else pc.field(slice_column).isin(list(part.keep))
    return pq.read_table(parquet_files(part.path), columns=schema.names, filters=live).cast(schema)
