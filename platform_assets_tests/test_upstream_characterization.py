"""What the platform relies on in the libraries it is built from: one small test for each, so that an upgrade that
changes it is noticed here and not in somebody's numbers.
"""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import duckdb
import narwhals as nw
import pandas as pd
import pandera.pandas as pa_pandas
import pyarrow as pa
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from pyarrow import csv

from platform_assets_tests.conftest import ENGINES

# --- Dagster -----------------------------------------------------------------------------------------------------


class Memory(dg.IOManager):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: dict[dg.AssetKey, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        self.kept[context.asset_key] = obj
        context.add_output_metadata({"rows": -1, "stored": True})

    def load_input(self, context: dg.InputContext) -> Any:
        return self.kept[context.asset_key]


def subsettable() -> dg.AssetsDefinition:
    """Two tables and their checks in one step, of which any may be selected; as the staging step is made."""

    @dg.multi_asset(
        outs={name: dg.AssetOut(key=name, is_required=False) for name in ("rows", "rest")},
        check_specs=[dg.AssetCheckSpec(name, asset="rows") for name in ("whole", "half")],
        can_subset=True,
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Any]:
        for name in ("rows", "rest"):
            if name in context.op_execution_context.selected_output_names:
                yield dg.MaterializeResult(asset_key=name, value=f"the {name}", metadata={"rows": 7})
        for check in sorted(context.selected_asset_check_keys):
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=False,
                severity=dg.AssetCheckSeverity.ERROR,
            )

    return step


@dg.asset
def downstream(rows: str) -> str:
    return rows.upper()


def run_job(selection: dg.AssetSelection, memory: Memory, **options: Any) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(
        assets=[subsettable(), downstream],
        jobs=[dg.define_asset_job("job", selection)],
        executor=dg.in_process_executor,
        resources={"io_manager": memory},
        loggers={"kept": options.pop("logger", dg.colored_console_logger)},
    )
    with dg.DagsterInstance.ephemeral() as instance:
        return definitions.resolve_job_def("job").execute_in_process(instance=instance, **options)


def test_dagster_runs_the_checks_of_a_subsettable_step_without_its_tables() -> None:
    memory = Memory()
    result = run_job(dg.AssetSelection.all_asset_checks(), memory)
    assert sorted(one.check_name for one in result.get_asset_check_evaluations()) == ["half", "whole"]
    assert (memory.kept, result.get_asset_materialization_events()) == ({}, [])


def test_dagster_runs_one_table_of_a_subsettable_step() -> None:
    memory = Memory()
    run_job(dg.AssetSelection.assets("rest").without_checks(), memory)
    assert memory.kept == {dg.AssetKey("rest"): "the rest"}


def test_dagster_gives_the_value_of_a_materialize_result_to_the_io_manager() -> None:
    memory = Memory()
    run_job(dg.AssetSelection.all(), memory)
    assert memory.kept[dg.AssetKey("rows")] == "the rows"
    assert memory.kept[dg.AssetKey("downstream")] == "THE ROWS"


def test_dagster_lets_the_io_manager_s_metadata_win_over_that_of_the_result() -> None:
    events = run_job(dg.AssetSelection.all(), Memory()).asset_materializations_for_node("step")
    told = {one.asset_key.to_user_string(): one.metadata for one in events}
    assert (told["rows"]["rows"].value, told["rows"]["stored"].value) == (-1, True)


def test_dagster_goes_on_after_a_failed_check_that_does_not_block() -> None:
    result = run_job(dg.AssetSelection.all(), Memory())
    failed = [one for one in result.get_asset_check_evaluations() if not one.passed]
    assert {one.severity for one in failed} == {dg.AssetCheckSeverity.ERROR}
    assert result.success
    assert dg.AssetKey("downstream") in {event.asset_key for event in result.get_asset_materialization_events()}


def failing(severity: dg.AssetCheckSeverity) -> Callable[[], Iterator[dg.AssetCheckResult]]:
    def judge() -> Iterator[dg.AssetCheckResult]:
        yield dg.AssetCheckResult(asset_key="source", check_name="gate", passed=False, severity=severity)

    return judge


def raising() -> Iterator[dg.AssetCheckResult]:
    message = "cannot be checked"
    raise RuntimeError(message)


def silent() -> Iterator[dg.AssetCheckResult]:
    yield from ()


@pytest.mark.parametrize(
    ("judge", "blocking", "succeeds", "goes_on"),
    [
        pytest.param(failing(dg.AssetCheckSeverity.ERROR), False, True, True, id="error"),
        pytest.param(failing(dg.AssetCheckSeverity.WARN), False, True, True, id="warning"),
        pytest.param(raising, False, False, True, id="raises"),
        pytest.param(silent, False, True, True, id="no result"),
        pytest.param(failing(dg.AssetCheckSeverity.ERROR), True, False, False, id="error, blocking"),
        pytest.param(failing(dg.AssetCheckSeverity.WARN), True, True, True, id="warning, blocking"),
        pytest.param(raising, True, False, False, id="raises, blocking"),
        pytest.param(silent, True, True, True, id="no result, blocking"),
    ],
)
def test_dagster_blocks_after_an_error_and_after_nothing_else(
    judge: Callable[[], Iterator[dg.AssetCheckResult]], blocking: bool, succeeds: bool, goes_on: bool
) -> None:
    """Why the platform's checks do not block (all that is downstream would stop, of every dataset), and always yield.

    The check without a result is the one to fear: it blocks nothing, and only a warning in the log tells of it.
    """

    @dg.asset
    def source() -> str:
        return "new"

    @dg.multi_asset_check(specs=[dg.AssetCheckSpec("gate", asset="source", blocking=blocking)], can_subset=True)
    def gate() -> Iterator[dg.AssetCheckResult]:
        yield from judge()

    @dg.asset
    def follower(source: str) -> str:
        return source

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [source, gate, follower], instance=instance, resources={"io_manager": Memory()}, raise_on_error=False
        )
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    names = ["source", "follower"] if goes_on else ["source"]
    assert (result.success, made) == (succeeds, {dg.AssetKey(name) for name in names})


def test_dagster_keeps_what_a_check_said_before_its_step_raised() -> None:
    """What makes a check that could not be evaluated a failed one."""

    @dg.multi_asset(
        outs={"rows": dg.AssetOut(is_required=False)},
        check_specs=[dg.AssetCheckSpec("gate", asset="rows")],
        can_subset=True,
    )
    def step() -> Iterator[dg.AssetCheckResult]:
        yield dg.AssetCheckResult(asset_key="rows", check_name="gate", passed=False)
        message = "the step went wrong"
        raise RuntimeError(message)

    key = dg.AssetCheckKey(dg.AssetKey("rows"), "gate")
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([step], instance=instance, raise_on_error=False)
        record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert not result.success
    assert record.status is AssetCheckExecutionRecordStatus.FAILED


def test_dagster_takes_loggers_by_run_configuration_and_leaves_the_others_out() -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            lines.append(event.event_type_value if event else "text")

    @dg.logger
    def keeping(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.getLogger("kept-by-the-characterization-test")
        logger.handlers = [Kept()]
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        return logger

    run_job(dg.AssetSelection.all(), Memory(), logger=keeping, run_config={"loggers": {"kept": {}}})
    assert lines.count("STEP_SUCCESS") == 2


# --- Narwhals ----------------------------------------------------------------------------------------------------


def lazy(engine: str, table: pa.Table) -> nw.LazyFrame[Any]:
    """A table as the platform's engines hold it."""
    frame: nw.LazyFrame[Any]
    if engine == "duckdb":
        frame = nw.from_native(duckdb.connect().from_arrow(table))
    else:
        frame = nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)).lazy()
    return frame


def rows_of(frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.collect("pyarrow").to_native().to_pylist()
    return rows


@pytest.mark.parametrize("name", ENGINES)
def test_narwhals_groups_an_empty_frame(name: str) -> None:
    empty = pa.schema([("key", pa.string()), ("amount", pa.decimal128(18, 4))]).empty_table()
    grouped = (
        lazy(name, empty)
        .group_by("key")
        .agg(nw.len().alias("n"), nw.col("amount").sum(), nw.col("amount").max().alias("top"))
    )
    assert rows_of(grouped) == []


@pytest.mark.parametrize("name", ENGINES)
def test_narwhals_multiplies_and_sums_decimals_exactly(name: str) -> None:
    money = pa.decimal128(18, 4)
    table = pa.table({"n": [3, -7, 1], "price": pa.array(["0.1000", "1234567.8901", None], pa.string()).cast(money)})
    amount = (nw.col("n") * nw.col("price")).cast(nw.Decimal(30, 4))
    frame = lazy(name, table).with_columns(amount.alias("amount"))
    assert [row["amount"] for row in rows_of(frame.sort("n"))] == [Decimal("-8641975.2307"), None, Decimal("0.3000")]
    assert rows_of(frame.select(nw.col("amount").sum())) == [{"amount": Decimal("-8641974.9307")}]


PLACES = pa.table({"key": ["a", "b", "a", "a"], "file": ["2", "1", "1", "1"], "row": [1, 1, 9, 3], "one": [1, 1, 1, 1]})
IN_ORDER = [("a", "1", 3, 1), ("a", "1", 9, 2), ("a", "2", 1, 3), ("b", "1", 1, 1)]


def numbered(name: str, counted: str) -> list[tuple[str, str, int, int]]:
    place = nw.col(counted).cum_count().over("key", order_by=["file", "row"])
    frame = lazy(name, PLACES).with_columns(place.alias("place")).sort("key", "file", "row")
    return [(row["key"], row["file"], row["row"], row["place"]) for row in rows_of(frame)]


@pytest.mark.parametrize("name", ENGINES)
def test_narwhals_numbers_rows_within_a_group_in_the_order_asked_for(name: str) -> None:
    assert numbered(name, "one") == IN_ORDER


def test_narwhals_numbers_rows_wrongly_on_pandas_when_it_counts_a_column_of_the_order() -> None:
    """Why transforms.exclusions counts a column of its own. When this fails, that can go."""
    assert numbered("pandas", "row") != IN_ORDER
    assert numbered("duckdb", "row") == IN_ORDER


@pytest.mark.parametrize("name", ENGINES)
def test_narwhals_splits_text_and_takes_a_part(name: str) -> None:
    table = pa.table({"text": ["3/14/2017", "11/8/2016"]})
    parts = nw.col("text").str.split("/")
    frame = lazy(name, table).select(month=parts.list.get(0), day=parts.list.get(1))
    assert sorted((row["month"], row["day"]) for row in rows_of(frame)) == [("11", "8"), ("3", "14")]


@pytest.mark.parametrize("name", ENGINES)
def test_narwhals_leaves_rows_whose_condition_is_unknown_to_otherwise(name: str) -> None:
    table = pa.table({"n": pa.array([1, None, -1], pa.int64())})
    broken = nw.when(nw.col("n") < 0).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
    frame = lazy(name, table).select("n", broken.alias("broken"))
    assert {row["n"]: row["broken"] for row in rows_of(frame)} == {1: False, None: False, -1: True}


FAR = pa.table({"until": pa.array([datetime(9999, 12, 31), datetime(2024, 1, 1)], pa.timestamp("us"))})


@pytest.mark.parametrize("name", ENGINES)
def test_narwhals_compares_with_an_instant_of_a_given_unit(name: str) -> None:
    instant = nw.lit(datetime(2025, 1, 1), dtype=nw.Datetime("us"))
    assert [row["later"] for row in rows_of(lazy(name, FAR).select(later=nw.col("until") >= instant))] == [True, False]


def test_narwhals_puts_the_year_9999_in_the_past_on_pandas_when_no_unit_is_given() -> None:
    """Why analytics.customer_360 gives its literal a type. When this fails, that can go."""
    later = nw.col("until") >= datetime(2025, 1, 1)
    assert [row["later"] for row in rows_of(lazy("pandas", FAR).select(later=later))] == [False, False]


# --- DuckDB, Arrow, Pandera --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rounded"), [("0.00005", "0.0001"), ("0.00015", "0.0002"), ("-0.00005", "-0.0001"), ("0.00004", "0")]
)
def test_duckdb_rounds_half_away_from_zero_when_it_casts_to_decimal(text: str, rounded: str) -> None:
    found = duckdb.connect().execute("SELECT CAST(? AS DECIMAL(18, 4))", [text]).fetchone()
    assert found == (Decimal(rounded),)


def test_duckdb_gives_null_for_text_that_is_no_number_when_asked_to_try() -> None:
    found = duckdb.connect().execute("SELECT TRY_CAST('1,5' AS DECIMAL(18, 4)), TRY_CAST(' 2 ' AS BIGINT)").fetchone()
    assert found == (None, 2)


def test_arrow_hands_over_rows_with_a_wrong_number_of_fields_and_reads_the_others() -> None:
    wrong: list[tuple[int, int, str]] = []

    def skip(row: csv.InvalidRow) -> str:
        wrong.append((row.expected_columns, row.actual_columns, row.text))
        return "skip"

    table = csv.read_csv(
        io.BytesIO(b'a,b\n1,2\n1,2,3\n"x\ny",4\n5\n'),
        parse_options=csv.ParseOptions(invalid_row_handler=skip, newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types={"a": pa.string(), "b": pa.string()}),
    )
    assert table.to_pylist() == [{"a": "1", "b": "2"}, {"a": "x\ny", "b": "4"}]
    assert wrong == [(2, 3, "1,2,3"), (2, 1, "5")]


def test_arrow_reads_quoted_and_unquoted_nothing_alike_when_text_may_not_be_null() -> None:
    table = csv.read_csv(
        io.BytesIO(b'a,b\n"",NULL\n,x\n'),
        convert_options=csv.ConvertOptions(
            column_types={"a": pa.string(), "b": pa.string()}, strings_can_be_null=False
        ),
    )
    assert table.to_pylist() == [{"a": "", "b": "NULL"}, {"a": "", "b": "x"}]


@pytest.mark.parametrize(("imported", "hour"), [("pandera.pandas", "12"), ("platform_assets.contracts.registry", "10")])
def test_arrow_loses_the_offset_of_aware_datetimes_once_pandera_is_imported_but_not_here(
    imported: str, hour: str
) -> None:
    """Why ``contracts`` sets PYARROW_IGNORE_TIMEZONE. When the first case fails, it need not any more."""
    program = (
        f"import {imported}, pyarrow as pa; from datetime import *;"
        "noon_in_helsinki = datetime(2024, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)));"
        "print(pa.array([noon_in_helsinki], pa.timestamp('us', 'UTC'))[0].as_py().hour)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYARROW_IGNORE_TIMEZONE"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hour


SCHEMA = pa_pandas.DataFrameSchema({"n": pa_pandas.Column(int, pa_pandas.Check.ge(0))})


def test_pandera_validates_and_counts_every_failing_row() -> None:
    with pytest.raises(pa_pandas.errors.SchemaErrors) as caught:
        SCHEMA.validate(pd.DataFrame({"n": [1, -1, -2]}), lazy=True)
    assert sorted(caught.value.failure_cases["failure_case"]) == [-2, -1]


def test_pandera_lets_everything_pass_when_its_environment_variable_says_so() -> None:
    """Why a run must not inherit it."""
    program = (
        "import pandas as pd, pandera.pandas as pa;"
        "pa.DataFrameSchema({'n': pa.Column(int, pa.Check.ge(0))}).validate(pd.DataFrame({'n': [-1]}))"
    )
    environment = {**os.environ, "PANDERA_VALIDATION_ENABLED": "False"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
