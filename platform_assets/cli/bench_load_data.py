"""What the benchmark of loading loads: rows of ten mixed columns, the CSV file of them, and the tables they go to.

Belongs here: generating and declaring. Does not belong here: loading (``bench_load_ways``) and measuring
(``bench_load``).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one
from pyarrow import csv

from platform_assets.errors import SettingsError

BARE, FULL = "warehouse.bench_bare", "warehouse.bench_loaded"
"""In a schema of the platform: elsewhere, constraints and indexes are never put aside for a large load."""
DATASET = "bench_orders"
FILES = 10
CUSTOMERS = 50_000
MINIMUM_ROWS = 100

SCHEMA = pa.schema(
    [
        ("order_id", pa.int64()),
        ("customer_id", pa.int32()),
        ("source_system", pa.string()),
        ("source_file", pa.string()),
        ("quantity", pa.int32()),
        ("amount", pa.decimal128(12, 2)),
        ("weight", pa.float64()),
        ("ordered_on", pa.date32()),
        ("ordered_at", pa.timestamp("us")),
        ("note", pa.string()),
    ]
)

_COLUMNS = """
    order_id bigint NOT NULL, customer_id integer NOT NULL, source_system text COLLATE "C" NOT NULL,
    source_file text COLLATE "C" NOT NULL, quantity integer NOT NULL, amount numeric(12, 2) NOT NULL,
    weight double precision NOT NULL, ordered_on date NOT NULL, ordered_at timestamp NOT NULL, note text
"""

_TABLES = f"""
    CREATE EXTENSION pgstattuple;
    CREATE TABLE warehouse.bench_customers (customer_id integer PRIMARY KEY);
    INSERT INTO warehouse.bench_customers SELECT generate_series(0, {CUSTOMERS} - 1);
    ANALYZE warehouse.bench_customers;
    CREATE TABLE {BARE} ({_COLUMNS});
    CREATE TABLE {FULL} (
        {_COLUMNS},
        CONSTRAINT bench_loaded_pkey PRIMARY KEY (source_system, source_file, order_id),
        CONSTRAINT bench_loaded_customer_fkey FOREIGN KEY (customer_id) REFERENCES warehouse.bench_customers
    );
    CREATE INDEX bench_loaded_customer_id_idx ON {FULL} (customer_id);
    CREATE INDEX bench_loaded_ordered_at_idx ON {FULL} (ordered_at);
    ALTER TABLE warehouse.bench_customers OWNER TO retail_owner;
    ALTER TABLE {FULL} OWNER TO retail_owner;
"""

_EPOCH = np.datetime64("1968-01-01T00:00:00", "us")
_SPAN_MICROSECONDS = 60 * 365 * 86_400 * 1_000_000


@dataclass(frozen=True)
class Rows:
    """The rows, twice.

    Attributes:
        table: In memory.
        file: As CSV without a header, texts quoted.
    """

    table: pa.Table
    file: Path

    @property
    def megabytes(self) -> float:
        """Size of the CSV file, the measure of all rates."""
        return self.file.stat().st_size / 1e6


def make_rows(folder: Path, rows: int, seed: int) -> Rows:
    """Generate rows and write them as CSV.

    Args:
        folder: Where the file goes.
        rows: How many.
        seed: Which ones; the same seed gives the same rows.

    Raises:
        SettingsError: There are too few to fill every file.
    """
    if rows < MINIMUM_ROWS:
        raise SettingsError(f"{rows} rows are too few to be loaded as {FILES} files.", f"Take {MINIMUM_ROWS} at least.")
    table = _generated(rows, np.random.default_rng(seed))
    file = folder / "orders.csv"
    csv.write_csv(table, file, csv.WriteOptions(include_header=False))
    return Rows(table, file)


def slices() -> dict[tuple[str, str], str]:
    """The files the rows belong to, each with the version of its content."""
    return {(DATASET, _file(number)): "first version" for number in range(FILES)}


def make_tables(connection: Connection) -> None:
    """Make the bare table, and the one with a primary key, a foreign key and two indexes.

    Raises:
        psycopg2.Error: They are there already.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(_TABLES)


def _generated(rows: int, random: np.random.Generator) -> pa.Table:
    number = np.arange(rows)
    instants = _EPOCH + random.integers(0, _SPAN_MICROSECONDS, rows).astype("timedelta64[us]")
    files = pa.array([_file(one) for one in range(FILES)])
    notes = pa.array([None, "", 'a "quoted" word, and a comma', "größer als üblich", *map(_note, range(996))])
    cents = pa.array(random.integers(-999_999_99, 999_999_99, rows))
    columns = [
        pa.array(number * 1_000_003 + 10**12),
        pa.array(random.integers(0, CUSTOMERS, rows), pa.int32()),
        pa.repeat(DATASET, rows),
        files.take(pa.array(number * FILES // rows)),
        pa.array(random.integers(-50, 1000, rows), pa.int32()),
        _hundredths(cents),
        pa.array(random.normal(10, 3, rows)),
        pa.array(instants.astype("datetime64[D]")),
        pa.array(instants),
        notes.take(pa.array(random.integers(0, len(notes), rows))),
    ]
    return pa.table(columns, schema=SCHEMA)


def _file(number: int) -> str:
    return f"orders_2024_{number + 1:02}.csv"


def _note(number: int) -> str | None:
    return None if number % 4 == 0 else f"delivered by hand, parcel {number:05}"


def _hundredths(cents: pa.Array) -> pa.Array:
    """Integers as hundredths: the same digits, the point two places to the left."""
    digits = cents.cast(pa.decimal128(19, 0)).cast(pa.decimal128(38, 0))
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(digits), digits.buffers())
