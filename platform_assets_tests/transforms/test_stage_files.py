from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.lake.snapshot import Snapshot
from platform_assets.transforms.corrections import Corrections
from platform_assets.transforms.stage_files import compacted, stage_files
from platform_assets_tests.deliveries import Deliveries

RETAIL = CONTRACTS["retail_analytics"]
PURCHASE = {"customer_id": "c1", "purchase_date": "2024-01-01", "channel": "Store", "amount_spent": "10"}


def amounts(deliveries: Deliveries, snapshot: Snapshot) -> list[tuple[str, str]]:
    table = deliveries.table("staging", RETAIL)
    rows = [
        row for part in table.parts(snapshot) for row in pq.read_table(part.path).to_pylist() if _live(part.keep, row)
    ]
    return sorted((row["_source_file"], str(row["amount_spent"])) for row in rows)


def _live(keep: tuple[str, ...] | None, row: dict[str, str]) -> bool:
    return keep is None or row["_source_file"] in keep


def test_only_files_that_are_new_or_changed_are_staged(deliveries: Deliveries) -> None:
    for name in ("a.csv", "b.csv"):
        deliveries.deliver(RETAIL, name, [PURCHASE])
    assert deliveries.process(RETAIL).files == ("a.csv", "b.csv")

    assert deliveries.process(RETAIL).files == ()

    deliveries.deliver(RETAIL, "b.csv", [{**PURCHASE, "amount_spent": "11"}])
    deliveries.deliver(RETAIL, "c.csv", [{**PURCHASE, "amount_spent": "12"}])
    assert deliveries.process(RETAIL).files == ("b.csv", "c.csv")

    table = deliveries.table("staging", RETAIL)
    assert amounts(deliveries, table.snapshot()) == [("a.csv", "10.0000"), ("b.csv", "11.0000"), ("c.csv", "12.0000")]


def test_a_removed_file_takes_its_rows_along_and_stages_nothing(deliveries: Deliveries) -> None:
    kept = deliveries.deliver(RETAIL, "a.csv", [PURCHASE])
    gone = deliveries.deliver(RETAIL, "b.csv", [PURCHASE])
    deliveries.process(RETAIL)
    gone.unlink()

    staged = deliveries.process(RETAIL)

    assert (staged.files, list(staged.rows.snapshot.slices)) == ((), [kept.name])


def test_a_changed_contract_stages_every_file_again(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [PURCHASE])
    deliveries.process(RETAIL)
    raw, staging = deliveries.table("raw", RETAIL), deliveries.table("staging", RETAIL)
    fixes = Corrections.of(deliveries.table("corrections", RETAIL))

    _, again = stage_files(RETAIL, raw, fixes, staging, deliveries.engine)
    _, changed = stage_files(replace(RETAIL, version=2), raw, fixes, staging, deliveries.engine)

    assert (again, changed) == ([], ["a.csv"])


def test_files_that_write_columns_differently_are_read_each_in_its_own_way(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "iso.csv", [{**PURCHASE, "amount_spent": "1234.5"}])
    euro = b"customer_id;purchase_date;channel;amount_spent\nc1;31.12.2023;Store;1.234,56\nc2;30.12.2023;Store;2,5\n"
    deliveries.deliver(RETAIL, "euro.csv", euro)

    snapshot = deliveries.process(RETAIL).rows.snapshot

    assert amounts(deliveries, snapshot) == [
        ("euro.csv", "1234.5600"),
        ("euro.csv", "2.5000"),
        ("iso.csv", "1234.5000"),
    ]
    assert snapshot.slices["euro.csv"].facts["days"] == {"2023-12-31": 1, "2023-12-30": 1}


def test_compaction_puts_the_same_rows_into_one_segment(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = deliveries.table("staging", RETAIL)
    for day in range(1, 5):
        deliveries.deliver(RETAIL, f"{day}.csv", [{**PURCHASE, "amount_spent": str(day)}])
        deliveries.process(RETAIL)
    before = table.snapshot()
    assert len(before.holds) == 4
    assert compacted(before, table, RETAIL, deliveries.engine) is before

    monkeypatch.setattr(table, "is_fragmented", lambda _snapshot: True)
    after = compacted(before, table, RETAIL, deliveries.engine)

    assert len(after.holds) == 1
    assert amounts(deliveries, after) == amounts(deliveries, before)
    assert after.ids == before.ids
    assert {key: piece.facts for key, piece in after.slices.items()} == {
        key: piece.facts for key, piece in before.slices.items()
    }
