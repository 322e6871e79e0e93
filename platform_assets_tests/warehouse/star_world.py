"""Small worlds of sales and a catalogue for the tests of dimensions and facts, loaded as the assets load them.

What is expected of them is computed here a second time, in plain Python: which value held when.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from psycopg2 import extensions

from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.transforms.core_dimensions import CUSTOMERS_SCHEMA, LOCATIONS_SCHEMA, PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.warehouse.loads import CalendarLoad, DimensionLoad, Load, SliceLoad, Told
from platform_assets.warehouse.star.calendar_settings import CalendarSettings
from platform_assets.warehouse.star.model import CHANNEL, CUSTOMER, INTERACTIONS, LOCATION, PRODUCT, SALES, Dimension
from platform_assets.warehouse.star.pseudonyms import Pseudonyms
from platform_assets.warehouse.star.rows import (
    DIM_CUSTOMER_SCHEMA,
    DIM_PRODUCT_SCHEMA,
    FCT_CUSTOMER_INTERACTIONS_SCHEMA,
    FCT_SALES_SCHEMA,
    customer_versions,
    interaction_facts,
    product_versions,
    sale_facts,
)
from platform_assets_tests.warehouse.rows import query

SHOP, RETAIL = "ecommerce_transactions", "retail_analytics"
CURRENCIES = {SHOP: "EUR", RETAIL: "USD"}
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC).replace(tzinfo=None)
END = datetime(9999, 12, 31, tzinfo=UTC).replace(tzinfo=None)
FILES = {f"{dataset[0]}{number}.csv": dataset for dataset in (SHOP, RETAIL) for number in (1, 2)}


def at(day: int, hour: int = 0) -> datetime:
    """An instant in January 2024."""
    return datetime(2024, 1, day, hour, tzinfo=UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Line:
    """A sale line; its dataset and place in a file are those of the file it stands in."""

    sold_at: datetime
    customer: str | None = None
    segment: str | None = None
    product: str | None = None
    channel: str | None = None
    country: str | None = None
    quantity: int | None = 1
    profit: Decimal | None = None


@dataclass(frozen=True)
class World:
    """What has been delivered: lines by file, and the catalogue, cost by product and day (null is a cost unknown).

    The currency of the costs is no delivery, but configured.
    """

    files: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    catalogue: Mapping[str, Mapping[datetime, Decimal | None]] = field(default_factory=dict)
    costs_in: str = "EUR"

    @property
    def lines(self) -> list[tuple[str, int, Line]]:
        """File, row and line of every line."""
        return [(file, row, line) for file, lines in self.files.items() for row, line in enumerate(lines, start=2)]

    def segments(self, customer: str) -> list[tuple[datetime, str | None]]:
        """From when on a customer was in which segment: at each instant the newest told, the first in the alphabet."""
        told: dict[datetime, str] = {}
        for _, _, line in self.lines:
            if line.customer == customer and line.segment is not None:
                told[line.sold_at] = min(line.segment, told.get(line.sold_at, line.segment))
        return _history(told) if told else [(BEGINNING, None)]

    def costs(self, product: str) -> list[tuple[datetime, Decimal | None]]:
        """From when on a product had which cost."""
        return _history(self.catalogue[product]) if self.catalogue.get(product) else [(BEGINNING, None)]


def physical_rows(connection: extensions.connection, table: str) -> dict[Any, Any]:
    """Place of each row, by the transaction that wrote it and the one that locked or replaced it."""
    return {ctid: versions for ctid, *versions in query(connection, f"SELECT ctid, xmin, xmax FROM {table}")}


def value_at(history: Iterable[tuple[datetime, Any]], instant: datetime) -> tuple[datetime, Any]:
    """Since when the value that held at an instant had held, and the value; by looking at all of them."""
    return [(since, value) for since, value in history if since <= instant or since == BEGINNING][-1]


class Warehouse:
    """A warehouse that is loaded from worlds, with the loads of the assets in their order."""

    steps = ("dim_customer", "dim_product", "dim_channel", "dim_location", "fct_customer_interactions", "fct_sales")

    def __init__(self, connection: extensions.connection, scratch: Path) -> None:
        self.connection = connection
        self.engine = DuckDBEngine(scratch)
        CalendarLoad(CalendarSettings(), (date(2024, 1, 2), date(2024, 1, 2))).apply(connection)

    def load(self, world: World, *steps: str) -> dict[str, dict[str, int]]:
        """Take some steps, or all, and tell what each of them did."""
        return {step: self.load_of(step, world).apply(self.connection) for step in steps or self.steps}

    def load_of(self, step: str, world: World) -> Load:
        """What the asset of a step hands to the warehouse."""
        makers: dict[str, Callable[[World], Load]] = {
            "dim_customer": self._customers,
            "dim_product": self._products,
            "dim_channel": lambda world: _members(CHANNEL, _CHANNELS, _channels(world)),
            "dim_location": lambda world: _members(LOCATION, LOCATIONS_SCHEMA, _locations(world)),
            "fct_customer_interactions": self._interactions,
            "fct_sales": self._sales,
        }
        return makers[step](world)

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that is in the star, with natural keys for surrogate keys."""
        return {name: query(self.connection, statement) for name, statement in _CONTENT.items()}

    def clear(self) -> None:
        """Start anew."""
        query(
            self.connection,
            "TRUNCATE warehouse.fct_sales, warehouse.fct_customer_interactions, ops.loaded_slices;"
            + "".join(
                f"DELETE FROM {dimension.table} WHERE NOT is_special_member;"
                for dimension in (CUSTOMER, PRODUCT, CHANNEL, LOCATION)
            ),
        )

    def _customers(self, world: World) -> Load:
        rows = _customers(world)
        frame = self.engine.from_arrow(pa.Table.from_pylist(rows, CUSTOMERS_SCHEMA))
        batches = customer_versions(frame, Pseudonyms(b"key"), self.engine)
        return DimensionLoad(CUSTOMER, Told("core", "customers", repr(rows)), DIM_CUSTOMER_SCHEMA, batches)

    def _products(self, world: World) -> Load:
        rows = _products(world)
        frame = self.engine.from_arrow(pa.Table.from_pylist(rows, PRODUCTS_SCHEMA))
        batches = product_versions(frame, world.costs_in, self.engine)
        told = Told("core", "products", repr((world.costs_in, rows)))
        return DimensionLoad(PRODUCT, told, DIM_PRODUCT_SCHEMA, batches)

    def _sales(self, world: World) -> Load:
        def rows_of(connection: extensions.connection, files: Iterable[tuple[str, str]]) -> Iterator[pa.RecordBatch]:
            return sale_facts(self._lines(world, files), connection, CURRENCIES, self.engine)

        return SliceLoad(SALES.table, _wanted(world, (SHOP, RETAIL)), rows_of, FCT_SALES_SCHEMA)

    def _interactions(self, world: World) -> Load:
        def rows_of(connection: extensions.connection, files: Iterable[tuple[str, str]]) -> Iterator[pa.RecordBatch]:
            return interaction_facts(self._lines(world, files), connection, CURRENCIES, self.engine)

        return SliceLoad(INTERACTIONS.table, _wanted(world, (RETAIL,)), rows_of, FCT_CUSTOMER_INTERACTIONS_SCHEMA)

    def _lines(self, world: World, files: Iterable[tuple[str, str]]) -> Any:
        names = {file for _, file in files}
        rows = [_sale(file, row, line) for file, row, line in world.lines if file in names]
        return self.engine.from_arrow(pa.Table.from_pylist(rows, SALES_SCHEMA))


_CHANNELS = pa.schema([("channel", pa.string())])

_CONTENT = {
    "dim_customer": "SELECT customer_id, valid_from, valid_to, is_current, segment, customer_pseudonym, is_inferred,"
    " is_orphaned FROM warehouse.dim_customer ORDER BY 1, 2",
    "dim_product": "SELECT product_id, valid_from, valid_to, is_current, cost_amount, price_currency, is_in_catalog,"
    " is_inferred, is_orphaned FROM warehouse.dim_product ORDER BY 1, 2",
    "dim_channel": "SELECT channel, is_orphaned FROM warehouse.dim_channel ORDER BY 1",
    "dim_location": "SELECT location_id, country, is_orphaned FROM warehouse.dim_location ORDER BY 1",
    "fct_sales": "SELECT source_system, source_file, source_row, sold_at, customer_id, c.valid_from, product_id,"
    " p.valid_from, channel, location_id, currency, f.cost_amount, f.profit_amount"
    " FROM warehouse.fct_sales AS f JOIN warehouse.dim_customer AS c USING (customer_key)"
    " JOIN warehouse.dim_product AS p USING (product_key) JOIN warehouse.dim_channel USING (channel_key)"
    " JOIN warehouse.dim_location USING (location_key) ORDER BY 1, 2, 3",
    "fct_customer_interactions": "SELECT source_file, source_row, interacted_at, customer_id, c.valid_from, channel,"
    " amount, items, avg_item_price_amount, currency FROM warehouse.fct_customer_interactions"
    " JOIN warehouse.dim_customer AS c USING (customer_key) JOIN warehouse.dim_channel USING (channel_key)"
    " ORDER BY 1, 2",
    "loaded_slices": "SELECT table_name, source_file, slice_id, loaded_rows FROM ops.loaded_slices ORDER BY 1, 2",
}


def _history(told: Mapping[datetime, Any]) -> list[tuple[datetime, Any]]:
    history: list[tuple[datetime, Any]] = []
    for instant, value in sorted(told.items()):
        if not history:
            history.append((BEGINNING, value))
        elif history[-1][1] != value:
            history.append((instant, value))
    return history


def _versions(history: list[tuple[datetime, Any]]) -> Iterator[tuple[Any, dict[str, datetime]]]:
    ends = [since for since, _ in history[1:]] + [END]
    for (since, value), until in zip(history, ends, strict=True):
        yield value, {"valid_from": since, "valid_to": until}


def _customers(world: World) -> list[dict[str, Any]]:
    names = sorted({line.customer for _, _, line in world.lines if line.customer is not None})
    return [
        {"customer_id": name, "segment": segment, "is_inferred": segment is None, **validity}
        for name in names
        for segment, validity in _versions(world.segments(name))
    ]


def _products(world: World) -> list[dict[str, Any]]:
    sold = {line.product for _, _, line in world.lines if line.product is not None}
    return [
        {"product_id": name, "cost_amount": cost, "is_in_catalog": name in world.catalogue, **validity}
        for name in sorted(sold | set(world.catalogue))
        for cost, validity in _versions(world.costs(name))
    ]


def _channels(world: World) -> list[dict[str, Any]]:
    return [{"channel": name} for name in sorted({line.channel for _, _, line in world.lines if line.channel})]


def _locations(world: World) -> list[dict[str, Any]]:
    names = sorted({line.country for _, _, line in world.lines if line.country})
    return [{"location_id": name, "country": name} for name in names]


def _sale(file: str, row: int, line: Line) -> dict[str, Any]:
    return {
        "source_system": FILES[file],
        "customer_id": line.customer,
        "product_id": line.product,
        "channel": line.channel,
        "country": line.country,
        "sold_at": line.sold_at,
        "quantity": line.quantity,
        "net_amount": Decimal(100),
        "profit_amount": line.profit,
        "is_return": False,
        "_source_file": file,
        "_source_row": row,
    }


def _members(dimension: Dimension, schema: pa.Schema, rows: list[dict[str, Any]]) -> Load:
    batches = pa.Table.from_pylist(rows, schema).to_batches()
    return DimensionLoad(dimension, Told("core", dimension.table, repr(rows)), schema, batches)


def _wanted(world: World, datasets: Iterable[str]) -> dict[str, dict[str, str]]:
    """Slice ids by file, by dataset: a file with other lines has another one."""
    return {
        dataset: {file: repr(lines) for file, lines in world.files.items() if FILES[file] == dataset}
        for dataset in datasets
    }
