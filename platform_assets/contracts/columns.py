"""The columns of a contract: what they mean, under which headers people write them, which type they have."""

from dataclasses import dataclass
from enum import StrEnum

NULL_MARKERS = frozenset({"", "null", "n/a", "na", "nan", "none", "nil", "#n/a", "<na>", "-"})
"""Cell texts that mean "no value" once trimmed and lowered, unless a column has its own list."""


class ColumnType(StrEnum):
    """How the text of a cell is read, and the type it has from staging on."""

    TEXT = "text"
    IDENTIFIER = "identifier"
    """Text that names a thing; a whole number written with ``.0`` loses it (``17850.0`` is ``17850``)."""
    INTEGER = "integer"
    MONEY = "money"
    """Decimal with four places; a fifth is rounded half away from zero."""
    RATE = "rate"
    """Decimal with six places, 0 to 1; ``45%`` is 0.45."""
    NUMBER = "number"
    """A measured quantity, double precision."""
    DATE = "date"
    TIMESTAMP = "timestamp"
    """Microseconds, UTC, without zone in the type."""

    @property
    def is_numeric(self) -> bool:
        """Whether cells are numbers that may carry a decimal mark, a thousands mark or a sign of currency."""
        return self in {ColumnType.INTEGER, ColumnType.MONEY, ColumnType.RATE, ColumnType.NUMBER}

    @property
    def is_temporal(self) -> bool:
        """Whether cells are dates or instants."""
        return self in {ColumnType.DATE, ColumnType.TIMESTAMP}


@dataclass(frozen=True, kw_only=True)
class ZeroPadded:
    """Codes of a fixed number of digits that lost their leading zeros on the way.

    Attributes:
        digits: How many digits a code has.
        where: The column that says for which rows this holds.
        values: Its values, in lower case, for which it does.
    """

    digits: int
    where: str
    values: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a contract.

    Attributes:
        name: The column's name from ``raw`` on.
        type: How its cells are read.
        description: What it means, for people.
        required: Whether a file without it is refused.
        nullable: Whether a row without a value is in order.
        aliases: Other headers people write; case, blanks and punctuation never matter.
        upper: Whether values are conformed to upper case.
        vocabulary: Values to which cells are conformed that differ from them in case and blanks only.
        default: Value of a missing cell, written as text.
        default_product: Two columns whose product is the value of a missing cell.
        from_file_name: Whether a missing cell of a date has the date in the file's name, where there is one.
        zero_padded: Where leading zeros are put back.
        personal: Whether it says something about a person; samples mask it.
        null_markers: Cell texts that mean "no value", trimmed and in lower case.
    """

    name: str
    type: ColumnType
    description: str
    required: bool = False
    nullable: bool = True
    aliases: tuple[str, ...] = ()
    upper: bool = False
    vocabulary: tuple[str, ...] = ()
    default: str | None = None
    default_product: tuple[str, str] | None = None
    from_file_name: bool = False
    zero_padded: ZeroPadded | None = None
    personal: bool = False
    null_markers: frozenset[str] = NULL_MARKERS
