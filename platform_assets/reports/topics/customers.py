"""The page of customers: segments, who moved, what they are worth, who may leave, and what to do.

Belongs here: the page's headlines and the parts on segments. Does not belong here: value and retention
(``customer_value``).
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import bar_figure, bars, heat, heat_figure
from platform_assets.reports.formats import amount, counted, day, decimal, listed, percent, text, whole
from platform_assets.reports.page import Column, Grid, Headline, Page, Plot, Section, Text
from platform_assets.reports.selecting import Row, Tables, added, distinct, one, ordered, share
from platform_assets.reports.topics.customer_value import churn_section, retention_section, value_section
from platform_assets.reports.topics.value_models import models_section

_LIKELY = 0.5
_SCORES = (5, 4, 3, 2, 1)
_NOT_KNOWN = "(not known)"
_PROSPECTS = "Prospects"
_WINDOW = (
    "Revenue, and days with an order, are those of the last days that scores look back over (rfm.window_days in "
    "config.yaml: the window); days since the last order are of all time."
)
_NO_ORDERS = "No known customer has ordered in this currency"
_NOBODY = "There are no customers: no sale names one."


def customers_page(tables: Tables) -> Page:
    """The page of customers. In ``customer_360`` they are named by ``customer_pseudonym``."""
    everyone = tables["customer_360"]
    sections = (
        _segments(tables["rfm_segments"]),
        _grid(everyone),
        _migration(tables["rfm_migration"], tables["rfm_stability"]),
        value_section(everyone, tables["lifetime_totals"]),
        models_section(tables["lifetime_models"], tables["lifetime_groups"]),
        churn_section(tables["churn_evaluation"], tables["churn_calibration"]),
        retention_section(everyone, tables["retention_measurement"]),
    )
    return Page("customers", _finding(everyone, sections), _headlines(everyone), sections)


def _finding(everyone: pa.Table, sections: tuple[Section, ...]) -> str:
    return sections[0].finding if everyone.num_rows else _NOBODY


def _headlines(everyone: pa.Table) -> tuple[Headline, ...]:
    currency = " or ".join(distinct(everyone, "currency"))
    buyers = everyone.filter(pc.field("orders") > 0)
    at_risk = everyone.filter(pc.field("churn_rate") >= _LIKELY)
    horizon, watched = (pc.max(everyone[name]).as_py() for name in ("value_horizon_days", "churn_horizon_days"))
    why = None if everyone["value_amount"].null_count < everyone.num_rows else _reason(everyone, "value_reason")
    money = f" ({currency})" if currency else ""
    return (
        Headline("Customers", everyone.num_rows, whole, f"{whole(buyers.num_rows)} with an order"),
        Headline(
            f"Net revenue{money}", added(everyone, "net_revenue_amount"), amount, "from known customers, all time"
        ),
        Headline(
            f"Expected value{money}",
            added(everyone, "value_amount"),
            amount,
            why or f"within {whole(horizon)} days, discounted; of {listed(distinct(everyone, 'value_basis'))}",
        ),
        Headline(
            "Customers at risk",
            at_risk.num_rows if everyone["churn_rate"].null_count < everyone.num_rows else None,
            whole,
            f"more likely than not to buy nothing within {whole(watched)} days"
            if watched
            else _reason(everyone, "churn_reason"),
        ),
        Headline(
            f"Value at stake{money}", added(everyone, "value_at_stake_amount"), amount, "churn probability times value"
        ),
    )


def _reason(everyone: pa.Table, column: str) -> str:
    return next(iter(distinct(everyone, column)), "nobody could be judged")


def _segments(segments: pa.Table) -> Section:
    rows = ordered(segments, "-revenue_amount", "segment")
    buying = [row for row in rows if row["customers"] and row["segment"] != _PROSPECTS]
    if not buying:
        known = sum(row["customers"] for row in rows)
        return Section("segments", "Segments", f"{_NO_ORDERS}: {counted(known, 'prospect')}." if known else _NOBODY)
    names = [row["segment"] for row in buying]
    hints = [
        f"{row['segment']}\n{counted(row['customers'], 'customer')} ({percent(row['customer_share'])})\n"
        f"revenue in the window {amount(row['revenue_amount'])} ({percent(row['revenue_share'])})"
        for row in buying
    ]
    shares = [
        bars(names, [row["customer_share"] for row in buying], hints, name="of customers", color="muted"),
        bars(names, [row["revenue_share"] for row in buying], hints, name="of revenue"),
    ]
    return Section(
        "segments",
        "Segments",
        f"{names[0]} are {percent(buying[0]['customer_share'])} of customers with orders and {_brought(buying[0])}.",
        (
            Plot(
                "segments",
                "Share of customers and of revenue by RFM segment",
                bar_figure(shares[::-1], "share", tickformat=",.0%"),
            ),
            Grid(_SEGMENT_COLUMNS, rows, "RFM segments"),
            Text(_WINDOW),
        ),
    )


def _brought(segment: Row) -> str:
    if segment["revenue_share"] is None:
        return "brought no revenue lately"
    return f"brought {percent(segment['revenue_share'])} of their revenue lately"


_SEGMENT_COLUMNS = (
    Column("Segment", "segment"),
    Column("Customers", "customers", whole),
    Column("of all", "customer_share", percent),
    Column("Revenue in the window", "revenue_amount", amount),
    Column("of all", "revenue_share", percent),
    Column("Days since last order", "avg_days_since_last", whole),
    Column("Days with an order in the window, each", "avg_frequency", decimal),
    Column("Revenue in the window, each", "avg_monetary_amount", amount),
)


def _grid(everyone: pa.Table) -> Section:
    scored = everyone.filter(pc.field("recency_score").is_valid() & pc.field("frequency_score").is_valid())
    if not scored.num_rows:
        return Section("grid", "RFM grid", "Nobody has scores: that takes orders.")
    cells = {
        (row["recency_score"], row["frequency_score"]): row
        for row in scored.group_by(["recency_score", "frequency_score"])
        .aggregate([("customer_pseudonym", "count"), ("net_revenue_amount", "sum")])
        .to_pylist()
    }
    counts = [[_cell(cells, recency, frequency) for frequency in _SCORES[::-1]] for recency in _SCORES]
    hints = [[_hint(cells, recency, frequency) for frequency in _SCORES[::-1]] for recency in _SCORES]
    shown = [[whole(value) if value else "" for value in row] for row in counts]
    best = sum(_cell(cells, recency, frequency) for recency in (4, 5) for frequency in (4, 5))
    figure = heat_figure(
        heat([f"F{score}" for score in _SCORES[::-1]], [f"R{score}" for score in _SCORES], counts, shown, hints),
        "frequency score (5: most orders)",
        "recency score (5: newest)",
        row_height=44,
    )
    return Section(
        "grid",
        "RFM grid",
        f"{counted(best, 'customer')} of {whole(scored.num_rows)} bought lately and often (both scores 4 or 5).",
        (Plot("grid", "Customers by recency and frequency score", figure), _grid_table(cells)),
    )


def _grid_table(cells: dict[tuple[int, int], Row]) -> Grid:
    columns = (Column("Recency", "score"), *(Column(f"F{score}", f"f{score}", whole) for score in _SCORES[::-1]))
    rows: list[Row] = [
        {"score": f"R{recency}", **{f"f{frequency}": _cell(cells, recency, frequency) for frequency in _SCORES}}
        for recency in _SCORES
    ]
    return Grid(columns, rows, "Customers by recency and frequency score, as figures", folded=True)


def _cell(cells: dict[tuple[int, int], Row], recency: int, frequency: int) -> int:
    return int(cells.get((recency, frequency), {}).get("customer_pseudonym_count", 0))


def _hint(cells: dict[tuple[int, int], Row], recency: int, frequency: int) -> str:
    found = cells.get((recency, frequency))
    if not found:
        return f"R{recency} F{frequency}: nobody"
    customers = counted(found["customer_pseudonym_count"], "customer")
    return f"R{recency} F{frequency}\n{customers}\nrevenue of all time {amount(found['net_revenue_amount_sum'])}"


def _migration(moves: pa.Table, stability: pa.Table) -> Section:
    rows = ordered(moves, "-customers", "from_segment", "to_segment")
    before = next((row["before_date"] for row in rows if row["before_date"]), None)
    if before is None:
        return Section(
            "migration", "Migration", "Nothing to compare with: no run before this has segments of the same sales."
        )
    known = [row for row in rows if _NOT_KNOWN not in (row["from_segment"], row["to_segment"])]
    moved = sum(row["customers"] for row in known if row["from_segment"] != row["to_segment"])
    everyone = sum(row["customers"] for row in known)
    shifted = one(stability, measure="segment") or {}
    return Section(
        "migration",
        "Migration",
        f"{whole(moved)} of {counted(everyone, 'customer')} ({percent(share(moved, everyone))}) "
        f"changed their segment since the run of {day(before)}.",
        (
            Plot("migration", "From which segment to which", _moves(rows)),
            Text(
                f"Stability of the shares of segments: {text(shifted.get('verdict'))}, population stability index "
                f"{decimal(shifted.get('stability_index'))}. {shifted.get('reason') or ''}"
            ),
            Grid(_MOVE_COLUMNS, rows, "Moves between segments", folded=True),
        ),
    )


def _moves(rows: list[Row]) -> dict[str, Any]:
    cells = {(row["from_segment"], row["to_segment"]): row["customers"] for row in rows}
    come_from, went_to = (sorted({row[side] for row in rows}) for side in ("from_segment", "to_segment"))
    counts = [[cells.get((here, there), 0) for there in went_to] for here in come_from]
    shown = [[whole(value) if value else "" for value in row] for row in counts]
    hints = [
        [f"{here} → {there}\n{counted(cells.get((here, there), 0), 'customer')}" for there in went_to]
        for here in come_from
    ]
    return heat_figure(heat(went_to, come_from, counts, shown, hints), "to", "from")


_MOVE_COLUMNS = (
    Column("From", "from_segment"),
    Column("To", "to_segment"),
    Column("Direction", "move"),
    Column("Customers", "customers", whole),
    Column("of those there", "from_rate", percent),
    Column("Revenue before", "before_amount", amount),
    Column("Revenue after", "after_amount", amount),
)
