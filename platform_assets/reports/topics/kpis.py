"""The page of key figures: how they stand, how they moved, what they mean, and which cannot be had.

Belongs here: the figures of the registry. Does not belong here: who comes back (``cohorts``).
"""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import axis, days, drawn, line
from platform_assets.reports.formats import (
    NOTHING,
    Format,
    amount,
    as_written,
    counted,
    day,
    decimal,
    percent,
    points,
    signed_percent,
    whole,
    words,
)
from platform_assets.reports.page import Block, Choice, Code, Column, Grid, Headline, Page, Plot, Section
from platform_assets.reports.selecting import Row, Tables, distinct, ordered, share, where
from platform_assets.reports.topics.cohorts import again_section, cohorts_section

_HEADLINES = ("net_sales", "orders", "customers", "average_order_value", "margin_rate", "return_rate")
_SIGNS = {"up": {True: "better", False: "worse"}, "down": {True: "worse", False: "better"}, "none": {}}
_LEAST_CHANGE = 0.0005
_CUTS = ("channel", "category", "country")
_CUT_OF = "net_sales"
_NO_MONTH = "No month of sales is over."
_NOTHING_SOLD = "nothing was sold in this currency"


def kpis_page(tables: Tables) -> Page:
    """The page of key figures."""
    registry = tables["kpis"].to_pylist()
    values = tables["kpi_values"]
    months = where(values, grain="month", dimension="total")
    current = _current(registry, months)
    sections = (
        _standing(current),
        _trends(registry, months),
        _cuts(values),
        _trust(registry, values),
        cohorts_section(tables["retention_cohorts"]),
        again_section(tables["second_order"], tables["repeat_rates"]),
        _meanings(registry),
        _missing(registry),
    )
    return Page("kpis", sections[0].finding, _headlines(current), sections)


def form_of(unit: str) -> Format:
    """How values of a unit are written."""
    forms: dict[str, Format] = {"amount": amount, "count": whole, "rate": percent}
    return forms.get(unit, decimal)


def _current(registry: list[Row], months: pa.Table) -> list[Row]:
    """Every figure that has values, of the newest month that is over and of the calendar month before it."""
    over = where(months, is_complete=True)
    newest = max(distinct(over, "period_start_date"), default=None)
    if newest is None:
        return []
    cells = {(row["kpi"], row["currency"], row["period_start_date"]): row for row in over.to_pylist()}
    return [
        _moved(kpi, currency, newest, cells)
        for kpi in registry
        for currency in distinct(where(over, kpi=kpi["kpi"]), "currency")
    ]


def _moved(kpi: Row, currency: str, month: date, cells: dict[Any, Row]) -> Row:
    """A figure of a month; in a currency without sales in it there is none, and that is what is said."""
    now = cells.get((kpi["kpi"], currency, month), {"value": None, "reason": _NOTHING_SOLD})
    value, earlier = now["value"], cells.get((kpi["kpi"], currency, _month_before(month)), {}).get("value")
    is_rate = kpi["unit"] == "rate"
    change = _change(value, earlier, is_rate=is_rate)
    moved = change is not None and abs(change) >= _LEAST_CHANGE
    form = form_of(kpi["unit"])
    return {
        **kpi,
        "currency": currency,
        "month": month,
        "value": value,
        "now": form(value),
        "before": form(earlier),
        "change": change,
        "moved": (points if is_rate else signed_percent)(change),
        "judgement": _SIGNS[kpi["direction"]].get(bool(change and change > 0), NOTHING) if moved else NOTHING,
        "why": now["reason"],
    }


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _against(row: Row) -> str:
    """How a figure moved, or that there is nothing to hold it against."""
    if row["change"] is None:
        return "with nothing in the month before to compare"
    return f"{row['moved']} against the month before"


def _change(value: float | None, earlier: float | None, *, is_rate: bool) -> float | None:
    """By how much of itself a figure changed; a rate, by how many points."""
    if value is None or earlier is None:
        return None
    return value - earlier if is_rate else share(value - earlier, abs(earlier))


def _headlines(current: list[Row]) -> tuple[Headline, ...]:
    found = []
    for name in _HEADLINES:
        row = next((row for row in current if row["kpi"] == name), None)
        if row is not None:
            unit = f" ({row['currency']})" if "amount" in row["unit"] else ""
            note = row["why"] or f"{day(row['month'])[:7]}, {_against(row)}"
            found.append(Headline(f"{row['title']}{unit}", row["value"], form_of(row["unit"]), note))
    return tuple(found)


def _standing(current: list[Row]) -> Section:
    columns = (
        Column("Figure", "title"),
        Column("Unit", "unit"),
        Column("Currency", "currency"),
        Column("This month", "now", as_written),
        Column("Month before", "before", as_written),
        Column("Change", "moved", as_written),
        Column("", "judgement"),
        Column("Why there is none", "why", is_optional=True),
    )
    if not current:
        return Section("now", "Now", _NO_MONTH)
    sales = next((row for row in current if row["kpi"] == _CUT_OF), current[0])
    better = sum(row["judgement"] == "better" for row in current)
    worse = sum(row["judgement"] == "worse" for row in current)
    return Section(
        "now",
        "Now",
        f"{sales['title']} of {day(sales['month'])[:7]}: {sales['now']} {sales['currency'] or ''} "
        f"({_against(sales)}); {counted(better, 'figure')} better, "
        f"{whole(worse)} worse.",
        (Grid(columns, current, f"The month from {day(sales['month'])}, against the month before"),),
    )


def _trends(registry: list[Row], months: pa.Table) -> Section:
    options: dict[str, tuple[Block, ...]] = {}
    over = where(months, is_complete=True)
    for kpi in registry:
        own = where(over, kpi=kpi["kpi"]).filter(pc.field("value").is_valid())
        if own.num_rows > 1:
            options[kpi["title"]] = _trend(f"trend-{len(options)}", kpi, own)
    if not options:
        return Section("trends", "Trends", _NO_MONTH)
    return Section(
        "trends",
        "Trends",
        f"{counted(len(options), 'figure')} by month, over all months that are over.",
        (Choice("Figure", options),),
    )


def _trend(name: str, kpi: Row, own: pa.Table) -> tuple[Block, ...]:
    tickformat = ",.1%" if kpi["unit"] == "rate" else ",.2f" if form_of(kpi["unit"]) is decimal else ",.0f"
    traces = []
    for currency in distinct(own, "currency") or [None]:
        rows = ordered(where(own, currency=currency) if currency else own, "period_start_date")
        title = f"{kpi['title']} ({currency})" if currency and "amount" in kpi["unit"] else kpi["title"]
        traces.append(
            line([row["period_start_date"] for row in rows], [row["value"] for row in rows], title, form=tickformat)
        )
        traces[-1]["mode"] = "lines+markers"
    unit = {"tickformat": tickformat.replace(".2f", "~g").replace(".0f", "")}
    figure = drawn(
        traces,
        300,
        xaxis=days(),
        yaxis={**axis(kpi["unit"]), **unit, "rangemode": "tozero"},
        showlegend=len(traces) > 1,
    )
    told = ordered(own, "-period_start_date", "currency")
    columns = (
        Column("Month", "period_start_date", day),
        Column("Currency", "currency"),
        Column(kpi["title"], "value", form_of(kpi["unit"])),
    )
    return (Plot(name, f"{kpi['title']} by month", figure), Grid(columns, told, "As figures", folded=True))


def _cuts(values: pa.Table) -> Section:
    own = where(values, kpi=_CUT_OF, grain="month", is_complete=True)
    options: dict[str, tuple[Block, ...]] = {}
    month = max(distinct(own, "period_start_date"), default=None)
    if month is None:
        return Section("parts", "Parts", _NO_MONTH)
    for dimension in _CUTS:
        rows = where(own, dimension=dimension, period_start_date=month)
        if rows.num_rows:
            before = where(own, dimension=dimension, period_start_date=_month_before(month))
            options[f"by {dimension}"] = (_cut_table(rows, before),)
    if not options:
        return Section("parts", "Parts", _NO_MONTH)
    finding = f"Net sales of {day(month)[:7]} by channel, category and country."
    return Section("parts", "Parts", finding, (Choice("Net sales", options),))


def _cut_table(rows: pa.Table, before: pa.Table) -> Grid:
    earlier = {(row["member"], row["currency"]): row["value"] for row in before.to_pylist()}
    told = ordered(rows, "-value", "member")
    total = sum(row["value"] or 0 for row in told)
    for row in told:
        then = earlier.get((row["member"], row["currency"]))
        row["share"] = share(row["value"], total)
        row["change"] = share(row["value"] - then, abs(then)) if row["value"] is not None and then else None
    columns = (
        Column("Part", "member"),
        Column("Currency", "currency"),
        Column("Net sales", "value", amount),
        Column("of all", "share", percent),
        Column("Change", "change", signed_percent),
    )
    return Grid(columns, told)


def _trust(registry: list[Row], values: pa.Table) -> Section:
    """How much of the raw files the other figures are made from."""
    kept = where(values, grain="all", dimension="dataset")
    kinds = [kpi for kpi in registry if kpi["kpi"] in set(distinct(kept, "kpi"))]
    rows = [
        {"member": member, **{row["kpi"]: row["value"] for row in where(kept, member=member).to_pylist()}}
        for member in distinct(kept, "member")
    ]
    if not rows:
        return Section("trust", "Trust", "How much of the raw files counts is not known.")
    columns = (
        Column("Dataset", "member", words),
        *(Column(kpi["title"], kpi["kpi"], form_of(kpi["unit"])) for kpi in kinds),
    )
    finding = f"{counted(len(rows), 'dataset')}: how much of the raw files the other figures are made from."
    return Section("trust", "Trust", finding, (Grid(columns, rows),))


def _meanings(registry: list[Row]) -> Section:
    able = [kpi for kpi in registry if kpi["is_available"]]
    columns = (
        Column("Figure", "title"),
        Column("What it is", "definition"),
        Column("Formula", "formula"),
        Column("Unit", "unit"),
        Column("Better is", "direction"),
        Column("Parts", "additivity"),
    )
    codes = tuple(Code(f"SQL: {kpi['title']}", kpi["statement"]) for kpi in able if kpi["statement"])
    finding = (
        f"{counted(len(able), 'figure')} with one definition each, which the SQL, the checks and the documentation "
        "share."
    )
    return Section("meanings", "Meanings", finding, (Grid(columns, able), *codes))


def _missing(registry: list[Row]) -> Section:
    rows = [kpi for kpi in registry if not kpi["is_available"]]
    columns = (
        Column("Figure", "title"),
        Column("What it would be", "definition"),
        Column("Why it cannot be had", "reason"),
    )
    return Section(
        "missing",
        "Not available",
        f"{counted(len(rows), 'figure')} cannot be had from this data; none is shown as a number.",
        (Grid(columns, rows, empty="Every figure can be had."),),
    )
