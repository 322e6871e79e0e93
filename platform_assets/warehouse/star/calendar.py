"""The days of ``warehouse.dim_date``: their parts by the calendar, the ISO week, the fiscal year and the holidays.

Belongs here: what there is to know about a day, and which days the dimension has. Does not belong here: what a
deployment says about its calendar (``calendar_settings``).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from psycopg2 import extensions, sql

from platform_assets.warehouse.star.calendar_settings import CalendarSettings
from platform_assets.warehouse.star.model import is_used_day

DIM_DATE_SCHEMA = pa.schema(
    [
        ("date_key", pa.int32()),
        ("date", pa.date32()),
        ("year", pa.int16()),
        ("quarter", pa.int16()),
        ("month", pa.int16()),
        ("month_name", pa.string()),
        ("day", pa.int16()),
        ("day_of_year", pa.int16()),
        ("iso_year", pa.int16()),
        ("iso_week", pa.int16()),
        ("weekday", pa.int16()),
        ("weekday_name", pa.string()),
        ("is_weekend", pa.bool_()),
        ("month_start_date", pa.date32()),
        ("quarter_start_date", pa.date32()),
        ("fiscal_year", pa.int16()),
        ("fiscal_quarter", pa.int16()),
        ("fiscal_month", pa.int16()),
        ("is_holiday", pa.bool_()),
        ("holiday_name", pa.string()),
        ("is_orphaned", pa.bool_()),
    ]
)
_SATURDAY = 6
# Not those of the module calendar: they follow the locale of the process.
_MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_ENGLISH = "en_US"
"""The language of the names; where the package has it not, its names are English anyway."""

Span = tuple[date, date]
"""A first and a last day, both included."""


def known_days(cursor: extensions.cursor, events: Span | None, settings: CalendarSettings) -> pa.Table:
    """The days that the date dimension shall have; those that facts refer to and nothing else does are orphaned.

    Args:
        cursor: A cursor inside the transaction that loads them.
        events: First and last day that something happened on; none where nothing did.
        settings: Fiscal year and holidays.

    Returns:
        Rows of ``DIM_DATE_SCHEMA``.
    """
    wanted = [whole_years(events, settings)] if events else []
    spans = [*wanted, *_still_used(cursor, wanted)]
    return calendar_days(_hull(spans), settings, wanted) if spans else DIM_DATE_SCHEMA.empty_table()


def whole_years(events: Span, settings: CalendarSettings) -> Span:
    """The span from the beginning of the first event's year to the end of the last one's.

    Of the calendar year and the fiscal year, the one counts that begins earlier, or ends later.

    Raises:
        ValueError: The last event is before the first.
    """
    first, last = events
    if last < first:
        message = f"The span from {first} to {last} has no days."
        raise ValueError(message)
    return (
        min(date(first.year, 1, 1), _fiscal_year(first, settings)[0]),
        max(date(last.year, 12, 31), _fiscal_year(last, settings)[1]),
    )


def calendar_days(span: Span, settings: CalendarSettings, wanted: Sequence[Span] | None = None) -> pa.Table:
    """Every day of a span.

    Args:
        span: First and last day.
        settings: Fiscal year and holidays.
        wanted: Spans outside of which days are orphaned; without them, none is.

    Returns:
        Rows of ``DIM_DATE_SCHEMA``, in the order of time. Without a country it is not known what is a holiday.
    """
    first, last = span
    holidays = _holidays(span, settings)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    spans = [span] if wanted is None else wanted
    rows = [
        {**_parts(day, settings, holidays), "is_orphaned": not any(since <= day <= until for since, until in spans)}
        for day in days
    ]
    return pa.Table.from_pylist(rows, DIM_DATE_SCHEMA)


def _parts(day: date, settings: CalendarSettings, holidays: Mapping[date, str] | None) -> dict[str, Any]:
    quarter = (day.month + 2) // 3
    week = day.isocalendar()
    fiscal_month = (day.month - settings.fiscal_year_start_month) % 12 + 1
    return {
        "date_key": day.year * 10_000 + day.month * 100 + day.day,
        "date": day,
        "year": day.year,
        "quarter": quarter,
        "month": day.month,
        "month_name": _MONTHS[day.month - 1],
        "day": day.day,
        "day_of_year": day.timetuple().tm_yday,
        "iso_year": week.year,
        "iso_week": week.week,
        "weekday": week.weekday,
        "weekday_name": _WEEKDAYS[week.weekday - 1],
        "is_weekend": week.weekday >= _SATURDAY,
        "month_start_date": day.replace(day=1),
        "quarter_start_date": date(day.year, quarter * 3 - 2, 1),
        "fiscal_year": _fiscal_year(day, settings)[1].year,
        "fiscal_quarter": (fiscal_month + 2) // 3,
        "fiscal_month": fiscal_month,
        "is_holiday": None if holidays is None else day in holidays,
        "holiday_name": None if holidays is None else holidays.get(day),
    }


def _fiscal_year(day: date, settings: CalendarSettings) -> Span:
    """The first and the last day of a day's fiscal year, which is named after the year of the last."""
    month = settings.fiscal_year_start_month
    year = day.year if day.month >= month else day.year - 1
    return date(year, month, 1), date(year + 1, month, 1) - timedelta(days=1)


def _holidays(span: Span, settings: CalendarSettings) -> dict[date, str] | None:
    """Names by day; none where no country is set."""
    if settings.country is None:
        return None
    from holidays import country_holidays  # noqa: PLC0415 -- takes half a second: for those who name a country

    years = range(span[0].year, span[1].year + 1)
    # The language would follow the environment of the process otherwise.
    return dict(country_holidays(settings.country, settings.subdivision, years, language=_ENGLISH))


def _still_used(cursor: extensions.cursor, wanted: list[Span]) -> list[Span]:
    """The span of the days that facts refer to although they are not wanted; nothing where there are none."""
    others = [sql.SQL("day.date NOT BETWEEN {} AND {}").format(*map(sql.Literal, span)) for span in wanted]
    statement = "SELECT min(day.date), max(day.date) FROM warehouse.dim_date AS day WHERE {} AND {}"
    cursor.execute(sql.SQL(statement).format(sql.SQL(" AND ").join(others or [sql.SQL("true")]), is_used_day("day")))
    return [span for span in cursor.fetchall() if span[0] is not None]


def _hull(spans: list[Span]) -> Span:
    return min(first for first, _ in spans), max(last for _, last in spans)
