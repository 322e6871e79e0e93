from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine, Frame, conformed
from platform_assets.transforms.core_dimensions import (
    CHANNELS_SCHEMA,
    CUSTOMERS_SCHEMA,
    PRODUCTS_SCHEMA,
    channels,
    customers,
    price_edges,
    products,
)
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets_tests.frames import raw_rows, staged_frame

CATALOG = CONTRACTS["product_catalog"]
SOURCES = ("ecommerce_transactions", "superstore_sales", "retail_analytics")
ONLINE, ORDERS = SOURCES[0], SOURCES[1]


def sales(engine: Engine, *lines: Mapping[str, Any]) -> Frame:
    return engine.from_arrow(pa.Table.from_pylist([{"source_system": ONLINE, **line} for line in lines], SALES_SCHEMA))


def catalog(engine: Engine, *rows: Mapping[str, str]) -> Frame:
    return staged_frame(engine, CATALOG, raw_rows(CATALOG, rows))


def collected(engine: Engine, frame: Frame, schema: pa.Schema, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in engine.collect(conformed(frame, schema)).to_pylist()}


def day(number: int) -> datetime:
    return datetime(2024, 1, number, 9)


def test_a_customer_is_described_by_the_newest_sale_that_has_a_description(engine: Engine) -> None:
    lines = sales(
        engine,
        {"customer_id": "c", "sold_at": day(1), "country": "France", "segment": "Consumer"},
        {"customer_id": "c", "sold_at": day(3), "country": "Spain"},
        {"customer_id": "c", "sold_at": day(2), "country": "Italy", "segment": "Corporate"},
        {"customer_id": "d", "sold_at": day(2), "source_system": ORDERS, "customer_name": "D"},
    )

    found = collected(engine, customers(lines, SOURCES), CUSTOMERS_SCHEMA, "customer_id")

    assert (found["c"]["country"], found["c"]["segment"], found["c"]["customer_name"]) == ("Spain", "Corporate", None)
    assert (found["c"]["first_order_date"], found["c"]["last_order_date"]) == (date(2024, 1, 1), date(2024, 1, 3))
    assert (found["d"]["customer_name"], found["d"]["country"]) == ("D", None)


def test_guests_are_no_customers(engine: Engine) -> None:
    lines = sales(engine, {"customer_id": None, "sold_at": day(1)}, {"customer_id": "c", "sold_at": day(1)})

    assert list(collected(engine, customers(lines, SOURCES), CUSTOMERS_SCHEMA, "customer_id")) == ["c"]


def test_a_customer_of_several_datasets_is_one_and_names_them_in_order(engine: Engine) -> None:
    lines = sales(
        engine,
        {"customer_id": "c", "sold_at": day(2), "source_system": "retail_analytics"},
        {"customer_id": "c", "sold_at": day(1), "source_system": ONLINE},
        {"customer_id": "d", "sold_at": day(1), "source_system": ORDERS},
    )

    found = collected(engine, customers(lines, SOURCES), CUSTOMERS_SCHEMA, "customer_id")

    assert {key: row["source_systems"] for key, row in found.items()} == {
        "c": "ecommerce_transactions, retail_analytics",
        "d": "superstore_sales",
    }


def test_of_two_descriptions_at_one_instant_the_first_in_the_alphabet_counts(engine: Engine) -> None:
    lines = sales(
        engine,
        {"customer_id": "c", "sold_at": day(1), "country": "Spain"},
        {"customer_id": "c", "sold_at": day(1), "country": "France"},
    )

    found = collected(engine, customers(lines, SOURCES), CUSTOMERS_SCHEMA, "customer_id")

    assert found["c"]["country"] == "France"


def test_a_product_is_described_by_the_catalogue_before_any_sale(engine: Engine) -> None:
    lines = sales(
        engine,
        {"product_id": "A", "sold_at": day(1), "product_name": "old name", "category": "Toys"},
        {"product_id": "A", "sold_at": day(2), "product_name": "new name"},
        {"product_id": "B", "sold_at": day(1), "product_name": "only sold"},
        {"product_id": None, "sold_at": day(1)},
    )
    listed = catalog(engine, {"product_id": "A", "product_name": "catalogue name"}, {"product_id": "C", "price": "3"})

    found = collected(engine, products(lines, listed, ()), PRODUCTS_SCHEMA, "product_id")

    assert {key: (row["product_name"], row["category"], row["is_in_catalog"]) for key, row in found.items()} == {
        "A": ("catalogue name", "Toys", True),
        "B": ("only sold", None, False),
        "C": (None, None, True),
    }


def test_prices_are_money_and_a_volume_needs_three_sides(engine: Engine) -> None:
    sides = {"length_cm": "10", "width_cm": "2.5", "height_cm": "4"}
    listed = catalog(
        engine,
        {"product_id": "A", "price": "9.99", "list_price": "12", "cost": "4.5", **sides},
        {"product_id": "B", **sides, "width_cm": ""},
    )

    found = collected(engine, products(sales(engine), listed, ()), PRODUCTS_SCHEMA, "product_id")

    prices = [found["A"][f"{name}_amount"] for name in ("price", "list_price", "cost")]
    assert prices == [Decimal("9.99"), Decimal(12), Decimal("4.5")]
    assert [found[key]["volume_cm3"] for key in "AB"] == [pytest.approx(100.0), None]


def test_price_tiers_are_the_quarters_of_the_catalogues_prices(engine: Engine) -> None:
    # nine prices: the quartiles are those at places 2, 4 and 6, counted from 0
    listed = catalog(
        engine, *({"product_id": f"P{price}", "price": str(price)} for price in range(10, 100, 10)), {"product_id": "X"}
    )
    edges = price_edges(listed, engine)

    found = collected(engine, products(sales(engine), listed, edges), PRODUCTS_SCHEMA, "product_id")

    assert edges == (Decimal(30), Decimal(50), Decimal(70))
    assert {key: row["price_tier"] for key, row in found.items()} == {
        **dict.fromkeys(("P10", "P20"), "budget"),
        **dict.fromkeys(("P30", "P40"), "standard"),
        **dict.fromkeys(("P50", "P60"), "premium"),
        **dict.fromkeys(("P70", "P80", "P90"), "luxury"),
        "X": None,
    }


def test_a_catalogue_without_prices_has_no_tiers(engine: Engine) -> None:
    listed = catalog(engine, {"product_id": "A"})

    assert price_edges(listed, engine) == ()


def test_channels_are_counted_in_sale_lines(engine: Engine) -> None:
    lines = sales(engine, {"channel": "Store"}, {"channel": "Online"}, {"channel": "Store"}, {"channel": None})

    found = collected(engine, channels(lines), CHANNELS_SCHEMA, "channel")

    assert {key: row["sale_lines"] for key, row in found.items()} == {"Store": 2, "Online": 1}
