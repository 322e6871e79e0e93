from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import errors, extensions

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading import bulk
from platform_assets.warehouse.loads import DimensionLoad
from platform_assets.warehouse.star.dimensions import DimensionCounts, load_dimension
from platform_assets.warehouse.star.model import LOCATION, PRODUCT
from platform_assets.warehouse.star.rows import DIM_PRODUCT_SCHEMA
from platform_assets_tests.warehouse.rows import query
from platform_assets_tests.warehouse.star_world import (
    BEGINNING,
    CURRENCIES,
    END,
    FILES,
    Line,
    Warehouse,
    World,
    at,
    physical_rows,
    value_at,
)

INSTANTS = [at(day, hour) for day in (3, 5, 9) for hour in (0, 12)]
LINES = st.builds(
    Line,
    sold_at=st.sampled_from(INSTANTS),
    customer=st.sampled_from([None, "a", "b", "unknown"]),
    segment=st.sampled_from([None, "x", "y"]),
    product=st.sampled_from([None, "p", "q"]),
    channel=st.sampled_from([None, "Web"]),
    country=st.sampled_from([None, "FR", "ES"]),
    quantity=st.sampled_from([None, -1, 3]),
    profit=st.sampled_from([None, Decimal(7)]),
)
CATALOGUES = st.dictionaries(
    st.sampled_from(["p", "q", "r"]),
    st.dictionaries(st.sampled_from(INSTANTS), st.sampled_from([None, Decimal(1), Decimal("2.5")]), min_size=1),
    max_size=3,
)
WORLDS = st.builds(
    World,
    st.dictionaries(st.sampled_from(sorted(FILES)), st.lists(LINES, max_size=4).map(tuple)),
    CATALOGUES,
    st.sampled_from(["EUR", "USD", "GBP"]),
)
DELIVERIES = st.lists(st.tuples(WORLDS, st.integers(0, len(Warehouse.steps))), max_size=3)


@pytest.fixture
def warehouse(connection: extensions.connection, tmp_path: Path) -> Iterator[Warehouse]:
    made = Warehouse(connection, tmp_path)
    yield made
    made.engine.close()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, last=WORLDS)
def test_whatever_was_loaded_before_and_however_far_the_star_ends_as_after_one_clean_load(
    warehouse: Warehouse, deliveries: list[tuple[World, int]], last: World
) -> None:
    warehouse.clear()
    for world, steps in deliveries:
        warehouse.load(world, *warehouse.steps[:steps])
    warehouse.load(last, *warehouse.steps)
    found = warehouse.content()
    check_history(warehouse, last)
    check_facts(warehouse, last)
    warehouse.clear()
    warehouse.load(last, *warehouse.steps)
    assert found == warehouse.content()


def check_history(warehouse: Warehouse, world: World) -> None:
    """One current version per member, no gap, no overlap, and of each what the events say."""
    for table, natural, value, history in (
        ("dim_customer", "customer_id", "segment", world.segments),
        ("dim_product", "product_id", "cost_amount", world.costs),
    ):
        members: dict[str, list[tuple[Any, ...]]] = {}
        for name, *version in query(
            warehouse.connection,
            f"SELECT {natural}, valid_from AT TIME ZONE 'UTC', valid_to AT TIME ZONE 'UTC', is_current, {value}"
            f" FROM warehouse.{table} WHERE NOT is_special_member ORDER BY 1, 2",
        ):
            members.setdefault(name, []).append(tuple(version))
        for name, versions in members.items():
            assert [is_current for _, _, is_current, _ in versions] == [False] * (len(versions) - 1) + [True]
            assert versions[0][0] == BEGINNING
            assert versions[-1][1] == END
            assert [until for _, until, _, _ in versions[:-1]] == [since for since, _, _, _ in versions[1:]]
            assert [(since, found) for since, _, _, found in versions] == history(name)


def check_facts(warehouse: Warehouse, world: World) -> None:
    """Every fact beside what held at its instant, by replaying all events."""
    found = query(
        warehouse.connection,
        "SELECT source_file, source_row::int, customer_id, c.segment, product_id, p.cost_amount, f.cost_amount,"
        " f.profit_amount FROM warehouse.fct_sales AS f JOIN warehouse.dim_customer AS c USING (customer_key)"
        " JOIN warehouse.dim_product AS p USING (product_key) ORDER BY 1, 2",
    )
    assert found == sorted(expected_fact(world, file, row, line) for file, row, line in world.lines)


def expected_fact(world: World, file: str, row: int, line: Line) -> tuple[Any, ...]:
    customer, segment, product, unit_cost = "unknown", None, "unknown", None
    if line.customer not in {None, "unknown"}:
        customer, (_, segment) = str(line.customer), value_at(world.segments(str(line.customer)), line.sold_at)
    if line.product is not None:
        product, (_, unit_cost) = line.product, value_at(world.costs(line.product), line.sold_at)
    is_foreign = world.costs_in != CURRENCIES[FILES[file]]
    cost = None if unit_cost is None or line.quantity is None or is_foreign else unit_cost * line.quantity
    profit = line.profit if line.profit is not None else None if cost is None else 100 - cost
    return file, row, customer, segment, product, unit_cost, cost, profit


ONE, TWO, THREE = Decimal(1), Decimal(2), Decimal(3)
SOLD = (Line(at(4), product="p"), Line(at(6), product="p"), Line(at(8), product="p"), Line(at(8), product="q"))


def product_keys(warehouse: Warehouse) -> dict[tuple[str, Any], int]:
    """Surrogate key by product and beginning of the version."""
    rows = query(
        warehouse.connection, "SELECT product_id, valid_from AT TIME ZONE 'UTC', product_key FROM warehouse.dim_product"
    )
    return {(name, since): key for name, since, key in rows}


def costs(warehouse: Warehouse) -> list[Decimal | None]:
    """Cost of each sale line, in the order of the lines."""
    rows = query(warehouse.connection, "SELECT cost_amount FROM warehouse.fct_sales ORDER BY source_file, source_row")
    return [cost for (cost,) in rows]


def load_products(warehouse: Warehouse, *versions: tuple[str, Any, Any, Decimal | None]) -> DimensionCounts:
    """Make the products those given: name, validity and cost of each version."""
    names = ("product_id", "valid_from", "valid_to", "cost_amount")
    rows = [{**dict(zip(names, version, strict=True)), "is_in_catalog": True} for version in versions]
    batches = pa.Table.from_pylist(rows, DIM_PRODUCT_SCHEMA).to_batches()
    return load_dimension(warehouse.connection, PRODUCT, DIM_PRODUCT_SCHEMA, batches)


def test_a_change_that_arrives_late_splits_the_version_it_falls_into_and_moves_its_facts(warehouse: Warehouse) -> None:
    warehouse.load(World({"e1.csv": SOLD}, {"p": {at(3): ONE, at(7): THREE}}))
    before = product_keys(warehouse)
    assert costs(warehouse) == [ONE, ONE, THREE, None]
    others = "warehouse.fct_sales WHERE source_row <> 3"
    untouched = physical_rows(warehouse.connection, others)

    told = warehouse.load(World({"e1.csv": SOLD}, {"p": {at(3): ONE, at(5): TWO, at(7): THREE}}), "dim_product")
    assert told == {"dim_product": {"inserted": 1, "updated": 1, "deleted": 0, "unchanged": 2, "moved in facts": 1}}
    assert costs(warehouse) == [ONE, TWO, THREE, None]
    assert physical_rows(warehouse.connection, others) == untouched
    assert product_keys(warehouse).items() >= before.items()


def test_costs_in_another_currency_than_a_sale_are_none_of_it_and_facts_follow_what_is_said_of_it(
    warehouse: Warehouse,
) -> None:
    sold = World({"e1.csv": SOLD[:1], "r1.csv": SOLD[1:2]}, {"p": {at(3): ONE}})  # in EUR and in USD
    profits = "SELECT profit_amount, net_sales_with_profit_amount FROM warehouse.sales_measures ORDER BY source_file"
    known, unknown = (Decimal(99), Decimal(100)), (None, None)
    warehouse.load(sold)
    for currency, expected in (("EUR", [ONE, None]), ("USD", [None, ONE]), ("GBP", [None, None]), ("EUR", [ONE, None])):
        warehouse.load(replace(sold, costs_in=currency), "dim_product")
        assert costs(warehouse) == expected
        assert query(warehouse.connection, profits) == [known if cost else unknown for cost in expected]


def test_a_change_that_is_taken_back_joins_the_versions_again(warehouse: Warehouse) -> None:
    warehouse.load(World({"e1.csv": SOLD}, {"p": {at(3): ONE, at(5): TWO, at(7): THREE}}))
    before = product_keys(warehouse)
    warehouse.load(World({"e1.csv": SOLD}, {"p": {at(3): ONE, at(8): TWO}}), "dim_product")
    assert costs(warehouse) == [ONE, ONE, TWO, None]
    kept = {("p", BEGINNING), ("q", BEGINNING), ("unknown", BEGINNING)}
    assert product_keys(warehouse).items() >= {name: before[name] for name in kept}.items()
    assert product_keys(warehouse).keys() == kept | {("p", at(8))}


def test_a_member_known_by_its_id_alone_is_completed_in_place(warehouse: Warehouse) -> None:
    warehouse.load(World({"e1.csv": SOLD}))
    inferred = "SELECT product_id, is_inferred FROM warehouse.dim_product ORDER BY 1, valid_from"
    assert query(warehouse.connection, inferred) == [("p", True), ("q", True), ("unknown", False)]
    before = product_keys(warehouse)
    warehouse.load(World({"e1.csv": SOLD}, {"p": {at(3): ONE, at(5): TWO}}), "dim_product")
    assert query(warehouse.connection, inferred) == [("p", False), ("p", False), ("q", True), ("unknown", False)]
    assert product_keys(warehouse).items() >= before.items()
    assert costs(warehouse) == [ONE, TWO, TWO, None]


def test_members_that_are_told_again_without_change_are_not_written(warehouse: Warehouse) -> None:
    versions = [("p", BEGINNING, at(5), ONE), ("p", at(5), END, None), ("q", BEGINNING, END, TWO)]
    assert load_products(warehouse, *versions) == DimensionCounts(3, 0, 0, 0, 0)
    before = physical_rows(warehouse.connection, "warehouse.dim_product")
    assert load_products(warehouse, *reversed(versions)) == DimensionCounts(0, 0, 0, 3, 0)
    assert physical_rows(warehouse.connection, "warehouse.dim_product") == before


def test_a_core_table_that_is_loaded_already_is_not_read(warehouse: Warehouse) -> None:
    world = World({"e1.csv": SOLD})
    warehouse.load(world)
    load = warehouse.load_of("dim_product", world)
    assert isinstance(load, DimensionLoad)
    batches = iter(load.batches)
    load.batches = batches
    assert load.apply(warehouse.connection) == {"inserted": 0, "updated": 0, "deleted": 0}
    assert sum(batch.num_rows for batch in batches) == 2


def test_new_surrogate_keys_follow_the_natural_keys_and_time_however_the_rows_arrive(warehouse: Warehouse) -> None:
    names = [f"P{(number * 389) % 1000:03}" for number in range(1000)]
    load_products(
        warehouse,
        *((name, at(5), END, TWO) for name in names),
        *((name, BEGINNING, at(5), ONE) for name in reversed(names)),
    )
    by_key = sorted(product_keys(warehouse).items(), key=lambda item: item[1])
    assert [version for version, _ in by_key[1:]] == [(n, since) for n in sorted(names) for since in (BEGINNING, at(5))]


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([(BEGINNING, at(5)), (at(6), END)], id="a gap"),
        pytest.param([(BEGINNING, at(6)), (at(5), END)], id="an overlap"),
        pytest.param([(at(3), END)], id="no beginning"),
        pytest.param([(BEGINNING, at(3))], id="no end"),
        pytest.param([(BEGINNING, END), (at(3), END)], id="two current ones"),
    ],
)
def test_a_history_that_does_not_cover_all_time_once_is_refused(warehouse: Warehouse, versions: list[Any]) -> None:
    with pytest.raises(LoadError, match=r"versions for warehouse\.dim_product leave a gap or overlap"):
        load_products(warehouse, ("q", BEGINNING, END, ONE), *(("p", *validity, ONE) for validity in versions))
    assert product_keys(warehouse).keys() == {("unknown", BEGINNING)}


def test_the_database_refuses_two_versions_at_a_time(warehouse: Warehouse) -> None:
    load_products(warehouse, ("p", BEGINNING, at(5), ONE), ("p", at(5), END, TWO))
    with pytest.raises(errors.ExclusionViolation, match="dim_product_one_version_at_a_time"):
        query(warehouse.connection, "UPDATE warehouse.dim_product SET valid_to = '2024-01-06' WHERE cost_amount = 1")


def test_a_member_with_the_name_of_the_unknown_one_is_nobody(warehouse: Warehouse) -> None:
    versions = [("unknown", BEGINNING, at(5), ONE), ("unknown", at(5), END, TWO), ("p", BEGINNING, END, ONE)]
    assert load_products(warehouse, *versions) == DimensionCounts(1, 0, 0, 0, 0)
    assert product_keys(warehouse)["unknown", BEGINNING] == -1


@pytest.mark.parametrize("is_sold", [True, False])
def test_a_member_nobody_tells_of_any_more_goes_with_its_last_fact(warehouse: Warehouse, is_sold: bool) -> None:
    full = World({"e1.csv": (Line(at(4), product="p" if is_sold else None),)}, {"p": {at(3): ONE}})
    warehouse.load(full)
    warehouse.load(World(), "dim_product")
    orphans = "SELECT product_id, is_orphaned FROM warehouse.dim_product WHERE NOT is_special_member"
    assert query(warehouse.connection, orphans) == ([("p", True)] if is_sold else [])
    warehouse.load(full, "dim_product")
    assert query(warehouse.connection, orphans) == [("p", False)]
    warehouse.load(World())
    assert query(warehouse.connection, orphans) == []


def test_places_keep_their_keys_and_have_no_versions(warehouse: Warehouse) -> None:
    def load(*names: str) -> dict[str, int]:
        schema = pa.schema([("location_id", pa.string()), ("country", pa.string())])
        rows = [{"location_id": name, "country": name} for name in names]
        load_dimension(warehouse.connection, LOCATION, schema, pa.Table.from_pylist(rows, schema).to_batches())
        return dict(query(warehouse.connection, "SELECT location_id, location_key FROM warehouse.dim_location"))

    first = load("FR", "ES")
    second = load("DE", "ES")
    assert second.keys() == {"unknown", "DE", "ES"}
    assert (second["ES"], second["unknown"]) == (first["ES"], -1)
    assert second["DE"] not in first.values()


def test_a_bulk_load_of_versions_leaves_every_constraint_in_place(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "SMALLEST_BULK", 1)
    monkeypatch.setattr(bulk, "SMALLEST_SHARE", 0.0)
    constraints = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'warehouse.dim_product'::regclass ORDER BY 1"
    )
    before = query(warehouse.connection, constraints)
    index = "SELECT relfilenode FROM pg_class WHERE relname = 'dim_product_one_version_at_a_time'"
    made = query(warehouse.connection, index)
    warehouse.load(World({"e1.csv": SOLD}, {"p": {at(3): ONE, at(7): THREE}}))
    rebuilt = query(warehouse.connection, index)
    assert rebuilt != made
    warehouse.load(World({"e1.csv": SOLD}, {"p": {at(3): ONE, at(5): TWO, at(8): THREE}}))
    assert query(warehouse.connection, index) != rebuilt
    assert query(warehouse.connection, constraints) == before
    assert costs(warehouse) == [ONE, TWO, THREE, None]
