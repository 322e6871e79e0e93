import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_assets.errors import PlatformError
from platform_assets.lake.snapshot import Part, Slice, Snapshot, changed_keys
from platform_assets.lake.table import ACCEPTED, CURRENT, Table
from platform_assets.lake.update import Update

HOURS = 3600


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "things")


def segment(table: Table, rows: Mapping[str, list[int]]) -> str:
    """A new segment with the numbers of some slices; its name."""
    path = table.new_segment()
    flat = [(key, number) for key, numbers in rows.items() for number in numbers]
    columns = {"_source_file": [key for key, _ in flat], "number": [number for _, number in flat]}
    pq.write_table(pa.table(columns), path)
    return path.name


def with_rows(
    table: Table, snapshot: Snapshot, rows: Mapping[str, list[int]], removed: tuple[str, ...] = ()
) -> Snapshot:
    name = segment(table, rows)
    slices = {key: Slice(f"{key}:{numbers}", name) for key, numbers in rows.items()}
    return snapshot.with_slices(slices, removed, {name: tuple(rows)})


def numbers(table: Table, snapshot: Snapshot, keys: list[str] | None = None) -> list[int]:
    found: list[int] = []
    for part in table.parts(snapshot, keys):
        rows = pq.read_table(part.path).to_pylist()
        found += [row["number"] for row in rows if part.keep is None or row["_source_file"] in part.keep]
    return sorted(found)


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_table_is_empty_before_its_first_version(table: Table) -> None:
    assert table.snapshot() == Snapshot()
    assert table.parts(table.snapshot()) == []


def test_a_published_version_is_what_the_next_reader_sees(table: Table) -> None:
    published = table.publish(with_rows(table, table.snapshot(), {"a": [1, 2], "b": [3]}).with_attributes(day="monday"))

    seen = Table(table.root).snapshot()

    assert seen == published
    assert (seen.version, seen.attributes, numbers(table, seen)) == (1, {"day": "monday"}, [1, 2, 3])


def test_a_slice_that_is_written_again_replaces_exactly_its_own_rows(table: Table) -> None:
    table.publish(with_rows(table, table.snapshot(), {"a": [1, 2], "b": [3]}))

    after = table.publish(with_rows(table, table.snapshot(), {"b": [30, 31], "c": [4]}))

    assert numbers(table, after) == [1, 2, 4, 30, 31]


def test_a_removed_slice_is_gone_while_its_neighbours_stay(table: Table) -> None:
    table.publish(with_rows(table, table.snapshot(), {"a": [1], "b": [2]}))

    after = table.publish(table.snapshot().with_slices({}, ("a",), {}))

    assert numbers(table, after) == [2]


def test_a_part_names_the_live_slices_only_where_some_rows_of_it_are_dead(table: Table) -> None:
    table.publish(with_rows(table, table.snapshot(), {"a": [1], "b": [2]}))
    table.publish(with_rows(table, table.snapshot(), {"b": [20]}))
    first, second = table.snapshot().holds

    assert table.parts(table.snapshot()) == [
        Part(table.segments / first, ("a",)),
        Part(table.segments / second, None),
    ]
    assert table.parts(table.snapshot(), ["b"]) == [Part(table.segments / second, None)]
    assert table.parts(table.snapshot(), []) == []


def test_some_slices_can_be_read_alone(table: Table) -> None:
    snapshot = table.publish(with_rows(table, table.snapshot(), {"a": [1], "b": [2], "c": [3]}))

    assert numbers(table, snapshot, ["a", "c"]) == [1, 3]


def test_a_segment_without_live_rows_is_forgotten(table: Table) -> None:
    table.publish(with_rows(table, table.snapshot(), {"a": [1]}))

    after = table.publish(with_rows(table, table.snapshot(), {"a": [2]}))

    assert (len(after.holds), numbers(table, after)) == (1, [2])


def test_of_two_runs_on_one_version_the_second_to_publish_is_refused(table: Table) -> None:
    start = table.snapshot()
    table.publish(with_rows(table, start, {"a": [1]}))

    with pytest.raises(PlatformError, match="changed from version 0 to 1"):
        table.publish(with_rows(table, start, {"a": [2]}))

    assert numbers(table, table.snapshot()) == [1]


def test_a_writer_killed_before_it_publishes_leaves_the_old_state(table: Table) -> None:
    before = table.publish(with_rows(table, table.snapshot(), {"a": [1]}))

    with_rows(table, before, {"a": [2], "b": [3]})  # segments are written, the version never is

    assert table.snapshot() == before
    assert numbers(table, table.snapshot()) == [1]


def test_a_writer_killed_between_version_and_pointer_leaves_the_old_state_and_can_run_again(table: Table) -> None:
    before = table.publish(with_rows(table, table.snapshot(), {"a": [1]}))
    (table.versions / "00000002.json").write_text('{"version": 2, "slices": {', encoding="utf-8")

    assert table.snapshot() == before
    after = table.publish(with_rows(table, before, {"a": [2]}))

    assert (after.version, numbers(table, table.snapshot())) == (2, [2])


def test_the_accepted_version_moves_only_when_it_is_told_to(table: Table) -> None:
    table.publish(with_rows(table, table.snapshot(), {"a": [1]}), pointers=(CURRENT, ACCEPTED))
    table.publish(with_rows(table, table.snapshot(), {"a": [2]}))

    assert (numbers(table, table.snapshot(ACCEPTED)), numbers(table, table.snapshot())) == ([1], [2])

    table.point(ACCEPTED)

    assert numbers(table, table.snapshot(ACCEPTED)) == [2]


def test_the_sweep_keeps_whatever_a_pointer_needs_however_old(table: Table) -> None:
    table.publish(with_rows(table, table.snapshot(), {"a": [1]}), pointers=(CURRENT, ACCEPTED))
    table.publish(with_rows(table, table.snapshot(), {"a": [2]}))
    for path in [*table.segments.iterdir(), *table.versions.iterdir()]:
        age(path, 100 * HOURS)

    table.publish(with_rows(table, table.snapshot(), {"b": [3]}))

    assert numbers(table, table.snapshot(ACCEPTED)) == [1]
    assert numbers(table, table.snapshot()) == [2, 3]


def test_the_sweep_deletes_what_no_version_has_needed_for_long(table: Table) -> None:
    old = table.publish(with_rows(table, table.snapshot(), {"a": [1]}))
    left = segment(table, {"z": [9]})  # of a writer that was killed
    table.publish(with_rows(table, table.snapshot(), {"a": [2]}))
    for path in [*table.segments.iterdir(), *table.versions.iterdir()]:
        age(path, 2 * HOURS)

    table.publish(with_rows(table, table.snapshot(), {"a": [3]}))

    assert not {left, *old.holds} & {path.name for path in table.segments.iterdir()}
    assert numbers(table, table.snapshot()) == [3]


def test_the_sweep_spares_a_version_that_was_current_a_moment_ago(table: Table) -> None:
    old = table.publish(with_rows(table, table.snapshot(), {"a": [1]}))
    for path in [*table.segments.iterdir(), *table.versions.iterdir()]:
        age(path, 100 * HOURS)

    table.publish(with_rows(table, table.snapshot(), {"a": [2]}))

    assert numbers(table, old) == [1], "somebody may still be reading it"


def test_segments_that_a_version_needs_besides_its_slices_are_kept(table: Table) -> None:
    extra = segment(table, {"x": [5]})
    table.publish(with_rows(table, table.snapshot(), {"a": [1]}).with_attributes(extra_segments=[extra]))
    age(table.segments / extra, 100 * HOURS)

    table.publish(with_rows(table, table.snapshot(), {"b": [2]}))

    assert (table.segments / extra).exists()


def test_a_version_that_names_a_segment_that_does_not_exist_is_never_published(table: Table) -> None:
    ghost = Snapshot().with_slices({"a": Slice("1", "ghost.parquet")}, (), {"ghost.parquet": ("a",)})
    table.new_segment()

    with pytest.raises(FileNotFoundError):
        table.publish(ghost)

    assert table.snapshot() == Snapshot()


def test_a_table_of_very_many_segments_is_fragmented(table: Table) -> None:
    def of(count: int) -> Snapshot:
        slices = {f"{number}": Slice("x", f"{number}.parquet") for number in range(count)}
        return Snapshot(slices=slices, holds={piece.segment: (key,) for key, piece in slices.items()})

    assert (table.is_fragmented(of(2)), table.is_fragmented(of(200))) == (False, True)


def test_facts_come_back_as_plain_data(table: Table) -> None:
    facts = {"rows": 3, "days": {"2024-01-01": 3}, "amount": "1.5000", "notes": ["x"]}
    name = segment(table, {"a": [1]})

    table.publish(Snapshot().with_slices({"a": Slice("1", name, facts)}, (), {name: ("a",)}))

    assert table.snapshot().slices["a"].facts == facts
    assert json.loads(next(table.versions.glob("*.json")).read_text(encoding="utf-8"))["version"] == 1


def test_an_update_without_news_publishes_nothing(table: Table) -> None:
    before = table.publish(with_rows(table, table.snapshot(), {"a": [1]}))

    assert Update(before, is_news=False).publish(table) == before
    assert table.snapshot().version == 1


def test_an_update_without_news_still_opens_what_was_held_back(table: Table) -> None:
    before = table.publish(with_rows(table, table.snapshot(), {"a": [1]}))
    assert table.snapshot(ACCEPTED).version == 0

    Update(before, (CURRENT, ACCEPTED), is_news=False).publish(table)

    assert table.snapshot(ACCEPTED) == before


def test_keys_are_compared_by_their_ids() -> None:
    wanted, present = {"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "old", "d": "4"}

    assert changed_keys(wanted, present) == (["a", "c"], ["d"])


def test_a_rewritten_version_is_what_every_pointer_to_it_leads_to(table: Table) -> None:
    first = table.publish(with_rows(table, table.snapshot(), {"a": [1]}), pointers=(CURRENT, ACCEPTED))
    table.publish(with_rows(table, first, {"b": [2]}))

    table.rewrite(lambda snapshot: snapshot.with_attributes(seen=len(snapshot.slices)))

    assert [table.snapshot(pointer).attributes["seen"] for pointer in (ACCEPTED, CURRENT)] == [1, 2]
    assert [table.snapshot(pointer).version for pointer in (ACCEPTED, CURRENT)] == [1, 2]


def test_a_rewrite_that_changes_nothing_writes_nothing(table: Table) -> None:
    table.publish(with_rows(table, table.snapshot(), {"a": [1]}))
    before = [path.stat().st_ino for path in sorted(table.versions.iterdir())]

    table.rewrite(lambda snapshot: snapshot)

    assert [path.stat().st_ino for path in sorted(table.versions.iterdir())] == before


def test_a_sweep_leaves_what_pointers_lead_to_and_nothing_else(table: Table) -> None:
    first = table.publish(with_rows(table, table.snapshot(), {"a": [1]}), pointers=(CURRENT, ACCEPTED))
    second = table.publish(with_rows(table, first, {"a": [2]}))
    table.publish(with_rows(table, second, {"a": [3]}))
    segment(table, {"a": [4]})

    table.sweep()

    assert len(list(table.versions.iterdir())) == len(list(table.segments.iterdir())) == 2
    assert numbers(table, table.snapshot()) == [3]
    assert numbers(table, table.snapshot(ACCEPTED)) == [1]


def test_a_table_that_is_not_there_is_neither_rewritten_nor_swept(table: Table) -> None:
    table.rewrite(lambda snapshot: snapshot.with_attributes(seen=True))
    table.sweep()

    assert not table.root.exists()
