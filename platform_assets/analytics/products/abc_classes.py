"""ABC classes: which few products bring in most of the revenue.

Belongs here: ranking by revenue, currency by currency. Does not belong here: what revenue is (``measures``).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

A_UP_TO, B_UP_TO = Decimal("0.80"), Decimal("0.95")
"""A product is of a class while those that sold for more have not reached so much of the revenue."""


def classified(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their share of the revenue, the share of all down to them, and their class.

    The most revenue comes first, of equal ones the id that is first in the alphabet. The product that crosses a limit
    still belongs to the class above it. What brought in nothing, or less, is of class C and has no share.

    Args:
        rows: With ``product_id``, ``currency`` and ``net_sales_amount``.
    """
    ordered = sorted(rows, key=lambda row: (row["currency"] or "", -row["net_sales_amount"], row["product_id"]))
    result: list[dict[str, Any]] = []
    for _, group in groupby(ordered, key=lambda row: row["currency"]):
        members = list(group)
        whole = sum((max(row["net_sales_amount"], Decimal(0)) for row in members), Decimal(0))
        reached = Decimal(0)
        for row in members:
            share = row["net_sales_amount"] / whole if row["net_sales_amount"] > 0 else None
            if share is None:
                result.append({**row, "abc_class": "C"})
                continue
            before, reached = reached, reached + row["net_sales_amount"]
            name = "A" if before < A_UP_TO * whole else "B" if before < B_UP_TO * whole else "C"
            rates = {"revenue_rate": float(share), "cumulative_rate": float(reached / whole)}
            result.append({**row, **rates, "abc_class": name})
    return result
