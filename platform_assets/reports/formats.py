"""Figures of the analytics as people read them; what is not known is a dash.

Belongs here: how a single figure is written. Does not belong here: scores of quality (``wording``).
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Number = int | float | Decimal
Format = Callable[[Any], str]

NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_NBSP = "\N{NO-BREAK SPACE}"
_LONGEST_NAME = 30
_MODELS = {
    "bg_nbd": "BG/NBD",
    "mbg_nbd": "MBG/NBD",
    "pareto_nbd": "Pareto/NBD",
    "active": "no order expected (purchase model)",
    "alive": "P(alive)",
    "logistic": "logistic regression (challenger)",
    "recency": "recency rule",
}


def text(value: Any) -> str:
    """A text as it is."""
    return NOTHING if value is None or value == "" else str(value)


def unbroken(value: Any) -> str:
    """A text that stays on one line, such as an id."""
    return text(value)


def words(value: Any) -> str:
    """A name of the tables in words: ``price_level`` is ``price level``."""
    return text(value).replace("_", " ")


def short(value: Any) -> str:
    """A name that has room beside a plot."""
    name = text(value)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1].rstrip()}…"


def whole(value: Number | None) -> str:
    """A whole number with separators."""
    return NOTHING if value is None else f"{round(value):,}".replace("-", _MINUS)


def amount(value: Number | None) -> str:
    """Money in whole units, with separators."""
    return whole(value)


def cents(value: Number | None) -> str:
    """Money to the cent, with separators."""
    return NOTHING if value is None else f"{value:,.2f}".replace("-", _MINUS)


def signed_amount(value: Number | None) -> str:
    """A difference of money in whole units, with its sign."""
    return _signed(value, lambda size: f"{round(size):,}", 0)


def decimal(value: Number | None) -> str:
    """A number with two places."""
    return cents(value)


def fine(value: Number | None) -> str:
    """A small number, such as a p-value, with up to four places."""
    least = 0.0001
    if value is None:
        return NOTHING
    return f"<{least}" if 0 < value < least else f"{value:.4f}".rstrip("0").rstrip(".")


def percent(value: Number | None) -> str:
    """A share of 0 to 1 as percent with one place."""
    return NOTHING if value is None else f"{float(value) * 100:,.1f}{_NBSP}%".replace("-", _MINUS)


def signed_percent(value: Number | None) -> str:
    """A change as percent with one place and its sign."""
    return _signed(value, lambda size: f"{float(size) * 100:,.1f}{_NBSP}%", 3)


def points(value: Number | None) -> str:
    """A difference of shares as percentage points with one place and its sign."""
    return _signed(value, lambda size: f"{float(size) * 100:,.1f}{_NBSP}pp", 3)


def model(value: str | None) -> str:
    """The name of a model or a score as it is known in the field."""
    return _MODELS.get(value or "", words(value))


def day(value: date | None) -> str:
    """A day, as ISO 8601 has it."""
    if value is None:
        return NOTHING
    return (value.date() if isinstance(value, datetime) else value).isoformat()


def yes(value: bool | None) -> str:
    """Whether something is so."""
    return NOTHING if value is None else ("yes" if value else "no")


def as_written(value: str) -> str:
    """A figure that is written already, in a column of different units."""
    return value


def listed(names: list[str]) -> str:
    """Names as a sentence has them: ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1] if names else ""]))


def counted(number: int, one: str, many: str = "") -> str:
    """A number with what it counts: ``1 incident``, ``2 incidents``."""
    return f"{whole(number)} {one if number == 1 else many or f'{one}s'}"


NUMERIC: frozenset[Format] = frozenset(
    [whole, amount, cents, signed_amount, decimal, fine, percent, signed_percent, as_written],
)
"""What is written right-aligned."""
ON_ONE_LINE: frozenset[Format] = NUMERIC | frozenset[Format]([unbroken, day])
"""What is not broken between lines."""


def _signed(value: Number | None, told: Callable[[Any], str], places: int) -> str:
    if value is None:
        return NOTHING
    if round(value, places) == 0:
        return "±0"
    return f"{'+' if value > 0 else _MINUS}{told(abs(value))}"
