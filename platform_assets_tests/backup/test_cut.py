from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_assets.backup.cut import lake_problems, look, segment_files, sold_datasets, waiting_files
from platform_assets.backup.faults import MovedError
from platform_assets.backup.manifest import MadeOf
from platform_assets.defs import warehouse
from platform_assets.lake.snapshot import Slice
from platform_assets.lake.table import ACCEPTED, CURRENT, Table
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_sales import SALES_DATASETS
from platform_assets.warehouse.star.fact_slices import FACTS_BY, fact_slice_id
from platform_assets.warehouse.star.model import SALES
from platform_assets.warehouse.star.rows import FCT_SALES_SCHEMA, sale_facts


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def publish(table: Table, key: str, identity: str, pointers: tuple[str, ...] = (CURRENT,)) -> Path:
    segment = table.new_segment()
    pq.write_table(pa.table({"number": [1]}), segment)
    table.publish(
        table.snapshot().with_slices({key: Slice(identity, segment.name)}, (), {segment.name: (key,)}),
        pointers=pointers,
    )
    return segment


def test_an_empty_lake_has_nothing(lake: Path) -> None:
    assert look(lake).pointers == {}
    assert segment_files(lake, look(lake)) == {}


def test_only_what_pointers_lead_to_belongs_to_a_cut(lake: Path) -> None:
    table = Table(lake / "staging" / "orders")
    accepted = publish(table, "a.csv", "1", (CURRENT, ACCEPTED))
    publish(table, "a.csv", "2")
    newest = publish(table, "a.csv", "3")
    found = look(lake)
    assert found.pointers == {"staging/orders/current": "00000003.json", "staging/orders/accepted": "00000001.json"}
    assert set(segment_files(lake, found).values()) == {accepted, newest}


def test_segments_that_only_attributes_name_and_parts_of_a_folder_belong_to_it(lake: Path) -> None:
    table = Table(lake / "staging" / "orders")
    folder, extra = table.new_segment(), table.new_segment()
    folder.mkdir()
    for name in ("part-0.parquet", "part-1.parquet"):
        pq.write_table(pa.table({"number": [1]}), folder / name)
    (folder / "_SUCCESS").touch()
    pq.write_table(pa.table({"number": [1]}), extra)
    news = table.snapshot().with_slices({"a": Slice("1", folder.name)}, (), {folder.name: ("a",)})
    table.publish(news.with_attributes(extra_segments=[extra.name]))
    assert set(segment_files(lake, look(lake)).values()) == {
        folder / "part-0.parquet",
        folder / "part-1.parquet",
        extra,
    }


def test_a_look_differs_after_every_change(lake: Path) -> None:
    table = Table(lake / "core" / "sales")
    publish(table, "d/a.csv", "1")
    looks = [look(lake)]
    publish(table, "d/a.csv", "2")
    looks.append(look(lake))
    table.point(ACCEPTED)
    looks.append(look(lake))
    # An erasure changes versions in place; the pointers stay.
    table.rewrite(lambda version: version.with_attributes(erased=True))
    looks.append(look(lake))
    assert all(one != other for place, one in enumerate(looks) for other in looks[:place])
    assert look(lake) == looks[-1]


def test_files_that_are_gone_mean_that_the_lake_moved_on(lake: Path) -> None:
    segment = publish(Table(lake / "core" / "sales"), "d/a.csv", "1")
    found = look(lake)
    assert lake_problems(lake, found.pointers) == []
    segment.unlink()
    with pytest.raises(MovedError, match="1 files of the lake are gone"):
        segment_files(lake, found)
    (problem,) = lake_problems(lake, found.pointers)
    assert problem.startswith("lake/core/sales/current cannot be read")
    (lake / "core" / "sales" / "versions" / "00000001.json").unlink()
    with pytest.raises(MovedError, match="is gone"):
        look(lake)


A, B = fact_slice_id("1", "USD"), fact_slice_id("2", "EUR")


@pytest.mark.parametrize(
    ("ledger", "waiting"),
    [
        ({"d/a.csv": A, "e/b.csv": B}, ()),
        ({"d/a.csv": A}, ("e/b.csv",)),
        ({"d/a.csv": fact_slice_id("0", "USD"), "e/b.csv": B}, ("d/a.csv",)),
        # The same lines in another currency are other facts.
        ({"d/a.csv": fact_slice_id("1", "EUR"), "e/b.csv": B}, ("d/a.csv",)),
        ({"d/a.csv": A, "e/b.csv": B, "e/removed.csv": "3"}, ("e/removed.csv",)),
        ({}, ("d/a.csv", "e/b.csv")),
    ],
)
def test_files_wait_whose_version_is_another_in_the_warehouse(
    lake: Path, ledger: dict[str, str], waiting: tuple[str, ...]
) -> None:
    table = Table(lake / "core" / "sales")
    publish(table, "d/a.csv", "1")
    publish(table, "e/b.csv", "2")
    assert sold_datasets(look(lake)) == ["d", "e"]
    assert waiting_files(look(lake), ledger, MadeOf(FACTS_BY, {"d": "USD", "e": "EUR"})) == waiting


def test_the_load_of_the_sales_and_the_backup_know_facts_by_the_same_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path))
    platform = PlatformResource()
    table = platform.table("core", "sales")
    publish(table, "superstore_sales/a.csv", "1")
    load = warehouse._slices(platform, table, SALES, warehouse._Rows(sale_facts, FCT_SALES_SCHEMA, SALES_DATASETS))
    expected = fact_slice_id("1", platform.config.currencies.of("superstore_sales"))
    assert load.wanted["superstore_sales"] == {"a.csv": expected}
