"""The benchmark of the rules: the file is wrong where it says so, everybody counts that, and the table tells it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from platform_assets.cli import bench_quality, bench_quality_others
from platform_assets.cli.bench_options import WITHOUT_SERVER
from platform_assets.cli.bench_quality import Asked, wrong_counts
from platform_assets.cli.bench_quality_by_hand import on_spark
from platform_assets.cli.bench_quality_data import (
    BEYOND,
    CHANNELS,
    SCHEMA,
    SHARED,
    key_rule,
    row_rules,
    rules_as_json,
    write_orders,
)
from platform_assets.cli.bench_quality_ours import judge
from platform_assets.cli.bench_quality_tables import Finding, quality_sheet
from platform_assets.cli.main import main
from platform_assets.engines.engine import Engine
from platform_assets.engines.spark import SparkEngine
from platform_assets.errors import PlatformError, SettingsError
from platform_assets.settings import CHECKOUT, Settings

ROWS = 2_000
WRONG = 20
TRUTH = {
    **dict.fromkeys(("customer_id_present", "total_present", "sku_shaped", "channel_known"), WRONG),
    **dict.fromkeys(("quantity_within", "unit_price_within", BEYOND), WRONG),
    SHARED: 2 * WRONG,
}


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bench") / "orders.parquet"
    assert write_orders(file, ROWS, seed=7) == TRUTH
    return file


def finding(way: str, engine: str, seconds: float, counts: dict[str, int] | None = None) -> Finding:
    right = {name: count for name, count in TRUTH.items() if name != SHARED}
    return Finding(way, engine, seconds, seconds * 2, 300_000_000, right if counts is None else counts)


# The file


def test_one_row_in_a_hundred_is_wrong_in_each_of_seven_columns_and_nothing_else_is(orders: Path) -> None:
    rows = pq.read_table(orders).to_pylist()
    keys = [row["order_id"] for row in rows]

    assert [name for name in rows[0] if not name.startswith("_")] == SCHEMA.names
    assert (len(rows), len(SCHEMA.names), len(row_rules()) + 1) == (ROWS, 10, 19)
    assert len(keys) - len(set(keys)) == WRONG
    assert sum(keys.count(key) > 1 for key in keys) == 2 * WRONG
    assert sum(row["customer_id"] is None for row in rows) == WRONG
    assert sum(row["total"] is None for row in rows) == WRONG
    assert sum(row["sku"] == "no code" for row in rows) == WRONG
    assert sum(row["channel"] not in CHANNELS for row in rows) == WRONG
    assert sum(row["quantity"] == 0 for row in rows) == WRONG
    assert sum(row["unit_price"] < 0 for row in rows) == WRONG
    assert all(0 <= row["discount"] <= 1 and 0 <= row["weight"] <= 50 for row in rows)


def test_the_same_seed_writes_the_same_file(orders: Path, tmp_path: Path) -> None:
    write_orders(tmp_path / "again.parquet", ROWS, seed=7)
    write_orders(tmp_path / "other.parquet", ROWS, seed=8)

    same, again, other = (
        pq.read_table(file) for file in (orders, tmp_path / "again.parquet", tmp_path / "other.parquet")
    )
    assert same.equals(again)
    assert not same.equals(other)


def test_a_file_too_small_to_have_defects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="199 rows are too few"):
        write_orders(tmp_path / "small.parquet", 199, seed=7)


# The judgements


def test_ours_counts_what_is_wrong_by_construction(engine: Engine, orders: Path) -> None:
    found = judge(engine, orders)

    assert set(found) == {rule.id for rule in row_rules()} | {key_rule().id}
    assert {name: count for name, count in found.items() if count} == {k: v for k, v in TRUTH.items() if k != SHARED}


def test_the_query_written_by_hand_for_spark_counts_what_is_wrong_by_construction(
    orders: Path, spark_url: str, tmp_path: Path
) -> None:
    engine = SparkEngine(spark_url, tmp_path)
    found = on_spark(engine.session, orders)
    engine.close()

    assert {name: count for name, count in found.items() if count} == {k: v for k, v in TRUTH.items() if k != SHARED}


def test_a_small_benchmark_measures_both_ways_on_both_engines_and_all_count_the_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.md"
    options = ["--rows", str(ROWS), "--repeats", "1", "--without-others", "--markdown", str(table)]

    assert main(["bench", "--quality", *options]) == 0

    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.read_text().splitlines()[4:]]
    assert [(who, on, counted, truth) for who, on, _, _, _, counted, truth, *_ in rows] == [
        (who, on, "140", "140") for on in WITHOUT_SERVER for who in ("platform", "written by hand")
    ]
    assert all(float(seconds) >= 0 and int(memory.removesuffix(" MB")) > 30 for _, _, seconds, _, memory, *_ in rows)
    assert "WRONG COUNT" not in capsys.readouterr().out


# The table


def test_the_best_of_each_counts_and_is_held_against_the_query_by_hand_and_against_ours() -> None:
    shared = {**{name: count for name, count in TRUTH.items() if name != BEYOND}}
    found = [
        *(finding("ours", "duckdb", seconds) for seconds in (3.0, 1.5, 2.0)),
        finding("by hand", "duckdb", 1.0),
        finding("ours", "pandas", 4.0),
        finding("pandera", "pandas", 8.0, shared),
        finding("pointblank", "polars", 3.0, shared),
    ]

    sheet = quality_sheet(found, TRUTH, 2_000)

    assert sheet.rows == (
        ("platform", "duckdb", "1.50", "3.00", "300 MB", "140", "140", "1.50", "1.00"),
        ("written by hand", "duckdb", "1.00", "2.00", "300 MB", "140", "140", "1.00", "0.67"),
        ("platform", "pandas", "4.00", "8.00", "300 MB", "140", "140", "-", "1.00"),
        ("pandera", "pandas", "8.00", "16.00", "300 MB", "160", "160", "-", "2.00"),
        ("Pointblank", "polars", "3.00", "6.00", "300 MB", "160", "160", "-", "2.00"),
    )
    assert wrong_counts(found, TRUTH) == []


def test_a_count_that_is_not_the_truth_is_told_once() -> None:
    right = finding("ours", "duckdb", 1.0)
    wrong = replace(right, counts={**right.counts, "sku_shaped": 19, "weight_within": 1})

    assert wrong_counts([right, wrong, wrong], TRUTH) == [
        "ours on duckdb: sku_shaped is 19 instead of 20",
        "ours on duckdb: weight_within is 1 instead of 0",
    ]


def test_a_tool_that_finds_nothing_is_wrong_in_every_rule() -> None:
    assert len(wrong_counts([finding("pandera", "polars", 1.0, {})], TRUTH)) == 7


# What is asked for


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--quality", "--rows", "1000,2000"], "one number"),
        (["--quality", "--skip-over-memory"], "--engines"),
        (["--quality", "--engines", "duckdb", "--skip-over-memory"], "--engines"),
        (["--quality", "--engine", "duckdb"], "--engines"),
        (["--quality", "--rows", "100", "--without-others"], "too few"),
        (["--repeats", "3"], "--quality"),
        (["--without-others"], "--quality"),
        (["--quality", "--markdown", "/no/such/folder/table.md"], "no folder"),
    ],
)
def test_options_that_make_no_sense_together_are_explained(
    options: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *options]) == 1
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("times", ["0", "-1", "x", "1.5"])
def test_what_is_no_number_of_times_is_refused(times: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--quality", "--repeats", times])
    assert "not a number of times" in capsys.readouterr().err


def test_without_more_options_a_million_rows_are_judged_five_times_without_spark_and_by_other_tools_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def record(_: Settings, what: Asked, file: Path | None) -> int:
        asked.append((what, file))
        return 0

    monkeypatch.setattr(bench_quality, "bench_quality", record)
    assert main(["bench", "--quality"]) == 0
    assert main(["bench", "--quality", "--engines", "spark", "--repeats", "2", "--without-others", "--seed", "3"]) == 0
    assert asked == [
        (Asked(1_000_000, 42, ("duckdb", "pandas"), others=True, repeats=5), None),
        (Asked(1_000_000, 3, ("spark",), others=False, repeats=2), None),
    ]


# The other tools


def test_the_other_tools_are_installed_once_and_again_when_their_lock_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str]) -> None:
        commands.append(command)
        python = tmp_path / "bench" / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    lock = tmp_path / "requirements.lock"
    lock.write_text("tool==1")
    monkeypatch.setattr(bench_quality_others, "_run", run)
    monkeypatch.setattr(bench_quality_others, "_LOCK", lock)
    told: list[str] = []

    first = bench_quality_others.environment_of_others(tmp_path, told.append)
    again = bench_quality_others.environment_of_others(tmp_path, told.append)
    assert (first, again, len(commands), len(told)) == (tmp_path / "bench" / "bin" / "python", first, 2, 1)
    assert "--require-hashes" in commands[1]

    lock.write_text("tool==2")
    bench_quality_others.environment_of_others(tmp_path, told.append)
    assert (len(commands), len(told)) == (4, 2)


def test_an_index_that_cannot_be_reached_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"no-such-tool==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(bench_quality_others, "_LOCK", lock)
    monkeypatch.setenv("UV_OFFLINE", "1")

    with pytest.raises(PlatformError, match="could not be installed"):
        bench_quality_others.environment_of_others(tmp_path, lambda _: None)
    assert not (tmp_path / "bench" / "requirements.stamp").exists()


def test_the_lock_of_the_other_tools_pins_each_with_hashes_and_names_no_index() -> None:
    text = (CHECKOUT / "platform_assets_tests/benchmarks/quality/requirements.lock").read_text()
    entries = [entry for entry in text.replace("\\\n", "").splitlines() if not entry.lstrip().startswith("#")]

    assert {"great-expectations", "pandera", "pointblank", "polars"} <= {entry.split("==")[0] for entry in entries}
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_what_is_measured_starts_on_a_python_that_has_nothing_of_the_platforms(tmp_path: Path) -> None:
    """Else the other tools could not be measured by the same clock: here, no import but Python's own works."""
    about = json.dumps({"rules": rules_as_json(), "small": "small", "server": None})
    module = ["-S", "-m", "platform_assets.cli.bench_quality_measure"]
    command = [sys.executable, *module, "pandera", "polars", "orders", about, str(tmp_path / "result")]

    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.stderr.strip().endswith("No module named 'polars'")
