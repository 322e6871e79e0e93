"""The benchmark of loading: every way leaves the same rows, a repeated load leaves nothing, and defects are told."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from platform_assets.cli import bench_load
from platform_assets.cli.bench_load import Asked
from platform_assets.cli.bench_load_data import BARE, FILES, FULL, MINIMUM_ROWS, Rows, make_rows, make_tables, slices
from platform_assets.cli.bench_load_tables import Finding, Traces, load_sheet, wrong_loads
from platform_assets.cli.bench_load_ways import (
    FULL_LOAD,
    REFERENCE,
    REPLAY,
    SLOW,
    WAYS,
    Place,
    Way,
    arrow_copy,
    full_load,
    pandas_copy,
    psql_copy,
    replay,
    to_sql,
)
from platform_assets.cli.bench_sheets import terminal
from platform_assets.cli.main import main
from platform_assets.errors import PlatformError, SettingsError
from platform_assets.settings import Settings
from platform_assets_tests.cli.scratch import execute, scratch_warehouse

ROWS = 2_000
SEEN = """
    SELECT count(*), sum(order_id), sum(amount), sum(quantity), sum(weight), count(note),
        count(*) FILTER (WHERE note = ''), count(DISTINCT source_file), min(ordered_at), max(ordered_on)
    FROM {}
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return make_rows(tmp_path_factory.mktemp("rows"), ROWS, seed=7)


@pytest.fixture(scope="module")
def shared_place(shared_settings: Settings, rows: Rows) -> Iterator[Place]:
    with scratch_warehouse(shared_settings) as urls:
        with closing(psycopg2.connect(urls.dsn)) as connection:
            make_tables(connection)
        yield Place(urls, rows, rows.table.to_pandas())


@pytest.fixture
def place(shared_place: Place) -> Place:
    """The tables, emptied."""
    execute(shared_place.urls.dsn, f"TRUNCATE {BARE}, {FULL}; DELETE FROM ops.loaded_slices")
    return shared_place


def seen(place: Place, table: str) -> tuple[Any, ...]:
    """What a table has, as the database tells it."""
    (found,) = execute(place.urls.dsn, SEEN.format(table))
    return found


def sent(table: pa.Table) -> tuple[Any, ...]:
    """What it should have, from the rows in memory."""
    return (
        ROWS,
        pc.sum(table["order_id"]).as_py(),
        pc.sum(table["amount"]).as_py(),
        pc.sum(table["quantity"]).as_py(),
        pytest.approx(pc.sum(table["weight"]).as_py(), rel=1e-12),
        ROWS - table["note"].null_count,
        pc.sum(pc.equal(table["note"], "")).as_py(),
        FILES,
        pc.min(table["ordered_at"]).as_py(),
        pc.max(table["ordered_on"]).as_py(),
    )


# The rows


def test_the_same_seed_gives_the_same_rows_and_another_one_others(rows: Rows, tmp_path: Path) -> None:
    assert make_rows(tmp_path, ROWS, seed=7).table.equals(rows.table)
    assert not make_rows(tmp_path, ROWS, seed=8).table.equals(rows.table)


def test_the_rows_belong_to_the_files_that_are_loaded(rows: Rows) -> None:
    found = rows.table.group_by(["source_system", "source_file"]).aggregate([([], "count_all")]).to_pylist()

    assert {(row["source_system"], row["source_file"]) for row in found} == set(slices())
    assert {row["count_all"] for row in found} == {ROWS // FILES}


def test_amounts_have_cents_and_both_signs(rows: Rows) -> None:
    amounts = rows.table["amount"].to_pylist()

    assert min(amounts) < 0 < max(amounts)
    assert max(map(abs, amounts)) < Decimal(1_000_000)
    assert any(amount % 1 for amount in amounts)


def test_too_few_rows_to_fill_every_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="too few"):
        make_rows(tmp_path, MINIMUM_ROWS - 1, seed=7)


# The ways


@pytest.mark.parametrize(
    ("load", "table"),
    [(psql_copy, BARE), (arrow_copy, BARE), (pandas_copy, BARE), (to_sql, BARE), (full_load, FULL)],
)
def test_every_way_leaves_the_rows_as_they_are_in_memory(
    place: Place, load: Callable[[Place], None], table: str
) -> None:
    load(place)

    assert seen(place, table) == sent(place.rows.table)


def test_the_same_load_again_writes_nothing(place: Place) -> None:
    full_load(place)
    where = f"SELECT ctid, xmin, xmax, order_id FROM {FULL} ORDER BY order_id"
    before = execute(place.urls.dsn, where)

    replay(place)

    assert execute(place.urls.dsn, where) == before


def test_a_load_that_is_no_replay_is_told_when_it_should_be_one(place: Place) -> None:
    with pytest.raises(PlatformError, match="instead of"):
        replay(place)


def test_a_load_that_inserts_nothing_is_told_when_it_should_insert_everything(place: Place) -> None:
    full_load(place)

    with pytest.raises(PlatformError, match="instead of"):
        full_load(place)


def test_a_file_that_psql_cannot_read_is_told(place: Place, tmp_path: Path) -> None:
    elsewhere = replace(place, rows=Rows(place.rows.table, tmp_path / "missing.csv"))

    with pytest.raises(PlatformError, match=r"missing\.csv"):
        psql_copy(elsewhere)


# The whole command


def test_the_command_measures_every_way_and_finds_the_same_rows_and_no_traces(
    shared_settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "loading.md"

    assert bench_load.bench_load(shared_settings, Asked(ROWS, seed=7, repeats=1, slow=True), file) == 0

    assert "the same load again left nothing" in capsys.readouterr().out
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("2,000 rows, 10 columns")
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[4:]] == [way.name for way in (*WAYS, SLOW)]


def test_a_way_that_loses_a_row_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(place: Place) -> None:
        arrow_copy(replace(place, rows=Rows(place.rows.table.slice(1), place.rows.file)))

    monkeypatch.setattr(bench_load, "WAYS", (REFERENCE, Way("lossy", BARE, lossy)))
    told: list[str] = []
    bench = bench_load._Bench(place, os.getpid(), told.append)
    bench.run(repeats=1, slow=False)

    (wrong,) = wrong_loads(bench.found, bench.left)
    assert wrong.startswith("lossy left rows with the hash ")
    assert told == ["measuring, 1 of 1"]


def test_a_wrong_load_makes_the_exit_code_1(shared_place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    found = [finding(REFERENCE), finding(FULL_LOAD, rows="wrong")]

    assert bench_load._judge(bench_load._Bench(shared_place, os.getpid(), print, found), terminal()) == 1
    assert "WRONG LOAD: platform: idempotent load" in " ".join(capsys.readouterr().out.split())


# What is made of it


def finding(way: Way, seconds: float = 1.0, *, cpu: float = 1.0, rows: str = "right") -> Finding:
    return Finding(way, seconds, cpu, rows)


def test_a_wrong_load_is_told_once() -> None:
    wrong = finding(FULL_LOAD, rows="wrong")

    assert wrong_loads([finding(REFERENCE), finding(REPLAY), wrong, wrong], []) == [
        "platform: idempotent load left rows with the hash wrong, \\copy with right"
    ]


def test_what_a_repeated_load_leaves_behind_is_told() -> None:
    left = [Traces(0, 0), Traces(1_500, 9_000).since(Traces(300, 1_000))]

    assert wrong_loads([finding(REFERENCE)], left) == ["the same load again left 1,200 dead rows and 8,000 bytes more"]


def test_the_best_of_each_way_is_compared_with_the_best_of_the_reference() -> None:
    found = [
        finding(REFERENCE, 4.0, cpu=2.0),
        finding(FULL_LOAD, 5.0, cpu=8.0),
        finding(REPLAY, 0.012, cpu=0.1),
        finding(REFERENCE, 2.0, cpu=4.0),
        finding(FULL_LOAD, 3.0, cpu=9.0),
    ]

    assert load_sheet(found, 1_000, 10.0).rows == (
        ("psql \\copy, bare table", "2.00", "2.00", "500", "5.0", "1.00", "1.00", ""),
        ("platform: idempotent load", "3.00", "8.00", "333", "3.3", "1.50", "4.00", "2.00"),
        ("platform: the same again", "0.012", "0.100", "-", "-", "0.006", "0.050", "0.1 s"),
    )


# What is asked for


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--load", "--rows", "1000,2000"], "one number"),
        (["--load", "--rows", str(MINIMUM_ROWS - 1)], "too few"),
        (["--load", "--quality"], "one at a time"),
        (["--load", "--engine", "pandas"], "no engine"),
        (["--load", "--engines", "pandas"], "no engine"),
        (["--with-to-sql"], "--load"),
        (["--load", "--without-others"], "--quality"),
    ],
)
def test_options_that_make_no_sense_together_are_explained(
    options: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *options]) == 1
    assert problem in " ".join(capsys.readouterr().err.split())


def test_without_more_options_a_million_rows_are_loaded_five_times_and_without_to_sql(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def record(_: Settings, what: Asked, file: Path | None) -> int:
        asked.append((what, file))
        return 0

    monkeypatch.setattr(bench_load, "bench_load", record)
    assert main(["bench", "--load"]) == 0
    assert main(["bench", "--load", "--rows", "500", "--repeats", "2", "--with-to-sql", "--seed", "3"]) == 0
    assert asked == [(Asked(1_000_000, 42, 5, slow=False), None), (Asked(500, 3, 2, slow=True), None)]
