import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import pyarrow as pa
import pytest

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading import transaction
from platform_assets.warehouse.loading.slices import SliceCounts, loaded_slices, replace_slices
from platform_assets_tests.warehouse.conftest import Connect
from platform_assets_tests.warehouse.rows import (
    DATASET,
    SALES,
    SALES_SCHEMA,
    load_sales,
    loaded_lines,
    query,
    sale,
    sales,
)

OLD = [("a.csv", row, "1.0000") for row in (1, 2, 3)]
NEW = [("a.csv", row, "2.0000") for row in (1, 2, 3)]
OTHERS_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
OTHERS_CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND application_name = 'loader'"
)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited for a minute in vain"
        time.sleep(0.01)


@pytest.fixture
def start(database: str) -> Iterator[Callable[[str, str], "subprocess.Popen[str]"]]:
    """Start a loader in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def run(mode: str, slice_id: str) -> "subprocess.Popen[str]":
        address = f"{database} application_name=loader"
        command = [sys.executable, "-m", "platform_assets_tests.warehouse.loader", address, mode, slice_id]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def output(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout


@pytest.mark.parametrize(
    ("mode", "held"),
    [
        pytest.param("stop", None, id="while rows are being sent"),
        pytest.param("plain", "warehouse.fct_sales", id="before old rows are deleted"),
        pytest.param("bulk", "warehouse.dim_customer", id="before constraints are put aside"),
        pytest.param("plain", "ops.loaded_slices", id="before the record is written"),
        pytest.param("bulk", "ops.loaded_slices", id="after a bulk load, before the record is written"),
    ],
)
def test_a_loader_killed_at_any_moment_leaves_the_old_state_and_the_next_one_completes(
    connect: Connect, start: Callable[[str, str], "subprocess.Popen[str]"], mode: str, held: str | None
) -> None:
    watcher, holder = connect(), connect()
    load_sales(watcher, {"a.csv": "1"}, [sale(*line) for line in OLD])
    with holder.cursor() as cursor:
        if held:
            cursor.execute(f"LOCK TABLE {held} IN SHARE MODE")
        process = start(mode, "2")
        assert output(process).readline() == "sending\n"
        if held == "warehouse.dim_customer":
            # It tries again and again instead of waiting; it has the temporary table by then.
            time.sleep(0.2)
        elif held:
            until(lambda: query(watcher, OTHERS_WAITING) == [(1,)])
        process.kill()
        process.wait()
        holder.rollback()
    until(lambda: query(watcher, OTHERS_CONNECTED) == [(0,)])
    assert loaded_lines(watcher) == OLD
    assert loaded_slices(watcher, SALES, DATASET) == {"a.csv": "1"}

    assert load_sales(watcher, {"a.csv": "2"}, [sale(*line) for line in NEW]) == SliceCounts(3, 3)
    assert loaded_lines(watcher) == NEW
    assert loaded_slices(watcher, SALES, DATASET) == {"a.csv": "2"}


def test_readers_see_the_old_state_until_the_new_one_is_complete(
    connect: Connect, start: Callable[[str, str], "subprocess.Popen[str]"]
) -> None:
    watcher, holder = connect(), connect()
    load_sales(watcher, {"a.csv": "1"}, [sale(*line) for line in OLD])
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE ops.loaded_slices IN SHARE MODE")
        process = start("plain", "2")
        until(lambda: query(watcher, OTHERS_WAITING) == [(1,)])
        assert loaded_lines(watcher) == OLD
        holder.rollback()
    assert process.wait(60) == 0
    assert loaded_lines(watcher) == NEW


@pytest.mark.parametrize(("second", "counts"), [("2", SliceCounts(0, 0)), ("3", SliceCounts(3, 3))])
def test_two_loaders_of_a_table_take_turns(connect: Connect, second: str, counts: SliceCounts) -> None:
    watcher = connect()
    load_sales(watcher, {"a.csv": "1"}, [sale(*line) for line in OLD])
    sending, go_on = threading.Event(), threading.Event()

    def lines(slice_id: str) -> list[pa.RecordBatch]:
        return sales([sale("a.csv", row, f"{slice_id}.0000") for row in (1, 2, 3)])

    def slowly() -> Iterator[pa.RecordBatch]:
        sending.set()
        assert go_on.wait(60)
        yield from lines("2")

    def load(slice_id: str, batches: Iterator[pa.RecordBatch] | list[pa.RecordBatch]) -> SliceCounts:
        return replace_slices(connect(), SALES, {(DATASET, "a.csv"): slice_id}, [], SALES_SCHEMA, batches)

    with ThreadPoolExecutor(2) as pool:
        first_load = pool.submit(load, "2", slowly())
        assert sending.wait(60)
        second_load = pool.submit(load, second, lines(second))
        until(lambda: query(watcher, OTHERS_WAITING) == [(1,)])
        go_on.set()
        assert first_load.result(60) == SliceCounts(3, 3)
        assert second_load.result(60) == counts
    assert loaded_lines(watcher) == [("a.csv", row, f"{second}.0000") for row in (1, 2, 3)]
    assert loaded_slices(watcher, SALES, DATASET) == {"a.csv": second}


def test_a_server_that_ends_the_session_leaves_the_old_state(connect: Connect) -> None:
    watcher, connection = connect(), connect()
    load_sales(watcher, {"a.csv": "1"}, [sale(*line) for line in OLD])

    def interrupted() -> Iterator[pa.RecordBatch]:
        yield from sales([sale(*line) for line in NEW])
        query(watcher, "SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])

    with pytest.raises(LoadError, match="PostgreSQL broke the load off"):
        replace_slices(connection, SALES, {(DATASET, "a.csv"): "2"}, [], SALES_SCHEMA, interrupted())
    assert loaded_lines(watcher) == OLD
    assert load_sales(connect(), {"a.csv": "2"}, [sale(*line) for line in NEW]) == SliceCounts(3, 3)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT pg_advisory_xact_lock(hashtextextended('platform:warehouse.fct_sales', 0))", "Another load held"),
        ("LOCK TABLE warehouse.fct_sales IN SHARE MODE", "stayed locked"),
    ],
)
def test_a_load_that_waits_in_vain_says_for_what(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, statement: str, message: str
) -> None:
    monkeypatch.setitem(transaction._LIMITS, "lock_timeout", "50ms")
    connection, holder = connect(), connect()
    with holder.cursor() as cursor:
        cursor.execute(statement)
        with pytest.raises(LoadError, match=message):
            load_sales(connection, {"a.csv": "1"}, [sale("a.csv", 1)])
        holder.rollback()
    assert load_sales(connection, {"a.csv": "1"}, [sale("a.csv", 1)]) == SliceCounts(0, 1)
