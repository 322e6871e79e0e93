"""UCI Online Retail, complete: the published figures, on each engine, at once and in several runs."""

import random
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from platform_assets_tests.integration.dumps import Digests, ask, digests
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


class Whole:
    """All files in one run on each engine."""

    def __init__(self, homes: Homes, days: list[Path]) -> None:
        self.homes = {engine: homes.make() for engine in ("duckdb", "pandas")}
        self.results: dict[str, Result] = {}
        for engine, home in self.homes.items():
            home.drop(DATASET, *days)
            self.results[engine] = home.run("--engine", engine).succeeded()


@pytest.fixture(scope="module")
def whole(homes: Homes, days: list[Path]) -> Whole:
    return Whole(homes, days)


class Deliveries:
    """The files in several runs, with the rows each run read."""

    def __init__(self, home: Home, days: list[Path]) -> None:
        self.home = home
        self.told: list[dict[str, object]] = []
        self.last_lines = 0
        shuffled: Iterator[Path] = iter(random.Random(20111209).sample(days, len(days)))
        for count in DELIVERIES:
            delivery = [next(shuffled) for _ in range(count)]
            home.drop(DATASET, *delivery)
            home.run().succeeded()
            self.told.append(home.told("raw", DATASET))
            self.last_lines = sum(len(file.read_bytes().splitlines()) - 1 for file in delivery)


@pytest.fixture(scope="module")
def deliveries(homes: Homes, days: list[Path]) -> Deliveries:
    return Deliveries(homes.make(), days)


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_the_ledger_shows_the_published_figures(whole: Whole, engine: str) -> None:
    total = whole.results[engine].ledger(DATASET)[""]
    parts = ("read", "rejected", "quarantined", "duplicate", "loaded")
    assert [total[f"rows_{part}"] for part in parts] == [LINES, 0, 2, 5_268, 536_639]
    assert [Decimal(total[f"amount_{part}"]) for part in parts] == [
        Decimal(text) for text in ("9747747.934", "0", "-22124.12", "21740.98", "9748131.074")
    ]


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_the_scores_are_the_published_ones(whole: Whole, engine: str) -> None:
    checks = whole.results[engine].checks(DATASET)
    assert round(checks["completeness"]["value"], 5) == 0.96851
    assert round(checks["uniqueness"]["value"], 5) == 0.99028
    assert (checks["unit_price_not_negative"]["rows_failed"], checks["line_unique"]["rows_failed"]) == (2, 5_268)
    assert checks["customer_id_present"]["rows_failed"] == 135_080


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_the_fact_table_holds_the_published_figures(whole: Whole, engine: str) -> None:
    ((rows, amount, customers, guests, products, returns, returned),) = ask(
        whole.homes[engine].dsn,
        """
        SELECT count(*), sum(net_amount), count(DISTINCT customer_key) FILTER (WHERE customer_key > 0),
            count(*) FILTER (WHERE customer_key = -1), count(DISTINCT product_key),
            count(*) FILTER (WHERE is_return), sum(net_amount) FILTER (WHERE is_return)
        FROM warehouse.fct_sales WHERE source_system = 'ecommerce_transactions'
        """,
    )
    assert (rows, amount) == (536_639, Decimal("9748131.074"))
    assert (customers, guests, products) == (4_372, 135_035, 3_958)
    assert (returns, returned) == (10_587, Decimal("-893979.73"))


def test_a_customer_s_purchases_are_those_published(whole: Whole) -> None:
    orders = ask(
        whole.homes["duckdb"].dsn,
        """
        SELECT customer_id, count(DISTINCT order_id), sum(net_amount)
        FROM warehouse.fct_sales JOIN warehouse.dim_customer USING (customer_key)
        WHERE customer_id IN ('12347', '14646') AND quantity > 0 AND unit_price_amount > 0
        GROUP BY 1 ORDER BY 1
        """,
    )
    assert orders == [("12347", 7, Decimal("4310.00")), ("14646", 73, Decimal("280206.02"))]


def test_both_engines_end_in_the_same_warehouse(whole: Whole) -> None:
    assert digests(whole.homes["pandas"].dsn) == digests(whole.homes["duckdb"].dsn)


def test_several_runs_in_any_order_end_in_the_warehouse_of_one_run(whole: Whole, deliveries: Deliveries) -> None:
    at_once: Digests = digests(whole.homes["duckdb"].dsn)
    assert digests(deliveries.home.dsn) == at_once
    assert at_once["warehouse.fct_sales"][0] == 536_639


def test_a_run_reads_only_the_files_that_are_new(deliveries: Deliveries) -> None:
    assert [told["files read"] for told in deliveries.told] == list(DELIVERIES)
    assert [told["files unchanged"] for told in deliveries.told] == [0, 300, 304]
    assert deliveries.told[-1]["lines read"] == deliveries.last_lines < LINES / 50
