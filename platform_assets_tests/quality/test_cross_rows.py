"""Rules across rows and datasets: hand-counted, with the time of grace in which a parent may still come."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from platform_assets.config import Config, ReferenceSettings, ReferencesSettings
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.quality.results import CheckResult
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


SALE = {
    "transaction_id": "t",
    "customer_id": "c",
    "product_id": "P1",
    "transaction_date": "2024-01-01",
    "quantity": "1",
    "unit_price": "10",
}


def graceful(hours: float, *, expected: bool = False) -> Config:
    settings = ReferenceSettings(grace_hours=hours, expected=expected)
    return Config(references=ReferencesSettings(default=settings))


AT_ONCE = graceful(0)
DATED_PRICES = (("2024-01-01", "10"), ("2024-02-01", "100"), ("2024-03-01", "10"))


def orders(*products: str) -> list[Row]:
    return [{**ORDER, "row_id": str(place), "product_id": product} for place, product in enumerate(products)]


def catalogue(*products: str) -> list[Row]:
    return [{"product_id": product, "category": "Chairs", "price": "10"} for product in products]


def counts(result: CheckResult) -> tuple[int, int, int, int]:
    return result.rows_checked, result.rows_failed, result.rows_pending, result.rows_resolved


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


@without_spark
def test_a_customer_of_two_segments_is_counted_and_not_named(deliveries: Deliveries) -> None:
    deliveries.deliver(SUPERSTORE, "a.csv", [ORDER, {**ORDER, "row_id": "2", "segment": "Corporate"}])

    result = deliveries.process(SUPERSTORE).assessment.result("one_segment_per_customer")

    assert (result.rows_failed, result.rows_checked, result.examples) == (2, 2, ())


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
    assert (result.rows_failed, result.rows_checked, result.examples) == (1, 2, ("1 (1 rows)",))
    assert len(deliveries.counting(SUPERSTORE)) == 4


# Keys that another dataset has to know


@without_spark
def test_a_key_that_is_not_known_fails_once_its_grace_is_over(deliveries: Deliveries) -> None:
    deliveries.deliver(CATALOG, "c.csv", catalogue("p1"))
    deliveries.process(CATALOG)
    deliveries.deliver(SUPERSTORE, "a.csv", orders("P1", "P2", "p2"))

    result = deliveries.process(SUPERSTORE, config=AT_ONCE).assessment.result("product_known")

    assert counts(result) == (3, 2, 0, 0)
    assert result.examples == ("P2 (2 rows)",)


@without_spark
def test_a_customer_is_known_who_is_known_to_any_of_the_other_datasets(deliveries: Deliveries) -> None:
    deliveries.deliver(SUPERSTORE, "a.csv", [ORDER])
    deliveries.process(SUPERSTORE)
    deliveries.deliver(RETAIL, "a.csv", [{**PURCHASE, "customer_id": "c"}, PURCHASE])

    result = deliveries.process(RETAIL, config=AT_ONCE).assessment.result("customer_known")

    assert counts(result) == (2, 1, 0, 0)
    assert result.examples == ()


@without_spark
def test_a_product_that_is_set_aside_in_the_catalogue_is_not_known(deliveries: Deliveries) -> None:
    rows = [{"product_id": "P1", "category": "x", "price": "-1"}, {"product_id": "P9", "category": "x", "price": "1"}]
    deliveries.deliver(CATALOG, "c.csv", rows)
    deliveries.process(CATALOG)
    deliveries.deliver(SUPERSTORE, "a.csv", [ORDER])

    assert deliveries.process(SUPERSTORE, config=AT_ONCE).assessment.result("product_known").rows_failed == 1


@without_spark
def test_without_a_catalogue_rows_wait_and_after_their_grace_the_rule_does_not_apply(deliveries: Deliveries) -> None:
    deliveries.deliver(SUPERSTORE, "a.csv", orders("P1", "P2"))

    first = deliveries.process(SUPERSTORE).assessment.result("product_known")
    later = deliveries.process(SUPERSTORE, now=NOW + timedelta(hours=25)).assessment.result("product_known")

    assert (counts(first), first.verdict) == ((2, 0, 2, 0), "pass")
    assert first.note == "2 rows wait for product_catalog; the first of them fail from 2026-01-02 12:00 UTC on"
    assert (counts(later), later.verdict) == ((0, 0, 0, 0), "pass")
    assert later.note == "does not apply: product_catalog has no rows"


@without_spark
def test_without_a_catalogue_that_is_expected_rows_fail_after_their_grace(deliveries: Deliveries) -> None:
    deliveries.deliver(SUPERSTORE, "a.csv", orders("P1", "P2"))
    config = graceful(24, expected=True)

    first = deliveries.process(SUPERSTORE, config=config).assessment.result("product_known")
    later = deliveries.process(SUPERSTORE, config=config, now=NOW + timedelta(hours=24)).assessment

    assert counts(first) == (2, 0, 2, 0)
    assert counts(later.result("product_known")) == (2, 2, 0, 0)
    assert later.result("integrity").score == 0.0


def fifty_orphans_and_one_known(deliveries: Deliveries) -> Sequence[str]:
    late = [f"L{number}" for number in range(50)]
    deliveries.deliver(CATALOG, "c.csv", catalogue("P1"))
    deliveries.process(CATALOG)
    deliveries.deliver(SUPERSTORE, "a.csv", orders("P1", *late))
    return late


def test_fifty_orphans_wait_and_resolve_by_themselves_when_the_catalogue_arrives(deliveries: Deliveries) -> None:
    late = fifty_orphans_and_one_known(deliveries)
    before = deliveries.process(SUPERSTORE).assessment
    deliveries.deliver(CATALOG, "late.csv", catalogue(*late))
    deliveries.process(CATALOG)

    after = deliveries.process(SUPERSTORE, now=NOW + timedelta(hours=1)).assessment
    again = deliveries.process(SUPERSTORE, now=NOW + timedelta(hours=2)).assessment

    assert counts(before.result("product_known")) == (51, 0, 50, 0)
    assert (before.result("product_known").verdict, before.result("integrity").rows_pending) == ("pass", 50)
    assert counts(after.result("product_known")) == (51, 0, 0, 50)
    assert after.result("product_known").note == (
        "50 rows were found in product_catalog since the dataset was judged before"
    )
    assert counts(again.result("product_known")) == (51, 0, 0, 0)


@without_spark
@pytest.mark.parametrize(("hours", "failed"), [(23.9, 0), (24, 50), (1000, 50)])
def test_fifty_orphans_fail_when_their_grace_is_over(deliveries: Deliveries, hours: float, failed: int) -> None:
    fifty_orphans_and_one_known(deliveries)
    deliveries.process(SUPERSTORE)

    assessment = deliveries.process(SUPERSTORE, now=NOW + timedelta(hours=hours)).assessment

    assert counts(assessment.result("product_known")) == (51, failed, 50 - failed, 0)
    assert assessment.result("integrity").score == pytest.approx(1 - failed / 51)


@without_spark
def test_each_file_has_its_own_grace_and_keeps_it_when_it_is_read_again(deliveries: Deliveries) -> None:
    late = fifty_orphans_and_one_known(deliveries)
    deliveries.process(SUPERSTORE)
    deliveries.deliver(SUPERSTORE, "b.csv", [{**row, "sales": "7"} for row in orders(late[0], late[1])])
    deliveries.process(SUPERSTORE, now=NOW + timedelta(hours=20))

    result = deliveries.process(SUPERSTORE, now=NOW + timedelta(hours=30)).assessment.result("product_known")

    assert counts(result) == (53, 50, 2, 0)


@without_spark
def test_what_was_resolved_is_not_told_when_files_changed_meanwhile(deliveries: Deliveries) -> None:
    fifty_orphans_and_one_known(deliveries)
    deliveries.process(SUPERSTORE)
    deliveries.deliver(SUPERSTORE, "a.csv", orders("P1"))

    assert counts(deliveries.process(SUPERSTORE).assessment.result("product_known")) == (1, 0, 0, 0)


# Facts that contradict another dataset's


def test_a_category_other_than_the_catalogues_is_told(deliveries: Deliveries) -> None:
    deliveries.deliver(CATALOG, "c.csv", catalogue("P1", "P2", "P3"))
    deliveries.process(CATALOG)
    said = {"P1": "chairs ", "P2": "Tables", "P3": "", "P4": "Tables"}
    deliveries.deliver(
        SUPERSTORE, "a.csv", [{**row, "category": said[str(row["product_id"])]} for row in orders(*said)]
    )

    result = deliveries.process(SUPERSTORE).assessment.result("category_agrees_with_catalogue")

    assert (result.rows_checked, result.rows_failed) == (2, 1)
    assert result.examples == ("P2: Tables, not Chairs (1 rows)",)
    assert len(deliveries.counting(SUPERSTORE)) == 4


def test_a_price_may_differ_by_half_from_the_catalogues(deliveries: Deliveries) -> None:
    deliveries.deliver(CATALOG, "c.csv", catalogue("P1"))
    deliveries.process(CATALOG)
    prices = ["4.9999", "5", "10", "15", "15.0001"]
    deliveries.deliver(TRANSACTIONS, "a.csv", [{**SALE, "unit_price": price} for price in prices])

    result = deliveries.process(TRANSACTIONS).assessment.result("price_agrees_with_catalogue")

    assert (result.rows_checked, result.rows_failed) == (5, 2)


def test_a_price_may_be_near_any_that_the_catalogue_had(deliveries: Deliveries) -> None:
    dated = [{**row, "valid_from": day, "price": price} for row in catalogue("P1") for day, price in DATED_PRICES]
    deliveries.deliver(CATALOG, "c.csv", dated)
    deliveries.process(CATALOG)
    prices = ["4.99", "5", "15", "15.01", "49", "50", "50", "150", "151"]
    deliveries.deliver(TRANSACTIONS, "a.csv", [{**SALE, "unit_price": price} for price in prices])

    result = deliveries.process(TRANSACTIONS).assessment.result("price_agrees_with_catalogue")

    assert (result.rows_checked, result.rows_failed) == (9, 4)


@without_spark
def test_nothing_contradicts_a_catalogue_that_is_not_there(deliveries: Deliveries) -> None:
    deliveries.deliver(SUPERSTORE, "a.csv", orders("P1"))

    result = deliveries.process(SUPERSTORE).assessment.result("category_agrees_with_catalogue")

    assert (result.verdict, result.note) == ("pass", "does not apply: product_catalog has no rows")
