"""Staging tables: where rows land and are audited before any real table is touched.

Belongs here: making, filling and auditing a staging table. Does not belong here: moving its rows on (``merge``,
``slices``).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import pyarrow as pa
from psycopg2 import extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.catalog import TargetColumn, target_columns
from platform_assets.warehouse.loading.copy import copy_batches
from platform_assets.warehouse.loading.totals import CopyTotals, table_totals
from platform_assets.warehouse.loading.transaction import table_identifier

_numbers = count(1)


@dataclass(frozen=True)
class Staged:
    """Rows that have arrived, exactly.

    Attributes:
        table: The temporary table they are in.
        columns: Its columns.
        totals: Totals of the rows.
    """

    table: sql.Identifier
    columns: tuple[TargetColumn, ...]
    totals: CopyTotals

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]


@contextmanager
def staged(
    cursor: extensions.cursor, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[Staged]:
    """Copy rows into a temporary table shaped like ``table``, and hold it against what was sent.

    Args:
        cursor: A cursor inside ``transaction``.
        table: Table the rows are meant for, as ``schema.name``.
        schema: Names and types of the batches' columns.
        batches: The rows.

    Yields:
        The staging table, gone afterwards.

    Raises:
        LoadError: The rows do not fit the table, or did not arrive as they were sent.
    """
    columns = target_columns(cursor, table_identifier(table), schema.names)
    staging = sql.Identifier("pg_temp", f"staging_{next(_numbers)}")
    cursor.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            sql.Identifier(staging.strings[-1]), names_sql(schema.names), table_identifier(table)
        )
    )
    sent = copy_batches(cursor, staging, schema, batches)
    _audit(table, sent, table_totals(cursor, staging, columns))
    yield Staged(staging, columns, sent)
    cursor.execute(sql.SQL("DROP TABLE {}").format(staging))


def names_sql(names: Iterable[str], prefix: str = "") -> sql.Composed:
    """Quoted column names, separated by commas, each behind ``prefix`` (for example ``staged.``)."""
    return sql.SQL(", ").join(sql.SQL(prefix) + sql.Identifier(name) for name in names)


def _audit(table: str, sent: CopyTotals, arrived: CopyTotals) -> None:
    differences = sent.differences(arrived)
    if differences:
        problem = f"The rows for {table} did not arrive as they were sent: {'; '.join(differences)}."
        raise LoadError(problem, "Nothing was written. This is a defect of the loader: please report it.")
