from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from platform_assets.config import Config, Limit, ScorecardSettings, Thresholds
from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.row_rules import Within
from platform_assets.contracts.rules import Dimension, KeyUnique, Severity
from platform_assets.lake.table import ACCEPTED
from platform_assets.quality.as_of import newest_event
from platform_assets.quality.record import from_record, to_record
from platform_assets.quality.results import SCORES, Assessment, HeldBack, Verdict
from platform_assets.quality.scores import arrival
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.deliveries import NOW, Deliveries, at_least
from platform_assets_tests.frames import Row

RETAIL = CONTRACTS["retail_analytics"]
PURCHASE = {"customer_id": "c1", "purchase_date": "2024-01-01", "channel": "Store", "amount_spent": "10"}


def purchases(amounts: Sequence[str]) -> list[Row]:
    return [{**PURCHASE, "amount_spent": amount} for amount in amounts]


# The day a dataset speaks of


@pytest.mark.parametrize(
    ("days", "newest"),
    [
        ([], None),
        (["2024-01-01"], "2024-01-01"),
        (["2024-01-01", "2023-06-01", "2024-01-01"], "2024-01-01"),
        (["2009-01-01", "2009-01-02", "2099-01-02"], "2009-01-02"),
        (["2009-01-01", "2099-01-01", "2199-12-31"], "2009-01-01"),
        (["2023-01-01", "2024-01-02"], "2024-01-02"),  # 366 days
        (["2023-01-01", "2024-01-03"], "2023-01-01"),  # 367 days
        (["2020-01-01", "2099-01-01", "2099-01-02"], "2099-01-02"),
    ],
)
def test_the_newest_event_leaves_out_lone_days_more_than_a_year_after_all_others(
    days: list[str], newest: str | None
) -> None:
    expected = date.fromisoformat(newest) if newest else None

    assert newest_event(map(date.fromisoformat, days)) == expected


def test_one_mistyped_year_is_set_aside_and_does_not_move_the_day(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [PURCHASE, {**PURCHASE, "purchase_date": "2099-01-01"}])

    assessment = deliveries.process(RETAIL).assessment

    assert assessment.as_of == date(2024, 1, 1)
    assert assessment.result("purchase_date_not_in_future").rows_failed == 1
    assert [row["reasons"] for row in deliveries.quarantine(RETAIL)] == ["purchase_date_not_in_future"]


@without_spark
def test_the_day_asked_for_wins_over_the_data(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [PURCHASE, {**PURCHASE, "purchase_date": "2024-01-05"}])

    assessment = deliveries.process(RETAIL, as_of=date(2024, 1, 2)).assessment

    assert (assessment.as_of, assessment.result("purchase_date_not_in_future").rows_failed) == (date(2024, 1, 2), 1)


# Scores and the gate


def scores(assessment: Assessment) -> dict[str, tuple[int, int]]:
    return {name: (assessment.result(name).rows_failed, assessment.result(name).rows_checked) for name in SCORES[:3]}


def test_scores_have_the_numerators_and_denominators_that_their_definitions_say(deliveries: Deliveries) -> None:
    # nine lines of four columns: one rejected, one repeats another, one has a wrong price, one an empty channel
    rows = purchases(["1", "2", "3", "3", "-4", "6", "7"])
    text = "".join(f"c,2024-01-01,Store,{row['amount_spent']}\n" for row in rows)
    text = f"customer_id,purchase_date,channel,amount_spent\n{text}c,2024-01-01,,8\na,line,of,far,too,many,cells\n"
    deliveries.deliver(RETAIL, "a.csv", text.encode())

    assessment = deliveries.process(RETAIL).assessment

    assert scores(assessment) == {"completeness": (1, 8 * 4), "uniqueness": (1, 9), "validity": (1 + 1, 9)}
    assert assessment.result("validity").score == pytest.approx(7 / 9)


def test_columns_that_no_file_has_do_not_lower_completeness(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [PURCHASE])
    deliveries.deliver(RETAIL, "b.csv", [{**PURCHASE, "items_purchased": "", "avg_item_price": "10"}])

    assert scores(deliveries.process(RETAIL).assessment)["completeness"] == (1, 4 + 6)


@without_spark
@pytest.mark.parametrize(
    ("thresholds", "shut_by"),
    [
        (at_least(completeness=0, uniqueness=0, validity=0.75), []),
        (at_least(completeness=0, uniqueness=0, validity=0.7501), ["validity"]),
        (at_least(completeness=0, uniqueness=0.75, validity=0), []),
        (at_least(completeness=0, uniqueness=0.76, validity=0.9), ["uniqueness", "validity"]),
        (at_least(completeness=1, uniqueness=0, validity=0), []),
    ],
)
def test_a_score_under_its_threshold_shuts_the_gate_and_one_that_reaches_it_does_not(
    deliveries: Deliveries, thresholds: Thresholds, shut_by: list[str]
) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(["1", "2", "2", "-4"]))

    assessment = deliveries.process(RETAIL, thresholds=thresholds).assessment

    assert [reason.split()[0] for reason in assessment.reasons] == shut_by
    assert assessment.gate_is_open == (not shut_by)


@without_spark
def test_behind_a_shut_gate_news_wait_and_what_was_accepted_stays(deliveries: Deliveries) -> None:
    strict = at_least(completeness=0, uniqueness=0, validity=0.9)
    deliveries.deliver(RETAIL, "a.csv", purchases(["1"]))
    deliveries.process(RETAIL, thresholds=strict)
    deliveries.deliver(RETAIL, "b.csv", purchases(["-1", "2"]))

    staged = deliveries.process(RETAIL, thresholds=strict)

    assert not staged.assessment.gate_is_open
    assert [row["amount_spent"] for row in deliveries.counting(RETAIL)] == [Decimal(1)]
    # the threshold is lowered, or the file corrected: the news move
    deliveries.process(RETAIL, thresholds=at_least(completeness=0, uniqueness=0, validity=0.5))
    assert [row["amount_spent"] for row in deliveries.counting(RETAIL)] == [Decimal(1), Decimal(2)]


@without_spark
def test_judging_again_without_news_publishes_nothing(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(["1", "1"]))
    first = deliveries.process(RETAIL)

    second = deliveries.process(RETAIL)

    assert (second.rows.is_news, second.quarantine.is_news) == (False, False)
    assert second.assessment == first.assessment


@without_spark
def test_a_dataset_without_files_is_judged_without_shutting_its_gate(deliveries: Deliveries) -> None:
    assessment = deliveries.process(RETAIL, thresholds=Thresholds()).assessment

    assert (assessment.has_rows, assessment.as_of, assessment.gate_is_open) == (False, None, True)
    validity = assessment.result("validity")
    assert (validity.passed, validity.score, validity.note) == (False, None, "no rows: nothing to judge")
    assert deliveries.table("staging", RETAIL).snapshot(ACCEPTED).slices == {}


@without_spark
@pytest.mark.parametrize(("hours", "passed"), [(24.0, True), (24.1, False)])
@pytest.mark.parametrize("shuts", [False, True])
def test_stale_data_warns_and_shuts_the_gate_only_where_the_settings_say_so(
    deliveries: Deliveries, hours: float, passed: bool, shuts: bool
) -> None:
    path = deliveries.deliver(RETAIL, "a.csv", [PURCHASE])
    arrived = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    limits = at_least(completeness=0, freshness_hours=24.05, stale_data_shuts_gate=shuts)

    assessment = deliveries.process(RETAIL, thresholds=limits, now=arrived + timedelta(hours=hours)).assessment

    freshness = assessment.result("freshness")
    assert freshness.passed == passed
    assert freshness.score == pytest.approx(hours, abs=1e-3)
    assert assessment.gate_is_open == (passed or not shuts)


@without_spark
def test_a_file_from_the_future_is_fresh(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [PURCHASE])

    assert deliveries.process(RETAIL, now=arrival(0)).assessment.result("freshness").score == 0.0


@without_spark
def test_warnings_are_counted_and_leave_row_and_gate_alone(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [{**PURCHASE, "items_purchased": "3", "avg_item_price": "10"}])

    assessment = deliveries.process(RETAIL, thresholds=Thresholds()).assessment

    assert assessment.result("amount_matches_items").rows_failed == 1
    assert assessment.gate_is_open
    assert len(deliveries.counting(RETAIL)) == 1


def test_a_rule_is_asked_of_rows_that_have_a_value(deliveries: Deliveries) -> None:
    items = ["3", "", "0", "", "x"]
    deliveries.deliver(
        RETAIL, "a.csv", [{**PURCHASE, "amount_spent": str(n), "items_purchased": i} for n, i in enumerate(items)]
    )

    result = deliveries.process(RETAIL).assessment.result("items_purchased_positive")

    assert (result.rows_checked, result.rows_failed) == (3, 1)
    assert result.score == pytest.approx(2 / 3)


@without_spark
def test_a_refused_file_is_told_and_stops_nothing(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [PURCHASE])
    deliveries.deliver(RETAIL, "bad.csv", b"just,one\nline,here\n")

    assessment = deliveries.process(RETAIL).assessment

    result = assessment.result("files_readable")
    assert (result.passed, result.rows_failed, result.rows_checked) == (False, 1, 2)
    assert assessment.gate_is_open
    assert [(row["source_file"], row["kind"]) for row in deliveries.quarantine(RETAIL)] == [("bad.csv", "file")]


@without_spark
def test_an_assessment_survives_being_kept_as_plain_data(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(["1", "1", "-2"]))
    deliveries.deliver(RETAIL, "bad.csv", b"\x00\x01\x02")
    assessment = deliveries.process(RETAIL).assessment

    assert from_record(to_record(assessment)) == assessment
    assert assessment.evaluated_at == NOW


@without_spark
def test_asking_for_a_check_that_does_not_exist_is_an_error_of_the_programmer(deliveries: Deliveries) -> None:
    with pytest.raises(KeyError):
        deliveries.process(RETAIL).assessment.result("no_such_check")


# Verdicts


@without_spark
@pytest.mark.parametrize(
    ("limit", "verdict", "is_open"),
    [
        (Limit(fail=0.75), Verdict.PASS, True),
        (Limit(warn=0.75, fail=0.5), Verdict.PASS, True),
        (Limit(warn=0.76, fail=0.75), Verdict.WARN, True),
        (Limit(warn=0.9, fail=0.76), Verdict.FAIL, False),
        (Limit(warn=0.9), Verdict.WARN, True),
        (Limit(), Verdict.PASS, True),
    ],
)
def test_a_score_passes_warns_or_fails_by_its_two_thresholds(
    deliveries: Deliveries, limit: Limit, verdict: Verdict, is_open: bool
) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(["1", "2", "3", "-4"]))

    thresholds = at_least(completeness=0, uniqueness=0, validity=limit)
    assessment = deliveries.process(RETAIL, thresholds=thresholds).assessment

    assert assessment.result("validity").verdict is verdict
    assert assessment.gate_is_open == is_open


@without_spark
@pytest.mark.parametrize(
    ("limit", "verdict"),
    [({}, "warn"), ({"fail": 0.5}, "warn"), ({"fail": 0.6}, "fail"), ({"warn": 0.5}, "pass"), ({"warn": None}, "pass")],
)
def test_a_single_rule_may_have_thresholds_of_its_own(
    deliveries: Deliveries, limit: dict[str, float | None], verdict: str
) -> None:
    rows = [{**PURCHASE, "items_purchased": "3", "avg_item_price": "10"}, {**PURCHASE, "amount_spent": "30"}]
    rows[1] |= {"items_purchased": "3", "avg_item_price": "10"}
    deliveries.deliver(RETAIL, "a.csv", rows)
    rules = {"amount_matches_items": Limit.model_validate(limit)} if limit else {}

    thresholds = at_least(completeness=0, uniqueness=0, validity=0, rules=rules)
    assessment = deliveries.process(RETAIL, thresholds=thresholds).assessment

    result = assessment.result("amount_matches_items")
    assert (result.rows_failed, result.rows_checked, result.verdict) == (1, 2, verdict)
    assert assessment.gate_is_open == (verdict != "fail")


@without_spark
def test_a_shut_gate_says_what_waits_behind_it(deliveries: Deliveries) -> None:
    strict = at_least(completeness=0, uniqueness=0, validity=0.9)
    deliveries.deliver(RETAIL, "a.csv", purchases(["1"]))
    assert deliveries.process(RETAIL, thresholds=strict).assessment.held_back is None
    deliveries.deliver(RETAIL, "b.csv", [{**row, "purchase_date": "2024-02-01"} for row in purchases(["-1", "2", "3"])])

    held = deliveries.process(RETAIL, thresholds=strict).assessment.held_back

    assert held == HeldBack(files=1, rows=3, since=date(2024, 1, 1))


@without_spark
def test_the_composite_is_the_weighted_mean_of_the_scores(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(["1", "2", "2", "-4"]))
    weights = {"completeness": 1.0, "uniqueness": 0.0, "validity": 3.0}
    config = Config(scorecard=ScorecardSettings(weights=weights))

    # completeness 1, uniqueness 3/4 which does not count, validity 3/4 which counts three times
    assert deliveries.process(RETAIL, config=config).assessment.composite == pytest.approx((1 + 3 * 0.75) / 4)


@without_spark
def test_scores_say_what_is_worst_about_them(deliveries: Deliveries) -> None:
    text = "customer_id,purchase_date,channel,amount_spent\n,2024-01-01,,8\n,2024-01-01,Store,9\n" + (
        "c,2024-01-01,Store,7\n" * 3
    )
    deliveries.deliver(RETAIL, "a.csv", text.encode())

    assessment = deliveries.process(RETAIL).assessment

    assert assessment.result("completeness").note == "worst column: customer_id, 2 of 5 cells empty (40.0%)"
    assert assessment.result("uniqueness").note == "2 rows repeat another, of 1 different lines"


# What a deployment has otherwise


@without_spark
def test_a_rule_set_to_warn_lets_its_rows_pass_without_reading_their_file_again(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(["1", "-4"]))
    assert len(deliveries.process(RETAIL).assessment.ledger) == 1
    assert len(deliveries.counting(RETAIL)) == 1
    config = Config(datasets={"retail_analytics": {"rules": {"amount_spent_not_negative": {"severity": "warn"}}}})  # type: ignore[dict-item]
    relaxed = deployed_contracts(config)["retail_analytics"]

    landing = deliveries.look(relaxed)
    staged = deliveries.stage(relaxed, config=config)

    assert (landing.read, staged.files) == ({}, ("a.csv",))
    result = staged.assessment.result("amount_spent_not_negative")
    assert (result.rows_failed, result.severity, result.verdict) == (1, "warn", "warn")
    assert staged.assessment.ledger[0].rows_loaded == 2
    assert staged.assessment.contract_version != deliveries.stage(RETAIL).assessment.contract_version


@without_spark
def test_a_bound_of_a_rule_may_be_set(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", purchases(["1", "-4", "-6"]))
    config = Config(
        datasets={"retail_analytics": {"rules": {"amount_spent_not_negative": {"parameters": {"low": "-5"}}}}}  # type: ignore[dict-item]
    )
    relaxed = deployed_contracts(config)["retail_analytics"]

    result = deliveries.process(relaxed, config=config).assessment.result("amount_spent_not_negative")

    assert (result.rows_failed, result.description) == (1, "amount_spent is 0 or more (as configured: low is -5)")


def test_behind_a_gate_shut_by_a_new_rule_what_was_accepted_under_the_old_contract_can_be_read(
    deliveries: Deliveries,
) -> None:
    rows = [*purchases(["1", "2"]), PURCHASE, PURCHASE]
    deliveries.deliver(RETAIL, "a.csv", rows)
    deliveries.process(RETAIL)
    new = Within(
        id="amount_spent_small",
        dimension=Dimension.VALIDITY,
        severity=Severity.ERROR,
        description="amount_spent is at most 1",
        column="amount_spent",
        high=1,
    )
    column = Column(name="till", type=ColumnType.INTEGER, description="Number of the till.")
    key = KeyUnique(
        id="till_unique",
        dimension=Dimension.UNIQUENESS,
        severity=Severity.ERROR,
        description="till is unique",
        key=("till",),
    )
    changed = replace(RETAIL, own_rules=(*RETAIL.own_rules, new, key), columns=(*RETAIL.columns, column))

    staged = deliveries.process(changed, thresholds=at_least(validity=0.9))

    assert not staged.assessment.gate_is_open
    counting = deliveries.counting(changed)
    assert [(row["amount_spent"], row["till"]) for row in counting] == [(1, None), (2, None), (10, None)]
