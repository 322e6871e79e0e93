"""Excel workbooks (.xlsx): the first sheet whose headers the contract knows, its values as text.

Belongs here: the text of spreadsheet cells. Does not belong here: any reading of that text.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.rejects import RejectSpool
from platform_assets.ingestion.source import BATCH_ROWS, Block

MAX_ENTRIES = 1_000
MAX_UNPACKED = 2 * 1024**3
MAX_RATIO = 100
RATIO_COUNTS_FROM = 100 * 1024**2
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, OSError),
    *(KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError),
)
"""What openpyxl and the parts below it raise on files that are not as they should be."""
SIGNIFICANT_DIGITS = 15
"""What a spreadsheet keeps and shows of a number; digits behind are noise of the binary form."""


class WorkbookSource:
    """One workbook; rows are numbered as the sheet numbers them.

    Raises:
        FileRefusedError: It cannot be read, or no sheet has any header.
    """

    encoding = None
    delimiter = None

    def __init__(self, path: Path, known: Callable[[str], bool], rejects: RejectSpool) -> None:
        self._rejects = rejects
        self.notes: list[str] = []
        _refuse_bomb(path)
        try:
            self._book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except DAMAGE as error:
            raise _refused(error) from error
        self._sheet, self._header_row, cells = self._find_header(known)
        self.headers: tuple[str, ...] = cells
        if len(self._book.worksheets) > 1:
            self.notes.append(f"read from sheet {self._sheet.title!r} of {len(self._book.worksheets)}")

    def blocks(self) -> Iterator[Block]:
        """The rows below the header, but for empty ones.

        Raises:
            FileRefusedError: The sheet is damaged.
        """
        rows: list[list[str | None]] = []
        lines: list[int] = []
        for number, cells in _rows(self._sheet, self._header_row + 1):
            width = len(self.headers)
            if any(cell is not None for cell in cells[width:]):
                raw = "\t".join(cell or "" for cell in cells)
                self._rejects.add(number, "has a cell under a column without header", raw)
                continue
            rows.append([*cells[:width], *[None] * (width - len(cells))])
            lines.append(number)
            if len(rows) == BATCH_ROWS:
                yield self._block(rows, lines)
                rows, lines = [], []
        if rows:
            yield self._block(rows, lines)
        self._book.close()

    def _block(self, rows: list[list[str | None]], lines: list[int]) -> Block:
        cells = tuple(pa.array(column, pa.string()) for column in zip(*rows, strict=True))
        return Block(self.headers, cells, pa.array(lines, pa.int64()))

    def _find_header(self, known: Callable[[str], bool]) -> tuple[Any, int, tuple[str, ...]]:
        """Sheet, row and headers of the sheet whose first filled row has the most headers that are known."""
        found = []
        for sheet in self._book.worksheets:
            first = next(_rows(sheet, 1), None)
            if first is not None:
                headers = [(cell or "").strip() for cell in first[1]]
                while headers and not headers[-1]:
                    headers.pop()
                found.append((sheet, first[0], tuple(headers)))
        if not found:
            problem = "The workbook is empty."
            raise FileRefusedError(problem, "Deliver it again with a header row and data.")
        best = max(found, key=lambda candidate: sum(map(known, candidate[2])))
        if not all(best[2]):
            problem = f"A header in row {best[1]} of sheet {best[0].title!r} is blank."
            raise FileRefusedError(problem, "Name every column.")
        return best


def _rows(sheet: Any, first: int) -> Iterator[tuple[int, list[str | None]]]:
    """Number and cells of every row that has any value."""
    try:
        # The dimensions a file states about itself may be wrong, and would cut rows off.
        sheet.reset_dimensions()
        for number, values in enumerate(sheet.iter_rows(min_row=first, values_only=True), first):
            if any(value is not None for value in values):
                yield number, [_text(value) for value in values]
    except DAMAGE as error:
        raise _refused(error) from error


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, int | timedelta) else repr(value)


def number_text(value: float) -> str:
    """A number as the spreadsheet shows it when the cell is wide enough: ``17850.0`` is ``17850``."""
    text = format(Decimal(format(value, f".{SIGNIFICANT_DIGITS}g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise _refused(error) from error
    unpacked, packed = sum(entry.file_size for entry in entries), path.stat().st_size
    bloated = unpacked > RATIO_COUNTS_FROM and unpacked > MAX_RATIO * packed
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or bloated:
        problem = f"The workbook unpacks to {len(entries):,} parts of {unpacked:,} bytes, as a bomb would."
        raise FileRefusedError(problem, "Deliver the data as CSV or Parquet.")


def _refused(error: Exception) -> FileRefusedError:
    problem = f"The file cannot be read as an Excel workbook: {type(error).__name__}: {error}"
    return FileRefusedError(problem, "Save it again as .xlsx, or as CSV.")
