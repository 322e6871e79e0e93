"""The page of insights: what was found in the newest week and before, with evidence; nothing unusual is an answer."""

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import Figure, axis, bar_figure, bars, drawn, labels, line, plain
from platform_assets.reports.formats import (
    amount,
    counted,
    day,
    decimal,
    fine,
    percent,
    signed_amount,
    text,
    whole,
    words,
    yes,
)
from platform_assets.reports.page import Block, Choice, Code, Column, Grid, Heading, Headline, Page, Plot, Section, Text
from platform_assets.reports.selecting import Row, Tables, distinct, newest, one, ordered, where

_EARLIER = 12
_SEGMENTS = 10
_NO_REPORT = "Nothing can be said: no week is over."
_EFFECTS = {
    "buyers_effect_amount": "buyers",
    "orders_per_buyer_effect_amount": "orders per buyer",
    "units_per_order_effect_amount": "units per order",
    "price_per_unit_effect_amount": "price per unit",
}


def insights_page(tables: Tables) -> Page:
    """The page of insights."""
    reports = ordered(tables["insight_reports"], "-week_date")
    week = reports[0]["week_date"] if reports else None
    found = tables["insights"]
    sections = (
        _newest(reports, ordered(where(found, week_date=week), "rank") if reports else []),
        _earlier(reports, found),
        _decomposition(tables["sales_changes"]),
        _contributions(tables["sales_contributions"]),
        _placebo(tables["insight_placebo"]),
    )
    return Page("insights", sections[0].finding, _headlines(tables, reports), sections)


def _headlines(tables: Tables, reports: list[Row]) -> tuple[Headline, ...]:
    first: Row = reports[0] if reports else {}
    found = tables["insights"].filter(pc.field("week_date") == first["week_date"]) if reports else tables["insights"]
    placebo = one(tables["insight_placebo"]) or {}
    money = sum(abs(value) for value in found["impact_amount"].to_pylist() if value is not None)
    return (
        Headline("Insights of the newest week", first.get("insights"), whole, _week(first) if reports else _NO_REPORT),
        Headline("Money they are about", money if reports else None, amount, "without signs"),
        Headline(
            "Tests",
            first.get("tests"),
            whole,
            f"at most {percent(first.get('false_discovery_rate'))} of findings may be false",
        ),
        Headline(
            "Insights of all weeks", tables["insights"].num_rows, whole, f"in {counted(len(reports), 'weekly report')}"
        ),
        Headline(
            "Reports with a finding where nothing is",
            placebo.get("false_report_rate"),
            percent,
            placebo.get("reason") or f"of {counted(placebo.get('runs') or 0, 'placebo run')}",
        ),
    )


def _week(row: Row) -> str:
    return f"{day(row['week_date'])} to {day(row['week_date'] + timedelta(days=6))}"


def _newest(reports: list[Row], found: list[Row]) -> Section:
    if not reports:
        return Section("newest", "Newest week", _NO_REPORT)
    report = reports[0]
    finding = f"Week of {_week(report)}: {report['reason'] or report['summary']}"
    blocks: list[Block] = [block for insight in found for block in _told(insight)]
    if not found and not report["reason"]:
        blocks.append(Text("Nothing unusual is an answer: what moved is within what chance alone shows."))
    return Section("newest", "Newest week", finding, tuple(blocks))


def _told(row: Row) -> tuple[Block, ...]:
    """A finding with everything that is needed to check it and to act."""
    interval = f"{signed_amount(row['impact_low_amount'])} to {signed_amount(row['impact_high_amount'])}"
    evidence = {
        "Found": f"{words(row['measure'])} {decimal(row['value'])}, expected {decimal(row['expected_value'])}",
        "When": f"{day(row['first_date'])} to {day(row['last_date'])}",
        "Money": f"{signed_amount(row['impact_amount'])} ({interval})",
        "Chance": f"p {fine(row['p'])}, {fine(row['p_adjusted'])} after {counted(row['tests'], 'test')}; "
        f"{counted(row['orders'], 'order')}, against {counted(row['null_size'], 'usual value')}",
        "Confidence": f"{row['confidence']}, {'new' if row['is_new'] else 'known from the week before'}",
        "Evidence": row["evidence"],
        "What to do": row["action"],
        "How to verify": row["verify"],
    }
    rows = [{"what": what, "told": told} for what, told in evidence.items() if told]
    return (
        Heading(f"{row['rank']}. {row['title']}", row["insight_type"]),
        Text(text(row["text"]), quiet=False),
        Grid((Column("", "what"), Column("", "told")), rows),
        Code("SQL that gives the figure again", text(row["sql"])),
    )


def _earlier(reports: list[Row], found: pa.Table) -> Section:
    if not reports:
        return Section("earlier", "Earlier weeks", _NO_REPORT)
    before = ordered(found.filter(pc.field("week_date") < reports[0]["week_date"]), "-week_date", "rank")
    weeks = sum(row["insights"] > 0 for row in reports)
    judged = [row for row in reports if row["reason"] is None]
    counts = line([row["week_date"] for row in reports[::-1]], [row["insights"] for row in reports[::-1]], "insights")
    counts["line"]["shape"] = "hv"
    columns = (
        Column("Week", "week_date", day),
        Column("Finding", "title"),
        Column("Kind", "insight_type"),
        Column("Money", "impact_amount", signed_amount),
        Column("q", "p_adjusted", fine),
        Column("New", "is_new", yes),
    )
    layout = {
        "xaxis": {"type": "date", "nticks": 8},
        "yaxis": axis("insights", ",d", rangemode="tozero", dtick=1),
        "showlegend": False,
    }
    return Section(
        "earlier",
        "Earlier weeks",
        f"{whole(weeks)} of {counted(len(reports), 'weekly report')} contain a finding; "
        f"{whole(len(reports) - len(judged))} could not be made.",
        (
            Plot("weeks", "Insights by week", drawn([counts], 200, **layout)),
            Grid(columns, before, "Earlier findings", empty="There are no earlier findings."),
            *(block for insight in before[:_EARLIER] for block in _folded(insight)),
        ),
    )


def _folded(row: Row) -> tuple[Block, ...]:
    told = [
        *(f"{row['title']} ({_week(row)})", "", text(row["text"]), f"To do: {row['action']}"),
        *(f"To verify: {row['verify']}", "", text(row["sql"])),
    ]
    return (Code(f"{day(row['week_date'])}: {row['title']}", "\n".join(told)),)


def _decomposition(changes: pa.Table) -> Section:
    week = newest(changes, "week_date")
    rows = ordered(where(changes, week_date=week, dimension="total"), "source_system") if week else []
    if not rows:
        return Section("why", "Why sales changed", "No week can be compared with those before it.")
    options: dict[str, tuple[Block, ...]] = {}
    for row in rows:
        steps = [{"effect": name, "amount": row[column]} for column, name in _EFFECTS.items()]
        columns = (Column("Effect of", "effect"), Column("Net sales", "amount", signed_amount))
        title = f"Net sales of the week of {day(week)} against the mean of the {row['baseline_weeks']} weeks before"
        options[words(row["source_system"])] = (
            Plot(f"why-{len(options)}", title, _waterfall(row)),
            Grid(columns, steps, f"The same as figures (exact decomposition: {row['method']})"),
        )
    told = "; ".join(
        f"{words(row['source_system'])} {signed_amount(row['net_after_amount'] - row['net_before_amount'])} (most by "
        f"{_most(row)})"
        for row in rows
    )
    return Section("why", "Why sales changed", f"Week of {day(week)}: {told}.", (Choice("Dataset", options),))


def _most(row: Row) -> str:
    return _EFFECTS[max(_EFFECTS, key=lambda column: abs(row[column] or 0))]


def _waterfall(row: Row) -> Figure:
    steps = [row["net_before_amount"], *(row[column] for column in _EFFECTS), row["net_after_amount"]]
    names = ["before", *_EFFECTS.values(), "this week"]
    hints = [amount(steps[0]), *(signed_amount(step) for step in steps[1:-1]), amount(steps[-1])]
    trace: dict[str, Any] = {
        "type": "waterfall",
        "x": labels(names),
        "y": plain(steps),
        "measure": ["absolute", *("relative" for _ in _EFFECTS), "total"],
        "text": hints,
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{x}: %{text}<extra></extra>",
        "increasing": {"marker": {"color": "pass"}},
        "decreasing": {"marker": {"color": "fail"}},
        "totals": {"marker": {"color": "score"}},
        "connector": {"line": {"color": "muted", "width": 1}},
    }
    return drawn(
        [trace], 320, xaxis={"type": "category"}, yaxis=axis("net sales", rangemode="tozero"), showlegend=False
    )


def _contributions(contributions: pa.Table) -> Section:
    week = newest(contributions, "week_date")
    if week is None:
        return Section("segments", "Segments", "No segment can be compared with the weeks before.")
    now = where(contributions, week_date=week)
    options: dict[str, tuple[Block, ...]] = {}
    most: Row | None = None
    for source in distinct(now, "source_system"):
        for dimension in distinct(where(now, source_system=source), "dimension"):
            rows = where(now, source_system=source, dimension=dimension).to_pylist()
            rows.sort(key=lambda row: (-abs(row["unexpected_amount"] or 0), row["segment"]))
            most = max([most, rows[0]], key=lambda row: abs(row["unexpected_amount"] or 0)) if most else rows[0]
            options[f"{words(source)} by {words(dimension)}"] = _segments(f"segments-{len(options)}", rows)
    finding = (
        f"{most['segment']} ({words(most['source_system'])}) moved most unlike the whole: "
        f"{signed_amount(most['unexpected_amount'])}."
        if most
        else ""
    )
    return Section("segments", "Segments", finding, (Choice("Segments of", options),))


def _segments(name: str, rows: list[Row]) -> tuple[Block, ...]:
    shown = rows[:_SEGMENTS]
    parts = {
        "volume_effect_amount": ("volume", "score"),
        "mix_effect_amount": ("mix", "second"),
        "rate_effect_amount": ("rate", "warn"),
    }
    drawings = [
        bars(
            [row["segment"] for row in shown],
            [row[column] for row in shown],
            [f"{row['segment']}\n{title} {signed_amount(row[column])}" for row in shown],
            name=title,
            color=color,
        )
        for column, (title, color) in parts.items()
    ]
    columns = (
        Column("Segment", "segment"),
        Column("Before", "net_before_amount", amount),
        Column("This week", "net_after_amount", amount),
        Column("More than the whole would give", "unexpected_amount", signed_amount),
        Column("Volume", "volume_effect_amount", signed_amount),
        Column("Mix", "mix_effect_amount", signed_amount),
        Column("Rate", "rate_effect_amount", signed_amount),
    )
    figure = bar_figure(drawings, "net sales, difference", barmode="relative")
    return (Plot(name, "What the change of each segment is made of", figure), Grid(columns, shown, total=len(rows)))


def _placebo(placebo: pa.Table) -> Section:
    rows = ordered(placebo, "-week_date")
    if not rows or rows[0]["runs"] in (None, 0):
        why = rows[0]["reason"] if rows else "no week is over"
        return Section("placebo", "Self-test", f"The self-test could not be made: {why}.")
    row = rows[0]
    columns = (
        Column("Week", "week_date", day),
        Column("Placebo runs", "runs", whole),
        Column("with a finding", "runs_with_findings", whole),
        Column("Share", "false_report_rate", percent),
        Column("Findings", "findings", whole),
        Column("Seed", "seed"),
    )
    return Section(
        "placebo",
        "Self-test",
        f"With the weeks in a random order, {whole(row['runs_with_findings'])} of "
        f"{counted(row['runs'], 'report')} contained a finding ({percent(row['false_report_rate'])}).",
        (Grid(columns, rows),),
    )
