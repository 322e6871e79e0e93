from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.backup.retention import superfluous

MONDAY = datetime(2024, 7, 1, 3, tzinfo=UTC)
"""A Monday, so that weeks are easy to count."""
EVERY_DAY = [MONDAY + timedelta(days=day) for day in range(70)]
"""Ten whole weeks of backups at three in the morning; the last is a Sunday."""


def days(moments: list[datetime]) -> list[int]:
    return [(moment - MONDAY).days for moment in moments]


def stay(moments: list[datetime], daily: int, weekly: int, verified: list[datetime] | None = None) -> list[int]:
    gone = superfluous(moments, keep_daily=daily, keep_weekly=weekly, verified=verified or [])
    return days(sorted(set(moments) - set(gone)))


@pytest.mark.parametrize(
    ("daily", "weekly", "expected"),
    [
        # Seven days back from day 69, and the Sundays of four weeks, of which the last is day 69 itself.
        (7, 4, [48, 55, 62, *range(63, 70)]),
        (1, 0, [69]),
        (1, 3, [55, 62, 69]),
        (3, 1, [67, 68, 69]),
        (1000, 0, list(range(70))),
    ],
)
def test_the_newest_of_the_last_days_and_weeks_stay(daily: int, weekly: int, expected: list[int]) -> None:
    assert stay(EVERY_DAY, daily, weekly) == expected


def test_of_a_day_with_several_the_newest_stays() -> None:
    hours = [MONDAY.replace(hour=hour) for hour in (1, 9, 17)]
    assert superfluous(hours, keep_daily=7, keep_weekly=4) == hours[:2]


def test_days_without_a_backup_do_not_count() -> None:
    rare = [MONDAY + timedelta(days=30 * month) for month in range(6)]
    assert stay(rare, 2, 0) == [120, 150]


def test_the_last_days_of_a_year_are_of_the_first_iso_week_of_the_next() -> None:
    sunday, monday, new_year = (datetime(*day, tzinfo=UTC) for day in ((2024, 12, 29), (2024, 12, 30), (2025, 1, 1)))
    assert superfluous([sunday, monday, new_year], keep_daily=1, keep_weekly=2) == [monday]


def test_the_newest_one_that_was_verified_stays_however_old_it_is() -> None:
    assert stay(EVERY_DAY, 1, 0, [EVERY_DAY[3], EVERY_DAY[5]]) == [5, 69]


def test_a_verified_one_that_is_gone_already_protects_nothing() -> None:
    gone = MONDAY - timedelta(days=400)
    assert stay(EVERY_DAY, 1, 0, [EVERY_DAY[3], gone]) == [3, 69]


moments = st.lists(
    st.datetimes(datetime(2023, 1, 1), datetime(2025, 12, 31), timezones=st.just(UTC)),
    min_size=1,
    max_size=60,
    unique=True,
)


@given(moments, st.integers(1, 10), st.integers(0, 10), st.data())
def test_what_stays_is_enough_and_no_more(made: list[datetime], daily: int, weekly: int, data: st.DataObject) -> None:
    verified = data.draw(st.lists(st.sampled_from(made), max_size=5))
    gone = superfluous(made, keep_daily=daily, keep_weekly=weekly, verified=verified)
    left = set(made) - set(gone)
    assert max(made) in left
    assert not verified or max(verified) in left
    assert len({moment.date() for moment in left}) >= min(daily, len({moment.date() for moment in made}))
    assert len({moment.isocalendar()[:2] for moment in left}) >= min(
        weekly, len({moment.isocalendar()[:2] for moment in made})
    )
    assert len(left) <= daily + weekly + 2
    # Nothing new came, so nothing more goes.
    assert superfluous(sorted(left), keep_daily=daily, keep_weekly=weekly, verified=verified) == []
