"""Rows of result tables for pages.

Belongs here: choosing, ordering, adding up. Does not belong here: how they are shown.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Tables = Mapping[str, pa.Table]
Row = dict[str, Any]


def where(table: pa.Table, **equals: Any) -> pa.Table:
    """The rows in which columns have these values."""
    for column, value in equals.items():
        table = table.filter(pc.field(column) == value)
    return table


def ordered(table: pa.Table, *by: str, most: int | None = None) -> list[Row]:
    """Rows in the order of these columns, ``-column`` for falling, those without a value last."""
    keys = [(name.removeprefix("-"), "descending" if name.startswith("-") else "ascending") for name in by]
    in_order = table.sort_by(keys) if keys else table
    found: list[Row] = (in_order if most is None else in_order.slice(0, most)).to_pylist()
    return found


def added(table: pa.Table, column: str) -> Any:
    """The sum of a column; ``None`` where nothing is known."""
    return pc.sum(table[column]).as_py()


def newest(table: pa.Table, column: str) -> Any:
    """The largest value of a column; ``None`` of no rows."""
    return pc.max(table[column]).as_py()


def distinct(table: pa.Table, column: str) -> list[Any]:
    """The values of a column, in order."""
    return sorted(value for value in pc.unique(table[column]).to_pylist() if value is not None)


def one(table: pa.Table, **equals: Any) -> Row | None:
    """The first row in which columns have these values; ``None`` where there is none."""
    found: list[Row] = where(table, **equals).slice(0, 1).to_pylist()
    return found[0] if found else None


def share(part: Any, whole: Any) -> float | None:
    """A part of a whole as 0 to 1; ``None`` where there is no whole."""
    return None if part is None or not whole else float(part) / float(whole)
