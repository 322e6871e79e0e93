"""Parquet files, their values as text.

Belongs here: the text of typed values. Does not belong here: any reading of that text.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.source import BATCH_ROWS, Block


class ParquetSource:
    """One Parquet file; rows are numbered from 1.

    Raises:
        FileRefusedError: It cannot be read as Parquet.
    """

    encoding = None
    delimiter = None

    def __init__(self, path: Path) -> None:
        self.notes: list[str] = []
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise _refused(error) from error
        self.headers: tuple[str, ...] = tuple(self._file.schema_arrow.names)

    def blocks(self) -> Iterator[Block]:
        """All rows.

        Raises:
            FileRefusedError: The data is damaged.
        """
        first = 1
        try:
            for batch in self._file.iter_batches(BATCH_ROWS):
                cells = tuple(_text(column) for column in batch.columns)
                yield Block(self.headers, cells, pa.array(range(first, first + len(batch)), pa.int64()))
                first += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise _refused(error) from error
        finally:
            self._file.close()


def _refused(error: Exception) -> FileRefusedError:
    problem = f"The file cannot be read as Parquet: {error}"
    return FileRefusedError(problem, "Deliver it again, completely.")


def _text(column: pa.Array) -> pa.Array:
    """The values as text: instants as ISO in UTC, decimals and integers exact, nested values as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_nested(kind):
        texts = (None if value is None else json.dumps(value, default=str) for value in column.to_pylist())
        return pa.array(texts, pa.string())
    if pa.types.is_timestamp(kind):
        moments = pc.cast(column, pa.timestamp("us", "UTC" if kind.tz else None), safe=False)
        return pc.replace_substring_regex(pc.cast(moments, pa.string()), r"\.0+(Z?)$", r"\1")
    if pa.types.is_floating(kind):
        text = pc.cast(column, pa.string())
        return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.string()), text)
    return pc.cast(column, pa.string())
