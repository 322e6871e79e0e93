"""DuckDB: the default engine. One machine, out of core: memory is bounded, the rest goes to disk."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import narwhals as nw
import pyarrow as pa

from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.segments import parquet_files
from platform_assets.lake.snapshot import Part

_ROWS_PER_BATCH = 65_536


class DuckDBEngine(Engine):
    """An in-process DuckDB.

    Args:
        scratch: Folder for what does not fit into memory.
        memory_limit: How much memory it may use, as DuckDB writes sizes.
    """

    name = "duckdb"

    def __init__(self, scratch: Path, memory_limit: str = "2GB") -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(config={"temp_directory": str(scratch), "memory_limit": memory_limit})

    def scan(self, parts: Sequence[Part], schema: pa.Schema, slice_column: str = "_source_file") -> Frame:
        """A relation over the files: nothing is read before it is computed."""
        if not parts:
            return self.from_arrow(schema.empty_table())
        whole = [str(file) for part in parts if part.keep is None for file in parquet_files(part.path)]
        relations = [self._connection.read_parquet(whole)] if whole else []
        for part in parts:
            if part.keep is not None:
                relation = self._connection.read_parquet([str(file) for file in parquet_files(part.path)])
                live = duckdb.ColumnExpression(slice_column).isin(*map(duckdb.ConstantExpression, part.keep))
                relations.append(relation.filter(live))
        frames = [nw.from_native(relation).select(schema.names) for relation in relations]
        return frames[0] if len(frames) == 1 else nw.concat(frames, how="vertical")

    def from_arrow(self, table: pa.Table) -> Frame:
        """A relation over the table's own memory."""
        return nw.from_native(self._connection.from_arrow(table))

    def batches(self, frame: Frame) -> Iterator[pa.RecordBatch]:
        """A stream; DuckDB computes as it is drained."""
        yield from frame.to_native().to_arrow_reader(_ROWS_PER_BATCH)

    @contextmanager
    def stored(self, frame: Frame, name: str) -> Iterator[Callable[[str], pa.Table]]:
        """A frame computed once, under a name that SQL may use in the context; what does not fit goes to disk.

        Args:
            frame: A frame of this engine.
            name: The name.

        Yields:
            What sends a statement and gives its rows.
        """
        frame.to_native().create(name)
        try:
            yield lambda statement: self._connection.sql(statement).to_arrow_reader(_ROWS_PER_BATCH).read_all()
        finally:
            self._connection.execute(f'DROP TABLE "{name}"')

    def _write(self, frame: Frame, path: Path) -> None:
        frame.to_native().write_parquet(str(path), compression="snappy")

    def close(self) -> None:
        """Close the connection; frames of this engine are void."""
        self._connection.close()
