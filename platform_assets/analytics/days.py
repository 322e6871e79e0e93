"""Whether the newest day is over: files that arrive at noon hold half of it, which looks like a collapse.

Belongs here: telling the last whole day. Does not belong here: what is computed for it.
"""

from collections import defaultdict
from datetime import date, timedelta

import narwhals as nw

from platform_assets.analytics.lines import lines_between
from platform_assets.engines.engine import Engine, Frame

DAYS_BEFORE = 28
"""Days with sales that the newest one is held against."""
_LEAST_BEFORE = 7


def last_whole_day(sales: Frame, as_of: date, engine: Engine) -> date:
    """The last day that is over in every dataset.

    A day is not over where the last sale of a dataset is earlier in the day than on each of the days with sales before
    it, 28 at most. Datasets that know no times, or fewer than a week of days before, say nothing. So one of 29 ordinary
    days is taken for unfinished, and counts a day later.

    Args:
        sales: Rows of core/sales; those after the day do not count.
        as_of: The day results are for.
        engine: What computes.

    Returns:
        ``as_of``, or the day before.
    """
    known = lines_between(sales, as_of).filter(~nw.col("sold_at").is_null())
    last = (
        known.select("source_system", "sold_at", nw.col("sold_at").cast(nw.Date).alias("day"))
        .group_by("source_system", "day")
        .agg(nw.col("sold_at").max().alias("last"))
    )
    ends: dict[str, dict[date, float]] = defaultdict(dict)
    for row in engine.collect(last).to_pylist():
        moment = row["last"].replace(tzinfo=None)
        ends[row["source_system"]][row["day"]] = (moment - moment.replace(hour=0, minute=0, second=0)).total_seconds()
    is_over = all(_is_over(days, as_of) for days in ends.values())
    return as_of if is_over else as_of - timedelta(days=1)


def _is_over(ends: dict[date, float], day: date) -> bool:
    if day not in ends:
        return True
    before = [ends[one] for one in sorted(ends) if one < day][-DAYS_BEFORE:]
    return len(before) < _LEAST_BEFORE or ends[day] >= min(before)
