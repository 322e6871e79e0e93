"""How the text of one column in one file is to be read: decided from the whole column, kept beside the file.

Belongs here: the vocabulary of readings. Does not belong here: deciding on one (``ingestion``), applying it
(``transforms``).
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class DateReading:
    """One date format for a column; cells in ISO's form are understood beside it, because they mean one thing only.

    Attributes:
        order: Order of the parts; ``iso`` is ``YYYY-MM-DD`` and ``compact`` is ``YYYYMMDD``.
        separator: The sign between the parts; empty for ``compact``.
        year_digits: 4, or 2 (``69`` to ``99`` are of the twentieth century, as POSIX has it).

    A time of day may follow every format, after a blank or ``T``: ``H:MM``, ``H:MM:SS`` or ``H:MM:SS.ffffff``,
    with an optional ``Z``. Day and month may have one or two digits, but for ``iso`` and ``compact``.
    """

    order: Literal["iso", "compact", "ymd", "dmy", "mdy"]
    separator: str = "-"
    year_digits: Literal[2, 4] = 4


@dataclass(frozen=True)
class NumberReading:
    """How the numbers of a column are written.

    Attributes:
        decimal: The decimal mark.
        group: The thousands mark, empty for none.
        percent: Whether cells end in ``%`` and mean hundredths.
        decorated: Whether any cell has a currency sign, a blank or the parentheses of a negative amount.
        long: Whether any cell has more than four decimals, so that rounding is due.
    """

    decimal: Literal[".", ","] = "."
    group: Literal["", ",", ".", " ", "'"] = ""
    percent: bool = False
    decorated: bool = False
    long: bool = False


Reading = DateReading | NumberReading

ISO = DateReading("iso")
PLAIN = NumberReading()


def reading_to_json(reading: Reading) -> dict[str, Any]:
    """The reading as plain data."""
    return {"kind": "date" if isinstance(reading, DateReading) else "number", **asdict(reading)}


def reading_from_json(data: dict[str, Any]) -> Reading:
    """The reading from what ``reading_to_json`` gave."""
    values = {name: value for name, value in data.items() if name != "kind"}
    return DateReading(**values) if data["kind"] == "date" else NumberReading(**values)
