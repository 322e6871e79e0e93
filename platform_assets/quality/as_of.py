"""The day a dataset speaks of: the newest event date in the data, never the wall clock."""

from collections.abc import Iterable
from datetime import date

_IMPLAUSIBLE_GAP_DAYS = 366


def newest_event(days: Iterable[date]) -> date | None:
    """The newest day with events, leaving out days that lie more than a year after all others.

    One mistyped year (2099 for 2009) must not move the day every result is computed for; such a day is then later
    than ``as_of`` and its rows are set aside by their rule.

    Args:
        days: Days with at least one event, in any order, repeated or not.

    Returns:
        The day, ``None`` when there are none.
    """
    ordered = sorted(set(days))
    while len(ordered) > 1 and (ordered[-1] - ordered[-2]).days > _IMPLAUSIBLE_GAP_DAYS:
        ordered.pop()
    return ordered[-1] if ordered else None
