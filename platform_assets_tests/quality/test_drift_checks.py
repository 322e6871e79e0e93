"""Deliveries as a run sees them: landed, staged, profiled, judged, remembered."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from platform_assets.config import Limit, Thresholds
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.lake.table import ACCEPTED
from platform_assets.quality.deliveries import History, accepted, history_of, with_history
from platform_assets.quality.drift_checks import DRIFT_CHECKS
from platform_assets.quality.results import Assessment, CheckResult, Kind, Verdict
from platform_assets_tests.deliveries import LENIENT, Deliveries
from platform_assets_tests.frames import Row

RETAIL = CONTRACTS["retail_analytics"]
MONDAY = date(2024, 1, 1)
pytestmark = pytest.mark.parametrize("engine", ["pandas"], indirect=True, scope="session")
"""What is judged in Python, from counts that other tests have seen on every engine."""


def purchases(count: int, day: date = MONDAY, *, channel: str = "Store", amount: int = 10) -> list[Row]:
    return [
        {
            "customer_id": f"c{place}",
            "purchase_date": day.isoformat(),
            "channel": channel,
            "amount_spent": str(amount + place % 20),
        }
        for place in range(count)
    ]


def history(deliveries: Deliveries) -> History:
    return history_of(deliveries.table("deliveries", RETAIL).snapshot())


def drift(assessment: Assessment) -> dict[str, CheckResult]:
    return {result.rule: result for result in assessment.results if result.kind is Kind.DRIFT}


def told(assessment: Assessment) -> list[str]:
    return [name for name, result in drift(assessment).items() if not result.passed]


def test_every_check_is_quiet_on_the_first_load(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(200))

    results = drift(deliveries.process(RETAIL).assessment)

    assert list(results) == list(DRIFT_CHECKS)
    assert {result.verdict for result in results.values()} == {Verdict.PASS}
    assert {(result.rows_checked, result.score) for result in results.values()} == {(0, None)}
    assert {result.note for result in results.values()} == {"quiet: 0 of 8 deliveries needed"}


def test_a_dataset_without_files_has_no_deliveries_and_its_checks_a_result(deliveries: Deliveries) -> None:
    results = drift(deliveries.process(RETAIL).assessment)

    assert len(results) == len(DRIFT_CHECKS)
    assert history(deliveries).deliveries == ()


def test_a_run_without_news_repeats_the_verdict_and_adds_nothing(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(1000))
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "b.csv", purchases(1000, channel="Online"))
    first = deliveries.process(RETAIL)
    version = deliveries.table("deliveries", RETAIL).snapshot()

    again = deliveries.process(RETAIL)

    assert told(first.assessment) == ["categories_as_usual"]
    assert drift(again.assessment) == drift(first.assessment)
    assert not again.deliveries.is_news
    assert deliveries.table("deliveries", RETAIL).snapshot() == version


def test_a_run_that_was_killed_before_it_published_is_repeated_with_the_same_delivery(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(200))
    deliveries.look(RETAIL)
    killed = deliveries.stage(RETAIL, publish=False)

    staged = deliveries.stage(RETAIL)

    assert history_of(staged.deliveries.snapshot) == history_of(killed.deliveries.snapshot)
    assert len(history(deliveries).deliveries) == 1


def test_rows_published_without_their_delivery_make_it_in_the_next_run(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(200))
    deliveries.look(RETAIL)
    deliveries.stage(RETAIL, publish=False).rows.publish(deliveries.table("staging", RETAIL))

    deliveries.stage(RETAIL)

    assert [one.profile.rows for one in history(deliveries).deliveries] == [200]


def test_what_one_run_sees_is_one_delivery_and_a_changed_file_is_one_again(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(100))
    deliveries.deliver(RETAIL, "b.csv", purchases(50, MONDAY + timedelta(1)))
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "b.csv", purchases(70, MONDAY + timedelta(2)))

    deliveries.process(RETAIL)

    assert [(one.files, one.profile.rows) for one in history(deliveries).deliveries] == [(2, 150), (1, 70)]


def test_a_file_that_goes_is_no_delivery(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(100))
    gone = deliveries.deliver(RETAIL, "b.csv", purchases(50, MONDAY + timedelta(1)))
    deliveries.process(RETAIL)
    gone.unlink()

    deliveries.process(RETAIL)

    assert len(history(deliveries).deliveries) == 1
    assert list(history(deliveries).files) == ["a.csv"]


def incident(deliveries: Deliveries) -> Assessment:
    """One good delivery, then one of another channel."""
    deliveries.deliver(RETAIL, "a.csv", purchases(1000))
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "b.csv", purchases(1000, channel="Online"))
    return deliveries.process(RETAIL).assessment


def test_an_incident_warns_and_holds_nothing_back(deliveries: Deliveries) -> None:
    assessment = incident(deliveries)

    result = drift(assessment)["categories_as_usual"]
    assert (result.verdict, result.rows_failed) == (Verdict.WARN, 1)
    assert "channel: the mix differs" in result.note
    assert assessment.gate_is_open
    assert sorted(deliveries.table("staging", RETAIL).snapshot(ACCEPTED).slices) == ["a.csv", "b.csv"]


def test_an_incident_is_in_no_later_baseline(deliveries: Deliveries) -> None:
    incident(deliveries)
    deliveries.deliver(RETAIL, "c.csv", purchases(1000, MONDAY + timedelta(1), channel="Online"))

    assessment = deliveries.process(RETAIL).assessment

    assert told(assessment) == ["categories_as_usual"]
    assert "0.0% before" in drift(assessment)["categories_as_usual"].note
    assert [one.is_incident for one in history(deliveries).deliveries] == [False, True, True]


def test_an_accepted_incident_passes_and_is_what_later_deliveries_are_compared_with(deliveries: Deliveries) -> None:
    incident(deliveries)
    table = deliveries.table("deliveries", RETAIL)
    table.publish(with_history(table.snapshot(), accepted(history(deliveries), "the shops closed")[0]))

    again = drift(deliveries.process(RETAIL).assessment)["categories_as_usual"]
    deliveries.deliver(RETAIL, "c.csv", purchases(1000, MONDAY + timedelta(1), channel="Online"))
    after = deliveries.process(RETAIL).assessment

    assert (again.verdict, again.rows_failed) == (Verdict.PASS, 1)
    assert again.note.startswith("accepted as the new normal: the shops closed; channel: the mix differs")
    assert told(after) == []


def test_a_shut_gate_makes_an_incident_until_it_opens(deliveries: Deliveries) -> None:
    strict = Thresholds(completeness=Limit(fail=1))
    deliveries.deliver(RETAIL, "a.csv", [{**row, "channel": ""} for row in purchases(200)])
    deliveries.process(RETAIL, thresholds=strict)
    behind = history(deliveries)

    deliveries.process(RETAIL)

    assert [one.is_incident for one in behind.deliveries] == [True]
    assert [one.is_incident for one in history(deliveries).deliveries] == [False]


def test_a_threshold_to_fail_below_shuts_the_gate_and_accepting_opens_it(deliveries: Deliveries) -> None:
    strict = LENIENT.model_copy(update={"rules": {"categories_as_usual": Limit(fail=1)}})
    deliveries.deliver(RETAIL, "a.csv", purchases(1000))
    deliveries.process(RETAIL, thresholds=strict)
    deliveries.deliver(RETAIL, "b.csv", purchases(1000, channel="Online"))
    shut = deliveries.process(RETAIL, thresholds=strict).assessment
    table = deliveries.table("deliveries", RETAIL)
    table.publish(with_history(table.snapshot(), accepted(history(deliveries), "known")[0]))

    opened = deliveries.process(RETAIL, thresholds=strict).assessment

    assert (shut.gate_is_open, opened.gate_is_open) == (False, True)
    assert shut.held_back is not None
    assert shut.held_back.files == 1


def days(first: int, counts: Sequence[int]) -> list[Row]:
    """Purchases of one weekday, week by week."""
    return [
        row for week, count in enumerate(counts) for row in purchases(count, MONDAY + timedelta(7 * (first + week)))
    ]


@pytest.mark.parametrize(("rows", "is_told"), [(100, False), (40, True), (200, True)])
def test_a_day_is_compared_with_the_same_weekday_before(deliveries: Deliveries, rows: int, *, is_told: bool) -> None:
    # Ten Mondays of 100 rows: (100 + 1) x exp(-+0.4) - 1 is 67 to 150.
    deliveries.deliver(RETAIL, "a.csv", days(0, [100] * 10))
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "b.csv", days(10, [rows]))

    result = drift(deliveries.process(RETAIL).assessment)["volume_as_usual"]

    assert result.rows_checked == 1
    assert (result.verdict is Verdict.WARN) is is_told
    assert (f"Monday 2024-03-11: {rows} rows; usually 67 to 150" in result.note) is is_told


def test_a_weekday_with_too_little_history_is_not_judged(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", days(0, [100] * 7))
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "b.csv", days(7, [10]))

    assert drift(deliveries.process(RETAIL).assessment)["volume_as_usual"].rows_checked == 0


def test_the_newest_day_may_be_incomplete_where_days_come_in_parts(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", days(0, [50] * 10))
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "b.csv", [{**row, "customer_id": "late"} for row in days(0, [50] * 10)])
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "c.csv", days(10, [20]))

    assert drift(deliveries.process(RETAIL).assessment)["volume_as_usual"].passed
