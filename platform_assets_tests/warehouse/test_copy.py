import math
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.copy import BATCH_ROWS, copy_batches
from platform_assets.warehouse.loading.encoders import BinaryEncoder
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets_tests.warehouse.rows import query

TABLE = sql.Identifier("pg_temp", "target")
NAIVE_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def connection(server: str) -> Iterator[extensions.connection]:
    """A connection for temporary tables; no test here needs a database of its own."""
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as opened:
        yield opened


@pytest.fixture
def target(connection: extensions.connection) -> Callable[[str], None]:
    """Make the temporary table ``target`` with columns given as in CREATE TABLE."""

    def make(columns: str) -> None:
        query(connection, f"CREATE TEMPORARY TABLE target ({columns})")

    return make


def copied(connection: extensions.connection, columns: dict[str, pa.Array]) -> list[tuple[Any, ...]]:
    """Copy the columns into ``target`` and read its rows back."""
    table = pa.table(columns)
    with transaction(connection) as cursor:
        copy_batches(cursor, TABLE, table.schema, table.to_batches())
    return query(connection, f"SELECT {', '.join(columns)} FROM pg_temp.target")


money = st.decimals(min_value="-99999999999999.9999", max_value="99999999999999.9999", places=4)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.sampled_from(
    ["", " ", "NULL", r"\N", r"\\", '"', "'", '"a","b"', "a\nb", "a\r\nb", "\t", r"\.", "ÄÖÜ ß", "日本", "🛒", "0012"]
)
instants = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))
TYPES: dict[str, tuple[str, pa.DataType, st.SearchStrategy[Any]]] = {
    "amount": ("numeric(18, 4)", pa.decimal128(18, 4), money),
    "large": ("bigint", pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "plain": ("integer", pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "small": ("smallint", pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "yes": ("boolean", pa.bool_(), st.booleans()),
    "share": ("double precision", pa.float64(), st.floats(allow_nan=False)),
    "words": ("text", pa.string(), texts),
    "day": ("date", pa.date32(), st.dates()),
    "at": ("timestamp", pa.timestamp("us"), instants),
    "at_utc": ("timestamptz", pa.timestamp("us", tz="UTC"), instants.map(lambda at: at.replace(tzinfo=UTC))),
}
records = st.fixed_dictionaries({name: st.none() | values for name, (_, _, values) in TYPES.items()})


@pytest.fixture(scope="module")
def every_type(server: str) -> Iterator[extensions.connection]:
    """A connection with tables that have a column of each type: one as it is, one with a column only CSV can carry."""
    columns = ", ".join(f"{name} {declared}" for name, (declared, _, _) in TYPES.items())
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as connection:
        query(connection, "SET timezone = 'UTC'")
        query(connection, f"CREATE TEMPORARY TABLE target (number int GENERATED ALWAYS AS IDENTITY, {columns})")
        query(connection, f"CREATE TEMPORARY TABLE by_csv (number int GENERATED ALWAYS AS IDENTITY, {columns}, j json)")
        yield connection


@pytest.mark.parametrize("table", ["target", "by_csv"])
@given(rows=st.lists(records, min_size=1, max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_arrives_as_it_was_sent(
    every_type: extensions.connection, table: str, rows: list[dict[str, Any]]
) -> None:
    schema = pa.schema([(name, arrow) for name, (_, arrow, _) in TYPES.items()])
    if table == "by_csv":
        schema = schema.append(pa.field("j", pa.string()))
    query(every_type, f"TRUNCATE {table}")
    with transaction(every_type) as cursor:
        totals = copy_batches(
            cursor, sql.Identifier("pg_temp", table), schema, pa.Table.from_pylist(rows, schema).to_batches()
        )
    assert query(every_type, f"SELECT {', '.join(TYPES)} FROM {table} ORDER BY number") == [
        tuple(row[name] for name in TYPES) for row in rows
    ]
    assert totals.rows == len(rows)
    assert totals.columns["words"].nulls == sum(row["words"] is None for row in rows)
    amounts = [row["amount"] for row in rows if row["amount"] is not None]
    assert totals.columns["amount"].total == (sum(amounts) if amounts else None)


@pytest.mark.parametrize(
    ("declared", "array", "expected"),
    [
        # A binary encoder that trusts its input stores these integers as 0.
        ("numeric(18, 4)", pa.array([5, -7, 10**13], pa.int64()), [5, -7, 10**13]),
        ("numeric(18, 4)", pa.array([Decimal("1.5")], pa.decimal128(38, 10)), [Decimal("1.5")]),
        ("numeric(18, 4)", pa.array([Decimal("1.5")], pa.decimal256(50, 2)), [Decimal("1.5")]),
        ("numeric(18, 4)", pa.nulls(2), [None, None]),
        ("numeric", pa.array([Decimal("0.123456")], pa.decimal128(18, 6)), [Decimal("0.123456")]),
        ("bigint", pa.array([Decimal(2**62)], pa.decimal128(38, 0)), [2**62]),
        ("bigint", pa.array([255], pa.uint8()), [255]),
        ("integer", pa.array([2**31 - 1], pa.int64()), [2**31 - 1]),
        ("double precision", pa.array([3], pa.int32()), [3.0]),
        ("double precision", pa.array([math.inf, -math.inf], pa.float64()), [math.inf, -math.inf]),
        ("text", pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        ("text", pa.array(["ä", ""], pa.large_string()), ["ä", ""]),
        ("text", pa.array(["x" * 20], pa.string_view()), ["x" * 20]),
        ("varchar(3)", pa.array(["abc"]), ["abc"]),
        ("date", pa.array([date(2024, 2, 29)], pa.date64()), [date(2024, 2, 29)]),
        (
            "timestamp",
            pa.array([1_500_000_000], pa.timestamp("ns")),
            [NAIVE_EPOCH.replace(second=1, microsecond=500000)],
        ),
        ("timestamp", pa.array([date(1970, 1, 1)], pa.date32()), [NAIVE_EPOCH]),
        ("timestamptz", pa.array([0], pa.timestamp("s")), [NAIVE_EPOCH.replace(tzinfo=UTC)]),
        ("timestamptz", pa.array([0], pa.timestamp("us", tz="Asia/Tokyo")), [NAIVE_EPOCH.replace(tzinfo=UTC)]),
        ("jsonb", pa.array(['{"a": 1}', None]), [{"a": 1}, None]),
        ("text[]", pa.array(['{a,"b c"}']), [["a", "b c"]]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_other_arrow_types_are_converted_without_loss(
    connection: extensions.connection,
    target: Callable[[str], None],
    declared: str,
    array: pa.Array,
    expected: list[Any],
) -> None:
    target(f"value {declared}")
    query(connection, "SET timezone = 'UTC'")
    assert copied(connection, {"value": array}) == [(value,) for value in expected]


@pytest.mark.parametrize(
    ("declared", "array", "message"),
    [
        ("numeric(18, 4)", pa.array([0.1]), r"double, which numeric\(18,4\) cannot hold exactly"),
        ("numeric(18, 4)", pa.array([Decimal("0.00001")]), r"does not fit numeric\(18,4\)"),
        ("numeric(18, 4)", pa.array([10**14], pa.int64()), r"does not fit numeric\(18,4\)"),
        ("integer", pa.array([2**31], pa.int64()), "does not fit integer"),
        ("bigint", pa.array([Decimal("1.5")]), "does not fit bigint"),
        ("bigint", pa.array(["1"]), "string, which bigint cannot hold exactly"),
        ("text", pa.array([1]), "int64, which text cannot hold exactly"),
        ("date", pa.array([0], pa.timestamp("us")), r"timestamp\[us\], which date cannot hold exactly"),
        ("timestamp", pa.array([1], pa.timestamp("ns")), "does not fit timestamp"),
        ("double precision", pa.array([2**53 + 1], pa.int64()), "does not fit double precision"),
        ("boolean", pa.array([1]), "int64, which boolean cannot hold exactly"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_what_the_target_cannot_hold_exactly_is_refused_with_the_column(
    connection: extensions.connection, target: Callable[[str], None], declared: str, array: pa.Array, message: str
) -> None:
    target(f"value {declared}")
    with pytest.raises(LoadError, match=f"(?s)value.*{message}"):
        copied(connection, {"value": array})
    assert query(connection, "SELECT count(*) FROM target") == [(0,)]


@pytest.mark.parametrize("other", ["bigint", "json"], ids=["binary", "csv"])
def test_a_nul_character_is_refused_with_its_line_and_column(
    connection: extensions.connection, target: Callable[[str], None], other: str
) -> None:
    target(f"name text, other {other}")
    with pytest.raises(LoadError, match=r"(?s)0x00.*line 2"):
        copied(connection, {"name": pa.array(["fine", "not\0fine"]), "other": pa.nulls(2)})


def test_columns_the_table_lacks_are_named(connection: extensions.connection, target: Callable[[str], None]) -> None:
    target("a int, b int")
    with pytest.raises(LoadError, match="no column c, d; it has a, b"):
        copied(connection, {name: pa.array([1], pa.int32()) for name in "acd"})


def test_a_missing_table_is_named(connection: extensions.connection) -> None:
    with pytest.raises(LoadError, match=r'no table "pg_temp"."target"'):
        copied(connection, {"a": pa.array([1])})


def test_a_batch_of_another_schema_is_refused(connection: extensions.connection, target: Callable[[str], None]) -> None:
    target("a bigint")
    schema = pa.schema([("a", pa.int64())])
    batches = [pa.record_batch({"a": [1]}, schema), pa.record_batch({"a": pa.array([2.5])})]
    with (
        pytest.raises(LoadError, match=r"schema \[a double\] instead of \[a int64\]"),
        transaction(connection) as cursor,
    ):
        copy_batches(cursor, TABLE, schema, batches)


def test_a_failing_source_of_batches_is_told_as_it_is(
    connection: extensions.connection, target: Callable[[str], None]
) -> None:
    target("a bigint")
    schema = pa.schema([("a", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"a": [1]}, schema)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"), transaction(connection) as cursor:
        copy_batches(cursor, TABLE, schema, batches())
    assert query(connection, "SELECT count(*) FROM target") == [(0,)]


def test_batches_of_any_size_are_encoded_in_bounded_pieces(
    connection: extensions.connection, target: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    target("a bigint")
    sizes: list[int] = []
    encode = BinaryEncoder.encode

    def noted(self: BinaryEncoder, batch: pa.RecordBatch) -> bytes:
        sizes.append(batch.num_rows)
        return encode(self, batch)

    monkeypatch.setattr(BinaryEncoder, "encode", noted)
    rows = 2 * BATCH_ROWS + 5
    schema = pa.schema([("a", pa.int64())])
    with transaction(connection) as cursor:
        totals = copy_batches(cursor, TABLE, schema, [pa.record_batch({"a": range(rows)}, schema)])
    assert sizes == [BATCH_ROWS, BATCH_ROWS, 5]
    assert (totals.rows, totals.columns["a"].total) == (rows, rows * (rows - 1) // 2)
    assert query(connection, "SELECT count(*), sum(a), max(a) FROM target") == [
        (rows, rows * (rows - 1) // 2, rows - 1)
    ]
