"""Which date format a column has, told from all of it and from what columns say about each other."""

from datetime import date
from pathlib import Path

import pytest

from platform_assets.contracts.columns import ColumnType
from platform_assets.contracts.readings import ISO, DateReading, Reading
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.dates import describe, readings_of
from platform_assets.ingestion.settle import short_form
from platform_assets_tests.ingestion.support import contract, days_between, read, read_bytes, read_column

DMY, MDY = DateReading("dmy", "/"), DateReading("mdy", "/")
TWO_DATES = contract("id", ("ordered", ColumnType.DATE), ("shipped", ColumnType.DATE))
RULED = contract(
    "id", ("ordered", ColumnType.DATE), ("shipped", ColumnType.DATE), rules=(days_between("ordered", "shipped"),)
)


def _reading(folder: Path, *cells: str) -> Reading:
    return read_column(folder, ColumnType.TIMESTAMP, cells).report.readings["value"]


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("2024-02-29", {ISO: date(2024, 2, 29), DateReading("ymd"): date(2024, 2, 29)}),
        ("2024-02-30", {}),
        ("2024/2/9", {DateReading("ymd", "/"): date(2024, 2, 9)}),
        ("20240229", {DateReading("compact", ""): date(2024, 2, 29)}),
        ("12345678", {}),
        ("03/04/2024", {DMY: date(2024, 4, 3), MDY: date(2024, 3, 4)}),
        ("13/04/2024", {DMY: date(2024, 4, 13)}),
        ("3.4.69", {DateReading("dmy", ".", 2): date(1969, 4, 3), DateReading("mdy", ".", 2): date(1969, 3, 4)}),
        ("29-02-68", {DateReading("dmy", "-", 2): date(2068, 2, 29)}),
        ("30-12-31", {DateReading("dmy", "-", 2): date(2031, 12, 30), DateReading("ymd", "-", 2): date(2030, 12, 31)}),
        ("3/4-2024", {}),
        ("00/04/2024", {}),
    ],
)
def test_a_date_is_of_every_format_that_makes_it_a_real_day(text: str, meanings: dict[DateReading, date]) -> None:
    assert readings_of(text) == meanings


@pytest.mark.parametrize(
    ("cells", "reading"),
    [
        (["2024-01-31", "2024-01-31 10:11", "2024-01-31T10:11:12.5Z"], ISO),
        (["2024-01-31", "2024-1-1"], DateReading("ymd", "-")),
        (["20240131", "20240101 9:05"], DateReading("compact", "")),
        (["1/2/2024", "31/1/2024 8:26"], DMY),
        (["1/2/2024", "1/31/2024 8:26:01"], MDY),
        (["01.02.24", "31.01.24", "5.5.24"], DateReading("dmy", ".", 2)),
        (["05/05/2024", "06/06/2024"], MDY),
        (["", "NULL", " n/a "], ISO),
        (["31/12/2024", "unknown", "2024-02-30", "", "00/00/0000"], DMY),
        ([" 31/12/2024 ", "1/1/2024"], DMY),
    ],
)
def test_the_format_is_the_one_that_fits_every_date(tmp_path: Path, cells: list[str], reading: DateReading) -> None:
    assert _reading(tmp_path, *cells) == reading


def test_two_formats_in_a_column_stop_the_file_with_counts_and_cells(tmp_path: Path) -> None:
    cells = ["31/12/2024", "30/12/2024", "29/12/2024", "12-31-2024", "12-30-2024"]
    with pytest.raises(FileRefusedError) as caught:
        _reading(tmp_path, *cells)
    shown = ("value", "3 cells", "'31/12/2024' and '30/12/2024'", "DD/MM/YYYY", "2 cells", "'12-31-2024'", "MM-DD-YYYY")
    assert all(part in caught.value.problem for part in shown)


def test_contradicting_orders_are_two_formats(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match=r"mixes 2 date formats: 2 cells .*; 1 cells"):
        _reading(tmp_path, "31/12/2024", "12/31/2024", "30/12/2024")


def test_iso_cells_may_stand_beside_one_other_format(tmp_path: Path) -> None:
    assert _reading(tmp_path, "2024-01-02", "1/2/2024", "1/31/2024") == MDY


def test_iso_cells_beside_what_a_spreadsheet_leaves_stop_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="mixes 2 date formats"):
        _reading(tmp_path, "2024-01-02", "13/2/2024", "31/1/2024")


def test_two_formats_that_fit_equally_stop_the_file_and_name_the_setting(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError) as caught:
        _reading(tmp_path, "03/04/2024", "05/06/2024")
    assert "'03/04/2024' is 2024-03-04" in caught.value.problem
    assert "'03/04/2024' is 2024-04-03" in caught.value.problem
    assert caught.value.remedy == "Set datasets.things.date_formats.value to 'mdy/4' or 'dmy/4' in config.yaml."


def test_a_format_from_the_settings_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,value\n1,03/04/2024\n", encoding="utf-8")
    found = read(path, contract("id", ("value", ColumnType.DATE)), {"value": DMY})
    assert found.report.readings == {"value": DMY}


@pytest.mark.parametrize(("second", "reading"), [("04/04/2024", DMY), ("03/05/2024", MDY)])
def test_a_rule_between_two_dates_decides(tmp_path: Path, second: str, reading: DateReading) -> None:
    content = f"id,ordered,shipped\n1,03/04/2024,{second}\n2,05/05/2024,06/05/2024\n3,,\n".encode()
    if reading == MDY:
        content = f"id,ordered,shipped\n1,03/04/2024,{second}\n2,01/08/2024,01/09/2024\n".encode()
    found = read_bytes(tmp_path, content, RULED)
    assert found.report.readings == {"ordered": reading, "shipped": reading}


def test_a_rule_that_both_readings_keep_decides_nothing(tmp_path: Path) -> None:
    content = b"id,ordered,shipped\n1,02/02/2024,02/03/2024\n"
    with pytest.raises(FileRefusedError, match="Column shipped can be read as"):
        read_bytes(tmp_path, content, RULED)


def test_short_years_are_told_from_days_by_the_rule(tmp_path: Path) -> None:
    content = b"id,ordered,shipped\n1,08-11-16,11-11-16\n2,25-12-15,02-01-16\n"
    found = read_bytes(tmp_path, content, RULED)
    assert found.report.readings["ordered"] == DateReading("dmy", "-", 2)


def test_a_column_in_doubt_follows_one_that_is_written_alike(tmp_path: Path) -> None:
    content = b"id,ordered,shipped\n1,03/04/2024,31/04/2024\n2,05/06/2024,30/06/2024\n"
    assert read_bytes(tmp_path, content, TWO_DATES).report.readings["ordered"] == DMY


def test_a_column_in_doubt_does_not_follow_one_that_is_written_otherwise(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="Column ordered can be read as"):
        read_bytes(tmp_path, b"id,ordered,shipped\n1,03/04/2024,30.06.2024\n", TWO_DATES)


def test_a_column_of_no_known_format_is_noted(tmp_path: Path) -> None:
    found = read_column(tmp_path, ColumnType.DATE, ["12-Mar-2016", "13-Mar-2016"])
    assert found.report.notes == [
        "value: no cell is a date in a known format, for example '12-Mar-2016', '13-Mar-2016'"
    ]


def test_columns_the_file_lacks_have_no_reading(tmp_path: Path) -> None:
    of = contract("id", ("ordered", ColumnType.DATE), ("price", ColumnType.MONEY), required=False)
    assert read_bytes(tmp_path, b"id,price\n1,2\n", of).report.readings.keys() == {"price"}


@pytest.mark.parametrize(
    ("reading", "words", "setting"),
    [(ISO, "YYYY-MM-DD", "iso"), (DateReading("dmy", ".", 2), "DD.MM.YY", "dmy.2"), (MDY, "MM/DD/YYYY", "mdy/4")],
)
def test_a_format_has_a_name_for_people_and_one_for_the_settings(
    reading: DateReading, words: str, setting: str
) -> None:
    assert (describe(reading), short_form(reading)) == (words, setting)
