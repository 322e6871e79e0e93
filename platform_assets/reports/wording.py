"""Numbers, verdicts and instants as people read them, alike on the page, in the terminal and in the UI."""

from datetime import UTC, date, datetime
from decimal import Decimal

from platform_assets.quality.results import HeldBack
from platform_assets.quality.scorecard import Score, State

_BLOCKS = "▁▂▃▄▅▆▇"
"""An odd number, so that a level trend has a height of its own."""
SIGNS = {State.PASS: "✓", State.WARN: "▲", State.FAIL: "✕", State.EMPTY: "○"}
"""A verdict is never told by colour alone."""

_TWO_DAYS = 48
_LEAST_SHARE, _LEAST_HOURS = 0.01, 1.0
"""A trend that spans less than one percentage point, or one hour, does not fill its line."""
_MINUS = "\N{MINUS SIGN}"
_NBSP = "\N{NO-BREAK SPACE}"
_NOTHING = "\N{EN DASH}"


def count(number: int) -> str:
    """A whole number with separators: ``1,234``."""
    return f"{number:,}"


def signed(number: int) -> str:
    """A difference with its sign: ``+12``, ``-3`` with a real minus, ``±0``."""
    return "±0" if number == 0 else f"{'+' if number > 0 else _MINUS}{abs(number):,}"


def money(amount: Decimal) -> str:
    """Money to the cent, with separators; the currency is that of the data."""
    return f"{amount:,.2f}".replace("-", _MINUS)


def share(value: float) -> str:
    """A share as percent with three places; what is neither nothing nor all is never rounded to it."""
    least = 0.00001
    if 0 < value < least:
        return f"<0.001{_NBSP}%"
    if 1 - least < value < 1:
        return f">99.999{_NBSP}%"
    return f"{value * 100:.3f}".rstrip("0").rstrip(".") + f"{_NBSP}%"


def hours(value: float) -> str:
    """A duration: minutes below an hour, days from two days on."""
    if value < 1:
        return f"{round(value * 60)}{_NBSP}min"
    text = f"{value:,.1f}{_NBSP}h" if value < _TWO_DAYS else f"{value / 24:,.1f}{_NBSP}days"
    return text.replace(f".0{_NBSP}", _NBSP)


def score_value(score: Score) -> str:
    """The value of a score; a dash where there was nothing to judge."""
    if score.value is None:
        return _NOTHING
    return hours(score.value) if score.in_hours else share(score.value)


def score_change(score: Score) -> str:
    """How a score moved since the evaluation before: percentage points, or hours; empty where nothing can be said."""
    change = score.change
    if change is None:
        return ""
    scale, unit, digits = (1, "h", 1) if score.in_hours else (100, "pp", 3)
    size = round(abs(change) * scale, digits)
    if size == 0:
        return "±0"
    text = f"{size:,.{digits}f}".rstrip("0").rstrip(".")
    return f"{'+' if change > 0 else _MINUS}{text}{_NBSP}{unit}"


def score_limits(score: Score) -> str:
    """Where a score begins to warn and to fail."""
    side = "over" if score.in_hours else "under"
    limits = {"warns": score.warn_threshold, "fails": score.fail_threshold}
    told = [
        f"{what} {side} {hours(limit) if score.in_hours else share(limit)}"
        for what, limit in limits.items()
        if limit is not None
    ]
    return ", ".join(told) or "no threshold"


def score_fraction(score: Score) -> str:
    """What a score was counted from."""
    if score.in_hours:
        return f"{count(score.rows_checked)} {'file' if score.rows_checked == 1 else 'files'}"
    unit = "cells" if score.name == "completeness" else "rows"
    return f"{count(score.rows_checked - score.rows_failed)} of {count(score.rows_checked)} {unit}"


def heights(score: Score) -> list[float | None]:
    """The trend of a score as heights of 0 to 1; what is a difference to nobody looks like none."""
    values = [point.score for point in score.trend]
    known = [value for value in values if value is not None]
    if not known:
        return []
    span = max(max(known) - min(known), _LEAST_HOURS if score.in_hours else _LEAST_SHARE)
    middle = (max(known) + min(known)) / 2
    return [None if value is None else (value - middle) / span + 0.5 for value in values]


def sparkline(score: Score) -> str:
    """The trend of a score as blocks; a gap where there was nothing to judge."""
    return "".join(" " if height is None else _block(height) for height in heights(score))


def instant(moment: datetime) -> str:
    """An instant to the minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(value: date | None) -> str:
    """A day; a dash where there is none."""
    return _NOTHING if value is None else value.isoformat()


def held_back(held: HeldBack | None) -> str:
    """What waits behind a shut gate, as a sentence; empty where nothing does."""
    if held is None:
        return ""
    lines = "1 line" if held.rows == 1 else f"{count(held.rows)} lines"
    files = "1 file" if held.files == 1 else f"{count(held.files)} files"
    published = "nothing is published yet" if held.since is None else f"what is published reaches to {held.since}"
    return f"Held back: {files} with {lines}; {published}."


def _block(height: float) -> str:
    return _BLOCKS[round(height * (len(_BLOCKS) - 1))]
