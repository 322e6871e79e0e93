"""Words and cells of lines and messages: what is a name, what a bare number, what stands instead of a person.

Belongs here: text without its columns, and one line of CSV. Does not belong here: whose a word is (``people``).
"""

import csv
import io
import re
from collections.abc import Iterator

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.transforms.forgotten import FORGOTTEN

_QUOTING = re.compile(r"refused|Found:|header|for example|formats? in one column", re.IGNORECASE)
"""What messages say that quote cells of a file."""

_WORD = re.compile(r"[^\s,;|\"']+")
_BEFORE, _AFTER = "([{<", ".:!?)]}>"
_MOST_WORDS = 4
"""Of a name that is looked for in text."""
_NEEDS_QUOTES = re.compile('[",\n\r]')


def phrases(text: str) -> Iterator[tuple[str, int, int]]:
    """Up to four words that follow each other, with where they begin and end."""
    words = [_trimmed_span(text, found.start(), found.end()) for found in _WORD.finditer(text)]
    for first in range(len(words)):
        for count in range(1, min(_MOST_WORDS, len(words) - first) + 1):
            part = words[first : first + count]
            yield " ".join(text[start:end] for start, end in part), part[0][0], part[-1][1]


def with_words_replaced(text: str, spans: list[tuple[int, int]]) -> str:
    """A text in which some spans, which may overlap, say that somebody was there."""
    for start, end in reversed(_merged(spans)):
        text = text[:start] + FORGOTTEN + text[end:]
    return text


def quotes_file(text: str) -> bool:
    """Whether a message quotes cells of a file, as that of a refused one does, so that a number may be an id."""
    return _QUOTING.search(text) is not None


def may_name(words: str) -> bool:
    """Whether words of a message that quotes no file may be an id: a bare number counts something."""
    return not words.removesuffix(".0").isdigit()


def normal_name(name: str) -> str:
    """A name as names are compared: its words in lower case."""
    return " ".join(word.strip(_BEFORE + _AFTER) for word in _WORD.findall(name.casefold()))


def cells_of(line: str) -> list[str]:
    """The cells of a line of CSV; none where it cannot be taken apart."""
    try:
        return next(csv.reader(io.StringIO(line, newline="")), [])
    except csv.Error:
        return []


def line_without_person(text: str, contract: Contract) -> str:
    """A line of CSV with the contract's columns, its personal cells replaced; written as staging writes it."""
    cells = cells_of(text)
    if len(cells) != len(contract.columns):
        return FORGOTTEN
    pairs = zip(contract.columns, cells, strict=True)
    return ",".join(_quoted(erased_cell(column, cell)) for column, cell in pairs)


def erased_cell(column: Column, cell: str) -> str:
    """What stands in the place of a cell of a forgotten person's row; one without a value stays."""
    return instead_of(column) if column.personal and cell.strip().lower() not in column.null_markers else cell


def instead_of(column: Column) -> str:
    """What stands for a value of a personal column: a word, where the column is one of text."""
    return FORGOTTEN if column.type in {ColumnType.TEXT, ColumnType.IDENTIFIER} else ""


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell


def _trimmed_span(text: str, start: int, end: int) -> tuple[int, int]:
    word = text[start:end]
    start += len(word) - len(word.lstrip(_BEFORE))
    end -= len(word) - len(word.rstrip(_AFTER))
    return start, max(start, end)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
