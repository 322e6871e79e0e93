"""The shared hostile files: every trap is read right, or reported; nothing is loaded silently wrong."""

import json
from pathlib import Path

import pytest

from platform_assets.errors import FileRefusedError
from platform_assets_tests.ingestion.support import contract, read

NAMES = [
    *("bigint_null", "blank_header", "bom", "cr_only", "crlf_in_quotes", "date_ambig", "dec_exact", "empty_file"),
    *("empty_vs_null", "field_200k", "formula", "header_only", "latin1", "leading_zeros", "na_name"),
    *("quoted_newline", "ragged_long", "ragged_short", "spaces", "unclosed_quote"),
]
REFUSED = {"blank_header", "empty_file", "header_only"}


def _headers(path: Path) -> list[str]:
    first = path.read_bytes().decode("utf-8-sig", "replace").splitlines() or ["id,name"]
    return [name or "unnamed" for name in first[0].split(",")]


def test_no_hostile_file_is_left_out(shared_datasets: Path) -> None:
    assert sorted(path.stem for path in (shared_datasets / "hostile_csv").glob("*.csv")) == sorted(NAMES)


@pytest.mark.parametrize("name", sorted(set(NAMES) - REFUSED))
def test_a_hostile_file_is_read_as_expected(shared_datasets: Path, name: str) -> None:
    path = shared_datasets / "hostile_csv" / f"{name}.csv"
    expected = json.loads((path.parent / "expected.json").read_text("utf-8"))[name]
    headers = _headers(path)
    found = read(path, contract(*headers))
    if expected == "REJECT":
        assert found.rejects
        assert all(reject["reason"] and reject["_source_row"] > 1 for reject in found.rejects)
    else:
        assert found.cells(*headers) == [tuple(row) for row in expected]
        assert not found.rejects


@pytest.mark.parametrize(
    ("name", "rejected", "kept"),
    [
        ("ragged_long", [(3, "has 3 fields, the header has 2", "2,b,EXTRA")], ["1", "3"]),
        ("ragged_short", [(3, "has 2 fields, the header has 3", "2,b")], ["1", "3"]),
        ("unclosed_quote", [(2, "a quote opens and is never closed", '1,"open')], ["2", "3"]),
    ],
)
def test_a_bad_line_is_rejected_by_itself(
    shared_datasets: Path, name: str, rejected: list[tuple[int, str, str]], kept: list[str]
) -> None:
    path = shared_datasets / "hostile_csv" / f"{name}.csv"
    found = read(path, contract(*_headers(path)))
    assert [(r["_source_row"], r["reason"], r["raw"]) for r in found.rejects] == rejected
    assert [row["id"] for row in found.rows] == kept
    assert found.report.rows_read == len(kept) + len(rejected)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("blank_header", "header of column 2 is blank"), ("empty_file", "is empty"), ("header_only", "no data")],
)
def test_a_file_without_meaning_is_refused(shared_datasets: Path, name: str, reason: str) -> None:
    path = shared_datasets / "hostile_csv" / f"{name}.csv"
    with pytest.raises(FileRefusedError, match=reason):
        read(path, contract("id", "name"))
