"""The formats a date can be written in, and which of them explains a whole column.

Belongs here: the catalogue of date formats and the evidence a column gives for each. Does not belong here: applying a
format to a column (``transforms``), and settling ties between columns (``settle``).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.contracts.readings import ISO, DateReading

TIME_OF_DAY = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?Z?"
"""What may follow a date after a blank or ``T``."""
DATE_PART = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}|[0-9]{8}"
CELL = rf"^({DATE_PART})(?:[ T]{TIME_OF_DAY})?$"
CENTURY_BREAK = 69
"""Two-digit years from here on are of the twentieth century."""
COMPACT_YEARS = range(1900, 2200)
EXAMPLES = 2

_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_SHORT_YEAR = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{1,2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


@lru_cache(maxsize=65_536)
def readings_of(text: str) -> Mapping[DateReading, date]:
    """Every format that a date without time of day can be of, with the day it would mean.

    An impossible day, such as the 30th of February, is of no format.
    """
    found: dict[DateReading, date | None] = {}
    if match := _YEAR_FIRST.fullmatch(text):
        year, separator, month, day = match.groups()
        found[DateReading("ymd", separator, 4)] = _day(year, month, day)
        if _ISO.fullmatch(text):
            found[ISO] = _day(year, month, day)
    elif match := _YEAR_LAST.fullmatch(text):
        first, separator, second, year = match.groups()
        found[DateReading("dmy", separator, 4)] = _day(year, second, first)
        found[DateReading("mdy", separator, 4)] = _day(year, first, second)
    elif match := _SHORT_YEAR.fullmatch(text):
        first, separator, second, third = match.groups()
        if len(third) == 2:  # noqa: PLR2004 - a short year has two digits
            found[DateReading("dmy", separator, 2)] = _day(_full(third), second, first)
            found[DateReading("mdy", separator, 2)] = _day(_full(third), first, second)
        if len(first) == 2:  # noqa: PLR2004
            found[DateReading("ymd", separator, 2)] = _day(_full(first), second, third)
    elif (match := _COMPACT.fullmatch(text)) and int(match.group(1)) in COMPACT_YEARS:
        found[DateReading("compact", "")] = _day(*match.groups())
    return {reading: day for reading, day in found.items() if day is not None}


def date_texts(cells: pa.Array) -> pa.Array:
    """The date of each cell, without blanks around it and time of day; null where it cannot be a date at all."""
    parts = pc.extract_regex(pc.utf8_trim_whitespace(cells), CELL.replace("^(", "^(?P<date>"))
    return pc.struct_field(parts, "date")


def describe(reading: DateReading) -> str:
    """A format for people: ``DD/MM/YYYY``."""
    year = "YYYY" if reading.year_digits == 4 else "YY"  # noqa: PLR2004
    parts = {"d": "DD", "m": "MM", "y": year}
    if reading.order == "iso":
        return "YYYY-MM-DD"
    if reading.order == "compact":
        return "YYYYMMDD"
    return reading.separator.join(parts[letter] for letter in reading.order)


@dataclass
class _Group:
    """Cells that are of the same formats."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it still wants examples."""
        return len(self.examples) < EXAMPLES


@dataclass
class DateEvidence:
    """What the cells of one column say about its format; its size does not depend on the number of cells.

    Attributes:
        null_markers: Cell texts that mean "no value", trimmed and in lower case.
        unmatched: Number of cells of no format, with examples.
    """

    null_markers: frozenset[str]
    unmatched: _Group = field(default_factory=_Group)
    _groups: dict[tuple[frozenset[DateReading], bool], _Group] = field(default_factory=dict)

    def add(self, cells: pa.Array) -> None:
        """Look at some more cells of the column."""
        if cells.null_count == len(cells):
            return
        if _is_plain_iso(cells):
            group = self._groups.setdefault((frozenset({ISO, DateReading("ymd")}), True), _Group())
            _extend(group, len(cells) - cells.null_count, cells[pc.index(cells.is_valid(), True).as_py()].as_py())
            return
        texts = date_texts(cells)
        dated = pc.value_counts(texts.drop_null())
        for text, count in _pairs(dated):
            readings = readings_of(text)
            if readings:
                same = len(set(readings.values())) == 1
                group = self._groups.setdefault((frozenset(readings), same), _Group())
                _extend(group, count, cells[pc.index(texts, text).as_py()].as_py() if group.is_open else text)
            else:
                _extend(self.unmatched, count, text)
        for cell, count in _pairs(pc.value_counts(cells.filter(pc.is_null(texts)).drop_null())):
            if cell.strip().lower() not in self.null_markers:
                _extend(self.unmatched, count, cell)

    def candidates(self) -> list[DateReading]:
        """The formats that every dated cell is of, the likeliest first; ISO for a column without any.

        ISO cells may stand beside cells of one other format, because they can be mistaken for none. Not so where the
        others look like what a spreadsheet leaves when it re-types every date it can: then none is of that format.
        """
        if not self._groups:
            return [ISO]
        others = {key: group for key, group in self._groups.items() if ISO not in key[0]}
        common = frozenset.intersection(*(readings for readings, _ in self._groups))
        if not common and len(others) < len(self._groups) and not _left_by_spreadsheet(others):
            common = frozenset.intersection(*(readings for readings, _ in others))
        return [ISO] if ISO in common else sorted(common, key=_rank)

    @property
    def indifferent(self) -> bool:
        """Whether several formats are possible and every date means the same day in each, as the fifth of May does."""
        return len(self.candidates()) > 1 and all(same for _, same in self._groups)

    def cover(self) -> list[tuple[str, int, list[str]]]:
        """The formats needed to explain every dated cell: name, cells it explains, two of them."""
        left = dict(self._groups)
        explained = []
        while left:
            totals: Counter[DateReading] = Counter()
            for (readings, _), group in left.items():
                totals.update(dict.fromkeys(readings, group.count))
            best = min(totals, key=lambda reading: (-totals[reading], _rank(reading)))
            taken = {key: group for key, group in left.items() if best in key[0]}
            names = sorted(frozenset.intersection(*(readings for readings, _ in taken)), key=_rank)
            examples = [cell for group in taken.values() for cell in group.examples]
            explained.append((" or ".join(map(describe, names)), totals[best], examples[:EXAMPLES]))
            left = {key: group for key, group in left.items() if key not in taken}
        return explained

    def examples(self) -> list[str]:
        """Some cells that show what is unclear: those whose day depends on the format."""
        return [cell for (_, same), group in self._groups.items() if not same for cell in group.examples][:EXAMPLES]

    @property
    def dated(self) -> int:
        """Number of cells of any format."""
        return sum(group.count for group in self._groups.values())


def _left_by_spreadsheet(groups: Iterable[tuple[frozenset[DateReading], bool]]) -> bool:
    """Whether no cell could be both day-month and month-day, so that all of those may have been re-typed, swapped."""
    orders = [{reading.order for reading in readings} for readings, _ in groups]
    return all("dmy" in found or "mdy" in found for found in orders) and not any({"dmy", "mdy"} <= o for o in orders)


def _pairs(counted: pa.StructArray) -> Iterable[tuple[str, int]]:
    return zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)


def _extend(group: _Group, count: int, cell: str) -> None:
    group.count += count
    if group.is_open and cell not in group.examples:
        group.examples.append(cell)


def _is_plain_iso(cells: pa.Array) -> bool:
    """Whether every cell is an ISO date or instant, told by the quick way that has no word for other formats."""
    try:
        pc.cast(cells, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return False
    return True


def _rank(reading: DateReading) -> int:
    return ("iso", "compact", "ymd", "mdy", "dmy").index(reading.order)


def _full(year: str) -> str:
    return f"{19 if int(year) >= CENTURY_BREAK else 20}{year}"


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def combine(readings: Iterable[DateReading]) -> str:
    """Several formats for people."""
    return " or ".join(describe(reading) for reading in readings)
