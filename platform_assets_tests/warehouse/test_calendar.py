from datetime import date
from typing import Any

import pytest
from psycopg2 import extensions

from platform_assets.warehouse.loading.slices import replace_slices
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.loads import CalendarLoad
from platform_assets.warehouse.star.calendar import DIM_DATE_SCHEMA, calendar_days, whole_years
from platform_assets.warehouse.star.calendar_settings import CalendarSettings
from platform_assets.warehouse.star.dimensions import delete_orphans
from platform_assets_tests.warehouse.rows import DATASET, SALES, SALES_SCHEMA, query, sale, sales

PLAIN = CalendarSettings()
OCTOBER = CalendarSettings(fiscal_year_start_month=10)
ENGLAND = CalendarSettings(country="GB", subdivision="ENG")
SCOTLAND = CalendarSettings(country="GB", subdivision="SCT")


def on(day: date, settings: CalendarSettings = PLAIN) -> dict[str, Any]:
    """What the calendar knows of a day."""
    (parts,) = calendar_days((day, day), settings).to_pylist()
    return dict(parts)


def load(connection: extensions.connection, first: date, last: date, settings: CalendarSettings = PLAIN) -> list[int]:
    """How many days a load of the calendar inserted, updated, deleted and left as they were."""
    counts = CalendarLoad(settings, (first, last)).apply(connection)
    return [counts[name] for name in ("inserted", "updated", "deleted", "unchanged")]


@pytest.mark.parametrize(
    ("day", "week"),
    [
        # The examples that go with ISO 8601, as year, week and day of the week.
        (date(2005, 1, 1), (2004, 53, 6)),
        (date(2005, 1, 2), (2004, 53, 7)),
        (date(2005, 12, 31), (2005, 52, 6)),
        (date(2006, 1, 1), (2005, 52, 7)),
        (date(2006, 1, 2), (2006, 1, 1)),
        (date(2006, 12, 31), (2006, 52, 7)),
        (date(2007, 1, 1), (2007, 1, 1)),
        (date(2007, 12, 31), (2008, 1, 1)),
        (date(2008, 12, 28), (2008, 52, 7)),
        (date(2008, 12, 29), (2009, 1, 1)),
        (date(2009, 12, 31), (2009, 53, 4)),
        (date(2010, 1, 3), (2009, 53, 7)),
    ],
)
def test_weeks_are_those_of_iso_8601(day: date, week: tuple[int, int, int]) -> None:
    parts = on(day)
    assert (parts["iso_year"], parts["iso_week"], parts["weekday"]) == week


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 2, 29), (20240229, 2024, 1, 2, "February", 29, 60, "Thursday", False)),
        (date(2024, 12, 30), (20241230, 2024, 4, 12, "December", 30, 365, "Monday", False)),
        (date(2023, 7, 1), (20230701, 2023, 3, 7, "July", 1, 182, "Saturday", True)),
        (date(2023, 7, 2), (20230702, 2023, 3, 7, "July", 2, 183, "Sunday", True)),
    ],
)
def test_a_day_knows_its_parts(day: date, expected: tuple[object, ...]) -> None:
    parts = on(day)
    names = ("date_key", "year", "quarter", "month", "month_name", "day", "day_of_year", "weekday_name", "is_weekend")
    assert tuple(parts[name] for name in names) == expected


def test_a_day_knows_the_first_days_of_its_month_and_quarter() -> None:
    parts = on(date(2024, 8, 15))
    assert (parts["month_start_date"], parts["quarter_start_date"]) == (date(2024, 8, 1), date(2024, 7, 1))


@pytest.mark.parametrize(
    ("month", "day", "fiscal"),
    [
        # The fiscal year 2024 of the United States: 1 October 2023 to 30 September 2024.
        (10, date(2023, 9, 30), (2023, 4, 12)),
        (10, date(2023, 10, 1), (2024, 1, 1)),
        (10, date(2023, 12, 31), (2024, 1, 3)),
        (10, date(2024, 1, 1), (2024, 2, 4)),
        (10, date(2024, 9, 30), (2024, 4, 12)),
        (10, date(2024, 10, 1), (2025, 1, 1)),
        # India's 2023-24: 1 April 2023 to 31 March 2024.
        (4, date(2023, 4, 1), (2024, 1, 1)),
        (4, date(2024, 3, 31), (2024, 4, 12)),
        (1, date(2024, 1, 1), (2024, 1, 1)),
        (1, date(2024, 12, 31), (2024, 4, 12)),
    ],
)
def test_a_fiscal_year_is_named_after_the_year_it_ends_in(month: int, day: date, fiscal: tuple[int, int, int]) -> None:
    parts = on(day, CalendarSettings(fiscal_year_start_month=month))
    assert (parts["fiscal_year"], parts["fiscal_quarter"], parts["fiscal_month"]) == fiscal


@pytest.mark.parametrize(
    ("settings", "year", "published"),
    [
        # gov.uk/bank-holidays. It lists days of the week only: where a holiday falls on a weekend, its substitute.
        (ENGLAND, 2024, "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26"),
        (SCOTLAND, 2024, "01-01 01-02 03-29 05-06 05-27 08-05 12-02 12-25 12-26"),
        (ENGLAND, 2022, "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27"),
    ],
)
def test_holidays_are_those_published(settings: CalendarSettings, year: int, published: str) -> None:
    days = calendar_days((date(year, 1, 1), date(year, 12, 31)), settings).to_pylist()
    found = [day["date"] for day in days if day["is_holiday"] and not day["is_weekend"]]
    assert [f"{day:%m-%d}" for day in found] == published.split()
    assert {day["is_holiday"] for day in days} == {True, False}
    assert all((day["holiday_name"] is not None) == day["is_holiday"] for day in days)


def test_names_of_holidays_are_english_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    germany = CalendarSettings(country="DE")
    assert on(date(2024, 10, 3), germany)["holiday_name"] == "German Unity Day"
    assert on(date(2024, 12, 25), ENGLAND)["holiday_name"] == "Christmas Day"


def test_without_a_country_nobody_knows_what_is_a_holiday() -> None:
    parts = on(date(2024, 12, 25))
    assert (parts["is_holiday"], parts["holiday_name"]) == (None, None)


@pytest.mark.parametrize(
    ("settings", "first", "last"),
    [
        (PLAIN, date(2023, 1, 1), date(2024, 12, 31)),
        # 15 May 2023 is in the fiscal year from October 2022; 20 November 2024 in the one to September 2025.
        (OCTOBER, date(2022, 10, 1), date(2025, 9, 30)),
        # From April on: the fiscal year of the first begins within its calendar year, that of the last ends after its.
        (CalendarSettings(fiscal_year_start_month=4), date(2023, 1, 1), date(2025, 3, 31)),
    ],
)
def test_the_span_has_whole_calendar_and_fiscal_years(settings: CalendarSettings, first: date, last: date) -> None:
    assert whole_years((date(2023, 5, 15), date(2024, 11, 20)), settings) == (first, last)


def test_a_span_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="has no days"):
        whole_years((date(2024, 1, 2), date(2024, 1, 1)), PLAIN)


def test_the_dimension_has_the_days_as_they_are_made(connection: extensions.connection) -> None:
    load(connection, date(2024, 2, 1), date(2024, 2, 1), ENGLAND)

    rows = query(connection, f"SELECT {', '.join(DIM_DATE_SCHEMA.names)} FROM warehouse.dim_date WHERE date_key > 0")
    made = calendar_days((date(2024, 1, 1), date(2024, 12, 31)), ENGLAND).to_pylist()
    assert sorted(rows) == [tuple(day.values()) for day in made]


def days_held(connection: extensions.connection) -> list[tuple[Any, ...]]:
    return query(connection, "SELECT min(date), max(date), count(date) FROM warehouse.dim_date")


def test_a_replay_writes_nothing_and_years_come_and_go_at_both_ends_without_gaps(
    connection: extensions.connection,
) -> None:
    day = date(2023, 6, 1)
    assert load(connection, day, day) == [365, 0, 0, 0]
    assert load(connection, day, day) == [0, 0, 0, 365]
    assert load(connection, date(2021, 1, 1), day) == [365 + 365, 0, 0, 365]
    assert load(connection, date(2021, 1, 1), date(2024, 3, 1)) == [366, 0, 0, 365 * 3]
    assert days_held(connection) == [(date(2021, 1, 1), date(2024, 12, 31), 365 * 3 + 366)]
    assert load(connection, date(2022, 1, 1), day) == [0, 0, 365 + 366, 365 * 2]
    assert days_held(connection) == [(date(2022, 1, 1), date(2023, 12, 31), 365 * 2)]


def test_changed_settings_change_the_days_that_are_there(connection: extensions.connection) -> None:
    load(connection, date(2023, 2, 1), date(2023, 2, 1))

    # The fiscal years 2023 and 2024 begin on 1 October before: 92 days more at the front, 274 in 2024.
    assert load(connection, date(2023, 2, 1), date(2023, 10, 1), OCTOBER) == [92 + 274, 365, 0, 0]
    fiscal = query(connection, "SELECT fiscal_year, count(*) FROM warehouse.dim_date GROUP BY 1 ORDER BY 1 NULLS LAST")
    assert fiscal == [(2023, 365), (2024, 366), (None, 1)]

    assert load(connection, date(2023, 2, 1), date(2023, 2, 1), PLAIN) == [0, 365, 92 + 274, 0]


def test_days_that_facts_still_refer_to_go_with_the_facts(connection: extensions.connection) -> None:
    load(connection, date(2021, 3, 15), date(2024, 1, 2))
    lines = [sale("old.csv", 1, date_key=20210315), sale("new.csv", 1, date_key=20240102)]
    slices = {(DATASET, line["source_file"]): "1" for line in lines}
    replace_slices(connection, SALES, slices, [], SALES_SCHEMA, sales(lines))

    load(connection, date(2024, 1, 2), date(2024, 1, 2))
    held = "SELECT is_orphaned, min(date), max(date), count(date) FROM warehouse.dim_date GROUP BY 1 ORDER BY 1"
    # From 15 March on, the day of the year 74, there are 292 days in 2021.
    assert query(connection, held) == [
        (False, date(2024, 1, 1), date(2024, 12, 31), 366),
        (True, date(2021, 3, 15), date(2023, 12, 31), 292 + 365 + 365),
    ]

    replace_slices(connection, SALES, {}, [(DATASET, "old.csv")], SALES_SCHEMA, [])
    with transaction(connection):
        assert delete_orphans(connection) == 292 + 365 + 365
    assert days_held(connection) == [(date(2024, 1, 1), date(2024, 12, 31), 366)]


def test_without_events_there_are_no_days(connection: extensions.connection) -> None:
    assert CalendarLoad(PLAIN, None).apply(connection)["inserted"] == 0
    load(connection, date(2023, 2, 1), date(2023, 2, 1))
    assert CalendarLoad(PLAIN, None).apply(connection)["deleted"] == 365


def test_the_unknown_day_stays_as_it_is(connection: extensions.connection) -> None:
    before = query(connection, "SELECT xmin::text, * FROM warehouse.dim_date WHERE date_key = -1")
    load(connection, date(2024, 2, 1), date(2024, 2, 1), SCOTLAND)
    assert query(connection, "SELECT xmin::text, * FROM warehouse.dim_date WHERE date_key = -1") == before
