"""What is looked for and changed in a database that others use, too."""

import json
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import extensions

from platform_assets.erasure.databases import Source, replaced_schemas, scan_database, scrub_database, vacuum
from platform_assets.erasure.proof import Found, Person
from platform_assets_tests.erasure.persons import people
from platform_assets_tests.warehouse.conftest import execute_alone
from platform_assets_tests.warehouse.rows import query

OWN = ("warehouse", "analytics", "quality", "ops")
NAMES = ("Özlem O'Şen", "李明")
PERSON = Person("CG-1", NAMES)
PEOPLE = people("CG-1", names=NAMES)


def execute(connection: extensions.connection, *statements: str) -> None:
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def scrub(connection: extensions.connection, *schemas: str) -> set[str]:
    noted: set[str] = set()
    scrub_database(Source(connection, schemas), PEOPLE, PERSON, noted.update)
    return noted


@pytest.fixture
def plain_database(server: str) -> Iterator[extensions.connection]:
    """An empty database whose letters are those of ASCII."""
    name = "plain_letters"
    execute_alone(server, f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    with closing(psycopg2.connect(f"{server} dbname={name}")) as connection:
        yield connection
    execute_alone(server, f"DROP DATABASE {name} WITH (FORCE)")


def test_schemas_of_others_are_neither_changed_nor_read(connection: extensions.connection) -> None:
    execute(
        connection,
        "CREATE SCHEMA hr",
        "CREATE SCHEMA quality_replaced_20240301120000",
        "CREATE TABLE hr.staff AS SELECT 'CG-1' AS customer_id, 'CG-1 called' AS said FROM generate_series(1, 9)",
        "CREATE TABLE quality_replaced_20240301120000.notes AS SELECT 'CG-1 called' AS said",
        "CREATE TABLE quality.notes AS SELECT 'CG-1 called' AS said",
        "ANALYZE hr.staff",
    )

    assert scan_database(Source(connection, OWN), PERSON) == [Found("quality.notes", "said", 1, is_person=True)]
    assert scrub(connection, *OWN) == {"quality.notes"}
    assert query(connection, "SELECT DISTINCT customer_id, said FROM hr.staff") == [("CG-1", "CG-1 called")]
    assert query(connection, "SELECT said FROM quality_replaced_20240301120000.notes") == [("CG-1 called",)]
    assert query(connection, "SELECT said FROM quality.notes") == [("FORGOTTEN called",)]


def test_a_schema_that_must_not_be_read_is_no_obstacle(connection: extensions.connection) -> None:
    granted = ", ".join(OWN)
    execute(
        connection,
        "CREATE SCHEMA hr",
        "CREATE TABLE hr.staff AS SELECT 'CG-1' AS customer_id",
        "CREATE ROLE clerk",
        f"GRANT USAGE ON SCHEMA {granted} TO clerk",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {granted} TO clerk",
        "SET ROLE clerk",
    )
    try:
        assert scan_database(Source(connection, OWN), PERSON) == []
    finally:
        execute(connection, "RESET ROLE", "DROP OWNED BY clerk", "DROP ROLE clerk")


def test_what_a_restore_has_moved_aside_is_listed(connection: extensions.connection) -> None:
    aside = ["quality_replaced_20240301120000", "warehouse_replaced_20240301120000"]
    others = ["hr_replaced_20240301120000", "quality_replaced_by_us", "my_quality_replaced_20240301120000"]
    execute(connection, *(f"CREATE SCHEMA {name}" for name in (*aside, *others)))

    assert replaced_schemas(Source(connection, OWN)) == aside


def test_rows_of_partitions_are_changed_and_counted_once_and_stored_views_are_only_looked_at(
    connection: extensions.connection,
) -> None:
    execute(
        connection,
        "CREATE TABLE quality.notes (at integer, said text) PARTITION BY RANGE (at)",
        "CREATE TABLE quality.first PARTITION OF quality.notes FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE quality.second PARTITION OF quality.notes FOR VALUES FROM (10) TO (20)",
        "INSERT INTO quality.notes VALUES (1, 'CG-1'), (11, 'CG-1'), (12, 'CG-11')",
        "CREATE MATERIALIZED VIEW quality.seen AS SELECT said FROM quality.notes WHERE at = 1",
    )

    found = scan_database(Source(connection, OWN), PERSON)
    changed = scrub(connection, *OWN)

    assert [(one.place, one.cells) for one in found] == [
        ("quality.first", 1),
        ("quality.second", 1),
        ("quality.seen", 1),
    ]
    assert changed == {"quality.first", "quality.second"}
    assert query(connection, "SELECT at, said FROM quality.notes ORDER BY at") == [
        (1, "FORGOTTEN"),
        (11, "FORGOTTEN"),
        (12, "CG-11"),
    ]
    assert query(connection, "SELECT said FROM quality.seen") == [("CG-1",)]


@pytest.mark.parametrize(
    "said",
    [
        "ÖZLEM O'ŞEN called",
        "özlem o'şen called",
        json.dumps({"who": "Özlem O'ŞEN", "what": "called"}),
        json.dumps({"event": json.dumps({"who": "özlem O'Şen"})}),
        "row " + json.dumps({"who": "ÖZLEM O'ŞEN"}),
        json.dumps(["李明"]),
    ],
)
def test_a_name_is_found_and_removed_whatever_the_locale_and_the_notation(
    plain_database: extensions.connection, said: str
) -> None:
    source = Source(plain_database, ("public",))
    execute(plain_database, "CREATE TABLE notes (said text)")
    with plain_database, plain_database.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES (%s), ('Ozlem OSen called')", (said,))

    found = scan_database(source, PERSON)
    scrub(plain_database, "public")

    assert found == [Found("public.notes", "said", 1, is_person=True)]
    assert scan_database(source, PERSON) == []
    after = [text for (text,) in query(plain_database, "SELECT said FROM notes ORDER BY ctid")]
    assert sum("FORGOTTEN" in text for text in after) == 1
    assert "Ozlem OSen called" in after


def test_tables_are_told_before_their_change_is_committed(connection: extensions.connection) -> None:
    execute(connection, "CREATE TABLE quality.notes AS SELECT 'CG-1 called' AS said")

    def fail(tables: set[str]) -> None:
        raise InterruptedError(",".join(tables))

    with pytest.raises(InterruptedError, match=r"^dagster: quality\.notes$"):
        scrub_database(Source(connection, OWN, "dagster: "), PEOPLE, PERSON, fail)
    assert query(connection, "SELECT said FROM quality.notes") == [("CG-1 called",)]


def test_only_tables_of_the_source_are_written_anew(connection: extensions.connection) -> None:
    execute(connection, 'CREATE TABLE quality."My notes" (said text)', "CREATE TABLE public.others (said text)")
    before = query(connection, _FILES)

    told = vacuum(Source(connection, OWN), ["quality.My notes", "public.others", "dagster: quality.gone"])
    after = query(connection, _FILES)

    assert told == []
    assert [old == new for (old,), (new,) in zip(before, after, strict=True)] == [False, True]


_FILES = """
    SELECT relfilenode FROM pg_class WHERE relname IN ('My notes', 'others') AND relkind = 'r' ORDER BY relname
"""


def test_what_the_login_may_not_write_anew_is_told(connection: extensions.connection) -> None:
    execute(connection, "CREATE ROLE clerk", "GRANT USAGE ON SCHEMA warehouse, quality TO clerk", "SET ROLE clerk")
    try:
        told = vacuum(Source(connection, OWN), [])
    finally:
        execute(connection, "RESET ROLE", "DROP OWNED BY clerk", "DROP ROLE clerk")

    assert any("pg_statistic" in line for line in told)
