"""The audit trail: everything leaves its entry, none can be changed unnoticed, and none keeps others waiting."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest
from psycopg2 import errors, extensions

from platform_assets.warehouse.audited import apply_audited
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.loads import SliceLoad
from platform_assets.warehouse.schema.roles import assume_loader
from platform_assets.warehouse.trail import audit
from platform_assets.warehouse.trail.audit import record, record_login
from platform_assets.warehouse.trail.history_read import Wanted, read_history
from platform_assets.warehouse.trail.runs import introduce, register_run
from platform_assets_tests.warehouse.conftest import Connect
from platform_assets_tests.warehouse.rows import DATASET, SALES, SALES_SCHEMA, load_sales, query, sale, sales

BROKEN = "SELECT entry_id, problem FROM ops.audit_verify()"
LAST = "SELECT entry_id FROM ops.audit_log ORDER BY 1 DESC LIMIT 1"


def add(connection: extensions.connection, *objects: str) -> int:
    """Add entries, and return the position of the last."""
    for one in objects:
        with transaction(connection) as cursor:
            record(cursor, "delete", one, {"rows": 1})
    return int(query(connection, LAST)[0][0])


def test_an_entry_says_who_did_what_when_and_carries_the_hash_of_the_one_before(connect: Connect) -> None:
    connection = connect()
    before = query(connection, "SELECT hash FROM ops.audit_log ORDER BY entry_id DESC LIMIT 1")[0][0]
    assume_loader(connection)
    run, _ = register_run(connection, "run1")
    introduce(connection, run, "step1")
    with transaction(connection) as cursor:
        returned = record(cursor, "delete", "warehouse.fct_sales", {"rows": 3, "ünicode": ["a", None]})
    (entry,) = query(
        connect(),
        "SELECT entry_id, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), actor_role,"
        " login_role, application, run_id, step, kind, object, details::text, previous_hash, hash"
        " FROM ops.audit_log ORDER BY entry_id DESC LIMIT 1",
    )
    *said, details, previous, own = entry
    expected = ("retail_loader", "postgres", "", "run1", "step1", "delete", "warehouse.fct_sales")
    assert tuple(said[2:]) == expected
    assert json.loads(details) == {"rows": 3, "ünicode": ["a", None]}
    # The published recipe, by hand: the hash before, and a JSON array of the values as PostgreSQL writes jsonb.
    text = f"{json.dumps(said, ensure_ascii=False)[:-1]}, {details}]"
    assert previous == before
    assert own == returned == hashlib.sha256((before + text).encode()).hexdigest()


def test_a_new_trail_is_whole_and_stays_so(connection: extensions.connection) -> None:
    assert query(connection, BROKEN) == []
    add(connection, "a", "b", "c")
    assert query(connection, BROKEN) == []
    assert query(connection, "SELECT count(*) = max(entry_id) AND min(entry_id) = 1 FROM ops.audit_log") == [(True,)]


def test_an_entry_of_a_transaction_that_failed_leaves_no_gap(connection: extensions.connection) -> None:
    last = add(connection, "a")
    with transaction(connection) as cursor:
        record(cursor, "delete", "b")
        connection.rollback()
    assert add(connection, "c") == last + 1
    assert query(connection, BROKEN) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ops.audit_log SET details = '{}'",
        "UPDATE ops.audit_log SET details = '{}' WHERE false",
        "DELETE FROM ops.audit_log",
        "TRUNCATE ops.audit_log",
    ],
)
@pytest.mark.parametrize("setting", ["SELECT 1", "SET session_replication_role = replica"])
def test_not_even_a_superuser_changes_an_entry_by_the_way(
    connection: extensions.connection, statement: str, setting: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="append-only"):
        query(connection, f"{setting}; {statement}")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ops.audit_log SELECT * FROM ops.audit_log",
        "UPDATE ops.audit_log SET details = '{}'",
        "DELETE FROM ops.audit_log",
        "TRUNCATE ops.audit_log",
        "ALTER TABLE ops.audit_log DISABLE TRIGGER ALL",
        "DROP TABLE ops.audit_log",
        "UPDATE ops.load_fences SET epoch = 0",
        "DELETE FROM ops.runs",
        "INSERT INTO ops.runs (run_id, role, host, code_version) VALUES ('', '', '', '')",
    ],
)
def test_the_loader_appends_and_does_nothing_else(connection: extensions.connection, statement: str) -> None:
    assume_loader(connection)
    with transaction(connection) as cursor:
        record(cursor, "load", "warehouse.fct_sales")
    with pytest.raises(errors.InsufficientPrivilege):
        query(connection, statement)


@pytest.mark.parametrize(
    ("tampering", "offset", "problem"),
    [
        ("UPDATE ops.audit_log SET details = '{\"rows\": 2}' WHERE entry_id = %(b)s", 1, "it was changed"),
        ("UPDATE ops.audit_log SET actor_role = 'someone' WHERE entry_id = %(b)s", 1, "it was changed"),
        ("UPDATE ops.audit_log SET recorded_at = recorded_at - interval '1 us' WHERE entry_id = %(b)s", 1, "was chang"),
        ("UPDATE ops.audit_log SET hash = repeat('0', 64) WHERE entry_id = %(b)s", 1, "it was changed"),
        ("DELETE FROM ops.audit_log WHERE entry_id = %(b)s", 1, "the entry is missing"),
        (
            """DELETE FROM ops.audit_log WHERE entry_id = %(b)s;
            UPDATE ops.audit_log SET entry_id = entry_id - 1 WHERE entry_id > %(b)s""",
            1,
            "it does not follow",
        ),
        # A row changed and given the hash that fits it: then the next one does not.
        (
            """UPDATE ops.audit_log SET details = '{}' WHERE entry_id = %(b)s;
            UPDATE ops.audit_log AS a SET hash = ops.audit_hash(a) WHERE entry_id = %(b)s""",
            2,
            "it does not follow",
        ),
        # Two rows in each other's place.
        (
            """UPDATE ops.audit_log SET entry_id = -1 WHERE entry_id = %(b)s;
            UPDATE ops.audit_log SET entry_id = %(b)s WHERE entry_id = %(b)s + 1;
            UPDATE ops.audit_log SET entry_id = %(b)s + 1 WHERE entry_id = -1""",
            1,
            "it does not follow",
        ),
    ],
)
def test_whoever_disables_the_trigger_and_tampers_is_found_out(
    connection: extensions.connection, tampering: str, offset: int, problem: str
) -> None:
    last = add(connection, "a", "b", "c", "d")
    second = last - 2
    with connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ops.audit_log DISABLE TRIGGER audit_log_is_append_only")
        cursor.execute(tampering, {"b": second})
        cursor.execute("ALTER TABLE ops.audit_log ENABLE ALWAYS TRIGGER audit_log_is_append_only")
    ((entry_id, told),) = query(connection, BROKEN)
    assert entry_id == second + offset - 1
    assert problem in told
    assert read_history(connection, Wanted(), 1).chain.broken_at == entry_id


def test_many_writers_at_once_make_one_chain(connect: Connect) -> None:
    last = add(connect(), "first")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda connection: add(connection, *map(str, range(10))), [connect() for _ in range(4)]))
    assert query(connect(), LAST) == [(last + 40,)]
    assert query(connect(), BROKEN) == []


def test_a_load_that_takes_an_hour_keeps_nobody_from_recording_meanwhile(connect: Connect) -> None:
    load_sales(connect(), {}, [])
    hourly, other = connect(), connect()

    def slowly(*_: object) -> object:
        # In the midst of the load: a second login records something, and waits for nothing.
        query(other, "SET lock_timeout = '100ms'")
        query(other, "SELECT ops.audit('export', 'something')")
        return sales([sale("a.csv", 1)])

    load = SliceLoad(SALES, {DATASET: {"a.csv": "1"}}, slowly, SALES_SCHEMA)  # type: ignore[arg-type]
    apply_audited(hourly, load, {})
    kinds = query(other, "SELECT kind FROM ops.audit_log ORDER BY entry_id DESC LIMIT 2")
    assert kinds == [("load",), ("export",)]


def test_a_load_and_its_entry_are_committed_together(connect: Connect) -> None:
    load_sales(connect(), {}, [])
    last = add(connect(), "before")
    rows = [sale("a.csv", 1), sale("a.csv", 1)]
    load = SliceLoad(SALES, {DATASET: {"a.csv": "1"}}, lambda *_: sales(rows), SALES_SCHEMA)
    with pytest.raises(Exception, match="duplicate key"):
        apply_audited(connect(), load, {})
    assert query(connect(), LAST) == [(last,)]


def test_a_load_tells_its_rows_and_what_became_of_every_file(connect: Connect) -> None:
    connection = connect()
    load_sales(
        connection, {"a.csv": "1", "b.csv": "1", "c.csv": "1"}, [sale(f, 1) for f in ("a.csv", "b.csv", "c.csv")]
    )
    lines = [sale("a.csv", 1), sale("a.csv", 2), sale("d.csv", 1)]
    wanted = {DATASET: {"a.csv": "2", "b.csv": "1", "d.csv": "1"}}
    loaded = apply_audited(connection, SliceLoad(SALES, wanted, lambda *_: sales(lines), SALES_SCHEMA), {"asset": "x"})

    assert loaded.rows == 4
    (entry,) = read_history(connection, Wanted(table=SALES), 1).entries
    told = dict(entry.details)
    assert told.pop("seconds") > 0
    files = told.pop("files")
    assert {name: told[name] for name in ("asset", "rows", "inserted", "deleted")} == {
        "asset": "x",
        "rows": 4,
        "inserted": 3,
        "deleted": 2,
    }
    assert [(one["source_file"], one["change"], one["loaded_rows"]) for one in files] == [
        ("a.csv", "changed", 2),
        ("c.csv", "removed", 1),
        ("d.csv", "new", 1),
    ]
    history = query(connection, "SELECT source_file, change, loaded_rows FROM ops.file_history ORDER BY 1")
    assert history == [("a.csv", "changed", 2), ("c.csv", "removed", 1), ("d.csv", "new", 1)]


def test_a_process_leaves_one_login_for_each_database(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = "SELECT object = current_database(), details ->> 'user' FROM ops.audit_log WHERE kind = 'login'"
    monkeypatch.setattr(audit, "_logins", set())
    record_login(connect())
    record_login(connect())
    assert query(connect(), logins) == [(True, audit.user())]


def test_a_login_that_may_only_read_the_trail_leaves_no_entry_and_no_error(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_logins", set())
    with closing(psycopg2.connect(database)) as connection:
        query(connection, "SET SESSION AUTHORIZATION retail_auditor")
        record_login(connection)
        assert query(connection, "SELECT count(*) FROM ops.audit_log WHERE kind = 'login'") == [(0,)]


def test_history_is_asked_for_by_table_file_and_run(connect: Connect) -> None:
    load_sales(connect(), {}, [])
    for run_id, file in (("aaaa-1", "a.csv"), ("bbbb-2", "b.csv")):
        connection = connect()
        run, _ = register_run(connection, run_id)
        introduce(connection, run, "step")
        wanted = {DATASET: {"a.csv": "1"} | {file: "1"}}
        load = SliceLoad(SALES, wanted, lambda *_, file=file: sales([sale(file, 1)]), SALES_SCHEMA)
        apply_audited(connection, load, {})
    add(connect(), "elsewhere")

    def found(limit: int = 10, **asked: str) -> list[str | None]:
        return [entry.run_id for entry in read_history(connect(), Wanted(**asked), limit).entries]

    assert found(table="fct_sales") == found(table=SALES) == ["bbbb-2", "aaaa-1"]
    assert found(file="a.csv") == ["aaaa-1"]
    assert found(run="bbbb") == ["bbbb-2"]
    assert found(table=SALES, limit=1) == ["bbbb-2"]
    history = read_history(connect(), Wanted(table=SALES), 1)
    assert history.count == 2
    assert [(file.source_file, file.loaded_rows) for file in history.files] == [("a.csv", 1), ("b.csv", 1)]
    (run_seen,) = read_history(connect(), Wanted(run="bbbb"), 1).runs
    assert run_seen.run_id == "bbbb-2"
