"""Sale lines and products for the tests of products."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from platform_assets.engines.engine import Engine, Frame
from platform_assets.transforms.core_dimensions import CATALOG, PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.transforms.versions import BEGINNING, END

CURRENCIES = {"shop": "EUR", "market": "USD", CATALOG: "EUR"}


def line(product: str | None, day: date, net: str | int = 10, **more: Any) -> dict[str, Any]:
    """A sale line of the shop: one piece, in an order by itself."""
    told = {
        "source_system": "shop",
        "product_id": product,
        "net_amount": Decimal(net),
        "quantity": 1,
        "is_return": False,
    }
    return {**told, "sold_at": datetime(day.year, day.month, day.day, 12), "_source_file": "a.csv", **more}


def sales(engine: Engine, lines: Iterable[Mapping[str, Any]]) -> Frame:
    """The lines, numbered."""
    rows = [{"_source_row": number, **one} for number, one in enumerate(lines, start=2)]
    return engine.from_arrow(pa.Table.from_pylist(rows, SALES_SCHEMA))


def product(name: str, category: str | None = None, **more: Any) -> dict[str, Any]:
    """A version of a product, by default its only one."""
    told = {"product_id": name, "product_name": f"The {name}", "category": category}
    return {**told, "valid_from": BEGINNING, "valid_to": END, "is_in_catalog": True, **more}


def products(engine: Engine, versions: Sequence[Mapping[str, Any]]) -> Frame:
    """Versions of products."""
    return engine.from_arrow(pa.Table.from_pylist(list(versions), PRODUCTS_SCHEMA))
