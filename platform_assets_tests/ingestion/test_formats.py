"""Encodings, compression, and the formats beside delimited text."""

import gzip
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_assets.contracts.columns import ColumnType
from platform_assets.contracts.readings import ISO
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion import encoding
from platform_assets.ingestion.workbook import number_text
from platform_assets_tests.ingestion.support import contract, read, read_bytes

PAIR = contract("id", "name")


@pytest.mark.parametrize(
    ("name", "codec", "told"),
    [
        ("Café Ωmega €", "utf-8", "utf-8"),
        ("Café Ωmega €", "utf-8-sig", "utf-8"),
        ("Café Ωmega €", "utf-16", "utf-16-le"),
        ("Café “quoted” €", "cp1252", "cp1252"),
        ("Café crème", "latin-1", "latin-1"),
        ("Café crème brûlée", "mac_roman", "mac_roman"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_encoding_is_told_from_the_whole_file(
    tmp_path: Path, name: str, codec: str, told: str, packed: bool
) -> None:
    content = ("id,name\n" + "1,plain\n" * 500 + f"2,{name} is\n").encode(codec)
    found = read_bytes(tmp_path, gzip.compress(content) if packed else content, PAIR, "a.csv.gz" if packed else "a.csv")
    assert found.rows[-1]["name"] == f"{name} is"
    assert found.report.encoding == told


def test_utf16_with_the_other_byte_order(tmp_path: Path) -> None:
    content = b"\xfe\xff" + "id,name\n1,é\n".encode("utf-16-be")
    assert read_bytes(tmp_path, content, PAIR).cells("name") == [("é",)]


def test_a_damaged_byte_in_utf8_is_replaced_and_reported(tmp_path: Path) -> None:
    content = "id,name\n" + "1,é\n" * 20
    found = read_bytes(tmp_path, content.encode() + b"2,\xe9x\n", PAIR)
    assert (found.rows[0]["name"], found.rows[-1]["name"]) == ("é", "\ufffdx")
    assert found.report.notes == ["the text has 1 damaged characters (U+FFFD)"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\n  \n", "nothing but blank lines"),
        (b"id,name\n", "no data"),
        (b"id,name", "no data"),
        (b"id,name\n1,a\0b\n", "binary"),
        (bytes(range(256)) * 10, "binary"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (gzip.compress(b"id,name\n1,a\n" * 1_000)[:-12], "gzip data is truncated or corrupt"),
        (gzip.compress(b"id,name\n1,a\n") + b"rubbish", "gzip data is truncated or corrupt"),
        (gzip.compress(b"\x89PNG\r\n\0\0\0\0"), "binary"),
        (b"PAR1 not really", "cannot be read as Parquet"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason) as caught:
        read_bytes(tmp_path, content, PAIR)
    assert caught.value.remedy


def test_a_gzip_bomb_is_refused_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "RATIO_COUNTS_FROM", 1_000_000)
    content = gzip.compress(b"id,name\n" + b"1,a\n" * 2_000_000)
    with pytest.raises(FileRefusedError, match="as a bomb would"):
        read_bytes(tmp_path, content, PAIR)


def test_json_lines_keep_the_spelling_of_numbers(tmp_path: Path) -> None:
    lines = [
        '{"id": 9007199254740993, "name": 0.10, "deep": {"a": [1.50, null, true, "x"]}}',
        '{"name": null, "id": ""}',
        "",
        '{"id": 1e3, "name": false}',
    ]
    found = read_bytes(tmp_path, "\r\n".join(lines).encode(), PAIR, "a.jsonl")
    assert found.cells("id", "name") == [("9007199254740993", "0.10"), ("", None), ("1e3", "false")]
    assert found.lines == [1, 2, 4]
    assert json.loads(found.rows[0]["_extra"]) == {"deep": '{"a": [1.50, null, true, "x"]}'}
    assert found.report.delimiter is None


@pytest.mark.parametrize("bad", ['{"id": 1', "[1]", "3", '{"id": 1, "id": 2}', '{"id": "a\\u0000b"}', "{} {}"])
def test_a_bad_json_line_is_rejected_by_itself(tmp_path: Path, bad: str) -> None:
    found = read_bytes(tmp_path, f'{{"id": 1, "name": "a"}}\n{bad}\n{{"id": 2}}\n'.encode(), PAIR, "a.ndjson")
    assert found.cells("id") == [("1",), ("2",)]
    assert [(reject["_source_row"], reject["raw"]) for reject in found.rejects] == [(2, bad)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'[{"id": 1}]', "one JSON array"),
        (b'{"id": 1}\n', "missing: name"),
        (b'{"id": 1, "Name": 2, "NAME": 3}', "both mean the column name"),
    ],
)
def test_json_that_does_not_do_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        read_bytes(tmp_path, content, PAIR, "a.jsonl")


def test_parquet_values_become_exact_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([9007199254740993, None], pa.int64()),
            "amount": pa.array([Decimal("0.10"), Decimal("1234567890123456.78")], pa.decimal128(20, 2)),
            "share": pa.array([0.1, float("nan")], pa.float64()),
            "day": pa.array([date(2024, 2, 29), None], pa.date32()),
            "moment": pa.array(
                [datetime(2024, 1, 2, 3, 4, 5, 600_000, UTC), None], pa.timestamp("ns", "Europe/Berlin")
            ),
            "naive": pa.array(["2024-01-02 03:04:05", None]).cast(pa.timestamp("us")),
            "flag": pa.array([True, False]),
            "kind": pa.array(["a", "b"]).dictionary_encode(),
            "nested": pa.array([{"x": [1, 2]}, None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    names = table.column_names
    temporal = {"day": ColumnType.DATE, "moment": ColumnType.TIMESTAMP, "naive": ColumnType.TIMESTAMP}
    found = read(tmp_path / "a.parquet", contract(*((name, temporal.get(name, ColumnType.TEXT)) for name in names)))
    first = (
        "9007199254740993",
        "0.10",
        "0.1",
        "2024-02-29",
        "2024-01-02 03:04:05.600000Z",
        "2024-01-02 03:04:05",
        "true",
        "a",
    )
    assert found.cells(*names)[0][:-1] == first
    assert json.loads(found.rows[0]["nested"]) == {"x": [1, 2]}
    assert found.cells(*names)[1] == (None, "1234567890123456.78", None, None, None, None, "false", "b", None)
    assert found.lines == [1, 2]
    assert set(found.report.readings.values()) == {ISO}


def test_a_truncated_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"] * 1_000, "name": ["x"] * 1_000}), tmp_path / "whole.parquet")
    with pytest.raises(FileRefusedError, match="cannot be read as Parquet"):
        read_bytes(tmp_path, (tmp_path / "whole.parquet").read_bytes()[:-100], PAIR, "cut.parquet")


def _workbook(path: Path, *sheets: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_the_sheet_with_the_headers_is_read_with_its_own_row_numbers(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [None],
        ["id", "name", "price"],
        [17850.0, "a", 0.1],
        [None],
        ["x", None, 2.55],
        [3, "c", 1e-7],
    ]
    of = contract("id", "name", ("price", ColumnType.MONEY))
    found = read(_workbook(tmp_path / "a.xlsx", [["notes"], ["nothing"]], rows), of)
    assert found.cells("id", "name", "price") == [("17850", "a", "0.1"), ("x", None, "2.55"), ("3", "c", "0.0000001")]
    assert found.lines == [3, 5, 6]
    assert found.report.notes == ["read from sheet 'sheet 1' of 2"]


def test_dates_in_a_sheet_become_iso_text(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["id", "name"],
        [date(2024, 2, 29), datetime.fromisoformat("2024-02-29 13:05")],
        [True, timedelta(hours=1)],
    ]
    found = read(_workbook(tmp_path / "a.xlsx", rows), contract("id", ("name", ColumnType.TIMESTAMP)))
    assert found.cells("id", "name")[0] == ("2024-02-29", "2024-02-29 13:05:00")
    assert found.rows[1]["id"] == "true"


def test_cells_beyond_the_header_are_rejected(tmp_path: Path) -> None:
    found = read(_workbook(tmp_path / "a.xlsx", [["id", "name"], [1, "a", "stray"], [2, "b"]]), PAIR)
    assert (found.cells("id"), found.rejected_lines) == ([("2",)], [2])


@pytest.mark.parametrize(
    ("value", "text"),
    [(17850.0, "17850"), (0.1 + 0.2, "0.3"), (1234.5, "1234.5"), (1e20, "100000000000000000000"), (-0.005, "-0.005")],
)
def test_numbers_of_a_sheet_are_written_as_it_shows_them(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("sheets", "reason"),
    [
        ([[]], "workbook is empty"),
        ([[["id", "name"]]], "no data"),
        ([[["id", None, "name"], [1, 2, 3]]], "is blank"),
        ([[["a", "b"], [1, 2]]], "missing: id, name"),
    ],
)
def test_a_workbook_that_does_not_do_is_refused(tmp_path: Path, sheets: list[list[list[object]]], reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        read(_workbook(tmp_path / "a.xlsx", *sheets), PAIR)


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    content = _workbook(tmp_path / "a.xlsx", [["id", "name"], [1, "a"]]).read_bytes()
    for damaged in (content[:200], b"id,name\n1,a\n"):
        with pytest.raises(FileRefusedError, match="cannot be read as an Excel workbook"):
            read_bytes(tmp_path, damaged, PAIR, "b.xlsx")


def test_a_workbook_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 101 * 1024**2)
    with pytest.raises(FileRefusedError, match="as a bomb would"):
        read(tmp_path / "a.xlsx", PAIR)


def test_a_zone_ahead_of_utc_is_converted(tmp_path: Path) -> None:
    # 2024-01-01 00:30 in a zone one hour ahead, as microseconds: pandera makes pyarrow drop the zone of a datetime.
    moment = pa.array([1_704_065_400_000_000], pa.int64()).cast(pa.timestamp("us", "+01:00"))
    pq.write_table(pa.table({"id": ["1"], "name": moment}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", PAIR).cells("name") == [("2023-12-31 23:30:00Z",)]
