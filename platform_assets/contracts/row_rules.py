"""The rules that a row keeps or breaks by itself, each as a Narwhals expression and as a Pandera check.

The expressions give the counts, on every engine. The pandas judgement behind the Pandera check is the second opinion;
a test holds that both agree row for row. A missing value breaks no rule but ``Present``.
"""

from abc import abstractmethod
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import ClassVar

import narwhals as nw
import numpy as np
import pandas as pd
import pandera.pandas as pa

from platform_assets.contracts.calendar import day_number
from platform_assets.contracts.patterns import in_python, matches_whole, require_portable
from platform_assets.contracts.rules import Rule, unreadable_flag

_EXACT_DIGITS = 60
"""More digits than a product of two values of the lake can have."""


@dataclass(frozen=True, kw_only=True)
class RowRule(Rule):
    """A rule that a row keeps or breaks by itself.

    Attributes:
        looks_at: Names of the fields that hold the names of the columns to look at.
    """

    looks_at: ClassVar[tuple[str, ...]] = ("column",)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the rule looks at; a file without one of the optional ones cannot break it."""
        return tuple(getattr(self, field) for field in self.looks_at)

    def broken(self) -> nw.Expr:
        """Boolean expression over staged columns, true where the row breaks the rule, never null."""
        return self._breaks().fill_null(value=False)

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        """The same judgement for pandas, the second opinion: true where the row keeps the rule."""
        has_values = rows[list(self.columns)].notna().all(axis=1).to_numpy(dtype=bool)
        keeps = np.ones(len(rows), dtype=bool)
        keeps[has_values] = self._keeps(rows[has_values]).to_numpy(dtype=bool)
        return pd.Series(keeps, index=rows.index)

    def pandera_check(self) -> pa.Check:
        """The rule as a Pandera check on the whole frame."""
        return pa.Check(self.kept, name=self.id, description=self.description, ignore_na=False)

    @abstractmethod
    def _breaks(self) -> nw.Expr:
        """The judgement as an expression; null means "not broken"."""

    @abstractmethod
    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        """The judgement in pandas, on rows that have every value it looks at."""


@dataclass(frozen=True, kw_only=True)
class Present(RowRule):
    """The column has a value."""

    column: str

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        """True where there is a value."""
        return rows[self.column].notna()

    def _breaks(self) -> nw.Expr:
        return nw.col(self.column).is_null()

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        return rows[self.column].notna()


@dataclass(frozen=True, kw_only=True)
class Within(RowRule):
    """The value lies between two bounds; ``exclusive`` leaves the lower bound itself out."""

    column: str
    low: Decimal | int | None = None
    high: Decimal | int | None = None
    exclusive: bool = False

    def _breaks(self) -> nw.Expr:
        value, outside = nw.col(self.column), []
        if self.low is not None:
            outside.append(value <= self.low if self.exclusive else value < self.low)
        if self.high is not None:
            outside.append(value > self.high)
        return nw.any_horizontal(*outside, ignore_nulls=True)

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        value, inside = rows[self.column], pd.Series(data=True, index=rows.index)
        if self.low is not None:
            inside &= (value > self.low) if self.exclusive else (value >= self.low)
        if self.high is not None:
            inside &= value <= self.high
        return inside


@dataclass(frozen=True, kw_only=True)
class NotEqual(RowRule):
    """The value is not a given one."""

    column: str
    value: int

    def _breaks(self) -> nw.Expr:
        return nw.col(self.column) == self.value

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        return rows[self.column] != self.value


@dataclass(frozen=True, kw_only=True)
class OneOf(RowRule):
    """The value is in a list."""

    column: str
    values: tuple[str, ...]

    def _breaks(self) -> nw.Expr:
        value = nw.col(self.column)
        return ~value.is_in(list(self.values)) & ~value.is_null()

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        return rows[self.column].isin(list(self.values))


@dataclass(frozen=True, kw_only=True)
class Matches(RowRule):
    """The whole text matches a regular expression, of those that every engine reads alike: see ``patterns``.

    Raises:
        ValueError: The pattern holds something that engines read differently.
    """

    column: str
    pattern: str

    def __post_init__(self) -> None:
        require_portable(self.pattern)

    def _breaks(self) -> nw.Expr:
        return ~matches_whole(nw.col(self.column), self.pattern)

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        matches = in_python(self.pattern).fullmatch
        return pd.Series([matches(text) is not None for text in rows[self.column]], index=rows.index, dtype=bool)


@dataclass(frozen=True, kw_only=True)
class ProductOf(RowRule):
    """``product = factor x price`` to a tolerance of ``fixed + per_factor x |factor|``."""

    looks_at: ClassVar[tuple[str, ...]] = ("product", "factor", "price")

    product: str
    factor: str
    price: str
    fixed: Decimal
    per_factor: Decimal = Decimal(0)

    def _breaks(self) -> nw.Expr:
        factor = nw.col(self.factor)
        # Two values of 18 digits; more than 36 and the sums below would not fit into 38, the most that engines have.
        off = (nw.col(self.factor) * nw.col(self.price)).cast(nw.Decimal(36, 4)) - nw.col(self.product)
        size = nw.when(factor < 0).then(factor * -1).otherwise(factor)
        slack = (size * self.per_factor).cast(nw.Decimal(30, 4)) + self.fixed
        return (off > slack) | (off + slack < 0)

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        cells = (map(_exact, rows[name]) for name in self.columns)
        with localcontext() as context:
            context.prec = _EXACT_DIGITS
            kept = [
                abs(factor * price - product) <= self.fixed + self.per_factor * abs(factor)
                for product, factor, price in zip(*cells, strict=True)
            ]
        return pd.Series(kept, index=rows.index, dtype=bool)


@dataclass(frozen=True, kw_only=True)
class NotAbove(RowRule):
    """One column is not greater than another."""

    looks_at: ClassVar[tuple[str, ...]] = ("column", "limit")

    column: str
    limit: str

    def _breaks(self) -> nw.Expr:
        return nw.col(self.column) > nw.col(self.limit)

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        return rows[self.column] <= rows[self.limit]


@dataclass(frozen=True, kw_only=True)
class DaysBetween(RowRule):
    """The second date is ``low`` to ``high`` days after the first."""

    looks_at: ClassVar[tuple[str, ...]] = ("earlier", "later")

    earlier: str
    later: str
    low: int
    high: int

    def _breaks(self) -> nw.Expr:
        days = day_number(nw.col(self.later)) - day_number(nw.col(self.earlier))
        return (days < self.low) | (days > self.high)

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        earlier, later = (_instants(rows[name]).dt.normalize() for name in self.columns)
        kept: pd.Series = (later - earlier).dt.days.between(self.low, self.high)
        return kept


@dataclass(frozen=True, kw_only=True)
class NotBefore(RowRule):
    """The instant is not before the first of January of a year."""

    column: str
    year: int

    def _breaks(self) -> nw.Expr:
        return nw.col(self.column).dt.year() < self.year

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        return pd.Series(_instants(rows[self.column]).dt.year >= self.year)


@dataclass(frozen=True, kw_only=True)
class Readable(RowRule):
    """The cell's text can be read as the column's type; made for every typed column, never written by hand.

    Staging keeps the judgement in a boolean column, because the text itself is gone once the column is typed.
    """

    column: str

    def kept(self, rows: pd.DataFrame) -> pd.Series:
        """True where staging could read the cell, or had none to read."""
        return self._keeps(rows)

    def _breaks(self) -> nw.Expr:
        return nw.col(unreadable_flag(self.column))

    def _keeps(self, rows: pd.DataFrame) -> pd.Series:
        return ~rows[unreadable_flag(self.column)].astype(bool)


def _exact(value: object) -> Decimal:
    return Decimal(str(value))


def _instants(values: pd.Series) -> pd.Series:
    """Dates and instants as microseconds, which reach as far as the lake does."""
    return values.astype("datetime64[us]")
