"""Doubtful delimited text, taken apart line by line: slow, exact, and never more generous than the rules.

Belongs here: what is to be done about quotes in the wrong place. Does not belong here: text beyond doubt, which is
parsed by the block (``delimited``).

The rules: a cell that begins with a quote ends at a quote that is followed by a delimiter or a line end, and a quote
inside it is doubled. A quote in the middle of a cell that does not begin with one is an ordinary character. Where a
quoted cell does not end like that, only the physical line on which its record begins is rejected, and reading goes on
with the next line, so that one stray quote costs one line and swallows none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from platform_assets.ingestion.quoting import MAX_CELL, SWALLOWED_BREAKS

_LINE_END = re.compile(r"\r\n|\r|\n")
MIN_FIELDS_TO_RECOGNISE = 3
"""Fields a line must have to be told from running text inside a quoted cell."""


UNCLOSED = "a quote opens and is never closed"
TOO_LONG = f"a cell has more than {MAX_CELL:,} characters, or its quote is never closed"


@dataclass(frozen=True)
class Scanned:
    """One record.

    Attributes:
        line: How many physical lines of the text come before it.
        raw: Its text without line end.
        cells: Its cells, ``None`` for an unquoted empty one; ``None`` as a whole when the line is rejected.
        reason: Why it is rejected.
    """

    line: int
    raw: str
    cells: list[str | None] | None
    reason: str = ""


class Scanner:
    """Takes one text apart. After ``records`` is exhausted, ``consumed`` and ``line`` say how far it came.

    Args:
        text: Begins where a record begins.
        delimiter: One character.
        fields: How many fields a record has; ``None`` accepts any number (for the header).
        final: Whether the file ends with the text; otherwise an incomplete last record is left for later.
        suspicious: Whether the line before the text had broken quotes; of the last line read, after reading.
    """

    def __init__(self, text: str, delimiter: str, fields: int | None, *, final: bool, suspicious: bool = False) -> None:
        mark = re.escape(delimiter)
        self._quoted = re.compile(rf'"((?:[^"]++|"")*+)"(?=[{mark}\r\n]|\Z)')
        self._closing = re.compile(r'"(?:[^"]++|"")*+"')
        self._unquoted = re.compile(rf"[^{mark}\r\n]*+")
        self._text = text
        self._delimiter = delimiter
        self._fields = fields
        self._final = final
        self.suspicious = suspicious
        self.consumed = 0
        self.line = 0

    def records(self) -> Iterator[Scanned]:
        """The records in order; blank lines yield nothing."""
        while self.consumed < len(self._text):
            content_end, next_line = self._line_at(self.consumed)
            if next_line is None and not self._final:
                return
            line = self._text[self.consumed : content_end]
            if '"' not in line:
                record = self._judged(line, [cell or None for cell in line.split(self._delimiter)])
                self._advance(next_line)
                if not is_blank(line, self._fields):
                    yield record
                continue
            quoted = self._quoted_record(line, next_line)
            if quoted is None:
                return
            yield quoted

    def rest(self) -> str:
        """The text of an incomplete last record."""
        return self._text[self.consumed :]

    def _line_at(self, start: int) -> tuple[int, int | None]:
        """Where the physical line ends, and where the next begins (``None``: the text ends first)."""
        found = _LINE_END.search(self._text, start)
        if found is None:
            return len(self._text), None
        if found.end() == len(self._text) and found.group() == "\r" and not self._final:
            return found.start(), None
        return found.start(), found.end()

    def _quoted_record(self, line: str, next_line: int | None) -> Scanned | None:
        """The record at the current place, ``None`` when it may go on behind the end of the text."""
        cells, end, fault = self._cells_from(self.consumed)
        patient = not self._final and len(self._text) - self.consumed <= MAX_CELL
        if (patient and fault == UNCLOSED) or (not self._final and end >= len(self._text)):
            return None
        raw = self._text[self.consumed : end]
        if not fault and self._swallowed(raw):
            fault = "a quoted cell takes in whole lines after this one: its closing quote is probably missing"
        if fault:
            rejected = Scanned(self.line, line, None, fault)
            self.suspicious = True
            self._advance(next_line)
            return rejected
        judged = self._judged(raw, cells)
        self.line += len(_LINE_END.findall(raw))
        self._advance(self._line_at(end)[1])
        return judged

    def _cells_from(self, start: int) -> tuple[list[str | None], int, str]:
        """Cells of the record, where it ends, and what is wrong with its quotes."""
        cells: list[str | None] = []
        text, place = self._text, start
        while True:
            if text.startswith('"', place):
                found = self._quoted.match(text, place, min(len(text), place + MAX_CELL + 2))
                if found is None or found.end() - place > MAX_CELL:
                    return cells, place, self._fault(place)
                cells.append(found.group(1).replace('""', '"'))
            else:
                found = self._unquoted.match(text, place)
                if found is None or (self.suspicious and '"' in found.group()):
                    return cells, place, "a quote stands inside a cell, right after a line with broken quotes"
                cells.append(found.group() or None)
            place = found.end()
            if not text.startswith(self._delimiter, place):
                return cells, place, ""
            place += 1

    def _fault(self, place: int) -> str:
        close = self._closing.match(self._text, place, place + MAX_CELL + 2)
        if close is None:
            return TOO_LONG if len(self._text) - place > MAX_CELL else UNCLOSED
        if close.end() - place > MAX_CELL:
            return TOO_LONG
        following = _LINE_END.split(self._text[close.end() : close.end() + 10])[0]
        return f"a closing quote is followed by {following!r}, not by a delimiter"

    def _swallowed(self, raw: str) -> bool:
        """Whether a quoted cell holds at least two whole lines, each of which would be a record by itself."""
        inner = _LINE_END.split(raw)[1:-1]
        if self._fields is None or self._fields < MIN_FIELDS_TO_RECOGNISE or len(inner) < SWALLOWED_BREAKS - 1:
            return False
        separators = self._fields - 1
        return all(
            line.count(self._delimiter) == separators or ('"' in line and line.count(self._delimiter) > separators)
            for line in inner
        )

    def _judged(self, raw: str, cells: list[str | None]) -> Scanned:
        reason = ""
        if self._fields is not None and len(cells) != self._fields:
            reason = wrong_count(len(cells), self._fields)
        elif "\0" in raw:
            reason = "holds a NUL byte"
        elif len(raw) > MAX_CELL and any(cell and len(cell) > MAX_CELL for cell in cells):
            reason = TOO_LONG
        self.suspicious = False
        return Scanned(self.line, raw, None if reason else cells, reason)

    def _advance(self, next_line: int | None) -> None:
        self.consumed = len(self._text) if next_line is None else next_line
        self.line += 1


def wrong_count(found: int, expected: int) -> str:
    """The reason for rejecting a record with the wrong number of fields."""
    return f"has {found} field{'' if found == 1 else 's'}, the header has {expected}"


def is_blank(line: str, fields: int | None) -> bool:
    """Whether a line holds no record: it is empty, or blank where a record has several fields."""
    return not line or (fields != 1 and not line.strip(" "))
