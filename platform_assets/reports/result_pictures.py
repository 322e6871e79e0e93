"""Pictures of tables of results, for the metadata of their assets.

Belongs here: which rows are drawn, and how they are called. Does not belong here: how (``pictures``).
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from platform_assets.reports.formats import amount, day, signed_amount, signed_percent
from platform_assets.reports.pictures import bar_chart, line_chart
from platform_assets.reports.selecting import Row, distinct, ordered, where

_MOST_BARS, _MOST_STEPS = 12, 53


def bars(title: str, rows: list[Row], name: str, value: str, form: Callable[[Any], str]) -> str | None:
    """Bars of the first rows that have a value; ``None`` where none has."""
    known = [row for row in rows if row[value] is not None][:_MOST_BARS]
    return (
        bar_chart(title, [str(row[name]) for row in known], [float(row[value]) for row in known], form)
        if known
        else None
    )


def segment_revenue(table: pa.Table) -> str | None:
    """Net revenue by segment, from ``customer_360``."""
    sums = table.group_by("rfm_segment").aggregate([("net_revenue_amount", "sum")])
    return bars(
        "Net revenue by RFM segment",
        ordered(sums, "-net_revenue_amount_sum", "rfm_segment"),
        "rfm_segment",
        "net_revenue_amount_sum",
        amount,
    )


def revenue_of_segments(table: pa.Table) -> str | None:
    """Net revenue in the window by segment, from ``rfm_segments``."""
    rows = [row for row in ordered(table, "-revenue_amount", "segment") if row["customers"]]
    return bars("Net revenue by RFM segment", rows, "segment", "revenue_amount", amount)


def total_of(table: pa.Table, grain: str) -> list[Row]:
    """The days or weeks of the total, in the currency that comes first."""
    total = where(table, grain=grain, scope="total")
    currencies = distinct(total, "currency")
    return ordered(where(total, currency=currencies[0]), "period_start_date") if currencies else []


def forecast_fan(table: pa.Table) -> str | None:
    """The daily total ahead with its interval."""
    rows = [row for row in total_of(table, "day") if row["forecast_amount"] is not None]
    if not rows:
        return None
    ends = [[row[name] for row in rows] for name in ("lower_80_amount", "upper_80_amount")]
    band = None if any(None in end for end in ends) else (_numbers(ends[0]), _numbers(ends[1]))
    title = f"Daily net revenue ahead ({rows[0]['currency']}) and its 80 % interval"
    return line_chart(title, _from_to(rows), _numbers([row["forecast_amount"] for row in rows]), amount, band)


def weekly_history(table: pa.Table) -> str | None:
    """The weekly total of the last year."""
    rows = total_of(table, "week")[-_MOST_STEPS:]
    if not rows:
        return None
    values = _numbers([row["revenue_amount"] for row in rows])
    return line_chart(f"Weekly net revenue ({rows[0]['currency']})", _from_to(rows), values, amount)


def _numbers(values: list[Any]) -> list[float]:
    return [float(value) for value in values]


def _from_to(rows: list[Row]) -> tuple[str, str]:
    return day(rows[0]["period_start_date"]), day(rows[-1]["period_start_date"])


def skills(table: pa.Table) -> str | None:
    """By how much each series' published model is better than the seasonal naive forecast."""
    rows = [
        {**row, "name": f"{row['member']}, {row['grain']}"}
        for row in ordered(where(table, is_used=True), "-skill_rate", "member")
    ]
    return bars("Share of the seasonal naive error that is avoided", rows, "name", "skill_rate", signed_percent)


def best_products(table: pa.Table) -> str | None:
    """The products that sell best."""
    rows = [
        {**row, "name": row["product_name"] or row["product_id"]}
        for row in ordered(table, "-net_sales_amount", "product_id", most=_MOST_BARS)
    ]
    return bars("Net sales of the best products", rows, "name", "net_sales_amount", amount)


def impacts(table: pa.Table) -> str | None:
    """Incidents by money, the newest first."""
    rows = [
        {**row, "name": f"{row['first_date']} {row['kind']}"}
        for row in ordered(table, "-first_date", "incident_id", most=_MOST_BARS)
    ]
    return bars("Net sales against what was expected, newest first", rows, "name", "impact_amount", signed_amount)


def monthly_net_sales(table: pa.Table) -> list[Row]:
    """Net sales of the months that are over."""
    return ordered(
        where(table, kpi="net_sales", grain="month", dimension="total", is_complete=True),
        "period_start_date",
        "currency",
    )


def net_sales_by_month(table: pa.Table) -> str | None:
    """Net sales by month, in the currency that comes first."""
    rows = [row for row in monthly_net_sales(table) if row["value"] is not None]
    own = [row for row in rows if row["currency"] == rows[0]["currency"]][-_MOST_STEPS:]
    if not own:
        return None
    title = f"Net sales by month ({own[0]['currency']})"
    return line_chart(title, _from_to(own), _numbers([row["value"] for row in own]), amount)
