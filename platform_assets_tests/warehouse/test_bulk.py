from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import pyarrow as pa
import pytest
from psycopg2 import errors, extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.bulk import SMALLEST_BULK, insert_staged
from platform_assets.warehouse.loading.staging import staged
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.schema.roles import assume_loader
from platform_assets_tests.warehouse.rows import query

TABLE = "warehouse.thing"
MADE = """
    CREATE TABLE warehouse.thing (
        thing_id bigint NOT NULL,
        name text,
        span int4range,
        channel_key bigint NOT NULL,
        CONSTRAINT thing_pkey PRIMARY KEY (thing_id),
        CONSTRAINT thing_name_key UNIQUE (name) DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT thing_span_excl EXCLUDE USING gist (span WITH &&) WHERE (thing_id > 5),
        CONSTRAINT thing_channel_fkey FOREIGN KEY (channel_key) REFERENCES warehouse.dim_channel (channel_key)
    );
    CREATE INDEX "Odd index" ON warehouse.thing (lower(name) DESC) WHERE channel_key > 0;
    CREATE INDEX thing_brin_idx ON warehouse.thing USING brin (thing_id) WITH (pages_per_range = 16);
    GRANT SELECT, INSERT, UPDATE, DELETE ON warehouse.thing TO retail_loader;
    ALTER TABLE warehouse.thing OWNER TO retail_owner
"""
SCHEMA = pa.schema([("thing_id", pa.int64()), ("name", pa.string()), ("channel_key", pa.int64())])
DEFINITIONS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'warehouse.thing'::regclass
    UNION ALL
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = 'warehouse.thing'::regclass
    ORDER BY 1, 2
"""
INDEX_FILES = "SELECT array_agg(indexrelid ORDER BY 1) FROM pg_index WHERE indrelid = 'warehouse.thing'::regclass"

Connect = Callable[[], extensions.connection]


@pytest.fixture
def owner(connection: extensions.connection) -> extensions.connection:
    """A superuser's connection to a database with one more table."""
    query(connection, MADE)
    return connection


@pytest.fixture
def loader(owner: extensions.connection, connect: Connect) -> extensions.connection:  # noqa: ARG001 - it has the table
    made = connect()
    assume_loader(made)
    return made


def things(number: int, channel: int = -1) -> pa.RecordBatch:
    ids = range(1, number + 1)
    return pa.record_batch([ids, [f"thing {i}" for i in ids], [channel] * number], schema=SCHEMA)


def load(connection: extensions.connection, rows: pa.RecordBatch) -> int:
    with transaction(connection) as cursor, staged(cursor, TABLE, SCHEMA, [rows]) as arrived:
        return insert_staged(cursor, TABLE, arrived, rows.num_rows, sql.SQL(""))


@contextmanager
def uncommitted(connection: extensions.connection) -> Iterator[extensions.cursor]:
    with connection.cursor() as cursor:
        yield cursor
    connection.rollback()


def test_a_loader_that_owns_nothing_loads_in_bulk_and_every_definition_is_as_before(
    owner: extensions.connection, loader: extensions.connection
) -> None:
    before, files = query(owner, DEFINITIONS), query(owner, INDEX_FILES)

    assert load(loader, things(SMALLEST_BULK)) == SMALLEST_BULK

    assert query(owner, DEFINITIONS) == before
    assert len(before) == 11, "two columns that are not null, four other constraints, five indexes"
    assert set(query(owner, INDEX_FILES)[0][0]).isdisjoint(files[0][0]), "the indexes were built anew"
    assert query(owner, "SELECT count(*) FROM warehouse.thing") == [(SMALLEST_BULK,)]
    assert query(owner, "SELECT reltuples::int FROM pg_class WHERE oid = 'warehouse.thing'::regclass") == [
        (SMALLEST_BULK,)
    ], "the planner knows how many rows there are"


def test_one_row_too_few_goes_in_row_by_row(owner: extensions.connection, loader: extensions.connection) -> None:
    files = query(owner, INDEX_FILES)

    load(loader, things(SMALLEST_BULK - 1))

    assert query(owner, INDEX_FILES) == files


def test_where_a_deferred_check_is_still_to_come_rows_go_in_row_by_row(
    owner: extensions.connection, loader: extensions.connection
) -> None:
    query(owner, "INSERT INTO warehouse.thing (thing_id, name, channel_key) VALUES (-1, 'a', -1), (-2, 'b', -1)")
    files = query(owner, INDEX_FILES)

    with transaction(loader) as cursor:
        cursor.execute("UPDATE warehouse.thing SET name = CASE name WHEN 'a' THEN 'b' ELSE 'a' END")
        load(loader, things(SMALLEST_BULK))

    assert query(owner, INDEX_FILES) == files
    assert query(owner, "SELECT count(*) FROM warehouse.thing") == [(SMALLEST_BULK + 2,)]


def test_rows_that_break_a_constraint_leave_table_and_constraints_as_they_were(
    owner: extensions.connection, loader: extensions.connection
) -> None:
    before, files = query(owner, DEFINITIONS), query(owner, INDEX_FILES)

    with pytest.raises(LoadError, match="thing_channel_fkey"):
        load(loader, things(SMALLEST_BULK, channel=404))

    assert (query(owner, DEFINITIONS), query(owner, INDEX_FILES)) == (before, files)
    assert query(owner, "SELECT count(*) FROM warehouse.thing") == [(0,)]


@pytest.mark.parametrize("trick", ["SELECT 1", "SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"])
def test_what_is_put_aside_and_not_put_back_cannot_be_committed(
    owner: extensions.connection, loader: extensions.connection, trick: str
) -> None:
    before = query(owner, DEFINITIONS)

    with pytest.raises(errors.IntegrityConstraintViolation, match="has not been put back"):
        query(loader, f"SELECT ops.put_aside('warehouse.thing'); {trick}")

    assert query(owner, DEFINITIONS) == before


def test_the_memory_of_what_is_put_aside_is_closed_to_the_loader(loader: extensions.connection) -> None:
    for statement in ("DELETE FROM ops.put_aside", "SELECT FROM ops.put_aside", "TRUNCATE ops.put_aside"):
        with pytest.raises(errors.InsufficientPrivilege):
            query(loader, f"SELECT ops.put_aside('warehouse.thing'); {statement}")


def test_a_rollback_to_a_savepoint_puts_everything_back(
    owner: extensions.connection, loader: extensions.connection
) -> None:
    before = query(owner, DEFINITIONS)

    query(loader, "SAVEPOINT s; SELECT ops.put_aside('warehouse.thing'); ROLLBACK TO SAVEPOINT s")

    assert query(owner, DEFINITIONS) == before


def test_broken_rows_cannot_be_put_under_constraints_that_come_back(
    owner: extensions.connection, loader: extensions.connection
) -> None:
    rows = "INSERT INTO warehouse.thing (thing_id, channel_key) VALUES (1, -1), (1, -1)"

    with pytest.raises(errors.UniqueViolation):
        query(loader, f"SELECT ops.put_aside('warehouse.thing'); {rows}; SELECT ops.put_back('warehouse.thing')")

    assert query(owner, "SELECT count(*) FROM warehouse.thing") == [(0,)]


def test_twice_aside_and_twice_back_is_the_same_as_once(
    owner: extensions.connection, loader: extensions.connection
) -> None:
    before = query(owner, DEFINITIONS)
    calls = ("put_aside", "put_aside", "put_back", "put_back")

    with loader, loader.cursor() as cursor:
        counts = []
        for function in calls:
            cursor.execute(f"SELECT ops.{function}('warehouse.thing')")
            counts.append(cursor.fetchone())

    assert counts == [(6,), (0,), (6,), (0,)]
    assert query(owner, DEFINITIONS) == before


@pytest.mark.parametrize(
    "table", ["ops.audit_log", "ops.put_aside", "pg_catalog.pg_class", "public.somebodys", "pg_temp.mine"]
)
def test_only_tables_with_loaded_rows_have_anything_put_aside(
    owner: extensions.connection, loader: extensions.connection, table: str
) -> None:
    query(owner, "CREATE TABLE public.somebodys (id int PRIMARY KEY)")
    with uncommitted(loader) as cursor:
        cursor.execute("CREATE TEMPORARY TABLE mine (id int PRIMARY KEY)")
        cursor.execute("SELECT ops.put_aside(%s), ops.put_back(%s)", (table, table))

        assert cursor.fetchone() == (0, 0)


@pytest.mark.parametrize("role", ["retail_analyst", "retail_auditor", "a_stranger"])
@pytest.mark.parametrize("function", ["can_be_put_aside", "put_aside", "put_back"])
def test_nobody_but_the_loader_puts_anything_aside(owner: extensions.connection, role: str, function: str) -> None:
    with uncommitted(owner) as cursor:
        cursor.execute("CREATE ROLE a_stranger; GRANT USAGE ON SCHEMA ops TO a_stranger")
        cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(f"SELECT ops.{function}('warehouse.thing')")
