"""reports/*: a page per topic of the analytics, made from its tables in the lake."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pyarrow as pa

from platform_assets.analytics.anomalies.incident_tables import INCIDENTS_SCHEMA, PARTS_SCHEMA
from platform_assets.analytics.anomalies.judgement import ORDER_OUTLIERS_SCHEMA
from platform_assets.analytics.anomalies.series import DAYS_SCHEMA
from platform_assets.analytics.churn.evaluation import CALIBRATION_SCHEMA, EVALUATION_SCHEMA
from platform_assets.analytics.churn.retention import MEASUREMENT_SCHEMA
from platform_assets.analytics.customer_360_schemas import CUSTOMER_360_SCHEMA
from platform_assets.analytics.forecast.results import COVERAGE_SCHEMA, FORECASTS_SCHEMA, SERIES_SCHEMA, SKILL_SCHEMA
from platform_assets.analytics.insights.changes import CHANGES_SCHEMA, CONTRIBUTIONS_SCHEMA
from platform_assets.analytics.insights.history import REPORTED_SCHEMA, REPORTS_SCHEMA
from platform_assets.analytics.insights.placebo import PLACEBO_SCHEMA
from platform_assets.analytics.kpis.cohorts import COHORTS_SCHEMA, REPEAT_SCHEMA, SECOND_ORDER_SCHEMA
from platform_assets.analytics.kpis.rows import KPIS_SCHEMA
from platform_assets.analytics.kpis.sql import VALUES_SCHEMA as KPI_VALUES_SCHEMA
from platform_assets.analytics.lifetime.choice import COMPARISON_SCHEMA
from platform_assets.analytics.lifetime.groups import GROUPS_SCHEMA
from platform_assets.analytics.lifetime.value_schemas import TOTALS_SCHEMA
from platform_assets.analytics.products.affinity import AFFINITY_SCHEMA
from platform_assets.analytics.products.measures import PERFORMANCE_SCHEMA
from platform_assets.analytics.products.prices import PRICE_CHANGES_SCHEMA
from platform_assets.analytics.products.substitutes import GONE_SCHEMA, SUBSTITUTES_SCHEMA
from platform_assets.analytics.products.trends import CHANGES_SCHEMA as CATEGORY_CHANGES_SCHEMA
from platform_assets.analytics.products.trends import TRENDS_SCHEMA
from platform_assets.analytics.rfm.runs import RUNS_MIGRATION_SCHEMA, RUNS_STABILITY_SCHEMA
from platform_assets.analytics.rfm.segments import SEGMENTS_SCHEMA
from platform_assets.defs.analytics import analysis_day
from platform_assets.defs.topics import OWNER, TOPIC
from platform_assets.lake.whole import whole_rows
from platform_assets.reports.index_page import write_index
from platform_assets.reports.page import Made, Page, page_html
from platform_assets.reports.result_metadata import result_picture
from platform_assets.reports.selecting import Tables
from platform_assets.reports.topics.anomalies import anomalies_page
from platform_assets.reports.topics.customers import customers_page
from platform_assets.reports.topics.forecast import forecast_page
from platform_assets.reports.topics.insights import insights_page
from platform_assets.reports.topics.kpis import kpis_page
from platform_assets.reports.topics.products import products_page
from platform_assets.reports.writing import write_report
from platform_assets.resources.platform import PlatformResource
from platform_assets.services.keys import pseudonym_key
from platform_assets.services.reports_server import INDEX, reports_folder
from platform_assets.services.up_state import reports_url
from platform_assets.warehouse.star.pseudonyms import Pseudonyms


@dataclass(frozen=True)
class Report:
    """A page and what it is made from.

    Attributes:
        name: Its name, of the asset as of the file.
        topic: The topic that is left out of a run together with it.
        reads: The tables of results it shows, with their columns.
        page: Makes it.
        description: What it shows.
    """

    name: str
    topic: str
    reads: Mapping[str, pa.Schema]
    page: Callable[[Tables], Page]
    description: str


REPORTS = (
    Report(
        "customers",
        "customer_360",
        {
            "customer_360": CUSTOMER_360_SCHEMA,
            "rfm_segments": SEGMENTS_SCHEMA,
            "rfm_migration": RUNS_MIGRATION_SCHEMA,
            "rfm_stability": RUNS_STABILITY_SCHEMA,
            "lifetime_totals": TOTALS_SCHEMA,
            "lifetime_models": COMPARISON_SCHEMA,
            "lifetime_groups": GROUPS_SCHEMA,
            "churn_evaluation": EVALUATION_SCHEMA,
            "churn_calibration": CALIBRATION_SCHEMA,
            "retention_measurement": MEASUREMENT_SCHEMA,
        },
        customers_page,
        "Segments and who moved between them, lifetime value, churn, and what to do about it.",
    ),
    Report(
        "products",
        "products",
        {
            "product_performance": PERFORMANCE_SCHEMA,
            "price_changes": PRICE_CHANGES_SCHEMA,
            "product_affinity": AFFINITY_SCHEMA,
            "category_affinity": AFFINITY_SCHEMA,
            "category_trends": TRENDS_SCHEMA,
            "category_changes": CATEGORY_CHANGES_SCHEMA,
            "gone_products": GONE_SCHEMA,
            "substitutes": SUBSTITUTES_SCHEMA,
        },
        products_page,
        "What sells, what changed its price, how categories grow, what is bought together, what is gone.",
    ),
    Report(
        "forecast",
        "forecast",
        {
            "revenue_series": SERIES_SCHEMA,
            "revenue_forecasts": FORECASTS_SCHEMA,
            "forecast_skill": SKILL_SCHEMA,
            "forecast_coverage": COVERAGE_SCHEMA,
        },
        forecast_page,
        "Revenue ahead with its intervals, how good such forecasts were, and what cannot be forecast.",
    ),
    Report(
        "anomalies",
        "anomalies_and_insights",
        {
            "daily_measures": DAYS_SCHEMA,
            "incidents": INCIDENTS_SCHEMA,
            "incident_parts": PARTS_SCHEMA,
            "order_outliers": ORDER_OUTLIERS_SCHEMA,
        },
        anomalies_page,
        "Days unlike those before them, what they cost, what contributed, and odd orders.",
    ),
    Report(
        "insights",
        "anomalies_and_insights",
        {
            "insights": REPORTED_SCHEMA,
            "insight_reports": REPORTS_SCHEMA,
            "sales_changes": CHANGES_SCHEMA,
            "sales_contributions": CONTRIBUTIONS_SCHEMA,
            "insight_placebo": PLACEBO_SCHEMA,
        },
        insights_page,
        "What was found in the newest week and before, with evidence, SQL, what to do and how to verify it.",
    ),
    Report(
        "kpis",
        "kpis",
        {
            "kpis": KPIS_SCHEMA,
            "kpi_values": KPI_VALUES_SCHEMA,
            "retention_cohorts": COHORTS_SCHEMA,
            "second_order": SECOND_ORDER_SCHEMA,
            "repeat_rates": REPEAT_SCHEMA,
        },
        kpis_page,
        "Key figures against the month before, their trends and meanings, and who comes back.",
    ),
)


def report_asset(report: Report) -> dg.AssetsDefinition:
    """The asset that writes a page. It is not reached when a table it needs could not be made: the page then stays."""

    @dg.asset(
        key=["reports", report.name],
        group_name="reports",
        kinds={"html"},
        owners=[OWNER],
        tags={TOPIC: report.topic},
        deps=[dg.AssetKey(["analytics", table]) for table in report.reads],
        description=report.description,
    )
    def asset(platform: PlatformResource) -> dg.MaterializeResult[None]:
        tables = {name: _rows(platform, name, schema) for name, schema in report.reads.items()}
        page = report.page(tables)
        folder = reports_folder(platform.settings)
        write_report(
            page_html(page, Made(analysis_day(platform), datetime.now(UTC))), target := folder / f"{report.name}.html"
        )
        write_index(folder, platform.settings.home / "run" / "reports.lock")
        address = reports_url(platform.settings)
        return dg.MaterializeResult(
            metadata={
                "page": dg.MetadataValue.url(f"{address}/{target.name}"),
                "all pages": dg.MetadataValue.url(f"{address}/{INDEX}"),
                "file": dg.MetadataValue.path(target),
                "finding": page.finding,
                **_pictures(tables),
                **_numbers(page),
            }
        )

    return asset


def _rows(platform: PlatformResource, name: str, schema: pa.Schema) -> pa.Table:
    """A table as pages may show it: customers are pseudonyms."""
    engine, table = platform.loader, platform.table("analytics", name)
    rows = engine.collect(whole_rows(table, table.snapshot(), schema, engine))
    if "customer_id" not in rows.column_names:
        return rows
    pseudonyms = Pseudonyms(pseudonym_key(platform.settings)).of_all(rows["customer_id"])
    return rows.drop_columns("customer_id").append_column("customer_pseudonym", pseudonyms)


def _pictures(tables: Tables) -> dict[str, Any]:
    pictures: Iterable[tuple[str, str | None]] = ((name, result_picture(name, rows)) for name, rows in tables.items())
    return {name.replace("_", " "): dg.MetadataValue.md(picture) for name, picture in pictures if picture}


def _numbers(page: Page) -> dict[str, Any]:
    """The figures that matter most: Dagster plots a number over the runs by its name."""
    return {
        one.label: one.value if isinstance(one.value, int) else float(one.value)
        for one in page.headlines
        if one.value is not None
    }


@dg.definitions
def defs() -> dg.Definitions:
    """The pages."""
    return dg.Definitions(assets=[report_asset(report) for report in REPORTS])
