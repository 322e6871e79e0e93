"""Totals of rows, taken on both sides of a load: from the Arrow batches that were sent and from the table they reached.

Belongs here: what is totalled per kind of column, and the comparison. Does not belong here: sending (``copy``), and
what is done about a difference (``staging``).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import extensions, sql

from platform_assets.warehouse.loading.catalog import Kind, TargetColumn

_DIGITS, _WIDE_DIGITS = 38, 76
_EXACT_INTEGER = pa.decimal128(_DIGITS, 0)
_EXACT = Context(prec=200)
"""Python would round sums to 28 digits."""
_RELATIVE_TOLERANCE = 1e-9
"""Sums of doubles depend on the order of adding; those of everything else are exact."""

Measure = Decimal | float | int | None


@dataclass(frozen=True)
class ColumnTotals:
    """Totals of one column.

    Attributes:
        nulls: Rows without a value.
        total: Sum of numbers (of doubles: of their absolute values), bytes of texts, number of trues.
        smallest: Earliest date (days since 1970) or instant (microseconds since 1970, UTC).
        largest: Latest date or instant.
    """

    nulls: int = 0
    total: Decimal | float | None = None
    smallest: int | None = None
    largest: int | None = None

    def plus(self, other: "ColumnTotals") -> "ColumnTotals":
        """Totals of this column's rows and the other's together."""
        return ColumnTotals(
            self.nulls + other.nulls,
            _combined(self.total, other.total, _sum),
            _combined(self.smallest, other.smallest, min),
            _combined(self.largest, other.largest, max),
        )


@dataclass(frozen=True)
class CopyTotals:
    """Totals of all rows of a load.

    Attributes:
        rows: Number of rows.
        columns: Totals by column.
    """

    rows: int
    columns: dict[str, ColumnTotals]

    def plus(self, other: "CopyTotals") -> "CopyTotals":
        """Totals of these rows and the others together."""
        columns = {name: totals.plus(other.columns[name]) for name, totals in self.columns.items()}
        return CopyTotals(self.rows + other.rows, columns)

    def differences(self, arrived: "CopyTotals") -> list[str]:
        """Say what ``arrived`` has otherwise than these totals of what was sent."""
        found = [] if self.rows == arrived.rows else [f"{self.rows} rows sent, {arrived.rows} arrived"]
        for name, sent in self.columns.items():
            got = arrived.columns[name]
            for measure in ("nulls", "total", "smallest", "largest"):
                before, after = getattr(sent, measure), getattr(got, measure)
                if not _equal(before, after):
                    found.append(f"{measure} of {name}: {before} sent, {after} arrived")
        return found


def no_rows(columns: Sequence[TargetColumn]) -> CopyTotals:
    """Totals of nothing."""
    return CopyTotals(0, {column.name: ColumnTotals() for column in columns})


def batch_totals(batch: pa.RecordBatch, columns: Sequence[TargetColumn]) -> CopyTotals:
    """Total a batch whose columns have exactly the types of ``columns``."""
    pairs = zip(columns, batch.columns, strict=True)
    return CopyTotals(batch.num_rows, {column.name: _array_totals(column.kind, array) for column, array in pairs})


def table_totals(cursor: extensions.cursor, table: sql.Identifier, columns: Sequence[TargetColumn]) -> CopyTotals:
    """Total the rows of a table."""
    measures = [_measures(column) for column in columns]
    query = sql.SQL("SELECT count(*), {} FROM {}").format(sql.SQL(", ").join(measures), table)
    cursor.execute(query)
    rows, *values = _only_row(cursor)
    found = {
        column.name: ColumnTotals(rows - values[4 * i], *values[4 * i + 1 : 4 * i + 4])
        for i, column in enumerate(columns)
    }
    return CopyTotals(rows, found)


def _array_totals(kind: Kind, array: pa.Array) -> ColumnTotals:
    nulls = array.null_count
    if nulls == len(array):
        return ColumnTotals(nulls)
    if kind in _STORED_AS:
        bounds = pc.min_max(array.view(_STORED_AS[kind])).as_py()
        return ColumnTotals(nulls, None, bounds["min"], bounds["max"])
    return ColumnTotals(nulls, _ARROW_TOTALS[kind](array))


def _integer_sum(array: pa.Array) -> Decimal:
    """Sum without overflow: as 64-bit integers where the sum surely fits, else as decimals."""
    bounds = pc.min_max(array).as_py()
    if max(abs(bounds["min"]), abs(bounds["max"])) * len(array) < 1 << 63:
        return Decimal(pc.sum(array).as_py())
    total: Decimal = pc.sum(array.cast(_EXACT_INTEGER)).as_py()
    return total


def _decimal_sum(array: pa.Array) -> Decimal:
    """Sum without overflow: Arrow adds decimals in the width they have, and goes on where that is not enough."""
    if array.type.precision + len(str(len(array))) > _DIGITS:
        array = array.cast(pa.decimal256(_WIDE_DIGITS, array.type.scale))
    total: Decimal = pc.sum(array).as_py()
    return total


def _sum(left: Any, right: Any) -> Any:
    """Add; decimals with all their digits."""
    return _EXACT.add(left, right) if isinstance(left, Decimal) else left + right


_STORED_AS = {Kind.DATE: pa.int32(), Kind.TIMESTAMP: pa.int64()}

_ARROW_TOTALS: dict[Kind, Callable[[pa.Array], Decimal | float | None]] = {
    Kind.INTEGER: _integer_sum,
    Kind.NUMERIC: _decimal_sum,
    Kind.BOOLEAN: lambda array: Decimal(pc.sum(array).as_py()),
    Kind.FLOAT: lambda array: pc.sum(pc.abs(array.cast(pa.float64()))).as_py(),
    Kind.TEXT: lambda array: Decimal(pc.sum(pc.binary_length(array)).as_py()),
    Kind.OTHER: lambda _: None,
}

_SQL_TOTALS = {
    Kind.INTEGER: "sum({0})::numeric, NULL, NULL",
    Kind.NUMERIC: "sum({0}), NULL, NULL",
    Kind.BOOLEAN: "CASE WHEN count({0}) > 0 THEN (count(*) FILTER (WHERE {0}))::numeric END, NULL, NULL",
    Kind.FLOAT: "sum(abs({0}::float8)), NULL, NULL",
    Kind.TEXT: "sum(octet_length({0}))::numeric, NULL, NULL",
    Kind.DATE: "NULL, min({0}) - date '1970-01-01', max({0}) - date '1970-01-01'",
    Kind.TIMESTAMP: "NULL, (extract(epoch FROM min({0})) * 1000000)::bigint,"
    " (extract(epoch FROM max({0})) * 1000000)::bigint",
    Kind.OTHER: "NULL, NULL, NULL",
}


def _measures(column: TargetColumn) -> sql.Composed:
    return sql.SQL("count({0}), " + _SQL_TOTALS[column.kind]).format(sql.Identifier(column.name))


def _combined(left: Any, right: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """Combine two measures of which either may be missing for want of values."""
    if left is None or right is None:
        return right if left is None else left
    return combine(left, right)


def _equal(sent: Measure, arrived: Measure) -> bool:
    if isinstance(sent, float) and isinstance(arrived, float):
        both_nan = math.isnan(sent) and math.isnan(arrived)
        return both_nan or math.isclose(sent, arrived, rel_tol=_RELATIVE_TOLERANCE)
    return sent == arrived


def _only_row(cursor: extensions.cursor) -> tuple[int, ...]:
    row: tuple[int, ...] = cursor.fetchone() or ()
    return row
