"""analytics/daily_measures, incidents, insights and what goes with them: what is unlike the past, and what it means.

One step computes them all: insights need the judged series themselves, which no table holds.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg

from platform_assets.analytics.anomalies import checks as anomaly_checks
from platform_assets.analytics.anomalies.incident_tables import (
    INCIDENTS_SCHEMA,
    PARTS_SCHEMA,
    incidents_table,
    parts_table,
)
from platform_assets.analytics.anomalies.judgement import (
    ORDER_OUTLIERS_SCHEMA,
    Judgement,
    judge_sales,
    order_outliers_table,
)
from platform_assets.analytics.anomalies.series import DAYS_SCHEMA, days_table, holiday_names
from platform_assets.analytics.days import last_whole_day
from platform_assets.analytics.insights import checks as insight_checks
from platform_assets.analytics.insights.changes import CHANGES_SCHEMA, CONTRIBUTIONS_SCHEMA
from platform_assets.analytics.insights.history import (
    REPORTED_SCHEMA,
    REPORTS_SCHEMA,
    changes_history,
    report_history,
    reported_table,
    reports_table,
)
from platform_assets.analytics.insights.placebo import PLACEBO_SCHEMA, placebo, placebo_table
from platform_assets.analytics.insights.report import ReportSettings
from platform_assets.analytics.insights.weekly import last_week
from platform_assets.defs.result_checks import invariant_check
from platform_assets.defs.topics import Inputs, ResultCheck, ResultTable, Tables, Topic, Verdict, topic_assets
from platform_assets.engines.engine import Frame
from platform_assets.lake.whole import whole_rows
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_DATASETS, sales_rows

_SEGMENT = ("source_system", "dimension", "segment")
_TABLES = (
    ResultTable(
        "daily_measures",
        DAYS_SCHEMA,
        (*_SEGMENT, "measure", "sale_date"),
        "Every day of every dataset and segment against what the days before it let expect.",
    ),
    ResultTable(
        "incidents",
        INCIDENTS_SCHEMA,
        ("incident_id",),
        "Unusual days that belong together: what they look like, and how much money they are about.",
    ),
    ResultTable(
        "incident_parts",
        PARTS_SCHEMA,
        ("incident_id", "dimension", "segment"),
        "What the segments contributed to every incident.",
    ),
    ResultTable(
        "order_outliers",
        ORDER_OUTLIERS_SCHEMA,
        ("source_system", "source_file", "source_row"),
        "The sale lines whose price, quantity or amount is least like their product's.",
    ),
    ResultTable(
        "insights",
        REPORTED_SCHEMA,
        ("week_date", "insight_id"),
        "What was found in every week: evidence, money, what to do, how to verify it, and the SQL that reproduces it.",
    ),
    ResultTable(
        "insight_reports",
        REPORTS_SCHEMA,
        ("week_date",),
        "Every week's report in a sentence, and how much was looked at for it; nothing unusual is an answer.",
    ),
    ResultTable(
        "sales_changes",
        CHANGES_SCHEMA,
        (*_SEGMENT, "week_date"),
        "Why the net sales of a week differ from those of the weeks before: buyers, orders, units, prices.",
    ),
    ResultTable(
        "sales_contributions",
        CONTRIBUTIONS_SCHEMA,
        (*_SEGMENT, "week_date"),
        "Which segments the change of a week's net sales came from: volume, mix, rate.",
    ),
    ResultTable(
        "insight_placebo",
        PLACEBO_SCHEMA,
        ("week_date",),
        "How often the weekly tests find something in weeks in a random order.",
    ),
)


def _compute(inputs: Inputs) -> Tables:
    sales = sales_rows(inputs.tables["sales"], inputs.snapshots["sales"], inputs.engine)
    as_of = _last_day(inputs, sales)
    found = _judgement(inputs, sales, as_of)
    settings, currencies = _settings(inputs.platform), _currencies(inputs.platform)
    reports = report_history(found, as_of, settings=settings, currencies=currencies, tell=inputs.tell)
    inputs.tell("insights: why sales changed, and a test on weeks in a random order")
    changes, contributions = changes_history(found.weekly, [report.week for report in reports])
    seed = inputs.platform.config.analytics.seed
    tried = placebo(found.weekly, last_week(as_of), seed=seed, settings=settings)
    return {
        "daily_measures": days_table(found.judged),
        "incidents": incidents_table(found.incidents),
        "incident_parts": parts_table(found.incidents),
        "order_outliers": order_outliers_table(found.outliers),
        "insights": reported_table(reports),
        "insight_reports": reports_table(reports, settings.false_share),
        "sales_changes": changes,
        "sales_contributions": contributions,
        "insight_placebo": placebo_table(tried),
    }


def _last_day(inputs: Inputs, sales: Frame) -> date:
    """The day asked for; where none was, the newest that is over: half a day would look like an outage."""
    if inputs.platform.settings.as_of is not None:
        return inputs.as_of
    return last_whole_day(sales, inputs.as_of, inputs.engine)


def _judgement(inputs: Inputs, sales: Frame, as_of: date) -> Judgement:
    engine, calendar = inputs.engine, inputs.platform.config.calendar

    def holidays(first: date, last: date) -> Mapping[date, str]:
        return holiday_names(first, last, calendar.country, calendar.subdivision)

    products = whole_rows(inputs.tables["products"], inputs.snapshots["products"], PRODUCTS_SCHEMA, engine)
    return judge_sales(sales, products, as_of, engine, holidays=holidays, tell=inputs.tell)


def _settings(platform: PlatformResource) -> ReportSettings:
    return ReportSettings(false_share=platform.config.analytics.false_discovery_rate)


def _currencies(platform: PlatformResource) -> dict[str, str]:
    return {dataset: platform.config.currencies.of(dataset) for dataset in SALES_DATASETS}


def _decided_by(platform: PlatformResource) -> list[Any]:
    calendar, analytics = platform.config.calendar, platform.config.analytics
    holidays = [calendar.country, calendar.subdivision]
    # A day that is asked for is taken as over.
    is_asked_for = platform.settings.as_of is not None
    return [analytics.seed, analytics.false_discovery_rate, _currencies(platform), holidays, is_asked_for]


def _few_unusual(tables: Tables) -> Verdict:
    judged, rate = anomaly_checks.unusual_rate(tables["daily_measures"])
    if not judged:
        return Verdict(passed=True, description="cannot say: no day could be judged, see the verdicts")
    said = f"{rate:.2%} of {judged:,} judged days are unusual"
    return Verdict(rate <= anomaly_checks.MOST_UNUSUAL, said, {"judged": judged, "unusual": rate})


def _incidents_close(tables: Tables) -> list[str]:
    last = max(tables["daily_measures"]["sale_date"].to_pylist(), default=date.min)
    return anomaly_checks.broken_incidents(tables["incidents"], tables["incident_parts"], last)


def _calibrated(tables: Tables) -> Verdict:
    (row,) = tables["insight_placebo"].to_pylist()
    if not row["runs"]:
        return Verdict(passed=True, description=f"cannot say: {row['reason']}")
    chance = insight_checks.placebo_p(row["runs"], row["runs_with_findings"])
    said = f"{row['runs_with_findings']} of {row['runs']} reports on weeks in a random order have a finding"
    return Verdict(chance >= insight_checks.SURE, said, {"rate": row["false_report_rate"], "p": chance})


_CHECKS = (
    invariant_check(
        "verdicts_follow_bands",
        "daily_measures",
        "Unusual days are outside of their band and usual ones are not above it.",
        lambda tables: anomaly_checks.broken_days(tables["daily_measures"]),
    ),
    ResultCheck(
        "few_days_are_unusual",
        "daily_measures",
        f"At most {anomaly_checks.MOST_UNUSUAL:.0%} of the judged days are unusual: else the expectation is wrong.",
        _few_unusual,
        dg.AssetCheckSeverity.WARN,
    ),
    invariant_check(
        "differences_close",
        "incidents",
        "The difference of an incident, and of its parts, is that of what was sold and what was expected.",
        _incidents_close,
    ),
    invariant_check(
        "ranks_follow_scores",
        "order_outliers",
        "The least like comes first; what a line brought in more is that above the usual price.",
        lambda tables: anomaly_checks.broken_outliers(tables["order_outliers"]),
    ),
    invariant_check(
        "findings_are_discoveries",
        "insights",
        "Findings keep to the share that may be false, lie within their interval, and say what to do.",
        lambda tables: insight_checks.broken_insights(tables["insights"], tables["insight_reports"]),
    ),
    invariant_check(
        "effects_add_up",
        "sales_changes",
        "Buyers, orders per buyer, units per order and price per unit add up to the change.",
        lambda tables: insight_checks.broken_changes(tables["sales_changes"]),
    ),
    invariant_check(
        "parts_add_up",
        "sales_contributions",
        "Volume, mix and rate add up to the change, and it is the one that was decomposed.",
        lambda tables: insight_checks.broken_contributions(tables["sales_contributions"], tables["sales_changes"]),
    ),
    ResultCheck(
        "placebo_finds_little",
        "insight_placebo",
        f"Not clearly more than {insight_checks.MOST_FALSE:.0%} of reports on weeks in a random order have a finding.",
        _calibrated,
        dg.AssetCheckSeverity.WARN,
    ),
)


@dg.definitions
def defs() -> dg.Definitions:
    """Anomalies and insights."""
    topic = Topic(
        "anomalies_and_insights",
        _TABLES,
        {"sales": ("core", "sales"), "products": ("core", "products")},
        _compute,
        settings=_decided_by,
        checks=_CHECKS,
    )
    return dg.Definitions(assets=topic_assets(topic))
