"""The ledger: its arithmetic, and that random rows with random defects always balance."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.quality.ledger import LedgerLine, ledger_line, refused_line, total_line
from platform_assets_tests.deliveries import Deliveries, csv_text

TRANSACTIONS, CATALOG = CONTRACTS["ecommerce_transactions"], CONTRACTS["product_catalog"]
GOOD = {
    "transaction_id": "1",
    "customer_id": "c",
    "product_id": "p",
    "transaction_date": "2024-01-01",
    "quantity": "1",
    "unit_price": "5",
}


def balanced(**changes: Any) -> LedgerLine:
    values: dict[str, Any] = {
        "dataset": "d",
        "source_file": "f",
        "rows_read": 10,
        "rows_rejected": 1,
        "rows_quarantined": 2,
        "rows_duplicate": 3,
        "rows_loaded": 4,
        "amount_read": Decimal("10.5"),
        "amount_quarantined": Decimal("-2.5"),
        "amount_duplicate": Decimal(3),
        "amount_loaded": Decimal(10),
    }
    return LedgerLine(**{**values, **changes})


def test_a_line_balances_when_its_parts_are_the_whole_in_rows_and_money() -> None:
    assert balanced().balances


@pytest.mark.parametrize(
    "change",
    [
        {"rows_loaded": 5},
        {"rows_read": 9},
        {"amount_loaded": Decimal("10.0001")},
        {"amount_read": Decimal("10.4999")},
        {"rows_quarantined": -1, "rows_loaded": 7},
    ],
    ids=str,
)
def test_a_line_does_not_balance_when_anything_is_lost_or_comes_from_nowhere(change: Mapping[str, Any]) -> None:
    assert not balanced(**change).balances


def test_a_duplicate_that_breaks_a_rule_is_a_duplicate_and_not_quarantined_as_well() -> None:
    facts = {
        "rows_read": 6,
        "rows_rejected": 1,
        "quarantined": 2,
        "quarantined_amount": "8",
        "amount": "30",
        "content_hash": "x",
        "notes": [],
    }
    excluded = {
        "duplicate": 2,
        "duplicate_amount": "9",
        "duplicate_quarantined": 1,
        "duplicate_quarantined_amount": "4",
        "quarantined": 1,
        "quarantined_amount": "6",
    }

    line = ledger_line("d", "f", facts, excluded, (1, Decimal(11)))

    assert (line.rows_quarantined, line.rows_duplicate, line.rows_loaded) == (2, 2, 1)
    assert (line.amount_quarantined, line.amount_duplicate) == (Decimal(10), Decimal(9))
    assert line.balances


def test_of_a_refused_file_every_line_that_could_be_counted_is_rejected() -> None:
    line = refused_line("d", "f", {"lines": 7, "reason": "no header", "content_hash": "x"})

    assert (line.rows, line.status, line.note, line.balances) == ((7, 7, 0, 0, 0), "refused", "no header", True)


def test_the_total_is_the_sum_over_files() -> None:
    total = total_line("d", [balanced(), balanced(rows_read=20, amount_read=Decimal(1))])

    assert total.rows == (30, 2, 4, 6, 8)
    assert total.amounts == (Decimal("11.5"), Decimal(0), Decimal(-5), Decimal(6), Decimal(20))
    assert total_line("d", []).rows == (0, 0, 0, 0, 0)


DEFECTS: list[Mapping[str, str]] = [
    {"quantity": "0"},
    {"quantity": "-3"},
    {"quantity": "many"},
    {"unit_price": "-2.5"},
    {"unit_price": ""},
    {"transaction_date": "2031-01-01"},
    {"transaction_date": "soon"},
    {"customer_id": ""},
    {"product_id": "NULL"},
    {"transaction_id": ""},
]


def delivery(chance: random.Random) -> bytes:
    """A file of lines of which many are defective, repeated, or no lines at all."""
    rows: list[dict[str, str]] = [{**GOOD, "unit_price": "1.2345"}]
    for number in range(chance.randrange(1, 30)):
        row = {**GOOD, "transaction_id": str(chance.randrange(6)), "quantity": str(chance.randrange(1, 4))}
        for _ in range(chance.randrange(3)):
            row |= chance.choice(DEFECTS)
        rows += [row] * chance.choice([1, 1, 2]) if number else [row]
    lines = csv_text(rows).splitlines()
    for _ in range(chance.randrange(3)):
        lines.insert(chance.randrange(1, len(lines)), "too,many," + ",".join("cells" * 1 for _ in range(9)))
    return "\n".join([*lines, ""]).encode()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_delivered_every_file_balances_and_every_line_is_somewhere(
    deliveries: Deliveries, seed: int
) -> None:
    chance = random.Random(seed)
    for name in ("a.csv", "b.csv", "c.csv"):
        deliveries.deliver(TRANSACTIONS, name, delivery(chance))
    deliveries.process(TRANSACTIONS)
    # a second look, in which a file changed, one is gone and one is new
    (deliveries.home / "raw" / TRANSACTIONS.dataset / "c.csv").unlink()
    for name in ("b.csv", "d.csv"):
        deliveries.deliver(TRANSACTIONS, name, delivery(chance))

    assessment = deliveries.process(TRANSACTIONS).assessment

    assert [line.source_file for line in assessment.ledger if not line.balances] == []
    assert assessment.result("ledger_balances").passed
    assert {line.source_file for line in assessment.ledger} == {"a.csv", "b.csv", "d.csv"}
    total = total_line("", list(assessment.ledger))
    folder = deliveries.home / "raw" / TRANSACTIONS.dataset
    assert total.rows_read == sum(len(path.read_text().splitlines()) - 1 for path in folder.iterdir())
    counting = deliveries.counting(TRANSACTIONS)
    assert total.rows_loaded == len(counting) > 0
    assert total.amount_loaded == sum(row["total_amount"] for row in counting)
    assert total.rows_rejected + total.rows_quarantined == len(deliveries.quarantine(TRANSACTIONS))


def test_a_dataset_without_money_balances_in_rows(deliveries: Deliveries) -> None:
    rows = [
        {"product_id": "A", "category": "x", "price": "1"},
        {"product_id": "A", "category": "x", "price": "1"},
        {"product_id": "A", "category": "x", "price": "2"},
        {"product_id": "B", "category": "x", "price": "-1"},
    ]
    deliveries.deliver(CATALOG, "c.csv", rows)

    (line,) = deliveries.process(CATALOG).assessment.ledger

    assert line.rows == (4, 0, 2, 1, 1)
    assert line.balances
