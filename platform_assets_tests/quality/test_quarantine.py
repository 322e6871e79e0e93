from datetime import date

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.lake.table import CURRENT
from platform_assets.quality.samples import SAMPLE_ROWS, failing_rows
from platform_assets.quality.stage import Stage
from platform_assets_tests.deliveries import LENIENT, NOW, Deliveries

TRANSACTIONS = CONTRACTS["ecommerce_transactions"]
LINE = {
    "transaction_id": "1",
    "customer_id": "c",
    "product_id": "p",
    "transaction_date": "2024-01-01",
    "quantity": "1",
    "unit_price": "5",
}


def set_aside(deliveries: Deliveries) -> list[tuple[str, int, str, str]]:
    rows = deliveries.quarantine(TRANSACTIONS)
    return [(row["source_file"], row["source_row"], row["kind"], row["reasons"]) for row in rows]


def test_every_row_that_is_set_aside_is_there_once_with_all_its_reasons(deliveries: Deliveries) -> None:
    rows = [
        LINE,
        {**LINE, "quantity": "0", "unit_price": "-1"},
        {**LINE, "transaction_date": "2030-01-01"},
        {**LINE, "transaction_date": "2031-01-01", "quantity": "0"},
        {**LINE, "customer_id": ""},
    ]
    deliveries.deliver(TRANSACTIONS, "a.csv", rows)

    deliveries.process(TRANSACTIONS, as_of=date(2024, 1, 1))

    assert set_aside(deliveries) == [
        ("a.csv", 3, "row", "quantity_not_zero, unit_price_not_negative"),
        ("a.csv", 4, "row", "transaction_date_not_in_future"),
        ("a.csv", 5, "row", "quantity_not_zero, transaction_date_not_in_future"),
    ]


def test_the_raw_line_is_kept_as_it_was_delivered(deliveries: Deliveries) -> None:
    late = {**LINE, "transaction_date": "2030-01-01", "product_id": " p "}
    deliveries.deliver(TRANSACTIONS, "a.csv", [LINE, {**LINE, "quantity": "none at all"}, late])

    deliveries.process(TRANSACTIONS, as_of=date(2024, 1, 1))

    assert [row["raw"] for row in deliveries.quarantine(TRANSACTIONS)] == [
        "1,c,p,,2024-01-01,none at all,5,,,",
        "1,c, p ,,2030-01-01,1,5,,,",
    ]


def test_duplicates_are_in_the_ledger_and_not_in_the_quarantine(deliveries: Deliveries) -> None:
    bad = {**LINE, "quantity": "0"}
    deliveries.deliver(TRANSACTIONS, "a.csv", [LINE, LINE, bad, bad])

    staged = deliveries.process(TRANSACTIONS)

    assert set_aside(deliveries) == [("a.csv", 4, "row", "quantity_not_zero")]
    assert staged.assessment.ledger[0].rows == (4, 0, 1, 2, 1)


def test_lines_and_files_that_could_not_be_read_are_there_too(deliveries: Deliveries) -> None:
    text = b"transaction_id,customer_id,product_id,transaction_date,quantity,unit_price\n1,c,p,2024-01-01,1,5\n1,2,3\n"
    deliveries.deliver(TRANSACTIONS, "a.csv", text)
    deliveries.deliver(TRANSACTIONS, "empty.csv", b"")

    deliveries.process(TRANSACTIONS)

    found = deliveries.quarantine(TRANSACTIONS)
    assert [(row["source_file"], row["source_row"], row["kind"]) for row in found] == [
        ("a.csv", 3, "line"),
        ("empty.csv", 0, "file"),
    ]
    assert found[0]["raw"] == "1,2,3"
    assert all(row["reasons"] for row in found)


def test_what_is_corrected_leaves_the_quarantine(deliveries: Deliveries) -> None:
    deliveries.deliver(TRANSACTIONS, "a.csv", [{**LINE, "quantity": "0"}])
    deliveries.process(TRANSACTIONS)
    assert len(set_aside(deliveries)) == 1

    deliveries.deliver(TRANSACTIONS, "a.csv", [LINE])
    deliveries.process(TRANSACTIONS)

    assert set_aside(deliveries) == []


def test_samples_are_the_first_failing_rows_without_personal_data(deliveries: Deliveries) -> None:
    rows = [{**LINE, "quantity": "0", "product_id": f"p{number}"} for number in range(9)]
    deliveries.deliver(TRANSACTIONS, "a.csv", [*rows, LINE, LINE])
    deliveries.process(TRANSACTIONS)
    this = Stage(
        contract=TRANSACTIONS,
        tables=deliveries.tables,
        thresholds=LENIENT,
        as_of=None,
        now=NOW,
        engine=deliveries.engine,
    )
    snapshot = deliveries.table("staging", TRANSACTIONS).snapshot(CURRENT)

    found = failing_rows(this, snapshot, ["quantity_not_zero", "line_unique", "validity"])

    shown = found.pop("quantity_not_zero")
    assert [(row["file"], row["line"], row["product_id"]) for row in shown] == [
        ("a.csv", line, f"P{line - 2}") for line in range(2, 2 + SAMPLE_ROWS)
    ]
    assert {row["customer_id"] for row in shown} == {"•••"}
    assert {rule: [row["line"] for row in rows] for rule, rows in found.items()} == {"line_unique": [12]}
