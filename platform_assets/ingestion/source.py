"""What every file format gives: blocks of text columns with line numbers.

Belongs here: the shape that formats share. Does not belong here: any one format.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Block:
    """Some lines of a file.

    Attributes:
        names: The headers of the columns, as the file writes them.
        cells: One text array for each name, exactly as delivered.
        lines: Number of the line (or sheet row, or record) each row begins on.
    """

    names: tuple[str, ...]
    cells: tuple[pa.Array, ...]
    lines: pa.Array

    def slices(self) -> Iterator["Block"]:
        """The same lines in blocks of at most 65,536."""
        for start in range(0, len(self.lines), BATCH_ROWS):
            cells = tuple(column.slice(start, BATCH_ROWS) for column in self.cells)
            yield Block(self.names, cells, self.lines.slice(start, BATCH_ROWS))


class Source(Protocol):
    """One opened file."""

    @property
    def headers(self) -> tuple[str, ...] | None:
        """All headers; ``None`` where a file says only line by line what it has."""

    @property
    def encoding(self) -> str | None:
        """Encoding of the text, ``None`` for binary formats."""

    @property
    def delimiter(self) -> str | None:
        """What separates the fields, ``None`` for formats without one."""

    @property
    def notes(self) -> list[str]:
        """What people should know about the file; complete when the blocks are exhausted."""

    def blocks(self) -> Iterator[Block]:
        """The lines that could be taken apart; the others go to the spool the source was opened with."""
