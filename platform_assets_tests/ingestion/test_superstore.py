"""The Superstore sheet as eight people saved it, up to the text of its cells and how it is to be read."""

from decimal import Decimal
from pathlib import Path

import pytest

from platform_assets.contracts.readings import PLAIN, DateReading, NumberReading
from platform_assets.contracts.superstore_sales import CONTRACT
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.dates import readings_of
from platform_assets_tests.ingestion.support import Read, read

LINES = 9_994


def _read(shared_datasets: Path, name: str) -> Read:
    return read(shared_datasets / "superstore" / name, CONTRACT)


def _sum(found: Read, column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in found.rows), Decimal(0))


@pytest.mark.parametrize(
    ("name", "encoding", "order"),
    [
        ("superstore_2014_2017_utf8.csv", "utf-8", DateReading("mdy", "/")),
        ("superstore_2017_2020_cp1252_crlf.csv", "cp1252", DateReading("mdy", "/")),
        ("variants/macroman_cr_dmy.csv", "mac_roman", DateReading("dmy", "-", 2)),
        ("variants/spanish_headers.csv", "utf-8", DateReading("mdy", "/")),
    ],
)
def test_a_sound_file_is_read_whole(shared_datasets: Path, name: str, encoding: str, order: DateReading) -> None:
    found = _read(shared_datasets, name)
    assert (found.report.rows_read, found.report.rows_rejected) == (LINES, 0)
    assert _sum(found, "sales") == Decimal("2297200.8603")
    assert _sum(found, "profit") == Decimal("286397.0217")
    assert found.report.encoding == encoding
    assert (found.report.readings["order_date"], found.report.readings["sales"]) == (order, PLAIN)


def test_day_and_month_of_the_mac_file_are_proven_by_the_ship_dates(shared_datasets: Path) -> None:
    found = _read(shared_datasets, "variants/macroman_cr_dmy.csv")
    form = DateReading("dmy", "-", 2)
    assert (found.report.readings["order_date"], found.report.readings["ship_date"]) == (form, form)
    lags = {(readings_of(row["ship_date"])[form] - readings_of(row["order_date"])[form]).days for row in found.rows}
    assert (min(lags), max(lags)) == (0, 7)
    assert any("Conference\u00a0phone" in row["product_name"] for row in found.rows)
    assert found.lines == list(range(2, LINES + 2))


def test_lines_with_shifted_columns_are_rejected_and_the_good_ones_load(shared_datasets: Path) -> None:
    found = _read(shared_datasets, "variants/broken_quoting.csv")
    assert found.rejected_lines == [183, 432, 433, 1408, 1971, 1973]
    assert len(found.rows) == LINES - 6
    assert all(reject["raw"].startswith(f"{reject['_source_row'] - 1},") for reject in found.rejects)


def test_damaged_text_is_reported(shared_datasets: Path) -> None:
    notes = _read(shared_datasets, "variants/spanish_headers.csv").report.notes
    assert notes == ["the text has 624 damaged characters (U+FFFD)"]


def test_dates_that_a_spreadsheet_has_swapped_stop_the_file(shared_datasets: Path) -> None:
    with pytest.raises(FileRefusedError) as caught:
        _read(shared_datasets, "variants/excel_damaged_dates.csv")
    assert all(part in str(caught.value) for part in ("order_date", "4,042", "5,952", "'11-08-2016'", "'4/15/2017'"))


def test_a_file_without_required_columns_is_refused_with_their_names(shared_datasets: Path) -> None:
    with pytest.raises(FileRefusedError) as caught:
        _read(shared_datasets, "variants/semicolon_decimal_comma_12cols.csv")
    assert "missing: order_id, order_date, customer_id, product_id." in caught.value.problem
    assert "Found: Row ID, Ship Date, Customer Name" in caught.value.problem


def test_rounded_numbers_and_percentages_parse(shared_datasets: Path) -> None:
    found = _read(shared_datasets, "variants/lost_minus_signs.csv")
    assert (len(found.rows), found.report.headers[" Sales ".strip()]) == (LINES, "sales")
    assert found.report.readings["discount"] == NumberReading(percent=True)
    assert found.report.readings["order_date"] == DateReading("mdy", "-")
    assert not any(row["profit"].startswith("-") for row in found.rows)
