"""The header line of delimited text, and the delimiter that goes with it.

Belongs here: the first lines of a file. Does not belong here: its data (``delimited``), and what the headers mean
(``headers``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.scanner import Scanned, Scanner

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_RECORDS = 50

_LINE_END = re.compile(r"\r\n|\r|\n")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?(?:\r\n|\r|\n)', re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """The header line.

    Attributes:
        delimiter: What separates the fields.
        names: The headers, surrounding blanks removed, without those blank ones at the end.
        fields: How many fields a line has, the blank ones at the end included.
        cells: The header's cells as they stand.
        length: Characters of the file up to the end of the header line.
        lines: Physical lines up to there.
    """

    delimiter: str
    names: tuple[str, ...]
    fields: int
    cells: tuple[str | None, ...]
    length: int
    lines: int


def read_header(text: str, known: Callable[[str], bool]) -> Header:
    """Find header and delimiter at the start of a file.

    Args:
        text: The beginning of the file: whole lines, or everything.
        known: Whether the contract has a column for a header.

    Raises:
        FileRefusedError: There is no header line, or a header in it is blank.
    """
    named = _SEPARATOR_LINE.match(text)
    start = named.end() if named else 0
    delimiter = named.group(1) if named else max(DELIMITERS, key=lambda sign: _fit(text, sign, known))
    scanner = Scanner(text[start:], delimiter, None, final=True)
    record = next(scanner.records(), None)
    if record is None:
        problem = "The file holds nothing but blank lines."
        raise FileRefusedError(problem, "Deliver it again with a header line and data.")
    if record.cells is None:
        problem = f"The header line cannot be read: {record.reason}."
        raise FileRefusedError(problem, "Correct the quotes in the first line.")
    names = [(cell or "").strip() for cell in record.cells]
    while names and not names[-1]:
        names.pop()
    _refuse_blank(names)
    end = start + scanner.consumed
    lines = len(_LINE_END.findall(text[:end]))
    return Header(delimiter, tuple(names), len(record.cells), tuple(record.cells), end, lines)


def _refuse_blank(names: list[str]) -> None:
    blank = [place for place, name in enumerate(names, 1) if not name]
    if blank or not names:
        where = ", ".join(str(place) for place in blank) or "1"
        problem = (
            f"The header of column {where} is blank; the file has {', '.join(filter(None, names)) or 'no header'}."
        )
        raise FileRefusedError(problem, "Name every column in the first line.")


def _fit(text: str, delimiter: str, known: Callable[[str], bool]) -> tuple[int, float, int]:
    """How well a delimiter explains the first lines: headers recognised, lines of one width, fields."""
    records = _sample(text, delimiter)
    if not records or records[0].cells is None:
        return 0, 0.0, 0
    header = records[0].cells
    recognised = sum(known(cell.strip()) for cell in header if cell)
    even = sum(record.cells is not None and len(record.cells) == len(header) for record in records)
    return recognised, even / len(records) if len(header) > 1 else 0.0, len(header)


def _sample(text: str, delimiter: str) -> list[Scanned]:
    records = Scanner(text[:100_000], delimiter, None, final=True).records()
    return [record for record, _ in zip(records, range(SAMPLE_RECORDS), strict=False)]
