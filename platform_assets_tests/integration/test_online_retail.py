"""UCI Online Retail, complete: the published figures, on each engine, at once and in several runs."""

import random
import tarfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

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
class Both:
    """All files in one run on DuckDB, and in several runs, in another order, on pandas."""

    homes: dict[str, Home]
    results: dict[str, Result]
    deliveries: Deliveries


@pytest.fixture(scope="module")
def both(homes: Homes, days: list[Path]) -> Both:
    at_once = homes.make()
    at_once.drop(DATASET, *days)
    run = at_once.start("--engine", "duckdb")
    deliveries = Deliveries(homes, days)
    return Both(
        homes={"duckdb": at_once, "pandas": deliveries.home},
        results={"duckdb": run.result().succeeded(), "pandas": deliveries.result},
        deliveries=deliveries,
    )


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_the_ledger_shows_the_published_figures(both: Both, engine: str) -> None:
    total = both.results[engine].ledger(DATASET)[""]
    parts = ("read", "rejected", "quarantined", "duplicate", "loaded")
    assert [total[f"rows_{part}"] for part in parts] == [LINES, 0, 2, 5_268, 536_639]
    assert [Decimal(total[f"amount_{part}"]) for part in parts] == [
        Decimal(text) for text in ("9747747.934", "0", "-22124.12", "21740.98", "9748131.074")
    ]


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_the_scores_are_the_published_ones(both: Both, engine: str) -> None:
    checks = both.results[engine].checks(DATASET)
    assert round(checks["completeness"]["value"], 5) == 0.96851
    assert round(checks["uniqueness"]["value"], 5) == 0.99028
    assert (checks["unit_price_not_negative"]["rows_failed"], checks["line_unique"]["rows_failed"]) == (2, 5_268)
    assert checks["customer_id_present"]["rows_failed"] == 135_080


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_the_fact_table_holds_the_published_figures(both: Both, engine: str) -> None:
    ((rows, amount, customers, guests, products, returns, returned),) = ask(
        both.homes[engine].dsn,
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


def test_a_customer_s_purchases_are_those_published(both: Both) -> None:
    orders = ask(
        both.homes["duckdb"].dsn,
        """
        SELECT customer_id, count(DISTINCT order_id), sum(net_amount)
        FROM warehouse.fct_sales JOIN warehouse.dim_customer USING (customer_key)
        WHERE customer_id IN ('12347', '14646') AND quantity > 0 AND unit_price_amount > 0
        GROUP BY 1 ORDER BY 1
        """,
    )
    assert orders == [("12347", 7, Decimal("4310.00")), ("14646", 73, Decimal("280206.02"))]


def test_several_runs_in_any_order_end_in_the_warehouse_of_one_run_and_both_engines_agree(both: Both) -> None:
    at_once = digests(both.homes["duckdb"].dsn)
    assert digests(both.homes["pandas"].dsn) == at_once
    assert at_once["warehouse.fct_sales"][0] == 536_639


def test_a_run_reads_only_the_files_that_are_new(both: Both) -> None:
    told = both.deliveries.told
    assert [one["files read"] for one in told] == list(DELIVERIES)
    assert [one["files unchanged"] for one in told] == [0, 300, 304]


def test_one_more_file_is_a_small_fraction_of_the_work(both: Both) -> None:
    (file,) = both.deliveries.last
    lines = both.deliveries.told[-1]["lines read"]
    # No line of these files breaks off inside a quoted text, so every line end is that of a record.
    assert lines == len(file.read_bytes().splitlines()) - 1
    assert lines < LINES / 50
