"""From Arrow batches to the bytes of PostgreSQL's COPY.

Belongs here: lossless casts to the exact types of the target, and the two encodings: binary (pgpq, quick) and CSV (for
types the binary one lacks). Does not belong here: sending the bytes (``copy``).

The binary encoding carries no types: bytes of a wrong type are stored as a wrong value, without an error (a 64-bit
integer in a numeric column becomes 0). So every column is cast to the counterpart of its target first.
"""

import io
from collections.abc import Sequence
from datetime import date
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pgpq import ArrowToPostgresBinaryEncoder
from pyarrow import csv

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.catalog import Kind, TargetColumn

_WIDE_INTEGER = pa.decimal128(38, 0)

_ACCEPTED = {
    Kind.BOOLEAN: (pa.types.is_boolean,),
    Kind.INTEGER: (pa.types.is_integer, pa.types.is_decimal),
    Kind.NUMERIC: (pa.types.is_integer, pa.types.is_decimal),
    Kind.FLOAT: (pa.types.is_floating, pa.types.is_integer),
    Kind.TEXT: (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    Kind.DATE: (pa.types.is_date,),
    Kind.TIMESTAMP: (pa.types.is_timestamp, pa.types.is_date),
    Kind.OTHER: (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
}
"""Arrow types that can hold a value of the kind exactly; money never comes from a binary float."""

_STORED_AS = {Kind.DATE: pa.int32(), Kind.TIMESTAMP: pa.int64()}
_FIRST, _LAST = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
_DAY = 86_400_000_000
_YEARS = {Kind.DATE: (_FIRST, _LAST), Kind.TIMESTAMP: (_FIRST * _DAY, (_LAST + 1) * _DAY - 1)}
"""Earlier years are written in another way, and the outermost values stand for infinity."""


class Encoder(Protocol):
    """Writes batches as the bytes of one COPY."""

    options: str
    """What stands in parentheses after COPY ... FROM STDIN."""

    def header(self) -> bytes:
        """Bytes before the first batch."""

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """Bytes of a batch that has exactly the types of the target."""

    def footer(self) -> bytes:
        """Bytes after the last batch."""


class BinaryEncoder:
    """COPY's binary format."""

    options = "FORMAT binary"

    def __init__(self, schema: pa.Schema) -> None:
        self._encoder = ArrowToPostgresBinaryEncoder(schema)

    def header(self) -> bytes:
        """Bytes before the first batch."""
        return self._encoder.write_header()

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """Bytes of a batch."""
        return self._encoder.write_batch(batch)

    def footer(self) -> bytes:
        """Bytes after the last batch."""
        return self._encoder.finish()


class CsvEncoder:
    """COPY's CSV format; texts are always quoted, so an empty one stays apart from null."""

    options = "FORMAT csv, NULL ''"

    def header(self) -> bytes:
        """Bytes before the first batch."""
        return b""

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """Bytes of a batch."""
        target = io.BytesIO()
        csv.write_csv(batch, target, csv.WriteOptions(include_header=False))
        return target.getvalue()

    def footer(self) -> bytes:
        """Bytes after the last batch."""
        return b""


def encoder_for(columns: Sequence[TargetColumn]) -> Encoder:
    """Choose the quickest encoding that can carry the columns."""
    if any(column.kind is Kind.OTHER for column in columns):
        return CsvEncoder()
    return BinaryEncoder(target_schema(columns))


def target_schema(columns: Sequence[TargetColumn]) -> pa.Schema:
    """Arrow's exact counterpart of the columns."""
    return pa.schema([(column.name, column.arrow_type) for column in columns])


def cast_exactly(batch: pa.RecordBatch, columns: Sequence[TargetColumn]) -> pa.RecordBatch:
    """Give every column the exact type of its target.

    Raises:
        LoadError: A column has a type, or a value, that its target cannot hold exactly.
    """
    pairs = zip(columns, batch.columns, strict=True)
    return pa.record_batch([_cast(array, column) for column, array in pairs], schema=target_schema(columns))


def _cast(array: pa.Array, column: TargetColumn) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.type == column.arrow_type:
        return _within(array, column)
    if not (pa.types.is_null(array.type) or any(accepts(array.type) for accepts in _ACCEPTED[column.kind])):
        problem = f"Column {column.name} holds {array.type}, which {column.type_name} cannot hold exactly."
        raise LoadError(problem, "Convert it where it is computed, where its meaning is known.")
    try:
        return _within(_lossless(array, column), column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _misfit(column, f"{array.type}: {error}") from error


def _lossless(array: pa.Array, column: TargetColumn) -> pa.Array:
    if column.kind is Kind.NUMERIC and pa.types.is_integer(array.type):
        array = pc.cast(array, _WIDE_INTEGER)
    if column.kind is Kind.TIMESTAMP and pa.types.is_date(array.type):
        array = pc.cast(array, pa.timestamp("us"))
    found = pc.cast(array, column.arrow_type, safe=True)
    if pa.types.is_float64(array.type):
        # Arrow takes it for safe to drop digits of a float.
        changed = pc.and_(pc.not_equal(found.cast(array.type), array), pc.invert(pc.is_nan(array)))
        if (place := pc.index(changed, value=True).as_py()) >= 0:
            raise _misfit(column, f"{array[place].as_py()!r} would lose digits")
    return found


def _within(array: pa.Array, column: TargetColumn) -> pa.Array:
    """Refuse values that PostgreSQL would take for others, or cut off, without an error."""
    if column.kind in _STORED_AS:
        smallest, largest = pc.min_max(array.view(_STORED_AS[column.kind])).as_py().values()
        first, last = _YEARS[column.kind]
        if smallest is not None and (smallest < first or largest > last):
            raise _misfit(column, "it is outside of the years 1 to 9999")
    elif column.max_length is not None and (pc.max(pc.utf8_length(array)).as_py() or 0) > column.max_length:
        raise _misfit(column, "it is too long")
    return array


def _misfit(column: TargetColumn, reason: str) -> LoadError:
    problem = f"A value of column {column.name} does not fit {column.type_name}: {reason}."
    return LoadError(problem, "Nothing was written. Correct or quarantine the row before loading.")
