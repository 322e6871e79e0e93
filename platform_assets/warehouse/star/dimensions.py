"""Members and their versions: a dimension is brought to what is known now, and the facts follow.

Belongs here: the one transaction in which versions come, change and go and the facts that speak of them are pointed
anew; and the end of members no fact speaks of any more. Does not belong here: what a version is made of (``core``
assets), and which version a new fact is given (``rows``).

No two versions of a member are ever valid at one time, not even for a moment inside the transaction, and no fact is
ever without its version: the constraints need not be deferred, and may be put aside for a bulk load. Facts of versions
that are no more wait at the first version of their member, which every member has at all times; then versions go, the
others stretch or shrink into the room that is there, new ones come in, and the facts find the version of their time.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
from psycopg2 import extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.difference import SPECIAL, Difference
from platform_assets.warehouse.loading.staging import names_sql, staged
from platform_assets.warehouse.loading.transaction import lock, table_identifier, transaction
from platform_assets.warehouse.star.model import (
    DIM_DATE,
    DIMENSIONS,
    FIRST,
    LAST,
    Dimension,
    facts_of,
    is_used,
    is_used_day,
    lock_facts,
)


@dataclass(frozen=True)
class DimensionCounts:
    """What a load of a dimension did.

    Attributes:
        inserted: Versions that were new.
        updated: Versions that differed.
        deleted: Versions that are no more.
        unchanged: Versions that were there already, value for value.
        facts_moved: Times a fact was pointed to another version or had its measures computed anew.
    """

    inserted: int
    updated: int
    deleted: int
    unchanged: int
    facts_moved: int


def load_dimension(
    connection: extensions.connection, dimension: Dimension, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> DimensionCounts:
    """Make a dimension what is known now, and point its facts to the versions valid when they happened.

    Members that are not given any more go, unless a fact refers to them: those are marked as orphaned, and go with the
    facts (``delete_orphans``). A member with the natural key of the special one stands for the unknown, too: what is
    given of it is left out.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        dimension: The dimension.
        schema: Names and types of the batches' columns.
        batches: Every version of every member; the versions of one cover all time without gap or overlap.

    Returns:
        How many versions were inserted, updated, deleted, and left as they were, and how many facts were moved.

    Raises:
        LoadError: Versions of a member leave a gap or overlap, a key is null or given twice, rows do not fit the table,
            did not arrive as they were sent, or break a constraint. Nothing is written then.
    """
    with transaction(connection) as cursor:
        lock(cursor, dimension.table)
        with staged(cursor, dimension.table, schema, batches) as arrived:
            key = (dimension.natural, "valid_from") if dimension.has_versions else (dimension.natural,)
            change = _Change(dimension, Difference(cursor, dimension.table, key, arrived))
            rows = arrived.totals.rows - change.leave_out_special_members()
            change.check_cover()
            change.take_back_orphans()
            if not change.difference.find():
                return DimensionCounts(0, 0, 0, rows, 0)
            lock_facts(cursor, dimension)
            return change.apply(rows)


def delete_orphans(connection: extensions.connection) -> int:
    """Delete the members and days that are told of no more and that no fact refers to any more.

    Args:
        connection: A connection inside ``transaction`` that holds the locks of all dimensions.

    Returns:
        Number of rows deleted.
    """
    deleted = 0
    with transaction(connection) as cursor:
        for dimension in DIMENSIONS:
            cursor.execute(
                sql.SQL("DELETE FROM {} AS member WHERE member.is_orphaned AND NOT {}").format(
                    table_identifier(dimension.table), is_used(dimension, "member")
                )
            )
            deleted += cursor.rowcount
        cursor.execute(
            sql.SQL("DELETE FROM {} AS day WHERE day.is_orphaned AND NOT {}").format(
                table_identifier(DIM_DATE), is_used_day("day")
            )
        )
        return deleted + cursor.rowcount


@dataclass(frozen=True)
class _Change:
    """The steps from the versions that are there to those that shall be."""

    dimension: Dimension
    difference: Difference

    def leave_out_special_members(self) -> int:
        return self._run(
            "DELETE FROM {staging} WHERE {natural} IN (SELECT {natural} FROM {table} WHERE {special})",
            special=sql.Identifier(SPECIAL),
        )

    def check_cover(self) -> None:
        """Refuse histories in which there would be an instant with no version or with two."""
        if not self.dimension.has_versions:
            return
        torn = self.difference.number(
            "SELECT count(*) FROM (SELECT valid_from, valid_to, lag(valid_to) OVER history AS before,"
            " lead(valid_from) OVER history AS after FROM {staging}"
            " WINDOW history AS (PARTITION BY {natural} ORDER BY valid_from)) AS version"
            " WHERE valid_from <> coalesce(before, {first}) OR valid_to <> coalesce(after, {last})",
            natural=sql.Identifier(self.dimension.natural),
            first=FIRST,
            last=LAST,
        )
        if torn:
            problem = f"{torn} versions for {self.dimension.table} leave a gap or overlap with those beside them."
            raise LoadError(problem, "Nothing was written. This is a defect of the asset it is made from: report it.")

    def take_back_orphans(self) -> None:
        """Members that are told of again are no orphans."""
        self._run(
            "UPDATE {table} AS held SET is_orphaned = false WHERE held.is_orphaned"
            " AND EXISTS (SELECT FROM {staging} AS staged WHERE staged.{natural} = held.{natural})"
        )

    def apply(self, rows: int) -> DimensionCounts:
        """Take all steps, in the order that keeps every constraint."""
        self._find_gone()
        self._find_moved()
        moved = self._leave_gone_versions()
        deleted = self._run("DELETE FROM {table} AS held USING {gone} AS gone WHERE held.{key} = gone.{key}")
        updated = self.difference.update()
        inserted = self.difference.insert()
        self.difference.refresh_statistics(inserted + updated)
        moved += self._move_facts()
        return DimensionCounts(inserted, updated, deleted, rows - inserted - updated, moved)

    def _find_gone(self) -> None:
        """Note the versions that go: with the first one of a member that lives on, with none for one that does not.

        A member that is told of no more while facts refer to it stays until they are loaded.
        """
        self._run(
            "CREATE TEMPORARY TABLE {gone} ON COMMIT DROP AS"
            " SELECT held.{key}, held.{natural}, {first_key} AS first_key"
            " FROM {differences} AS difference JOIN {table} AS held ON held.ctid = difference.held"
            " WHERE difference.arrived IS NULL",
            first_key=self._first_key(),
        )
        self._run("DELETE FROM {gone} AS gone WHERE first_key IS NULL AND {used}", used=is_used(self.dimension, "gone"))
        self._run("ANALYZE {gone}")
        self._run(
            "UPDATE {table} AS held SET is_orphaned = true FROM {differences} AS difference"
            " WHERE held.ctid = difference.held AND difference.arrived IS NULL AND NOT held.is_orphaned"
            " AND NOT EXISTS (SELECT FROM {gone} AS gone WHERE gone.{key} = held.{key})"
        )

    def _first_key(self) -> sql.Composable:
        if not self.dimension.has_versions:
            return sql.SQL("NULL::bigint")
        return sql.SQL(
            "(SELECT first.{key} FROM {table} AS first WHERE first.{natural} = held.{natural}"
            " AND first.valid_from = {first}"
            " AND EXISTS (SELECT FROM {staging} AS staged WHERE staged.{natural} = held.{natural}))"
        ).format(
            table=table_identifier(self.dimension.table),
            staging=self.difference.staged.table,
            first=FIRST,
            **self._names(),
        )

    def _find_moved(self) -> None:
        """Note the members whose facts may have to move: a version ends at another time, or makes other measures."""
        if not self.dimension.has_versions:
            return
        decisive = ("valid_to", *self.dimension.from_version)
        self._run(
            "CREATE TEMPORARY TABLE {moved} ON COMMIT DROP AS SELECT DISTINCT held.{natural}"
            " FROM {differences} AS difference JOIN {table} AS held ON held.ctid = difference.held"
            " LEFT JOIN {staging} AS staged ON staged.ctid = difference.arrived"
            " WHERE difference.arrived IS NULL OR ({were}) IS DISTINCT FROM ({are})",
            were=names_sql(decisive, "held."),
            are=names_sql(decisive, "staged."),
        )
        self._run("ANALYZE {moved}")

    def _leave_gone_versions(self) -> int:
        return sum(
            self._run(
                "UPDATE {fact} AS fact SET {key} = gone.first_key FROM {gone} AS gone"
                " WHERE fact.{key} = gone.{key} AND gone.first_key IS NOT NULL",
                fact=table_identifier(fact.table),
            )
            for fact in facts_of(self.dimension)
            if self.dimension.has_versions
        )

    def _move_facts(self) -> int:
        """Point the facts of these members to the version of their time, and compute what follows from it."""
        if not self.dimension.has_versions:
            return 0
        derived = {self.dimension.surrogate: f"valid.{self.dimension.surrogate}", **self.dimension.measures}
        return sum(
            self._run(
                "UPDATE {fact} AS fact SET {changes}"
                " FROM {moved} AS moved JOIN {table} AS held USING ({natural}) JOIN {table} AS valid USING ({natural})"
                " WHERE fact.{key} = held.{key}"
                " AND (fact.{at} >= valid.valid_from OR valid.valid_from = {first})"
                " AND (fact.{at} < valid.valid_to OR valid.valid_to = {last}) AND ({differ})",
                fact=table_identifier(fact.table),
                at=sql.Identifier(fact.happened_at),
                changes=sql.SQL(", ").join(_assigned(name, value) for name, value in derived.items()),
                differ=sql.SQL(" OR ").join(_differs(name, value) for name, value in derived.items()),
                first=FIRST,
                last=LAST,
            )
            for fact in facts_of(self.dimension)
        )

    def _run(self, statement: str, **parts: sql.Composable) -> int:
        return self.difference.run(statement, **self._names(), **parts)

    def _names(self) -> dict[str, sql.Composable]:
        staging = self.difference.staged.table.strings[-1]
        return {
            "key": sql.Identifier(self.dimension.surrogate),
            "natural": sql.Identifier(self.dimension.natural),
            "gone": sql.Identifier(f"{staging}_gone"),
            "moved": sql.Identifier(f"{staging}_moved"),
        }


def _assigned(name: str, value: str) -> sql.Composable:
    return sql.SQL("{} = " + value).format(sql.Identifier(name))


def _differs(name: str, value: str) -> sql.Composable:
    return sql.SQL("fact.{} IS DISTINCT FROM " + value).format(sql.Identifier(name))
