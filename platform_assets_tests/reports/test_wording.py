from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from platform_assets.quality.results import HeldBack, Verdict
from platform_assets.reports import wording
from platform_assets_tests.reports.cards import score


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "100 %"),
        (0.0, "0 %"),
        (0.96851, "96.851 %"),
        (0.9, "90 %"),
        (2 / 3, "66.667 %"),
        # One row in a million is not all, and not nothing.
        (0.999999, ">99.999 %"),
        (0.000001, "<0.001 %"),
    ],
)
def test_a_share_is_a_percentage_that_is_never_rounded_to_all_or_nothing(value: float, text: str) -> None:
    assert plain(wording.share(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "3 min"), (1.0, "1 h"), (3.5, "3.5 h"), (24, "24 h"), (47.9, "47.9 h"), (60, "2.5 days")]
)
def test_a_duration_is_in_minutes_hours_or_days(value: float, text: str) -> None:
    assert plain(wording.hours(value)) == text


@pytest.mark.parametrize(("number", "text"), [(0, "±0"), (1234, "+1,234"), (-5, "-5")])
def test_a_difference_has_its_sign(number: int, text: str) -> None:
    assert plain(wording.signed(number)) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [((0.99, 0.97), "-2 pp"), ((0.97, 0.97), "±0"), ((0.97,), ""), ((None, 0.9), ""), ((0.9, None), "")],
)
def test_the_change_of_a_share_is_in_percentage_points(values: tuple[float | None, ...], text: str) -> None:
    assert plain(wording.score_change(score("validity", *values))) == text


def test_the_change_of_freshness_is_in_hours() -> None:
    assert plain(wording.score_change(score("freshness", 2.0, 30.5))) == "+28.5 h"


def test_thresholds_say_on_which_side_of_them_things_are_bad() -> None:
    both = score("validity", 0.8, verdict=Verdict.FAIL, warn_threshold=0.95, fail_threshold=0.9)
    assert plain(wording.score_limits(both)) == "warns under 95 %, fails under 90 %"
    assert plain(wording.score_limits(score("freshness", 2.0, fail_threshold=24))) == "fails over 24 h"
    assert wording.score_limits(score("integrity", 1.0, fail_threshold=None)) == "no threshold"


@pytest.mark.parametrize(
    ("name", "text"),
    [("completeness", "9,000 of 10,000 cells"), ("validity", "9,000 of 10,000 rows"), ("freshness", "10,000 files")],
)
def test_a_score_says_what_it_was_counted_from(name: str, text: str) -> None:
    assert wording.score_fraction(score(name, 0.9)) == text


@pytest.mark.parametrize(
    ("values", "blocks"),
    [
        ((0.0, 0.5, 1.0), "▁▄▇"),
        ((0.9, 0.9), "▄▄"),
        ((1.0, None, 0.0), "▇ ▁"),
        ((None,), ""),
        # A thousandth of a percentage point is no news.
        ((0.90000, 0.90001), "▄▄"),
    ],
)
def test_a_sparkline_spans_its_lowest_and_its_highest_value_where_they_differ(
    values: tuple[float | None, ...], blocks: str
) -> None:
    assert wording.sparkline(score("validity", *values)) == blocks


def test_a_sparkline_of_hours_that_differ_by_minutes_is_flat() -> None:
    assert wording.sparkline(score("freshness", 2.0, 2.01)) == "▄▄"
    assert wording.sparkline(score("freshness", 2.0, 30.0)) == "▁▇"


def test_instants_are_in_utc_and_days_in_iso_8601() -> None:
    moment = datetime(2024, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert wording.instant(moment) == "2024-04-30 23:30 UTC"
    assert wording.instant(moment.astimezone(UTC)) == "2024-04-30 23:30 UTC"
    assert (wording.day(date(2024, 5, 1)), wording.day(None)) == ("2024-05-01", "\N{EN DASH}")


def test_money_has_cents_and_separators() -> None:
    assert plain(wording.money(Decimal("-1234567.8950"))) == "-1,234,567.90"


@pytest.mark.parametrize(
    ("held", "text"),
    [
        (None, ""),
        (HeldBack(files=1, rows=1, since=None), "Held back: 1 file with 1 line; nothing is published yet."),
        (
            HeldBack(files=2, rows=1500, since=date(2024, 4, 30)),
            "Held back: 2 files with 1,500 lines; what is published reaches to 2024-04-30.",
        ),
    ],
)
def test_what_waits_behind_a_gate_is_a_sentence(held: HeldBack | None, text: str) -> None:
    assert wording.held_back(held) == text
