"""The generated sample as core/sales, read with the csv module: independent of the platform's own reading."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.transforms.versions import BEGINNING, END
from platform_assets_tests.samples.reading import Row, mark_repeats, moment, number, read

_COLUMNS = {
    "ecommerce_transactions": ("transaction_date", "%Y-%m-%d %H:%M:%S", "total_amount", "quantity", "transaction_id"),
    "superstore_sales": ("order_date", "%m/%d/%Y", "sales", "quantity", "order_id"),
    "retail_analytics": ("purchase_date", "%Y-%m-%d %H:%M:%S", "amount_spent", "items_purchased", ""),
}
_CHANNELS = ("Online", "Store", "Mobile", "Call Center", "Catalog")


def sample_sales(folder: Path) -> pa.Table:
    """The lines that count, as rows of core/sales."""
    rows = [line for dataset in _COLUMNS for line in _lines(folder / dataset)]
    return pa.Table.from_pylist(rows, schema=SALES_SCHEMA)


def sample_products(folder: Path) -> pa.Table:
    """The catalogue as rows of core/products, one version each."""
    found = {row.cells["product_id"]: row.cells["category"] for row in read(folder / "product_catalog").rows}
    rows = [
        {"product_id": name, "category": category or None, "valid_from": BEGINNING, "valid_to": END}
        for name, category in sorted(found.items())
    ]
    return pa.Table.from_pylist(rows, schema=PRODUCTS_SCHEMA)


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    reading = read(folder)
    mark_repeats(reading, ignored="row_id")
    for row in reading.rows:
        line = None if row.is_duplicate else _line(row, folder.name)
        if line:
            yield line


def _line(row: Row, dataset: str) -> dict[str, Any] | None:
    at, style, money, pieces, order = _COLUMNS[dataset]
    cells = row.cells
    sold_at, net, quantity = moment(cells[at], style), number(cells[money]), number(cells[pieces])
    price = number(cells.get("unit_price", "1"))
    if sold_at is None or sold_at < datetime(1990, 1, 1) or net is None or not quantity or not price or price < 0:
        return None
    channel = next((name for name in _CHANNELS if name.lower() == cells.get("channel", "").strip().lower()), None)
    return {
        "source_system": dataset,
        "order_id": cells[order] if order else None,
        "customer_id": cells["customer_id"].removesuffix(".0") or None,
        "product_id": cells["product_id"].upper() if "product_id" in cells else None,
        "channel": channel,
        "sold_at": sold_at,
        "quantity": int(quantity),
        "unit_price_amount": price if "unit_price" in cells else None,
        "net_amount": net.quantize(Decimal("0.0001")),
        "is_return": quantity < 0,
        "segment": cells.get("segment"),
        "country": cells.get("country"),
        "category": cells.get("category"),
        "_source_file": row.file,
        "_source_row": row.line,
    }
