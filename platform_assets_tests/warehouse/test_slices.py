from typing import Any

import pytest
from psycopg2 import extensions

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading import bulk
from platform_assets.warehouse.loading.slices import SliceCounts, loaded_slices, replace_slices
from platform_assets_tests.warehouse.conftest import Connect
from platform_assets_tests.warehouse.rows import (
    DATASET,
    SALES,
    SALES_SCHEMA,
    load_sales,
    loaded_lines,
    query,
    sale,
    sales,
)

TWO_FILES = [sale("a.csv", 1, "1.0000"), sale("a.csv", 2, "2.0000"), sale("b.csv", 1, "4.0000")]


@pytest.fixture(params=["row by row", "in bulk"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways rows go into their table."""
    if request.param == "in bulk":
        monkeypatch.setattr(bulk, "SMALLEST_BULK", 1)
        monkeypatch.setattr(bulk, "SMALLEST_SHARE", 0.0)
    return str(request.param)


def definitions(connection: extensions.connection) -> list[tuple[Any, ...]]:
    """Constraints, indexes, columns and rights of the sales table, as PostgreSQL writes them."""
    return query(
        connection,
        """
        SELECT conname, pg_get_constraintdef(oid), convalidated::text FROM pg_constraint
        WHERE conrelid = 'warehouse.fct_sales'::regclass
        UNION ALL SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text FROM pg_index
        WHERE indrelid = 'warehouse.fct_sales'::regclass
        UNION ALL SELECT relname, relacl::text, '' FROM pg_class WHERE oid = 'warehouse.fct_sales'::regclass
        UNION ALL SELECT attname, attnotnull::text, '' FROM pg_attribute
        WHERE attrelid = 'warehouse.fct_sales'::regclass
        ORDER BY 1, 2
        """,
    )


def test_a_changed_file_replaces_exactly_its_rows(connection: extensions.connection, way: str) -> None:
    assert load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES) == SliceCounts(0, 3)
    others = "SELECT ctid, xmin FROM warehouse.fct_sales WHERE source_file = 'b.csv'"
    before = query(connection, others)
    assert load_sales(connection, {"a.csv": "2"}, [sale("a.csv", 2, "8.0000")]) == SliceCounts(2, 1), way
    assert loaded_lines(connection) == [("a.csv", 2, "8.0000"), ("b.csv", 1, "4.0000")]
    assert query(connection, others) == before
    assert loaded_slices(connection, SALES, DATASET) == {"a.csv": "2", "b.csv": "1"}


def test_a_removed_file_takes_exactly_its_rows_with_it(connection: extensions.connection) -> None:
    load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES)
    assert load_sales(connection, {}, [], removed=["a.csv"]) == SliceCounts(2, 0)
    assert loaded_lines(connection) == [("b.csv", 1, "4.0000")]
    assert loaded_slices(connection, SALES, DATASET) == {"b.csv": "1"}


def test_a_file_of_another_dataset_with_the_same_name_is_another_file(connection: extensions.connection) -> None:
    load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES)
    line = sale("a.csv", 1, "16.0000", source_system="superstore_sales")
    replace_slices(connection, SALES, {("superstore_sales", "a.csv"): "1"}, [], SALES_SCHEMA, sales([line]))
    load_sales(connection, {}, [], removed=["a.csv", "b.csv"])
    assert loaded_lines(connection) == [("a.csv", 1, "16.0000")]
    assert loaded_slices(connection, SALES, "superstore_sales") == {"a.csv": "1"}


def test_the_same_slices_again_write_nothing_and_read_nothing(connection: extensions.connection) -> None:
    load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES)
    state = "SELECT ctid, xmin, xmax FROM warehouse.fct_sales UNION ALL SELECT ctid, xmin, xmax FROM ops.loaded_slices"
    before = query(connection, state)
    batches = iter(sales(TWO_FILES))
    counts = replace_slices(
        connection, SALES, {(DATASET, "a.csv"): "1"}, [(DATASET, "gone.csv")], SALES_SCHEMA, batches
    )
    assert (counts, len(list(batches))) == (SliceCounts(0, 0), 2)
    assert query(connection, state) == before


def test_a_file_without_rows_is_known_as_loaded(connection: extensions.connection) -> None:
    assert load_sales(connection, {"empty.csv": "1"}, []) == SliceCounts(0, 0)
    assert loaded_slices(connection, SALES, DATASET) == {"empty.csv": "1"}


def test_the_record_has_the_rows_of_each_file(connection: extensions.connection) -> None:
    load_sales(connection, {"a.csv": "1", "b.csv": "1", "c.csv": "1"}, TWO_FILES)
    recorded = query(connection, "SELECT source_file, loaded_rows FROM ops.loaded_slices ORDER BY 1")
    assert recorded == [("a.csv", 2), ("b.csv", 1), ("c.csv", 0)]


@pytest.mark.parametrize(
    "foreign",
    [sale("c.csv", 1), sale("a.csv", 9, source_system="superstore_sales")],
    ids=["of another file", "of another dataset"],
)
def test_rows_that_are_not_of_the_named_files_are_refused(
    connection: extensions.connection, foreign: dict[str, Any]
) -> None:
    with pytest.raises(LoadError, match=f"1 of {foreign['source_file']} in {foreign['source_system']}"):
        load_sales(connection, {"a.csv": "1", "b.csv": "1"}, [*TWO_FILES, foreign])
    assert loaded_lines(connection) == []


def test_a_file_cannot_be_loaded_and_removed_at_once(connection: extensions.connection) -> None:
    with pytest.raises(LoadError, match=r"both loaded and removed: ecommerce_transactions/a\.csv"):
        load_sales(connection, {"a.csv": "1"}, [], removed=["a.csv"])


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"customer_key": 4711}, "fct_sales_customer_fkey"),
        ({"product_key": 4711}, "fct_sales_product_fkey"),
        ({"channel_key": 4711}, "fct_sales_channel_fkey"),
        ({"location_key": 4711}, "fct_sales_location_fkey"),
        ({"date_key": 19990101}, "fct_sales_date_fkey"),
        ({"source_row": 1}, "fct_sales_pkey"),
        ({"net_amount": None}, "net_amount"),
    ],
)
def test_rows_that_break_a_constraint_leave_everything_as_it_was(
    connection: extensions.connection, way: str, change: dict[str, Any], constraint: str
) -> None:
    load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES)
    before = definitions(connection)
    with pytest.raises(LoadError, match=f"(?s)nothing was written.*{constraint}"):
        load_sales(connection, {"a.csv": "2"}, [sale("a.csv", 1), sale("a.csv", 2, **change)])
    assert loaded_lines(connection) == [("a.csv", 1, "1.0000"), ("a.csv", 2, "2.0000"), ("b.csv", 1, "4.0000")], way
    assert loaded_slices(connection, SALES, DATASET) == {"a.csv": "1", "b.csv": "1"}
    assert definitions(connection) == before


def test_constraints_indexes_rights_and_views_survive_a_load(connection: extensions.connection, way: str) -> None:
    query(connection, "GRANT SELECT ON warehouse.fct_sales TO pg_monitor")
    query(connection, "CREATE VIEW analytics.revenue AS SELECT sum(net_amount) AS revenue FROM warehouse.fct_sales")
    before = definitions(connection)
    load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES)
    assert definitions(connection) == before, way
    assert query(connection, "SELECT revenue::text FROM analytics.revenue") == [("7.0000",)]


def test_a_view_that_relies_on_the_primary_key_does_not_stand_in_the_way(
    connection: extensions.connection, way: str
) -> None:
    query(
        connection,
        "CREATE VIEW analytics.by_line AS SELECT country, count(*) AS lines FROM warehouse.fct_sales"
        " GROUP BY source_system, source_file, source_row",
    )
    assert load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES).inserted == 3, way
    assert query(connection, "SELECT count(*) FROM analytics.by_line") == [(3,)]


@pytest.mark.parametrize("busy", ["warehouse.fct_sales", "warehouse.dim_customer"])
def test_a_reader_who_keeps_a_table_busy_makes_a_load_slower_and_no_more(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, busy: str
) -> None:
    monkeypatch.setattr(bulk, "SMALLEST_BULK", 1)
    monkeypatch.setattr(bulk, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(bulk, "_TABLE_WAIT", "50ms")
    connection, reader = connect(), connect()
    before = definitions(connection)
    with reader.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {busy}")
        load_sales(connection, {"a.csv": "1", "b.csv": "1"}, TWO_FILES)
        cursor.execute("SELECT count(*) FROM warehouse.fct_sales")
        assert cursor.fetchone() == (3,)
    assert "rows go in one by one" in caplog.text
    assert definitions(connection) == before
    with pytest.raises(LoadError, match="fct_sales_customer_fkey"):
        load_sales(connection, {"c.csv": "1"}, [sale("c.csv", 1, customer_key=4711)])


def test_a_small_share_of_a_large_table_goes_in_row_by_row(
    connection: extensions.connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "SMALLEST_BULK", 1)
    many = [sale("a.csv", row) for row in range(600)]
    index = "SELECT relfilenode FROM pg_class WHERE relname = 'fct_sales_customer_key_idx'"
    made = query(connection, index)
    load_sales(connection, {"a.csv": "1"}, many)
    rebuilt = query(connection, index)
    assert rebuilt != made
    load_sales(connection, {"b.csv": "1"}, [sale("b.csv", 1)])
    assert query(connection, index) == rebuilt
