"""Files read by the workers of an engine: the same comes out as when one process reads them all."""

import gzip
import multiprocessing
import os
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.config import DatasetSettings
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine
from platform_assets.engines.pandas import PandasEngine
from platform_assets.errors import PlatformError
from platform_assets.ingestion import chunks as chunks_module
from platform_assets.ingestion import landing as landing_module
from platform_assets.ingestion.chunks import Chunk, FileChanged, FileRead, FileRefused, read_chunk, split
from platform_assets.ingestion.discovery import LandedFile, discover
from platform_assets.ingestion.landing import REFUSED, Landing, look
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets_tests.ingestion.support import contract

RETAIL = CONTRACTS["retail_analytics"]
HEADER = "customer_id,purchase_date,channel,amount_spent\n"
ALONE = PandasEngine()
MANY_ROWS = 70_000
"""More than a batch, so that some are in the segment when the file is refused at its end."""

_Task = TypeVar("_Task")
_Outcome = TypeVar("_Outcome")


def as_it_is(task: Any) -> Any:
    return task


class PoolEngine(PandasEngine):
    """An engine with two workers, which are processes; ``sent`` is what a task looks like where they are."""

    def __init__(self, pool: Executor, sent: Callable[[Any], Any] = as_it_is, attempts: int = 1) -> None:
        self._pool = pool
        self._sent = sent
        self._attempts = attempts
        self.tasks = 0

    @property
    def workers(self) -> int:
        return 2

    def spread(self, work: Callable[[_Task], _Outcome], tasks: Iterable[_Task]) -> Iterator[_Outcome]:
        todo = [self._sent(task) for task in tasks]
        self.tasks = len(todo)
        for _ in range(self._attempts):
            outcomes = list(self._pool.map(work, todo))
        return iter(outcomes)


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, multiprocessing.get_context("forkserver")) as made:
        yield made


NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Lake:
    """The two tables that reading a folder fills, and the engine that reads."""

    def __init__(self, root: Path, engine: Engine, least_bytes: int = 1, of: Contract = RETAIL) -> None:
        self.engine = engine
        self.least_bytes = least_bytes
        self.of = of
        self.tables = Table(root / "rows"), Table(root / "rejects")

    def look(self, folder: Path, **how: Any) -> Landing:
        how = {"least_bytes": self.least_bytes, "now": NOW, **how}
        landing = look(self.of, folder, DatasetSettings(), self.tables, self.engine, **how)
        landing.rejects.publish(self.tables[1])
        landing.rows.publish(self.tables[0])
        return landing

    def rows(self, which: int = 0) -> list[dict[str, Any]]:
        table = self.tables[which]
        found = [
            row
            for part in table.parts(table.snapshot())
            for row in pq.read_table(part.path).to_pylist()
            if part.keep is None or row["_source_file"] in part.keep
        ]
        return sorted(found, key=lambda row: (row["_source_file"], row["_source_row"]))

    def amounts(self) -> list[tuple[str, str]]:
        return [(row["_source_file"], row["amount_spent"]) for row in self.rows()]

    def segments(self) -> list[str]:
        return sorted(path.name for table in self.tables for path in table.segments.iterdir())


def facts(snapshot: Snapshot) -> list[Any]:
    """All of a version but which segments it is in; pairs, because order is part of it."""
    slices = [(name, piece.id, list(piece.facts.items())) for name, piece in snapshot.slices.items()]
    attributes = [(name, list(value.items())) for name, value in snapshot.attributes.items()]
    return [snapshot.version, slices, attributes]


def told(landing: Landing) -> list[Any]:
    return [
        *(list(landing.read.items()), list(landing.refused.items())),
        *(landing.removed, landing.unchanged, landing.unfinished),
        *(facts(landing.rows.snapshot), facts(landing.rejects.snapshot)),
    ]


def assert_equal(one: Lake, other: Lake) -> None:
    assert (one.rows(0), one.rows(1)) == (other.rows(0), other.rows(1))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(*amounts: int, day: str = "2024-01-31") -> str:
    return HEADER + "".join(f"c{amount},{day},Store,{amount}\n" for amount in amounts)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A folder with files of every kind and fate."""
    folder = tmp_path / "bag"
    write(folder, "good.csv", lines(*range(500)))
    write(folder, "2024/deep.csv", lines(1, 2))
    write(folder, "semicolons.csv", "Customer;Date;sales_channel;spend;mood\nc;31.12.2023;Store;1,5;good\nx;y\n")
    write(folder, "wide.csv", lines(7).encode("utf-16"))
    write(folder, "packed.csv.gz", gzip.compress(lines(8, 9).encode()))
    write(
        folder,
        "objects.jsonl",
        '{"customer_id":"c","purchase_date":"2024-01-01","channel":"Store","amount_spent":"3"}\nno\n',
    )
    write(folder, "empty.csv", "")
    write(folder, "header.csv", HEADER)
    write(folder, "columns.csv", "customer_id,when\nc,now\n")
    write(folder, "days.csv", lines(*range(MANY_ROWS), day="03/04/2024"))
    write(folder, "noise.csv", b"\x00\x01\x02\x03" * 100)
    write(folder, "short.csv", HEADER + "only,three,cells\n" + "c,2024-01-01,Store,1\n" + 'c,2024-01-01,"open,2\n')
    (folder / "out.csv").symlink_to(write(tmp_path, "secret.csv", lines(1)))
    return folder


# Reading in parallel


def test_a_mixed_bag_read_by_workers_equals_the_bag_read_alone(tmp_path: Path, bag: Path, pool: Executor) -> None:
    alone, spread = Lake(tmp_path / "alone", ALONE), Lake(tmp_path / "spread", PoolEngine(pool))

    first = alone.look(bag), spread.look(bag)

    assert told(first[1]) == told(first[0])
    assert_equal(spread, alone)
    assert list(first[1].refused) == ["columns.csv", "days.csv", "empty.csv", "header.csv", "noise.csv", "out.csv"]
    assert first[1].rows.snapshot.attributes[REFUSED]["days.csv"]["lines"] == MANY_ROWS
    assert [(row["_source_file"], row["_source_row"]) for row in spread.rows(1)] == [
        *(("objects.jsonl", 2), ("semicolons.csv", 3), ("short.csv", 2), ("short.csv", 4))
    ]


def test_what_changed_since_is_read_by_workers_as_alone(tmp_path: Path, bag: Path, pool: Executor) -> None:
    alone, spread = Lake(tmp_path / "alone", ALONE), Lake(tmp_path / "spread", PoolEngine(pool))
    for lake in (alone, spread):
        lake.look(bag)
    write(bag, "good.csv", lines(1, 2, 3))
    write(bag, "empty.csv", lines(4))
    write(bag, "wide.csv", "")
    write(bag, "new.csv", lines(5))
    (bag / "short.csv").unlink()
    (bag / "columns.csv").unlink()

    second = alone.look(bag), spread.look(bag)

    assert told(second[1]) == told(second[0])
    assert_equal(spread, alone)
    assert second[1].read == {"empty.csv": 1, "good.csv": 3, "new.csv": 1}
    assert (second[1].removed, list(second[1].refused)) == (("short.csv",), ["wide.csv"])


def test_hostile_files_read_by_workers_equal_those_read_alone(
    tmp_path: Path, shared_datasets: Path, pool: Executor
) -> None:
    folder = shared_datasets / "hostile_csv"
    of = contract("id", "name", required=False)
    alone, spread = Lake(tmp_path / "alone", ALONE, of=of), Lake(tmp_path / "spread", PoolEngine(pool), of=of)

    both = alone.look(folder), spread.look(folder)

    assert told(both[1]) == told(both[0])
    assert_equal(spread, alone)
    assert both[1].refused
    assert spread.rows(1)


def test_files_are_read_by_the_workers_and_not_here(
    tmp_path: Path, bag: Path, pool: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = PoolEngine(pool)
    lake = Lake(tmp_path / "lake", engine)
    monkeypatch.delattr(chunks_module, "read_file")
    monkeypatch.delattr(chunks_module, "content_hash")

    landing = lake.look(bag)

    assert engine.tasks > 1
    assert len(landing.rows.snapshot.holds) > 1
    assert landing.read["good.csv"] == 500


def test_a_small_delivery_is_read_here_and_no_worker_is_asked_for(tmp_path: Path, bag: Path) -> None:
    class Unasked(PandasEngine):
        @property
        def workers(self) -> int:
            raise AssertionError("asking starts them")

    lake = Lake(tmp_path / "lake", Unasked(), least_bytes=16 * 1024**2)

    assert len(lake.look(bag).rows.snapshot.holds) == 1


def test_workers_tell_how_far_they_are_chunk_by_chunk(tmp_path: Path, pool: Executor) -> None:
    for name in "abcdefgh":
        write(tmp_path / "raw", f"{name}.csv", lines(1))
    said: list[tuple[str, int, int]] = []

    Lake(tmp_path / "lake", PoolEngine(pool)).look(tmp_path / "raw", on_file=lambda *what: said.append(what))

    # Eight files of one size over two chunks for each of two workers.
    assert [(done, total) for _, done, total in said] == [(1, 8), (3, 8), (5, 8), (7, 8)]


def test_an_attempt_made_twice_leaves_the_lake_right_and_its_segments_go(tmp_path: Path, pool: Executor) -> None:
    folder = tmp_path / "raw"
    write(folder, "a.csv", lines(1, 2))
    write(folder, "b.csv", lines(3) + "short\n")
    lake = Lake(tmp_path / "lake", PoolEngine(pool, attempts=2))

    landing = lake.look(folder)

    assert landing.read == {"a.csv": 2, "b.csv": 2}
    assert lake.amounts() == [("a.csv", "1"), ("a.csv", "2"), ("b.csv", "3")]
    assert [row["_source_file"] for row in lake.rows(1)] == ["b.csv"]
    assert len(lake.segments()) == 8

    for table in lake.tables:
        for segment in table.segments.iterdir():
            os.utime(segment, (0, 0))
    write(folder, "c.csv", lines(4))
    lake.look(folder)

    used = {name for table in lake.tables for name in table.snapshot().holds}
    assert sorted(used) == lake.segments()
    assert lake.amounts() == [("a.csv", "1"), ("a.csv", "2"), ("b.csv", "3"), ("c.csv", "4")]


# What workers see


def nowhere(chunk: Chunk) -> Chunk:
    return replace(chunk, files=tuple(replace(file, path=Path("/nowhere", file.name)) for file in chunk.files))


def test_workers_without_the_landing_zone_are_an_error_and_nothing_is_lost(
    tmp_path: Path, bag: Path, pool: Executor
) -> None:
    lake = Lake(tmp_path / "lake", PoolEngine(pool, sent=nowhere))

    # Of thirteen, one is a link that is refused unopened.
    with pytest.raises(PlatformError, match=f"do not see 12 of 13 files.*{bag}.*on storage that the workers share"):
        lake.look(bag)

    lake.engine = ALONE
    assert lake.look(bag).read["good.csv"] == 500


def test_workers_that_see_other_files_of_the_same_name_are_an_error(tmp_path: Path, bag: Path, pool: Executor) -> None:
    copies = tmp_path / "copies"
    shutil.copytree(bag, copies)

    def elsewhere(chunk: Chunk) -> Chunk:
        return replace(chunk, files=tuple(replace(file, path=copies / file.name) for file in chunk.files))

    with pytest.raises(PlatformError, match="do not see"):
        Lake(tmp_path / "lake", PoolEngine(pool, sent=elsewhere)).look(bag)


@pytest.mark.parametrize("has_folder", [False, True], ids=["no folder", "another folder"])
def test_workers_with_another_lake_are_an_error(tmp_path: Path, bag: Path, pool: Executor, has_folder: bool) -> None:
    tables = Table(tmp_path / "far" / "rows"), Table(tmp_path / "far" / "rejects")
    for table in tables if has_folder else ():
        table.segments.mkdir(parents=True)

    with pytest.raises(PlatformError, match="write the lake elsewhere" if has_folder else "do not see the lake") as no:
        Lake(tmp_path / "lake", PoolEngine(pool, sent=lambda chunk: replace(chunk, tables=tables))).look(bag)

    assert "on storage that the workers share" in no.value.remedy


@pytest.mark.parametrize("fate", ["grows", "goes"])
def test_a_file_that_changes_after_the_folder_was_listed_is_left_to_the_next_look(
    tmp_path: Path, pool: Executor, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    folder = tmp_path / "raw"
    for name in ("a.csv", "b.csv"):
        write(folder, name, lines(1))
    lake = Lake(tmp_path / "lake", PoolEngine(pool))
    lake.look(folder)
    for name in ("a.csv", "b.csv"):
        write(folder, name, lines(2))

    def list_and_change(of: Path) -> list[LandedFile]:
        files = discover(of)
        (folder / "b.csv").unlink()
        if fate == "grows":
            write(folder, "b.csv", lines(2, 3))
        return files

    with monkeypatch.context() as patched:
        patched.setattr(landing_module, "discover", list_and_change)
        patched.setattr(landing_module._Look, "known", lambda *_: False)
        landing = lake.look(folder)

    assert (landing.unfinished, landing.read) == (("b.csv",), {"a.csv": 1})
    assert lake.amounts() == [("a.csv", "2"), ("b.csv", "1")]
    lake.look(folder)
    after = [("b.csv", "2"), ("b.csv", "3")] if fate == "grows" else []
    assert lake.amounts() == [("a.csv", "2"), *after]


# What travels


@pytest.mark.parametrize("of", CONTRACTS.values(), ids=CONTRACTS)
def test_a_chunk_arrives_as_it_was_sent(of: Contract, tmp_path: Path) -> None:
    of.rules  # noqa: B018 - what is computed once from a contract travels along
    write(tmp_path, "a.csv", "x")
    settings = DatasetSettings(date_formats={"day": "dmy/4"})
    tables = Table(tmp_path / "rows"), Table(tmp_path / "rejects")
    chunk = Chunk(of, settings.date_readings(), tables, tuple(discover(tmp_path)))

    arrived = pickle.loads(pickle.dumps(chunk))  # noqa: S301 - our own

    assert replace(arrived, tables=tables) == chunk
    assert [table.root for table in arrived.tables] == [table.root for table in tables]
    assert arrived.contract.rules == of.rules


def test_what_reading_gave_arrives_as_it_was_sent(tmp_path: Path, bag: Path) -> None:
    tables = Table(tmp_path / "rows"), Table(tmp_path / "rejects")
    for table in tables:
        table.segments.mkdir(parents=True)
    files = discover(bag)
    gone = replace(files[0], name="gone.csv", path=bag / "gone.csv")

    read = read_chunk(Chunk(RETAIL, {}, tables, (*files, gone)))

    assert {type(outcome) for outcome in read.outcomes} == {FileRead, FileRefused, FileChanged}
    assert [outcome.name for outcome in read.outcomes] == [*(file.name for file in files), "gone.csv"]
    assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301 - our own


# Sharing out


def sized(*sizes: int) -> list[LandedFile]:
    return [LandedFile(f"{place:03}", Path(f"{place:03}"), size, 0, 0) for place, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "workers", "expected"),
    [
        ([10] * 8, 2, [20, 20, 20, 20]),
        ([10] * 8, 1, [80]),
        ([10, 10, 10], 8, [10, 10, 10]),
        ([50, 40, 30, 20, 10], 2, [30, 30, 40, 50]),
        ([100, 1, 1], 4, [102]),
        ([100, 6, 6], 4, [12, 100]),
        ([9, 9], 4, [18]),
        ([0, 0], 4, [0]),
        ([], 4, []),
    ],
)
def test_parts_are_of_about_one_size(sizes: list[int], workers: int, expected: list[int]) -> None:
    parts = split(sized(*sizes), workers, least=10)

    assert sorted(sum(file.size for file in part) for part in parts) == expected


@given(
    sizes=st.lists(st.integers(0, 100), max_size=40),
    workers=st.integers(1, 5),
    least=st.integers(0, 120),
)
def test_every_file_is_in_one_part_and_no_part_is_too_small(sizes: list[int], workers: int, least: int) -> None:
    files = sized(*sizes)

    parts = split(files, workers, least)

    assert sorted(file.name for part in parts for file in part) == [file.name for file in files]
    assert all([file.name for file in part] == sorted(file.name for file in part) for part in parts)
    assert len(parts) <= (2 * workers if workers > 1 else 1)
    assert len(parts) <= 1 or all(part and sum(file.size for file in part) >= least for part in parts)
    assert all(parts)
