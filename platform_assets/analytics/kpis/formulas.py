"""What a key figure is made of: sums over sale lines, and ratios of such sums.

Belongs here: the vocabulary of formulas. Does not belong here: the figures themselves (``registry``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from platform_assets.analytics.kpis.levels import LINES

Number = Decimal | int | None


@dataclass(frozen=True)
class Component:
    """A sum or a count of distinct things over sale lines.

    Attributes:
        name: How formulas call it.
        sql: The aggregate over the rows of its level.
        is_distinct: Whether it counts or weighs different things, so that parts do not add up to the whole.
        definition: What it is, in one sentence.
        level: What it adds up: the sale lines, see ``sql.line_sql``, or one of ``levels.LEVELS``.
        has_costs: Whether it is made of the catalogue's costs, which may be in another currency than the sales.
    """

    name: str
    sql: str
    is_distinct: bool
    definition: str
    level: str = LINES
    has_costs: bool = False


@dataclass(frozen=True)
class Sum:
    """Components added and taken off.

    Attributes:
        terms: Sign and component.
    """

    terms: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        first, *rest = self.terms
        more = "".join(f" {'+' if sign > 0 else '-'} {name}" for sign, name in rest)
        return f"{'' if first[0] > 0 else '-'}{first[1]}{more}"

    def value(self, components: Mapping[str, Number]) -> Number:
        """What it is; null where a component is unknown."""
        total: Decimal | int = 0
        for sign, name in self.terms:
            part = components[name]
            if part is None:
                return None
            total += sign * part
        return total


@dataclass(frozen=True)
class Ratio:
    """A sum divided by a sum: never an average of ratios."""

    numerator: Sum
    denominator: Sum

    def __str__(self) -> str:
        return f"{_bracketed(self.numerator)} / {_bracketed(self.denominator)}"


Formula = Sum | Ratio


def total(*names: str) -> Sum:
    """A sum of components; a name with a minus before it is taken off."""
    return Sum(tuple((-1 if name.startswith("-") else 1, name.removeprefix("-")) for name in names))


def ratio(numerator: Sum | str, denominator: Sum | str) -> Ratio:
    """A ratio of sums or of single components."""
    top, bottom = (total(part) if isinstance(part, str) else part for part in (numerator, denominator))
    return Ratio(top, bottom)


def components_of(formula: Formula) -> tuple[str, ...]:
    """The components a formula is made of, in its order."""
    sums = (formula,) if isinstance(formula, Sum) else (formula.numerator, formula.denominator)
    return tuple(dict.fromkeys(name for part in sums for _, name in part.terms))


def _bracketed(part: Sum) -> str:
    return str(part) if len(part.terms) == 1 else f"({part})"
