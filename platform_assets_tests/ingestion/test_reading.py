"""What a batch holds, and what a reader promises."""

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

from platform_assets.contracts.columns import ColumnType
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.reading import LinesRefusedError, read_file
from platform_assets.ingestion.rejects import REJECT_SCHEMA
from platform_assets.transforms.schemas import raw_schema
from platform_assets_tests.ingestion.support import contract, landed, line_unique, read_bytes

PAIR = contract("id", "name")


def _hash(**cells: str) -> int:
    text = "".join(f"{name}\x1f{cells[name]}\x1e" for name in sorted(cells))
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[:8], "little", signed=True)


def test_batches_and_rejects_have_their_schema(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n1,a\n2\n")
    reader = read_file(landed(path), PAIR)
    assert pa.Table.from_batches(reader.batches()).schema == raw_schema(PAIR)
    (rejects,) = reader.rejects.batches()
    assert rejects.schema == REJECT_SCHEMA


def test_the_report_comes_after_the_last_batch(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n1,a\n")
    reader = read_file(landed(path), PAIR)
    with pytest.raises(RuntimeError, match="after the last batch"):
        _ = reader.report
    list(reader.batches())
    assert (reader.report.rows_read, reader.report.size) == (1, 12)


def test_cells_are_exactly_as_delivered(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b'id,name\n 007 ,"  NULL "\n"",\n', PAIR)
    assert found.cells("id", "name", "_extra", "_source_file") == [
        (" 007 ", "  NULL ", None, "file.csv"),
        ("", None, None, "file.csv"),
    ]


def test_a_line_is_hashed_as_documented(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "name,id,Größe X\n  a b\u00a0,1,\n,2,3\n".encode(), PAIR)
    assert [row["_line_hash"] for row in found.rows] == [_hash(id="1", name="a b"), _hash(id="2", **{"?grossex": "3"})]


def test_order_and_spelling_of_columns_do_not_change_the_hash(tmp_path: Path) -> None:
    one = read_bytes(tmp_path, b"id,name,colour\n1,a,red\n", PAIR)
    other = read_bytes(tmp_path, b"Colour;NAME;ID\n red;a ;1\n", PAIR)
    assert one.rows[0]["_line_hash"] == other.rows[0]["_line_hash"]


def test_lines_that_differ_in_any_cell_have_different_hashes(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b'id,name,x\n1,a,\n1,a,b\n1,,a\n,1,a\n1,"",a\n1a,,\n1,b,a\n', PAIR)
    assert len({row["_line_hash"] for row in found.rows}) == 7


def test_columns_that_do_not_count_as_identity_are_left_out_of_the_hash(tmp_path: Path) -> None:
    of = contract("id", "name", rules=(line_unique("id"),))
    found = read_bytes(tmp_path, b"id,name\n1,a\n2,a\n", of)
    assert len({row["_line_hash"] for row in found.rows}) == 1


def test_unknown_columns_are_kept_as_json(tmp_path: Path) -> None:
    content = 'id,name,"say ""x""",y\n1,a,"q""\\\n\té",\n2,b,,\n3,c,z,w\n'
    found = read_bytes(tmp_path, content.encode(), PAIR)
    extras = [row["_extra"] and json.loads(row["_extra"]) for row in found.rows]
    assert extras == [{'say "x"': 'q"\\\n\té'}, None, {'say "x"': "z", "y": "w"}]


def test_columns_the_file_lacks_are_null(tmp_path: Path) -> None:
    of = contract("id", "name", ("price", ColumnType.MONEY), required=False)
    found = read_bytes(tmp_path, b"name\na\n", of)
    assert found.cells("id", "name", "price") == [(None, "a", None)]
    assert found.report.missing_optional == ["id", "price"]


def test_a_file_refused_after_its_lines_were_read_says_how_many(tmp_path: Path) -> None:
    of = contract("id", ("value", ColumnType.DATE))
    with pytest.raises(LinesRefusedError, match="can be read as") as caught:
        read_bytes(tmp_path, b"id,value\n1,01/02/2024\n2,02/03/2024\n3\n", of)
    assert caught.value.lines == 3


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n1,a\n")
    file = landed(path)
    path.unlink()
    with pytest.raises(FileRefusedError, match="cannot be read: No such file"):
        list(read_file(file, PAIR).batches())
