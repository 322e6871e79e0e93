"""What a table and the rows it shall have differ in, and the statements that bring the two together.

Belongs here: finding the differences, and deleting, updating and inserting by them. Does not belong here: when that is
done and around what (``merge``, ``dimensions``).
"""

from dataclasses import dataclass

from psycopg2 import errors, extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.bulk import insert_staged
from platform_assets.warehouse.loading.catalog import table_columns
from platform_assets.warehouse.loading.staging import Staged, names_sql
from platform_assets.warehouse.loading.transaction import table_identifier

SPECIAL = "is_special_member"
"""Column that marks members such as "unknown": the migrations write them, and loads leave them alone."""


@dataclass(frozen=True)
class Difference:
    """A table beside the rows it shall have.

    One join finds all that differs; the differences are pairs of row addresses (ctid) in the table and in the staging
    table, of which one is null where the other has no counterpart. A row that is written gets another address: each of
    ``delete``, ``update`` and ``insert`` may be called once.

    Attributes:
        cursor: A cursor inside ``transaction``.
        table: The table, as ``schema.name``.
        key: Columns that identify a row.
        staged: The rows it shall have.
    """

    cursor: extensions.cursor
    table: str
    key: tuple[str, ...]
    staged: Staged

    @property
    def name(self) -> sql.Identifier:
        """The temporary table of the differences: ``held`` and ``arrived``, the addresses."""
        return sql.Identifier(f"{self.staged.table.strings[-1]}_differences")

    def find(self) -> int:
        """Find the differences, and keep others from writing to the table while they hold.

        Returns:
            How many rows differ.

        Raises:
            LoadError: A key is null or given twice.
        """
        self._check()
        values = [name for name in self.staged.names if name not in self.key]
        distinct = sql.SQL("({}) IS DISTINCT FROM ({})").format(
            names_sql(values, "target."), names_sql(values, "staged.")
        )
        self.run("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        self.run(
            "CREATE TEMPORARY TABLE {differences} ON COMMIT DROP AS"
            " SELECT target.ctid AS held, staged.ctid AS arrived"
            " FROM (SELECT ctid, * FROM {table}) AS target"
            " FULL JOIN (SELECT ctid, * FROM {staging}) AS staged ON {same_key}"
            " WHERE target.ctid IS NULL OR ({ordinary} AND (staged.ctid IS NULL OR {distinct}))",
            distinct=distinct if values else sql.SQL("false"),
            ordinary=self._ordinary(),
            same_key=sql.SQL(" AND ").join(
                sql.SQL("target.{0} = staged.{0}").format(sql.Identifier(name)) for name in self.key
            ),
        )
        self.run("ANALYZE {differences}")
        return self.number("SELECT count(*) FROM {differences}")

    def delete(self) -> int:
        """Delete what is not among the rows."""
        return self.run(
            "DELETE FROM {table} AS target USING {differences} AS difference"
            " WHERE target.ctid = difference.held AND difference.arrived IS NULL"
        )

    def update(self) -> int:
        """Update the rows that differ."""
        names = [name for name in self.staged.names if name not in self.key]
        if not names:
            return 0
        return self.run(
            "UPDATE {table} AS target SET {changes} FROM {differences} AS difference"
            " JOIN {staging} AS staged ON staged.ctid = difference.arrived WHERE target.ctid = difference.held",
            changes=sql.SQL(", ").join(sql.SQL("{0} = staged.{0}").format(sql.Identifier(name)) for name in names),
        )

    def insert(self) -> int:
        """Insert the rows with new keys, in the order of the keys: the surrogate keys follow it."""
        if not (new_rows := self.number("SELECT count(*) FROM {differences} WHERE held IS NULL")):
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
            self.run("ANALYZE {table}")

    def run(self, statement: str, **parts: sql.Composable) -> int:
        """Run a statement with ``{table}``, ``{staging}``, ``{differences}`` and other parts in it.

        Returns:
            How many rows it wrote.
        """
        self.cursor.execute(self._compose(statement, **parts))
        return self.cursor.rowcount

    def number(self, statement: str, **parts: sql.Composable) -> int:
        """The number that a query gives."""
        self.run(statement, **parts)
        row = self.cursor.fetchone()
        return int(row[0]) if row else 0

    def _check(self) -> None:
        """Refuse rows that cannot be compared, and let the planner know how many there are."""
        for column in self.key:
            if nulls := self.staged.totals.columns[column].nulls:
                problem = f"{nulls} rows for {self.table} have no {column}, which is part of its key."
                raise LoadError(problem, "Quarantine them before loading.")
        try:
            self.run("CREATE UNIQUE INDEX ON {staging} ({key})", key=names_sql(self.key))
        except errors.UniqueViolation as error:
            problem = f"Rows for {self.table} have the same key: {error.diag.message_detail}"
            raise LoadError(problem, "Remove the duplicates before loading.") from error
        self.run("ANALYZE {staging}")

    def _ordinary(self) -> sql.Composable:
        if SPECIAL not in table_columns(self.cursor, table_identifier(self.table)):
            return sql.SQL("true")
        return sql.SQL("NOT target.{}").format(sql.Identifier(SPECIAL))

    def _compose(self, statement: str, **parts: sql.Composable) -> sql.Composed:
        return sql.SQL(statement).format(
            table=table_identifier(self.table), staging=self.staged.table, differences=self.name, **parts
        )
