"""The events that the generated sample is known to hold are found and named, and little else is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from json import loads
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from platform_assets.analytics.anomalies import lines as wrong_prices
from platform_assets.analytics.anomalies.incidents import incidents
from platform_assets.analytics.anomalies.measures import measured, panels
from platform_assets.analytics.anomalies.prices import categorised, paid, usual_prices
from platform_assets.analytics.anomalies.series import judged_panels
from platform_assets.analytics.insights.record import Candidate
from platform_assets.analytics.insights.report import Daily, Prices, Report, weekly_report
from platform_assets.analytics.insights.texts import reproducing_sql, rules
from platform_assets.samples.generate import generate
from platform_assets.samples.plan import DEFAULT_ROWS
from platform_assets_tests.analytics.insights.sample import sample_products, sample_sales
from platform_assets_tests.conftest import make_test_engine

AS_OF = date(2024, 12, 31)
ROWS, SEED = DEFAULT_ROWS, 42
NAMED = {
    "closure": {"closure"},
    "clearance": {"markdown"},
    "outage": {"outage"},
    "price_error": {"price error"},
    "promotion": {"promotion"},
}
"""What each planted event is called."""


@dataclass(frozen=True)
class Sample:
    """A generated sample, and a report on each of its weeks."""

    events: list[dict[str, Any]]
    reports: list[Report]
    sales: pa.Table
    products: pa.Table

    @property
    def found(self) -> list[Candidate]:
        return [one.candidate for report in self.reports for one in report.insights]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, rows=ROWS, seed=SEED)
    engine = make_test_engine("duckdb", tmp_path_factory.mktemp("scratch"))
    sold, known = sample_sales(folder), sample_products(folder)
    lines = categorised(engine.from_arrow(sold), engine.from_arrow(known), AS_OF)
    ways = engine.collect(paid(lines))
    usual = engine.from_arrow(usual_prices(ways))
    judged = judged_panels(panels(measured(lines, usual, engine), AS_OF))
    by_week = measured(lines, usual, engine, "week", ("channel", "category", "country", "segment"))
    weekly = panels(by_week, AS_OF, "week")
    prices = Prices(
        outliers=wrong_prices.outliers(lines, ways, engine),
        distances=wrong_prices.scored(ways).price_z,
        lines=ways["lines"].to_numpy().astype(float),
        weeks=104,
    )
    daily = Daily(judged=judged, incidents=incidents(judged))
    weeks = [date(2023, 1, 2) + timedelta(days=7 * number) for number in range(104)]
    reports = [weekly_report(weekly, week, daily=daily, prices=prices) for week in weeks]
    truth = loads((folder / "_truth" / "truth.json").read_text(encoding="utf-8"))
    yield Sample(truth["events"], reports, sold, known)
    engine.close()


@pytest.mark.parametrize("kind", sorted(NAMED))
def test_every_dated_event_is_found_and_named(sample: Sample, kind: str) -> None:
    (event,) = (one for one in sample.events if one["kind"] == kind)
    first, last = (date.fromisoformat(event[end]) for end in ("first", "last"))

    hits = [
        one
        for one in sample.found
        if one.type in NAMED[kind]
        and one.key.source_system == event["dataset"]
        and one.first <= last
        and first <= one.last
    ]

    assert hits
    if kind == "price_error":
        assert {one.key.segment for one in hits} == {event["product_id"]}
        assert {one.details["lines"] for one in hits} == {event["lines"]}
    if kind == "clearance":
        assert {one.key.segment for one in hits} == {"Furniture"}
    if kind in {"closure", "outage", "promotion"}:
        assert {(one.first, one.last) for one in hits} == {(first, last)}


def test_few_weeks_without_an_event_have_a_finding(sample: Sample) -> None:
    spans = [tuple(date.fromisoformat(event[end]) for end in ("first", "last")) for event in sample.events]
    quiet = [
        report
        for report in sample.reports
        if not any(report.week <= last and first <= report.week + timedelta(days=6) for first, last in spans)
    ]

    assert len(quiet) > 90
    assert sum(bool(report.insights) for report in quiet) / len(quiet) <= 0.15


def test_the_sql_of_each_finding_gives_its_value(sample: Sample) -> None:
    connection = _warehouse(sample)

    for found in sample.found:
        (value,) = connection.execute(reproducing_sql(found)).fetchone() or (None,)
        # the level of prices is a mean of daily levels for an incident, and of the days together in SQL
        tolerance = 0.05 if found.measure == "price_level" else 1e-6
        assert float(value or 0) == pytest.approx(found.value, rel=tolerance, abs=0.01), found


def test_every_type_that_is_found_has_a_rule(sample: Sample) -> None:
    assert {one.type for one in sample.found} <= set(rules())


def _warehouse(sample: Sample) -> duckdb.DuckDBPyConnection:
    """The view that the statements read, over the sample; DuckDB speaks enough of PostgreSQL for them."""
    end = datetime.combine(AS_OF + timedelta(days=1), time())
    sales = sample.sales.filter(pc.less(sample.sales["sold_at"], pa.scalar(end)))
    connection = duckdb.connect()
    connection.register("sales", sales)
    connection.register("products", sample.products)
    connection.execute("CREATE SCHEMA analytics")
    connection.execute(
        """CREATE TABLE analytics.sales_then_and_now AS
        SELECT sold_at::date AS date, s.source_system, order_id, s.product_id, channel, country AS ship_country,
            segment AS segment_at_sale, coalesce(p.category, s.category) AS category_at_sale, is_return,
            CASE WHEN NOT is_return THEN quantity END AS units_sold, net_amount AS net_sales_amount,
            _source_file AS source_file, _source_row AS source_row
        FROM sales AS s LEFT JOIN products AS p USING (product_id)"""
    )
    return connection
