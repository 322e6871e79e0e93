from datetime import date, timedelta

import numpy as np
import pytest

from platform_assets.analytics.anomalies.measures import Panel, SeriesKey
from platform_assets.analytics.insights.changes import changes_table, contributions_table
from platform_assets.analytics.insights.history import reports_table
from platform_assets.analytics.insights.placebo import _before, placebo, placebo_table
from platform_assets.analytics.insights.record import Candidate, insights_table
from platform_assets.analytics.insights.report import ReportSettings, pruned, weekly_report
from platform_assets.analytics.insights.weekly import last_week, weekly_tests
from platform_assets_tests.analytics.insights.panels import CHANGES, START, WEEKS, panel

WEEK = START + timedelta(days=7 * (WEEKS - 1))
SEEDS = range(500, 560)
SHOP, WEB, TOYS = (SeriesKey("shop", *name) for name in (("total", "all"), ("channel", "Web"), ("category", "Toys")))


def shares(changes: tuple[float, ...], weeks: int) -> tuple[float, float, float]:
    """Share of reports with findings, mean share of false findings, and changes found in a report."""
    with_findings, false, found = 0, [], 0
    for seed in SEEDS:
        made, changed = panel(seed, changes, weeks)
        shown = {
            one.candidate.key for one in weekly_report({"shop": made}, START + timedelta(days=7 * (weeks - 1))).insights
        }
        with_findings += bool(shown)
        false.append(len(shown - changed) / max(1, len(shown)))
        found += len(shown & changed)
    return with_findings / len(SEEDS), float(np.mean(false)), found / len(SEEDS)


def candidate(key: SeriesKey, money: float, **other: object) -> Candidate:
    given = {
        "type": "drop",
        "measure": "net_amount",
        "first": WEEK,
        "last": WEEK + timedelta(days=6),
        "value": 100.0,
        "expected": 100.0 - money,
        "low": money,
        "high": money,
        "p": 0.001,
        "orders": 50,
        "null_size": 500,
        "is_weekly": True,
        **other,
    }
    return Candidate(key=key, money=money, **given)  # type: ignore[arg-type]


def left(*candidates: Candidate) -> list[tuple[SeriesKey, float]]:
    return [(one.key, one.money) for one, _ in pruned([(one, 0.01) for one in candidates], 0.9)]


@pytest.mark.parametrize("weeks", [WEEKS, 60])  # without and with tests of four weeks together
def test_where_nothing_changed_few_reports_have_a_finding(weeks: int) -> None:
    assert shares((), weeks)[0] <= 0.15


@pytest.mark.parametrize("weeks", [WEEKS, 60])
def test_where_something_changed_few_findings_are_false_and_changes_are_found(weeks: int) -> None:
    _, false, found = shares(CHANGES, weeks)

    assert false <= 0.15
    assert found >= 1


def test_nothing_unusual_is_an_answer() -> None:
    quiet = next(report for seed in SEEDS if not (report := weekly_report({"s": panel(seed)[0]}, WEEK)).insights)

    assert quiet.summary == f"Nothing unusual: {quiet.tests} tests, none beyond what chance alone shows."
    assert insights_table(quiet.insights).num_rows == 0


def test_a_finding_says_what_where_how_sure_and_what_to_do() -> None:
    made, changed = panel(501, (0.2,))

    report = weekly_report({"shop": made}, WEEK, currencies={"shop": "EUR"})

    (row,) = insights_table(report.insights).to_pylist()
    assert {row["segment"]} == {key.segment for key in changed}
    assert (row["rank"], row["insight_type"], row["first_date"]) == (1, "drop", WEEK)
    assert row["impact_low_amount"] <= row["impact_amount"] <= row["impact_high_amount"] < 0
    assert row["p"] <= row["p_adjusted"] <= 0.10
    assert (row["tests"], row["is_new"]) == (report.tests, True)
    assert "EUR" in row["text"]
    assert all(row[name] for name in ("title", "action", "verify", "sql", "confidence"))


def test_what_was_shown_before_ranks_lower() -> None:
    made, _ = panel(501, (0.2,))
    (first,) = weekly_report({"shop": made}, WEEK).insights

    (again,) = weekly_report({"shop": made}, WEEK, shown={first.candidate.theme_id}).insights

    assert not again.is_new
    assert again.score == pytest.approx(first.score / 2)
    assert again.candidate.id == first.candidate.id


def test_no_more_findings_than_asked_for_the_most_important_first() -> None:
    made, _ = panel(502, (0.1,) * 12)

    every = weekly_report({"shop": made}, WEEK, settings=ReportSettings(most=50))
    some = weekly_report({"shop": made}, WEEK, settings=ReportSettings(most=3))

    assert len(every.insights) > 3
    assert [one.candidate.id for one in some.insights] == [one.candidate.id for one in every.insights[:3]]
    assert some.dropped["beyond the cap"] == len(every.insights) - 3
    scores = [one.score for one in every.insights]
    assert scores == sorted(scores, reverse=True)


def test_a_whole_is_dropped_where_one_part_explains_it_and_a_part_where_the_whole_does() -> None:
    assert left(candidate(SHOP, -100), candidate(WEB, -95)) == [(WEB, -95)]
    assert left(candidate(SHOP, -100), candidate(WEB, -50)) == [(SHOP, -100)]


def test_parts_against_the_whole_stay() -> None:
    assert left(candidate(SHOP, -100), candidate(WEB, 50)) == [(SHOP, -100), (WEB, 50)]


def test_the_same_money_seen_from_two_sides_is_told_once_and_becomes_evidence() -> None:
    ((kept, _),) = pruned([(candidate(WEB, -100), 0.01), (candidate(TOYS, -95), 0.01)], 0.9)

    assert kept.key == WEB
    assert "Toys" in kept.evidence[0]
    assert left(candidate(WEB, -100), candidate(TOYS, -60)) == [(WEB, -100), (TOYS, -60)]


def test_measures_of_one_segment_are_told_once() -> None:
    assert left(candidate(WEB, -100), candidate(WEB, -40, measure="orders")) == [(WEB, -100)]


def test_a_week_of_returns_or_of_nothing_is_told_as_it_was() -> None:
    rng = np.random.default_rng(0)
    orders = rng.poisson(200, (9, 40)).astype(float)
    net = orders * 20
    net[0, -1] = -900
    orders[1, -1] = net[1, -1] = 0
    keys = tuple(SeriesKey("shop", "category", f"c{number}") for number in range(9))
    columns = {"buyers": orders, "orders": orders, "units": orders, "returns_amount": net * 0}
    made = Panel(START, 7, keys, {**columns, "net_amount": net, "priced_amount": abs(net), "usual_amount": orders * 20})

    tests = {(test.key.segment, test.measure): test for test in weekly_tests(made, START + timedelta(days=7 * 39))}

    returned, nothing = tests["c0", "net_amount"], tests["c1", "net_amount"]
    assert (returned.value, nothing.value, tests["c1", "orders"].value) == (-900, 0, 0)
    assert returned.money == pytest.approx(-900 - returned.expected)
    assert returned.expected == pytest.approx(200 * 20, rel=0.1)
    assert returned.low <= returned.money <= returned.high
    # Prices a little above or below the usual ones cost a little, whatever came back in the week.
    price = tests["c2", "price_level"]
    assert price.money == pytest.approx(made.values["usual_amount"][2, -1] * (price.value - price.expected))
    assert {test.money * (test.value - test.expected) >= 0 for test in tests.values()} == {True}


def test_a_dataset_that_sells_no_more_is_counted_and_named() -> None:
    made, gone = panel(503)[0], panel(504)[0]
    for values in gone.values.values():
        values[:, -1] = 0

    report = weekly_report({"shop": made, "market": gone}, WEEK)

    assert report.silent == ("market",)
    assert report.summary.endswith("Nothing was sold in the whole week in: market.")
    (row,) = reports_table([report], 0.1).to_pylist()
    assert row["silent_datasets"] == 1
    assert weekly_report({"shop": made, "market": gone}, WEEK - timedelta(days=7)).silent == ()


def test_the_placebo_looks_at_as_many_weeks_as_the_longest_tests_do() -> None:
    made, _ = panel(505, weeks=70)
    last = START + timedelta(days=7 * 69)
    four = len(weekly_tests(made, last, weeks=4, window=52))
    looked_at = _before(made, last, 26)

    assert looked_at is not None
    assert looked_at.length == 60
    assert len(weekly_tests(looked_at, looked_at.days[-1], weeks=4, window=52)) == four > 0


def test_weeks_without_enough_history_have_no_tests() -> None:
    made, _ = panel(1)

    assert weekly_tests(made, START + timedelta(days=7 * 9)) == []
    assert weekly_tests(made, WEEK + timedelta(days=7)) == []
    assert weekly_tests(made, START + timedelta(days=7 * 10))


def test_small_segments_are_not_tested() -> None:
    made, _ = panel(1)

    keys = {test.key for test in weekly_tests(made, WEEK, least_orders=15)}

    usual = {key: np.median(made.values["orders"][row, :-1]) for row, key in enumerate(made.keys)}
    assert keys == {key for key, orders in usual.items() if orders >= 15}


@pytest.mark.parametrize(
    ("as_of", "monday"), [(date(2024, 6, 30), date(2024, 6, 24)), (date(2024, 6, 29), date(2024, 6, 17))]
)
def test_the_last_week_is_one_that_is_over(as_of: date, monday: date) -> None:
    assert last_week(as_of) == monday


def test_the_placebo_finds_little_and_the_same_seed_gives_the_same() -> None:
    made, _ = panel(503)

    first, second = (placebo({"shop": made}, WEEK, runs=20, seed=4) for _ in range(2))

    assert first == second
    assert first.rate is not None
    assert first.rate <= 0.15


def test_a_placebo_without_history_says_so() -> None:
    (row,) = placebo_table(placebo({"shop": panel(1)[0]}, START, runs=5)).to_pylist()

    assert (row["false_report_rate"], row["runs"]) == (None, 0)
    assert "fewer than" in row["reason"]


def test_changes_are_taken_apart_against_the_weeks_before() -> None:
    key = SeriesKey("shop", "total", "all")
    counts = {"buyers": 10.0, "orders": 20.0, "units": 40.0, "net_amount": 400.0}
    values = {name: np.full((1, 6), value) for name, value in counts.items()}
    values["net_amount"][0, -1] = 300.0
    made = Panel(START, 7, (key,), values)

    (row,) = changes_table({"shop": made}, START + timedelta(days=35)).to_pylist()

    assert (row["net_before_amount"], row["net_after_amount"], row["method"]) == (400, 300, "LMDI")
    assert (row["price_per_unit_effect_amount"], row["buyers_effect_amount"]) == (-100, 0)
    assert changes_table({"shop": made}, START).num_rows == 0


def test_contributions_of_all_segments_add_up_to_the_change() -> None:
    made, _ = panel(7)

    rows = contributions_table({"shop": made}, WEEK).to_pylist()

    net = made.values["net_amount"]
    change = net[:, -1].sum() - net[:, -5:-1].mean(axis=1).sum()
    assert len(rows) == 60
    effects = ("volume_effect_amount", "mix_effect_amount", "rate_effect_amount")
    assert float(sum(row[name] for row in rows for name in effects)) == pytest.approx(change, abs=0.02)
