"""Products and key figures of the generated sample, from its files to PostgreSQL, against sums of its lines."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_assets.analytics.kpis.registry import CUTS
from platform_assets.analytics.kpis.sql import values_sql
from platform_assets.definitions import defs
from platform_assets.defs import kpis, products
from platform_assets.defs.analytics import analysis_day
from platform_assets.defs.topics import Inputs
from platform_assets.resources.platform import PlatformResource
from platform_assets.samples.generate import TRUTH, generate
from platform_assets.transforms.core_sales import SALES_DATASETS
from platform_assets_tests.integration.deliveries import ECOMMERCE, shop_day, shop_file
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import Home, Homes

pytestmark = [
    pytest.mark.integration,
    # What Dagster itself calls where one resource is nested in another.
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]

PRODUCTS = (
    "product_performance",
    "price_changes",
    "product_affinity",
    "category_affinity",
    "category_trends",
    "category_changes",
    "gone_products",
    "substitutes",
)
NET_SALES, SEPTEMBER = ("net_sales", "all", "total"), ("month", date(2024, 9, 1))
KPIS = ("kpis", "kpi_values", "retention_cohorts", "second_order", "repeat_rates")


@dataclass(frozen=True)
class Made:
    """A home whose tables were made, and what the run said."""

    home: Home
    result: dg.ExecuteInProcessResult
    truth: dict[str, Any]

    def ask(self, statement: str) -> list[Any]:
        return list(ask(self.home.dsn, statement))


def materialize(home: Home, **settings: str) -> dg.ExecuteInProcessResult:
    wanted = [dg.AssetKey(["warehouse", name]) for name in (*PRODUCTS, *KPIS, "fct_sales")]
    wanted.append(dg.AssetKey(["quality", "row_ledger"]))
    job = dg.define_asset_job("products_and_kpis", dg.AssetSelection.assets(*wanted).upstream())
    made = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in {**home.environment, **settings}.items():
            patch.setenv(name, value)
        return made.resolve_job_def("products_and_kpis").execute_in_process(instance=instance)


@pytest.fixture(scope="module")
def made(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("sample") / "raw"
    generate(folder, rows=6000, seed=42)
    home = homes.make(folder)
    truth = json.loads((folder / TRUTH / "truth.json").read_text(encoding="utf-8"))
    return Made(home, materialize(home), truth)


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    ours = {*PRODUCTS, *KPIS}
    found = result.get_asset_check_evaluations()
    return {f"{one.asset_key.path[1]}.{one.check_name}": one for one in found if one.asset_key.path[1] in ours}


def test_every_check_of_the_results_passes(made: Made) -> None:
    found = checks_of(made.result)

    assert len(found) == 18
    assert {name: one.description for name, one in found.items() if not one.passed} == {}


@pytest.mark.parametrize("table", [*PRODUCTS, *KPIS])
def test_every_table_has_arrived(made: Made, table: str) -> None:
    ((rows,),) = made.ask(f"SELECT count(*) FROM analytics.{table}")

    assert rows or table in {"category_changes", "gone_products", "substitutes"}


def test_products_and_what_names_no_product_are_all_sales(made: Made) -> None:
    whole = made.ask(
        "SELECT currency, sum(net_amount), sum(net_amount) FILTER (WHERE product_key <> -1)"
        " FROM warehouse.fct_sales GROUP BY 1 ORDER BY 1"
    )
    products = made.ask(
        "SELECT currency, sum(net_sales_amount) FROM analytics.product_performance GROUP BY 1 ORDER BY 1"
    )
    figures = made.ask(
        "SELECT currency, numerator FROM analytics.kpi_values"
        " WHERE kpi = 'net_sales' AND grain = 'all' AND dimension = 'total' ORDER BY 1"
    )

    assert [(money, part) for money, _, part in whole if part is not None] == products
    assert [(money, every) for money, every, _ in whole] == figures


@pytest.mark.parametrize(("grain", "dimension"), CUTS)
def test_the_figures_of_the_lake_are_what_the_published_sql_gives(made: Made, grain: Any, dimension: Any) -> None:
    ((day,),) = made.ask("SELECT max(date) FROM analytics.sales_then_and_now")
    columns = "kpi, period_start_date, is_complete, member, currency, numerator, denominator, reason, value"
    newest = f"WHERE grain = 'day' AND dimension = 'total' AND period_start_date = '{day}'"
    ((is_over,),) = made.ask(f"SELECT bool_and(is_complete) FROM analytics.kpi_values {newest}")
    statement = values_sql(grain, dimension, is_day_over=is_over) % {"as_of": f"'{day}'"}
    asked = made.ask(f"SELECT {columns} FROM ({statement}) AS asked ORDER BY 1, 2, 4, 5")
    kept = made.ask(
        f"SELECT {columns} FROM analytics.kpi_values WHERE grain = '{grain}' AND dimension = '{dimension}'"
        " AND currency <> 'none' ORDER BY 1, 2, 4, 5"
    )

    assert [row[:-1] for row in kept] == [row[:-1] for row in asked]
    values = [(mine[-1], theirs[-1]) for mine, theirs in zip(kept, asked, strict=True)]
    assert [pair for pair in values if (pair[0] is None) != (pair[1] is None)] == []
    known = [pair for pair in values if pair[0] is not None]
    assert [mine for mine, _ in known] == pytest.approx([theirs for _, theirs in known], rel=1e-12)
    assert known


def test_orders_and_buyers_of_a_month_are_as_counted_by_hand(made: Made) -> None:
    lines = made.ask(
        "SELECT s.sold_at, s.source_system, s.order_id, s.source_file, s.source_row, c.customer_id, s.currency"
        " FROM warehouse.fct_sales AS s JOIN warehouse.dim_customer AS c USING (customer_key) WHERE NOT is_return"
    )
    orders: dict[tuple[Any, str], set[Any]] = defaultdict(set)
    for at, system, order, file, row, _, money in lines:
        orders[at.date().replace(day=1), money].add((system, order) if order else (system, file, row))
    figures = made.ask(
        "SELECT period_start_date, currency, value FROM analytics.kpi_values"
        " WHERE kpi = 'orders' AND grain = 'month' AND dimension = 'total' AND value > 0"
    )

    assert {(start, money): value for start, money, value in figures} == {k: len(v) for k, v in orders.items()}


def test_what_the_data_cannot_give_is_there_with_the_reason(made: Made) -> None:
    told = dict(made.ask("SELECT kpi, reason FROM analytics.kpi_values WHERE currency = 'none' AND value IS NULL"))
    meant = dict(made.ask("SELECT kpi, reason FROM analytics.kpis WHERE NOT is_available"))

    assert told == {name: f"not available: {reason}" for name, reason in meant.items()}
    assert "roas" in told


def test_shares_of_rows_and_money_that_figures_rest_on_are_those_of_the_files(made: Made) -> None:
    files = {name: made.truth["ledger"][name].values() for name in SALES_DATASETS}
    rows = {
        name: [sum(file[part] for file in of) for part in ("rows_loaded", "rows_read")] for name, of in files.items()
    }
    money = {name: sum(Decimal(file["amount_quarantined"]) for file in of) for name, of in files.items()}
    asked = made.ask("SELECT kpi, member, value FROM analytics.kpi_values WHERE dimension = 'dataset'")
    aside = made.ask("SELECT member, numerator FROM analytics.kpi_values WHERE kpi = 'quarantined_amount_rate'")
    statements = made.ask("SELECT kpi, statement FROM analytics.kpis WHERE statement LIKE '%row_ledger%'")

    shares = {name: value for kpi, name, value in asked if kpi == "rows_loaded_rate"}
    assert shares == {name: pytest.approx(loaded / read) for name, (loaded, read) in rows.items()}
    assert dict(aside) == money
    assert len(statements) == 2
    for kpi, statement in statements:
        every = made.ask(statement % {"as_of": "'2024-12-31'"})
        # The ledger has the catalogue, too, which is no sales.
        given = {(row[0], row[5]): row[7] for row in every if row[5] in SALES_DATASETS}
        assert given == {(name, member): value for name, member, value in asked if name == kpi}


def test_no_column_for_analysts_needs_quotes(made: Made) -> None:
    reserved = (
        "SELECT table_name, column_name FROM information_schema.columns JOIN pg_get_keywords() ON word = column_name"
        " WHERE table_schema = 'analytics' AND catcode IN ('R', 'T')"
    )

    assert made.ask(reserved) == []


def test_an_earlier_day_can_be_asked_for_and_later_sales_are_left_out(made: Made) -> None:
    until = date(2024, 9, 18)
    sold = made.ask(
        "SELECT sum(net_amount), sum(net_amount) FILTER (WHERE product_key <> -1), max(sold_at)::date"
        f" FROM warehouse.fct_sales WHERE sold_at < '{until}'::date + 1"
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**made.home.environment, "PLATFORM_AS_OF": until.isoformat()}.items():
            patch.setenv(name, value)
        platform = PlatformResource()
        as_of = analysis_day(platform)
        sources = {"sales": platform.table("core", "sales"), "products": platform.table("core", "products")}
        inputs = Inputs(platform, sources, as_of, lambda _: None)
        results = {**products._compute(inputs), **kpis._compute(inputs)}

    performance, values = results["product_performance"].to_pylist(), results["kpi_values"].to_pylist()
    whole = [row["numerator"] for row in values if (row["kpi"], row["grain"], row["dimension"]) == NET_SALES]
    assert [(sum(whole), sum(row["net_sales_amount"] for row in performance), as_of)] == sold
    assert {row["as_of_date"] for row in performance} == {until}
    assert max(row["last_sale_date"] for row in performance) == until
    september = {row["is_complete"] for row in values if (row["grain"], row["period_start_date"]) == SEPTEMBER}
    assert september == {False}
    assert max(row["cohort_month_date"] for row in results["retention_cohorts"].to_pylist()) == date(2024, 9, 1)


def test_everybody_who_ordered_is_in_one_cohort(made: Made) -> None:
    ((people,),) = made.ask(
        "SELECT count(DISTINCT customer_pseudonym) FROM analytics.sales_then_and_now"
        " WHERE NOT is_return AND customer_pseudonym <> 'unknown'"
    )
    ((in_cohorts,),) = made.ask("SELECT sum(cohort_customers) FROM analytics.retention_cohorts WHERE month_number = 0")

    assert people == in_cohorts > 0


def test_shares_of_revenue_close_in_the_warehouse_too(made: Made) -> None:
    shares = made.ask("SELECT currency, sum(revenue_rate) FROM analytics.product_performance GROUP BY 1")

    assert dict(shares) == {money: pytest.approx(1, abs=1e-9) for money, _ in shares}


def test_a_shop_without_sales_has_empty_tables_and_no_failure(homes: Homes) -> None:
    home = homes.make()
    result = materialize(home)

    assert result.success
    assert {name: one.description for name, one in checks_of(result).items() if not one.passed} == {}
    rows = {name: ask(home.dsn, f"SELECT count(*) FROM analytics.{name}")[0][0] for name in PRODUCTS}
    assert rows == dict.fromkeys(PRODUCTS, 0)
    assert ask(home.dsn, "SELECT count(*) FROM analytics.kpi_values WHERE value IS NOT NULL") == [(0,)]


CATALOGUE = "product_id,category,price,cost\n" + "".join(f"P{number},Paper,2.5,1\n" for number in range(7))
FOREIGN = "the catalogue's costs are in USD, the sales in GBP"


def test_what_is_said_of_the_currency_of_costs_decides_whether_there_is_a_profit(homes: Homes, tmp_path: Path) -> None:
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    home.write("product_catalog", "products.csv", CATALOGUE)
    pieces, net = sum(line.quantity for line in shop_day(1)), sum(line.amount for line in shop_day(1))
    figure = "FROM analytics.kpi_values WHERE kpi = 'profit' AND grain = 'all' AND dimension = 'total'"
    # As it was delivered, and with nothing but the configuration changed, there and back.
    for catalog, cost in (("USD", None), ("GBP", pieces), ("USD", None)):
        config = tmp_path / f"{catalog}.yaml"
        config.write_text(f"currencies: {{default: GBP, datasets: {{product_catalog: {catalog}}}}}", encoding="utf-8")

        result = materialize(home, PLATFORM_CONFIG=str(config))

        assert {name: one.description for name, one in checks_of(result).items() if not one.passed} == {}
        profit, foreign = (None, FOREIGN) if cost is None else (net - cost, None)
        assert ask(home.dsn, "SELECT sum(cost_amount), sum(profit_amount) FROM warehouse.fct_sales") == [(cost, profit)]
        assert ask(home.dsn, "SELECT DISTINCT price_currency FROM analytics.dim_product WHERE is_in_catalog") == [
            (catalog,)
        ]
        assert ask(home.dsn, f"SELECT value, reason {figure}") == [(profit, foreign and f"not available: {foreign}")]
        margins = "SELECT DISTINCT margin_rate IS NULL, margin_reason FROM analytics.product_performance"
        assert ask(home.dsn, margins) == [(cost is None, foreign)]
