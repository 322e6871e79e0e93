"""The ways a number can be written, and which of them explains a whole column.

Belongs here: the catalogue of number formats and the evidence a column gives for each. Does not belong here: applying
one to a column (``transforms``).
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.contracts.readings import NumberReading

Marks = tuple[Literal[".", ","], Literal["", ",", ".", " ", "'"]]

CURRENCY = (
    r"(?:US\$|R\$|C\$|A\$|[$€£¥₹₽₩₺₪]|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR"
    r"|kr\.?|zł|Kč|Ft|Fr\.)"
)
"""A sign or name of a currency, as it may stand before or behind a number."""
BLANK = "[ \u00a0\u202f\u2009]"
"""Blanks that may stand between a number and its decoration, or between its groups of thousands."""
APOSTROPHE = "['\u2019]"
PLAIN_NUMBER = r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$"
DECORATED = (
    rf"^(?P<open>\()?{BLANK}*(?P<sign>[+\-\u2212]?){BLANK}*(?P<currency>{CURRENCY})?{BLANK}*(?P<late_sign>[+\-\u2212]?)"
    rf"(?P<number>[0-9.,](?:[0-9.,'\u2019 \u00a0\u202f\u2009]*[0-9])?(?:[eE][+-]?[0-9]+)?|[0-9])"
    rf"{BLANK}*(?P<percent>%)?{BLANK}*(?P<currency_behind>{CURRENCY})?{BLANK}*(?P<close>\))?(?P<sign_behind>-)?$"
)
"""A number with everything that may stand around it; at most one sign, one currency, and both parentheses or none."""

EXACT_PLACES = 4
MARKS: tuple[Marks, ...] = (
    (".", ""),
    (".", ","),
    (",", ""),
    (",", "."),
    (".", " "),
    (",", " "),
    (".", "'"),
    (",", "'"),
)
"""Decimal mark and thousands mark, the likeliest first."""
BY_CONVENTION = {
    (".", ""): frozenset(MARKS),
    (".", ","): frozenset({(",", ""), (",", " "), (",", "'")}),
}
"""Ties that custom decides: a single point is a decimal mark; a comma before three digits, always, is none."""

_DECORATED = re.compile(DECORATED)


def _pattern(decimal: str, group: str) -> re.Pattern[str]:
    mark = {" ": BLANK, "'": APOSTROPHE}.get(group, re.escape(group))
    whole = rf"\d+|[1-9]\d{{0,2}}(?:{mark}\d{{3}})+" if group else r"\d+"
    point = re.escape(decimal)
    return re.compile(rf"(?:(?:{whole})(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?")


_PATTERNS = {marks: _pattern(*marks) for marks in MARKS}


@dataclass(frozen=True)
class Shape:
    """What one way of writing says: the marks it can be of, each with the number it would mean, and decoration."""

    meanings: tuple[tuple[Marks, str], ...]
    percent: bool
    decorated: bool


@lru_cache(maxsize=65_536)
def shape_of(text: str) -> Shape | None:
    """The ways to read a cell without surrounding blanks; ``None`` when it is no number in any way."""
    match = _DECORATED.match(text)
    if match is None:
        return None
    parts = match.groupdict()
    once = (
        ("sign", "late_sign"),
        ("sign", "sign_behind"),
        ("late_sign", "sign_behind"),
        ("currency", "currency_behind"),
    )
    if any(parts[a] and parts[b] for a, b in once) or bool(parts["open"]) != bool(parts["close"]):
        return None
    number = parts["number"]
    meanings = tuple((marks, _canonical(number, *marks)) for marks in MARKS if _PATTERNS[marks].fullmatch(number))
    bare = (parts["sign"] or parts["late_sign"] or "") + number + (parts["percent"] or "")
    return Shape(meanings, bool(parts["percent"]), decorated=bare != text or "\u2212" in text) if meanings else None


def _canonical(number: str, decimal: str, group: str) -> str:
    """The number as it would be plain."""
    mark = {" ": BLANK, "'": APOSTROPHE}.get(group, re.escape(group)) if group else None
    return (re.sub(mark, "", number) if mark else number).replace(decimal, ".")


@dataclass(frozen=True)
class Conflict:
    """Two readings that fit a column equally and give different numbers for the same cell."""

    readings: tuple[NumberReading, NumberReading]
    cell: str


@dataclass
class NumberEvidence:
    """What the cells of one column say about how its numbers are written.

    Attributes:
        integers: Number of plain cells without a point, which fit every reading.
        decimals: Number of plain cells with a point that can only be a decimal mark.
        long: Whether a cell has more than four decimals behind a point.
    """

    integers: int = 0
    decimals: int = 0
    long: bool = False
    _shapes: Counter[Shape] = field(default_factory=Counter)
    _examples: dict[tuple[Marks, ...], str] = field(default_factory=dict)

    def add(self, cells: pa.Array) -> None:
        """Look at some more cells of the column."""
        present = cells.drop_null() if cells.null_count else cells
        plain = pa.scalar(True)
        if not _is_plain(present):
            present = pc.utf8_trim_whitespace(present)
            plain = pc.match_substring_regex(present, PLAIN_NUMBER)
        points = pc.find_substring(present, ".")
        pointed = pc.greater_equal(points, 0)
        places = pc.subtract(pc.subtract(pc.binary_length(present), points), 1)
        # A point with three digits behind it is plain and also German for thousands: keep it as evidence.
        thousands = pc.and_(pointed, pc.equal(places, 3))
        sure = pc.and_not(pc.and_(pointed, plain), thousands)
        self.long |= bool(pc.any(pc.and_(pc.and_(pointed, plain), pc.greater(places, EXACT_PLACES))).as_py())
        self.decimals += pc.sum(sure).as_py() or 0
        self.integers += pc.sum(pc.and_not(plain, pointed)).as_py() or 0
        self._look(present.filter(pc.or_(thousands, pc.invert(plain))))

    def reading(self) -> NumberReading | Conflict:
        """The reading that fits the most cells, or two that fit equally and contradict each other."""
        fits: Counter[Marks] = Counter()
        for shape, count in self._shapes.items():
            fits.update(dict.fromkeys((marks for marks, _ in shape.meanings), count))
        fits.update({marks: self.decimals for marks in MARKS if marks[0] == "."})
        most = max(fits.values())
        tied = [marks for marks in MARKS if fits[marks] == most and self._uses_group(*marks)]
        chosen = tied[0]
        for other in tied[1:]:
            cell = self._differing(chosen, other)
            if cell is not None and other not in BY_CONVENTION.get(chosen, ()):
                return Conflict((self._complete(chosen), self._complete(other)), cell)
        return self._complete(chosen)

    def _uses_group(self, decimal: str, group: str) -> bool:
        """Whether the thousands mark explains any cell, so that the reading is more than the one without it."""
        known = [dict(shape.meanings) for shape in self._shapes]
        return not group or any((decimal, group) in marks and (decimal, "") not in marks for marks in known)

    def _complete(self, marks: Marks) -> NumberReading:
        fitting = [shape for shape in self._shapes if marks in dict(shape.meanings)]
        with_percent = sum(self._shapes[shape] for shape in fitting if shape.percent)
        without = self.integers + self.decimals + sum(self._shapes[shape] for shape in fitting if not shape.percent)
        decorated = any(shape.decorated for shape in fitting)
        long = self.long or any(_places(dict(shape.meanings)[marks]) > EXACT_PLACES for shape in fitting)
        return NumberReading(marks[0], marks[1], with_percent > without, decorated, long)

    def _differing(self, one: Marks, other: Marks) -> str | None:
        """A cell that would be different numbers under two readings."""
        for shape in self._shapes:
            meanings = dict(shape.meanings)
            if one in meanings and other in meanings and meanings[one] != meanings[other]:
                return self._examples[tuple(meanings)]
        return None

    def _look(self, cells: pa.Array) -> None:
        """Look at cells that are not plain, or may mean something else than they seem to."""
        outlines = pc.replace_substring_regex(cells, "[1-9]", "9")
        counted = pc.value_counts(outlines)
        for outline, count in zip(
            counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True
        ):
            shape = shape_of(outline)
            if shape is not None:
                self._shapes[shape] += count
                marks = tuple(dict(shape.meanings))
                if marks not in self._examples:
                    self._examples[marks] = cells[pc.index(outlines, outline).as_py()].as_py()


def _places(number: str) -> int:
    return len(number.partition(".")[2].lower().partition("e")[0])


def _is_plain(cells: pa.Array) -> bool:
    try:
        pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
