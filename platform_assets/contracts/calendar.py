"""Days as numbers, for engines whose durations know no days."""

import narwhals as nw

_EPOCH = 719_468
"""Days from the first of March of the year 0 to 1970-01-01."""


def day_number(day: nw.Expr) -> nw.Expr:
    """Days since 1970-01-01 of a date or an instant, in the proleptic Gregorian calendar.

    Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), ``days_from_civil``: years begin in March, so
    that the leap day is the last one; for years from 1 on, where no number is negative.
    """
    year, month, day_of_month = (part.cast(nw.Int64) for part in (day.dt.year(), day.dt.month(), day.dt.day()))
    is_early = nw.when(month < 3).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)  # noqa: PLR2004 - of March
    year = year - is_early
    day_of_year = ((month - 3 + is_early * 12) * 153 + 2) // 5 + day_of_month - 1
    days = year * 365 + year // 4 - year // 100 + year // 400 + day_of_year - _EPOCH
    return days.cast(nw.Int64)
