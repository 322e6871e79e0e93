from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_assets.engines.choose import make_engine
from platform_assets.engines.engine import INSTANT, MONEY, Engine, conformed, narwhals_type
from platform_assets.lake.segments import segment_schema
from platform_assets.lake.snapshot import Part
from platform_assets.settings import Settings
from platform_assets_tests.conftest import ENGINES, make_test_engine

SCHEMA = pa.schema(
    [
        ("_source_file", pa.string()),
        ("money", MONEY),
        ("rate", pa.decimal128(12, 6)),
        ("instant", INSTANT),
        ("day", pa.date32()),
        ("long", pa.int64()),
        ("int", pa.int32()),
        ("short", pa.int16()),
        ("double", pa.float64()),
        ("flag", pa.bool_()),
    ]
)
ROWS: list[dict[str, Any]] = [
    {
        "_source_file": "a.csv",
        "money": Decimal("99999999999999.9999"),
        "rate": Decimal("0.123456"),
        "instant": datetime(2011, 12, 9, 12, 50, 0, 123_457),
        "day": date(1900, 3, 1),
        "long": 2**63 - 1,
        "int": -(2**31),
        "short": 2**15 - 1,
        "double": 0.1,
        "flag": True,
    },
    {
        "_source_file": "bücher.csv",
        "money": Decimal("-0.0001"),
        "rate": Decimal("-999999.999999"),
        "instant": datetime(1, 1, 1),
        "day": date(9999, 12, 31),
        "long": -(2**63),
        "int": 7,
        "short": -7,
        "double": -1e300,
        "flag": False,
    },
    {"_source_file": 'it\'s "it".csv'},
]


def arrow(rows: Sequence[dict[str, Any]] = ROWS, schema: pa.Schema = SCHEMA) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema)


def in_order(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: str(row["_source_file"]))


@pytest.mark.parametrize("reader", ENGINES)
def test_what_one_engine_writes_every_engine_reads_to_the_last_digit(
    engine: Engine, reader: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.parquet"
    other = make_test_engine(reader, tmp_path / "scratch")

    written = engine.write(engine.from_arrow(arrow()), path, SCHEMA)
    read = other.collect(other.scan([Part(path, None)], SCHEMA))

    assert written == len(ROWS)
    assert read.schema.equals(SCHEMA)
    assert in_order(read) == in_order(arrow())
    other.close()


def test_a_file_has_exactly_the_types_of_its_schema(engine: Engine, tmp_path: Path) -> None:
    engine.write(engine.from_arrow(arrow()), tmp_path / "s.parquet", SCHEMA)

    assert segment_schema(tmp_path / "s.parquet").equals(SCHEMA, check_metadata=False)


def test_writing_casts_to_the_schema_and_drops_other_columns(engine: Engine, tmp_path: Path) -> None:
    frame = engine.from_arrow(pa.table({"other": ["x"], "short": pa.array([5], pa.int64()), "money": [Decimal("1.5")]}))

    engine.write(frame, tmp_path / "s.parquet", pa.schema([("money", MONEY), ("short", pa.int16())]))

    assert pq.read_table(tmp_path / "s.parquet").to_pylist() == [{"money": Decimal("1.5"), "short": 5}]


def test_a_scan_keeps_the_rows_of_live_slices_only(engine: Engine, tmp_path: Path) -> None:
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    pq.write_table(arrow(), first)
    pq.write_table(arrow(ROWS[:1]), second)

    scan = engine.scan([Part(first, ("bücher.csv", 'it\'s "it".csv')), Part(second, None)], SCHEMA)

    assert sorted(engine.collect(scan)["_source_file"].to_pylist()) == ["a.csv", "bücher.csv", 'it\'s "it".csv']


def test_a_scan_may_tell_slices_by_another_column(engine: Engine, tmp_path: Path) -> None:
    schema = pa.schema([("_slice", pa.string()), ("number", pa.int64())])
    pq.write_table(arrow([{"_slice": "x", "number": 1}, {"_slice": "y", "number": 2}], schema), tmp_path / "s.parquet")

    scan = engine.scan([Part(tmp_path / "s.parquet", ("y",))], schema, "_slice")

    assert engine.collect(scan).to_pylist() == [{"_slice": "y", "number": 2}]


def test_a_scan_reads_only_the_columns_asked_for(engine: Engine, tmp_path: Path) -> None:
    pq.write_table(arrow(), tmp_path / "s.parquet")

    scan = engine.scan([Part(tmp_path / "s.parquet", None)], pa.schema([("long", pa.int64())]))

    assert engine.collect(scan).schema.names == ["long"]


def test_a_scan_of_nothing_has_the_columns_and_no_rows(engine: Engine) -> None:
    table = engine.collect(engine.scan([], SCHEMA))

    assert (table.num_rows, table.schema.names) == (0, SCHEMA.names)


def test_a_file_without_rows_is_read_and_written(engine: Engine, tmp_path: Path) -> None:
    assert engine.write(engine.scan([], SCHEMA), tmp_path / "s.parquet", SCHEMA) == 0
    assert engine.collect(engine.scan([Part(tmp_path / "s.parquet", None)], SCHEMA)).num_rows == 0


def test_a_streams_batches_are_the_frame_in_pieces(engine: Engine) -> None:
    numbers = pa.table({"number": pa.array(range(200_000), pa.int64())})

    batches = list(engine.batches(engine.from_arrow(numbers).filter(nw.col("number") >= 10)))

    assert len(batches) > 1
    assert sorted(n for batch in batches for n in batch.column("number").to_pylist()) == list(range(10, 200_000))


def test_a_collected_frame_has_no_columns_that_nobody_asked_for(engine: Engine) -> None:
    frame = engine.from_arrow(arrow()).filter(nw.col("flag")).select("_source_file", "flag")

    assert engine.collect(frame).schema.names == ["_source_file", "flag"]


def test_sums_of_money_are_exact(engine: Engine) -> None:
    cents = [{"_source_file": "a", "money": Decimal("0.1")}] * 3 + [
        {"_source_file": "a", "money": Decimal("99999999999999.9999")}
    ]
    frame = engine.from_arrow(arrow(cents)).group_by("_source_file").agg(nw.col("money").sum())

    assert engine.collect(frame)["money"].to_pylist() == [Decimal("100000000000000.2999")]


def test_a_type_that_the_lake_does_not_use_is_refused() -> None:
    with pytest.raises(TypeError, match="no columns of type"):
        narwhals_type(pa.list_(pa.int64()))


def test_conforming_orders_the_columns(engine: Engine) -> None:
    frame = engine.from_arrow(pa.table({"b": [1], "a": [2]}))

    assert engine.collect(conformed(frame, pa.schema([("a", pa.int64()), ("b", pa.int64())]))).schema.names == [
        "a",
        "b",
    ]


@pytest.mark.parametrize("name", ENGINES)
def test_the_engine_is_a_setting(name: str, tmp_path: Path, spark_url: str) -> None:
    environment = {"PLATFORM_HOME": str(tmp_path), "PLATFORM_ENGINE": name, "SPARK_REMOTE": spark_url}
    settings = Settings.from_environment(environment)

    made = make_engine(settings)

    assert made.name == name
    made.close()


def test_a_frame_that_is_kept_has_the_same_rows_and_types(engine: Engine) -> None:
    kept = engine.kept(engine.from_arrow(arrow()))

    assert in_order(engine.collect(conformed(kept, SCHEMA))) == in_order(arrow())
