"""Forecasts, anomalies and insights of the generated sample: from its files to what analysts read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_assets.definitions import defs
from platform_assets.defs import anomalies_and_insights, forecast
from platform_assets.defs.analytics import analysis_day
from platform_assets.defs.topics import Inputs
from platform_assets.resources.platform import PlatformResource
from platform_assets.samples.generate import generate
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import Home, Homes

pytestmark = [
    pytest.mark.integration,
    # What Dagster itself calls where one resource is nested in another.
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]
FORECAST = ("revenue_series", "revenue_forecasts", "forecast_backtest", "forecast_skill", "forecast_coverage")
INSIGHTS = (
    "daily_measures",
    "incidents",
    "incident_parts",
    "order_outliers",
    "insights",
    "insight_reports",
    "sales_changes",
    "sales_contributions",
    "insight_placebo",
)
TABLES = (*FORECAST, *INSIGHTS)


@dataclass(frozen=True)
class Told:
    """A home, the truth of its sample, and what its run said."""

    home: Home
    truth: dict[str, Any]
    run: dg.ExecuteInProcessResult

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return ask(self.home.dsn, statement)


@pytest.fixture(scope="module")
def told(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    raw = tmp_path_factory.mktemp("told") / "raw"
    generate(raw, rows=6000, seed=7)
    home = homes.make(raw)
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in home.environment.items():
            patch.setenv(name, value)
        run = _job().resolve_job_def("forecast_and_insights").execute_in_process(instance=instance)
        yield Told(home, _truth(raw), run)


def _job() -> dg.Definitions:
    loaded = dg.AssetSelection.assets(*(["warehouse", name] for name in (*TABLES, "fct_sales")))
    made = dg.define_asset_job("forecast_and_insights", loaded.upstream())
    return dg.Definitions.merge(defs(), dg.Definitions(jobs=[made]))


def _truth(raw: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((raw / "_truth" / "truth.json").read_text(encoding="utf-8"))
    return found


def test_every_check_of_the_results_passes(told: Told) -> None:
    keys = {dg.AssetKey(["analytics", name]) for name in TABLES}
    found = [one for one in told.run.get_asset_check_evaluations() if one.asset_key in keys]
    assert len(found) == 15
    # How good it is depends on the sample; that it is right does not.
    assert [one.check_name for one in found if not one.passed and one.severity is dg.AssetCheckSeverity.ERROR] == []


def test_the_total_of_the_series_is_what_was_sold(told: Told) -> None:
    sold = told.ask("SELECT currency, sum(net_amount) FROM warehouse.fct_sales GROUP BY 1 ORDER BY 1")
    series = told.ask(
        "SELECT currency, sum(revenue_amount) FROM analytics.revenue_series"
        " WHERE scope = 'total' AND grain = 'day' GROUP BY 1 ORDER BY 1"
    )
    assert series == sold
    assert sold


def test_forecasts_begin_the_day_after_the_last_sale_and_have_a_reason(told: Told) -> None:
    ((last,),) = told.ask("SELECT max(sold_at)::date FROM warehouse.fct_sales")
    ahead = told.ask(
        "SELECT min(period_start_date) - min(as_of_date), max(as_of_date), max(step), bool_and(reason <> '')"
        " FROM analytics.revenue_forecasts WHERE grain = 'day'"
    )
    assert ahead == [(1, last, 28, True)]


def test_the_days_that_are_known_to_be_odd_are_incidents(told: Told) -> None:
    found = {
        (source, kind, first, last)
        for source, kind, first, last in told.ask(
            "SELECT source_system, kind, first_date, last_date FROM analytics.incidents"
        )
    }
    truth = {
        (event["dataset"], event["kind"], *(date.fromisoformat(event[end]) for end in ("first", "last")))
        for event in told.truth["events"]
        if event["kind"] in {"outage", "promotion"}
    }
    assert len(truth) == 2
    assert truth <= found


def test_the_prices_that_are_known_to_be_wrong_come_first(told: Told) -> None:
    (event,) = (one for one in told.truth["events"] if one["kind"] == "price_error")
    rows = told.ask("SELECT product_id, reason FROM analytics.order_outliers ORDER BY rank")
    assert [(event["product_id"], "price")] * event["lines"] == rows[: event["lines"]]


def test_clearance_and_wrong_prices_are_findings(told: Told) -> None:
    planted = {event["kind"]: event for event in told.truth["events"]}
    found = told.ask("SELECT insight_type, source_system, segment, first_date, last_date FROM analytics.insights")
    for kind, name in (("clearance", "markdown"), ("price_error", "price error")):
        event = planted[kind]
        span = date.fromisoformat(event["first"]), date.fromisoformat(event["last"])
        assert [
            one for one in found if one[:2] == (name, event["dataset"]) and one[3] <= span[1] and span[0] <= one[4]
        ], kind


def test_the_sql_of_every_finding_gives_its_value_in_the_warehouse(told: Told) -> None:
    findings = told.ask("SELECT title, measure, value, sql FROM analytics.insights ORDER BY week_date, rank")
    assert findings
    for title, measure, value, statement in findings:
        ((given,),) = told.ask(statement)
        # The level of prices is a mean of daily levels for an incident, and of the days together in SQL.
        tolerance = 0.05 if measure == "price_level" else 1e-6
        assert float(given or 0) == pytest.approx(value, rel=tolerance, abs=0.01), title


def test_every_week_of_the_sample_has_a_report(told: Told) -> None:
    weeks = told.ask(
        "SELECT count(*), max(week_date) - min(week_date), bool_and(tests > 0) FROM analytics.insight_reports"
    )
    assert weeks == [(104, 103 * 7, True)]


def test_a_week_without_findings_says_so_and_every_other_one_names_the_first(told: Told) -> None:
    quiet = told.ask("SELECT DISTINCT summary LIKE 'Nothing unusual: % tests, %' FROM analytics.insight_reports"
                     " WHERE insights = 0 AND reason IS NULL")  # fmt: skip
    others = told.ask(
        "SELECT bool_and(summary ILIKE '%' || title || '%') FROM analytics.insight_reports"
        " JOIN analytics.insights USING (week_date) WHERE rank = 1"
    )
    assert (quiet, others) == ([(True,)], [(True,)])


def test_the_self_test_was_made_and_its_rate_is_published(told: Told) -> None:
    assert told.ask(
        "SELECT runs, false_report_rate = runs_with_findings::float / runs, false_report_rate <= 0.15, reason"
        " FROM analytics.insight_placebo"
    ) == [(20, True, True, None)]


def test_few_good_lines_are_said_to_be_unlike_their_products(told: Told) -> None:
    (event,) = (one for one in told.truth["events"] if one["kind"] == "price_error")
    ((lines, others),) = told.ask(
        "SELECT (SELECT count(*) FROM warehouse.fct_sales WHERE NOT is_return),"
        f" (SELECT count(*) - {event['lines']} FROM analytics.order_outliers)"
    )
    assert others <= lines / 1000


def test_an_earlier_day_can_be_asked_for_and_later_sales_are_left_out(told: Told) -> None:
    until = date(2024, 9, 18)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**told.home.environment, "PLATFORM_AS_OF": until.isoformat()}.items():
            patch.setenv(name, value)
        platform = PlatformResource()
        as_of = analysis_day(platform)
        sources = {"sales": platform.table("core", "sales"), "products": platform.table("core", "products")}
        inputs = Inputs(platform, sources, as_of, lambda _: None)
        results = {**forecast._compute(inputs), **anomalies_and_insights._compute(inputs)}

    assert as_of == until
    last = {
        name: max(results[name][column].to_pylist())
        for name, column in (
            ("revenue_series", "period_start_date"),
            ("daily_measures", "sale_date"),
            ("insight_reports", "week_date"),
            ("sales_changes", "week_date"),
        )
    }
    week = date(2024, 9, 9)
    assert last == {"revenue_series": until, "daily_measures": until, "insight_reports": week, "sales_changes": week}
    ahead = [row for row in results["revenue_forecasts"].to_pylist() if row["grain"] == "day"]
    assert min(row["period_start_date"] for row in ahead) == date(2024, 9, 19)
    ((sold,),) = told.ask(f"SELECT sum(net_amount) FROM warehouse.fct_sales WHERE sold_at < '{until}'::date + 1")
    series = [row for row in results["revenue_series"].to_pylist() if (row["grain"], row["scope"]) == ("day", "total")]
    assert sum(row["revenue_amount"] for row in series) == sold


def test_the_change_of_a_week_is_that_of_the_sales(told: Told) -> None:
    ((week,),) = told.ask("SELECT max(week_date) FROM analytics.sales_changes")
    changes = told.ask(
        "SELECT source_system, net_after_amount FROM analytics.sales_changes"
        f" WHERE week_date = '{week}' AND dimension = 'total' ORDER BY 1"
    )
    sold = told.ask(
        "SELECT source_system, sum(net_amount) FROM warehouse.fct_sales"
        f" WHERE sold_at >= '{week}'::date AND sold_at < '{week}'::date + 7 GROUP BY 1 ORDER BY 1"
    )
    assert [name for name, _ in changes] == [name for name, _ in sold]
    for (_, change), (_, amount) in zip(changes, sold, strict=True):
        assert abs(change - amount) <= Decimal("0.0001")
