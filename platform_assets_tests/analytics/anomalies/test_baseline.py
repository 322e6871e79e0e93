import csv
import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from platform_assets.analytics.anomalies.baseline import BaselineSettings, Verdict, judge
from platform_assets_tests.analytics.anomalies.simulated import START, WARM_UP, simulated

WEEK = np.array([100.0, 90, 95, 100, 120, 140, 60])
SEEDS = range(200, 208)


def steady(weeks: int = 12) -> np.ndarray:
    return np.tile(WEEK, weeks) * np.exp(np.random.default_rng(0).normal(0, 0.01, 7 * weeks))


def runs(flags: np.ndarray) -> int:
    """How many groups of consecutive days."""
    return int((flags & ~np.concatenate([[False], flags[:-1]])).sum())


def test_faults_in_seeded_series_are_found_with_few_false_alarms() -> None:
    hits = false = missed = alarms = 0
    years = 0.0
    for seed in SEEDS:
        series = simulated(seed)
        flagged, event = judge(series.values, START).is_unusual[WARM_UP:], series.is_event[WARM_UP:]
        hits, false, missed = (
            hits + (flagged & event).sum(),
            false + (flagged & ~event).sum(),
            missed + (~flagged & event).sum(),
        )
        alarms += runs(flagged & ~event)
        years += len(flagged) / 365.25

    assert 2 * hits / (2 * hits + false + missed) >= 0.90
    assert alarms / years <= 2


def test_series_without_faults_have_at_most_two_false_alarms_a_year() -> None:
    series = [simulated(seed, faults=False).values for seed in SEEDS]

    alarms = sum(runs(judge(values, START).is_unusual) for values in series)

    assert alarms / (sum(map(len, series)) / 365.25) <= 2


def test_four_of_five_events_of_the_taxi_series_are_found_without_a_calendar(shared_datasets: Path) -> None:
    truth = json.loads((shared_datasets / "truth.json").read_text(encoding="utf-8"))["nab_nyc_taxi"]
    totals: dict[date, float] = defaultdict(float)
    with (shared_datasets / "nab" / "nyc_taxi.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            totals[datetime.fromisoformat(row["timestamp"]).date()] += float(row["value"])
    days = sorted(totals)

    judged = judge(np.array([totals[day] for day in days]), days[0])

    unusual = [day for day, is_unusual in zip(days, judged.is_unusual, strict=True) if is_unusual]
    windows = [[datetime.fromisoformat(end).date() for end in window] for window in truth["windows"]]
    assert sum(any(first <= day <= last for day in unusual) for first, last in windows) >= 4
    groups = [[unusual[0]]]
    for day in unusual[1:]:
        if (day - groups[-1][-1]).days <= 2:
            groups[-1].append(day)
        else:
            groups.append([day])
    others = [group for group in groups if not any(first <= day <= last for first, last in windows for day in group)]
    assert len(others) <= 5


def test_a_later_day_never_changes_what_was_said_of_an_earlier_one() -> None:
    values = simulated(1).values

    whole, part = judge(values, START), judge(values[:300], START)

    assert whole.z[28:300] == pytest.approx(part.z[28:])


def test_a_factor_on_all_values_changes_no_verdict() -> None:
    values = simulated(2).values

    assert judge(values * 1000, START).verdicts == judge(values, START).verdicts


def test_a_flagged_day_is_not_part_of_later_baselines() -> None:
    values = steady()
    broken = values.copy()
    broken[70] /= 5

    judged, clean = judge(broken, START), judge(values, START)

    assert np.flatnonzero(judged.is_unusual).tolist() == [70]
    assert judged.expected[77] == pytest.approx(clean.expected[77], rel=0.03)


def test_a_lasting_change_is_accepted_after_seven_days() -> None:
    values = steady(14)
    values[70:] *= 1.5

    judged = judge(values, START)

    assert np.flatnonzero(judged.is_unusual).tolist() == list(range(70, 77))
    assert np.flatnonzero(judged.is_shift).tolist() == list(range(70, 77))
    assert judged.expected[80] == pytest.approx(values[80], rel=0.1)


def test_an_accepted_level_leaves_what_was_expected_before_it() -> None:
    values = np.concatenate([steady(), 2 * steady()])

    judged = judge(values, START)

    before = slice(35, 84)
    assert judged.expected[before] == pytest.approx(values[before], rel=0.1)
    assert (judged.lower[before] < values[before]).all()
    assert (values[before] < judged.upper[before]).all()


def test_a_new_weekly_pattern_is_accepted_after_three_weeks() -> None:
    values = steady(14)
    values[70::7] /= 2

    unusual = np.flatnonzero(judge(values, START).is_unusual).tolist()

    assert unusual[:3] == [70, 77, 84]
    assert len(unusual) < 5


def test_holidays_are_not_judged_and_not_learned() -> None:
    values = steady()
    values[70] /= 5
    holidays = {START + timedelta(days=70): "Harvest Day"}

    judged = judge(values, START, holidays=holidays)

    assert judged.verdicts[70] is Verdict.HOLIDAY
    assert not judged.is_unusual.any()


def test_the_first_weeks_are_judged_by_the_days_after_them() -> None:
    values = steady()
    values[14] /= 5

    assert np.flatnonzero(judge(values, START).is_unusual).tolist() == [14]


def test_what_is_said_of_the_first_weeks_stays_when_years_come() -> None:
    values = np.concatenate([steady(40), 500 * steady(80)])
    values[14] = 0

    early, later = judge(values[:200], START), judge(values, START)

    assert later.z[:28] == pytest.approx(early.z[:28])


@pytest.mark.parametrize(
    ("values", "orders", "verdict"),
    [
        (steady(3), None, Verdict.TOO_LITTLE_HISTORY),
        (np.zeros(0), None, None),
        (steady(), np.full(84, 4.0), Verdict.TOO_FEW),
    ],
)
def test_where_nothing_can_be_said_the_reason_is(
    values: np.ndarray, orders: np.ndarray | None, verdict: Verdict | None
) -> None:
    judged = judge(values, START, orders=orders)

    assert set(judged.verdicts) == ({verdict} if verdict else set())
    assert np.isnan(judged.z).all()


def test_few_orders_vary_by_chance_and_a_wider_band_says_so() -> None:
    few, many = (judge(steady(), START, orders=np.full(84, count)) for count in (16.0, 1e6))

    # 16 orders: a standard deviation of a quarter
    assert np.log(few.upper[60] / few.expected[60]) == pytest.approx(4 * 0.25)
    assert many.upper[60] < few.upper[60]


def test_a_stricter_threshold_flags_fewer_days() -> None:
    values = simulated(3).values

    counts = [judge(values, START, BaselineSettings(threshold=limit)).is_unusual.sum() for limit in (2.0, 4.0, 12.0)]

    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2]
