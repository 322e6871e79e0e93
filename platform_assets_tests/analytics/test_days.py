"""Whether the newest day is over: by the time of its last sale against those of the days before."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest

from platform_assets.analytics.days import last_whole_day
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.anomalies.sales import Row, sale, sales

DAY = date(2024, 5, 31)
BEFORE = DAY - timedelta(days=1)


def days(hours: Sequence[int], last: date = DAY, source_system: str = "shop") -> list[Row]:
    """A sale in the morning and a last one at each of these hours, on consecutive days up to a day."""
    found = []
    for back, hour in enumerate(reversed(hours)):
        day = last - timedelta(days=back)
        moments = (datetime.combine(day, time(min(hour, 8))), datetime.combine(day, time(hour)))
        found += [sale(moment, source_system=source_system) for moment in moments]
    return found


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        (days([20, 21, 19, 20, 22, 21, 20, 13]), BEFORE),
        (days([20, 21, 19, 20, 22, 21, 20, 19]), DAY),
        (days([20, 21, 20, 13]), DAY),
        (days([0] * 20), DAY),
        (days([20] * 10 + [13], last=BEFORE), DAY),
        (days([20] * 10 + [13]) + days([21], last=DAY + timedelta(days=1)), BEFORE),
        (days([18] * 30) + days([20] * 10 + [13], source_system="till"), BEFORE),
        ([], DAY),
    ],
    ids=[
        "it-ends-at-noon",
        "as-late-as-another",
        "too-few-to-say",
        "no-times",
        "it-has-no-sales",
        "later-sales-do-not-count",
        "one-dataset-of-two",
        "nothing",
    ],
)
def test_a_day_that_ends_earlier_than_all_before_it_is_not_over(rows: list[Row], whole: date, engine: Engine) -> None:
    assert last_whole_day(engine.from_arrow(sales(rows)), DAY, engine) == whole


def test_a_day_is_held_against_the_last_four_weeks_only(engine: Engine) -> None:
    long_ago = days([12], last=DAY - timedelta(days=29))
    rows = long_ago + days([20] * 28 + [13])
    assert last_whole_day(engine.from_arrow(sales(rows)), DAY, engine) == BEFORE
