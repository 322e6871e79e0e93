"""A step that lives on after its run was replaced can change nothing; nobody else is disturbed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pyarrow as pa
import pytest
from psycopg2 import extensions

from platform_assets.errors import LoadError
from platform_assets.warehouse.audited import apply_audited
from platform_assets.warehouse.loading.transaction import lock, transaction
from platform_assets.warehouse.loads import AppendLoad, Load, MergeLoad, SliceLoad
from platform_assets.warehouse.quality.quarantine_load import FILES_SCHEMA, QuarantineLoad
from platform_assets.warehouse.quality.quarantine_rows import LOADED_SCHEMA
from platform_assets.warehouse.schema.roles import assume_loader
from platform_assets.warehouse.trail.runs import Run, code_version, introduce, register_run
from platform_assets_tests.warehouse.conftest import Connect
from platform_assets_tests.warehouse.rows import SALES, SALES_SCHEMA, load_sales, query, sale, sales

SAMPLES = pa.schema([(name, pa.string()) for name in ("dataset", "rule", "source_file", "cells")]).append(
    pa.field("source_row", pa.int64())
)
KEY = ["dataset", "rule", "source_file", "source_row"]
SAMPLE = {"dataset": "d", "source_file": "f", "source_row": 1, "cells": "{}"}
LINE = {"dataset": "d", "source_file": "f", "source_row": 1, "kind": "row", "content_hash": "1"}


def batches(schema: pa.Schema, *rows: dict[str, object]) -> list[pa.RecordBatch]:
    made: list[pa.RecordBatch] = pa.Table.from_pylist(list(rows), schema).to_batches()
    return made


def merge(value: str) -> Load:
    return MergeLoad("quality.failing_samples", KEY, SAMPLES, batches(SAMPLES, {**SAMPLE, "rule": value}))


def append(value: str) -> Load:
    return AppendLoad("quality.failing_samples", SAMPLES, batches(SAMPLES, {**SAMPLE, "rule": value}))


def slices(value: str) -> Load:
    line = sale(f"{value}.csv", 1)
    dataset, file = line["source_system"], line["source_file"]
    return SliceLoad(SALES, {dataset: {file: value}}, lambda *_: sales([line]), SALES_SCHEMA)


def quarantine(value: str) -> Load:
    files = pa.Table.from_pylist([], FILES_SCHEMA)
    line = {**LINE, "reasons": value, "raw": value}
    return QuarantineLoad(LOADED_SCHEMA, batches(LOADED_SCHEMA, line), files, lambda _: [], "run")


CONTENT: dict[Callable[[str], Load], str] = {
    merge: "SELECT rule FROM quality.failing_samples",
    append: "SELECT rule FROM quality.failing_samples",
    slices: "SELECT source_file FROM warehouse.fct_sales",
    quarantine: "SELECT raw FROM quality.quarantine",
}
every_kind = pytest.mark.parametrize("kind", list(CONTENT), ids=lambda kind: kind.__name__)


@pytest.fixture
def session(connect: Connect) -> Callable[[str], extensions.connection]:
    """Opens a session of a run, as steps do."""

    def open_session(run_id: str) -> extensions.connection:
        connection = connect()
        assume_loader(connection)
        run, _ = register_run(connection, run_id)
        introduce(connection, run, f"step of {run_id}")
        return connection

    return open_session


@every_kind
def test_a_step_of_a_replaced_run_that_wakes_up_is_refused_by_every_kind_of_load(
    session: Callable[[str], extensions.connection], connect: Connect, kind: Callable[[str], Load]
) -> None:
    if kind is slices:
        load_sales(connect(), {}, [])
    orphan, successor = session("old"), session("new")
    apply_audited(successor, kind("new"), {})
    content = query(connect(), CONTENT[kind])

    for apply in (kind("old").apply, lambda connection: apply_audited(connection, kind("old"), {})):
        with pytest.raises(LoadError, match=r"A newer run \(new, started 2.*\) has loaded .* changes nothing") as told:
            apply(orphan)
    assert "Nothing is lost" in told.value.remedy

    assert query(connect(), CONTENT[kind]) == content
    assert query(connect(), "SELECT run_id FROM ops.audit_log WHERE kind = 'load'") == [("new",)]
    apply_audited(successor, kind("newer"), {})


def test_a_load_that_found_nothing_to_do_shuts_older_runs_out_too(
    session: Callable[[str], extensions.connection], connect: Connect
) -> None:
    load_sales(connect(), {}, [])
    first, orphan, successor = session("1"), session("2"), session("3")
    apply_audited(first, slices("same"), {})
    assert apply_audited(successor, slices("same"), {}).counts["files"] == 0
    with pytest.raises(LoadError, match="newer run"):
        apply_audited(orphan, slices("other"), {})


def test_an_orphan_that_waits_for_its_successor_is_refused_when_that_has_committed(
    session: Callable[[str], extensions.connection], connect: Connect
) -> None:
    orphan, successor, pause = session("old"), session("new"), Event()
    with ThreadPoolExecutor(1) as pool:
        with transaction(successor) as cursor:
            lock(cursor, "quality.failing_samples")
            waiting = pool.submit(merge("old").apply, orphan)
            watcher = connect()
            while query(watcher, "SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]:
                assert not waiting.done()
                pause.wait(0.01)
            merge("new").apply(successor)
        with pytest.raises(LoadError, match="newer run"):
            waiting.result(60)
    assert query(connect(), CONTENT[merge]) == [("new",)]


def test_a_successor_that_failed_shuts_nobody_out(
    session: Callable[[str], extensions.connection], connect: Connect
) -> None:
    older, newer = session("old"), session("new")
    with transaction(newer):
        merge("new").apply(newer)
        newer.rollback()
    merge("old").apply(older)
    assert query(connect(), CONTENT[merge]) == [("old",)]


def test_runs_side_by_side_on_different_tables_do_not_disturb_each_other(
    session: Callable[[str], extensions.connection], connect: Connect
) -> None:
    older, newer = session("old"), session("new")
    for value in ("1", "2"):
        apply_audited(newer, merge(value), {})
        apply_audited(older, quarantine(value), {})
    assert query(connect(), "SELECT table_name, run_id FROM ops.load_fences ORDER BY 1") == [
        ("quality.failing_samples", "new"),
        ("quality.quarantine", "old"),
    ]


def test_a_command_passes_and_the_fence_stays_where_it_is(
    session: Callable[[str], extensions.connection], connect: Connect
) -> None:
    orphan, successor, command = session("old"), session("new"), connect()
    merge("new").apply(successor)
    merge("by hand").apply(command)
    assert query(connect(), CONTENT[merge]) == [("by hand",)]
    with pytest.raises(LoadError, match="newer run"):
        merge("old").apply(orphan)


def test_all_steps_of_a_run_have_its_epoch_and_later_runs_a_higher_one(connect: Connect) -> None:
    first, again, other = (register_run(connect(), run_id) for run_id in ("a", "a", "b"))
    assert first == (Run("a", first[0].epoch), True)
    assert again == (first[0], False)
    assert other[1]
    assert other[0].epoch > first[0].epoch


def test_processes_of_a_run_that_come_at_the_same_time_get_one_epoch(connect: Connect) -> None:
    connections = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda connection: register_run(connection, "a"), connections))
    assert len({run for run, _ in runs}) == 1
    assert sorted(is_new for _, is_new in runs) == [False, False, False, True]


def test_a_run_says_where_it_comes_from(session: Callable[[str], extensions.connection], connect: Connect) -> None:
    session("a")
    found = query(connect(), "SELECT run_id, role, code_version, host <> '' FROM ops.runs")
    assert found == [("a", "retail_loader", code_version(), True)]
