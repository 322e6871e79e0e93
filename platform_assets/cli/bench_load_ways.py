"""Ways to bring rows into PostgreSQL: this platform's, and what others would write.

Belongs here: one function per way, each with a connection of its own. Does not belong here: measuring (``bench_load``).
"""

import io
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import pandas as pd
import psycopg2
from sqlalchemy import create_engine

from platform_assets.cli.bench_load_data import BARE, FULL, SCHEMA, Rows, slices
from platform_assets.errors import PlatformError
from platform_assets.services.cluster import programs
from platform_assets.services.postgres import PostgresUrls
from platform_assets.warehouse.loading.copy import copy_batches
from platform_assets.warehouse.loading.slices import SliceCounts, replace_slices
from platform_assets.warehouse.loading.transaction import table_identifier, transaction

_CHUNK_ROWS = 1_000


@dataclass(frozen=True)
class Place:
    """What every way gets.

    Attributes:
        urls: The server.
        rows: What to load.
        frame: The same for pandas.
    """

    urls: PostgresUrls
    rows: Rows
    frame: pd.DataFrame


@dataclass(frozen=True)
class Way:
    """One way.

    Attributes:
        name: What it is called in the table.
        table: The table it fills, as ``schema.name``.
        load: Does it, once.
        promise: The most it may take, in times of the reference where it says nothing else; empty without one.
        empties: Whether the table is emptied first.
    """

    name: str
    table: str
    load: Callable[[Place], None]
    promise: str = ""
    empties: bool = True


def psql_copy(place: Place) -> None:
    """Have psql read the CSV file: the reference.

    Raises:
        PlatformError: psql failed.
    """
    statement = f"\\copy {BARE} from '{place.rows.file}' with (format csv)"
    # psql's default is to go on after an error, with exit code 0.
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--command={statement}"]
    command = [str(programs() / "psql"), place.urls.dsn, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PlatformError(f"psql could not load the file: {done.stderr.strip()}", "")


def arrow_copy(place: Place) -> None:
    """The platform's encoder and COPY, without ledger, staging and sums."""
    with closing(psycopg2.connect(place.urls.dsn)) as connection, transaction(connection) as cursor:
        copy_batches(cursor, table_identifier(BARE), SCHEMA, place.rows.table.to_batches())


def full_load(place: Place) -> None:
    """The platform's idempotent load of files into a table with keys and indexes.

    Raises:
        PlatformError: It did not insert every row.
    """
    _expect(_replace(place), SliceCounts(deleted=0, inserted=place.rows.table.num_rows))


def replay(place: Place) -> None:
    """The same load again.

    Raises:
        PlatformError: It wrote something.
    """
    _expect(_replace(place), SliceCounts(deleted=0, inserted=0))


def pandas_copy(place: Place) -> None:
    """Have pandas write CSV in memory, and PostgreSQL read that."""
    text = io.StringIO()
    place.frame.to_csv(text, index=False, header=False, na_rep="\\N")
    text.seek(0)
    with closing(psycopg2.connect(place.urls.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {BARE} FROM STDIN WITH (FORMAT csv, NULL '\\N')", text)


def to_sql(place: Place) -> None:
    """Have pandas send INSERT statements of many rows."""
    schema, name = BARE.split(".")
    engine = create_engine(place.urls.warehouse)
    try:
        place.frame.to_sql(
            name, engine, schema=schema, if_exists="append", index=False, method="multi", chunksize=_CHUNK_ROWS
        )
    finally:
        engine.dispose()


def _replace(place: Place) -> SliceCounts:
    with closing(psycopg2.connect(place.urls.dsn)) as connection:
        return replace_slices(connection, FULL, slices(), [], SCHEMA, place.rows.table.to_batches())


def _expect(counts: SliceCounts, expected: SliceCounts) -> None:
    if counts != expected:
        raise PlatformError(f"The load of {FULL} wrote {counts} instead of {expected}.", "This is a defect: report it.")


REFERENCE = Way("psql \\copy, bare table", BARE, psql_copy)
FULL_LOAD = Way("platform: idempotent load", FULL, full_load, "2.00")
REPLAY = Way("platform: the same again", FULL, replay, "0.1 s", empties=False)
WAYS = (
    REFERENCE,
    Way("platform: Arrow, bare table", BARE, arrow_copy, "0.60"),
    FULL_LOAD,
    REPLAY,
    Way("pandas: to_csv and COPY", BARE, pandas_copy),
)
SLOW = Way('pandas: to_sql(method="multi")', BARE, to_sql)
