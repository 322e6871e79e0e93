"""The pages of a real run: all are written, say what PostgreSQL says, and name no customer."""

import re
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from platform_assets.definitions import defs
from platform_assets.reports.page import PAGES
from platform_assets.reports.pictures import MOST_CHARACTERS
from platform_assets.samples.generate import generate
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import Home, Homes
from platform_assets_tests.reports.parsed import Page, loaded

pytestmark = [
    pytest.mark.integration,
    # What Dagster itself calls where one resource is nested in another.
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]

LOADED = ("customer_360", "product_performance", "revenue_forecasts", "incidents", "insight_reports", "kpi_values")

DAILY_TOTAL = """
    SELECT round(sum(forecast_amount)) FROM analytics.revenue_forecasts WHERE grain = 'day' AND scope = 'total'
"""
NEWEST_MONTH = """
    SELECT round(value) FROM analytics.kpi_values
    WHERE kpi = 'net_sales' AND grain = 'month' AND dimension = 'total' AND is_complete
    ORDER BY period_start_date DESC LIMIT 1
"""


@dataclass(frozen=True)
class Made:
    """A home whose pages were made, and what the run said."""

    home: Home
    result: dg.ExecuteInProcessResult

    def html(self, name: str) -> str:
        return (self.home.folder / "reports" / f"{name}.html").read_text(encoding="utf-8")

    def text(self, name: str) -> str:
        return Page(self.html(name)).text

    def ask(self, statement: str) -> list[Any]:
        return list(ask(self.home.dsn, statement))

    def metadata(self, *key: str) -> dict[str, Any]:
        events = self.result.get_asset_materialization_events()
        (found,) = (one.materialization for one in events if one.asset_key == dg.AssetKey(list(key)))
        return {name: value.value for name, value in found.metadata.items()}


def materialize(home: Home, *wanted: dg.AssetKey, **settings: str) -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("pages", dg.AssetSelection.assets(*wanted).upstream())
    made = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in {**home.environment, **settings}.items():
            patch.setenv(name, value)
        return made.resolve_job_def("pages").execute_in_process(instance=instance, raise_on_error=False)


@pytest.fixture(scope="module")
def made(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("sample") / "raw"
    generate(folder, rows=6000, seed=42)
    home = homes.make(folder)
    pages = [dg.AssetKey(["reports", name]) for name in PAGES]
    result = materialize(home, *pages, *(dg.AssetKey(["warehouse", name]) for name in (*LOADED, "dim_customer")))
    assert result.success
    return Made(home, result)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_written_and_needs_nothing_else(made: Made, name: str) -> None:
    found = Page(made.html(name))
    assert loaded(found) == set()
    assert "None" not in found.text
    assert [tag for tag, one in found.elements if "data-plot" in one]


def test_one_page_leads_to_all_and_says_what_they_say(made: Made) -> None:
    found = Page(made.html("index"))
    links = {str(one.get("href")) for tag, one in found.elements if tag == "a"}
    assert {f"{name}.html" for name in PAGES} <= links
    for name in PAGES:
        assert plain(str(made.metadata("reports", name)["finding"])) in found.text


@pytest.mark.parametrize(
    ("name", "label", "statement"),
    [
        ("customers", "Customers", "SELECT count(*) FROM analytics.customer_360"),
        ("customers", "Net revenue (USD)", "SELECT round(sum(net_revenue_amount)) FROM analytics.customer_360"),
        ("customers", "Customers at risk", "SELECT count(*) FROM analytics.customer_360 WHERE churn_rate >= 0.5"),
        ("customers", "Value at stake (USD)", "SELECT round(sum(value_at_stake_amount)) FROM analytics.customer_360"),
        ("products", "Products sold", "SELECT count(DISTINCT product_id) FROM analytics.product_performance"),
        ("products", "Net sales (USD)", "SELECT round(sum(net_sales_amount)) FROM analytics.product_performance"),
        (
            "forecast",
            "Revenue, next 28 days (USD)",
            DAILY_TOTAL,
        ),
        ("anomalies", "Incidents", "SELECT count(*) FROM analytics.incidents"),
        (
            "insights",
            "Tests",
            "SELECT tests FROM analytics.insight_reports ORDER BY week_date DESC LIMIT 1",
        ),
        (
            "kpis",
            "Net sales (USD)",
            NEWEST_MONTH,
        ),
    ],
)
def test_headlines_are_those_of_postgresql(made: Made, name: str, label: str, statement: str) -> None:
    ((wanted,),) = made.ask(statement)
    assert f"{label} {int(wanted):,} " in made.text(name)


def test_customers_are_pseudonyms(made: Made) -> None:
    text, html = made.text("customers"), made.html("customers")
    names = [
        name for (name,) in made.ask("SELECT customer_name FROM warehouse.dim_customer WHERE customer_name IS NOT NULL")
    ]
    ids = [
        one for (one,) in made.ask("SELECT customer_id FROM warehouse.dim_customer WHERE customer_id ~ '^[A-Z]{2}-'")
    ]
    known = {one for (one,) in made.ask("SELECT customer_pseudonym FROM analytics.customer_360")}

    assert names
    assert ids
    assert not [name for name in {*names, *ids} if name in html]
    shown = set(re.findall(r"\bc[a-z2-7]{26}\b", text))
    assert shown
    assert shown <= known


def test_assets_show_figures_a_picture_and_the_page(made: Made) -> None:
    told = made.metadata("analytics", "customer_360")
    ((stake,),) = made.ask("SELECT sum(value_at_stake_amount) FROM analytics.customer_360")

    assert told["value at stake"] == pytest.approx(float(stake))
    assert told["report"].endswith("/customers.html")
    assert 0 < len(told["picture"]) < MOST_CHARACTERS
    assert "data:image/svg+xml" in made.metadata("analytics", "revenue_forecasts")["picture"]
    assert made.metadata("reports", "customers")["Value at stake (USD)"] == pytest.approx(float(stake))


def test_the_page_of_a_topic_that_fails_stays_as_it_was(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the model broke")

    monkeypatch.setattr("platform_assets.defs.forecast.forecast_revenue", broken)
    ((day,),) = made.ask("SELECT (max(as_of_date) + 1)::text FROM analytics.customer_360")
    before = {name: made.html(name) for name in ("forecast", "products")}
    pages = [dg.AssetKey(["reports", name]) for name in before]
    result = materialize(made.home, *pages, PLATFORM_AS_OF=day)

    assert not result.success
    assert made.html("forecast") == before["forecast"]
    assert f"As of {day}" in made.text("products")
