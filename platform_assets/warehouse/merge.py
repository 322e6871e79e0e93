"""Whole tables and appended rows: what is loaded without regard to the file it came from.

Belongs here: making a table equal to the rows given, writing nothing where nothing changed; appending; the calendar.
Does not belong here: facts that are replaced file by file (``slices``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from psycopg2 import errors, extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.bulk import insert_staged
from platform_assets.warehouse.catalog import table_columns
from platform_assets.warehouse.staging import Staged, names_sql, staged
from platform_assets.warehouse.transaction import lock, table_identifier, transaction

_SPECIAL = "is_special_member"
"""Column that marks members such as "unknown": the migrations write them, and loads leave them alone."""


@dataclass(frozen=True)
class MergeCounts:
    """What a merge did.

    Attributes:
        inserted: Rows whose key was new.
        updated: Rows that differed.
        deleted: Rows whose key was not among those given.
        unchanged: Rows that were there already, value for value.
    """

    inserted: int
    updated: int
    deleted: int
    unchanged: int


def merge_rows(
    connection: extensions.connection,
    table: str,
    key: Sequence[str],
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    delete_missing: bool = True,
    scope: Mapping[str, Any] | None = None,
) -> MergeCounts:
    """Make a table equal to the rows given, in one transaction.

    Columns that are not among the rows (surrogate keys, for one) keep their values.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The table, as ``schema.name``.
        key: Columns that identify a row.
        schema: Names and types of the batches' columns.
        batches: All rows the table is to have (within ``scope``).
        delete_missing: Whether rows with other keys are deleted; special members never are.
        scope: Columns and the values all rows have in them; rows of the table outside are not touched.

    Returns:
        How many rows were inserted, updated, deleted, and left as they were.

    Raises:
        LoadError: A key is null or given twice, a row is outside of the scope, rows do not fit the table, did not
            arrive as they were sent, or break a constraint. Nothing is written then.
    """
    with _merge(connection, table, key, schema, batches, scope=scope or {}) as merge:
        deleted = merge.delete() if delete_missing else 0
        updated = merge.update()
        inserted = merge.insert()
        merge.refresh_statistics(inserted + updated)
        return MergeCounts(inserted, updated, deleted, merge.staged.totals.rows - inserted - updated)


def delete_missing_rows(
    connection: extensions.connection,
    table: str,
    key: Sequence[str],
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
) -> int:
    """Delete the rows whose keys are not among those given; for dimensions, after the facts have been loaded.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The table, as ``schema.name``.
        key: Columns that identify a row.
        schema: Names and types of the batches' columns; the key's are enough.
        batches: All keys that stay.

    Returns:
        Number of rows deleted.

    Raises:
        LoadError: A key is null or given twice, or another table still refers to a row that is to go.
    """
    with _merge(connection, table, key, schema, batches, scope={}) as merge:
        return merge.delete()


def append_rows(
    connection: extensions.connection, table: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> int:
    """Add the rows whose primary key the table does not have; the others are left as they are.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The table, as ``schema.name``.
        schema: Names and types of the batches' columns.
        batches: The rows.

    Returns:
        Number of rows added.

    Raises:
        LoadError: Rows do not fit the table, did not arrive as they were sent, or break another constraint.
    """
    with transaction(connection) as cursor:
        lock(cursor, table)
        with staged(cursor, table, schema, batches) as arrived:
            return insert_staged(cursor, table, arrived, 0, sql.SQL("ON CONFLICT DO NOTHING"))


def fill_dates(connection: extensions.connection, first: date, last: date) -> int:
    """Add the days from ``first`` to ``last``, both included, that ``warehouse.dim_date`` lacks.

    Returns:
        Number of days added.

    Raises:
        ValueError: ``last`` is before ``first``.
    """
    if last < first:
        message = f"The span from {first} to {last} has no days."
        raise ValueError(message)
    with transaction(connection) as cursor:
        lock(cursor, "warehouse.dim_date")
        cursor.execute("SELECT warehouse.fill_dates(%s, %s)", (first, last))
        return _number(cursor)


@contextmanager
def _merge(
    connection: extensions.connection,
    table: str,
    key: Sequence[str],
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    scope: Mapping[str, Any],
) -> Iterator["_Merge"]:
    """Stage the rows and compare them with the table, in a transaction that ends with the block."""
    with transaction(connection) as cursor:
        lock(cursor, table)
        with staged(cursor, table, schema, batches) as arrived:
            has_special = _SPECIAL in table_columns(cursor, table_identifier(table))
            merge = _Merge(cursor, table, tuple(key), arrived, scope, has_special)
            merge.check()
            merge.compare()
            yield merge


@dataclass(frozen=True)
class _Merge:
    """The statements that bring a table and a staging table together.

    One join finds all that differs; the differences are pairs of row addresses (ctid) in the table and in the staging
    table, of which one is null where the other has no counterpart.
    """

    cursor: extensions.cursor
    table: str
    key: tuple[str, ...]
    staged: Staged
    scope: Mapping[str, Any]
    has_special: bool

    def check(self) -> None:
        """Refuse rows that cannot be merged, and let the planner know how many there are."""
        for column in self.key:
            if nulls := self.staged.totals.columns[column].nulls:
                problem = f"{nulls} rows for {self.table} have no {column}, which is part of its key."
                raise LoadError(problem, "Quarantine them before loading.")
        self._check_scope()
        try:
            self._run("CREATE UNIQUE INDEX ON {staging} ({key})", key=names_sql(self.key))
        except errors.UniqueViolation as error:
            problem = f"Rows for {self.table} have the same key: {error.diag.message_detail}"
            raise LoadError(problem, "Remove the duplicates before loading.") from error
        self._run("ANALYZE {staging}")

    def _check_scope(self) -> None:
        if not self.scope:
            return
        self._run("SELECT count(*) FROM {staging} AS target WHERE NOT coalesce({within}, false)", self.scope.values())
        if outside := _number(self.cursor):
            problem = f"{outside} rows for {self.table} are outside of {dict(self.scope)}."
            raise LoadError(problem, "Load only rows of the scope, or name another scope.")

    def compare(self) -> None:
        """Find the differences, and keep others from writing to the table while they hold."""
        values = [name for name in self.staged.names if name not in self.key]
        distinct = sql.SQL("({}) IS DISTINCT FROM ({})").format(
            names_sql(values, "target."), names_sql(values, "staged.")
        )
        self._run("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        self._run(
            "CREATE TEMPORARY TABLE {differences} ON COMMIT DROP AS"
            " SELECT target.ctid AS held, staged.ctid AS arrived"
            " FROM (SELECT ctid, * FROM {table} AS target WHERE {within}) AS target"
            " FULL JOIN (SELECT ctid, * FROM {staging}) AS staged ON {same_key}"
            " WHERE target.ctid IS NULL OR ({ordinary} AND (staged.ctid IS NULL OR {distinct}))",
            self.scope.values(),
            distinct=distinct if values else sql.SQL("false"),
        )
        self._run("ANALYZE {differences}")

    def delete(self) -> int:
        """Delete what is not among the rows."""
        self._run(
            "DELETE FROM {table} AS target USING {differences} AS difference"
            " WHERE target.ctid = difference.held AND difference.arrived IS NULL"
        )
        return self.cursor.rowcount

    def update(self) -> int:
        """Update the rows that differ."""
        names = [name for name in self.staged.names if name not in self.key]
        if not names:
            return 0
        self._run(
            "UPDATE {table} AS target SET {changes} FROM {differences} AS difference"
            " JOIN {staging} AS staged ON staged.ctid = difference.arrived WHERE target.ctid = difference.held",
            changes=sql.SQL(", ").join(sql.SQL("{0} = staged.{0}").format(sql.Identifier(name)) for name in names),
        )
        return self.cursor.rowcount

    def insert(self) -> int:
        """Insert the rows with new keys, in the order of the keys: the surrogate keys follow it."""
        self._run("SELECT count(*) FROM {differences} WHERE held IS NULL")
        if not (new_rows := _number(self.cursor)):
            return 0
        condition = self._compose(
            "JOIN {differences} AS difference ON difference.arrived = staged.ctid AND difference.held IS NULL"
            " ORDER BY {key}",
            key=names_sql(self.key, "staged."),
        )
        return insert_staged(self.cursor, self.table, self.staged, new_rows, condition)

    def refresh_statistics(self, changed: int) -> None:
        """Tell the planner about a table of which much has changed."""
        if changed * 10 > self.staged.totals.rows:
            self._run("ANALYZE {table}")

    def _run(self, statement: str, values: Iterable[Any] = (), **parts: sql.Composable) -> None:
        self.cursor.execute(self._compose(statement, **parts), tuple(values) or None)

    def _compose(self, statement: str, **parts: sql.Composable) -> sql.Composed:
        within = [sql.SQL("target.{} = %s").format(sql.Identifier(name)) for name in self.scope]
        same = [sql.SQL("target.{0} = staged.{0}").format(sql.Identifier(name)) for name in self.key]
        return sql.SQL(statement).format(
            table=table_identifier(self.table),
            staging=self.staged.table,
            differences=sql.Identifier(f"{self.staged.table.strings[-1]}_differences"),
            within=sql.SQL(" AND ").join(within) if within else sql.SQL("true"),
            same_key=sql.SQL(" AND ").join(same),
            ordinary=sql.SQL("NOT target.{}").format(sql.Identifier(_SPECIAL)) if self.has_special else sql.SQL("true"),
            **parts,
        )


def _number(cursor: extensions.cursor) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0
