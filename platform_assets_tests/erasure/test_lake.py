"""What becomes of a lake in which people are forgotten, on folders and files alone."""

from pathlib import Path
from typing import Any

import pytest

from platform_assets.config import DatasetSettings
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.erasure.lake import erase_lake
from platform_assets.erasure.people import People
from platform_assets.ingestion.landing import look
from platform_assets.lake.table import CURRENT
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.deliveries import NOW, Deliveries, at_least
from platform_assets_tests.erasure.persons import mentions, people

ORDERS = CONTRACTS["superstore_sales"]
PURCHASES = CONTRACTS["retail_analytics"]
NAME = "Zelda Quint"


def order(number: int, customer: str, name: str, sales: str = "10") -> dict[str, str]:
    return {
        "Row ID": str(number),
        "Order ID": f"O{number}",
        "Order Date": "2024-03-01",
        "Ship Date": "2024-03-04",
        "Customer ID": customer,
        "Customer Name": name,
        "Segment": "Corporate" if customer == "ZQ-17" else "Consumer",
        "Product ID": "P1",
        "Category": "Paper",
        "Sales": sales,
        "Quantity": "1",
        "E-Mail": f"{customer}@example.com",
    }


FILE = [
    order(1, "ZQ-17", NAME),
    order(2, "ZQ-17", NAME, "-10"),
    order(3, "ZQ-170", "Zelda Quinton"),
    order(1, "ZQ-17", NAME),
    order(5, "ZQ-18", "Bo Li"),
]


@pytest.fixture
def forgotten() -> People:
    return people("ZQ-17", names=(NAME,))


def visible(deliveries: Deliveries) -> list[dict[str, Any]]:
    rows = deliveries.counting(ORDERS)
    return [{name: row[name] for name in ("row_id", "customer_id", "customer_name", "sales")} for row in rows]


def written(lake: Path) -> dict[Path, int]:
    """When each file was written; locks say nothing."""
    files = (path for path in lake.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: path.stat().st_mtime_ns for path in files}


@without_spark
def test_a_forgotten_persons_rows_keep_their_place_and_their_verdict(
    deliveries: Deliveries, forgotten: People, tmp_path: Path
) -> None:
    deliveries.deliver(ORDERS, "a.csv", FILE)
    before = deliveries.process(ORDERS).assessment
    aside = deliveries.quarantine(ORDERS)

    erase_lake(tmp_path / "lake", forgotten)
    after = deliveries.stage(ORDERS).assessment
    deliveries.table("staging", ORDERS).sweep()
    deliveries.table("quarantine", ORDERS).sweep()

    assert [(line["customer_id"], line["customer_name"]) for line in visible(deliveries)] == [
        ("FORGOTTEN", "FORGOTTEN"),
        ("ZQ-170", "Zelda Quinton"),
        ("ZQ-18", "Bo Li"),
    ]
    assert after.ledger == before.ledger
    failed = {one.rule: one.rows_failed for one in before.results if one.rule != "freshness"}
    assert {one.rule: one.rows_failed for one in after.results if one.rule != "freshness"} == failed
    assert [line["raw"] for line in deliveries.quarantine(ORDERS)] == [
        line["raw"].replace("ZQ-17,", "FORGOTTEN,").replace(NAME, "FORGOTTEN") for line in aside
    ]
    assert mentions(tmp_path / "lake", "ZQ-17") == mentions(tmp_path / "lake", NAME) == []


@without_spark
def test_forgetting_again_writes_nothing(deliveries: Deliveries, forgotten: People, tmp_path: Path) -> None:
    deliveries.deliver(ORDERS, "a.csv", FILE)
    deliveries.process(ORDERS)
    erase_lake(tmp_path / "lake", forgotten)
    once = written(tmp_path / "lake")

    erase_lake(tmp_path / "lake", forgotten)

    assert written(tmp_path / "lake") == once


@without_spark
def test_a_file_read_later_is_what_a_rewritten_one_is(
    deliveries: Deliveries, forgotten: People, tmp_path: Path
) -> None:
    deliveries.deliver(ORDERS, "a.csv", FILE)
    deliveries.process(ORDERS)
    erase_lake(tmp_path / "lake", forgotten)
    rewritten = deliveries.table("raw", ORDERS).snapshot()
    again = Deliveries(tmp_path / "again", deliveries.engine)
    again.deliver(ORDERS, "a.csv", FILE)
    tables = again.table("raw", ORDERS), again.table("rejects", ORDERS)
    landing = look(
        ORDERS,
        tmp_path / "again" / "raw" / ORDERS.dataset,
        DatasetSettings(),
        tables,
        again.engine,
        now=NOW,
        forgotten=forgotten,
    )
    landing.rejects.publish(tables[1])
    read = landing.rows.publish(tables[0])

    assert read.ids == rewritten.ids
    assert landing.read == {"a.csv": 5}
    assert mentions(tmp_path / "again" / "lake", "ZQ-17") == mentions(tmp_path / "again" / "lake", NAME) == []


def test_a_file_that_is_looked_at_again_is_not_read_again(
    duckdb_deliveries: Deliveries, forgotten: People, tmp_path: Path
) -> None:
    duckdb_deliveries.deliver(ORDERS, "a.csv", FILE).touch()
    duckdb_deliveries.process(ORDERS)
    erase_lake(tmp_path / "lake", forgotten)
    (tmp_path / "raw" / ORDERS.dataset / "a.csv").touch()

    assert duckdb_deliveries.look(ORDERS).read == {}


def test_the_accepted_version_behind_a_shut_gate_is_without_the_person(
    duckdb_deliveries: Deliveries, forgotten: People, tmp_path: Path
) -> None:
    deliveries = duckdb_deliveries
    deliveries.deliver(ORDERS, "a.csv", FILE)
    deliveries.process(ORDERS)
    pieces = deliveries.table("staging", ORDERS).snapshot().attributes["pieces"]
    deliveries.deliver(ORDERS, "a.csv", [*FILE[:3], order(9, "ZQ-17", NAME)])
    deliveries.process(ORDERS, thresholds=at_least(validity=1.0))

    erase_lake(tmp_path / "lake", forgotten)
    deliveries.stage(ORDERS, thresholds=at_least(validity=1.0))
    deliveries.table("staging", ORDERS).sweep()

    assert [line["customer_id"] for line in visible(deliveries)] == ["FORGOTTEN", "ZQ-170", "ZQ-18"]
    accepted = deliveries.table("staging", ORDERS).snapshot("accepted")
    assert accepted.version != deliveries.table("staging", ORDERS).snapshot(CURRENT).version
    assert accepted.attributes["pieces"]["a.csv"]["id"] != pieces["a.csv"]["id"]
    assert mentions(tmp_path / "lake", "ZQ-17") == []


def test_a_required_id_does_not_count_as_missing(duckdb_deliveries: Deliveries, tmp_path: Path) -> None:
    rows = [
        {"customer_id": who, "purchase_date": "2024-03-01", "channel": "Store", "amount_spent": "5"}
        for who in ("17", "170", "")
    ]
    duckdb_deliveries.deliver(PURCHASES, "a.csv", rows)
    duckdb_deliveries.process(PURCHASES)

    erase_lake(tmp_path / "lake", people("17"))
    (line,) = duckdb_deliveries.stage(PURCHASES).assessment.ledger

    assert (line.rows_loaded, line.rows_quarantined) == (2, 1)


def test_nobody_is_forgotten_by_a_lake_that_is_empty(tmp_path: Path, forgotten: People) -> None:
    erase_lake(tmp_path / "lake", forgotten)

    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def duckdb_deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path, DuckDBEngine(tmp_path / "scratch"))
