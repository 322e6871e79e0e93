"""The catalogue's days: from the cell, the file's name, or the beginning; and what repeats what because of them."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import conformed
from platform_assets.lake.table import ACCEPTED
from platform_assets.transforms.accepted import counting_rows
from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA, products
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.transforms.versions import BEGINNING, END
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.deliveries import Deliveries

CATALOG = CONTRACTS["product_catalog"]
CHAIR = {"product_id": "P1", "product_name": "Chair", "category": "Chairs", "price": "10"}
JUNE, JULY = date(2024, 6, 1), date(2024, 7, 1)


def days(deliveries: Deliveries) -> list[tuple[str, date]]:
    return [(row["_source_file"], row["valid_from"]) for row in deliveries.counting(CATALOG)]


def prices(deliveries: Deliveries) -> list[tuple[datetime, datetime, Decimal]]:
    """Versions of the one product in the catalogue."""
    engine, table = deliveries.engine, deliveries.table("staging", CATALOG)
    catalog = counting_rows(table, table.snapshot(ACCEPTED), CATALOG, engine)
    made = products(engine.from_arrow(SALES_SCHEMA.empty_table()), catalog, ())
    rows = engine.collect(conformed(made, PRODUCTS_SCHEMA)).to_pylist()
    return sorted((row["valid_from"], row["valid_to"], row["price_amount"]) for row in rows)


def test_a_row_holds_from_the_day_in_its_cell_else_in_its_files_name_else_from_the_beginning(
    deliveries: Deliveries,
) -> None:
    dated = {"gueltig ab": "2024-07-01", **CHAIR}
    deliveries.deliver(CATALOG, "a_2024-06-01.csv", [dated, {**CHAIR, "product_id": "P2", "gueltig ab": "n/a"}])
    deliveries.deliver(CATALOG, "b_2024_06.csv", [{**CHAIR, "product_id": "P3"}])
    deliveries.deliver(CATALOG, "c.csv", [{**dated, "product_id": "P4"}, {**CHAIR, "product_id": "P5"}])
    deliveries.process(CATALOG)

    assert days(deliveries) == [
        ("a_2024-06-01.csv", JULY),
        ("a_2024-06-01.csv", JUNE),
        ("b_2024_06.csv", JUNE),
        ("c.csv", JULY),
        ("c.csv", BEGINNING.date()),
    ]


def test_the_same_lines_for_another_day_repeat_nothing_and_for_the_same_day_they_do(deliveries: Deliveries) -> None:
    dearer = {**CHAIR, "price": "11"}
    deliveries.deliver(CATALOG, "a.csv", [CHAIR])
    deliveries.deliver(CATALOG, "b.csv", [CHAIR])
    deliveries.deliver(CATALOG, "p_2024-06-01.csv", [CHAIR, CHAIR, dearer])
    deliveries.deliver(CATALOG, "p_2024-07-01.csv", [CHAIR])
    deliveries.deliver(CATALOG, "q_20240701.csv", [CHAIR, dearer])

    judged = deliveries.process(CATALOG).assessment

    # Read, rejected, quarantined, duplicate, loaded.
    assert {line.source_file: line.rows for line in judged.ledger} == {
        "a.csv": (1, 0, 0, 0, 1),
        "b.csv": (1, 0, 0, 1, 0),
        "p_2024-06-01.csv": (3, 0, 1, 1, 1),
        "p_2024-07-01.csv": (1, 0, 0, 0, 1),
        "q_20240701.csv": (2, 0, 1, 1, 0),
    }
    assert all(line.balances for line in judged.ledger)
    assert judged.result("product_id_unique").rows_failed == 2
    assert judged.result("line_unique").rows_failed == 3


@without_spark
def test_a_day_that_cannot_be_read_is_not_replaced_by_another(deliveries: Deliveries) -> None:
    rows = [{**CHAIR, "valid_from": day} for day in ("2024-02-30", "2024-02-30", "1899-12-31", "1900-01-01")]
    deliveries.deliver(CATALOG, "a_2024-06-01.csv", rows)

    judged = deliveries.process(CATALOG).assessment

    assert [line.rows for line in judged.ledger] == [(4, 0, 2, 1, 1)]
    assert days(deliveries) == [("a_2024-06-01.csv", BEGINNING.date())]
    assert judged.result("valid_from_readable").rows_failed == 2
    assert judged.result("valid_from_not_before_1900").rows_failed == 1


@without_spark
def test_only_files_with_a_column_for_the_day_have_cells_for_it_that_count(deliveries: Deliveries) -> None:
    deliveries.deliver(CATALOG, "a_2024-06-01.csv", [CHAIR])
    result = deliveries.process(CATALOG).assessment.result("completeness")
    assert (result.rows_checked, result.rows_failed) == (4, 0)

    later = [{**CHAIR, "valid_from": ""}, {**CHAIR, "valid_from": "2024-07-01"}]
    deliveries.deliver(CATALOG, "b_2024-08-01.csv", later)
    result = deliveries.process(CATALOG).assessment.result("completeness")
    assert (result.rows_checked, result.rows_failed) == (4 + 10, 1)


@pytest.mark.parametrize("engine", ["duckdb"], indirect=True, scope="session")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_prices_follow_the_days_of_files_in_whatever_order_these_come(
    deliveries: Deliveries, order: Sequence[int]
) -> None:
    files = {"p.csv": "10", "p_2024-06-01.csv": "12", "p_2024-07-01.csv": "10"}
    for place in order:
        name = list(files)[place]
        deliveries.deliver(CATALOG, name, [{**CHAIR, "price": files[name]}])
        deliveries.process(CATALOG)

    june, july = datetime(2024, 6, 1), datetime(2024, 7, 1)
    assert prices(deliveries) == [
        (BEGINNING, june, Decimal(10)),
        (june, july, Decimal(12)),
        (july, END, Decimal(10)),
    ]


@without_spark
def test_a_product_that_a_later_catalogue_does_not_have_stays_as_it_was(deliveries: Deliveries) -> None:
    deliveries.deliver(CATALOG, "p_2024-06-01.csv", [CHAIR])
    deliveries.deliver(CATALOG, "p_2024-07-01.csv", [{**CHAIR, "product_id": "P2"}])
    deliveries.process(CATALOG)

    assert prices(deliveries) == [(BEGINNING, END, Decimal(10))] * 2
