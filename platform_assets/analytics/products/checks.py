"""What must hold of the results on products, judged from the tables alone.

Belongs here: identities, ranges and coverage. Does not belong here: how a failure is shown.

Every function gives the rows that break what it is named after, in words.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_NEARLY = 1e-9
_RATES = {
    "product_performance": ("revenue_rate", "cumulative_rate"),
    "product_affinity": ("support_rate", "confidence_a_to_b_rate", "confidence_b_to_a_rate", "p_value", "q_value"),
    "category_affinity": ("support_rate", "confidence_a_to_b_rate", "confidence_b_to_a_rate", "p_value", "q_value"),
    "category_trends": ("p_value",),
    "category_changes": ("p_value", "q_value"),
    "gone_products": ("p_value",),
    "substitutes": ("p_value", "q_value"),
}
"""Columns that are shares or probabilities, by table; rates of sales may leave 0 to 1 where much came back."""


def sales_that_do_not_add_up(performance: pa.Table) -> list[str]:
    """Products whose net sales are not the gross sales less discounts less returns."""
    return [
        f"{row['product_id']} ({row['currency']})"
        for row in performance.to_pylist()
        if row["net_sales_amount"] != row["gross_sales_amount"] - row["discounts_amount"] - row["returns_amount"]
    ]


def shares_that_do_not_close(performance: pa.Table) -> list[str]:
    """Currencies whose products' shares of revenue are not 1 together, or whose classes are out of order."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in performance.to_pylist():
        if row["revenue_rate"] is not None:
            groups[row["currency"]].append(row)
    found = []
    for money, rows in groups.items():
        if abs(sum(row["revenue_rate"] for row in rows) - 1) > _NEARLY:
            found.append(f"{money}: shares of revenue are {sum(row['revenue_rate'] for row in rows)} together")
        ordered = sorted(rows, key=lambda row: (-row["net_sales_amount"], row["product_id"]))
        classes = [row["abc_class"] for row in ordered]
        if classes != sorted(classes):
            found.append(f"{money}: a class with less revenue comes before one with more")
    return found


def rates_out_of_range(tables: Mapping[str, pa.Table]) -> list[str]:
    """Shares and probabilities that are not between 0 and 1."""
    return [
        f"{table}.{column} = {value}"
        for table, columns in _RATES.items()
        for column in columns
        for value in tables[table][column].to_pylist()
        if value is not None and not -_NEARLY <= value <= 1 + _NEARLY
    ]


def silent_nulls(tables: Mapping[str, pa.Table]) -> list[str]:
    """Rows without a figure and without the reason, or with both."""
    told = (
        ("product_performance", "margin_rate", "margin_reason"),
        ("product_performance", "growth_rate", "growth_reason"),
        ("category_trends", "growth_per_year_rate", "reason"),
    )
    return [
        f"{table}: {next(iter(row.values()))} has {column} {row[column]} and the reason {row[reason]}"
        for table, column, reason in told
        for row in tables[table].to_pylist()
        if (row[column] is None) != bool(row[reason])
    ]


def pairs_that_cannot_be(pairs: pa.Table) -> list[str]:
    """Pairs in more orders than one of their items, of items out of order, or whose lift is not as counted."""
    return [f"{row['item_a']} and {row['item_b']}" for row in pairs.to_pylist() if not _is_possible(row)]


def _is_possible(row: Mapping[str, Any]) -> bool:
    both, first, second, every = (row[f"baskets{name}"] for name in ("_both", "_a", "_b", ""))
    if not (row["item_a"] < row["item_b"] and 0 < both <= min(first, second) and max(first, second) <= every):
        return False
    return bool(abs(row["lift"] * row["expected_baskets"] - both) <= _NEARLY * both)


def changes_that_are_none(changes: pa.Table) -> list[str]:
    """Price changes to the same price, or whose rate is not the one of their prices."""
    return [
        f"{row['product_id']} on {row['changed_date']}"
        for row in changes.to_pylist()
        if row["after_amount"] == row["before_amount"] or not _is_rate(row)
    ]


def _is_rate(row: Mapping[str, Any]) -> bool:
    if not row["before_amount"]:
        return row["change_rate"] is None
    return bool(abs(row["change_rate"] - float(row["after_amount"] / row["before_amount"] - 1)) <= _NEARLY)


def successors_of_nothing(gone: pa.Table, substitutes: pa.Table) -> list[str]:
    """Products that are gone and were not looked into, and substitutes of products that are not gone."""
    names, told = (set(table["product_id"].to_pylist()) for table in (gone, substitutes))
    itself = [r["product_id"] for r in substitutes.to_pylist() if r["product_id"] == r["successor_id"]]
    return sorted({*(names ^ told), *itself})


def covered_rate(performance: pa.Table, column: str) -> float | None:
    """Share of products whose value is known; none without products."""
    values = performance[column].to_pylist()
    return sum(value is not None for value in values) / len(values) if values else None
