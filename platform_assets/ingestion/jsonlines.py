"""JSON lines: one object on each line, its values as text.

Belongs here: taking JSON objects apart. Does not belong here: bytes and encodings (``encoding``).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.encoding import Survey, utf8_chunks
from platform_assets.ingestion.rejects import RejectSpool
from platform_assets.ingestion.source import BATCH_ROWS, Block

_LINE_END = re.compile(rb"\r\n|\r|\n")


class JsonLinesSource:
    """One file of JSON lines. Numbers keep the spelling they have in the file; nested values are JSON text."""

    headers = None
    delimiter = None

    def __init__(self, path: Path, survey: Survey, rejects: RejectSpool) -> None:
        self._path = path
        self._survey = survey
        self._rejects = rejects
        self.encoding = survey.encoding
        self.notes: list[str] = []

    def blocks(self) -> Iterator[Block]:
        """The lines that are one object each.

        Raises:
            FileRefusedError: The file is one JSON array, or its bytes cannot be read.
        """
        rows: list[dict[str, str | None]] = []
        lines: list[int] = []
        for number, line in enumerate(self._lines(), 1):
            if not line.strip():
                continue
            if not lines and line.startswith("["):
                problem = "The file is one JSON array."
                raise FileRefusedError(problem, "Write one object on each line, without brackets and commas around.")
            try:
                rows.append(_cells(line))
            except ValueError as error:
                self._rejects.add(number, f"is not one JSON object: {error}", line)
                continue
            lines.append(number)
            if len(rows) == BATCH_ROWS:
                yield _block(rows, lines)
                rows, lines = [], []
        if rows:
            yield _block(rows, lines)

    def _lines(self) -> Iterator[str]:
        carry = b""
        for chunk in utf8_chunks(self._path, self._survey):
            buffer = carry + chunk
            held = b"\r" if buffer.endswith(b"\r") else b""
            *whole, carry = _LINE_END.split(buffer.removesuffix(held))
            carry += held
            yield from (line.decode() for line in whole)
        if carry:
            yield carry.removesuffix(b"\r").decode()


def _cells(line: str) -> dict[str, str | None]:
    """The members of the object on a line, as text.

    Raises:
        ValueError: It is no object, or names a member twice.
    """
    members = json.loads(line, parse_float=_Number, parse_int=_Number, parse_constant=str, object_pairs_hook=_members)
    if not isinstance(members, dict):
        message = f"it holds {type(members).__name__}"
        raise ValueError(message)  # noqa: TRY004 - one kind of error for every line that is no object
    cells = {name: _text(value) for name, value in members.items()}
    if "\\u0000" in line and any(cell and "\0" in cell for cell in cells.values()):
        message = "it holds a NUL character"
        raise ValueError(message)
    return cells


class _Number(str):
    """A number in the spelling of the file."""

    __slots__ = ()


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        message = "it names a member twice"
        raise ValueError(message)
    return members


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _nested(value)


def _nested(value: Any) -> str:
    """JSON text with numbers as they were spelled."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {_nested(v)}" for name, v in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _block(rows: list[dict[str, str | None]], lines: list[int]) -> Block:
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    cells = tuple(pa.array([row.get(name) for row in rows], pa.string()) for name in names)
    return Block(names, cells, pa.array(lines, pa.int64()))
