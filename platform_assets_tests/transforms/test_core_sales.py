from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine
from platform_assets.lake.table import Table
from platform_assets.transforms.core_sales import (
    SALES_DATASETS,
    SALES_SCHEMA,
    Source,
    conformed_sales,
    sales_rows,
    update_sales,
)
from platform_assets_tests.deliveries import Deliveries
from platform_assets_tests.frames import Row, raw_rows, staged_frame

TRANSACTIONS, SUPERSTORE, RETAIL = (CONTRACTS[name] for name in SALES_DATASETS)
TRANSACTION = {
    "transaction_id": "1",
    "customer_id": "c",
    "product_id": "p",
    "transaction_date": "2024-01-01 10:00",
    "quantity": "2",
    "unit_price": "5",
}
ORDER = {
    "row_id": "7",
    "order_id": "o",
    "order_date": "2024-01-02",
    "customer_id": "c",
    "product_id": "p",
    "sales": "8.5",
    "quantity": "3",
    "discount": "0.2",
    "profit": "-1.25",
    "segment": "Consumer",
}
PURCHASE = {
    "customer_id": "c",
    "purchase_date": "2024-01-03",
    "channel": "Mobile",
    "amount_spent": "9",
    "items_purchased": "3",
    "avg_item_price": "3",
}


def conformed(engine: Engine, dataset: str, row: Row) -> dict[str, Any]:
    rows = staged_frame(engine, CONTRACTS[dataset], raw_rows(CONTRACTS[dataset], [row]))
    table = engine.collect(conformed_sales(rows, dataset))
    assert table.schema.names == SALES_SCHEMA.names
    (line,) = table.to_pylist()
    return {name: value for name, value in line.items() if value is not None}


LINEAGE = {"_source_file": "a.csv", "_source_row": 2}


def test_a_transaction_becomes_a_sale_line(engine: Engine) -> None:
    assert conformed(engine, "ecommerce_transactions", TRANSACTION) == {
        "source_system": "ecommerce_transactions",
        "order_id": "1",
        "customer_id": "c",
        "product_id": "P",
        "channel": "Online",
        "sold_at": datetime(2024, 1, 1, 10),
        "quantity": 2,
        "unit_price_amount": Decimal(5),
        "gross_amount": Decimal(10),
        "net_amount": Decimal(10),
        "is_return": False,
        "_slice": "ecommerce_transactions/a.csv",
        **LINEAGE,
    }


def test_a_negative_quantity_is_a_return(engine: Engine) -> None:
    line = conformed(engine, "ecommerce_transactions", {**TRANSACTION, "quantity": "-2"})

    assert (line["is_return"], line["net_amount"]) == (True, Decimal(-10))


def test_an_order_line_keeps_its_profit_and_has_no_unit_price(engine: Engine) -> None:
    assert conformed(engine, "superstore_sales", ORDER) == {
        "source_system": "superstore_sales",
        "order_id": "o",
        "customer_id": "c",
        "product_id": "P",
        "sold_at": datetime(2024, 1, 2),
        "quantity": 3,
        "net_amount": Decimal("8.5"),
        "profit_amount": Decimal("-1.25"),
        "is_return": False,
        "segment": "Consumer",
        "_slice": "superstore_sales/a.csv",
        **LINEAGE,
    }


def test_a_purchase_has_no_order_and_no_product(engine: Engine) -> None:
    assert conformed(engine, "retail_analytics", PURCHASE) == {
        "source_system": "retail_analytics",
        "customer_id": "c",
        "channel": "Mobile",
        "sold_at": datetime(2024, 1, 3),
        "quantity": 3,
        "unit_price_amount": Decimal(3),
        "net_amount": Decimal(9),
        "is_return": False,
        "_slice": "retail_analytics/a.csv",
        **LINEAGE,
    }


def test_the_catalogue_is_no_sales_dataset(engine: Engine) -> None:
    catalog = CONTRACTS["product_catalog"]

    with pytest.raises(KeyError):
        conformed_sales(staged_frame(engine, catalog, raw_rows(catalog, [{}])), "product_catalog")


class Core:
    """core/sales over the deliveries of all sales datasets."""

    def __init__(self, deliveries: Deliveries, root: Path) -> None:
        self.deliveries = deliveries
        self.table = Table(root)

    def update(self) -> list[str]:
        """Process what was delivered and bring core/sales up to date; the slices written."""
        contracts = [CONTRACTS[name] for name in SALES_DATASETS]
        for contract in contracts:
            self.deliveries.process(contract)
        sources = [Source(contract, self.deliveries.table("staging", contract)) for contract in contracts]
        snapshot, written = update_sales(self.table, sources, self.deliveries.engine)
        self.table.publish(snapshot)
        return written

    def rows(self) -> list[tuple[Any, ...]]:
        lines = self.deliveries.engine.collect(
            sales_rows(self.table, self.table.snapshot(), self.deliveries.engine)
        ).to_pylist()
        return sorted((line["_slice"], line["_source_row"], line["net_amount"]) for line in lines)

    def rows_per_slice(self) -> dict[str, int]:
        return {key: piece.facts["rows"] for key, piece in self.table.snapshot().slices.items()}


DAY_1: Sequence[Row] = [TRANSACTION, {**TRANSACTION, "transaction_id": "2"}, {**TRANSACTION, "quantity": "0"}]
DAY_2: Sequence[Row] = [TRANSACTION, {**TRANSACTION, "transaction_id": "3", "quantity": "4"}]


def test_only_files_whose_rows_changed_are_conformed_and_the_result_is_that_of_a_fresh_start(
    deliveries: Deliveries, tmp_path: Path
) -> None:
    core = Core(deliveries, tmp_path / "core")
    deliveries.deliver(TRANSACTIONS, "day1.csv", DAY_1)
    deliveries.deliver(SUPERSTORE, "orders.csv", [ORDER])
    assert core.update() == ["ecommerce_transactions/day1.csv", "superstore_sales/orders.csv"]

    deliveries.deliver(TRANSACTIONS, "day2.csv", DAY_2)
    assert core.update() == ["ecommerce_transactions/day2.csv"]
    assert core.update() == []

    # day0 has the line that was the first of its kind in day1 and, a duplicate, in day2
    deliveries.deliver(TRANSACTIONS, "day0.csv", [TRANSACTION])
    assert core.update() == ["ecommerce_transactions/day0.csv", "ecommerce_transactions/day1.csv"]
    assert core.rows() == [
        ("ecommerce_transactions/day0.csv", 2, Decimal(10)),
        ("ecommerce_transactions/day1.csv", 3, Decimal(10)),
        ("ecommerce_transactions/day2.csv", 3, Decimal(20)),
        ("superstore_sales/orders.csv", 2, Decimal("8.5")),
    ]
    assert core.rows_per_slice() == {
        "ecommerce_transactions/day0.csv": 1,
        "ecommerce_transactions/day1.csv": 1,
        "ecommerce_transactions/day2.csv": 1,
        "superstore_sales/orders.csv": 1,
    }

    fresh = Core(Deliveries(tmp_path / "fresh", deliveries.engine), tmp_path / "fresh-core")
    for name, rows in (("day0.csv", [TRANSACTION]), ("day1.csv", DAY_1), ("day2.csv", DAY_2)):
        fresh.deliveries.deliver(TRANSACTIONS, name, rows)
    fresh.deliveries.deliver(SUPERSTORE, "orders.csv", [ORDER])
    fresh.update()
    assert fresh.rows() == core.rows()
    assert fresh.table.snapshot().ids == core.table.snapshot().ids


def test_a_removed_file_leaves_the_sales_and_gives_its_line_back_to_the_next(
    deliveries: Deliveries, tmp_path: Path
) -> None:
    core = Core(deliveries, tmp_path / "core")
    first = deliveries.deliver(TRANSACTIONS, "day1.csv", DAY_1)
    deliveries.deliver(TRANSACTIONS, "day2.csv", DAY_2)
    core.update()
    first.unlink()

    written = core.update()

    assert written == ["ecommerce_transactions/day2.csv"]
    assert core.rows() == [
        ("ecommerce_transactions/day2.csv", 2, Decimal(10)),
        ("ecommerce_transactions/day2.csv", 3, Decimal(20)),
    ]


def test_before_any_delivery_there_are_no_sales(deliveries: Deliveries, tmp_path: Path) -> None:
    core = Core(deliveries, tmp_path / "core")

    assert (core.update(), core.rows()) == ([], [])
