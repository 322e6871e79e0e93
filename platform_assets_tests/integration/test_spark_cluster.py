"""The main job on a real Spark cluster: the same warehouse as anywhere, also when a worker dies in the middle."""

import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from platform_assets.config import DatasetSettings
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine
from platform_assets.engines.pandas import PandasEngine
from platform_assets.engines.spark import SparkEngine
from platform_assets.ingestion.landing import look
from platform_assets.lake.table import Table
from platform_assets.samples.generate import generate
from platform_assets.services.web import free_port
from platform_assets_tests.integration.dumps import Dump, differences, dump
from platform_assets_tests.integration.running import EXIT_ERROR, Homes
from platform_assets_tests.integration.spark_cluster import WORKERS, SparkCluster, pid_after

pytestmark = pytest.mark.integration

ROWS = 2000
DATASET = CONTRACTS["ecommerce_transactions"]
PROCESSED = ("product_catalog", "ecommerce_transactions")
"""Of the sample. That all of it gives the same on Spark is shown on one machine, where a run takes half the time."""

UNFILLED = {"warehouse.fct_customer_interactions"}
"""No dataset processed here has interactions."""

NAMES = ("one.csv", "two.csv")
"""As many files as workers, so that each of them has one."""

LONG = 200_000
"""Lines of a file that takes long enough to read for somebody to come in between."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    with SparkCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(started: SparkCluster) -> SparkCluster:
    """The cluster with all its workers, whatever the test before did to it."""
    started.replace_workers()
    return started


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder / "all", rows=ROWS, seed=11)
    for name in PROCESSED:
        shutil.copytree(folder / "all" / name, folder / "raw" / name)
    return folder / "raw"


@pytest.fixture(scope="module")
def expected(homes: Homes, sample: Path) -> Dump:
    """The warehouse as one machine fills it."""
    home = homes.make(sample)
    home.run("--engine", "duckdb").succeeded()
    return dump(home.dsn)


@pytest.fixture
def spark(cluster: SparkCluster, tmp_path: Path) -> Iterator[SparkEngine]:
    engine = SparkEngine(cluster.url, tmp_path / "scratch")
    yield engine
    engine.close()


class Lake:
    """The two tables that reading a dataset fills, each file by a task of its own where the engine has workers."""

    def __init__(self, root: Path, engine: Engine, contract: Contract = DATASET) -> None:
        self.tables = Table(root / "rows"), Table(root / "rejects")
        self._engine = engine
        self._contract = contract

    def read(self, folder: Path) -> None:
        landing = look(self._contract, folder, DatasetSettings(), self.tables, self._engine, least_bytes=1)
        for table, update in zip(self.tables, (landing.rows, landing.rejects), strict=True):
            update.publish(table)

    @property
    def rows(self) -> list[list[dict[str, Any]]]:
        """The live rows of both tables, by file and line."""
        return [
            sorted(_live(table), key=lambda row: (row["_source_file"], row["_source_row"])) for table in self.tables
        ]

    def segments(self) -> list[Path]:
        """Every segment of rows, whether it counts or not."""
        return [*self.tables[0].segments.glob("*")]


def _live(table: Table) -> Iterator[dict[str, Any]]:
    for part in table.parts(table.snapshot()):
        for row in pq.read_table(part.path).to_pylist():
            if part.keep is None or row["_source_file"] in part.keep:
                yield row


def test_a_cluster_fills_the_warehouse_as_one_machine_does(
    homes: Homes, sample: Path, expected: Dump, cluster: SparkCluster
) -> None:
    before = len(cluster.log)
    home = homes.make(sample, SPARK_REMOTE=cluster.url)

    home.run("--engine", "spark").succeeded()

    assert differences(expected, dump(home.dsn)) == {}
    assert {table for table, rows in expected.items() if not rows} == UNFILLED
    assert cluster.given_tasks(before) == cluster.executors().keys()


def test_a_run_goes_on_when_a_worker_dies_while_it_writes(
    homes: Homes, sample: Path, expected: Dump, cluster: SparkCluster
) -> None:
    home = homes.make(sample, SPARK_REMOTE=cluster.url)
    run = home.start("--engine", "spark")

    def is_writing() -> bool:
        assert not run.wait(0), run.result().stderr
        # The folder of a task's attempt below that of its job, in a segment that is not finished.
        return any((home.folder / "lake" / "staging").glob("*/segments/*/_temporary/0/_temporary/*"))

    death = cluster.kill_worker_at_work(is_writing)
    run.result().succeeded()

    assert cluster.was_noticed(death)
    assert differences(expected, dump(home.dsn)) == {}


def test_python_work_is_spread_over_the_workers(cluster: SparkCluster, spark: SparkEngine) -> None:
    pids = list(spark.spread(pid_after, [0.5] * 4))

    assert {cluster.worker_of(pid) for pid in pids} == set(range(WORKERS))


def test_files_are_read_by_the_workers_as_they_are_read_here(
    cluster: SparkCluster, spark: SparkEngine, sample: Path, tmp_path: Path
) -> None:
    before = len(cluster.log)
    alone, spread = Lake(tmp_path / "alone", PandasEngine()), Lake(tmp_path / "spread", spark)

    for lake in (alone, spread):
        lake.read(sample / DATASET.dataset)

    assert spread.rows == alone.rows
    assert all(alone.rows)
    assert len(spread.segments()) == 2 * WORKERS
    assert cluster.given_tasks(before) == cluster.executors().keys()


def test_a_file_whose_reader_dies_is_read_once_more_and_counts_once(
    cluster: SparkCluster, spark: SparkEngine, tmp_path: Path
) -> None:
    folder, lake = tmp_path / "raw", Lake(tmp_path / "lake", spark, CONTRACTS["retail_analytics"])
    folder.mkdir()
    lines = "".join(f"c,2024-01-01,Store,{number}\n" for number in range(LONG))
    for name in NAMES:
        (folder / name).write_text(f"customer_id,purchase_date,channel,amount_spent\n{lines}")

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(lake.read, folder)

        def is_reading() -> bool:
            assert not reading.done()
            return len(lake.segments()) == WORKERS

        death = cluster.kill_worker_at_work(is_reading)
        reading.result()

    assert cluster.was_noticed(death)
    assert len(lake.segments()) > WORKERS
    amounts = [(row["_source_file"], int(row["amount_spent"])) for row in lake.rows[0]]
    assert amounts == [(name, number) for name in NAMES for number in range(LONG)]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (lambda: f"sc://127.0.0.1:{free_port()}", r"error: The Spark server at 127\.0\.0\.1:\d+ cannot be reached"),
        (lambda: "127.0.0.1:15002", r"error: SPARK_REMOTE is not the address of a Spark Connect server"),
    ],
    ids=["nobody-there", "malformed"],
)
def test_an_address_that_leads_nowhere_is_an_error_before_anything_is_written(
    homes: Homes, address: Callable[[], str], message: str
) -> None:
    home = homes.make(SPARK_REMOTE=address())

    result = home.run("--engine", "spark")

    assert result.exit_code == EXIT_ERROR
    assert re.search(message, result.stderr)
    assert "Traceback" not in result.stderr
    assert not home.folder.exists()
    assert list(home.raw.iterdir()) == []
