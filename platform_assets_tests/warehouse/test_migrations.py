import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import psycopg2
import pytest
from psycopg2 import sql

from platform_assets.errors import PlatformError
from platform_assets.warehouse.schema.migrations import Migrated, migrate, plan_migrations
from platform_assets.warehouse.schema.sql_files import SQL, read_migrations, read_views
from platform_assets_tests.warehouse.conftest import Connect, execute_alone
from platform_assets_tests.warehouse.rows import query

NAMES = [path.name for path in sorted((SQL / "migrations").glob("*.sql"))]
VIEWS = [f"views/{path.name}" for path in sorted((SQL / "views").glob("*.sql"))]
ROLES = ["roles.sql"]
VIEW = "CREATE VIEW ops.{name} AS SELECT {value} AS value FROM ops.schema_migrations;"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the files, to change."""
    return Path(shutil.copytree(SQL, tmp_path / "sql"))


@pytest.fixture
def plain_login(server: str, empty_database: str) -> Iterator[str]:
    """Address of an empty database for its owner, who may make schemas in it and no roles."""
    name = empty_database.rsplit("=", 1)[-1]
    execute_alone(server, "CREATE ROLE plain LOGIN")
    execute_alone(server, sql.SQL("ALTER DATABASE {} OWNER TO plain").format(sql.Identifier(name)))
    try:
        yield empty_database.replace("user=postgres", "user=plain")
    finally:
        execute_alone(server, sql.SQL("ALTER DATABASE {} OWNER TO postgres").format(sql.Identifier(name)))
        with closing(psycopg2.connect(empty_database)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY plain CASCADE")
        execute_alone(server, "DROP ROLE plain")


def migrate_at(address: str, folder: Path = SQL, *, again: bool = False) -> Migrated:
    with closing(psycopg2.connect(address)) as connection:
        return migrate(connection, folder, again=again)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def write_view(folder: Path, name: str, value: int) -> None:
    write(folder, f"views/ops.{name}.sql", VIEW.format(name=name, value=value))


def test_every_file_is_run_once_and_in_order(empty_database: str) -> None:
    assert migrate_at(empty_database) == Migrated(applied=(*NAMES, *VIEWS, *ROLES))
    assert migrate_at(empty_database) == Migrated()
    assert query(empty_database, "SELECT name FROM ops.schema_migrations ORDER BY 1") == [(name,) for name in NAMES]
    assert query(empty_database, 'SELECT name, refusal FROM ops.repeatable_files ORDER BY name COLLATE "C"') == [
        (name, None) for name in sorted(VIEWS + ROLES)
    ]


def test_a_plan_tells_what_would_be_run_and_changes_nothing(empty_database: str) -> None:
    with closing(psycopg2.connect(empty_database)) as connection:
        assert plan_migrations(connection).names == (*NAMES, *VIEWS, *ROLES)
    assert query(empty_database, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ops'") == [(0,)]


def test_a_changed_file_is_refused_by_name(database: str, folder: Path) -> None:
    write(folder, f"migrations/{NAMES[1]}", "SELECT 1;")
    with pytest.raises(PlatformError, match=NAMES[1]):
        migrate_at(database, folder)


def test_other_line_ends_are_no_change(database: str, folder: Path) -> None:
    for path in folder.rglob("*.sql"):
        path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8", newline="\r\n")
    assert migrate_at(database, folder) == Migrated()


def test_a_database_that_is_ahead_of_the_files_is_refused(database: str, folder: Path) -> None:
    (folder / "migrations" / NAMES[-1]).unlink()
    with pytest.raises(PlatformError, match=NAMES[-1]):
        migrate_at(database, folder)


def test_a_new_file_is_applied_alone_and_views_and_roles_are_made_again(database: str, folder: Path) -> None:
    write(folder, "migrations/9000_more.sql", "CREATE TABLE ops.more (id int);")
    assert migrate_at(database, folder).applied == ("9000_more.sql", *VIEWS, *ROLES)


def test_a_file_numbered_before_applied_ones_is_refused(database: str, folder: Path) -> None:
    write(folder, "migrations/0000_late.sql", "SELECT 1;")
    with pytest.raises(PlatformError, match=r"0000_late\.sql would come before"):
        migrate_at(database, folder)


@pytest.mark.parametrize("bad", ["migrations/9001_bad.sql", "views/ops.bad.sql", "roles.sql"])
def test_a_failing_file_leaves_nothing_behind_of_any_file(database: str, folder: Path, bad: str) -> None:
    before = query(database, "SELECT * FROM ops.repeatable_files ORDER BY 1")
    write(folder, "migrations/9000_good.sql", "CREATE TABLE ops.good (id int);")
    write(folder, bad, "CREATE TABLE ops.half (id int); SELECT 1 / 0;")
    with pytest.raises(PlatformError, match=r"failed, and nothing was changed: division by zero"):
        migrate_at(database, folder)
    assert query(database, "SELECT to_regclass('ops.good'), to_regclass('ops.half')") == [(None, None)]
    assert query(database, "SELECT * FROM ops.repeatable_files ORDER BY 1") == before
    assert query(database, "SELECT count(*) FROM ops.schema_migrations") == [(len(NAMES),)]


@pytest.mark.parametrize(
    ("name", "message"),
    [("0001_again.sql", "several migrations have the number 0001"), ("notes.sql", r"not named NNNN_name\.sql: notes")],
)
def test_files_that_have_no_clear_order_are_refused(folder: Path, name: str, message: str) -> None:
    write(folder, f"migrations/{name}", "SELECT 1;")
    with pytest.raises(PlatformError, match=f"(?i){message}"):
        read_migrations(folder)


def test_a_view_whose_file_does_not_name_its_schema_is_refused(folder: Path) -> None:
    write(folder, "views/sales.sql", "SELECT 1;")
    with pytest.raises(PlatformError, match=r"Not named schema\.name\.sql: sales\.sql"):
        read_views(folder)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="no migrations"):
        read_migrations(tmp_path)


def test_processes_that_migrate_at_the_same_time_run_each_file_once(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate_at, [empty_database] * 4))
    assert sorted(len(one.applied) for one in done) == [0, 0, 0, len(NAMES + VIEWS + ROLES)]


def test_readers_see_the_old_tables_until_all_files_have_been_run(
    database: str, folder: Path, connect: Connect
) -> None:
    write(folder, "migrations/9000_one.sql", "CREATE TABLE ops.one (id int);")
    write(folder, "migrations/9001_two.sql", "SELECT pg_advisory_xact_lock(7);")
    holder, watcher, waiting = connect(), connect(), Event()
    with holder.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("SELECT pg_advisory_xact_lock(7)")
        work = pool.submit(migrate_at, database, folder)
        while query(watcher, "SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]:
            assert not work.done()
            waiting.wait(0.01)
        assert query(watcher, "SELECT to_regclass('ops.one')") == [(None,)]
        holder.rollback()
        assert work.result(60).applied[:2] == ("9000_one.sql", "9001_two.sql")
    assert query(connect(), "SELECT to_regclass('ops.one')::text") == [("ops.one",)]


def test_a_changed_view_is_made_again_alone_and_a_gone_one_is_dropped(database: str, folder: Path) -> None:
    write_view(folder, "first", 1)
    write_view(folder, "second", 1)
    assert migrate_at(database, folder).applied == ("views/ops.first.sql", "views/ops.second.sql", *ROLES)
    query(database, "CREATE VIEW public.on_second AS SELECT value FROM ops.second")

    write_view(folder, "first", 2)
    assert migrate_at(database, folder).applied == ("views/ops.first.sql", *ROLES)
    assert query(database, "SELECT DISTINCT value FROM ops.first") == [(2,)]

    (folder / "views/ops.first.sql").unlink()
    assert migrate_at(database, folder) == Migrated(gone=("views/ops.first.sql",))
    assert query(database, "SELECT to_regclass('ops.first')") == [(None,)]
    assert migrate_at(database, folder) == Migrated()


def test_a_view_does_not_stand_in_the_way_of_what_a_migration_does_to_its_tables(database: str, folder: Path) -> None:
    write(folder, "migrations/9000_one.sql", "CREATE TABLE ops.one (id int, more int);")
    write(folder, "views/ops.wide.sql", "CREATE VIEW ops.wide AS SELECT id, more FROM ops.one;")
    migrate_at(database, folder)
    write(folder, "migrations/9001_less.sql", "ALTER TABLE ops.one DROP COLUMN more;")
    write(folder, "views/ops.wide.sql", "CREATE VIEW ops.wide AS SELECT id FROM ops.one;")
    assert migrate_at(database, folder).applied[0] == "9001_less.sql"
    assert query(database, "SELECT * FROM ops.wide") == []


def test_a_view_of_a_user_that_hangs_on_one_of_ours_is_named_and_nothing_is_lost(database: str, folder: Path) -> None:
    write_view(folder, "first", 1)
    migrate_at(database, folder)
    query(database, "CREATE VIEW public.mine AS SELECT value FROM ops.first")
    write_view(folder, "first", 2)
    with pytest.raises(PlatformError, match=r"view (public\.)?mine depends on view ops\.first") as refused:
        migrate_at(database, folder)
    assert "drop it, run ./platform migrate, and make it again" in refused.value.remedy
    assert query(database, "SELECT DISTINCT value FROM public.mine") == [(1,)]


def test_a_file_that_makes_another_view_than_its_name_says_is_refused(database: str, folder: Path) -> None:
    write(folder, "views/ops.promised.sql", VIEW.format(name="made", value=1))
    with pytest.raises(PlatformError, match=r"makes no view ops\.promised"):
        migrate_at(database, folder)


def test_roles_are_run_again_when_their_text_changed(database: str, folder: Path) -> None:
    text = (folder / "roles.sql").read_text(encoding="utf-8")
    write(folder, "roles.sql", f"{text}\nCOMMENT ON SCHEMA ops IS 'changed';")
    assert migrate_at(database, folder) == Migrated(applied=("roles.sql",))
    assert query(database, "SELECT obj_description('ops'::regnamespace)") == [("changed",)]


def test_a_login_that_may_not_make_roles_gets_everything_else_and_is_told(plain_login: str, folder: Path) -> None:
    write(folder, "roles.sql", "CREATE TABLE ops.half (id int); CREATE ROLE unmakeable;")
    done = migrate_at(plain_login, folder)
    assert done.applied == (*NAMES, *VIEWS)
    assert done.refusal is not None
    assert "permission denied to create role" in done.refusal
    assert query(plain_login, "SELECT to_regclass('ops.half')") == [(None,)]
    # It is not tried again by every connection, but by who asks for it.
    assert migrate_at(plain_login, folder) == Migrated()
    assert migrate_at(plain_login, folder, again=True) == Migrated(refusal=done.refusal)


def test_roles_that_were_refused_are_run_when_it_is_allowed(empty_database: str, folder: Path) -> None:
    refusing = "DO $$ BEGIN RAISE EXCEPTION 'not you' USING ERRCODE = 'insufficient_privilege', HINT = 'ask'; END $$;"
    text = (folder / "roles.sql").read_text(encoding="utf-8")
    write(folder, "roles.sql", refusing)
    assert migrate_at(empty_database, folder).refusal == "not you. ask"
    write(folder, "roles.sql", text)
    assert migrate_at(empty_database, folder) == Migrated(applied=("roles.sql",))
    assert query(empty_database, "SELECT refusal FROM ops.repeatable_files WHERE name = 'roles.sql'") == [(None,)]


def test_what_was_run_is_in_the_audit_trail(database: str, folder: Path) -> None:
    write(folder, "migrations/9000_more.sql", "CREATE TABLE ops.more (id int);")
    migrate_at(database, folder)
    assert query(
        database,
        "SELECT kind, object, details -> 'files' ->> 0 FROM ops.audit_log ORDER BY entry_id DESC LIMIT 2",
    ) == [("grant", "sql/roles.sql", None), ("migrate", "sql", "9000_more.sql")]
