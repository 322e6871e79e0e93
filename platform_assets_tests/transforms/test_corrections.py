"""Corrected rows laid over raw ones: they keep their line, are judged like any row, and go with the file's content."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.quality.corrections import Correction, Place, cells_of, with_corrections
from platform_assets.transforms.corrections import Corrections
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.deliveries import Deliveries

RETAIL = CONTRACTS["retail_analytics"]
GOOD = {"customer_id": "c1", "purchase_date": "2024-01-01", "channel": "Store", "amount_spent": "10"}
BAD = {**GOOD, "customer_id": "c2", "amount_spent": "-7"}


def correct(
    deliveries: Deliveries,
    changes: Mapping[Place, Mapping[str, str | None]],
    *,
    contract: Contract = RETAIL,
    was_line: bool = False,
) -> None:
    """Change cells of rows, as the command does, and publish that."""
    raw, table = deliveries.table("raw", contract), deliveries.table("corrections", contract)
    corrections = Corrections.of(table)
    cells = cells_of(contract, raw, corrections, list(changes), deliveries.engine)
    made = []
    for place, change in changes.items():
        held = cells.get(place, {})
        row = {name: change.get(name, held.get(name)) for name in contract.column_names}
        made.append(Correction(place, row, held.get("_extra"), was_line))
    with_corrections(contract, corrections, raw.snapshot(), made).publish(table)


def loaded(deliveries: Deliveries) -> dict[Place, Decimal]:
    return {(row["_source_file"], row["_source_row"]): row["amount_spent"] for row in deliveries.counting(RETAIL)}


def set_aside(deliveries: Deliveries) -> list[tuple[str, int, str, str]]:
    found = deliveries.quarantine(RETAIL)
    return [(row["source_file"], row["source_row"], row["kind"], row["reasons"]) for row in found]


def counts(staged: Any, file: str) -> tuple[int, ...]:
    """Read, rejected, quarantined, duplicate, loaded and corrected rows of a file; its ledger balances."""
    line = next(line for line in staged.assessment.ledger if line.source_file == file)
    assert line.balances
    return (*line.rows, line.rows_corrected)


def test_a_corrected_row_is_loaded_under_its_own_line_and_only_its_file_is_staged_again(
    deliveries: Deliveries,
) -> None:
    deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD])
    deliveries.deliver(RETAIL, "b.csv", [{**GOOD, "customer_id": "c3"}])
    assert counts(deliveries.process(RETAIL), "a.csv") == (2, 0, 1, 0, 1, 0)

    correct(deliveries, {("a.csv", 3): {"amount_spent": "7"}})
    staged = deliveries.process(RETAIL)

    assert staged.files == ("a.csv",)
    assert counts(staged, "a.csv") == (2, 0, 0, 0, 2, 1)
    assert loaded(deliveries) == {("a.csv", 2): 10, ("a.csv", 3): 7, ("b.csv", 2): 10}
    assert set_aside(deliveries) == []
    assert deliveries.process(RETAIL).files == ()


@without_spark
def test_a_later_correction_of_a_line_replaces_the_one_before_and_leaves_the_others(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD, {**BAD, "customer_id": "c3"}])
    deliveries.process(RETAIL)
    correct(deliveries, {("a.csv", 3): {"amount_spent": "1"}, ("a.csv", 4): {"amount_spent": "2"}})
    deliveries.process(RETAIL)

    correct(deliveries, {("a.csv", 3): {"amount_spent": "-3"}})
    staged = deliveries.process(RETAIL)

    assert counts(staged, "a.csv") == (3, 0, 1, 0, 2, 2)
    assert loaded(deliveries) == {("a.csv", 2): 10, ("a.csv", 4): 2}
    (row,) = deliveries.quarantine(RETAIL)
    assert (row["source_row"], row["raw"]) == (3, "c2,2024-01-01,Store,-3,,")


@pytest.mark.parametrize(
    "changes",
    [{}, {("a.csv", 3): {"amount_spent": "7"}}],
    ids=["no correction", "the one there is already"],
)
@without_spark
def test_corrections_that_say_nothing_new_are_no_new_version(
    deliveries: Deliveries, changes: dict[Place, dict[str, str | None]]
) -> None:
    deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD])
    deliveries.process(RETAIL)
    correct(deliveries, {("a.csv", 3): {"amount_spent": "7"}})
    before = deliveries.table("corrections", RETAIL).snapshot()

    correct(deliveries, changes)

    assert deliveries.table("corrections", RETAIL).snapshot() == before


@pytest.mark.parametrize("unknown", [{}, {"Till No": "4", "note": 'a "b"'}], ids=["", "with unknown columns"])
def test_a_row_corrected_to_what_another_line_says_is_a_duplicate(
    deliveries: Deliveries, unknown: dict[str, str]
) -> None:
    deliveries.deliver(RETAIL, "a.csv", [{**GOOD, **unknown}, {**GOOD, **unknown, "amount_spent": "-10"}])
    deliveries.process(RETAIL)

    correct(deliveries, {("a.csv", 3): {"amount_spent": " 10"}})

    assert counts(deliveries.process(RETAIL), "a.csv") == (2, 0, 0, 1, 1, 1)
    assert set_aside(deliveries) == []


@without_spark
def test_a_row_that_differs_from_another_in_an_unknown_column_only_is_no_duplicate_when_corrected(
    deliveries: Deliveries,
) -> None:
    deliveries.deliver(RETAIL, "a.csv", [{**GOOD, "till": "4"}, {**GOOD, "till": "5", "amount_spent": "-10"}])
    deliveries.process(RETAIL)

    correct(deliveries, {("a.csv", 3): {"amount_spent": "10"}})

    assert counts(deliveries.process(RETAIL), "a.csv") == (2, 0, 0, 0, 2, 1)


@pytest.mark.parametrize(
    ("amount", "expected", "left"),
    [
        ("7", (2, 0, 0, 0, 2, 1), []),
        ("-7", (2, 0, 1, 0, 1, 1), [("a.csv", 3, "row", "amount_spent_not_negative")]),
    ],
    ids=["sound now", "broken in another way"],
)
def test_a_line_that_could_not_be_taken_apart_is_a_row_once_it_is_corrected(
    deliveries: Deliveries, amount: str, expected: tuple[int, ...], left: list[tuple[str, int, str, str]]
) -> None:
    text = b"customer_id,purchase_date,channel,amount_spent\nc1,2024-01-01,Store,10\nc2,2024-01-01\n"
    deliveries.deliver(RETAIL, "a.csv", text)
    assert counts(deliveries.process(RETAIL), "a.csv") == (2, 1, 0, 0, 1, 0)

    correct(deliveries, {("a.csv", 3): {**BAD, "amount_spent": amount}}, was_line=True)

    assert counts(deliveries.process(RETAIL), "a.csv") == expected
    assert set_aside(deliveries) == left

    # It was a line to begin with, also when the row that came of it is corrected once more.
    correct(deliveries, {("a.csv", 3): {"amount_spent": "8"}})
    assert counts(deliveries.process(RETAIL), "a.csv") == (2, 0, 0, 0, 2, 1)


@pytest.mark.parametrize(
    ("cells", "amount", "day"),
    [
        ({"amount_spent": "1.234,56"}, "1234.5600", "2023-12-31"),
        ({"amount_spent": "7,00005"}, "7.0001", "2023-12-31"),
        ({"amount_spent": "7", "purchase_date": "30.12.2023"}, "7.0000", "2023-12-30"),
        ({"amount_spent": "7", "purchase_date": "2023-12-30"}, "7.0000", "2023-12-30"),
    ],
    ids=["marks", "a fifth decimal", "date", "ISO date"],
)
def test_corrected_cells_are_read_as_the_file_writes_them_and_dates_in_iso_too(
    deliveries: Deliveries, cells: dict[str, str | None], amount: str, day: str
) -> None:
    text = b"customer_id;purchase_date;channel;amount_spent\nc1;31.12.2023;Store;1.000,5\nc2;31.12.2023;Store;-2,5\n"
    deliveries.deliver(RETAIL, "a.csv", text)
    deliveries.process(RETAIL)

    correct(deliveries, {("a.csv", 3): cells})
    deliveries.process(RETAIL)

    row = deliveries.counting(RETAIL)[1]
    assert (str(row["amount_spent"]), str(row["purchase_date"])[:10]) == (amount, day)


def test_a_row_that_the_version_sets_aside_shows_its_corrected_text(deliveries: Deliveries) -> None:
    catalog = CONTRACTS["product_catalog"]
    rows = [
        {"product_id": "P1", "product_name": "one", "price": "1"},
        {"product_id": "P2", "product_name": "two", "price": "-1"},
    ]
    deliveries.deliver(catalog, "a.csv", rows)
    deliveries.process(catalog)

    correct(deliveries, {("a.csv", 3): {"product_id": "P1", "price": "1"}}, contract=catalog)
    deliveries.process(catalog)

    (row,) = deliveries.quarantine(catalog)
    assert (row["reasons"], row["raw"].split(",")[:2]) == ("product_id_unique", ["P1", "two"])


@without_spark
def test_a_correction_no_longer_applies_once_the_file_has_changed_and_does_again_when_it_is_as_it_was(
    deliveries: Deliveries,
) -> None:
    deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD])
    deliveries.process(RETAIL)
    correct(deliveries, {("a.csv", 3): {"amount_spent": "7"}})
    deliveries.process(RETAIL)

    deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD, {**GOOD, "customer_id": "c9"}])
    assert counts(deliveries.process(RETAIL), "a.csv") == (3, 0, 1, 0, 2, 0)

    deliveries.deliver(RETAIL, "b.csv", [BAD])
    deliveries.process(RETAIL)
    correct(deliveries, {("b.csv", 2): {"amount_spent": "5"}})
    deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD])
    staged = deliveries.process(RETAIL)
    assert (counts(staged, "a.csv"), counts(staged, "b.csv")) == ((2, 0, 0, 0, 2, 1), (1, 0, 0, 0, 1, 1))
    assert loaded(deliveries)["a.csv", 3] == 7


@without_spark
def test_corrections_outlive_a_contract_that_gains_a_column(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD])
    deliveries.process(RETAIL)
    correct(deliveries, {("a.csv", 3): {"amount_spent": "7"}})

    till = Column(name="till", type=ColumnType.TEXT, description="Where it was paid.")
    staged = deliveries.process(replace(RETAIL, columns=(*RETAIL.columns, till)))

    assert counts(staged, "a.csv") == (2, 0, 0, 0, 2, 1)


@without_spark
def test_a_removed_file_takes_its_corrections_along(deliveries: Deliveries) -> None:
    path = deliveries.deliver(RETAIL, "a.csv", [GOOD, BAD])
    deliveries.process(RETAIL)
    correct(deliveries, {("a.csv", 3): {"amount_spent": "7"}})
    path.unlink()

    assert deliveries.process(RETAIL).assessment.ledger == ()
