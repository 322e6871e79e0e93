"""What every rule has, and the rules that need more than one row to judge.

Rules differ by what they must see to judge a row:

* ``RowRule`` (in ``row_rules``): the row alone. Evaluated while rows are staged.
* ``NotAfterAsOf``, ``LineUnique``, ``KeyUnique``, ``OneValuePer``: other rows of the dataset. Evaluated over a whole
  version.
* ``KnownIn``, ``AgreesWith``: the keys of another dataset, and what it says about them. Evaluated over the distinct
  keys.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Dimension(StrEnum):
    """The aspect of quality that a rule speaks of."""

    COMPLETENESS = "completeness"
    UNIQUENESS = "uniqueness"
    VALIDITY = "validity"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"


class Severity(StrEnum):
    """What a broken rule does: an error sets the row aside, a warning is counted and the row stays."""

    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule has.

    Attributes:
        id: Name of the rule, unique in its dataset, in snake case.
        dimension: The aspect of quality it speaks of.
        severity: What a broken rule does to the row.
        description: The rule as a sentence for people.
    """

    id: str
    dimension: Dimension
    severity: Severity
    description: str


@dataclass(frozen=True, kw_only=True)
class NotAfterAsOf(Rule):
    """The event is at most one day after ``as_of``; judged per version, because ``as_of`` moves with the data."""

    column: str


@dataclass(frozen=True, kw_only=True)
class LineUnique(Rule):
    """No line is repeated in every source column: the first stays, the others are duplicates in the ledger.

    Attributes:
        ignored: Source columns that may differ.
        also: Columns that must not differ either, because their value may come from elsewhere than the line.
    """

    ignored: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeyUnique(Rule):
    """No two different lines share the key; of severity error, the first stays and the others are set aside."""

    key: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OneValuePer(Rule):
    """Rows that share a key agree on a column."""

    key: str
    column: str


@dataclass(frozen=True, kw_only=True)
class KnownIn(Rule):
    """The key is known to another dataset, where that has any rows, or may still become known in a time of grace.

    Attributes:
        column: The key in this dataset.
        references: ``(dataset, column)`` pairs, one of which must know the key.
    """

    column: str
    references: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class AgreesWith(Rule):
    """The value does not contradict all of those that another dataset has for the same key, where it has any.

    Attributes:
        key: The key in this dataset.
        column: The value in this dataset; texts are compared without regard to case and surrounding blanks.
        reference: The dataset, its key, and its value.
        tolerance: By which share of the other value numbers may differ from it.
    """

    key: str
    column: str
    reference: tuple[str, str, str]
    tolerance: Decimal = Decimal(0)


def unreadable_flag(column: str) -> str:
    """Name of the staged boolean column that says a cell's text could not be read as the column's type."""
    return f"_unreadable_{column}"


def broken_flag(rule: Rule) -> str:
    """Name of the staged boolean column that says a row breaks a rule."""
    return f"_breaks_{rule.id}"
