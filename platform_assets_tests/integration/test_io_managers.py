"""What an asset asks for by its annotation is what it gets, from the lake and from PostgreSQL."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest
from dagster_pyspark import PySparkResource
from pyspark.sql import DataFrame as SparkFrame

from platform_assets.contracts.pandas_schema import ContractBrokenError, checked
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.definitions import defs
from platform_assets.defs import operations
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.io_managers.handlers import handler_of
from platform_assets.io_managers.lake_types import FrameRefusedError
from platform_assets.lake.table import Table
from platform_assets.resources.platform import PlatformResource
from platform_assets_tests.integration.running import Homes, execute_as_owner

pytestmark = pytest.mark.integration

LINES = """InvoiceNo,CustomerID,StockCode,InvoiceDate,Quantity,UnitPrice
1,17850.0,a1,2024-01-05 08:00:00,2,2.55
1,17850.0,a1,2024-01-05 08:00:00,2,2.55
2,,b2,2024-01-06 09:00:00,0,1.00
3,13047.0,b2,2024-01-07 10:00:00,-1,1.25
"""
KEY = dg.AssetKey(["staging", "ecommerce_transactions"])
SEEN: dict[str, object] = {}


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_pandas(rows: pd.DataFrame) -> None:
    SEEN["pandas"] = rows


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_arrow(rows: pa.Table) -> None:
    SEEN["arrow"] = rows


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_lazy(rows: nw.LazyFrame) -> None:  # type: ignore[type-arg]  # Dagster takes no parameters of a type
    SEEN["lazy"] = rows.collect(backend="pyarrow").to_native().num_rows


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_handle(rows: Table) -> None:
    SEEN["handle"] = sorted(rows.snapshot().slices)


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What each annotation received from one delivery: a duplicate, a row set aside, a return."""
    folder = tmp_path / "raw" / "ecommerce_transactions"
    folder.mkdir(parents=True)
    (folder / "day.csv").write_text(LINES, encoding="utf-8")
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLATFORM_RAW", str(tmp_path / "raw"))
    # Four lines with a duplicate and a bad row are under every threshold.
    config = "thresholds: {default: {completeness: 0, uniqueness: 0, validity: 0}}"
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    monkeypatch.setenv("PLATFORM_CONFIG", str(tmp_path / "config.yaml"))
    readers = [as_pandas, as_arrow, as_lazy, as_handle]
    selection = dg.AssetSelection.assets(*readers) | dg.AssetSelection.assets(KEY).upstream()
    job = dg.define_asset_job("reading", selection=selection)
    given = dg.Definitions.merge(defs(), dg.Definitions(assets=readers, jobs=[job]))
    SEEN.clear()
    with dg.DagsterInstance.ephemeral() as instance:
        assert given.resolve_job_def("reading").execute_in_process(instance=instance).success
    return dict(SEEN)


def test_an_asset_gets_the_accepted_rows_in_the_form_it_asks_for(loaded: dict[str, object]) -> None:
    rows = loaded["pandas"]
    assert isinstance(rows, pd.DataFrame)
    assert sorted(zip(rows["transaction_id"], rows["total_amount"], strict=True)) == [
        ("1", Decimal("5.1000")),
        ("3", Decimal("-1.2500")),
    ]
    assert isinstance(loaded["arrow"], pa.Table)
    assert loaded["arrow"].num_rows == 2
    assert loaded["lazy"] == 2
    assert loaded["handle"] == ["day.csv"]


def test_rows_that_break_their_contract_never_reach_pandas(loaded: dict[str, object]) -> None:
    rows = loaded["pandas"]
    assert isinstance(rows, pd.DataFrame)
    broken = rows.assign(quantity=rows["quantity"] * 0)
    with pytest.raises(ContractBrokenError, match="quantity_not_zero"):
        checked(broken, CONTRACTS["ecommerce_transactions"])


ROWS: list[dict[str, Any]] = [
    {
        "id": 1,
        "money": Decimal("99999999999999.9999"),
        "instant": datetime(2011, 12, 9, 12, 50, 0, 123_457),
        "day": date(1900, 3, 1),
        "text": "bücher",
        "flag": True,
        "share": 0.1,
    },
    {
        "id": 2,
        "money": Decimal("-0.0001"),
        "instant": datetime(1969, 12, 31, 23, 59, 59, 999_999),
        "day": date(9999, 12, 31),
        "text": "",
        "flag": False,
        "share": -1e300,
    },
    {"id": 3, "money": None, "instant": None, "day": None, "text": None, "flag": None, "share": None},
]
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("money", pa.decimal128(18, 4)),
        ("instant", pa.timestamp("us")),
        ("day", pa.date32()),
        ("text", pa.string()),
        ("flag", pa.bool_()),
        ("share", pa.float64()),
    ]
)
ARROW = pa.Table.from_pylist(ROWS, schema=SCHEMA)
FRAMES: dict[str, type] = {
    "pandas": pd.DataFrame,
    "arrow": pa.Table,
    "lazy": nw.LazyFrame,
    "duckdb": duckdb.DuckDBPyRelation,
    "spark": SparkFrame,
}
COLUMNS = "id bigint, money decimal(18, 4), instant timestamp_ntz, day date, text string, flag boolean, share double"


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """The rows of a frame of any kind, in the order of their ids."""
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect(backend="pyarrow").to_native()
    elif isinstance(frame, pd.DataFrame):
        frame = pa.Table.from_pandas(frame, preserve_index=False)
    elif isinstance(frame, duckdb.DuckDBPyRelation):
        frame = frame.to_arrow_table()
    elif isinstance(frame, SparkFrame):
        frame = frame.toArrow()
    found: list[dict[str, Any]] = frame.to_pylist()
    return sorted(found, key=lambda row: int(row["id"]))


def maker(kind: str, io_manager: str) -> dg.AssetsDefinition:
    """An asset that returns the rows as a frame of one kind."""
    makers: dict[str, Callable[[PlatformResource, PySparkResource], Any]] = {
        "pandas": lambda *_: ARROW.to_pandas(types_mapper=pd.ArrowDtype),
        "arrow": lambda *_: ARROW,
        "lazy": lambda platform, _: platform.engine.from_arrow(ARROW),
        "duckdb": lambda *_: duckdb.from_arrow(ARROW),
        "spark": lambda _, pyspark: pyspark.spark_session.createDataFrame(ROWS, COLUMNS),
    }

    @dg.asset(key=["made", kind], io_manager_key=io_manager, metadata={"table": f"public.made_{kind}", "key": "id"})
    def make(platform: PlatformResource, pyspark: PySparkResource) -> Any:
        return makers[kind](platform, pyspark)

    return make


def reader(kind: str, seen: dict[tuple[str, str], object]) -> dg.AssetsDefinition:
    """An asset that asks for everything made as frames of one kind, by its annotation."""
    wanted = FRAMES[kind]

    @dg.asset(key=["read", kind], ins={name: dg.AssetIn(["made", name]) for name in FRAMES})
    def read(pandas: wanted, arrow: wanted, lazy: wanted, duckdb: wanted, spark: wanted) -> None:  # type: ignore[valid-type]
        for name, frame in {"pandas": pandas, "arrow": arrow, "lazy": lazy, "duckdb": duckdb, "spark": spark}.items():
            assert isinstance(frame, wanted)
            seen[name, kind] = rows_of(frame)

    return read


def run(*assets: dg.AssetsDefinition, engine: str = "duckdb", **options: Any) -> dg.ExecuteInProcessResult:
    """Run assets with the platform's own resources."""
    definitions = dg.Definitions(
        assets,
        jobs=[dg.define_asset_job("job", dg.AssetSelection.all())],
        resources=operations.defs().resources,
        executor=dg.in_process_executor,
    )
    config = {"resources": {"platform": {"config": {"engine": engine}}}}
    return definitions.resolve_job_def("job").execute_in_process(run_config=config, **options)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, spark_url: str) -> Iterator[pytest.MonkeyPatch]:
    """A fresh home, and the test session's Spark server as that of the deployment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("SPARK_REMOTE", spark_url)
        yield patch


@dataclass(frozen=True)
class Trip:
    """What came back, by the kind that was returned and the kind that was asked for, and who wrote it."""

    engine: str
    seen: dict[tuple[str, str], object]
    written_by: Mapping[str, object]


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def trip(request: pytest.FixtureRequest, fresh: pytest.MonkeyPatch) -> Trip:  # noqa: ARG001 -- its home
    """Every kind of frame written to the lake and read back as every kind, in a run on one engine."""
    seen: dict[tuple[str, str], object] = {}
    makers = [maker(kind, "lake") for kind in FRAMES]
    done = run(*makers, *(reader(kind, seen) for kind in FRAMES), engine=request.param)
    events = [event.materialization for event in done.get_asset_materialization_events()]
    written_by = {one.asset_key.path[1]: one.metadata["engine"].value for one in events if "engine" in one.metadata}
    return Trip(request.param, seen, written_by)


@pytest.mark.parametrize("asked", FRAMES)
@pytest.mark.parametrize("returned", FRAMES)
def test_what_an_asset_returns_as_one_kind_of_frame_another_gets_as_any(trip: Trip, returned: str, asked: str) -> None:
    assert trip.seen[returned, asked] == ROWS


def test_a_frame_is_written_by_the_engine_it_belongs_to(trip: Trip) -> None:
    assert trip.written_by == {
        "pandas": trip.engine,
        "arrow": trip.engine,
        "lazy": trip.engine,
        "duckdb": "duckdb",
        "spark": "spark",
    }


def test_a_lazy_frame_is_never_in_memory_as_a_whole(fresh: pytest.MonkeyPatch) -> None:
    @dg.asset(key=["made", "numbers"], io_manager_key="lake")
    def numbers(platform: PlatformResource) -> nw.LazyFrame:  # type: ignore[type-arg]
        frame = platform.engine.from_arrow(pa.table({"group": ["a", "a", "b"], "number": [1, 2, 3]}))
        return frame.group_by("group").agg(nw.col("number").sum())

    def collect(*_: object) -> None:
        raise AssertionError("collected")

    with fresh.context() as patch:
        patch.setattr(DuckDBEngine, "collect", collect)
        (event,) = run(numbers).get_asset_materialization_events()
    assert event.materialization.metadata["dagster/row_count"].value == 2


@pytest.mark.usefixtures("fresh")
def test_frames_of_the_lake_and_of_the_session_meet_in_one_query() -> None:
    found: list[tuple[int, str]] = []

    @dg.asset(key=["made", "sales"], io_manager_key="lake")
    def sales() -> pa.Table:
        return pa.table({"country": ["FR", "FR", "DE"], "amount": [1, 2, 4]})

    @dg.asset(ins={"sales": dg.AssetIn(["made", "sales"])})
    def named(pyspark: PySparkResource, sales: SparkFrame) -> None:
        names = pyspark.spark_session.createDataFrame(
            [("FR", "France"), ("DE", "Germany")], "country string, name string"
        )
        sums = sales.join(names, "country").groupBy("name").sum("amount")
        found.extend((row[1], row[0]) for row in sums.collect())

    run(sales, named)
    assert sorted(found) == [(3, "France"), (4, "Germany")]


@pytest.mark.usefixtures("fresh")
def test_settings_of_the_session_can_be_given_to_the_run() -> None:
    found: list[str] = []

    @dg.asset
    def asking(pyspark: PySparkResource) -> None:
        found.append(pyspark.spark_session.conf.get("spark.sql.shuffle.partitions"))

    resources = operations.defs().resources
    config = {"pyspark": {"config": {"spark_config": {"spark.sql.shuffle.partitions": "3"}}}}
    assert dg.materialize([asking], resources=resources, run_config={"resources": config}).success
    assert found == ["3"]


@pytest.fixture(scope="module")
def stored(fresh: pytest.MonkeyPatch, homes: Homes) -> dict[tuple[str, str], object]:
    """Every kind of frame merged into a table of PostgreSQL and read back as every kind."""
    dsn = homes.make().dsn
    fresh.setenv("PLATFORM_POSTGRES_URL", dsn)
    columns = "id bigint PRIMARY KEY, money numeric(18, 4), instant timestamp, day date, text text, flag boolean"
    execute_as_owner(
        dsn,
        *(f"CREATE TABLE public.made_{kind} ({columns}, share double precision)" for kind in FRAMES),
        *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON public.made_{kind} TO retail_loader" for kind in FRAMES),
    )
    seen: dict[tuple[str, str], object] = {}
    run(*(maker(kind, "warehouse") for kind in FRAMES), *(reader(kind, seen) for kind in FRAMES))
    return seen


@pytest.mark.parametrize("asked", FRAMES)
@pytest.mark.parametrize("returned", FRAMES)
def test_the_warehouse_takes_and_gives_the_same_kinds(
    stored: dict[tuple[str, str], object], returned: str, asked: str
) -> None:
    assert stored[returned, asked] == ROWS


NOON = 1_719_828_000
"""Seconds from 1970 to noon in Berlin on the first of July 2024."""
IN_UTC = [{"id": 1, "at": datetime(2024, 7, 1, 10)}]


def zoned(kind: str, pyspark: PySparkResource) -> Any:
    """Noon in Berlin in summer as a frame of one kind knows it."""
    if kind == "pandas":
        return pd.DataFrame({"id": [1], "at": [pd.Timestamp("2024-07-01 12:00:00.000000999", tz="Europe/Berlin")]})
    if kind == "arrow":
        return pa.table({"id": [1], "at": pa.array([NOON], pa.timestamp("s", tz="Europe/Berlin"))})
    if kind == "duckdb":
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'America/New_York'")
        return connection.sql("SELECT 1::BIGINT AS id, TIMESTAMPTZ '2024-07-01 12:00:00+02:00' AS at")
    session = pyspark.spark_session
    session.conf.set("spark.sql.session.timeZone", "America/New_York")
    return session.sql("SELECT 1L AS id, TIMESTAMP_LTZ '2024-07-01 12:00:00+02:00' AS at")


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("kind", ["pandas", "arrow", "duckdb", "spark"])
def test_an_instant_of_any_zone_is_kept_in_utc(kind: str) -> None:
    found: list[object] = []

    @dg.asset(key=["zoned", kind], io_manager_key="lake")
    def made(pyspark: PySparkResource) -> Any:
        return zoned(kind, pyspark)

    @dg.asset(ins={"rows": dg.AssetIn(["zoned", kind])})
    def read(rows: pa.Table) -> None:
        found.extend(rows.to_pylist())

    run(made, read)
    assert found == IN_UTC


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (lambda: pd.DataFrame({"id": [1], "comment": [None]}), r"comment \(Unknown\)"),
        (lambda: pa.table({"id": [1], "tags": [["a"]]}), r"tags \(List\(String\)\)"),
        (lambda: pd.DataFrame({"id": [1, 2], "mixed": ["a", 1]}), "mixed"),
        (lambda: pa.table({"id": pa.array([2**64 - 1], pa.uint64())}), "id .* do not fit int64"),
        (lambda: duckdb.sql("SELECT 1 AS id, NULL AS nothing, TIME '12:00' AS noon"), r"nothing.*noon \(Time\)"),
        (
            lambda: nw.from_native(duckdb.table_function("range", [2]).project("'a'::BLOB AS bytes")),
            r"bytes \(Binary\)",
        ),
        (lambda: pa.table({}), "no columns"),
    ],
    ids=["no type", "list", "mixed", "too large", "several", "lazy", "no columns"],
)
@pytest.mark.usefixtures("fresh")
def test_a_column_that_cannot_be_kept_is_named(frame: Callable[[], Any], named: str) -> None:
    made = frame()
    with pytest.raises(FrameRefusedError, match=named):
        handler_of(type(made)).take(made, PlatformResource())


@pytest.mark.usefixtures("fresh")
def test_a_column_of_spark_that_cannot_be_kept_is_named() -> None:
    @dg.asset(key=["made", "void"], io_manager_key="lake")
    def void(pyspark: PySparkResource) -> Any:
        return pyspark.spark_session.sql("SELECT 1 AS id, NULL AS nothing")

    with pytest.raises(FrameRefusedError, match=r"nothing \(Unknown\)"):
        run(void)


@pytest.mark.usefixtures("fresh")
def test_a_type_that_nobody_handles_is_named_with_those_that_are_handled() -> None:
    @dg.asset(key=["made", "list"], io_manager_key="lake")
    def returned() -> list[int]:
        return [1]

    @dg.asset(key=["made", "table"], io_manager_key="lake")
    def table() -> pa.Table:
        return ARROW

    @dg.asset(ins={"rows": dg.AssetIn(["made", "table"])})
    def asking(rows: dict) -> None:  # type: ignore[type-arg]
        raise AssertionError(rows)

    with pytest.raises(FrameRefusedError, match=r"builtins\.list.*narwhals\.LazyFrame.*pyspark\.sql\.DataFrame"):
        run(returned)
    with pytest.raises(FrameRefusedError, match=r"dict.*pandas\.DataFrame"):
        run(table, asking)


@pytest.mark.usefixtures("fresh")
def test_spark_reads_a_table_that_is_not_there_yet() -> None:
    found: list[int] = []

    @dg.asset(ins={"rows": dg.AssetIn(["made", "never"])})
    def asking(rows: SparkFrame) -> None:
        found.append(rows.count())

    never = dg.AssetSpec(["made", "never"], metadata={"dagster/io_manager_key": "lake"})
    definitions = dg.Definitions(
        [never, asking],
        jobs=[dg.define_asset_job("job", dg.AssetSelection.assets(asking))],
        resources=operations.defs().resources,
    )
    assert definitions.resolve_job_def("job").execute_in_process().success
    assert found == [0]


@pytest.mark.usefixtures("fresh")
def test_instants_of_the_warehouse_are_utc_whatever_its_zone(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = homes.make().dsn
    monkeypatch.setenv("PLATFORM_POSTGRES_URL", dsn)
    monkeypatch.setenv("PGTZ", "America/New_York")
    execute_as_owner(
        dsn,
        "CREATE TABLE public.zoned AS SELECT 1 AS id, timestamptz '2024-07-01 12:00+02' AS at",
        "GRANT SELECT ON public.zoned TO retail_loader",
    )
    found: list[object] = []

    @dg.asset(ins={"rows": dg.AssetIn(["made", "zoned"])})
    def asking(rows: pd.DataFrame) -> None:
        found.extend(rows["at"].to_list())

    zoned = dg.AssetSpec(["made", "zoned"], metadata={"dagster/io_manager_key": "warehouse", "table": "public.zoned"})
    definitions = dg.Definitions(
        [zoned, asking],
        jobs=[dg.define_asset_job("job", dg.AssetSelection.assets(asking))],
        resources=operations.defs().resources,
    )
    assert definitions.resolve_job_def("job").execute_in_process().success
    assert found == [pd.Timestamp("2024-07-01 10:00")]
