"""The page of products: what sells, what changed its price, what is bought together, what is gone.

Belongs here: the page's headlines, sales and prices. Does not belong here: pairs, trends and successors
(``product_links``).
"""

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import Figure, axis, bar_figure, bars, drawn, line, marks
from platform_assets.reports.formats import (
    amount,
    cents,
    counted,
    day,
    listed,
    percent,
    signed_percent,
    text,
    unbroken,
    whole,
    yes,
)
from platform_assets.reports.page import Block, Choice, Column, Grid, Headline, Page, Plot, Section
from platform_assets.reports.selecting import Row, Tables, added, distinct, ordered, share, where
from platform_assets.reports.topics.product_links import affinity_section, gone_section, trends_section

_TOP = 15
_CHANGES = 25
_CURVE = 200
_NOTHING_SOLD = "No product was sold."


def products_page(tables: Tables) -> Page:
    """The page of products."""
    products = tables["product_performance"]
    named = dict(zip(products["product_id"].to_pylist(), products["product_name"].to_pylist(), strict=True))
    sections = (
        _pareto(products),
        _top(products),
        _prices(tables["price_changes"], named),
        trends_section(tables["category_trends"], tables["category_changes"]),
        affinity_section(tables["product_affinity"], tables["category_affinity"], named),
        gone_section(tables["gone_products"], tables["substitutes"], named),
    )
    return Page("products", sections[0].finding, _headlines(tables), sections)


def _headlines(tables: Tables) -> tuple[Headline, ...]:
    products = tables["product_performance"]
    pairs = where(tables["product_affinity"], is_significant=True)
    sold, given = added(products, "gross_sales_amount"), added(products, "discounts_amount")
    back, known = added(products, "returns_amount"), added(products, "net_sales_with_profit_amount")
    currencies = distinct(products, "currency")
    single = len(currencies) == 1
    several = "" if single else f"by currency ({listed(currencies)}): see below" if currencies else _NOTHING_SOLD
    return (
        Headline("Products sold", len(products["product_id"].unique()), whole),
        Headline(
            f"Net sales ({currencies[0]})" if single else "Net sales",
            added(products, "net_sales_amount") if single else None,
            amount,
            several or "all time",
        ),
        Headline(
            "Margin",
            share(added(products, "profit_amount"), known) if single else None,
            percent,
            several or "of net sales whose profit is known",
        ),
        Headline("Discounts", share(given, sold) if single else None, percent, several or "of gross sales"),
        Headline("Returns", share(back, sold) if single else None, percent, several or "of gross sales"),
        Headline("Prices changed", tables["price_changes"].num_rows, whole, "changes found"),
        Headline("Pairs bought together", pairs.num_rows, whole, "more often than chance explains"),
        Headline("Products gone", tables["gone_products"].num_rows, whole, "silent for longer than chance explains"),
    )


def _pareto(products: pa.Table) -> Section:
    options: dict[str, tuple[Block, ...]] = {}
    findings = []
    for currency in distinct(products, "currency"):
        rows = ordered(where(products, currency=currency), "-net_sales_amount", "product_id")
        first = sum(row["abc_class"] == "A" for row in rows)
        part = share(sum(row["revenue_rate"] or 0 for row in rows if row["abc_class"] == "A"), 1)
        findings.append(
            f"{whole(first)} of {counted(len(rows), 'product')} (class A) bring {percent(part)} of net sales in "
            f"{currency}."
        )
        options[currency] = (
            Plot(f"pareto-{len(options)}", "Share of net sales by share of products, best first", _curve(rows)),
            Grid(_CLASS_COLUMNS, _classes(rows), "ABC classes"),
        )
    if not options:
        return Section("abc", "ABC", _NOTHING_SOLD)
    return Section("abc", "ABC", " ".join(findings), _by_choice("Currency", options))


def _by_choice(label: str, options: dict[str, tuple[Block, ...]]) -> tuple[Block, ...]:
    return next(iter(options.values())) if len(options) == 1 else (Choice(label, options),)


def _curve(rows: list[Row]) -> Figure:
    step = max(1, len(rows) // _CURVE)
    shown = [(place + 1, row) for place, row in enumerate(rows) if place % step == 0 or place == len(rows) - 1]
    across = [place / len(rows) for place, _ in shown]
    curve = line(across, [row["cumulative_rate"] for _, row in shown], "of net sales", form=".1%")
    colors = {"A": "pass", "B": "warn", "C": "muted"}
    ends = [
        (place, row)
        for place, row in enumerate(rows, start=1)
        if place == len(rows) or rows[place]["abc_class"] != row["abc_class"]
    ]
    hints = [
        f"class {row['abc_class']} ends\nafter {counted(place, 'product')}\n{percent(row['cumulative_rate'])} of net "
        "sales"
        for place, row in ends
    ]
    classes = marks(
        [place / len(rows) for place, _ in ends],
        [row["cumulative_rate"] for _, row in ends],
        hints,
        "end of a class",
        color=[colors.get(row["abc_class"], "muted") for _, row in ends],
    )
    return drawn(
        [curve, classes],
        300,
        xaxis=axis("share of products", ",.0%", rangemode="tozero"),
        yaxis=axis("share of net sales", ",.0%", rangemode="tozero"),
    )


def _classes(rows: list[Row]) -> list[Row]:
    sums = []
    for name in sorted({row["abc_class"] for row in rows}):
        members = [row for row in rows if row["abc_class"] == name]
        sold = sum(row["net_sales_amount"] for row in members)
        part = sum(row["revenue_rate"] or 0 for row in members)
        sums.append(
            {"class": name, "products": len(members), "rate": len(members) / len(rows), "sales": sold, "part": part}
        )
    return sums


_CLASS_COLUMNS = (
    Column("Class", "class"),
    Column("Products", "products", whole),
    Column("of all", "rate", percent),
    Column("Net sales", "sales", amount),
    Column("of all", "part", percent),
)


def _top(products: pa.Table) -> Section:
    if not products.num_rows:
        return Section("top", "Top products", _NOTHING_SOLD)
    options: dict[str, tuple[Block, ...]] = {}
    for currency in distinct(products, "currency"):
        sold = where(products, currency=currency)
        profitable = sold.filter(pc.field("profit_amount").is_valid())
        for title, rows, column, color in (
            (f"by net sales ({currency})", sold, "net_sales_amount", "score"),
            (f"by margin ({currency})", profitable, "profit_amount", "pass"),
        ):
            best = ordered(rows, f"-{column}", "product_id", most=_TOP)
            if best:
                options[title] = _ranked(f"top-{len(options)}", best, column, color, rows.num_rows)
    best = ordered(products, "-net_sales_amount", "product_id", most=1)
    finding = f"{_name(best[0])} sells best: {amount(best[0]['net_sales_amount'])} {best[0]['currency']} of net sales."
    return Section("top", "Top products", finding, (Choice("Best", options),))


def _ranked(name: str, rows: list[Row], column: str, color: str, total: int) -> tuple[Block, ...]:
    hints = [f"{_name(row)}\n{row['product_id']}\n{amount(row[column])} {row['currency']}" for row in rows]
    drawing = bars([_name(row) for row in rows], [row[column] for row in rows], hints, color=color)
    title = "Net sales" if column == "net_sales_amount" else "Profit"
    named = [{**row, "name": _name(row)} for row in rows]
    return (
        Plot(name, f"{title} of the best products", bar_figure([drawing], rows[0]["currency"])),
        Grid(_PRODUCT_COLUMNS, named, f"The best products by {title.lower()}", total=total),
    )


def _name(row: Row) -> str:
    return text(row["product_name"] or row["product_id"])


_PRODUCT_COLUMNS = (
    Column("Product", "name"),
    Column("Id", "product_id", unbroken),
    Column("Category", "category"),
    Column("Class", "abc_class"),
    Column("Units", "units_sold", whole),
    Column("Net sales", "net_sales_amount", amount),
    Column("Growth", "growth_rate", signed_percent),
    Column("Profit", "profit_amount", amount),
    Column("Margin", "margin_rate", percent),
    Column("Discounts", "discount_rate", percent),
    Column("Returns", "return_rate", percent),
)


def _prices(changes: pa.Table, named: dict[str, str]) -> Section:
    rows = [
        {**row, "name": named.get(row["product_id"]) or row["product_id"]}
        for row in ordered(changes, "-changed_date", "product_id")
    ]
    if not rows:
        return Section("prices", "Prices", "No price changed.")
    up = sum((row["change_rate"] or 0) > 0 for row in rows)
    hints = [
        f"{row['name']}\n{day(row['changed_date'])}: {cents(row['before_amount'])} → {cents(row['after_amount'])}\n"
        f"{signed_percent(row['change_rate'])} by {row['source']}"
        for row in rows
    ]
    colors = ["fail" if (row["change_rate"] or 0) < 0 else "pass" for row in rows]
    points = marks(
        [row["changed_date"] for row in rows], [row["change_rate"] for row in rows], hints, "price change", color=colors
    )
    layout = {"xaxis": {"type": "date", "nticks": 8}, "yaxis": axis("change of price", ",.0%"), "showlegend": False}
    return Section(
        "prices",
        "Prices",
        f"{counted(len(rows), 'price change')} found: {whole(up)} up and {whole(len(rows) - up)} down; "
        f"the newest on {day(rows[0]['changed_date'])}.",
        (
            Plot("prices", "Price changes by day and size (green: up, red: down)", drawn([points], 280, **layout)),
            Grid(_PRICE_COLUMNS, rows[:_CHANGES], "The newest price changes", total=len(rows)),
        ),
    )


_PRICE_COLUMNS = (
    Column("Changed", "changed_date", day),
    Column("Product", "name"),
    Column("Id", "product_id", unbroken),
    Column("Seen in", "source"),
    Column("Currency", "currency"),
    Column("Before", "before_amount", cents),
    Column("After", "after_amount", cents),
    Column("Change", "change_rate", signed_percent),
    Column("Temporary", "is_temporary", yes),
)
