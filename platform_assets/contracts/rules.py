"""The vocabulary of rules. Each rule is written once and yields both its Narwhals expression and its Pandera check.

Rules differ by what they must see to judge a row:

* ``RowRule``: the row alone. Evaluated while rows are staged.
* `NotAfterAsOf`, `LineUnique`, `KeyUnique`, `OneValuePer`: other rows of the dataset. Evaluated over a whole version.
* `KnownIn`: the keys of another dataset. Evaluated over the distinct keys.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import narwhals as nw
import pandas as pd
import pandera.pandas as pa


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
class RowRule(Rule, ABC):
    """A rule that a row keeps or breaks by itself. A missing value breaks no rule but ``Present``."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns the rule looks at; a file without one of the optional ones cannot break it."""

    @abstractmethod
    def broken(self) -> nw.Expr:
        """Boolean expression over staged columns, true where the row breaks the rule, never null."""

    @abstractmethod
    def kept(self, rows: pd.DataFrame) -> pd.Series:
        """The same judgement for pandas, the second opinion: true where the row keeps the rule."""

    def pandera_check(self) -> pa.Check:
        """The rule as a Pandera check on the whole frame."""
        return pa.Check(self.kept, name=self.id, description=self.description, ignore_na=False)


@dataclass(frozen=True, kw_only=True)
class Present(RowRule):
    """The column has a value."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def broken(self) -> nw.Expr:
        return nw.col(self.column).is_null()

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        return rows[self.column].notna()


@dataclass(frozen=True, kw_only=True)
class Within(RowRule):
    """The value lies between two bounds; ``exclusive`` leaves the lower bound itself out."""

    column: str
    low: Decimal | int | None = None
    high: Decimal | int | None = None
    exclusive: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def broken(self) -> nw.Expr:
        value, outside = nw.col(self.column), []
        if self.low is not None:
            outside.append(value <= self.low if self.exclusive else value < self.low)
        if self.high is not None:
            outside.append(value > self.high)
        return _true_where(nw.any_horizontal(*outside, ignore_nulls=True))

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        value = rows[self.column]
        kept = value.isna()
        inside = pd.Series(data=True, index=rows.index)
        if self.low is not None:
            inside &= (value > self.low if self.exclusive else value >= self.low).fillna(value=False).astype(bool)
        if self.high is not None:
            inside &= (value <= self.high).fillna(value=False).astype(bool)
        return kept | inside


@dataclass(frozen=True, kw_only=True)
class NotEqual(RowRule):
    """The value is not a given one."""

    column: str
    value: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def broken(self) -> nw.Expr:
        return _true_where(nw.col(self.column) == self.value)

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        return ~(rows[self.column] == self.value).fillna(value=False).astype(bool)


@dataclass(frozen=True, kw_only=True)
class OneOf(RowRule):
    """The value is in a list."""

    column: str
    values: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def broken(self) -> nw.Expr:
        value = nw.col(self.column)
        return _true_where(~value.is_in(list(self.values)) & ~value.is_null())

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        return rows[self.column].isna() | rows[self.column].isin(list(self.values))


@dataclass(frozen=True, kw_only=True)
class ProductOf(RowRule):
    """``product = factor x price`` to a tolerance of ``fixed + per_factor x |factor|``."""

    product: str
    factor: str
    price: str
    fixed: Decimal
    per_factor: Decimal = Decimal(0)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.product, self.factor, self.price)

    def broken(self) -> nw.Expr:
        factor = nw.col(self.factor)
        off = (nw.col(self.factor) * nw.col(self.price)).cast(nw.Decimal(30, 4)) - nw.col(self.product)
        size = nw.when(factor < 0).then(factor * -1).otherwise(factor)
        slack = (size * self.per_factor).cast(nw.Decimal(30, 4)) + self.fixed
        return _true_where((off > slack) | (off + slack < 0))

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        present = rows[[*self.columns]].notna().all(axis=1)
        kept = ~present
        for index, row in rows[present].iterrows():
            off = abs(Decimal(str(row[self.factor])) * Decimal(str(row[self.price])) - Decimal(str(row[self.product])))
            kept.loc[index] = off <= self.fixed + self.per_factor * abs(Decimal(str(row[self.factor])))
        return kept


@dataclass(frozen=True, kw_only=True)
class NotAbove(RowRule):
    """One column is not greater than another."""

    column: str
    limit: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, self.limit)

    def broken(self) -> nw.Expr:
        return _true_where(nw.col(self.column) > nw.col(self.limit))

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        return ~(rows[self.column] > rows[self.limit]).fillna(value=False).astype(bool)


@dataclass(frozen=True, kw_only=True)
class DaysBetween(RowRule):
    """The second date is ``low`` to ``high`` days after the first."""

    earlier: str
    later: str
    low: int
    high: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.earlier, self.later)

    def broken(self) -> nw.Expr:
        days = (nw.col(self.later).cast(nw.Datetime("us")) - nw.col(self.earlier).cast(nw.Datetime("us")))
        minutes = days.dt.total_minutes()
        return _true_where((minutes < self.low * 1440) | (minutes > self.high * 1440))

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        days = (pd.to_datetime(rows[self.later]) - pd.to_datetime(rows[self.earlier])).dt.days
        return days.isna() | days.between(self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class NotBefore(RowRule):
    """The instant is not before the first of January of a year."""

    column: str
    year: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def broken(self) -> nw.Expr:
        return _true_where(nw.col(self.column).dt.year() < self.year)

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        value = pd.to_datetime(rows[self.column])
        return value.isna() | (value.dt.year >= self.year)


@dataclass(frozen=True, kw_only=True)
class Readable(RowRule):
    """The cell's text can be read as the column's type; made for every typed column, never written by hand.

    Staging keeps the judgement in a boolean column, because the text itself is gone once the column is typed.
    """

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def broken(self) -> nw.Expr:
        return nw.col(unreadable_flag(self.column))

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        return ~rows[unreadable_flag(self.column)].astype(bool)


@dataclass(frozen=True, kw_only=True)
class NotAfterAsOf(Rule):
    """The event is at most one day after ``as_of``; judged per version, because ``as_of`` moves with the data."""

    column: str


@dataclass(frozen=True, kw_only=True)
class LineUnique(Rule):
    """No line is repeated in every source column: the first stays, the others are duplicates in the ledger."""

    ignored: tuple[str, ...] = ()


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
    """The key is known to another dataset, where that has any rows.

    Attributes:
        column: The key in this dataset.
        references: ``(dataset, column)`` pairs, one of which must know the key.
    """

    column: str
    references: tuple[tuple[str, str], ...]


def unreadable_flag(column: str) -> str:
    """Name of the staged boolean column that says a cell's text could not be read as the column's type."""
    return f"_unreadable_{column}"


def broken_flag(rule: Rule) -> str:
    """Name of the staged boolean column that says a row breaks a rule."""
    return f"_breaks_{rule.id}"


def _true_where(condition: nw.Expr) -> nw.Expr:
    """The condition with "unknown" read as "not broken"."""
    return nw.when(condition).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
