from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.table import Table
from platform_assets.lake.whole import fingerprint_of, whole_rows, whole_update
from platform_assets.lake.writing import SegmentWriter

SCHEMA = pa.schema([("number", pa.int64())])


def batch(start: int, stop: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(range(start, stop), pa.int64())], schema=SCHEMA)


def test_small_batches_become_row_groups_of_a_good_size(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "s.parquet", SCHEMA) as writer:
        for start in range(0, 300_000, 1_000):
            writer.add(batch(start, start + 1_000))

    file = pq.ParquetFile(tmp_path / "s.parquet")
    assert file.metadata.num_row_groups == 3
    assert file.read()["number"].to_pylist() == list(range(300_000))


def test_a_stream_without_rows_is_a_file_without_rows(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "s.parquet", SCHEMA) as writer:
        writer.add(batch(0, 0))

    assert pq.read_table(tmp_path / "s.parquet").schema.equals(SCHEMA)


def test_a_whole_table_is_computed_again_only_when_what_it_is_made_from_changed(tmp_path: Path, engine: Engine) -> None:
    table, built = Table(tmp_path / "whole"), []

    def build() -> Frame:
        built.append(True)
        return engine.from_arrow(pa.table({"number": [len(built)]})).with_columns(nw.col("number"))

    def update(made_from: object, schema: pa.Schema = SCHEMA) -> list[int]:
        whole_update(table, made_from, build, schema, engine).publish(table)
        rows: list[int] = engine.collect(whole_rows(table, table.snapshot(), schema, engine))["number"].to_pylist()
        return rows

    assert (update({"v": 1}), update({"v": 1}), len(built)) == ([1], [1], 1)
    assert update({"v": 2}) == [2]
    assert update({"v": 2}, pa.schema([("number", pa.int32())])) == [3]
    assert table.snapshot().slices["*"].facts == {"rows": 1}


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint_of({"a": 1, "b": 2}) == fingerprint_of({"b": 2, "a": 1})
    assert fingerprint_of({"a": 1}) != fingerprint_of({"a": 2})
