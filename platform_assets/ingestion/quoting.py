"""Where the records of delimited text begin and end, told for a whole block at once.

Belongs here: the vectorised look at quotes and line ends that decides how much of a block is beyond doubt. Does not
belong here: taking doubtful text apart (``scanner``).

A block is beyond doubt up to the first quote that does not open right after a delimiter or line end, or does not
close right before one, the first quoted cell that runs over so many lines that a forgotten quote is likelier, and the
first record that is absurdly long.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_CELL = 1_000_000
"""Bytes; a cell or a record of the fast path beyond it is looked at by the scanner, which rejects such cells."""
SWALLOWED_BREAKS = 3
"""Line breaks in one quoted cell from which it may have swallowed whole lines."""

LF, CR, QUOTE = 10, 13, 34

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """The records at the start of a block that are beyond doubt.

    Attributes:
        end: Bytes that they take, the last line end included.
        line_ends: Number of physical lines in them.
        lines: For each record, how many physical lines of the block come before it.
        blank: For each record, whether it is an empty line.
        doubtful: Whether what follows needs the scanner; otherwise it is an incomplete record.
    """

    end: int
    line_ends: int
    lines: Positions
    blank: npt.NDArray[np.bool_]
    doubtful: bool


def find_records(block: bytes, delimiter: str, *, final: bool) -> Records:
    """Find the records at the start of a block, which must begin where a record begins.

    Args:
        block: UTF-8 text. Unless it is final it must not end in a carriage return.
        delimiter: One ASCII character.
        final: Whether the file ends with the block, so that the last line needs no line end.
    """
    data = np.frombuffer(block, np.uint8)
    breaks = _line_breaks(block, data)
    quotes = np.flatnonzero(data == QUOTE) if b'"' in block else np.empty(0, np.int64)
    before = np.searchsorted(quotes, breaks)
    inside = before % 2 == 1
    limit = _first_doubt(data, quotes, before[inside], ord(delimiter), final=final)
    ends = breaks[~inside]
    unended = final and limit == len(block) and len(block) > (ends[-1] + 1 if len(ends) else 0)
    if unended:
        ends = np.append(ends, len(block))
    ends = ends[: np.searchsorted(ends, limit, side="right" if unended else "left")]
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    long = np.flatnonzero(ends - starts > MAX_CELL)
    if len(long):
        ends, starts, limit = ends[: long[0]], starts[: long[0]], 0
    end = min(int(ends[-1]) + 1, len(block)) if len(ends) else 0
    return Records(
        end=end,
        line_ends=int(np.searchsorted(breaks, end)),
        lines=np.searchsorted(breaks, starts) if inside.any() else np.arange(len(starts)),
        blank=_blank(data, starts, ends),
        doubtful=limit < len(block) or len(block) - end > MAX_CELL,
    )


def _line_breaks(block: bytes, data: npt.NDArray[np.uint8]) -> Positions:
    """Position of the last byte of each line end: LF, CRLF or a bare CR."""
    feeds = np.flatnonzero(data == LF)
    if b"\r" not in block:
        return feeds
    returns = np.flatnonzero(data == CR)
    following = data[np.minimum(returns + 1, len(data) - 1)]
    bare = returns[following != LF]
    return np.sort(np.concatenate([feeds, bare])) if len(bare) else feeds


def _first_doubt(
    data: npt.NDArray[np.uint8], quotes: Positions, enclosing: Positions, delimiter: int, *, final: bool
) -> int:
    """Position of the first quote that the fast path must not trust; the block's length when there is none.

    ``enclosing`` has, for each line break inside quotes, the number of quotes before it.
    """
    if not len(quotes):
        return len(data)
    opens, closes = quotes[0::2], quotes[1::2]
    previous = np.where(opens > 0, data[np.maximum(opens - 1, 0)], LF)
    following = np.where(closes + 1 < len(data), data[np.minimum(closes + 1, len(data) - 1)], LF)
    doubts = [
        opens[~_is_edge(previous, delimiter)],
        closes[~_is_edge(following, delimiter)],
        opens[: len(closes)][closes - opens[: len(closes)] > MAX_CELL],
        quotes[_crowded(enclosing) - 1],
    ]
    if final and len(opens) > len(closes):
        doubts.append(opens[-1:])
    return min((int(places[0]) for places in doubts if len(places)), default=len(data))


def _is_edge(neighbours: npt.NDArray[np.uint8], delimiter: int) -> npt.NDArray[np.bool_]:
    """Whether a quote's neighbour is one a quoted cell may have; another quote is one half of an escaped quote."""
    edge: npt.NDArray[np.bool_] = (
        (neighbours == delimiter) | (neighbours == LF) | (neighbours == CR) | (neighbours == QUOTE)
    )
    return edge


def _crowded(enclosing: Positions) -> Positions:
    quotes, counts = np.unique(enclosing, return_counts=True)
    return quotes[counts >= SWALLOWED_BREAKS]


def _blank(data: npt.NDArray[np.uint8], starts: Positions, ends: Positions) -> npt.NDArray[np.bool_]:
    first = data[np.minimum(starts, len(data) - 1)] if len(data) else np.empty(0, np.uint8)
    crlf = (ends - starts == 1) & (first == CR)
    blank: npt.NDArray[np.bool_] = (ends == starts) | crlf
    return blank
