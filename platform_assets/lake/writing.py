"""Writing segments: streams of small batches into well-sized row groups, and many small segments into one."""

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

_ROWS_PER_GROUP = 131_072


class SegmentWriter:
    """Collects record batches into one Parquet file with row groups of a good size, in bounded memory.

    Args:
        path: The file; made when the first row arrives, or on ``close`` for a stream without rows.
        schema: Columns and types of every batch.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
        self._waiting: list[pa.RecordBatch] = []
        self._rows_waiting = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch; it is written once enough rows wait."""
        if batch.num_rows:
            self._waiting.append(batch)
            self._rows_waiting += batch.num_rows
        if self._rows_waiting >= _ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what waits and finish the file."""
        self._flush()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _flush(self) -> None:
        if self._waiting:
            waiting = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(waiting, row_group_size=self._rows_waiting)
            self._waiting.clear()
            self._rows_waiting = 0
