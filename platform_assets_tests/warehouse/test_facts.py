import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.loads import DimensionLoad, SliceLoad
from platform_assets.warehouse.star.model import PRODUCT
from platform_assets.warehouse.star.read import member_keys
from platform_assets_tests.warehouse.conftest import Connect
from platform_assets_tests.warehouse.rows import query
from platform_assets_tests.warehouse.star_world import Line, Warehouse, World, at, physical_rows
from platform_assets_tests.warehouse.test_interruptions import OTHERS_WAITING, until

ONE, TWO, FIVE = Decimal(1), Decimal(2), Decimal(5)
LINES = (Line(at(4), customer="a", segment="x", product="p", quantity=3), Line(at(6), customer="a", product="p"))
OLD = World({"e1.csv": LINES}, {"p": {at(3): ONE}})
NEW = World({"e1.csv": LINES, "e2.csv": (Line(at(8), customer="a", product="p"),)}, {"p": {at(3): ONE, at(5): FIVE}})

Open = Callable[[], Warehouse]


@pytest.fixture
def opened(connect: Connect, tmp_path: Path) -> Iterator[Open]:
    """Opens one warehouse over several connections, each with an engine of its own."""
    warehouses: list[Warehouse] = []

    def open_warehouse() -> Warehouse:
        warehouses.append(Warehouse(connect(), tmp_path / str(len(warehouses))))
        return warehouses[-1]

    yield open_warehouse
    for warehouse in warehouses:
        warehouse.engine.close()


@pytest.fixture
def warehouse(opened: Open) -> Warehouse:
    return opened()


def facts(warehouse: Warehouse, columns: str, table: str = "fct_sales") -> list[tuple[Any, ...]]:
    return query(warehouse.connection, f"SELECT {columns} FROM warehouse.{table} ORDER BY source_file, source_row")


@pytest.mark.parametrize(
    ("line", "cost", "profit"),
    [
        pytest.param(Line(at(4), product="p", quantity=3), "3.0000", "97.0000", id="the cost of then"),
        pytest.param(Line(at(5), product="p", quantity=3), "15.0000", "85.0000", id="the cost from this instant on"),
        pytest.param(Line(at(6), product="p", quantity=-2), "-10.0000", "110.0000", id="a return"),
        pytest.param(Line(at(1), product="p"), "1.0000", "99.0000", id="before the catalogue begins"),
        pytest.param(Line(at(1).replace(year=1850), product="p"), "1.0000", "99.0000", id="before all time"),
        pytest.param(Line(at(6), product="p", profit=Decimal(7)), "5.0000", "7.0000", id="the profit of the source"),
        pytest.param(Line(at(6), product="p", quantity=None), None, None, id="no quantity"),
        pytest.param(Line(at(6), product="q"), None, None, id="a product without a cost"),
        pytest.param(Line(at(6)), None, None, id="no product"),
        pytest.param(Line(at(6), profit=Decimal(7)), None, "7.0000", id="no product, but a profit"),
    ],
)
def test_cost_and_profit_are_those_of_the_version_valid_at_the_sale(
    warehouse: Warehouse, line: Line, cost: str | None, profit: str | None
) -> None:
    if line.sold_at.year == 1850:
        day = "INSERT INTO warehouse.dim_date (date_key, date, is_orphaned) VALUES (18500101, '1850-01-01', false)"
        query(warehouse.connection, day)
    warehouse.load(World({"e1.csv": (line,)}, {"p": {at(3): ONE, at(5): FIVE}}))
    assert facts(warehouse, "cost_amount::text, profit_amount::text") == [(cost, profit)]


def test_amounts_are_in_the_currency_of_their_dataset(warehouse: Warehouse) -> None:
    warehouse.load(World({"e1.csv": LINES, "r1.csv": (Line(at(4), customer="a", channel="Web", quantity=2),)}))
    assert facts(warehouse, "source_system, currency") == [
        *[("ecommerce_transactions", "EUR")] * 2,
        ("retail_analytics", "USD"),
    ]
    assert facts(warehouse, "amount::text, items, currency", "fct_customer_interactions") == [("100.0000", 2, "USD")]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(Line(at(4), customer="new"), id="customer"),
        pytest.param(Line(at(4), product="new"), id="product"),
        pytest.param(Line(at(4), channel="new"), id="channel"),
        pytest.param(Line(at(4), country="new"), id="place"),
    ],
)
def test_a_line_that_names_a_member_nobody_has_loaded_is_refused_not_given_to_the_unknown(
    warehouse: Warehouse, line: Line
) -> None:
    with pytest.raises(LoadError, match=r"(?s)1 rows for warehouse\.fct_sales name a .* does not have.*Load") as told:
        warehouse.load(World({"e1.csv": (line, Line(at(5)))}), "fct_sales")
    assert "'new'" not in str(told.value)
    assert facts(warehouse, "*") == []


def paused(load: DimensionLoad | SliceLoad, reached: threading.Event, go_on: threading.Event) -> None:
    """Have a load stop when its rows are half read: locks are held then, and keys have been looked up."""

    def stopping(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from batches
        reached.set()
        assert go_on.wait(60)

    if isinstance(load, DimensionLoad):
        load.batches = stopping(iter(load.batches))
    else:
        rows_of = load.rows_of
        object.__setattr__(load, "rows_of", lambda *asked: stopping(iter(rows_of(*asked))))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("fct_sales", "dim_product"),
        ("dim_product", "fct_sales"),
        ("fct_sales", "dim_customer"),
        ("dim_product", "dim_customer"),
    ],
)
def test_facts_point_to_the_versions_of_their_time_whoever_loads_at_the_same_time(
    opened: Open, first: str, second: str
) -> None:
    one, other, watcher = opened(), opened(), opened()
    new = World({**NEW.files, "e1.csv": (*LINES, Line(at(7), customer="a", segment="y", product="p"))}, NEW.catalogue)
    watcher.load(OLD)
    reached, go_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        load = one.load_of(first, new)
        assert isinstance(load, DimensionLoad | SliceLoad)
        paused(load, reached, go_on)
        one_done = pool.submit(load.apply, one.connection)
        assert reached.wait(60)
        other_done = pool.submit(other.load_of(second, new).apply, other.connection)
        if "fct_sales" in {first, second}:
            until(lambda: query(watcher.connection, OTHERS_WAITING) == [(1,)])
        go_on.set()
        one_done.result(60)
        other_done.result(60)
    assert misplaced(watcher) == []
    watcher.load(new)
    found = watcher.content()
    watcher.clear()
    watcher.load(new)
    assert watcher.content() == found


def misplaced(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """Facts that point to a version of another time, or have another cost than it."""
    return query(
        warehouse.connection,
        "SELECT f.* FROM warehouse.fct_sales AS f JOIN warehouse.dim_customer AS c USING (customer_key)"
        " JOIN warehouse.dim_product AS p USING (product_key)"
        " WHERE f.sold_at NOT BETWEEN c.valid_from AND c.valid_to - interval '1 microsecond'"
        " OR f.sold_at NOT BETWEEN p.valid_from AND p.valid_to - interval '1 microsecond'"
        " OR f.cost_amount IS DISTINCT FROM f.quantity * p.cost_amount",
    )


@pytest.mark.parametrize(
    ("step", "world", "held"),
    [
        pytest.param("dim_product", NEW, "SELECT FROM warehouse.fct_sales FOR UPDATE", id="before facts move"),
        pytest.param("dim_product", NEW, "LOCK ops.loaded_slices IN SHARE MODE", id="after facts moved"),
        pytest.param(
            "dim_product",
            World(OLD.files, {"p": {at(5): TWO}, "q": {at(5): TWO}}),
            "SELECT FROM warehouse.dim_product WHERE product_id = 'p' FOR UPDATE",
            id="before versions change",
        ),
        pytest.param("fct_sales", NEW, "LOCK ops.loaded_slices IN SHARE MODE", id="after facts are replaced"),
    ],
)
def test_a_load_whose_session_ends_in_the_middle_changes_nothing(
    opened: Open, step: str, world: World, held: str
) -> None:
    loading, holder, watcher = opened(), opened(), opened()
    watcher.load(OLD)
    before = watcher.content()
    with ThreadPoolExecutor(1) as pool, holder.connection.cursor() as cursor:
        cursor.execute(held)
        done = pool.submit(loading.load_of(step, world).apply, loading.connection)
        until(lambda: query(watcher.connection, OTHERS_WAITING) == [(1,)])
        query(watcher.connection, "SELECT pg_terminate_backend(%s)", [loading.connection.info.backend_pid])
        with pytest.raises(LoadError, match="PostgreSQL broke the load off"):
            done.result(60)
        holder.connection.rollback()
    assert watcher.content() == before
    opened().load(world)
    assert misplaced(watcher) == []


def test_a_replay_of_everything_writes_nothing(warehouse: Warehouse) -> None:
    warehouse.load(NEW)
    tables = ["warehouse.dim_customer", "warehouse.dim_product", "warehouse.fct_sales", "ops.loaded_slices"]
    before = [physical_rows(warehouse.connection, table) for table in tables]
    warehouse.load(NEW)
    assert [physical_rows(warehouse.connection, table) for table in tables] == before


def test_a_transaction_around_loads_publishes_all_or_nothing(warehouse: Warehouse) -> None:
    def load(world: World) -> None:
        with transaction(warehouse.connection):
            warehouse.load(world)
            if world is NEW:
                raise LoadError("stop", "here")

    load(OLD)
    before = warehouse.content()
    with pytest.raises(LoadError, match="stop"):
        load(NEW)
    assert warehouse.content() == before


AWKWARD = ["", " ", '"', 'a"b', "a,b", "a\nb", "a\r\nb", "a\\b", r"\N", "NULL", "0012", "1e5", "ß", "日本", "🛒"]


def test_the_keys_of_members_come_with_every_natural_key_as_it_is(warehouse: Warehouse) -> None:
    warehouse.load(World({}, {name: {at(3): ONE} for name in AWKWARD}), "dim_product")
    read = member_keys(warehouse.connection, PRODUCT)
    stored = query(warehouse.connection, "SELECT product_id, product_key FROM warehouse.dim_product")
    assert set(read["product_id"].to_pylist()) == {*AWKWARD, "unknown"}
    assert dict(zip(read["product_id"].to_pylist(), read["product_key"].to_pylist(), strict=True)) == dict(stored)


def test_the_keys_of_versions_come_with_their_time_open_at_both_ends(warehouse: Warehouse) -> None:
    between = at(5).replace(microsecond=123_456)
    warehouse.load(World({}, {"p": {at(3): ONE, between: None}}), "dim_product")
    read = member_keys(warehouse.connection, PRODUCT).drop_columns(["product_key"])
    unknown = {"cost_amount": None, "price_currency": None}
    assert read.to_pylist() == [
        {"product_id": "unknown", "valid_from": None, "valid_to": None, **unknown},
        {"product_id": "p", "valid_from": None, "valid_to": between, "cost_amount": ONE, "price_currency": "EUR"},
        {"product_id": "p", "valid_from": between, "valid_to": None, "cost_amount": None, "price_currency": "EUR"},
    ]
