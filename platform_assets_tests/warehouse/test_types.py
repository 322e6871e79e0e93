"""Every Arrow type into every type of column: the values arrive exactly, or a LoadError says why not."""

import json
import math
import struct
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NoReturn

import psycopg2
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.copy import copy_batches
from platform_assets.warehouse.loading.staging import staged
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets_tests.warehouse.rows import query

TARGETS = (
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "numeric(18,4)",
    "numeric(12,2)",
    "numeric(38,0)",
    "real",
    "double precision",
    "boolean",
    "text",
    "varchar(3)",
    "date",
    "timestamp",
    "timestamptz",
    "jsonb",
    "text[]",
    "uuid",
)
INTEGER_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
UNSCALED_DIGITS, UNSCALED_PLACES = 38, 10
"""What a numeric column without a scale takes."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
REFUSED = object()


@dataclass(frozen=True)
class Source:
    """A column to be loaded: what its values mean, and one array per value.

    Attributes:
        family: What kind of values they are.
        values: What they mean in Python; REFUSED for those PostgreSQL cannot hold.
        arrays: Each value as an array of one.
    """

    name: str
    family: str
    values: Sequence[Any]
    arrays: Sequence[pa.Array]


def source(family: str, kind: pa.DataType, values: Sequence[Any], raw: Sequence[Any] | None = None) -> Source:
    """Values as an Arrow type holds them; ``raw`` is what Arrow is given, where that is something else."""
    return Source(str(kind), family, values, [pa.array([value], kind) for value in (values if raw is None else raw)])


def integers(kind: pa.DataType, bits: int, *, signed: bool) -> Source:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    edges = [sign * 2**power + step for power in (15, 24, 31, 53, 63) for sign in (1, -1) for step in (-1, 0, 1)]
    return source("integer", kind, sorted({low, 0, 1, high, *(edge for edge in edges if low <= edge <= high)}))


def decimals(kind: pa.DataType, *digits: str) -> Source:
    return source("decimal", kind, [Decimal(text) for text in digits])


def instants(unit: str, zone: str | None, counts: Sequence[int]) -> Source:
    """Instants as counts of a unit since 1970; those outside of the years 1 to 9999 have no meaning in Python."""
    nanoseconds = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    meant = [instant(count * nanoseconds) for count in counts]
    kind = pa.timestamp(unit, zone)
    return Source(str(kind), "instant", meant, [pa.array([count], pa.int64()).cast(kind) for count in counts])


def instant(nanoseconds: int) -> Any:
    whole, rest = divmod(nanoseconds, 1000)
    try:
        return REFUSED if rest else EPOCH + whole * MICROSECOND
    except OverflowError:
        return REFUSED


def broken_text() -> Source:
    """A lone surrogate: Arrow takes the bytes for text without looking at them."""
    array = pa.array([b"a\xed\xa0\x80"], pa.binary()).view(pa.string())
    return Source("string with a lone surrogate", "text", [REFUSED], [array])


INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
YEAR_1 = int((datetime(1, 1, 1, tzinfo=UTC) - EPOCH) / MICROSECOND)
YEAR_10000 = int((datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - EPOCH) / MICROSECOND) + 1
POSTGRES_EPOCH = int((datetime(2000, 1, 1, tzinfo=UTC) - EPOCH) / MICROSECOND)
MICROSECONDS = (0, 1, -1, -86_400_000_001, POSTGRES_EPOCH, YEAR_1, YEAR_1 - 1, YEAR_10000 - 1, YEAR_10000)
# PostgreSQL counts from 2000: these would come out as "-infinity" and, by overflow, as a year far in the future.
MICROSECONDS_ODD = (INT64_MIN, INT64_MIN + 1, INT64_MIN + POSTGRES_EPOCH, INT64_MIN + POSTGRES_EPOCH - 1, INT64_MAX)
WORDS = (
    *("", " ", "abc", "abcd", "ab   ", "äöü", "日本語", "🛒🛒🛒", "NULL", r"\N", r"\.", 'a"b', "a,b", "a\nb", "0012"),
    *('{"a": [1, 2.50, null, "\\u00e4"]}', "12", "true", "{}", '{a,"b c",NULL}', "{{1,2},{3,4}}"),
    *("6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff8b86d011b42d00c04fc964ff"),
)
FLOATS = (0.0, -0.0, 1.0, 0.5, 0.1, -2.75, 2.0**24 + 1, 1e300, 5e-324, 1.7976931348623157e308)
SINGLES = (0.0, -0.0, 1.5, struct.unpack("f", struct.pack("f", 0.1))[0], 2.0**-149, 3.4028234663852886e38)
DAYS_OF_YEAR_1 = (date(1, 1, 1) - date(1970, 1, 1)).days
DAYS_OF_YEAR_10000 = (date.max - date(1970, 1, 1)).days + 1
POSTGRES_EPOCH_DAYS = (date(2000, 1, 1) - date(1970, 1, 1)).days
DAYS = (0, -1, 10_957, 19_782, DAYS_OF_YEAR_1, DAYS_OF_YEAR_1 - 1, DAYS_OF_YEAR_10000 - 1, DAYS_OF_YEAR_10000)
DAYS_ODD = (-(2**31), -(2**31) + POSTGRES_EPOCH_DAYS, -(2**31) + POSTGRES_EPOCH_DAYS - 1, 2**31 - 1)


def days(kind: pa.DataType, counts: Sequence[int], unit: int) -> Source:
    """Days since 1970; in units of a part of a day, where the type counts those."""
    meant = [day(count) for count in counts]
    raw = pa.int32() if unit == 1 else pa.int64()
    return Source(str(kind), "date", meant, [pa.array([count * unit], raw).cast(kind) for count in counts])


def day(count: int) -> Any:
    try:
        return date(1970, 1, 1) + timedelta(days=count)
    except OverflowError:
        return REFUSED


SOURCES = (
    *(integers(kind, bits, signed=True) for kind, bits in zip(
        (pa.int8(), pa.int16(), pa.int32(), pa.int64()), (8, 16, 32, 64), strict=True)),
    *(integers(kind, bits, signed=False) for kind, bits in zip(
        (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()), (8, 16, 32, 64), strict=True)),
    Source("dictionary of int64", "integer", [5, 2**40], [pa.array([v]).dictionary_encode() for v in (5, 2**40)]),
    source("float", pa.float16(), (0.0, 1.5, -65504.0, math.inf, math.nan)),
    source("float", pa.float32(), (*SINGLES, math.inf, -math.inf, math.nan)),
    source("float", pa.float64(), (*FLOATS, *SINGLES, math.inf, -math.inf, math.nan)),
    decimals(pa.decimal32(9, 2), "1.50", "-9999999.99"),
    decimals(pa.decimal64(18, 4), "99999999999999.9999", "-0.0001"),
    decimals(pa.decimal128(18, 4), "0", "1.5", "99999999999999.9999", "-99999999999999.9999", "0.0001", "-7"),
    decimals(pa.decimal128(12, 2), "9999999999.99", "-9999999999.99", "0.01"),
    decimals(pa.decimal128(38, 0), "9" * 38, "-" + "9" * 38, "0", str(2**63), str(2**63 - 1), str(-(2**63) - 1)),
    decimals(pa.decimal128(38, 0), "32768"),
    decimals(pa.decimal128(38, 10), "0.0000000001", "1.5", "-" + "9" * 28, "9" * 28 + ".9999999999", "100000000000000"),
    decimals(pa.decimal128(38, 38), "0." + "9" * 38, "0.5", "0"),
    decimals(pa.decimal128(5, -2), "12300", "0"),
    decimals(pa.decimal256(76, 10), "1.5", "9" * 30, "9" * 60, "0.0001", "0.00001", "-" + "9" * 14 + ".9999"),
    source("boolean", pa.bool_(), (True, False)),
    *(source("text", kind, (*WORDS, REFUSED), (*WORDS, "a\0b"))
        for kind in (pa.string(), pa.large_string(), pa.string_view())),
    Source("dictionary of string", "text", WORDS, [pa.array([word]).dictionary_encode() for word in WORDS]),
    Source("dictionary of large string", "text", WORDS,
        [pa.array([word], pa.large_string()).dictionary_encode() for word in WORDS]),
    broken_text(),
    days(pa.date32(), (*DAYS, *DAYS_ODD), 1),
    days(pa.date64(), DAYS, 86_400_000),
    Source(
        "date64 within a day", "instant", [EPOCH + timedelta(milliseconds=1)],
        [pa.array([1], pa.int64()).cast(pa.date64())],
    ),
    *(instants("us", zone, (*MICROSECONDS, *MICROSECONDS_ODD)) for zone in (None, "UTC", "Asia/Kathmandu")),
    *(
        instants("s", zone, (0, -1, YEAR_1 // 10**6, YEAR_10000 // 10**6, INT64_MIN, INT64_MAX))
        for zone in (None, "UTC")
    ),
    instants("ms", None, (0, -1, 1_001, YEAR_10000 // 1000 - 1, YEAR_10000 // 1000)),
    *(instants("ns", zone, (0, 1, 1000, -1, -1000, INT64_MIN, INT64_MAX)) for zone in (None, "America/St_Johns")),
    source("other", pa.time32("s"), (time(1),)),
    source("other", pa.time64("us"), (time(1),)),
    source("other", pa.duration("us"), (timedelta(1),)),
    source("other", pa.month_day_nano_interval(), ((1, 2, 3),)),
    source("other", pa.binary(), (b"a", b"")),
    source("other", pa.large_binary(), (b"12",)),
    source("other", pa.binary_view(), (b"12",)),
    source("other", pa.binary(3), (b"abc",)),
    source("other", pa.list_(pa.string()), (["a"],)),
    source("other", pa.large_list(pa.int64()), ([1],)),
    source("other", pa.list_(pa.int64(), 1), ([1],)),
    source("other", pa.struct([("a", pa.int64())]), ({"a": 1},)),
    source("other", pa.map_(pa.string(), pa.int64()), ([("a", 1)],)),
    Source(
        "uuid", "other", [REFUSED], [pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"a" * 16], pa.binary(16)))]
    ),
)  # fmt: skip


def takes(target: str, family: str) -> bool:
    """Whether a column may hold values of a family at all."""
    families = {
        "integer": {"integer", "decimal"},
        "numeric": {"integer", "decimal"},
        "float": {"integer", "float"},
        "timestamp": {"date", "instant"},
        "parsed": {"text"},
    }
    column = _column_family(target)
    return family in families.get(column, {column})


def meant(value: Any, target: str) -> Any:
    """What a column holds of a value of a family it takes, by arithmetic; REFUSED where it cannot hold it exactly."""
    convert: dict[str, Callable[[Any, str], Any]] = {
        "integer": _as_integer,
        "numeric": _as_numeric,
        "float": _as_float,
        "text": _as_text,
        "timestamp": _as_instant,
        "parsed": _as_parsed,
    }
    family = _column_family(target)
    return convert[family](value, target) if family in convert and value is not REFUSED else value


def _column_family(target: str) -> str:
    if target in INTEGER_BITS:
        return "integer"
    named = {"real": "float", "double precision": "float", "varchar(3)": "text", "timestamptz": "timestamp"}
    parsed = dict.fromkeys(("jsonb", "text[]", "uuid"), "parsed")
    return (named | parsed).get(target, target.split("(", maxsplit=1)[0])


def _as_integer(value: Decimal | int, target: str) -> Any:
    limit = 2 ** (INTEGER_BITS[target] - 1)
    return int(value) if value == int(value) and -limit <= value < limit else REFUSED


def _as_numeric(value: Decimal | int, target: str) -> Any:
    _, _, inside = target.partition("(")
    digits, places = map(int, inside[:-1].split(",")) if inside else (UNSCALED_DIGITS, UNSCALED_PLACES)
    numerator, denominator = Decimal(value).as_integer_ratio()
    shifted, rest = divmod(numerator * 10**places, denominator)
    return REFUSED if rest or abs(shifted) >= 10**digits else Decimal(value)


def _as_float(value: float, target: str) -> Any:
    if isinstance(value, int):
        # Larger ones are refused even where they have few binary digits.
        return float(value) if abs(value) <= 2 ** (24 if target == "real" else 53) else REFUSED
    if target == "real" and math.isfinite(value):
        try:
            return value if struct.unpack("f", struct.pack("f", value))[0] == value else REFUSED
        except OverflowError:
            return REFUSED
    return value


def _as_text(value: str, target: str) -> Any:
    return REFUSED if target == "varchar(3)" and len(value) > 3 else value


def _as_instant(value: date, target: str) -> Any:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if target == "timestamptz" else value.replace(tzinfo=None)


def _as_parsed(value: str, target: str) -> Any:
    readers: dict[str, Callable[[str], Any]] = {
        "jsonb": json.loads,
        "uuid": lambda text: str(uuid.UUID(text)),
        "text[]": lambda text: {
            "{}": [], '{a,"b c",NULL}': ["a", "b c", None], "{{1,2},{3,4}}": [["1", "2"], ["3", "4"]]
        }[text],
    }  # fmt: skip
    try:
        return readers[target](value)
    except (ValueError, KeyError):
        return REFUSED


class _Undone(Exception):  # noqa: N818 - no error: the way out of a transaction that is not to stay
    """Ends a load whose values have been read back."""

    def __init__(self, held: list[Any]) -> None:
        self.held = held


@pytest.fixture(scope="module")
def session(server: str) -> Iterator[extensions.connection]:
    """A connection with two temporary tables for each type: one as it is, one with a column only CSV can carry."""
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as connection:
        query(connection, "SET timezone = 'UTC'")
        for number, target in enumerate(TARGETS):
            query(connection, f"CREATE TEMPORARY TABLE binary_{number} (value {target})")
            query(connection, f"CREATE TEMPORARY TABLE csv_{number} (value {target}, other json)")
        yield connection


def arrived(connection: extensions.connection, way: str, target: str, array: pa.Array) -> list[Any] | None:
    """What a column holds after a load; ``None`` when the load was refused in words. Nothing stays."""
    table = sql.Identifier("pg_temp", f"{way}_{TARGETS.index(target)}")
    columns = {"value": array} | ({"other": pa.nulls(len(array), pa.string())} if way == "csv" else {})
    batch = pa.record_batch(columns)
    try:
        load_read_and_undo(connection, table, target, batch)
    except _Undone as undone:
        return undone.held
    except LoadError:
        return None


def load_read_and_undo(
    connection: extensions.connection, table: sql.Identifier, target: str, batch: pa.RecordBatch
) -> NoReturn:
    with transaction(connection) as cursor:
        copy_batches(cursor, table, batch.schema, [batch])
        read = "value::float8" if target == "real" else "value"
        cursor.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(read), table))
        raise _Undone([value for (value,) in cursor])


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same, to the last bit: also a NaN, and the sign of a zero."""
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or struct.pack("d", left) == struct.pack("d", right)
    return type(left) is type(right) and bool(left == right)


def faults(connection: extensions.connection, way: str, target: str, one: Source) -> Iterator[str]:
    """Load what fits at once, and everything else alone."""
    expected = [meant(value, target) for value in one.values]
    values = [*(value for value in expected if value is not REFUSED), None]
    fitting = [array for array, value in zip(one.arrays, expected, strict=True) if value is not REFUSED]
    got = arrived(connection, way, target, pa.concat_arrays([*fitting, pa.nulls(1, one.arrays[0].type)]))
    if got is None or not all(map(same, got, values)):
        yield f"{one.name}: {got} instead of {values}"
    for array, value in zip(one.arrays, expected, strict=True):
        if value is REFUSED and (got := arrived(connection, way, target, array)) is not None:
            yield f"{one.name}: {got} instead of refusing {array}"


@pytest.mark.parametrize("way", ["binary", "csv"])
@pytest.mark.parametrize("target", TARGETS)
def test_each_value_of_each_type_arrives_exactly_or_is_refused_in_words(
    session: extensions.connection, target: str, way: str
) -> None:
    taken = [one for one in SOURCES if takes(target, one.family)]
    assert [fault for one in taken for fault in faults(session, way, target, one)] == []


@pytest.mark.parametrize("target", TARGETS)
def test_types_that_mean_something_else_are_refused_whatever_the_value(
    session: extensions.connection, target: str
) -> None:
    others = [one for one in SOURCES if not takes(target, one.family)]
    got = {one.name: arrived(session, "binary", target, one.arrays[0]) for one in others}
    assert got == dict.fromkeys(got)
    assert arrived(session, "binary", target, pa.nulls(2)) == [None, None]


@pytest.mark.parametrize("declared", ["char(5)", "name", "timestamp(3)", "timestamptz(0)", "time(0)", "interval(0)"])
def test_a_column_that_changes_what_it_is_given_is_refused(server: str, declared: str) -> None:
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as connection, transaction(connection) as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE target (value {declared}, other json)")
        with pytest.raises(LoadError, match=r"pad, cut off or round their values: value \("):
            copy_batches(cursor, sql.Identifier("pg_temp", "target"), pa.schema([("value", pa.string())]), [])


@pytest.mark.parametrize(
    ("declared", "kind"), [("numeric(5,-2)", pa.decimal128(5, -2)), ("numeric(2,4)", pa.decimal128(9, 4))]
)
def test_a_scale_beyond_the_digits_or_before_the_point_is_kept_or_refused(
    server: str, declared: str, kind: pa.DataType
) -> None:
    values = {
        "numeric(5,-2)": [Decimal(12_300), Decimal(-100)],
        "numeric(2,4)": [Decimal("0.0012"), Decimal("-0.0099")],
    }
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as connection, transaction(connection) as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE target (value {declared})")
        batch = pa.record_batch({"value": pa.array(values[declared], kind)})
        copy_batches(cursor, sql.Identifier("pg_temp", "target"), batch.schema, [batch])
        cursor.execute("SELECT value FROM target")
        assert [value for (value,) in cursor] == values[declared]


def test_sums_of_more_digits_than_a_number_has_are_exact_on_both_sides(server: str) -> None:
    """Else rows that arrived as they were sent would be told to be different."""
    values = [Decimal("9" * 38)] * 40 + [Decimal(1)]
    schema = pa.schema([("value", pa.decimal128(38, 0))])
    batches = [pa.record_batch({"value": pa.array([value] * 50, pa.decimal128(38, 0))}) for value in values]
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as connection, transaction(connection) as cursor:
        cursor.execute("CREATE TEMPORARY TABLE target (value numeric(38, 0))")
        with staged(cursor, "pg_temp.target", schema, batches) as landed:
            assert landed.totals.columns["value"].total == 50 * (40 * int("9" * 38) + 1)


# Both ways on random tables

MONEY = pa.decimal128(18, 4)
COLUMNS: dict[str, tuple[str, pa.DataType, st.SearchStrategy[Any]]] = {
    "small": ("smallint", pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "plain": ("integer", pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "large": ("bigint", pa.int64(), st.integers(INT64_MIN, INT64_MAX)),
    "money": ("numeric(18,4)", MONEY, st.decimals(Decimal(-(10**13)), Decimal(10**13), places=4)),
    "free": ("numeric", pa.decimal128(38, 10), st.decimals(Decimal(-(10**15)), Decimal(10**15), places=10)),
    "single": ("real", pa.float32(), st.floats(width=32)),
    "double": ("double precision", pa.float64(), st.floats()),
    "flag": ("boolean", pa.bool_(), st.booleans()),
    "words": ("text", pa.string(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    "short": ("varchar(3)", pa.string(), st.text('aä🛒 "\\\n,', max_size=3)),
    "day": ("date", pa.date32(), st.dates()),
    "at": ("timestamp", pa.timestamp("us"), st.datetimes()),
    "at_utc": ("timestamptz", pa.timestamp("us", "UTC"), st.datetimes(timezones=st.just(UTC))),
}
RECORDS = st.fixed_dictionaries({name: st.none() | values for name, (_, _, values) in COLUMNS.items()})


@pytest.fixture(scope="module")
def both(server: str) -> Iterator[extensions.connection]:
    """A connection with two temporary tables of many columns: one loaded in binary, one as CSV."""
    columns = ", ".join(f"{name} {declared}" for name, (declared, _, _) in COLUMNS.items())
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as connection:
        query(connection, f"CREATE TEMPORARY TABLE by_binary (number int GENERATED ALWAYS AS IDENTITY, {columns})")
        query(connection, f"CREATE TEMPORARY TABLE by_csv (number int GENERATED ALWAYS AS IDENTITY, {columns}, j json)")
        yield connection


@given(rows=st.lists(RECORDS, min_size=1, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_leave_the_same_table(both: extensions.connection, rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([(name, kind) for name, (_, kind, _) in COLUMNS.items()])
    sent = pa.Table.from_pylist(rows, schema)
    found = []
    with transaction(both) as cursor:
        for table, extra in (("by_binary", []), ("by_csv", [pa.field("j", pa.string())])):
            cursor.execute(f"TRUNCATE {table} RESTART IDENTITY")
            wide = pa.table(
                [*sent.columns, *(pa.nulls(len(rows), one.type) for one in extra)],
                names=[*schema.names, *(one.name for one in extra)],
            )
            copy_batches(cursor, sql.Identifier("pg_temp", table), wide.schema, wide.to_batches())
            cursor.execute(
                f"SELECT count(*), md5(string_agg(ROW({', '.join(COLUMNS)})::text, '|' ORDER BY number)) FROM {table}"
            )
            found.append(cursor.fetchone())
    assert found[0] == found[1]
    assert found[0] is not None
    assert found[0][0] == len(rows)
