"""Delimited text (CSV, TSV and their kin): whole blocks by pyarrow where they are beyond doubt, else by the scanner.

Belongs here: from UTF-8 chunks to text columns with exact line numbers. Does not belong here: encodings
(``encoding``), the header line (``dialect``), the judgement of quotes (``quoting``, ``scanner``).
"""

import csv
import io
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.dialect import Header, read_header
from platform_assets.ingestion.encoding import Survey, utf8_chunks
from platform_assets.ingestion.quoting import Records, find_records
from platform_assets.ingestion.rejects import RejectSpool
from platform_assets.ingestion.scanner import Scanner, is_blank, wrong_count
from platform_assets.ingestion.source import Block

HEADER_SAMPLE = 256 * 1024
DAMAGED_CHARACTER = "\ufffd".encode()


class DelimitedSource:
    """One file of delimited text.

    Args:
        path: The file.
        survey: What is known of its bytes.
        known: Whether the contract has a column for a header.
        rejects: Where lines go that cannot be taken apart.

    Raises:
        FileRefusedError: It has no usable header line.
    """

    def __init__(self, path: Path, survey: Survey, known: Callable[[str], bool], rejects: RejectSpool) -> None:
        self._survey = survey
        self._rejects = rejects
        self._chunks = utf8_chunks(path, survey)
        self._carry = b""
        self._exhausted = self._suspicious = False
        self._damaged = 0
        self._header = self._read_header(known)
        self._line = self._header.lines + 1
        self.notes: list[str] = []

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers, without blank ones at the end."""
        return self._header.names

    @property
    def encoding(self) -> str:
        """Python's name of the encoding."""
        return self._survey.encoding

    @property
    def delimiter(self) -> str:
        """What separates the fields."""
        return self._header.delimiter

    def blocks(self) -> Iterator[Block]:
        """The lines that can be taken apart.

        Raises:
            FileRefusedError: The bytes cannot be read or decoded.
        """
        while not self._exhausted:
            chunk = next(self._chunks, None)
            self._exhausted = chunk is None
            self._damaged += _damaged(chunk or b"")
            yield from self._take(self._carry + (chunk or b""))
        if self._damaged:
            self.notes.append(f"the text has {self._damaged:,} damaged characters (U+FFFD)")

    def _take(self, buffer: bytes) -> Iterator[Block]:
        """Whatever is complete in the buffer; the rest is carried to the next."""
        held = b"\r" if not self._exhausted and buffer.endswith(b"\r") else b""
        block = buffer.removesuffix(held)
        if b"\0" in block:
            rest = yield from self._scan(block)
        else:
            records = find_records(block, self.delimiter, final=self._exhausted)
            yield from self._parse(block[: records.end], records)
            rest = block[records.end :]
            if records.doubtful and rest:
                rest = yield from self._scan(rest)
        self._carry = rest + held

    def _parse(self, text: bytes, records: Records) -> Iterator[Block]:
        """Records beyond doubt. Should pyarrow count them differently after all, the scanner decides."""
        if not len(records.lines):
            return
        invalid: list[pa_csv.InvalidRow] = []
        table = _parse_block(text, self.delimiter, self._header.fields, invalid)
        if table.num_rows + len(invalid) != len(records.lines):
            yield from self._scan(text, final=True)
            return
        usable = ~records.blank
        lines = records.lines + self._line
        for row in invalid:
            usable[row.number - 1] = False
            if not is_blank(row.text, self._header.fields):
                reason = wrong_count(row.actual_columns, self._header.fields)
                self._rejects.add(int(lines[row.number - 1]), reason, row.text)
        parsed = np.ones(len(lines), dtype=bool)
        parsed[[row.number - 1 for row in invalid]] = False
        self._line += records.line_ends
        self._suspicious = False
        columns = [column.combine_chunks() for column in table.columns]
        yield from self._checked(columns, pa.array(lines[parsed]), pa.array(usable[parsed]))

    def _scan(self, text: bytes, *, final: bool | None = None) -> Generator[Block, None, bytes]:
        """Records in doubt; gives back the bytes of an incomplete last one."""
        whole = self._exhausted if final is None else final
        cut = len(text) if whole else _last_line_end(text)
        scanner = Scanner(
            text[:cut].decode(), self.delimiter, self._header.fields, final=whole, suspicious=self._suspicious
        )
        rows: list[list[str | None]] = []
        lines: list[int] = []
        for record in scanner.records():
            if record.cells is None:
                self._rejects.add(self._line + record.line, record.reason, record.raw)
            else:
                rows.append(record.cells)
                lines.append(self._line + record.line)
        self._line += scanner.line
        self._suspicious = scanner.suspicious
        if rows:
            columns = [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)]
            yield from self._checked(columns, pa.array(lines, pa.int64()), pa.array([True] * len(lines)))
        return scanner.rest().encode() + text[cut:]

    def _checked(self, columns: list[pa.Array], lines: pa.Array, usable: pa.Array) -> Iterator[Block]:
        """The usable lines, without those that repeat the header or have a cell under no header."""
        faults = {
            "has a cell under a column without header": _any_filled(columns[len(self.headers) :], len(lines)),
            "repeats the header line": _all_equal(columns, self._header.cells),
        }
        for reason, fault in faults.items():
            if fault is None or not pc.any(fault).as_py():
                continue
            bad = pc.and_(usable, fault)
            for place in np.flatnonzero(bad):
                self._rejects.add(lines[place].as_py(), reason, self._raw(columns, int(place)))
            usable = pc.and_not(usable, fault)
        if pc.all(usable).as_py() is False:
            columns, lines = [column.filter(usable) for column in columns], lines.filter(usable)
        if len(lines):
            yield from Block(self.headers, tuple(columns[: len(self.headers)]), lines).slices()

    def _raw(self, columns: list[pa.Array], place: int) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator="").writerow(c[place].as_py() for c in columns)
        return text.getvalue()

    def _read_header(self, known: Callable[[str], bool]) -> Header:
        head = b""
        while len(head) < HEADER_SAMPLE or not _has_line_end(head):
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            head += chunk
        self._damaged = _damaged(head)
        sample = _first_lines(head).decode(errors="replace")
        header = read_header(sample, known)
        self._carry = head[len(sample[: header.length].encode()) :]
        return header


def _damaged(text: bytes) -> int:
    return 0 if text.isascii() else text.count(DAMAGED_CHARACTER)


def _has_line_end(text: bytes) -> bool:
    return b"\n" in text or b"\r" in text


def _first_lines(text: bytes) -> bytes:
    """As many whole lines as a header and a sample need; everything when it is less than that."""
    if len(text) <= HEADER_SAMPLE:
        return text
    end = _last_line_end(text[:HEADER_SAMPLE]) or _last_line_end(text)
    return text[: end + 1] if text[end - 1 : end + 1] == b"\r\n" else text[:end]


def _last_line_end(text: bytes) -> int:
    return max(text.rfind(b"\n"), text.rfind(b"\r")) + 1


def _parse_block(text: bytes, delimiter: str, fields: int, invalid: list[pa_csv.InvalidRow]) -> pa.Table:
    names = [str(place) for place in range(fields)]
    # Without a line end pyarrow takes an empty last cell for a quoted one when the cell before it is quoted.
    ended = text if text.endswith((b"\n", b"\r")) else text + b"\n"

    def skip(row: pa_csv.InvalidRow) -> str:
        invalid.append(row)
        return "skip"

    try:
        # One thread, because only then pyarrow says which row it is that has the wrong number of fields.
        return pa_csv.read_csv(
            pa.BufferReader(ended),
            pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(ended) + 1),
            pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
            ),
            pa_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        problem = f"The text cannot be taken apart: {error}."
        raise FileRefusedError(problem, "Save the file again as CSV.") from error


def _any_filled(columns: list[pa.Array], rows: int) -> pa.Array | None:
    filled = None
    for column in columns:
        if column.null_count < rows:
            present = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), fill_value=False)
            filled = present if filled is None else pc.or_(filled, present)
    return filled


def _all_equal(columns: list[pa.Array], cells: tuple[str | None, ...]) -> pa.Array | None:
    equal = None
    for column, cell in zip(columns, cells, strict=True):
        if cell is None:
            continue
        same = pc.fill_null(pc.equal(column, cell), fill_value=False)
        equal = same if equal is None else pc.and_(equal, same)
        if not pc.any(equal).as_py():
            return None
    return equal
