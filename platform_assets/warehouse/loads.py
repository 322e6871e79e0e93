"""What an asset hands to the warehouse: rows with the way they are to be loaded."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.lake.snapshot import changed_keys
from platform_assets.warehouse.merge import append_rows, fill_dates, merge_rows
from platform_assets.warehouse.slices import FileKey, loaded_slices, replace_slices

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
        scope: Columns with fixed values; rows elsewhere are not touched.
    """

    table: str
    key: Sequence[str]
    schema: pa.Schema
    batches: Batches
    delete_missing: bool = True
    scope: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, connection: Connection) -> dict[str, int]:
        """Merge the rows by their key."""
        counts = merge_rows(
            connection,
            self.table,
            self.key,
            self.schema,
            self.batches,
            delete_missing=self.delete_missing,
            scope=self.scope or None,
        )
        return {name: getattr(counts, name) for name in ("inserted", "updated", "deleted", "unchanged")}


@dataclass(frozen=True)
class SliceLoad(Load):
    """The slices that a table shall have; only those that differ from what is loaded are sent, in one transaction.

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
        write: dict[FileKey, str] = {}
        removed: list[FileKey] = []
        for dataset, slices in self.wanted.items():
            changed, gone = changed_keys(slices, loaded_slices(connection, self.table, dataset))
            write |= {(dataset, file): slices[file] for file in changed}
            removed += [(dataset, file) for file in gone]
        if not write and not removed:
            return {"files": 0, "inserted": 0, "deleted": 0}
        counts = replace_slices(
            connection, self.table, write, removed, self.schema, self.rows_of(connection, list(write))
        )
        return {"files": len(write) + len(removed), "inserted": counts.inserted, "deleted": counts.deleted}


@dataclass(frozen=True)
class DatesLoad(Load):
    """The days that the date dimension shall have besides those it has; none without a span."""

    first: date | None
    last: date | None
    table: str = "warehouse.dim_date"

    def apply(self, connection: Connection) -> dict[str, int]:
        """Add the days that are missing."""
        if self.first is None or self.last is None:
            return {"inserted": 0}
        return {"inserted": fill_dates(connection, self.first, self.last)}


@dataclass(frozen=True)
class AppendLoad(Load):
    """Rows that are added to a history; those it has already stay as they are."""

    table: str
    schema: pa.Schema
    batches: Batches

    def apply(self, connection: Connection) -> dict[str, int]:
        """Add the rows."""
        return {"inserted": append_rows(connection, self.table, self.schema, self.batches)}
