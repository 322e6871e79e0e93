"""Customers of the generated sample, from its files to PostgreSQL, against what is summed up there by other means."""

from dataclasses import dataclass
from typing import Any

import dagster as dg
import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

from platform_assets.analytics.churn.evaluation import area_under_curve
from platform_assets.definitions import defs
from platform_assets.defs.customer_360 import CUSTOMER_360
from platform_assets.defs.customer_value import CUSTOMER_VALUE
from platform_assets.defs.customer_value_checks import CHECKS as VALUE_CHECKS
from platform_assets.samples.generate import generate
from platform_assets.samples.plan import WORLD_END
from platform_assets.services.keys import pseudonym_key
from platform_assets.settings import Settings
from platform_assets.warehouse.star.pseudonyms import Pseudonyms
from platform_assets_tests.integration.deliveries import ECOMMERCE, SUPERSTORE, b2b_file, b2b_month, shop_day, shop_file
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import Home, Homes

pytestmark = [
    pytest.mark.integration,
    # What Dagster itself calls where one resource is nested in another.
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]

VALUE = (
    "lifetime_values",
    "lifetime_totals",
    "lifetime_models",
    "lifetime_groups",
    "churn_rates",
    "churn_evaluation",
    "churn_calibration",
    "retention_actions",
    "retention_measurement",
)
RFM = ("rfm_scores", "rfm_segments", "rfm_migration", "rfm_stability")
WHOLE = ("customer_360", "customer_360_balance")
QUIET_DAYS = 60
"""So long after the last sale the customers are looked at again."""


@dataclass(frozen=True)
class Made:
    """A home whose tables were made, and what the run said."""

    home: Home
    result: dg.ExecuteInProcessResult

    def ask(self, statement: str) -> list[Any]:
        return list(ask(self.home.dsn, statement))

    def true_customers(self) -> dict[str, dict[str, Any]]:
        """What the sample says of its customers, by pseudonym."""
        rows = pq.read_table(self.home.raw / "_truth" / "customers.parquet").to_pylist()
        pseudonyms = Pseudonyms(pseudonym_key(Settings.from_environment(self.home.environment)))
        return {pseudonyms.of(row["customer_id"]): row for row in rows}


def materialize(home: Home, **settings: str) -> dg.ExecuteInProcessResult:
    wanted = [dg.AssetKey(["warehouse", name]) for name in (*VALUE, *RFM, *WHOLE, "fct_sales")]
    job = dg.define_asset_job("customers", dg.AssetSelection.assets(*wanted).upstream())
    made = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in {**home.environment, **settings}.items():
            patch.setenv(name, value)
        return made.resolve_job_def("customers").execute_in_process(instance=instance)


@pytest.fixture(scope="module")
def made(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("sample") / "raw"
    generate(folder, rows=6000, seed=42)
    home = homes.make(folder)
    return Made(home, materialize(home))


@pytest.fixture(scope="module")
def later(made: Made) -> Made:
    """The same home after a quiet time; tests that need it come after those that look at the first run."""
    ((day,),) = made.ask(f"SELECT (max(as_of_date) + {QUIET_DAYS})::text FROM analytics.customer_360")
    return Made(made.home, materialize(made.home, PLATFORM_AS_OF=day))


@pytest.fixture(scope="module")
def tiny(homes: Homes) -> Made:
    """A shop of one day: too little for any model."""
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    return Made(home, materialize(home))


@pytest.fixture(scope="module")
def before(made: Made) -> Made:
    """The same home on a day before the newest sales; after those that look at the other days."""
    ((day,),) = made.ask(f"SELECT (max(sold_at)::date - {QUIET_DAYS})::text FROM warehouse.fct_sales")
    return Made(made.home, materialize(made.home, PLATFORM_AS_OF=day))


@pytest.fixture(scope="module")
def abroad(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A shop that has one dataset, in pounds; the others would be in dollars."""
    config = tmp_path_factory.mktemp("config") / "config.yaml"
    config.write_text(f"currencies: {{default: USD, datasets: {{{ECOMMERCE}: GBP}}}}")
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    return Made(home, materialize(home, PLATFORM_CONFIG=str(config)))


@pytest.fixture(scope="module")
def mixed(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A shop that sells in pounds to people, and in dollars to businesses."""
    config = tmp_path_factory.mktemp("config") / "config.yaml"
    config.write_text(f"currencies: {{default: USD, datasets: {{{ECOMMERCE}: GBP}}}}")
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    home.write(SUPERSTORE, "month1.csv", b2b_file(b2b_month(1)))
    return Made(home, materialize(home, PLATFORM_CONFIG=str(config)))


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    ours = {*VALUE, *WHOLE}
    found = result.get_asset_check_evaluations()
    return {one.check_name: one for one in found if one.asset_key.path[1] in ours}


def test_every_check_of_the_customers_passes(made: Made) -> None:
    found = checks_of(made.result)

    assert found.keys() == {check.name for check in (*CUSTOMER_VALUE.checks, *VALUE_CHECKS, *CUSTOMER_360.checks)}
    assert {name: one.description for name, one in found.items() if not one.passed} == {}


@pytest.mark.parametrize("table", [*VALUE, *RFM, *WHOLE])
def test_every_table_has_arrived(made: Made, table: str) -> None:
    assert made.ask(f"SELECT count(*) > 0 FROM analytics.{table}") == [(True,)]


def test_every_known_customer_has_one_row_and_it_is_what_the_summary_in_sql_says(made: Made) -> None:
    columns = "customer_pseudonym, currency, first_order_date, last_order_date, orders, country"
    ours = made.ask(
        f"SELECT {columns}, customer_segment, returns_amount, net_revenue_amount, coalesce(margin_amount, 0)"
        " FROM analytics.customer_360"
    )
    other = made.ask(
        f"SELECT {columns}, segment, coalesce(returns_amount, 0), net_sales_amount, coalesce(profit_amount, 0)"
        " FROM analytics.customer_summary"
    )

    assert len(ours) == made.ask("SELECT count(DISTINCT customer_id) FROM warehouse.dim_customer")[0][0] - 1
    assert sorted(map(str, ours)) == sorted(map(str, other))


def test_customers_and_guests_together_are_all_sales(made: Made) -> None:
    ((lines, net),) = made.ask("SELECT count(*), sum(net_amount) FROM warehouse.fct_sales")
    parts = dict(made.ask("SELECT part, ARRAY[sale_lines, net_amount] FROM analytics.customer_360_balance"))

    assert parts["all"] == [lines, net]
    assert parts["guests"][0] == made.ask("SELECT count(*) FROM warehouse.fct_sales WHERE customer_key = -1")[0][0]
    assert made.ask("SELECT sum(net_revenue_amount) FROM analytics.customer_360") == [(parts["customers"][1],)]


def test_the_row_of_a_customer_repeats_what_each_analysis_says(made: Made) -> None:
    apart = made.ask(
        "SELECT count(*) FROM analytics.customer_360 c"
        " LEFT JOIN analytics.rfm_scores r USING (customer_pseudonym)"
        " LEFT JOIN analytics.lifetime_values v USING (customer_pseudonym)"
        " LEFT JOIN analytics.churn_rates h USING (customer_pseudonym)"
        " LEFT JOIN analytics.retention_actions a USING (customer_pseudonym)"
        " WHERE (c.rfm_segment, c.recency_score, c.value_amount, c.churn_rate, c.value_at_stake_amount,"
        " c.next_best_action) IS DISTINCT FROM"
        " (r.segment, r.recency_score, v.value_amount, h.churn_rate, a.value_at_stake_amount, a.action)"
    )

    assert apart == [(0,)]


def test_segments_hold_every_known_customer_and_prospects_never_ordered(made: Made) -> None:
    ((customers,),) = made.ask("SELECT sum(customers) FROM analytics.rfm_segments")
    prospects = made.ask(
        "SELECT count(*), count(*) FILTER (WHERE orders = 0) FROM analytics.customer_360"
        " WHERE rfm_segment = 'Prospects'"
    )

    assert made.ask("SELECT count(*) FROM analytics.rfm_scores") == [(customers,)]
    assert made.ask("SELECT count(*) FROM analytics.customer_360") == [(customers,)]
    assert prospects[0][0] == prospects[0][1]


def test_on_the_first_run_everyone_is_new(made: Made) -> None:
    found = made.ask(
        "SELECT from_segment, move, before_date, sum(customers), sum(from_rate) FROM analytics.rfm_migration"
        " GROUP BY 1, 2, 3"
    )
    ((customers,),) = made.ask("SELECT count(*) FROM analytics.rfm_scores")

    assert found == [("(not known)", "new", None, customers, pytest.approx(1))]
    assert made.ask("SELECT DISTINCT verdict FROM analytics.rfm_stability") == [("unknown",)]


def test_a_shop_of_one_day_gets_reasons_instead_of_figures(tiny: Made) -> None:
    customers = tiny.ask("SELECT count(*) FROM analytics.customer_360")[0][0]
    valued = tiny.ask(
        "SELECT count(*), count(value_amount), count(value_reason), count(churn_rate), count(churn_reason)"
        " FROM analytics.customer_360"
    )
    failed = {name: one.description for name, one in checks_of(tiny.result).items() if not one.passed}

    assert tiny.result.success
    assert customers > 0
    assert valued == [(customers, 0, customers, 0, customers)]
    assert failed.keys() == {"customers_valued", "holdout_foreseen", "better_than_recency", "calibrated"}
    assert "a model needs 50" in str(failed["customers_valued"])


def test_figures_of_customers_agree_with_the_truth_of_the_sample(made: Made) -> None:
    """By their pseudonyms; thresholds of the larger world in the tests of the analytics, and room for a third of it."""
    truth = {
        pseudonym: (row["death"] is None or row["death"] > WORLD_END, row["lambda"], row["mu"])
        for pseudonym, row in made.true_customers().items()
    }
    found = made.ask(
        "SELECT customer_pseudonym, alive_rate, expected_orders, churn_rate FROM analytics.lifetime_values"
        " JOIN analytics.churn_rates USING (customer_pseudonym)"
    )
    alive, expected, churn = (np.array(column, float) for column in list(zip(*found, strict=True))[1:])
    stays, rate, leaving = (np.array(column) for column in zip(*(truth[row[0]] for row in found), strict=True))
    orders = stays * rate * -np.expm1(-leaving * 365) / leaving

    assert len(found) > 400
    assert spearmanr(expected, orders)[0] >= 0.75
    assert (area_under_curve(alive, stays) or 0) >= 0.87
    assert (area_under_curve(1 - churn, stays) or 0) >= 0.85
    assert 1 - stays[churn >= np.quantile(churn, 0.8)].mean() >= 0.85
    assert made.ask("SELECT bool_and(1 BETWEEN regularity_low AND regularity_high) FROM analytics.lifetime_models") == [
        (True,)
    ]


def test_after_a_quiet_time_customers_are_held_against_the_run_before(later: Made) -> None:
    moves = dict(later.ask("SELECT move, sum(customers) FROM analytics.rfm_migration GROUP BY 1"))
    days = later.ask("SELECT DISTINCT after_date - before_date FROM analytics.rfm_migration")
    rates = later.ask("SELECT sum(from_rate) FROM analytics.rfm_migration GROUP BY from_segment")

    assert moves.keys() <= {"same", "up", "down"}
    assert later.ask("SELECT count(*) FROM analytics.rfm_scores") == [(sum(moves.values()),)]
    assert days == [(QUIET_DAYS,)]
    assert [total for (total,) in rates] == pytest.approx([1] * len(rates))


def test_a_quiet_time_shows_in_recency_by_the_edges_of_the_run_before(later: Made) -> None:
    found = dict(later.ask("SELECT measure, verdict FROM analytics.rfm_stability"))

    assert found.keys() == {"segment", "recency_score", "frequency_score", "monetary_score"}
    assert found["recency_score"] == "changed"
    assert "not comparable" not in found.values()


@pytest.mark.parametrize("table", ["lifetime_values", "churn_rates", "retention_actions", "rfm_scores", "customer_360"])
def test_a_day_before_the_newest_sales_knows_the_customers_of_then(before: Made, table: str) -> None:
    ((day,),) = before.ask("SELECT DISTINCT as_of_date FROM analytics.customer_360")
    sold = "" if table in {"rfm_scores", "customer_360"} else " AND NOT is_return"
    known = f"FROM warehouse.fct_sales WHERE sold_at::date <= '{day}' AND customer_key <> -1{sold}"

    assert before.ask(f"SELECT count(*) > 0 FROM warehouse.fct_sales WHERE sold_at::date > '{day}'") == [(True,)]
    assert before.ask(f"SELECT DISTINCT as_of_date FROM analytics.{table}") == [(day,)]
    assert before.ask(f"SELECT count(*) FROM analytics.{table}") == before.ask(
        "SELECT count(DISTINCT customer_id) FROM warehouse.dim_customer"
        f" WHERE customer_key IN (SELECT customer_key {known})"
    )


def test_a_day_before_the_newest_sales_adds_up_what_was_sold_until_then(before: Made) -> None:
    told = "SELECT sum(sale_lines + return_lines), sum(net_revenue_amount), min(first_order_date), max(last_order_date)"
    sold = "min(sold_at::date) FILTER (WHERE NOT is_return), max(sold_at::date) FILTER (WHERE NOT is_return)"

    assert before.ask(f"{told} FROM analytics.customer_360") == before.ask(
        f"SELECT count(*), sum(net_amount), {sold} FROM warehouse.fct_sales WHERE customer_key <> -1"
        " AND sold_at::date <= (SELECT DISTINCT as_of_date FROM analytics.customer_360)"
    )
    assert {name for name, one in checks_of(before.result).items() if not one.passed} == set()


def test_money_of_different_currencies_is_never_added(mixed: Made) -> None:
    dollars = "FROM warehouse.fct_sales WHERE source_system = 'superstore_sales'"
    businesses = mixed.ask(f"SELECT count(DISTINCT customer_key), sum(net_amount) {dollars}")
    scored = "FROM analytics.rfm_scores WHERE segment <> 'Prospects'"
    people = mixed.ask(
        "SELECT DISTINCT currency, rfm_segment, net_revenue_amount, lines_in_other_currencies > 0"
        " FROM analytics.customer_360 WHERE source_systems = 'ecommerce_transactions'"
    )

    assert mixed.ask(f"SELECT count(*), sum(monetary_amount) {scored}") == businesses
    assert mixed.ask("SELECT count(*) FROM analytics.lifetime_values") == [(businesses[0][0],)]
    assert mixed.ask("SELECT sum(net_revenue_amount) FROM analytics.customer_360") == [(businesses[0][1],)]
    assert people == [("USD", "Prospects", 0, True)]


def test_a_shop_with_one_dataset_is_analysed_in_its_currency(abroad: Made) -> None:
    """Eleven customers, and 120 lines of 1, 2 or 3 pieces at 2.50 each: 240 pieces."""
    assert abroad.ask("SELECT currency, count(*), sum(net_revenue_amount) FROM analytics.customer_360 GROUP BY 1") == [
        ("GBP", 11, 600)
    ]
    assert abroad.ask("SELECT sum(monetary_amount) FROM analytics.rfm_scores WHERE segment <> 'Prospects'") == [(600,)]
