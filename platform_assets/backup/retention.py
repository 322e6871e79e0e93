"""Which backups stay.

Belongs here: the arithmetic. Does not belong here: deleting (``store``).
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any


def superfluous(
    moments: Collection[datetime], *, keep_daily: int, keep_weekly: int, verified: Collection[datetime] = ()
) -> list[datetime]:
    """The backups that may go, the oldest first.

    What stays is the newest of each of the last days that have one, the newest of each of the last ISO weeks that have
    one (both in UTC), the newest of all, and the newest that was seen to restore.

    Args:
        moments: When the backups were made.
        keep_daily: How many days.
        keep_weekly: How many weeks.
        verified: When those were made that are known to be sound.
    """
    stay = _newest_of_each(moments, lambda moment: moment.date(), keep_daily)
    stay |= _newest_of_each(moments, lambda moment: moment.isocalendar()[:2], keep_weekly)
    stay |= set(sorted(moments)[-1:]) | set(sorted(set(verified) & set(moments))[-1:])
    return sorted(set(moments) - stay)


def _newest_of_each(moments: Collection[datetime], period: Callable[[datetime], Any], periods: int) -> set[datetime]:
    newest: dict[Any, datetime] = {}
    for moment in sorted(moments):
        newest[period(moment.astimezone(UTC))] = moment
    return {newest[key] for key in sorted(newest, reverse=True)[:periods]}
