"""What sale lines are added up to before figures are made of them: orders, customers, products of a period and cut.

Belongs here: the grouped steps between ``placed`` and the sums, see ``sql``. Does not belong here: adding them up
(``registry``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CUT = "period_start_date, member, currency"
LINES = "placed"
"""The level of the lines themselves."""


@dataclass(frozen=True)
class Level:
    """One row per thing in each cut, and one for the lines that name none, so that no cut is without a row.

    Attributes:
        key: The columns of ``placed`` that tell things apart.
        columns: What is told of a thing, by name: aggregates of its lines.
        ranked: What is told of it among the others, by name: window functions over ``columns``.
    """

    key: str
    columns: Mapping[str, str]
    ranked: Mapping[str, str] = field(default_factory=dict)


def _amount(thing: str, column: str) -> str:
    return f"CASE WHEN {thing} IS NOT NULL THEN sum({column}) END"


_YEAR = "interval '1 year'"
_REACHES_BACK = f"min(first_date) OVER (PARTITION BY source_system) < period_start_date - {_YEAR} + interval '7 days'"
"""The history of the dataset begins with the same period a year before, or sooner; its first week may be empty."""
_YEAR_BEFORE = f"RANGE BETWEEN {_YEAR} PRECEDING AND {_YEAR} PRECEDING"
LEVELS = {
    "orders": Level(
        "order_ref",
        {
            "order_amount": _amount("order_ref", "gross_sales_amount - discounts_amount"),
            "has_other_product": "order_ref IS NOT NULL AND min(product) < max(product)",
        },
    ),
    # So and not as distinct pairs of the lines: that takes DuckDB many times as long.
    "order_products": Level("order_ref, product", {"is_named": "order_ref IS NOT NULL AND product IS NOT NULL"}),
    "customers": Level(
        "customer",
        {"customer_amount": _amount("customer", "net_sales_amount")},
        {
            "customer_rank": f"row_number() OVER (PARTITION BY {CUT} "
            "ORDER BY customer_amount DESC NULLS LAST, customer)",
            "customer_count": f"count(customer_amount) OVER (PARTITION BY {CUT})",
        },
    ),
    "products": Level("product", {"product_amount": _amount("product", "net_sales_amount")}),
    # A product that another shop begins to sell, too, is new there.
    "articles": Level(
        "source_system, article",
        {"article_amount": _amount("article", "net_sales_amount"), "first_date": "min(date)"},
        {
            "amount_year_before": f"CASE WHEN article_amount IS NOT NULL AND {_REACHES_BACK} THEN max(article_amount) "
            "OVER (PARTITION BY member, currency, source_system, article "
            f"ORDER BY period_start_date {_YEAR_BEFORE}) END"
        },
    ),
}


def grouped(level: str) -> list[str]:
    """The common table expressions that add the lines of ``placed`` up to a level; the last has its name."""
    of = LEVELS[level]
    name = f"summed_{level}" if of.ranked else level
    told = _listed(f"{CUT}, {of.key}", of.columns)
    steps = [f"{name} AS (\n    SELECT\n        {told}\n    FROM {LINES}\n    GROUP BY {CUT}, {of.key}\n)"]
    if of.ranked:
        ranked = _listed("*", of.ranked)
        steps.append(f"{level} AS (\n    SELECT\n        {ranked}\n    FROM {name}\n)")
    return steps


def _listed(first: str, columns: Mapping[str, str]) -> str:
    return ",\n        ".join([first, *(f"{told} AS {column}" for column, told in columns.items())])
