"""How a column writes its numbers, told from all of it."""

from pathlib import Path

import pytest

from platform_assets.contracts.columns import ColumnType
from platform_assets.contracts.readings import PLAIN, NumberReading
from platform_assets.errors import FileRefusedError
from platform_assets_tests.ingestion.support import read_column


def _reading(folder: Path, cells: list[str]) -> NumberReading:
    reading = read_column(folder, ColumnType.MONEY, cells).report.readings["value"]
    assert isinstance(reading, NumberReading)
    return reading


@pytest.mark.parametrize(
    ("cells", "reading"),
    [
        (["1", "-2.5", "+3", "1e5"], PLAIN),
        (["", "NULL", "n/a"], PLAIN),
        (["1.234", "5.678"], PLAIN),
        (["1,234", "999"], NumberReading(group=",")),
        (["1,234,567.50", "1.5"], NumberReading(group=",")),
        (["12,5", "7"], NumberReading(decimal=",")),
        (["0,125"], NumberReading(decimal=",")),
        (["1.234,56", "7,5"], NumberReading(decimal=",", group=".")),
        (["1.234", "7,5"], NumberReading(decimal=",", group=".")),
        (["1 234,5", "7,5"], NumberReading(decimal=",", group=" ")),
        (["1\u00a0234,5", "1\u202f234,5"], NumberReading(decimal=",", group=" ")),
        (["1'234.50", "7.5"], NumberReading(group="'")),
        (["$1,706", "-$5", "$-5"], NumberReading(group=",", decorated=True)),
        (["(12.50)", "3.00"], NumberReading(decorated=True)),
        (["12.50 €", "EUR 3"], NumberReading(decorated=True)),
        (["12.50-", "3.00"], NumberReading(decorated=True)),
        (["45%", "7.5%"], NumberReading(percent=True)),
        (["45 %"], NumberReading(percent=True, decorated=True)),
        (["1.23456"], NumberReading(long=True)),
        (["1,23456"], NumberReading(decimal=",", long=True)),
        (["1.2345"], PLAIN),
        (["1.5", "unknown", "12-3", "$", "-"], PLAIN),
        ([" 1.5 ", "2"], PLAIN),
    ],
)
def test_the_reading_fits_the_column(tmp_path: Path, cells: list[str], reading: NumberReading) -> None:
    assert _reading(tmp_path, cells) == reading


def test_the_reading_that_fits_the_most_cells_wins(tmp_path: Path) -> None:
    assert _reading(tmp_path, ["1,50", "2,50", "3,50", "4.50"]) == NumberReading(decimal=",")


def test_whole_numbers_say_nothing_about_the_decimal_mark(tmp_path: Path) -> None:
    assert _reading(tmp_path, ["1"] * 1_000 + ["2,5"]) == NumberReading(decimal=",")


def test_late_evidence_counts_as_much_as_early(tmp_path: Path) -> None:
    cells = ["1.234"] * 70_000 + ["1.234,56"]
    assert _reading(tmp_path, cells) == NumberReading(decimal=",", group=".")


def test_two_readings_that_contradict_each_other_stop_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match=r"Column value can be read with decimal mark '\.' .* differs"):
        _reading(tmp_path, ["1.234", "1,234"])
