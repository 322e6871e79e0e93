"""Spark does its work in parallel: no plan brings whole tables into one partition."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_assets.analytics.rfm.edges import RfmEdges
from platform_assets.analytics.rfm.scores import customer_measures, rfm_scores
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine, Frame
from platform_assets.engines.spark import native
from platform_assets.lake.snapshot import Part
from platform_assets.transforms.core_dimensions import channels, customers, locations, products
from platform_assets.transforms.core_sales import SALES_DATASETS, SALES_SCHEMA
from platform_assets.transforms.exclusions import exclusions
from platform_assets.transforms.schemas import raw_schema, staged_schema
from platform_assets.transforms.staging import staged
from platform_assets_tests.conftest import make_test_engine

AS_OF = date(2024, 12, 31)
EDGES = RfmEdges((-9, -7, -5, -3), (2, 3, 5, 9), ())


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = make_test_engine("spark", tmp_path_factory.mktemp("scratch"))
    yield made
    made.close()


def rows(spark: Engine, folder: Path, schema: pa.Schema) -> Frame:
    """A row of nothing, in a file: what Spark knows already it would not plan for."""
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([{}], schema), path)
    return spark.scan([Part(path, None)], schema)


def plan(frame: Frame, capsys: pytest.CaptureFixture[str]) -> str:
    native(frame).explain()
    told = capsys.readouterr().out
    assert "Physical Plan" in told
    return told


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_rows_are_staged_where_they_lie(
    spark: Engine, dataset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = CONTRACTS[dataset]
    frame = staged(rows(spark, tmp_path, raw_schema(contract)), contract, {})
    assert "Exchange" not in plan(frame, capsys)


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_repeated_lines_and_keys_are_found_key_by_key(
    spark: Engine, dataset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = CONTRACTS[dataset]
    frame = exclusions(rows(spark, tmp_path, staged_schema(contract)), contract, AS_OF)
    assert "SinglePartition" not in plan(frame, capsys)


@pytest.mark.parametrize(
    "made",
    [
        lambda sales: customers(sales, SALES_DATASETS),
        channels,
        locations,
        lambda sales: rfm_scores(customer_measures(sales, AS_OF, 365), EDGES, AS_OF),
    ],
    ids=["customers", "channels", "locations", "rfm scores"],
)
def test_customers_channels_locations_and_scores_are_computed_key_by_key(
    spark: Engine, made: Callable[[Frame], Frame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "SinglePartition" not in plan(made(rows(spark, tmp_path, SALES_SCHEMA)), capsys)


def test_products_are_computed_key_by_key(spark: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sales = rows(spark, tmp_path, SALES_SCHEMA)
    catalog = rows(spark, tmp_path, staged_schema(CONTRACTS["product_catalog"]))
    assert "SinglePartition" not in plan(products(sales, catalog, ()), capsys)


def test_a_rank_over_everything_would_be_seen(
    spark: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sales = native(rows(spark, tmp_path, SALES_SCHEMA))
    ranked = nw.from_native(sales.selectExpr("rank() OVER (ORDER BY net_amount) AS place"))
    assert "SinglePartition" in plan(ranked, capsys)
