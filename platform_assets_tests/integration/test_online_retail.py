"""UCI Online Retail, complete: the published figures, on each engine, at once and in several runs."""

import random
import tarfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from platform_assets_tests.conftest import ENGINES
from platform_assets_tests.integration.dumps import ask, digests
from platform_assets_tests.integration.running import Home, Homes, Result

pytestmark = pytest.mark.integration

DATASET = "ecommerce_transactions"
DAYS = 305
LINES = 541_909
DELIVERIES = (300, 4, 1)
"""Files of each delivery, in an order that is not that of their days."""


@pytest.fixture(scope="module")
def days(shared_datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The daily files."""
    folder = tmp_path_factory.mktemp("online_retail")
    with tarfile.open(shared_datasets / "online_retail" / "by-day.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    files = sorted((folder / "by-day").glob("*.csv"))
    assert len(files) == DAYS
    return files


class Deliveries:
    """The files in several runs on the pandas engine, with what each run read."""

    def __init__(self, homes: Homes, days: list[Path]) -> None:
        self.home = homes.make()
        self.told: list[dict[str, object]] = []
        shuffled = iter(random.Random(20111209).sample(days, len(days)))
        for count in DELIVERIES:
            self.last = [next(shuffled) for _ in range(count)]
            self.home.drop(DATASET, *self.last)
            self.result = self.home.run("--engine", "pandas").succeeded()
            self.told.append(self.home.told("raw", DATASET))


@dataclass(frozen=True)
class Runs:
    """All files in one run on DuckDB and in one on Spark, and in several runs, in another order, on pandas."""

    homes: dict[str, Home]
    results: dict[str, Result]
    deliveries: Deliveries


@pytest.fixture(scope="module")
def runs(homes: Homes, days: list[Path], spark_url: str) -> Runs:
    at_once = {engine: homes.make(SPARK_REMOTE=spark_url) for engine in ("duckdb", "spark")}
    for home in at_once.values():
        home.drop(DATASET, *days)
    under_way = {engine: home.start("--engine", engine) for engine, home in at_once.items()}
    deliveries = Deliveries(homes, days)
    results = {engine: run.result().succeeded() for engine, run in under_way.items()}
    return Runs(
        homes={**at_once, "pandas": deliveries.home},
        results={**results, "pandas": deliveries.result},
        deliveries=deliveries,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_the_ledger_shows_the_published_figures(runs: Runs, engine: str) -> None:
    total = runs.results[engine].ledger(DATASET)[""]
    parts = ("read", "rejected", "quarantined", "duplicate", "loaded")
    assert [total[f"rows_{part}"] for part in parts] == [LINES, 0, 2, 5_268, 536_639]
    assert [Decimal(total[f"amount_{part}"]) for part in parts] == [
        Decimal(text) for text in ("9747747.934", "0", "-22124.12", "21740.98", "9748131.074")
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_scores_are_the_published_ones(runs: Runs, engine: str) -> None:
    checks = runs.results[engine].checks(DATASET)
    assert round(checks["completeness"]["value"], 5) == 0.96851
    assert round(checks["uniqueness"]["value"], 5) == 0.99028
    # Two rows have a negative price.
    assert (checks["validity"]["rows_failed"], checks["validity"]["rows_checked"]) == (2, 541_909)
    assert round(checks["validity"]["value"], 5) == round(1 - 2 / 541_909, 5)
    assert (checks["unit_price_not_negative"]["rows_failed"], checks["line_unique"]["rows_failed"]) == (2, 5_268)
    assert checks["customer_id_present"]["rows_failed"] == 135_080


@pytest.mark.parametrize("engine", ENGINES)
def test_the_fact_table_holds_the_published_figures(runs: Runs, engine: str) -> None:
    ((rows, amount, customers, guests, products, returns, returned),) = ask(
        runs.homes[engine].dsn,
        """
        SELECT count(*), sum(net_amount), count(DISTINCT customer_id) FILTER (WHERE customer_key > 0),
            count(*) FILTER (WHERE customer_key = -1), count(DISTINCT product_key),
            count(*) FILTER (WHERE is_return), sum(net_amount) FILTER (WHERE is_return)
        FROM warehouse.fct_sales JOIN warehouse.dim_customer USING (customer_key)
        WHERE source_system = 'ecommerce_transactions'
        """,
    )
    assert (rows, amount) == (536_639, Decimal("9748131.074"))
    assert (customers, guests, products) == (4_372, 135_035, 3_958)
    assert (returns, returned) == (10_587, Decimal("-893979.73"))


def test_a_customer_s_purchases_are_those_published(runs: Runs) -> None:
    orders = ask(
        runs.homes["duckdb"].dsn,
        """
        SELECT customer_id, count(DISTINCT order_id), sum(net_amount)
        FROM warehouse.fct_sales JOIN warehouse.dim_customer USING (customer_key)
        WHERE customer_id IN ('12347', '14646') AND quantity > 0 AND unit_price_amount > 0
        GROUP BY 1 ORDER BY 1
        """,
    )
    assert orders == [("12347", 7, Decimal("4310.00")), ("14646", 73, Decimal("280206.02"))]


@pytest.mark.parametrize("other", ["pandas", "spark"])
def test_several_runs_in_any_order_end_in_the_warehouse_of_one_run_and_all_engines_agree(
    runs: Runs, other: str
) -> None:
    at_once = digests(runs.homes["duckdb"].dsn)
    assert digests(runs.homes[other].dsn) == at_once
    assert at_once["warehouse.fct_sales"][0] == 536_639


def test_a_run_reads_only_the_files_that_are_new(runs: Runs) -> None:
    told = runs.deliveries.told
    assert [one["files read"] for one in told] == list(DELIVERIES)
    assert [one["files unchanged"] for one in told] == [0, 300, 304]


def test_one_more_file_is_a_small_fraction_of_the_work(runs: Runs) -> None:
    (file,) = runs.deliveries.last
    lines = runs.deliveries.told[-1]["lines read"]
    # No line of these files breaks off inside a quoted text, so every line end is that of a record.
    assert lines == len(file.read_bytes().splitlines()) - 1
    assert lines < LINES / 50
