from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from platform_assets.config import Thresholds
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.lake.table import ACCEPTED
from platform_assets.quality.as_of import newest_event
from platform_assets.quality.record import from_record, to_record
from platform_assets.quality.results import SCORES, Assessment
from platform_assets.quality.scores import arrival
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.deliveries import NOW, Deliveries
from platform_assets_tests.frames import Row

TRANSACTIONS, SUPERSTORE, CATALOG, RETAIL = CONTRACTS.values()
PURCHASE = {"customer_id": "c1", "purchase_date": "2024-01-01", "channel": "Store", "amount_spent": "10"}
ORDER = {
    "row_id": "1",
    "order_id": "o",
    "order_date": "2024-01-01",
    "customer_id": "c",
    "segment": "Consumer",
    "product_id": "P1",
    "product_name": "Chair",
    "sales": "5",
}


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
        (Thresholds(completeness=0, uniqueness=0, validity=0.75), []),
        (Thresholds(completeness=0, uniqueness=0, validity=0.7501), ["validity"]),
        (Thresholds(completeness=0, uniqueness=0.75, validity=0), []),
        (Thresholds(completeness=0, uniqueness=0.76, validity=0.9), ["uniqueness", "validity"]),
        (Thresholds(completeness=1, uniqueness=0, validity=0), []),
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
    strict = Thresholds(completeness=0, uniqueness=0, validity=0.9)
    deliveries.deliver(RETAIL, "a.csv", purchases(["1"]))
    deliveries.process(RETAIL, thresholds=strict)
    deliveries.deliver(RETAIL, "b.csv", purchases(["-1", "2"]))

    staged = deliveries.process(RETAIL, thresholds=strict)

    assert not staged.assessment.gate_is_open
    assert [row["amount_spent"] for row in deliveries.counting(RETAIL)] == [Decimal(1)]
    # the threshold is lowered, or the file corrected: the news move
    deliveries.process(RETAIL, thresholds=Thresholds(completeness=0, uniqueness=0, validity=0.5))
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
    limits = Thresholds(completeness=0, freshness_hours=24.05, stale_data_shuts_gate=shuts)

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


# Rules across rows


def test_a_product_with_two_names_is_told_with_all_its_rows(deliveries: Deliveries) -> None:
    rows = [
        {**ORDER, "row_id": "1"},
        {**ORDER, "row_id": "2", "product_name": "Stool"},
        {**ORDER, "row_id": "3", "product_name": "Stool", "sales": "6"},
        {**ORDER, "row_id": "4", "product_id": "P2"},
        {**ORDER, "row_id": "5", "product_id": "P3", "product_name": ""},
    ]
    deliveries.deliver(SUPERSTORE, "a.csv", rows)

    assessment = deliveries.process(SUPERSTORE).assessment

    names = assessment.result("one_name_per_product")
    assert (names.rows_failed, names.rows_checked, names.examples) == (3, 4, ("P1 (3 rows)",))
    assert assessment.result("one_segment_per_customer").passed
    assert len(deliveries.counting(SUPERSTORE)) == 5


def test_a_repeated_number_of_a_line_warns_and_both_lines_stay(deliveries: Deliveries) -> None:
    rows = [
        ORDER,
        {**ORDER, "sales": "6"},
        {**ORDER, "row_id": "", "sales": "7"},
        {**ORDER, "row_id": "", "sales": "8"},
    ]
    deliveries.deliver(SUPERSTORE, "a.csv", rows)

    assessment = deliveries.process(SUPERSTORE).assessment

    result = assessment.result("row_id_unique")
    assert (result.rows_failed, result.rows_checked, result.examples) == (1, 2, ("1",))
    assert len(deliveries.counting(SUPERSTORE)) == 4


def test_products_are_looked_up_only_where_there_is_a_catalogue(deliveries: Deliveries) -> None:
    deliveries.deliver(
        SUPERSTORE, "a.csv", [ORDER, {**ORDER, "product_id": "P2"}, {**ORDER, "product_id": "p2", "sales": "9"}]
    )

    without = deliveries.process(SUPERSTORE).assessment.result("product_known")
    assert (without.passed, without.rows_checked, without.rows_failed) == (True, 0, 0)
    assert without.note.startswith("does not apply")

    deliveries.deliver(CATALOG, "c.csv", [{"product_id": "p1", "category": "x"}])
    deliveries.process(CATALOG)
    known = deliveries.process(SUPERSTORE).assessment.result("product_known")
    assert (known.passed, known.rows_checked, known.rows_failed) == (False, 3, 2)
    assert known.examples == ("P2 (2 rows)",)


def test_a_customer_is_known_who_is_known_to_any_of_the_other_datasets(deliveries: Deliveries) -> None:
    deliveries.deliver(SUPERSTORE, "a.csv", [ORDER])
    deliveries.process(SUPERSTORE)
    deliveries.deliver(RETAIL, "a.csv", [{**PURCHASE, "customer_id": "c"}, PURCHASE])

    result = deliveries.process(RETAIL).assessment.result("customer_known")

    assert (result.rows_checked, result.rows_failed, result.examples) == (2, 1, ("c1 (1 rows)",))


def test_a_product_that_is_set_aside_in_the_catalogue_is_not_known(deliveries: Deliveries) -> None:
    rows = [{"product_id": "P1", "category": "x", "price": "-1"}, {"product_id": "P9", "category": "x", "price": "1"}]
    deliveries.deliver(CATALOG, "c.csv", rows)
    deliveries.process(CATALOG)
    deliveries.deliver(SUPERSTORE, "a.csv", [ORDER])

    assert deliveries.process(SUPERSTORE).assessment.result("product_known").rows_failed == 1
