"""The interface of a dataframe engine. Everything above it speaks Narwhals."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import narwhals as nw
import pyarrow as pa

from platform_assets.lake.segments import segment_rows
from platform_assets.lake.snapshot import Part

Frame: TypeAlias = nw.LazyFrame[Any]
"""A table that is not computed yet, of any engine."""

_Task = TypeVar("_Task")
_Outcome = TypeVar("_Outcome")

MONEY = pa.decimal128(18, 4)
"""Money everywhere in the lake: exact, four places."""

INSTANT = pa.timestamp("us")
"""Instants everywhere in the lake: microseconds, UTC."""


class Engine(ABC):
    """Reads, computes and writes frames. One engine per run; not safe for use by several threads."""

    name: str

    @abstractmethod
    def scan(self, parts: Sequence[Part], schema: pa.Schema, slice_column: str = "_source_file") -> Frame:
        """The live rows of some segments.

        Args:
            parts: What to read.
            schema: Columns to read and their types, also those of the result when there are no parts.
            slice_column: The column that names the slice of a row.
        """

    @abstractmethod
    def from_arrow(self, table: pa.Table) -> Frame:
        """An Arrow table as a frame."""

    def concat(self, frames: Sequence[Frame], schema: pa.Schema) -> Frame:
        """Frames one below the other, with exactly the columns and types of a schema."""
        return nw.concat([conformed(frame, schema) for frame in frames], how="vertical")

    def kept(self, frame: Frame) -> Frame:
        """A frame that is used several times: its rows, computed once where computing again would cost more."""
        return frame

    @abstractmethod
    def batches(self, frame: Frame) -> Iterator[pa.RecordBatch]:
        """The rows of a frame as a stream, in memory that does not grow with them where the engine can."""

    @abstractmethod
    def _write(self, frame: Frame, path: Path) -> None:
        """Compute a frame into a Parquet file."""

    def write(self, frame: Frame, path: Path, schema: pa.Schema) -> int:
        """Compute a frame into a Parquet file with exactly the columns and types of a schema.

        Returns:
            Number of rows written.
        """
        self._write(conformed(frame, schema), path)
        return segment_rows(path)

    def collect(self, frame: Frame) -> pa.Table:
        """Compute a small frame into an Arrow table."""
        table = frame.collect(backend="pyarrow").to_native()
        hidden = [name for name in table.column_names if name.startswith("__index_level_")]
        return table.drop_columns(hidden)

    def spread(self, work: Callable[[_Task], _Outcome], tasks: Iterable[_Task]) -> Iterator[_Outcome]:
        """Do a piece of Python work once per task, in parallel where the engine has workers for that.

        Args:
            work: A function of a module; it may run in another process, on another machine, and more than once for
                a task, so only what it returns counts.
            tasks: Its arguments, which can be pickled, as can what it returns.

        Returns:
            What it returned, in the order of the tasks.
        """
        return map(work, tasks)

    @property
    def workers(self) -> int:
        """How many tasks of ``spread`` are done at once."""
        return 1

    def close(self) -> None:  # noqa: B027 - most engines hold nothing
        """Release what the engine holds."""


def conformed(frame: Frame, schema: pa.Schema) -> Frame:
    """The frame with exactly the columns of a schema, cast to its types."""
    return frame.select(*(nw.col(field.name).cast(narwhals_type(field.type)) for field in schema))


def narwhals_type(kind: pa.DataType) -> nw.dtypes.DType:
    """The Narwhals type of an Arrow type that the lake uses.

    Raises:
        TypeError: The lake does not use that type.
    """
    if pa.types.is_decimal(kind):
        return nw.Decimal(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return nw.Datetime("us")
    simple = {
        pa.string(): nw.String(),
        pa.int64(): nw.Int64(),
        pa.int32(): nw.Int32(),
        pa.int16(): nw.Int16(),
        pa.float64(): nw.Float64(),
        pa.bool_(): nw.Boolean(),
        pa.date32(): nw.Date(),
    }
    if kind not in simple:
        raise TypeError(f"the lake has no columns of type {kind}")
    return simple[kind]
