"""The types of users' frames in terms of the lake's.

Belongs here: which column types the lake keeps, and as what. Does not belong here: how a frame of some library is read
and written (``handlers``).
"""

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.engines.engine import INSTANT, Frame
from platform_assets.errors import PlatformError

_DECIMAL_DIGITS = 38

_PLAIN: Mapping[type[nw.dtypes.DType], pa.DataType] = {
    nw.String: pa.string(),
    nw.Categorical: pa.string(),
    nw.Enum: pa.string(),
    nw.Boolean: pa.bool_(),
    nw.Date: pa.date32(),
    nw.Datetime: INSTANT,
    nw.Int8: pa.int16(),
    nw.Int16: pa.int16(),
    nw.Int32: pa.int32(),
    nw.Int64: pa.int64(),
    nw.Int128: pa.int64(),  # what DuckDB makes of a sum of integers
    nw.UInt8: pa.int16(),
    nw.UInt16: pa.int32(),
    nw.UInt32: pa.int64(),
    nw.UInt64: pa.int64(),
    nw.Float32: pa.float64(),
    nw.Float64: pa.float64(),
}


class FrameRefusedError(PlatformError):
    """An asset returns, or asks for, what cannot be kept or given."""


def lake_schema(frame: Frame | nw.DataFrame[Any]) -> pa.Schema:
    """The columns of a frame with the types the lake keeps them in.

    Smaller numbers become the next larger ones the lake has, and instants of any precision and zone microseconds, UTC.

    Raises:
        FrameRefusedError: The frame has no columns, or some that the lake cannot keep; each is named.
    """
    found = {name: _lake_type(kind) for name, kind in frame.collect_schema().items()}
    if not found:
        raise FrameRefusedError("The frame has no columns.", "Return one that has.")
    refused = [f"{name} ({frame.collect_schema()[name]})" for name, kind in found.items() if kind is None]
    if refused:
        problem = f"The lake cannot keep the columns {', '.join(refused)}."
        remedy = (
            "Cast them: to text, numbers, decimals, booleans, dates or timestamps. Unknown is also what a column is "
        )
        raise FrameRefusedError(problem, remedy + "that holds nothing but nulls and was given no type.")
    return pa.schema(list(found.items()))


def lake_table(table: pa.Table) -> pa.Table:
    """An Arrow table with the types the lake keeps, and without metadata.

    Nanoseconds are cut off; anything else that does not fit is an error.

    Raises:
        FrameRefusedError: The lake cannot keep a column, or a value does not fit; the column is named.
    """
    schema = lake_schema(nw.from_native(table, eager_only=True))
    return pa.table([_cast(table[field.name], field) for field in schema], schema=schema)


def _lake_type(kind: nw.dtypes.DType) -> pa.DataType | None:
    if isinstance(kind, nw.Decimal):
        return pa.decimal128(kind.precision, kind.scale) if kind.precision <= _DECIMAL_DIGITS else None
    return _PLAIN.get(kind.base_type())


def _cast(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return column.cast(field.type, safe=not pa.types.is_timestamp(field.type))
    except pa.ArrowInvalid as error:
        problem = f"Column {field.name} ({column.type}) holds values that do not fit {field.type}: {error}"
        raise FrameRefusedError(problem, "Cast it to a type that holds them, such as a decimal or text.") from error
