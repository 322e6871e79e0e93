"""Delimited text: quotes, line ends, line numbers, delimiters; the fast way and the exact way say the same."""

import csv
import gzip
import io
import random
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from platform_assets.errors import FileRefusedError
from platform_assets.ingestion import delimited, encoding
from platform_assets.ingestion.quoting import Records, find_records
from platform_assets_tests.ingestion.support import Read, contract, read_bytes

PAIR = contract("id", "name")
TRIPLE = contract("id", "name", "qty")


def _pairs(found: Read) -> list[tuple[str | None, ...]]:
    return found.cells("id", "name")


def _small_chunks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(encoding, "CHUNK", size)
    monkeypatch.setattr(delimited, "HEADER_SAMPLE", size)


def test_line_numbers_are_physical_after_quoted_line_breaks_blank_lines_and_rejects(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b'id,name\n1,"a\nb\r\nc"\n\n2,b,x\n3,c\n\n\n', PAIR)
    assert list(zip(found.lines, _pairs(found), strict=True)) == [(2, ("1", "a\nb\r\nc")), (7, ("3", "c"))]
    assert found.rejected_lines == [6]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_is_understood(tmp_path: Path, end: str, last: bool) -> None:
    text = end.join(["id,name", "1,a", '2,"b"', "3,c"]) + (end if last else "")
    found = read_bytes(tmp_path, text.encode(), PAIR)
    assert _pairs(found) == [("1", "a"), ("2", "b"), ("3", "c")]
    assert found.lines == [2, 3, 4]


@pytest.mark.parametrize(
    ("text", "kept", "rejected"),
    [
        ('1,"open\n2,b\n3,"x, y"\n4,d\n', ["2", "3", "4"], {2: "a closing quote is followed by 'x, y"}),
        ('1,"a"b\n2,b\n', ["2"], {2: "a closing quote is followed by 'b', not"}),
        ('1,5" tall\n2,b\n', ["1", "2"], {}),
        ('1,"a ""b"" c"\n2,b\n', ["1", "2"], {}),
        ('1,b\n2,"never', ["1"], {3: "never closed"}),
        ('1,b\n"2,c\n3,d\n', ["1", "3"], {3: "never closed"}),
        ('1,"a"x\nmore" of it, "\n2,b\n', ["2"], {2: "closing quote", 3: "right after a line with broken quotes"}),
    ],
)
def test_a_quote_in_the_wrong_place_costs_its_line_only(
    tmp_path: Path, text: str, kept: list[str], rejected: dict[int, str]
) -> None:
    found = read_bytes(tmp_path, f"id,name\n{text}".encode(), PAIR)
    assert [row["id"] for row in found.rows] == kept
    assert found.rejected_lines == list(rejected)
    assert all(rejected[reject["_source_row"]] in reject["reason"] for reject in found.rejects)


def test_whole_lines_swallowed_by_a_quoted_cell_are_brought_back(tmp_path: Path) -> None:
    text = 'id,name,qty\n1,"open,5\n2,b,6\n3,c,7\n4,d",8\n5,e,9\n'
    found = read_bytes(tmp_path, text.encode(), TRIPLE)
    assert [row["id"] for row in found.rows] == ["2", "3", "4", "5"]
    assert found.rejected_lines == [2]


def test_a_long_note_in_quotes_is_one_cell(tmp_path: Path) -> None:
    note = "Dear customer,\n\nwe are sorry.\nIt is late.\n\nBye"
    found = read_bytes(tmp_path, f'id,name,qty\n1,"{note}",5\n2,b,6\n'.encode(), TRIPLE)
    assert found.cells("id", "name", "qty") == [("1", note, "5"), ("2", "b", "6")]
    assert found.lines == [2, 8]


def test_a_repeated_header_line_is_no_data(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"id,name\n1,a\nid,name\n2,b\n", PAIR)
    assert [row["id"] for row in found.rows] == ["1", "2"]
    assert [(r["_source_row"], r["reason"], r["raw"]) for r in found.rejects] == [
        (3, "repeats the header line", "id,name")
    ]


def test_a_blank_last_header_is_accepted_with_blank_cells_only(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"id,name,\n1,a,\n2,b,c\n3,c, \n", PAIR)
    assert [row["id"] for row in found.rows] == ["1", "3"]
    assert [(r["_source_row"], r["raw"]) for r in found.rejects] == [(3, "2,b,c")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = f"id{delimiter}name\n1{delimiter}a, b; c | d\t e\n".replace(f"{delimiter} ", " ")
    found = read_bytes(tmp_path, text.encode(), PAIR)
    assert found.report.delimiter == delimiter
    assert found.report.rows_rejected == 0


def test_the_line_in_which_a_spreadsheet_names_its_delimiter_is_understood(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"sep=;\r\nid;name\r\n1;a,b\r\n", PAIR)
    assert (_pairs(found), found.lines, found.report.delimiter) == ([("1", "a,b")], [3], ";")


def test_one_column_alone_is_read_without_its_blank_lines(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b'id\n1\n\n""\n2\n', contract("id"))
    assert (found.cells("id"), found.lines) == ([("1",), ("",), ("2",)], [2, 4, 5])


def test_a_line_with_a_nul_byte_is_rejected(tmp_path: Path) -> None:
    good = b"".join(b"%d,name\n" % number for number in range(2_000))
    found = read_bytes(tmp_path, b"id,name\n" + good + b"x,a\0b\ny,c\n", PAIR)
    assert (len(found.rows), found.rejected_lines) == (2_001, [2_002])


def test_an_absurdly_long_cell_is_rejected_and_what_follows_is_read(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"id,name\n1," + b"x" * 1_000_001 + b"\n2,b\n", PAIR)
    assert ([row["id"] for row in found.rows], found.rejected_lines) == (["2"], [2])
    assert len(found.rejects[0]["raw"]) == 10_000


def test_a_cell_of_a_million_characters_is_read(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b'id,name\n1,"' + b"x" * 999_000 + b'"\n2,b\n', PAIR)
    assert [len(row["name"]) for row in found.rows] == [999_000, 1]


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_more_than_16_mb_is_refused(tmp_path: Path, packed: bool) -> None:
    content = b"id,name\n1," + b"x" * (17 * 1024 * 1024)
    content = gzip.compress(content, 1) if packed else content
    with pytest.raises(FileRefusedError, match="longer than 16 MB"):
        read_bytes(tmp_path, content, PAIR)


def test_the_raw_text_of_very_many_rejects_is_shortened_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_assets.ingestion.rejects.CROWD", 1_500)
    bad = b"".join(b"%d,a,%s\n" % (number, b"x" * 500) for number in range(2_500))
    found = read_bytes(tmp_path, b"id,name\n" + bad, PAIR)
    assert found.rejected_lines == list(range(2, 2_502))
    assert [len(found.rejects[place]["raw"]) for place in (0, 1_499, 1_500)] == [504, 507, 200]
    assert found.report.rows_read == found.report.rows_rejected == 2_500


@pytest.mark.parametrize("size", [7, 16, 61])
def test_where_chunks_end_makes_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    text = 'id,name\r\n1,"a\r\nb"\r\n2,b,x\r\n\r\n3,"é ""q"""\r\n4,"bad" x\r\n5,c\r\n6,5" x\r\n7,"open\r\n8,z'
    whole = read_bytes(tmp_path, text.encode(), PAIR)
    _small_chunks(monkeypatch, size)
    parts = read_bytes(tmp_path, text.encode(), PAIR)
    assert (parts.rows, parts.rejects) == (whole.rows, whole.rejects)
    assert whole.lines == [2, 6, 8, 9, 11]
    assert whole.rejected_lines == [4, 7, 10]


def test_batches_hold_at_most_65536_rows(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"id,name\n" + b"1,a\n" * 100_000, PAIR)
    assert len(found.rows) == 100_000
    assert found.lines[-1] == 100_001


def test_text_beyond_doubt_takes_the_fast_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("the scanner was asked")

    monkeypatch.setattr(delimited.DelimitedSource, "_scan", forbidden)
    content = b'id,name\n1,"a, b"\n2,"say ""hi"""\n3,"two\nlines"\n4,\n5,""\n6,x,y\n'
    assert len(read_bytes(tmp_path, content, PAIR).rows) == 5


@pytest.mark.parametrize("doubt", [b'1,"a" b\n', b'1,5" x\n', b'1,"a\n2,b\n3,c\n4,"x\n'])
def test_the_fast_way_stops_before_the_first_doubt(doubt: bytes) -> None:
    sure = b'0,"x ""y"""\n'
    records = find_records(sure + doubt, ",", final=True)
    assert (records.end, records.doubtful) == (len(sure), True)


CELLS = st.text(st.sampled_from(list("ab1,;|\t\"'\n\r é€ ")), max_size=6)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    chunk=st.sampled_from([13, 4096]),
)
def test_what_a_csv_writer_writes_is_read_back_exactly(  # noqa: PLR0917 - hypothesis gives them by name
    tmp_path: Path, rows: list[list[str]], delimiter: str, end: str, quoting: Literal[0, 1, 2], codec: str, chunk: int
) -> None:
    # Before Python 3.13 the writer leaves a line break without quotes that is none of its own.
    end = "\r\n" if quoting == csv.QUOTE_MINIMAL else end
    # Three line breaks in a cell with the right number of delimiters between them are taken for swallowed lines.
    assume(not any(sum(cell.count(sign) for sign in "\n\r") > 2 for row in rows for cell in row))
    names = [f"column_{place}" for place in range(len(rows[0]))]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([names, *rows])
    with pytest.MonkeyPatch.context() as patch:
        _small_chunks(patch, chunk)
        found = read_bytes(tmp_path, text.getvalue().encode(codec), contract(*names))
    unquoted_empty = None if quoting == csv.QUOTE_MINIMAL else ""
    assert found.cells(*names) == [tuple(cell or unquoted_empty for cell in row) for row in rows]
    assert not found.rejects


def test_random_damage_is_never_read_silently_wrong(tmp_path: Path) -> None:
    """One stray quote anywhere: each line is read as it was, or with the quote in it, or is rejected."""
    lines = [f'{number},"name {number}, long",{number % 7}' for number in range(30)]
    text = "\n".join(lines) + "\n"
    chance = random.Random(5)
    clean = {str(number): f"name {number}, long" for number in range(30)}
    for _ in range(60):
        place = chance.randrange(len(text))
        found = read_bytes(tmp_path, f'id,name,qty\n{text[:place]}"{text[place:]}'.encode(), TRIPLE)
        wrong = [row for row in found.rows if clean.get(row["id"]) != row["name"]]
        assert len(found.rows) + len(found.rejects) in {30, 31}
        assert all('"' in f"{row['id']}{row['name']}" for row in wrong)
        assert len(wrong) + len(found.rejects) <= 2


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from(list('a1,,"""\n\n\r ')), min_size=1, max_size=60), chunk=st.sampled_from([9, 4096]))
def test_the_fast_way_and_the_scanner_agree_on_any_text(tmp_path: Path, text: str, chunk: int) -> None:
    content = f"id,name,qty\n0,x,1\n{text}".encode()
    with pytest.MonkeyPatch.context() as patch:
        _small_chunks(patch, chunk)
        fast = read_bytes(tmp_path, content, TRIPLE)
    none = Records(0, 0, np.empty(0, np.int64), np.empty(0, np.bool_), doubtful=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "find_records", lambda *_, **__: none)
        exact = read_bytes(tmp_path, content, TRIPLE)
    assert fast.rows == exact.rows
    assert fast.rejects == exact.rejects
