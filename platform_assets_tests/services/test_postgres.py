"""The embedded PostgreSQL: who shares it, when it ends, and what it survives."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy
from psycopg2.extensions import parse_dsn
from sqlalchemy.engine import make_url

from platform_assets.errors import ServiceError, SettingsError
from platform_assets.services.cluster import SOCKET_NAME, SOCKET_PATH_LIMIT_BYTES, Cluster
from platform_assets.services.postgres import (
    ensure_postgres,
    postgres_session,
    postgres_status,
    stop_postgres,
    stop_postgres_if_unused,
)
from platform_assets.settings import Settings

pytestmark = pytest.mark.integration

HOLD_A_SESSION = """
import sys
from platform_assets.services.postgres import postgres_session, postgres_status
from platform_assets.settings import Settings
settings = Settings.from_environment({"PLATFORM_HOME": sys.argv[1]})
with postgres_session(settings):
    print(postgres_status(settings).pid, flush=True)
    sys.stdin.readline()
"""


@contextmanager
def another_command(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    """Run another process that uses the server until it is sent a line."""
    command = [sys.executable, "-c", HOLD_A_SESSION, str(settings.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def server_pid(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def ask(dsn: str, statement: str) -> object:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return None if cursor.description is None else cursor.fetchone()


def test_both_databases_answer_by_their_urls_and_the_last_session_stops_the_server(settings: Settings) -> None:
    with postgres_session(settings) as urls:
        for url, name in ((urls.warehouse, "retail"), (urls.dagster, "dagster")):
            with sqlalchemy.create_engine(url).connect() as connection:
                assert connection.scalar(sqlalchemy.text("select current_database()")) == name
        assert postgres_status(settings).running
    assert not postgres_status(settings).running


def test_a_session_inside_another_one_leaves_the_server_to_the_outer_one(settings: Settings) -> None:
    with postgres_session(settings) as urls:
        with postgres_session(settings):
            pass
        assert ask(urls.dsn, "select 1") == (1,)


def test_two_commands_share_one_server_and_the_last_to_leave_stops_it(settings: Settings) -> None:
    with another_command(settings) as other:
        theirs = server_pid(other)
        with postgres_session(settings):
            assert postgres_status(settings).pid == theirs
        assert postgres_status(settings).pid == theirs
        other.communicate("\n")
    assert not postgres_status(settings).running


def test_a_session_on_a_configured_server_leaves_the_embedded_one_of_the_same_home_alone(settings: Settings) -> None:
    with postgres_session(settings) as embedded:
        parts = parse_dsn(embedded.dsn)
        configured = f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
        with postgres_session(replace(settings, postgres_url=configured)) as urls:
            assert ask(urls.dsn, "select 1") == (1,)
        assert ask(embedded.dsn, "select 1") == (1,)


def test_commands_that_start_at_once_on_a_fresh_home_get_the_same_server(settings: Settings) -> None:
    with another_command(settings) as one, another_command(settings) as two, another_command(settings) as three:
        assert len({server_pid(process) for process in (one, two, three)}) == 1


def test_a_server_left_by_a_killed_command_is_stopped_by_whoever_asks(settings: Settings) -> None:
    with another_command(settings) as other:
        server_pid(other)
        assert not stop_postgres_if_unused(settings)
        other.kill()
        other.wait()
    assert postgres_status(settings).running
    assert stop_postgres_if_unused(settings)
    assert not postgres_status(settings).running


def test_what_was_committed_survives_a_killed_server(settings: Settings) -> None:
    with postgres_session(settings) as urls:
        ask(urls.dsn, "create table kept as select 42 as answer")
        pid = postgres_status(settings).pid
        assert pid is not None
        psutil.Process(pid).kill()
        while postgres_status(settings).running:
            time.sleep(0.01)
        assert ensure_postgres(settings) == urls
        assert ask(urls.dsn, "select answer from kept") == (42,)


def test_a_pid_file_that_names_a_process_of_somebody_else_does_not_keep_the_server_down(settings: Settings) -> None:
    with postgres_session(settings):
        pass
    # What a killed server leaves when its number has been given to another process since.
    (Cluster(settings.home).data / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n", encoding="utf-8")
    assert not postgres_status(settings).running
    with postgres_session(settings) as urls:
        assert ask(urls.dsn, "select 1") == (1,)


def test_a_cluster_that_was_not_finished_is_made_anew(settings: Settings) -> None:
    unfinished = settings.home / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n", encoding="utf-8")
    with postgres_session(settings) as urls:
        assert ask(urls.dsn, "select 1") == (1,)
    assert not unfinished.exists()


def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(settings: Settings) -> None:
    with postgres_session(settings):
        pass
    (Cluster(settings.home).data / "PG_VERSION").write_text("9\n", encoding="utf-8")
    with pytest.raises(ServiceError, match="incompatible"), postgres_session(settings):
        pytest.fail("started on another version's files")
    assert stop_postgres(settings) is False


@pytest.mark.parametrize("name", ["x" * 120, "with a space", "with'quote"])
def test_a_home_with_an_unfit_path_gets_its_socket_elsewhere(tmp_path: Path, name: str) -> None:
    settings = Settings.from_environment({"PLATFORM_HOME": str(tmp_path / name)})
    folder = Cluster(settings.home).socket_folder
    assert not folder.is_relative_to(settings.home)
    assert len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES
    with postgres_session(settings) as urls:
        assert ask(urls.dsn, "select 1") == (1,)
        assert folder.stat().st_mode & 0o077 == 0
    folder.rmdir()


def test_a_configured_server_gets_dagsters_tables_in_a_schema_of_their_own(settings: Settings) -> None:
    with postgres_session(settings) as embedded:
        configured = Settings.from_environment({"PLATFORM_POSTGRES_URL": embedded.dsn})
        with postgres_session(configured) as urls:
            assert make_url(urls.warehouse) == make_url(embedded.warehouse)
            with sqlalchemy.create_engine(urls.dagster).connect() as connection:
                assert connection.scalar(sqlalchemy.text("select current_schema()")) == "dagster"
        # It is not ours to stop.
        assert not stop_postgres(configured)
        assert postgres_status(configured).running


def test_a_configured_server_that_does_not_answer_is_reported_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://somebody:secret@/retail?host={tmp_path}"
    settings = Settings.from_environment({"PLATFORM_POSTGRES_URL": url})
    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        ensure_postgres(settings)
    assert "secret" not in str(caught.value)
    status = postgres_status(settings)
    assert not status.running
    assert "secret" not in status.address


@pytest.mark.parametrize("url", ["not a url", "mysql://host/retail", "postgresql://host"])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="PLATFORM_POSTGRES_URL"):
        ensure_postgres(Settings.from_environment({"PLATFORM_POSTGRES_URL": url}))


def test_status_of_a_home_that_does_not_exist_makes_nothing(settings: Settings) -> None:
    assert not postgres_status(settings).running
    assert not stop_postgres_if_unused(settings)
    assert not settings.home.exists()
