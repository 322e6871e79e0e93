"""``history`` and ``migrate`` as people see them."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn
from rich.console import Console

from platform_assets.cli import history as command
from platform_assets.cli.main import main
from platform_assets.cli.migrate import _print_done
from platform_assets.cli.quarantine import export, show
from platform_assets.errors import PlatformError
from platform_assets.services.postgres import ensure_postgres
from platform_assets.settings import Settings
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.schema.migrations import Migrated, migrate
from platform_assets.warehouse.trail import audit
from platform_assets.warehouse.trail.audit import record, user
from platform_assets.warehouse.trail.history_read import Chain, Entry, HeldFile, History, RunSeen, Wanted

AT = datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
WHOLE = Chain(length=1234, hash="abcdef0123456789" * 4, broken_at=None, problem=None)
FILES = [
    {"dataset": "d", "source_file": "may.csv", "change": "changed", "loaded_rows": 12345, "slice_id": "1"},
    {"dataset": "d", "source_file": "june.csv", "change": "new", "loaded_rows": 1, "slice_id": "1"},
]


def entry(**changes: object) -> Entry:
    values = {
        "entry_id": 7,
        "recorded_at": AT,
        "actor_role": "retail_loader",
        "login_role": "postgres",
        "application": "platform",
        "run_id": "0123456789",
        "step": "warehouse__fct_sales",
        "kind": "load",
        "object": "warehouse.fct_sales",
        "details": {"inserted": 12346, "deleted": 1200, "seconds": 1.52, "files": FILES},
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]


def history(*entries: Entry, chain: Chain = WHOLE, count: int | None = None, **parts: object) -> History:
    values = {"chain": chain, "count": count or len(entries), "entries": entries, "files": (), "runs": (), **parts}
    return History(**values)  # type: ignore[arg-type]


def printed(shown: History, **wanted: str) -> str:
    text = io.StringIO()
    command._print(shown, Wanted(**wanted), Console(file=text, width=250, color_system=None))
    return text.getvalue().replace("\N{MINUS SIGN}", "-")


def test_an_entry_tells_when_what_how_much_who_and_in_which_run() -> None:
    text = printed(history(entry()))
    for expected in (
        "2024-03-01 09:30 UTC",
        "warehouse.fct_sales",
        "+12,346 -1,200 rows, 2 files, 1.5 s",
        "retail_loader (postgres)",
        "01234567 ",
        "warehouse__fct_sales",
        "Audit trail: 1,234 entries, whole; it ends with abcdef0123456789.",
    ):
        assert expected in text


def test_a_file_is_shown_with_what_became_of_it_and_no_other() -> None:
    text = printed(history(entry()), file="may.csv")
    assert "changed" in text
    assert "12,345" in text
    assert "june.csv" not in text


def test_what_is_held_now_is_summed_up_and_cut() -> None:
    files = [
        HeldFile(table_name="t", dataset="d", source_file=f"{n}.csv", slice_id="1", loaded_rows=1000, loaded_at=AT)
        for n in range(25)
    ]
    text = printed(history(entry(), files=tuple(files)))
    assert "Held now: 25,000 rows of 25 files" in text
    assert "and 5 more files" in text


def test_a_run_is_shown_with_where_it_ran() -> None:
    run = RunSeen(run_id="0123456789", epoch=1234, started_at=AT, role="loader", host="box", code_version="1.2")
    text = printed(history(entry(), runs=(run,)))
    assert "Run 0123456789: came 2024-03-01 09:30 UTC by loader on box, version 1.2, epoch 1,234" in text


def test_entries_that_are_not_shown_are_counted() -> None:
    assert "1 of 2,000 entries; more with --limit" in printed(history(entry(), count=2000))


def test_a_broken_trail_is_told_with_its_place() -> None:
    broken = Chain(length=9, hash="0", broken_at=1005, problem="it was changed after it had been recorded")
    assert "AUDIT TRAIL BROKEN at entry 1,005: it was changed after" in printed(history(entry(), chain=broken))


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"inserted": 0, "updated": 0, "seconds": 0.04, "files": []}, "nothing to do, 0.0 s"),
        ({"inserted": 1, "updated": 2, "deleted": 3}, "+1 ~2 -3 rows"),
        ({"files": ["0010_operations.sql"]}, "1 file"),
        ({"lines": 1}, "1 line"),
        ({"host": "box"}, ""),
    ],
)
def test_how_much_is_told_of_what_is_known(details: dict[str, object], told: str) -> None:
    assert command.extent(details).replace("\N{MINUS SIGN}", "-") == told


@pytest.fixture
def run_command(shared_settings: Settings, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Gives a command to the shared home, and returns its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--home", str(shared_settings.home)])
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def fresh_warehouse(shared_settings: Settings) -> Iterator[str]:
    """Address of the shared home's warehouse, with nothing in it; nothing of it is left for other tests."""
    dsn = ensure_postgres(shared_settings).dsn
    empty(dsn)
    yield dsn
    empty(dsn)


def empty(dsn: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS warehouse, analytics, quality, ops CASCADE")


@pytest.mark.usefixtures("fresh_warehouse")
def test_a_plan_is_printed_then_done_then_empty(run_command: Callable[..., tuple[int, str]]) -> None:
    code, planned = run_command("migrate", "--plan")
    assert code == 0
    assert "would run   0001_schemas.sql" in planned
    assert "would run   roles.sql" in planned
    assert planned.endswith("Nothing was changed.\n")
    code, done = run_command("migrate")
    assert code == 0
    assert [line.split()[-1] for line in done.splitlines()] == [
        line.split()[-1] for line in planned.splitlines() if line.startswith("would run")
    ]
    for arguments in (["migrate"], ["migrate", "--plan"]):
        assert run_command(*arguments) == (0, "Nothing to do: the warehouse is up to date with sql/.\n")


def test_roles_that_were_refused_are_told_with_what_an_administrator_has_to_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _print_done(Migrated(applied=("0001_a.sql",), refusal="permission denied to create role"), "retail")
    text = capsys.readouterr().out
    assert "ran      0001_a.sql" in text
    assert "NOT RUN  roles.sql: permission denied to create role." in text
    assert "psql -d retail --single-transaction -v ON_ERROR_STOP=1 -f sql/roles.sql" in text


def test_history_is_read_from_the_warehouse_for_people_and_programs(
    fresh_warehouse: str, run_command: Callable[..., tuple[int, str]]
) -> None:
    with closing(psycopg2.connect(fresh_warehouse)) as connection:
        migrate(connection)
        with transaction(connection) as cursor:
            record(cursor, "export", "superstore_sales", {"lines": 1500, "user": user()})
    code, text = run_command("history", "superstore_sales")
    assert code == 0
    assert "export" in text
    assert "1,500 lines" in text
    assert user() in text
    code, text = run_command("history", "superstore_sales", "--format", "json")
    told = json.loads(text)
    assert [one["details"]["lines"] for one in told["entries"]] == [1500]
    assert told["chain"]["broken_at"] is None

    with closing(psycopg2.connect(fresh_warehouse)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ops.audit_log DISABLE TRIGGER ALL")
        cursor.execute("UPDATE ops.audit_log SET details = '{}' WHERE kind = 'export'")
    code, text = run_command("history")
    assert code == 1
    assert "AUDIT TRAIL BROKEN" in text


def test_a_login_without_the_right_is_told_so_in_words(
    fresh_warehouse: str, shared_settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(psycopg2.connect(fresh_warehouse)) as connection:
        migrate(connection)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE ROLE only_loads LOGIN IN ROLE retail_loader")
    monkeypatch.setenv("PLATFORM_POSTGRES_URL", make_url_of(fresh_warehouse, "only_loads"))
    assert main(["history", "--home", str(shared_settings.home)]) == 1
    assert "has no schema dagster, and this login may not make one" in capsys.readouterr().err
    with closing(psycopg2.connect(fresh_warehouse)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA dagster")
    try:
        assert main(["history", "--home", str(shared_settings.home)]) == 1
    finally:
        with closing(psycopg2.connect(fresh_warehouse)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("DROP ROLE only_loads; DROP SCHEMA dagster")
    told = capsys.readouterr().err
    assert "error: This login has not the right to do that: permission denied for" in told
    assert "docs/security.md" in told


def make_url_of(dsn: str, user: str) -> str:
    """The address of a database as a URL, for another login."""
    parts = parse_dsn(dsn)
    return f"postgresql://{user}@/{parts['dbname']}?host={parts['host']}"


def test_what_is_not_recorded_and_limits_that_show_nothing_are_explained(
    fresh_warehouse: str, shared_settings: Settings
) -> None:
    with closing(psycopg2.connect(fresh_warehouse)) as connection:
        migrate(connection)
    with pytest.raises(PlatformError, match=r"Nothing is recorded of table x, file y\."):
        command.show_history(shared_settings, Wanted(table="x", file="y"), 5, "table")
    with pytest.raises(PlatformError, match="--limit is 0"):
        command.show_history(shared_settings, Wanted(), 0, "table")


@pytest.mark.parametrize("is_shown", [False, True], ids=["to a file", "unmasked on the screen"])
def test_what_is_taken_out_of_quarantine_in_clear_leaves_an_entry(
    fresh_warehouse: str, shared_settings: Settings, tmp_path: Path, is_shown: bool
) -> None:
    line = "('retail_analytics', 'a.csv', 2, 'row', 'amount_spent_not_negative', 'c1', 'hash')"
    with closing(psycopg2.connect(fresh_warehouse)) as connection:
        migrate(connection)
        with connection, connection.cursor() as cursor:
            columns = "(dataset, source_file, source_row, kind, reasons, raw, content_hash)"
            cursor.execute(f"INSERT INTO quality.quarantine {columns} VALUES {line}")
        target, choice = tmp_path / "rows.csv", {"reason": None, "file": "a.csv", "row": None}
        if is_shown:
            show(shared_settings, "retail_analytics", choice, 10, with_discarded=False, unmask=True)
            show(shared_settings, "retail_analytics", choice, 10, with_discarded=False, unmask=False)
        else:
            export(shared_settings, "retail_analytics", choice, target, with_discarded=False)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT object, details FROM ops.audit_log WHERE kind = 'export'")
            ((exported, details),) = cursor.fetchall()
    assert target.exists() != is_shown
    assert exported == "retail_analytics"
    to = "the screen, unmasked" if is_shown else str(target)
    assert details == {"lines": 1, "to": to, "user": user(), "file": "a.csv"}


@pytest.mark.parametrize(
    "arguments", [("sql", "select 1"), ("psql", "-c", "select 1"), ("quarantine", "list"), ("login", "list")]
)
def test_every_command_that_comes_to_the_warehouse_leaves_a_login(
    fresh_warehouse: str,
    run_command: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    with closing(psycopg2.connect(fresh_warehouse)) as connection:
        migrate(connection)
        monkeypatch.setattr(audit, "_logins", set())
        run_command(*arguments)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT application, details ->> 'user' FROM ops.audit_log WHERE kind = 'login'")
            assert cursor.fetchall() == [("platform command", user())]
