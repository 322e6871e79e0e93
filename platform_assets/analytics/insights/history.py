"""Reports on each of the last weeks, as tables: what was found, how much was looked at, and why sales changed.

Belongs here: one report after the other, and their summary. Does not belong here: what a report says (``report``).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from platform_assets.analytics.anomalies.judgement import Judgement
from platform_assets.analytics.anomalies.measures import Panel
from platform_assets.analytics.insights.changes import (
    CHANGES_SCHEMA,
    CONTRIBUTIONS_SCHEMA,
    changes_table,
    contributions_table,
)
from platform_assets.analytics.insights.record import INSIGHTS_SCHEMA, insights_table
from platform_assets.analytics.insights.report import Daily, Prices, Report, ReportSettings, weekly_report
from platform_assets.analytics.insights.weekly import last_week

REPORT_WEEKS = 104
"""So many of the last weeks are reported on."""
WEEK_DATE = pa.field("week_date", pa.date32())
REPORTED_SCHEMA = pa.schema([WEEK_DATE, *INSIGHTS_SCHEMA])
"""``INSIGHTS_SCHEMA`` with the Monday of the report's week, ``week_date``, before it."""
REPORTS_SCHEMA = pa.schema(
    [
        WEEK_DATE,
        ("tests", pa.int64()),
        ("discovered", pa.int64()),
        ("insights", pa.int64()),
        ("below_floor", pa.int64()),
        ("explained", pa.int64()),
        ("beyond_cap", pa.int64()),
        ("silent_datasets", pa.int64()),
        ("false_discovery_rate", pa.float64()),
        ("summary", pa.string()),
        ("reason", pa.string()),
    ]
)
"""One row per week, ``week_date`` its Monday.

Of so many ``tests``, so many were ``discovered`` to be more than chance; ``insights`` are shown, the others were
``below_floor`` (too little money), ``explained`` by another one, or ``beyond_cap``. ``false_discovery_rate`` is the
share of discoveries that may be false. ``silent_datasets`` sold nothing in the whole week, though they had before: they
are not tested. ``summary`` is the report in a sentence; ``reason`` says why nothing can be said of a week, and is null
where something can."""
_DROPPED = {"below_floor": "below the floor", "explained": "explained by another", "beyond_cap": "beyond the cap"}
_UNSAID = "Cannot say: the history is too short for any test."


def report_history(
    found: Judgement,
    as_of: date,
    *,
    weeks: int = REPORT_WEEKS,
    settings: ReportSettings | None = None,
    currencies: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Report]:
    """Report on each of the last weeks that are over, the oldest first; each knows what the one before it showed.

    Args:
        found: What is unlike the past.
        as_of: The last day that counts.
        weeks: So many weeks, as far as there were sales.
        settings: How findings are chosen.
        currencies: Currency of each dataset.
        tell: Says how far it is.
    """
    daily = Daily(judged=found.judged, incidents=found.incidents)
    prices = Prices(outliers=found.outliers, distances=found.distances, lines=found.lines, weeks=found.weeks)
    shown: set[str] = set()
    reports = []
    mondays = reported_weeks(found.weekly, as_of, weeks)
    for number, week in enumerate(mondays):
        if number % 26 == 0:
            tell(f"insights: {number} of {len(mondays)} weekly reports")
        report = weekly_report(
            found.weekly,
            week,
            daily=daily,
            prices=prices,
            settings=settings,
            shown=shown,
            currencies=currencies,
            as_of=as_of,
        )
        shown = {one.candidate.theme_id for one in report.insights}
        reports.append(report)
    return reports


def reported_weeks(weekly: Mapping[str, Panel], as_of: date, weeks: int = REPORT_WEEKS) -> list[date]:
    """Mondays of the last weeks that are over, from the first with sales on, the oldest first."""
    first, last = min((panel.start for panel in weekly.values()), default=as_of), last_week(as_of)
    every = (last - timedelta(days=7 * back) for back in reversed(range(weeks)))
    return [week for week in every if week >= first]


def reported_table(reports: Sequence[Report]) -> pa.Table:
    """Findings as rows of ``REPORTED_SCHEMA``."""
    tables = [REPORTED_SCHEMA.empty_table()]
    for report in reports:
        rows = insights_table(report.insights)
        tables.append(rows.add_column(0, WEEK_DATE, pa.array([report.week] * rows.num_rows, WEEK_DATE.type)))
    return pa.concat_tables(tables)


def reports_table(reports: Sequence[Report], false_share: float) -> pa.Table:
    """Reports as rows of ``REPORTS_SCHEMA``; ``false_share`` is that of their settings."""
    rows = [{**_row(report), "false_discovery_rate": false_share} for report in reports]
    return pa.Table.from_pylist(rows, schema=REPORTS_SCHEMA)


def changes_history(weekly: Mapping[str, Panel], weeks: Sequence[date]) -> tuple[pa.Table, pa.Table]:
    """Why net sales of each week changed, as rows of ``CHANGES_SCHEMA`` and of ``CONTRIBUTIONS_SCHEMA``."""
    changes = [CHANGES_SCHEMA.empty_table(), *(changes_table(weekly, week) for week in weeks)]
    parts = [CONTRIBUTIONS_SCHEMA.empty_table(), *(contributions_table(weekly, week) for week in weeks)]
    return pa.concat_tables(changes), pa.concat_tables(parts)


def _row(report: Report) -> dict[str, Any]:
    return {
        "week_date": report.week,
        "tests": report.tests,
        "discovered": report.discovered,
        "insights": len(report.insights),
        **{name: report.dropped[reason] for name, reason in _DROPPED.items()},
        "silent_datasets": len(report.silent),
        "summary": report.summary if report.tests else _UNSAID,
        "reason": None if report.tests else "too little history",
    }
