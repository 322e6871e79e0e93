import calendar
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.contracts.columns import ColumnType
from platform_assets.contracts.readings import DateReading
from platform_assets.engines.engine import Engine
from platform_assets_tests.frames import typed_values
from platform_assets_tests.transforms.cells import QUICK, column, read


@pytest.mark.parametrize(
    ("text", "reading", "day"),
    [
        ("2011-12-09", DateReading("iso"), date(2011, 12, 9)),
        ("20111209", DateReading("compact", ""), date(2011, 12, 9)),
        ("2011/12/9", DateReading("ymd", "/"), date(2011, 12, 9)),
        ("9.12.2011", DateReading("dmy", "."), date(2011, 12, 9)),
        ("09/12/2011", DateReading("dmy", "/"), date(2011, 12, 9)),
        ("12/9/2011", DateReading("mdy", "/"), date(2011, 12, 9)),
        ("9-12-2011", DateReading("dmy", "-"), date(2011, 12, 9)),
        ("9/12/11", DateReading("dmy", "/", 2), date(2011, 12, 9)),
        ("9/12/68", DateReading("dmy", "/", 2), date(2068, 12, 9)),
        ("9/12/69", DateReading("dmy", "/", 2), date(1969, 12, 9)),
        ("9/12/00", DateReading("dmy", "/", 2), date(2000, 12, 9)),
        ("9/12/99", DateReading("dmy", "/", 2), date(1999, 12, 9)),
        ("69/12/09", DateReading("ymd", "/", 2), date(1969, 12, 9)),
        ("2011-12-09", DateReading("dmy", "/"), date(2011, 12, 9)),
        ("2011-12-09 08:26", DateReading("iso"), date(2011, 12, 9)),
        ("9/12/2011", DateReading("mdy", "/"), date(2011, 9, 12)),
        ("12/9/11", DateReading("mdy", "/", 4), None),
        ("13/1/2011", DateReading("mdy", "/"), None),
        ("9/12/2011", DateReading("dmy", "."), None),
        ("yesterday", DateReading("iso"), None),
        ("40000", DateReading("iso"), None),
    ],
)
def test_days_are_read_in_the_columns_one_format_and_in_isos(
    engine: Engine, text: str, reading: DateReading, day: date | None
) -> None:
    assert typed_values(engine, column(ColumnType.DATE), [text], reading) == [day]


def test_a_day_exists_exactly_when_the_calendar_has_it(engine: Engine) -> None:
    days = [(y, m, d) for y in (1900, 1996, 2000, 2001, 2100) for m in range(14) for d in range(33)]
    table = [
        (f"{y:04d}-{m:02d}-{d:02d}", date(y, m, d) if 1 <= m <= 12 and 1 <= d <= calendar.monthrange(y, m)[1] else None)
        for y, m, d in days
    ]

    assert read(engine, column(ColumnType.DATE), table) == table


def test_the_29th_of_february_exists_in_leap_years_only(engine: Engine) -> None:
    table = [
        ("29/2/1900", None),
        ("29/2/2000", date(2000, 2, 29)),
        ("29/2/2001", None),
        ("29/2/2004", date(2004, 2, 29)),
        ("29/2/2100", None),
        ("29/2/2400", date(2400, 2, 29)),
    ]

    assert read(engine, column(ColumnType.DATE), table, DateReading("dmy", "/")) == table


@pytest.mark.parametrize(
    ("text", "reading", "instant"),
    [
        ("2010-12-01 08:26:00", DateReading("iso"), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T08:26", DateReading("iso"), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T08:26:59Z", DateReading("iso"), datetime(2010, 12, 1, 8, 26, 59)),
        ("2010-12-01 08:26:59.123456", DateReading("iso"), datetime(2010, 12, 1, 8, 26, 59, 123_456)),
        ("2010-12-01T08:26:59.5Z", DateReading("iso"), datetime(2010, 12, 1, 8, 26, 59, 500_000)),
        ("2010-12-01", DateReading("iso"), datetime(2010, 12, 1)),
        ("2010-12-01 8:26", DateReading("iso"), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T8:26:01", DateReading("dmy", "/"), datetime(2010, 12, 1, 8, 26, 1)),
        ("12/1/2010 8:26", DateReading("mdy", "/"), datetime(2010, 12, 1, 8, 26)),
        ("1.12.2010 23:59:59", DateReading("dmy", "."), datetime(2010, 12, 1, 23, 59, 59)),
        ("20101201 08:26", DateReading("compact", ""), datetime(2010, 12, 1, 8, 26)),
        ("20101201T08:26:30", DateReading("compact", ""), datetime(2010, 12, 1, 8, 26, 30)),
        ("12/1/10 8:26", DateReading("mdy", "/", 2), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01 24:00", DateReading("iso"), None),
        ("2010-12-01 08:60", DateReading("iso"), None),
        ("2010-12-01 08:26:60", DateReading("iso"), None),
        ("2010-12-01 08", DateReading("iso"), None),
        ("2010-12-01 8:26 PM", DateReading("iso"), None),
        ("1900-02-29 00:00", DateReading("iso"), None),
        ("2010-12-01 08:26+02:00", DateReading("iso"), None),
    ],
)
def test_instants_are_read_with_their_time_of_day_or_not_at_all(
    engine: Engine, text: str, reading: DateReading, instant: datetime | None
) -> None:
    assert typed_values(engine, column(ColumnType.TIMESTAMP), [text], reading) == [instant]


@QUICK
@given(st.lists(st.datetimes(datetime(1700, 1, 1), datetime(2250, 12, 31)), min_size=1, max_size=20))
def test_instants_come_back_to_the_microsecond_in_any_format(engine: Engine, instants: list[datetime]) -> None:
    written = [f"{i.day}/{i.month}/{i.year} {i.hour}:{i:%M:%S}.{i.microsecond:06d}" for i in instants]

    assert typed_values(engine, column(ColumnType.TIMESTAMP), [i.isoformat(" ") for i in instants]) == instants
    assert typed_values(engine, column(ColumnType.TIMESTAMP), written, DateReading("dmy", "/")) == instants


def test_years_at_the_ends_of_the_calendar_are_read_and_there_is_no_year_0(engine: Engine) -> None:
    table = [("0001-01-01", date.min), ("9999-12-31", date.max), ("0000-01-01", None)]

    assert read(engine, column(ColumnType.DATE), table) == table
