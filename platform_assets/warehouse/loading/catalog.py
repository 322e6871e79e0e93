"""What PostgreSQL says about its tables: columns and their types, keys.

Belongs here: reading pg_catalog, and which Arrow type is the exact counterpart of a PostgreSQL type. Does not belong
here: converting values (``copy``).
"""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
from psycopg2 import extensions, sql

from platform_assets.errors import LoadError

_DECIMAL_DIGITS = 38
_HEADER = 4
"""What PostgreSQL adds to a declared length or precision."""


class Kind(StrEnum):
    """Families of column types: which values they take, and how a load of them is audited."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    OTHER = "other"
    """Anything else: sent as text, PostgreSQL parses it."""


@dataclass(frozen=True)
class TargetColumn:
    """A column rows are loaded into.

    Attributes:
        name: Its name.
        type_name: Its type as PostgreSQL writes it, for example ``numeric(18,4)``.
        kind: The family of the type.
        arrow_type: The Arrow type that holds exactly its values; text for ``Kind.OTHER``.
        max_length: The most characters it takes, where that is limited.
        is_faithful: Whether PostgreSQL keeps what it is given; else it pads, cuts off or rounds without a word.
        comment: What it means, as the table says.
    """

    name: str
    type_name: str
    kind: Kind
    arrow_type: pa.DataType
    max_length: int | None = None
    is_faithful: bool = True
    comment: str | None = None


_SIMPLE: dict[str, tuple[Kind, pa.DataType]] = {
    "bool": (Kind.BOOLEAN, pa.bool_()),
    "int2": (Kind.INTEGER, pa.int16()),
    "int4": (Kind.INTEGER, pa.int32()),
    "int8": (Kind.INTEGER, pa.int64()),
    "float4": (Kind.FLOAT, pa.float32()),
    "float8": (Kind.FLOAT, pa.float64()),
    "text": (Kind.TEXT, pa.string()),
    "varchar": (Kind.TEXT, pa.string()),
    "date": (Kind.DATE, pa.date32()),
    "timestamp": (Kind.TIMESTAMP, pa.timestamp("us")),
    "timestamptz": (Kind.TIMESTAMP, pa.timestamp("us", tz="UTC")),
}

_UNFAITHFUL = frozenset({"bpchar", "name"})
_ROUNDING = frozenset({"timestamp", "timestamptz", "time", "timetz", "interval"})
"""Types that round to the precision they are declared with."""

_COLUMNS = """
    SELECT
        a.attname, t.typname, a.atttypmod, format_type(a.atttypid, a.atttypmod),
        pg_catalog.col_description(a.attrelid, a.attnum)
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""


def table_columns(cursor: extensions.cursor, table: sql.Identifier) -> dict[str, TargetColumn]:
    """Read the columns of a table.

    Raises:
        LoadError: There is no such table.
    """
    name = table.as_string(cursor)
    cursor.execute(_COLUMNS, (name,))
    columns = {row[0]: _target_column(*row) for row in cursor.fetchall()}
    if not columns:
        raise LoadError(f"There is no table {name} in the warehouse.", "Apply the migrations first.")
    return columns


def target_columns(cursor: extensions.cursor, table: sql.Identifier, names: list[str]) -> tuple[TargetColumn, ...]:
    """Read the columns rows are to be loaded into, in the order of ``names``.

    Raises:
        LoadError: There is no such table, it lacks columns, or one of them would not keep what it is given.
    """
    known = table_columns(cursor, table)
    missing = [name for name in names if name not in known]
    if missing or len(set(names)) != len(names):
        where, wrong = table.as_string(cursor), ", ".join(missing) or "named twice"
        problem = f"The rows do not fit {where}: it has no column {wrong}; it has {', '.join(known)}."
        raise LoadError(problem, "Rename the columns of the rows, or add a migration.")
    columns = tuple(known[name] for name in names)
    if unfaithful := [f"{column.name} ({column.type_name})" for column in columns if not column.is_faithful]:
        problem = f"Columns of {table.as_string(cursor)} pad, cut off or round their values: {', '.join(unfaithful)}."
        raise LoadError(problem, "Declare them as text, or without a precision, in a migration.")
    return columns


def _target_column(name: str, type_id: str, modifier: int, type_name: str, comment: str | None) -> TargetColumn:
    if type_id == "numeric":
        return TargetColumn(name, type_name, Kind.NUMERIC, _decimal(modifier), comment=comment)
    kind, arrow_type = _SIMPLE.get(type_id, (Kind.OTHER, pa.string()))
    max_length = modifier - _HEADER if type_id == "varchar" and modifier >= 0 else None
    is_faithful = type_id not in _UNFAITHFUL and not (type_id in _ROUNDING and modifier >= 0)
    return TargetColumn(name, type_name, kind, arrow_type, max_length, is_faithful, comment)


def _decimal(modifier: int) -> pa.DataType:
    """Decimal type of a numeric column; without a declared scale, ten places are kept."""
    if modifier < 0:
        return pa.decimal128(_DECIMAL_DIGITS, 10)
    packed = modifier - _HEADER
    # PostgreSQL's scale has eleven bits, of which one is the sign.
    scale = ((packed & 0x7FF) ^ 0x400) - 0x400
    return pa.decimal128(min(packed >> 16, _DECIMAL_DIGITS), scale)
