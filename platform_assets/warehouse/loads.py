"""What an asset hands to the warehouse: rows with the way they are to be loaded."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.lake.snapshot import changed_keys
from platform_assets.warehouse.loading.merge import append_rows, merge_rows
from platform_assets.warehouse.loading.slices import FileKey, loaded_slices, record_slices, replace_slices
from platform_assets.warehouse.loading.transaction import lock, transaction
from platform_assets.warehouse.star.calendar import DIM_DATE_SCHEMA, Span, known_days
from platform_assets.warehouse.star.calendar_settings import CalendarSettings
from platform_assets.warehouse.star.dimensions import delete_orphans, load_dimension
from platform_assets.warehouse.star.model import DIM_DATE, Dimension, lock_members

Batches = Iterable[pa.RecordBatch]


class Load(ABC):
    """One load of one table."""

    table: str

    @abstractmethod
    def apply(self, connection: Connection) -> dict[str, int]:
        """Load in one transaction and say how many rows changed in which way."""


@dataclass(frozen=True)
class MergeLoad(Load):
    """All rows a table shall have; those equal to what is there are not written.

    Attributes:
        table: Schema and name.
        key: Columns that tell rows apart.
        schema: Columns of the rows.
        batches: The rows.
        delete_missing: Whether rows that are not among these go.
    """

    table: str
    key: Sequence[str]
    schema: pa.Schema
    batches: Batches
    delete_missing: bool = True

    def apply(self, connection: Connection) -> dict[str, int]:
        """Merge the rows by their key."""
        counts = merge_rows(
            connection, self.table, self.key, self.schema, self.batches, delete_missing=self.delete_missing
        )
        return asdict(counts)


@dataclass(frozen=True)
class Told:
    """Where the members of a dimension are from, as ``ops.loaded_slices`` has it.

    Attributes:
        layer: Layer of the lake.
        name: Table of that layer.
        content_id: What changes when its rows do.
    """

    layer: str
    name: str
    content_id: str


class DimensionLoad(Load):
    """All versions of all members that a dimension shall have; its facts follow.

    Attributes:
        dimension: The dimension.
        told: What the rows are; where the dimension was loaded from just that, they are not even read.
        schema: Columns of the rows.
        batches: The rows.
    """

    def __init__(self, dimension: Dimension, told: Told, schema: pa.Schema, batches: Batches) -> None:
        self.table = dimension.table
        self.dimension = dimension
        self.told = told
        self.schema = schema
        self.batches = batches

    def apply(self, connection: Connection) -> dict[str, int]:
        """Bring the versions to what is known now."""
        told = self.told
        with transaction(connection) as cursor:
            lock(cursor, self.table)
            if loaded_slices(connection, self.table, told.layer) == {told.name: told.content_id}:
                return {"inserted": 0, "updated": 0, "deleted": 0}
            counts = load_dimension(connection, self.dimension, self.schema, self.batches)
            rows = counts.inserted + counts.updated + counts.unchanged
            record_slices(cursor, self.table, {(told.layer, told.name): (told.content_id, rows)})
        return {
            "inserted": counts.inserted,
            "updated": counts.updated,
            "deleted": counts.deleted,
            "unchanged": counts.unchanged,
            "moved in facts": counts.facts_moved,
        }


@dataclass(frozen=True)
class SliceLoad(Load):
    """The slices that a table of facts shall have; only those that differ from what is loaded are sent.

    No dimension is loaded from the moment the facts are given their versions until they are committed.

    Attributes:
        table: Schema and name.
        wanted: Slice ids by file, by dataset.
        rows_of: Gives the rows of some files, as (dataset, file) pairs.
        schema: Columns of the rows.
    """

    table: str
    wanted: Mapping[str, Mapping[str, str]]
    rows_of: Callable[[Connection, Collection[FileKey]], Batches]
    schema: pa.Schema

    def apply(self, connection: Connection) -> dict[str, int]:
        """Replace the rows of files that are new, changed or gone."""
        with transaction(connection) as cursor:
            lock_members(cursor)
            lock(cursor, self.table)
            write, removed = self._news(connection)
            if not write and not removed:
                return {"files": 0, "inserted": 0, "deleted": 0}
            rows = self.rows_of(connection, list(write))
            counts = replace_slices(connection, self.table, write, removed, self.schema, rows)
            told = {"files": len(write) + len(removed), "inserted": counts.inserted, "deleted": counts.deleted}
            if counts.deleted:
                told["of orphaned members deleted"] = delete_orphans(connection)
            return told

    def _news(self, connection: Connection) -> tuple[dict[FileKey, str], list[FileKey]]:
        """Slice ids of the files whose rows are to be written, and the files whose rows go."""
        write: dict[FileKey, str] = {}
        removed: list[FileKey] = []
        for dataset, slices in self.wanted.items():
            changed, gone = changed_keys(slices, loaded_slices(connection, self.table, dataset))
            write |= {(dataset, file): slices[file] for file in changed}
            removed += [(dataset, file) for file in gone]
        return write, removed


@dataclass(frozen=True)
class AppendLoad(Load):
    """Rows that are added to a history; those it has already stay as they are."""

    table: str
    schema: pa.Schema
    batches: Batches

    def apply(self, connection: Connection) -> dict[str, int]:
        """Add the rows."""
        return {"inserted": append_rows(connection, self.table, self.schema, self.batches)}


@dataclass(frozen=True)
class CalendarLoad(Load):
    """The days that the date dimension shall have, all as the settings have them.

    Days that facts still refer to stay until those are loaded, marked as orphaned.

    Attributes:
        settings: Fiscal year and holidays.
        events: First and last day that something happened on; none where nothing did.
        table: The dimension.
    """

    settings: CalendarSettings
    events: Span | None
    table: str = DIM_DATE

    def apply(self, connection: Connection) -> dict[str, int]:
        """Merge the days by their key; those that are right already are not written."""
        with transaction(connection) as cursor:
            lock(cursor, self.table)
            batches = known_days(cursor, self.events, self.settings).to_batches()
            return MergeLoad(self.table, ["date_key"], DIM_DATE_SCHEMA, batches).apply(connection)
