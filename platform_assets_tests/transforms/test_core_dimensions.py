from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine, Frame, conformed
from platform_assets.transforms.core_dimensions import (
    CHANNELS_SCHEMA,
    CUSTOMERS_SCHEMA,
    LOCATIONS_SCHEMA,
    PRODUCTS_SCHEMA,
    channels,
    customers,
    locations,
    price_edges,
    products,
)
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.transforms.versions import BEGINNING, END
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.frames import raw_rows, staged_frame

CATALOG = CONTRACTS["product_catalog"]
SOURCES = ("ecommerce_transactions", "superstore_sales", "retail_analytics")
ONLINE, ORDERS = SOURCES[0], SOURCES[1]


def sales(engine: Engine, *lines: Mapping[str, Any]) -> Frame:
    return engine.from_arrow(pa.Table.from_pylist([{"source_system": ONLINE, **line} for line in lines], SALES_SCHEMA))


def catalog(engine: Engine, *rows: Mapping[str, str]) -> Frame:
    return staged_frame(engine, CATALOG, raw_rows(CATALOG, rows))


def collected(engine: Engine, frame: Frame, schema: pa.Schema, key: str) -> dict[str, dict[str, Any]]:
    """Rows by key; of versions, the one of now."""
    rows = engine.collect(conformed(frame, schema)).to_pylist()
    return {row[key]: row for row in rows if row.get("valid_to", END) == END}


def history(engine: Engine, frame: Frame, schema: pa.Schema, *columns: str) -> list[tuple[Any, ...]]:
    """All versions, by key and time: the key, both ends and some columns."""
    rows = engine.collect(conformed(frame, schema)).to_pylist()
    return sorted(
        (tuple(row[name] for name in (schema.names[0], "valid_from", "valid_to", *columns)) for row in rows),
        key=lambda row: row[:2],
    )


def located(engine: Engine, places: Sequence[tuple[str | None, ...]]) -> list[tuple[Any, ...]]:
    """The rows of core/locations for sales to some places, by name."""
    lines = sales(engine, *(dict(zip(LOCATIONS_SCHEMA.names[1:], place, strict=True)) for place in places))
    rows = engine.collect(conformed(locations(lines), LOCATIONS_SCHEMA)).to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=itemgetter(0))


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


def test_a_customers_segment_and_country_are_as_they_were_and_all_else_as_it_is(engine: Engine) -> None:
    lines = sales(
        engine,
        {"customer_id": "c", "sold_at": day(5), "segment": "Corporate", "country": "Italy", "city": "Rome"},
        {"customer_id": "c", "sold_at": day(7), "country": "Spain"},
        {"customer_id": "c", "sold_at": day(2), "city": "Bonn"},
        {"customer_id": "c", "sold_at": day(3), "segment": "Consumer", "country": "Italy", "city": "Oslo"},
        {"customer_id": "i", "sold_at": day(4), "source_system": "retail_analytics"},
    )

    found = history(
        engine,
        customers(lines, SOURCES),
        CUSTOMERS_SCHEMA,
        "segment",
        "country",
        "city",
        "last_order_date",
        "is_inferred",
    )

    last = date(2024, 1, 7)
    assert found == [
        ("c", BEGINNING, day(5), "Consumer", "Italy", "Rome", last, False),
        ("c", day(5), day(7), "Corporate", "Italy", "Rome", last, False),
        ("c", day(7), END, "Corporate", "Spain", "Rome", last, False),
        ("i", BEGINNING, END, None, None, None, date(2024, 1, 4), True),
    ]


def test_a_products_prices_follow_the_days_of_the_catalogue_in_any_order_of_rows(engine: Engine) -> None:
    listed = catalog(
        engine,
        {"product_id": "A", "valid_from": "2024-03-01", "price": "12", "category": "Toys", "product_name": "new"},
        {"product_id": "B", "valid_from": "2024-02-01", "price": "7", "category": "Books", "product_name": "stays"},
        {"product_id": "A", "price": "10", "category": "Toys", "product_name": "old"},
        {"product_id": "A", "valid_from": "2024-02-01", "price": "10", "category": "Toys"},
        {"product_id": "A", "valid_from": "2024-04-01", "category": "Toys"},
    )
    lines = sales(engine, {"product_id": "S", "sold_at": day(2), "category": "Sold", "product_name": "inferred"})

    found = history(
        engine, products(lines, listed, (Decimal(9), Decimal(11))), PRODUCTS_SCHEMA,
        "price_amount", "price_tier", "category", "product_name", "is_in_catalog",
    )  # fmt: skip

    march, april = datetime(2024, 3, 1), datetime(2024, 4, 1)
    assert found == [
        ("A", BEGINNING, march, Decimal(10), "standard", "Toys", "new", True),
        ("A", march, april, Decimal(12), "premium", "Toys", "new", True),
        ("A", april, END, None, None, "Toys", "new", True),
        ("B", BEGINNING, END, Decimal(7), "budget", "Books", "stays", True),
        ("S", BEGINNING, END, None, None, "Sold", "inferred", False),
    ]


def test_a_category_that_the_catalogue_takes_back_is_unknown_and_one_it_never_has_is_that_of_the_sales(
    engine: Engine,
) -> None:
    lines = sales(
        engine,
        {"product_id": "A", "sold_at": day(1), "category": "Sold", "sub_category": "Older"},
        {"product_id": "A", "sold_at": day(2), "sub_category": "Newer"},
    )
    listed = catalog(
        engine,
        {"product_id": "A", "valid_from": "2024-02-01", "category": "Toys", "product_name": "a"},
        {"product_id": "A", "valid_from": "2024-03-01", "product_name": "a"},
    )

    found = history(engine, products(lines, listed, ()), PRODUCTS_SCHEMA, "category", "sub_category")

    march = datetime(2024, 3, 1)
    assert found == [("A", BEGINNING, march, "Toys", "Newer"), ("A", march, END, None, "Newer")]


@without_spark
def test_price_tiers_are_the_quarters_of_the_prices_of_now(engine: Engine) -> None:
    # The prices of now are 10, 20 and 30, and one that is unknown by now.
    listed = catalog(
        engine,
        {"product_id": "A", "price": "1000"},
        {"product_id": "A", "valid_from": "2024-02-01", "price": "10"},
        {"product_id": "B", "price": "20"},
        {"product_id": "C", "valid_from": "2024-02-01", "price": "30"},
        {"product_id": "D", "price": "40"},
        {"product_id": "D", "valid_from": "2024-02-01", "product_name": "d"},
    )

    assert price_edges(listed, engine) == (Decimal(20), Decimal(20), Decimal(30))


def test_a_place_is_named_by_its_parts_from_the_largest_to_the_smallest(engine: Engine) -> None:
    expected = {
        ("Spain", "South", "Andalusia", "Jaen"): "Spain | South | Andalusia | Jaen",
        ("France", None, None, "Paris"): "France |  |  | Paris",
        ("France", None, None, None): "France",
        (None, None, None, "Paris"): " |  |  | Paris",
        ("a|", "| b", None, None): "a|| | || b",
    }
    places = [*expected, ("France", None, None, None), (None, None, None, None)]

    assert located(engine, places) == [(name, *place) for place, name in sorted(expected.items(), key=itemgetter(1))]


def test_no_two_places_have_one_name_whatever_is_missing_and_whatever_signs_they_have(engine: Engine) -> None:
    places = list(product((None, "a", "|", " ", "-", "a | ", "\n"), repeat=4))

    found = located(engine, places)

    assert {row[1:] for row in found} == {*places} - {(None,) * 4}
    assert len({row[0] for row in found}) == len(found) == 7**4 - 1


def test_channels_are_counted_in_sale_lines(engine: Engine) -> None:
    lines = sales(engine, {"channel": "Store"}, {"channel": "Online"}, {"channel": "Store"}, {"channel": None})

    found = collected(engine, channels(lines), CHANNELS_SCHEMA, "channel")

    assert {key: row["sale_lines"] for key, row in found.items()} == {"Store": 2, "Online": 1}
