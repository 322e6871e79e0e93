"""Small core/sales frames for the tests of reductions."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.transforms.versions import BEGINNING, END

Row = dict[str, Any]


def sale(  # a line of a web shop, unless said otherwise
    day: datetime, product: str | None = "P1", quantity: int = 1, net: str = "10", **other: Any
) -> Row:
    return {
        "source_system": "shop",
        "order_id": "o1",
        "customer_id": "c1",
        "product_id": product,
        "channel": "Online",
        "sold_at": day,
        "quantity": quantity,
        "net_amount": Decimal(net),
        "is_return": quantity < 0,
        "_source_file": "a.csv",
        **other,
    }


def sales(rows: Sequence[Row]) -> pa.Table:
    """Rows as core/sales; the number of a row is its place."""
    numbered = [{"_source_row": place, **row} for place, row in enumerate(rows, start=2)]
    return pa.Table.from_pylist(numbered, schema=SALES_SCHEMA)


def products(versions: Sequence[tuple[str, str, datetime | None, datetime | None]]) -> pa.Table:
    """Product, category, and from when until when."""
    rows = [
        {"product_id": product, "category": category, "valid_from": first or BEGINNING, "valid_to": last or END}
        for product, category, first, last in versions
    ]
    return pa.Table.from_pylist(rows, schema=PRODUCTS_SCHEMA)
