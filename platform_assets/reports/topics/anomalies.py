"""The page of anomalies: days unlike the past, what they cost, what contributed, and odd orders."""

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import Figure, axis, bar_figure, bars, day_bands, days, drawn, line, marks
from platform_assets.reports.formats import (
    amount,
    cents,
    counted,
    day,
    decimal,
    percent,
    signed_amount,
    text,
    unbroken,
    whole,
    words,
    yes,
)
from platform_assets.reports.page import Block, Choice, Column, Grid, Heading, Headline, Page, Plot, Section
from platform_assets.reports.selecting import Row, Tables, distinct, newest, ordered, where

_SHOWN_DAYS = 400
_PARTS_OF = 6
_PARTS = 8
_OUTLIERS = 30
_FORMS = {"net_amount": ",.0f", "orders": ",.0f", "units": ",.0f", "price_level": ".2f"}


def anomalies_page(tables: Tables) -> Page:
    """The page of anomalies."""
    incidents = ordered(tables["incidents"], "-first_date", "incident_id")
    by_money = sorted(incidents, key=lambda row: -abs(row["impact_amount"] or 0))
    sections = (
        _incidents(by_money),
        _daily(tables["daily_measures"], incidents),
        _parts(by_money, tables["incident_parts"]),
        _outliers(tables["order_outliers"]),
    )
    return Page("anomalies", sections[0].finding, _headlines(tables, incidents), sections)


def _headlines(tables: Tables, incidents: list[Row]) -> tuple[Headline, ...]:
    daily, outliers = tables["daily_measures"], tables["order_outliers"]
    last = newest(daily, "sale_date")
    going_on = sum(row["last_date"] == last for row in incidents)
    judged = daily.filter(pc.field("expected_value").is_valid()).num_rows
    lost = sum(row["impact_amount"] for row in incidents if (row["impact_amount"] or 0) < 0)
    return (
        Headline("Incidents", len(incidents), whole, "in the whole history"),
        Headline("Incidents going on", going_on, whole, f"on the last day, {day(last)}"),
        Headline("Below what was expected", lost, amount, "net sales of all incidents that fell short"),
        Headline("Odd order lines", outliers.num_rows, whole, "by price, quantity or amount"),
        Headline(
            "Days that could be judged", judged, whole, f"of {whole(daily.num_rows)} days of a measure of a segment"
        ),
    )


def _where(row: Row) -> str:
    place = words(row["source_system"])
    return place if row["dimension"] == "total" else f"{row['segment']} ({place})"


def _when(row: Row) -> str:
    first, last = day(row["first_date"]), day(row["last_date"])
    return first if first == last else f"{first} to {last}"


def _incidents(rows: list[Row]) -> Section:
    told = [{**row, "where": _where(row), "when": _when(row)} for row in rows]
    if not told:
        return Section("incidents", "Incidents", "Nothing unusual: no day is beyond what the days before let expect.")
    most = told[0]
    names = [f"{row['when'][:10]} {row['kind']}" for row in told[:15]]
    hints = [
        f"{row['kind']}: {row['where']}\n{row['when']}\n{signed_amount(row['impact_amount'])} against what was expected"
        for row in told[:15]
    ]
    colors = ["fail" if (row["impact_amount"] or 0) < 0 else "pass" for row in told[:15]]
    drawing = bars(names, [row["impact_amount"] for row in told[:15]], hints, color=colors)
    return Section(
        "incidents",
        "Incidents",
        f"{counted(len(told), 'incident')}; the largest is the {most['kind']} of {most['when']} in {most['where']}: "
        f"{signed_amount(most['impact_amount'])} of net sales against what was expected.",
        (
            Plot(
                "incidents",
                "Net sales against what was expected (red: less)",
                bar_figure([drawing], "net sales, difference"),
            ),
            Grid(_INCIDENT_COLUMNS, told, "All incidents, most money first"),
        ),
    )


_INCIDENT_COLUMNS = (
    Column("When", "when", unbroken),
    Column("Looks like", "kind"),
    Column("Where", "where"),
    Column("Stands out in", "measure", words),
    Column("Unusual days", "unusual_days", whole),
    Column("Net sales", "net_amount", amount),
    Column("Expected", "expected_amount", amount),
    Column("Low", "lower_amount", amount),
    Column("High", "upper_amount", amount),
    Column("Difference", "impact_amount", signed_amount),
    Column("Orders", "orders_ratio", percent),
    Column("Prices", "price_ratio", percent),
    Column("z", "z", decimal),
)


def _daily(daily: pa.Table, incidents: list[Row]) -> Section:
    total = where(daily, dimension="total")
    options: dict[str, tuple[Block, ...]] = {}
    for measure in sorted(distinct(total, "measure"), key=list(_FORMS).index):
        for source in distinct(total, "source_system"):
            rows = ordered(where(total, source_system=source, measure=measure), "sale_date")[-_SHOWN_DAYS:]
            own = [row for row in incidents if row["source_system"] == source]
            if rows:
                options[f"{words(measure)}: {words(source)}"] = _days_of(f"daily-{len(options)}", measure, rows, own)
    if not options:
        return Section("daily", "Days", "There are no days to judge.")
    unusual = where(total, is_unusual=True).num_rows
    judged = total.filter(pc.field("expected_value").is_valid()).num_rows
    finding = f"{whole(unusual)} of {whole(judged)} judged days of whole datasets are beyond their band."
    return Section("daily", "Days", finding, (Choice("Measure", options),))


def _days_of(name: str, measure: str, rows: list[Row], incidents: list[Row]) -> tuple[Block, ...]:
    unusual = [row for row in rows if row["is_unusual"]]
    judged = any(row["expected_value"] is not None for row in rows)
    columns = tuple(Column(title, key, form) for title, key, form in _DAY_COLUMNS)
    title = f"{words(measure).capitalize()} by day, the band that was expected, and incidents (shaded)"
    empty = "No day of these was unusual." if judged else f"No day of these could be judged: {_why(rows)}."
    return (
        Plot(name, title, _drawn_days(measure, rows, incidents)),
        Grid(columns, unusual, "Unusual days", empty=empty),
    )


def _why(rows: list[Row]) -> str:
    reasons: list[str] = [row["verdict"] for row in rows]
    return max(sorted(set(reasons)), key=reasons.count)


def _drawn_days(measure: str, rows: list[Row], incidents: list[Row]) -> Figure:
    dates, form = [row["sale_date"] for row in rows], _FORMS[measure]
    hints = [
        f"{day(row['sale_date'])}: {decimal(row['value'])}\nexpected {decimal(row['expected_value'])}"
        for row in rows
        if row["is_unusual"]
    ]
    odd = [row for row in rows if row["is_unusual"]]
    traces = [
        day_bands(
            dates,
            [row["lower_value"] for row in rows],
            [row["upper_value"] for row in rows],
            "expected band",
            form=form,
        ),
        {
            **line(dates, [row["expected_value"] for row in rows], "expected", color="second", dash="dot", form=form),
            "mode": "lines+markers",
            "marker": {"color": "second", "size": 4},
        },
        line(dates, [row["value"] for row in rows], words(measure), form=form),
        marks([row["sale_date"] for row in odd], [row["value"] for row in odd], hints, "unusual", symbol="x"),
    ]
    # The band of a day may reach many times higher than any day did: the axis shows the days.
    highest = max([float(row["value"] or 0) for row in rows], default=1.0) * 1.15
    shapes = [_shade(row) for row in incidents if row["last_date"] >= dates[0]]
    least = min(0.0, *(float(row["value"] or 0) for row in rows))
    return drawn(traces, 360, xaxis=days(), yaxis=axis(words(measure), range=[least, highest or 1]), shapes=shapes)


def _shade(incident: Row) -> dict[str, Any]:
    def middle(moment: date, hour: str) -> str:
        return f"{moment.isoformat()} {hour}"

    return {
        "type": "rect",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "x0": middle(incident["first_date"], "00:00"),
        "x1": middle(incident["last_date"], "23:59"),
        "fillcolor": "fail",
        "opacity": 0.18,
        "line": {"width": 0},
    }


_DAY_COLUMNS = (
    ("Day", "sale_date", day),
    ("Value", "value", decimal),
    ("Expected", "expected_value", decimal),
    ("Low", "lower_value", decimal),
    ("High", "upper_value", decimal),
    ("z", "z", decimal),
)


def _parts(incidents: list[Row], parts: pa.Table) -> Section:
    blocks: list[Block] = []
    told = 0
    for incident in incidents[:_PARTS_OF]:
        rows = where(parts, incident_id=incident["incident_id"]).to_pylist()
        rows.sort(key=lambda row: (-abs(row["impact_amount"] or 0), row["dimension"], row["segment"]))
        told += bool(rows)
        columns = (
            Column("Dimension", "dimension"),
            Column("Segment", "segment"),
            Column("Net sales", "net_amount", amount),
            Column("Expected", "expected_amount", amount),
            Column("Difference", "impact_amount", signed_amount),
            Column("Unusual by itself", "is_unusual", yes),
        )
        blocks.append(
            Heading(
                f"{_when(incident)}: {incident['kind']} in {_where(incident)}", signed_amount(incident["impact_amount"])
            )
        )
        blocks.append(Grid(columns, rows[:_PARTS], total=len(rows), empty="No segment had orders enough to be judged."))
    finding = (
        f"Segments could be judged in {whole(told)} of the "
        f"{counted(len(incidents[:_PARTS_OF]), 'largest incident', 'largest incidents')}."
    )
    return Section("parts", "What contributed", finding if incidents else "There is no incident.", tuple(blocks))


def _outliers(outliers: pa.Table) -> Section:
    rows = ordered(outliers, "rank", most=_OUTLIERS)
    if not rows:
        return Section("orders", "Odd orders", "No order line is unlike its product.")
    told = [{**row, "line": f"{row['source_file']}, line {row['source_row']}"} for row in rows]
    sums = {reason: where(outliers, reason=reason).num_rows for reason in distinct(outliers, "reason")}
    hints = [f"{reason}: {counted(number, 'line')}" for reason, number in sums.items()]
    first = rows[0]
    return Section(
        "orders",
        "Odd orders",
        f"{counted(outliers.num_rows, 'order line')} unlike {'its' if outliers.num_rows == 1 else 'their'} product; "
        "the "
        f"oddest is order {text(first['order_id'])} with {cents(first['unit_price_amount'])} a piece where "
        f"{cents(first['usual_price_amount'])} is usual.",
        (
            Plot(
                "reasons",
                "Odd order lines by what is odd",
                bar_figure([bars(list(sums), list(sums.values()), hints, color="warn")], "lines"),
            ),
            Grid(_OUTLIER_COLUMNS, told, "The oddest order lines", total=outliers.num_rows),
        ),
    )


_OUTLIER_COLUMNS = (
    Column("Rank", "rank", whole),
    Column("Order", "order_id", unbroken),
    Column("Sold", "sold_at", day),
    Column("Product", "product_id", unbroken),
    Column("Odd in", "reason"),
    Column("Pieces", "quantity", whole),
    Column("Price", "unit_price_amount", cents),
    Column("Usual", "usual_price_amount", cents),
    Column("Difference", "impact_amount", signed_amount),
    Column("Where it stands", "line"),
)
