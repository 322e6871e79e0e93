"""The comparison of engines: what it is asked for, what it measures, what it makes of that."""

import copy
import os
import subprocess
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from platform_assets.cli import bench, bench_engines
from platform_assets.cli.bench_options import engines, sizes
from platform_assets.cli.bench_platform import Ready, embedded_environment
from platform_assets.cli.bench_process import Measured, family_memory, measure
from platform_assets.cli.bench_results import Fixed, Growth, Result, differences, growth, rate
from platform_assets.cli.bench_sheets import Sheet, markdown, write_markdown
from platform_assets.cli.bench_tables import engines_sheet, fixed_sheet, layers_sheet
from platform_assets.cli.main import main
from platform_assets.errors import PlatformError, SettingsError
from platform_assets.samples.generate import SampleSummary
from platform_assets.settings import Settings

MEGABYTE = 1_000_000
ALLOCATE = "import time; held = bytearray(200_000_000); print('up', flush=True); time.sleep({})"
IN_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ALLOCATE.format(1)!r}], check=True)"

OUTCOME: dict[str, Any] = {
    "tables": {"warehouse.fct_sales": 90},
    "datasets": {
        "retail_analytics": {
            "gate_open": True,
            "ledger": {"total": {"dataset": "retail_analytics", "rows_read": 100, "amount_loaded": "12.3400"}},
        }
    },
    "segments": [{"segment": "Loyal", "customers": 7, "revenue_amount": "5.0000", "avg_days_since_last": 1.5}],
    "seconds_per_layer": {"raw": 1.25, "warehouse": 2.0},
}


def measured(seconds: float = 10.0, peak: int = 500 * MEGABYTE, *, exceeded: bool = False) -> Measured:
    return Measured(seconds, ((1.0, peak // 2), (2.0, peak), (3.0, peak // 4)), exceeded)


def result(engine: str = "duckdb", rows: int = 5000, lines: int = 12_000, **measure: Any) -> Result:
    one = measured(**measure)
    return Result(engine, rows, lines, one, {} if one.exceeded else OUTCOME)


def python(program: str, **options: Any) -> Measured:
    return measure([sys.executable, "-c", program], os.environ, **options)


# What is asked for


@pytest.mark.parametrize(
    ("text", "found"), [("10000", (10_000,)), ("20,5,20", (5, 20)), ("10_000,1_000", (1000, 10_000))]
)
def test_sizes_are_measured_in_rising_order_and_each_once(text: str, found: tuple[int, ...]) -> None:
    assert sizes(text) == found


@pytest.mark.parametrize("text", ["", "a", "1,,2", "1e6", "0", "-5,10"])
def test_what_is_no_number_of_rows_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        sizes(text)


def test_engines_are_measured_in_the_order_given_and_each_once() -> None:
    assert engines("spark,duckdb,spark") == ("spark", "duckdb")


@pytest.mark.parametrize("text", ["", "polars", "duckdb,", "duckdb, spark"])
def test_an_unknown_engine_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is none of duckdb, pandas, spark"):
        engines(text)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--rows", "1000,2000"], "one number"),
        (["--skip-over-memory"], "--engines"),
        (["--engine", "pandas", "--engines", "duckdb"], "contradict"),
        (["--engines", "duckdb", "--markdown", "/no/such/folder/tables.md"], "no folder"),
    ],
)
def test_options_that_make_no_sense_together_are_explained(
    options: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *options]) == 1
    assert problem in capsys.readouterr().err


def test_one_number_of_rows_still_asks_for_the_measurement_beside_the_barest_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def record(settings: Settings, *rest: Any) -> int:
        asked.append((settings.engine, *rest))
        return 0

    monkeypatch.setattr(bench, "bench", record)
    assert main(["bench", "--engine", "pandas", "--rows", "7000", "--seed", "3"]) == 0
    assert asked == [("pandas", 7000, 3, None)]


def test_a_size_too_small_for_a_sample_is_refused_before_anything_is_measured() -> None:
    asked = bench_engines.Comparison(("duckdb",), (999, 5000), 42, skips=False)
    with pytest.raises(SettingsError, match="999 rows are too few"):
        bench_engines.bench_engines(Settings.from_environment({}), asked)


def test_sample_data_never_goes_to_configured_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_POSTGRES_URL", "postgresql://somewhere/retail")
    monkeypatch.setenv("SPARK_REMOTE", "sc://somewhere")
    monkeypatch.setenv("PLATFORM_CONFIG", "kept.yaml")
    environment = embedded_environment()
    assert "PLATFORM_POSTGRES_URL" not in environment
    assert "SPARK_REMOTE" not in environment
    assert environment["PLATFORM_CONFIG"] == "kept.yaml"


# Processes


def test_the_memory_of_a_child_of_the_process_is_seen() -> None:
    found = python(IN_A_CHILD)
    assert 200 * MEGABYTE < found.peak() < 300 * MEGABYTE
    assert not found.exceeded


def test_the_memory_of_a_server_counts_although_it_is_nobodys_child() -> None:
    without = family_memory([])
    with psutil.Popen([sys.executable, "-c", ALLOCATE.format(60)], stdout=subprocess.PIPE) as server:
        try:
            server.stdout.readline()
            found = python("", server=server.pid)
        finally:
            server.kill()
    assert without == 0
    assert found.peak() > 200 * MEGABYTE


def test_a_process_that_has_ended_counts_nothing() -> None:
    with psutil.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert family_memory([ended.pid]) == 0


def test_a_process_that_needs_too_much_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = f"import os, pathlib; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); {ALLOCATE.format(300)}"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    found = python(program, limit=100 * MEGABYTE)
    assert found.exceeded
    assert found.peak() > 100 * MEGABYTE
    assert family_memory([int(note.read_text())]) == 0


def test_a_failing_process_is_an_error_that_ends_with_what_it_said() -> None:
    with pytest.raises(PlatformError, match=r"(?s)exit code 1: .*ValueError: of this kind"):
        python("raise ValueError('of this kind')")


def test_the_peak_of_a_span_is_of_its_moments_only() -> None:
    found = Measured(4.0, ((1.0, 10), (2.0, 40), (3.0, 20)))
    assert (found.peak(), found.peak(2.5), found.peak(0.0, 1.0), found.peak(5.0)) == (40, 20, 10, 0)


# Arithmetic


def test_the_rate_leaves_out_the_lines_and_seconds_of_the_smallest_sample() -> None:
    fixed = Fixed("duckdb", lines=2000, start=0.0, first=9.0, later=6.0)
    assert rate(result(lines=12_000, seconds=10.0), fixed) == 2500.0


@pytest.mark.parametrize(("lines", "seconds"), [(12_000, 6.0), (12_000, 5.0), (2000, 7.0)])
def test_there_is_no_rate_where_nothing_is_left_but_the_fixed_cost(lines: int, seconds: float) -> None:
    fixed = Fixed("duckdb", lines=2000, start=0.0, first=9.0, later=6.0)
    assert rate(result(lines=lines, seconds=seconds), fixed) is None


def test_growth_is_told_per_engine_with_the_fixed_cost_apart() -> None:
    results = [
        result("duckdb", 5000, 12_000, seconds=26.0, peak=400 * MEGABYTE),
        result("spark", 5000, 12_000, seconds=30.0, peak=800 * MEGABYTE),
        result("pandas", 5000, 12_000, exceeded=True),
        result("duckdb", 10_000, 24_000, seconds=36.0, peak=500 * MEGABYTE),
        result("spark", 10_000, 24_000, seconds=60.0, peak=800 * MEGABYTE),
        result("pandas", 10_000, 24_000, exceeded=True),
    ]
    fixed = {"duckdb": Fixed("duckdb", 2000, 0.0, 9.0, 6.0), "spark": Fixed("spark", 2000, 9.0, 60.0, 30.0)}
    assert growth(results, fixed) == [
        Growth("duckdb", 5000, 10_000, lines=2.0, seconds=1.5, memory=1.25),
        Growth("spark", 5000, 10_000, lines=2.0, seconds=None, memory=1.0),
    ]


def test_there_is_no_growth_of_time_where_noise_is_larger_than_the_work() -> None:
    results = [result(rows=5000, seconds=9.0), result(rows=10_000, seconds=5.0)]
    assert [one.seconds for one in growth(results, {"duckdb": Fixed("duckdb", 2000, 0.0, 9.0, 6.0)})] == [None]


# Results


def changed(engine: str, *path: Any, value: Any) -> Result:
    outcome = copy.deepcopy(OUTCOME)
    place: Any = outcome
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return Result(engine, 5000, 12_000, measured(), outcome)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("tables", "warehouse.fct_sales"), 91, "rows of warehouse.fct_sales is 90 on duckdb, 91 on spark"),
        (
            ("datasets", "retail_analytics", "ledger", "total", "amount_loaded"),
            "12.3401",
            "amount_loaded of retail_analytics is 12.3400 on duckdb, 12.3401 on spark",
        ),
        (
            ("datasets", "retail_analytics", "gate_open"),
            False,
            "gate of retail_analytics is open on duckdb, shut on spark",
        ),
        (("segments", 0, "revenue_amount"), "5.0001", "revenue of Loyal is 5.0000 on duckdb, 5.0001 on spark"),
    ],
)
def test_a_differing_count_sum_or_gate_is_told(path: tuple[Any, ...], value: Any, told: str) -> None:
    assert differences([result("duckdb"), changed("spark", *path, value=value)]) == [f"5,000 rows: {told}"]


def test_money_that_is_only_written_otherwise_is_the_same_money() -> None:
    path = ("datasets", "retail_analytics", "ledger", "total", "amount_loaded")
    assert differences([result("duckdb"), changed("spark", *path, value="12.34")]) == []


def test_a_table_that_one_engine_does_not_have_is_told() -> None:
    other = changed("spark", "tables", value={})
    told = ["5,000 rows: rows of warehouse.fct_sales is 90 on duckdb, None on spark"]
    assert differences([result("duckdb"), other]) == told


def test_only_runs_of_one_size_are_compared_and_those_out_of_memory_are_not() -> None:
    larger = changed("pandas", "tables", "warehouse.fct_sales", value=900)
    others = [Result("pandas", 10_000, 24_000, measured(), larger.outcome), result("spark", exceeded=True)]
    assert differences([result("duckdb"), *others, result("pandas")]) == []


def test_many_differences_are_cut_short_and_counted() -> None:
    other = changed("spark", "tables", value={f"t{number:02}": 1 for number in range(14)})
    found = differences([result("duckdb"), other])
    assert len(found) == 11
    assert found[-1] == "5,000 rows: and 5 more of spark"


# Tables


def test_a_run_has_its_time_rates_and_peak_in_the_table() -> None:
    fixed = {"duckdb": Fixed("duckdb", 2000, 0.0, 9.0, 6.0)}
    sheet = engines_sheet([result(seconds=10.0)], fixed, limit=0)
    assert sheet.rows == (("5,000", "duckdb", "12,000", "10.0", "1,200", "2,500", "500 MB"),)


def test_a_run_that_needed_too_much_memory_says_so_in_the_table() -> None:
    sheet = engines_sheet([result("pandas", exceeded=True)], {}, limit=18_050 * MEGABYTE)
    assert sheet.rows == (("5,000", "pandas", "12,000", "-", "-", "-", "needs more than 18.1 GB"),)
    assert layers_sheet([result("pandas", exceeded=True)]).rows == ()


def test_layers_stand_in_the_order_of_the_flow() -> None:
    sheet = layers_sheet([result()])
    assert sheet.columns == ("rows", "engine", "raw", "warehouse")
    assert sheet.rows == (("5,000", "duckdb", "1.2", "2.0"),)


def test_the_fixed_cost_of_an_engine_without_a_server_has_no_start() -> None:
    sheet = fixed_sheet([Fixed("duckdb", 2000, 0.0, 9.0, 6.0), Fixed("spark", 2000, 12.5, 40.0, 20.0)], "1500m")
    assert sheet.title.endswith("runs of 2,000 lines; Spark's server has -Xmx1500m")
    assert sheet.rows == (("duckdb", "-", "9.0", "6.0"), ("spark", "12.5", "40.0", "20.0"))


def test_markdown_is_a_title_and_a_table_with_numbers_to_the_right(tmp_path: Path) -> None:
    sheet = Sheet("Times", ("rows", "engine", "seconds"), (("1", "duckdb", "2.0"),), texts=2)
    expected = "Times\n\n| rows | engine | seconds |\n|---|---|---:|\n| 1 | duckdb | 2.0 |\n"
    assert markdown(sheet) == expected
    write_markdown(tmp_path / "tables.md", [sheet, sheet])
    assert (tmp_path / "tables.md").read_text() == f"{expected}\n{expected}"


# The whole, with runs that are made up


@dataclass
class Made:
    """Stands where the runs are: each engine's time, and what is otherwise in its result."""

    tables: dict[str, dict[str, int]]
    exceeds: str = ""

    def generate(self, out: Path, rows: int, _seed: int) -> SampleSummary:
        return SampleSummary(out, {}, {"ecommerce_transactions": rows, "retail_analytics": rows}, 0, out)

    @contextmanager
    def ready(self, _settings: Settings, engine: Any) -> Iterator[Ready]:
        yield Ready(engine, server=1, seconds=12.0) if engine == "spark" else Ready(engine)

    def run_once(
        self, _settings: Settings, on: Ready, raw: Path, _scratch: Path, _limit: int
    ) -> tuple[Measured, dict[str, Any]]:
        is_small = raw.name == "raw-1000"
        if on.engine == self.exceeds and not is_small:
            return measured(exceeded=True), {}
        return measured(seconds=5.0 if is_small else 20.0), {**OUTCOME, "tables": self.tables.get(on.engine, {})}


def compare(monkeypatch: pytest.MonkeyPatch, made: Made, file: Path | None = None, *, skips: bool = False) -> int:
    monkeypatch.setattr(bench_engines, "generate", made.generate)
    monkeypatch.setattr(bench_engines, "ready", made.ready)
    monkeypatch.setattr(bench_engines, "run_once", made.run_once)
    asked = bench_engines.Comparison(("duckdb", "spark"), (1000, 1500), 42, skips=skips)
    return bench_engines.bench_engines(Settings.from_environment({}), asked, file)


def test_equal_results_end_with_zero_and_tables_of_every_size_and_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert compare(monkeypatch, Made({}), tmp_path / "tables.md") == 0
    assert "came to the same results" in capsys.readouterr().out
    rows = [line.split(" | ")[:2] for line in (tmp_path / "tables.md").read_text().splitlines()]
    for size in ("1,000", "1,500"):
        assert [f"| {size}", "duckdb"] in rows
        assert [f"| {size}", "spark"] in rows
    assert "| spark | 12.0 | 5.0 | 5.0 |" in (tmp_path / "tables.md").read_text()


def test_different_results_are_told_loudly_and_end_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(monkeypatch, Made({"spark": {"warehouse.fct_sales": 1}})) == 1
    told = capsys.readouterr().out
    assert "DIFFERENT RESULTS: 1,500 rows: rows of warehouse.fct_sales is None on duckdb, 1 on spark" in told
    assert "same results" not in told


def test_an_engine_that_needs_too_much_memory_is_passed_over_when_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(monkeypatch, Made({}, exceeds="spark"), skips=True) == 0
    assert "needs more than" in capsys.readouterr().out


def test_otherwise_it_ends_the_comparison_with_the_tables_so_far(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PlatformError, match="spark needs more than") as ended:
        compare(monkeypatch, Made({}, exceeds="spark"))
    assert "--skip-over-memory" in ended.value.remedy
    assert "Everything from raw files to a loaded warehouse" in capsys.readouterr().out
