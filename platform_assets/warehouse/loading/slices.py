"""Facts by raw file: a changed file replaces exactly its rows, a removed file removes them.

Belongs here: replacing the rows of files, and the record of which version of which file a table holds. Does not belong
here: tables that are loaded as a whole (``merge``).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
from psycopg2 import extensions, sql
from psycopg2.extras import execute_values

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.bulk import insert_staged
from platform_assets.warehouse.loading.staging import Staged, staged
from platform_assets.warehouse.loading.transaction import lock, table_identifier, transaction


@dataclass(frozen=True)
class SliceCounts:
    """What a replacement did.

    Attributes:
        deleted: Rows deleted, of changed and of removed files.
        inserted: Rows inserted.
    """

    deleted: int
    inserted: int


FileKey = tuple[str, str]
"""A raw file: its dataset and its name."""


@dataclass(frozen=True)
class _Owner:
    """Which rows of a table belong to a raw file."""

    table: str
    dataset_column: str
    file_column: str


def loaded_slices(connection: extensions.connection, table: str, dataset: str) -> dict[str, str]:
    """Tell which version of which file a table holds.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The table, as ``schema.name``.
        dataset: The dataset the files belong to.

    Returns:
        Slice id by file.
    """
    with transaction(connection) as cursor:
        return _held(cursor, table, dataset)


def replace_slices(  # noqa: PLR0917 -- where, whose, which files, and their rows: in the order one says it
    connection: extensions.connection,
    table: str,
    slices: Mapping[FileKey, str],
    removed: Collection[FileKey],
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    dataset_column: str = "source_system",
    file_column: str = "source_file",
) -> SliceCounts:
    """Replace the rows of some files, in one transaction.

    Killed at any moment, it leaves the table as it was. Where the table holds exactly these slices already, it does
    nothing and does not read the batches.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The table, as ``schema.name``.
        slices: Slice id by dataset and file, of the new and changed files.
        removed: Files whose rows go.
        schema: Names and types of the batches' columns.
        batches: All rows of the files in ``slices``, best in the order of the primary key.
        dataset_column: Column of the table that holds the dataset.
        file_column: Column of the table that holds the file.

    Returns:
        How many rows were deleted and inserted.

    Raises:
        LoadError: Rows belong to another file, do not fit the table, did not arrive as they were sent, or
            break a constraint; or another load holds the table. Nothing is written then.
    """
    if both := sorted(set(slices) & set(removed)):
        names = ", ".join("/".join(key) for key in both)
        raise LoadError(f"Files both loaded and removed: {names}.", "Name each file once.")
    owner = _Owner(table, dataset_column, file_column)
    with transaction(connection) as cursor:
        lock(cursor, table)
        datasets = {dataset for dataset, _ in (*slices, *removed)}
        held = {(dataset, file): held for dataset in datasets for file, held in _held(cursor, table, dataset).items()}
        if slices.items() <= held.items() and held.keys().isdisjoint(removed):
            return SliceCounts(0, 0)
        with staged(cursor, table, schema, batches) as arrived:
            rows = _rows_by_file(cursor, owner, arrived, slices)
            deleted = _delete(cursor, owner, [*slices, *removed])
            inserted = insert_staged(cursor, table, arrived, arrived.totals.rows, sql.SQL(""))
            record_slices(
                cursor, table, {key: (slice_id, rows.get(key, 0)) for key, slice_id in slices.items()}, removed
            )
            return SliceCounts(deleted, inserted)


def record_slices(
    cursor: extensions.cursor,
    table: str,
    loaded: Mapping[FileKey, tuple[str, int]],
    removed: Collection[FileKey] = (),
) -> None:
    """Note which versions a table holds from now on.

    Args:
        cursor: A cursor inside the transaction that writes the rows.
        table: The table, as ``schema.name``.
        loaded: Slice id and number of rows, of the new and changed files.
        removed: Files whose rows went.
    """
    for dataset, files in _by_dataset(removed).items():
        cursor.execute(
            "DELETE FROM ops.loaded_slices WHERE table_name = %s AND dataset = %s AND source_file = ANY(%s)",
            (table, dataset, files),
        )
    execute_values(
        cursor,
        "INSERT INTO ops.loaded_slices (table_name, dataset, source_file, slice_id, loaded_rows) VALUES %s"
        " ON CONFLICT (table_name, dataset, source_file) DO UPDATE"
        " SET slice_id = excluded.slice_id, loaded_rows = excluded.loaded_rows, loaded_at = excluded.loaded_at",
        [(table, *key, *values) for key, values in sorted(loaded.items())],
        page_size=1000,
    )


def _held(cursor: extensions.cursor, table: str, dataset: str) -> dict[str, str]:
    cursor.execute(
        "SELECT source_file, slice_id FROM ops.loaded_slices WHERE table_name = %s AND dataset = %s ORDER BY 1",
        (table, dataset),
    )
    return dict(cursor.fetchall())


def _rows_by_file(
    cursor: extensions.cursor, owner: _Owner, arrived: Staged, slices: Mapping[FileKey, str]
) -> dict[FileKey, int]:
    """Count the staged rows of each file, and refuse those that are not to be loaded here."""
    statement = sql.SQL("SELECT {dataset}, {file}, count(*) FROM {staging} GROUP BY 1, 2 ORDER BY 1, 2").format(
        dataset=sql.Identifier(owner.dataset_column), file=sql.Identifier(owner.file_column), staging=arrived.table
    )
    cursor.execute(statement)
    found = {(dataset, file): rows for dataset, file, rows in cursor.fetchall()}
    foreign = [
        f"{rows} of {file} in {dataset}" for (dataset, file), rows in found.items() if (dataset, file) not in slices
    ]
    if foreign:
        problem = f"Rows for {owner.table} are of no file to be loaded: {'; '.join(foreign[:5])}."
        raise LoadError(problem, "Nothing was written. Give the rows of the named files only.")
    return found


def _delete(cursor: extensions.cursor, owner: _Owner, keys: list[FileKey]) -> int:
    statement = sql.SQL("DELETE FROM {table} WHERE {dataset} = %s AND {file} = ANY(%s)").format(
        table=table_identifier(owner.table),
        dataset=sql.Identifier(owner.dataset_column),
        file=sql.Identifier(owner.file_column),
    )
    deleted = 0
    for dataset, files in _by_dataset(keys).items():
        cursor.execute(statement, (dataset, files))
        deleted += cursor.rowcount
    return deleted


def _by_dataset(keys: Collection[FileKey]) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for dataset, file in keys:
        files.setdefault(dataset, []).append(file)
    return files
