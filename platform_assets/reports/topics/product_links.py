"""Trends of categories, what is bought together, and what took over from what is gone, on the page of products."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import Figure, axis, drawn, labels, marks, plain
from platform_assets.reports.formats import (
    amount,
    counted,
    day,
    decimal,
    fine,
    percent,
    signed_percent,
    text,
    unbroken,
    whole,
    words,
    yes,
)
from platform_assets.reports.page import Block, Column, Grid, Plot, Section, Text
from platform_assets.reports.selecting import Row, ordered, where

_PAIRS, _DRAWN_PAIRS = 20, 300
_GONE = 25


def trends_section(trends: pa.Table, changes: pa.Table) -> Section:
    """Which categories grow, and when their level changed."""
    rows = ordered(trends, "-growth_per_year_rate", "source_system", "category", "currency")
    known = [row for row in rows if row["growth_per_year_rate"] is not None]
    if not known:
        return Section("trends", "Categories", "No trend can be given.", (_trend_table(rows),))
    sure = [row for row in known if row["low_rate"] > 0 or row["high_rate"] < 0]
    shifts = where(changes, is_significant=True)
    return Section(
        "trends",
        "Categories",
        f"{_growing(sure, len(known))} {counted(shifts.num_rows, 'lasting change')} of level.",
        (
            Plot("trends", "Growth of weekly sales in a year, with its interval", _growth(known)),
            _trend_table(rows),
            Grid(
                _CHANGE_COLUMNS,
                ordered(changes, "-change_date", "source_system", "category"),
                "Weeks in which a category changed its level",
                empty="No category changed its level for good.",
            ),
        ),
    )


def _growing(sure: list[Row], known: int) -> str:
    if not sure:
        return f"None of {counted(known, 'category', 'categories')} certainly grows or shrinks."
    most = max(sure, key=lambda row: abs(row["growth_per_year_rate"]))
    return (
        f"{whole(len(sure))} of {counted(known, 'category', 'categories')} certainly "
        f"{'grows' if len(sure) == 1 else 'grow'} "
        f"or {'shrinks' if len(sure) == 1 else 'shrink'}, {_place(most)} most "
        f"({signed_percent(most['growth_per_year_rate'])} "
        "a year)."
    )


def _growth(rows: list[Row]) -> Figure:
    upwards = rows[::-1]
    hints = [
        f"{_place(row)}\n{signed_percent(row['growth_per_year_rate'])} a year\n({signed_percent(row['low_rate'])} "
        f"to {signed_percent(row['high_rate'])})"
        for row in upwards
    ]
    rates = [row["growth_per_year_rate"] for row in upwards]
    points = marks(rates, labels([_place(row) for row in upwards]), hints, "growth", color="score")
    points["error_x"] = {
        "type": "data",
        "symmetric": False,
        "array": plain([row["high_rate"] - row["growth_per_year_rate"] for row in upwards]),
        "arrayminus": plain([row["growth_per_year_rate"] - row["low_rate"] for row in upwards]),
        "color": "score",
    }
    across = axis("growth in a year", ",.0%", rangemode="tozero", zeroline=True)
    return drawn([points], 110 + 30 * len(rows), xaxis=across, yaxis={"type": "category"}, showlegend=False)


def _place(row: Row) -> str:
    return f"{row['category']} ({words(row['source_system'])})"


def _trend_table(rows: list[Row]) -> Grid:
    columns = (
        Column("Dataset", "source_system", words),
        Column("Category", "category"),
        Column("Currency", "currency"),
        Column("From", "first_week_date", day),
        Column("To", "last_week_date", day),
        Column("Growth a year", "growth_per_year_rate", signed_percent),
        Column("Low", "low_rate", signed_percent),
        Column("High", "high_rate", signed_percent),
        Column("p", "p_value", fine),
        Column("Why there is none", "reason", is_optional=True),
    )
    return Grid(columns, rows, "Trends of categories", empty="No sale has a category.")


_CHANGE_COLUMNS = (
    Column("Week", "change_date", day),
    Column("Dataset", "source_system", words),
    Column("Category", "category"),
    Column("Currency", "currency"),
    Column("Change", "change_rate", signed_percent),
    Column("Low", "low_rate", signed_percent),
    Column("High", "high_rate", signed_percent),
    Column("A week before", "before_amount", amount),
    Column("A week after", "after_amount", amount),
    Column("Against the others", "is_against_others", yes),
    Column("q", "q_value", fine),
    Column("Significant", "is_significant", yes),
)


def affinity_section(products: pa.Table, categories: pa.Table, named: Mapping[str, str]) -> Section:
    """Which products and categories are in one order more often than by chance."""
    sure = where(products, is_significant=True).num_rows
    tested = _named(ordered(products, "-is_significant", "-lift", "item_a", "item_b", most=_DRAWN_PAIRS), named)
    blocks: list[Block] = (
        [Plot("affinity", "Lift by share of orders (blue: significant)", _lifts(tested))] if tested else []
    )
    blocks += [
        Grid(_PAIR_COLUMNS, tested[:_PAIRS], "Pairs of products, the significant first", total=products.num_rows),
        Grid(
            _PAIR_COLUMNS,
            _named(ordered(categories, "-lift", "item_a", "item_b", most=_PAIRS), {}),
            "Pairs of categories",
            total=categories.num_rows,
            empty="No order holds two categories.",
        ),
        Text(
            "Lift: how often both are in one order, against how often they would be by chance alone. "
            "q: share of such findings that may be false."
        ),
    ]
    return Section("affinity", "Bought together", _together(sure, tested, products.num_rows), tuple(blocks))


def _together(sure: int, tested: list[Row], total: int) -> str:
    if not sure:
        return f"No pair of products is bought together more often than chance explains ({whole(total)} tested)."
    best = tested[0]
    return (
        f"{counted(sure, 'pair')} of products {'is' if sure == 1 else 'are'} bought together more often than chance "
        f"explains; most of all {best['name_a']} and {best['name_b']} ({decimal(best['lift'])} times)."
    )


def _named(rows: list[Row], named: Mapping[str, str]) -> list[Row]:
    return [
        {**row, **{f"name_{side}": named.get(row[f"item_{side}"]) or row[f"item_{side}"] for side in "ab"}}
        for row in rows
    ]


def _lifts(rows: list[Row]) -> Figure:
    hints = [
        f"{row['name_a']}\nand {row['name_b']}\nlift {decimal(row['lift'])}, in {counted(row['baskets_both'], 'order')}"
        for row in rows
    ]
    colors = ["score" if row["is_significant"] else "muted" for row in rows]
    points = marks([row["support_rate"] for row in rows], [row["lift"] for row in rows], hints, "pair", color=colors)
    across = axis("share of orders with both", ",.2%", rangemode="tozero")
    return drawn([points], 280, xaxis=across, yaxis=axis("lift", ",.1f", rangemode="tozero"), showlegend=False)


_PAIR_COLUMNS = (
    Column("One", "name_a"),
    Column("Other", "name_b"),
    Column("Orders with both", "baskets_both", whole),
    Column("Expected", "expected_baskets", decimal),
    Column("Support", "support_rate", percent),
    Column("One → other", "confidence_a_to_b_rate", percent),
    Column("Other → one", "confidence_b_to_a_rate", percent),
    Column("Lift", "lift", decimal),
    Column("q", "q_value", fine),
    Column("Significant", "is_significant", yes),
)


def gone_section(gone: pa.Table, substitutes: pa.Table, named: Mapping[str, str]) -> Section:
    """What is not sold any more, and what is bought in its place."""
    rows = [
        {**row, "name": named.get(row["product_id"]) or row["product_id"]}
        for row in ordered(gone, "-expected_orders", "product_id")
    ]
    taken = where(substitutes, is_substitute=True)
    if not rows:
        return Section("gone", "Gone products", "No product is silent for longer than chance explains.")
    candidates = [
        {
            **row,
            "name": named.get(row["product_id"]) or row["product_id"],
            "successor": text(named.get(row["successor_id"]) or row["successor_id"]),
        }
        for row in ordered(
            substitutes.filter(pc.field("is_substitute").is_valid()), "-is_substitute", "q_value", "product_id"
        )
    ]
    return Section(
        "gone",
        "Gone products",
        f"{counted(len(rows), 'product')} {'has' if len(rows) == 1 else 'have'} gone silent; for "
        f"{whole(len(taken['product_id'].unique()))} of them another one sells more since.",
        (
            Grid(_GONE_COLUMNS, rows[:_GONE], "Gone products, most missed first", total=len(rows)),
            Grid(
                _SUBSTITUTE_COLUMNS,
                candidates[:_GONE],
                "What may have taken over",
                total=len(candidates),
                empty="Nothing could be judged as a successor.",
            ),
        ),
    )


_GONE_COLUMNS = (
    Column("Product", "name"),
    Column("Id", "product_id", unbroken),
    Column("Last sale", "last_sale_date", day),
    Column("Silent days", "silent_days", whole),
    Column("Orders", "orders", whole),
    Column("Orders expected since", "expected_orders", decimal),
    Column("p", "p_value", fine),
)
_SUBSTITUTE_COLUMNS = (
    Column("Gone", "name"),
    Column("Successor", "successor"),
    Column("Took over", "is_substitute", yes),
    Column("Orders lost", "lost_orders", whole),
    Column("Orders gained", "gained_orders", decimal),
    Column("of the lost", "taken_over_rate", percent),
    Column("q", "q_value", fine),
    Column("Why not", "reason", is_optional=True),
)
