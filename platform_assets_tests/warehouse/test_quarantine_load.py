"""The quarantine's history: what happened to a line between two loads, and what people did to it."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.slices import FileKey
from platform_assets.warehouse.quality.quarantine_load import FILES_SCHEMA, PLACES_SCHEMA, QuarantineLoad
from platform_assets.warehouse.quality.quarantine_records import (
    Deed,
    Line,
    Wanted,
    count_lines,
    events_of,
    groups,
    history,
    lines,
    record,
    totals,
)
from platform_assets.warehouse.quality.quarantine_rows import LOADED_SCHEMA
from platform_assets.warehouse.schema.sql_files import SQL
from platform_assets_tests.warehouse.rows import query

DATASET = "superstore_sales"


def line(row: int = 2, **changes: Any) -> dict[str, Any]:
    """A line of the first content of a.csv that breaks one rule."""
    values = {
        "dataset": DATASET,
        "source_file": "a.csv",
        "source_row": row,
        "kind": "row",
        "reasons": "sales_not_negative",
        "raw": f"line {row}",
        "content_hash": "one",
    }
    return values | changes


def judged(content: str = "one", kind: str = "row", why: str | None = None) -> dict[str, Any]:
    """How a.csv was judged."""
    place = {"dataset": DATASET, "source_file": "a.csv", "kind": kind, "content_hash": content}
    return {**place, "contract_version": "1-abc", "why": why}


def load(
    connection: Connection,
    run: str,
    rows: Sequence[dict[str, Any]],
    *,
    files: Sequence[dict[str, Any]] = (judged(),),
    duplicates: Sequence[int] = (),
) -> dict[str, int]:
    """Load the quarantine as a run does; the duplicates are lines of a.csv."""

    def duplicates_of(asked: Collection[FileKey]) -> Iterator[pa.RecordBatch]:
        assert list(asked) == [(DATASET, "a.csv")]
        found = [{"dataset": DATASET, "source_file": "a.csv", "source_row": row} for row in duplicates]
        yield from pa.Table.from_pylist(found, PLACES_SCHEMA).to_batches()

    batches = pa.Table.from_pylist(list(rows), LOADED_SCHEMA).to_batches()
    told = pa.Table.from_pylist(list(files), FILES_SCHEMA)
    return QuarantineLoad(LOADED_SCHEMA, batches, told, duplicates_of, run).apply(connection)


def events(connection: Connection, run: str | None = None) -> list[tuple[Any, ...]]:
    """Row, event, reasons and why of every event of a run, in their order."""
    return query(
        connection,
        "SELECT source_row, event, reasons, why FROM quality.quarantine_history"
        " WHERE run_id = %s OR %s IS NULL ORDER BY event_id",
        (run, run),
    )


def held(connection: Connection, **wanted: Any) -> list[Line]:
    return lines(connection, Wanted(with_discarded=True, **wanted))


REASON = "sales_not_negative"


@pytest.mark.parametrize(
    ("now", "files", "expected"),
    [
        ([line()], [judged()], []),
        ([], [judged()], [(2, "replayed", REASON, None)]),
        ([], [judged(why="the gate is shut: x")], [(2, "replayed", REASON, "the gate is shut: x")]),
        ([], [judged("two")], [(2, "superseded", REASON, "the file changed")]),
        ([], [], [(2, "superseded", REASON, "the file is gone")]),
        ([], [judged(kind="file")], [(2, "superseded", REASON, "the file is refused as a whole")]),
        ([line(reasons="quantity_positive")], [judged()], [(2, "kept", "quantity_positive", None)]),
        ([line(raw="corrected")], [judged()], [(2, "kept", REASON, None)]),
        ([line(content_hash="two")], [judged("two")], []),
        (
            [line(content_hash="two", reasons="quantity_positive")],
            [judged("two")],
            [(2, "kept", "quantity_positive", None)],
        ),
        (
            [line(content_hash="two", raw="other", reasons="quantity_positive")],
            [judged("two")],
            [(2, "superseded", REASON, "the file changed"), (2, "quarantined", "quantity_positive", None)],
        ),
        ([line(), line(3)], [judged()], [(3, "quarantined", REASON, None)]),
    ],
    ids=[
        "nothing happened",
        "passes",
        "passes, and waits behind a gate",
        "the file changed without it",
        "the file went",
        "the file is refused",
        "fails for another reason",
        "was corrected and still fails",
        "the file changed around it",
        "the file changed around it, another reason",
        "another line stands there",
        "a new one",
    ],
)
def test_what_happened_to_a_line_is_told_by_the_line_and_its_file(
    connection: Connection,
    now: list[dict[str, Any]],
    files: list[dict[str, Any]],
    expected: list[tuple[Any, ...]],
) -> None:
    load(connection, "r1", [line()])
    assert events(connection, "r1") == [(2, "quarantined", REASON, None)]

    load(connection, "r2", now, files=files)

    assert events(connection, "r2") == expected
    content = [(row["source_row"], row["reasons"], row["raw"], row["content_hash"]) for row in now]
    assert [(one.source_row, one.reasons, one.raw, one.content_hash) for one in held(connection)] == content
    # The same load once more, as after a kill, adds nothing.
    load(connection, "r3", now, files=files)
    assert events(connection, "r3") == []


def test_lines_that_passed_and_only_repeat_another_are_told_apart(connection: Connection) -> None:
    load(connection, "r1", [line(2), line(3), line(4)])

    counts = load(connection, "r2", [line(4)], duplicates=[3, 99])

    assert events(connection, "r2") == [(2, "replayed", REASON, None), (3, "duplicate", REASON, None)]
    assert counts == {"inserted": 0, "updated": 0, "deleted": 2, "unchanged": 1}
    assert events_of(connection, "r2") == {(DATASET, "replayed"): 1, (DATASET, "duplicate"): 1}


@pytest.mark.parametrize(
    ("now", "files", "expected"),
    [
        ([], [judged()], [(0, "replayed", "no header", "the file can be read now")]),
        ([], [judged("two")], [(0, "superseded", "no header", "the file changed")]),
        ([], [], [(0, "superseded", "no header", "the file is gone")]),
        (
            [line(0, kind="file", reasons="no header", raw=None, content_hash="two")],
            [judged("two", "file")],
            [(0, "kept", "no header", None)],
        ),
    ],
    ids=["the contract changed", "delivered again", "taken away", "delivered again, refused again"],
)
def test_a_refused_file_has_a_history_too(
    connection: Connection,
    now: list[dict[str, Any]],
    files: list[dict[str, Any]],
    expected: list[tuple[Any, ...]],
) -> None:
    refused = line(0, kind="file", reasons="no header", raw=None)
    load(connection, "r1", [refused], files=[judged(kind="file")])

    load(connection, "r2", now, files=files)

    assert events(connection, "r2") == expected


def test_a_correction_that_worked_is_superseded_once_its_file_changes(connection: Connection) -> None:
    load(connection, "r1", [line()])
    record(connection, "corrected", [Deed(line=held(connection)[0], raw="better")], actor="ann", why=None)
    load(connection, "r2", [])
    for run in ("r3", "r4"):
        load(connection, run, [], files=[judged("two")])

    assert events(connection)[2:] == [
        (2, "replayed", REASON, None),
        (2, "superseded", REASON, "the correction no longer applies: the file changed"),
    ]


def test_a_load_that_fails_leaves_table_and_history_as_they_were(connection: Connection) -> None:
    load(connection, "r1", [line()])

    with pytest.raises(LoadError):
        load(connection, "r2", [line(3), line(3)])

    assert events(connection) == [(2, "quarantined", REASON, None)]
    assert [one.source_row for one in held(connection)] == [2]


def test_a_deed_that_is_recorded_already_is_not_recorded_again(connection: Connection) -> None:
    load(connection, "r1", [line()])
    (found,) = held(connection)

    def correct(raw: str) -> int:
        return record(connection, "corrected", [Deed(line=found, raw=raw)], actor="ann", why="typing error")

    assert [correct("a"), correct("a"), correct("b"), correct("a")] == [1, 0, 1, 1]
    told = history(connection, DATASET, "a.csv", 2)
    assert [(one.event, one.actor, one.why) for one in told] == [
        ("quarantined", None, None),
        *[("corrected", "ann", "typing error")] * 3,
    ]


def test_a_discarded_line_stays_and_is_not_listed_until_it_is_corrected(connection: Connection) -> None:
    load(connection, "r1", [line(2), line(3)])
    first = held(connection, row=2)
    record(connection, "discarded", [Deed(line=one) for one in first], actor="ann", why="a test order")

    assert [(one.source_row, one.status) for one in held(connection)] == [(2, "discarded"), (3, "pending")]
    assert [one.source_row for one in lines(connection, Wanted())] == [3]
    load(connection, "r2", [line(2, reasons="quantity_positive"), line(3)])
    assert held(connection, row=2)[0].status == "discarded"

    record(connection, "corrected", [Deed(line=held(connection, row=2)[0], raw="b")], actor="bob", why=None)
    load(connection, "r3", [line(2, raw="b"), line(3)])
    (again,) = held(connection, row=2)
    assert (again.status, again.attempts) == ("pending", 2)


def test_a_line_that_comes_back_counts_from_then(connection: Connection) -> None:
    load(connection, "r1", [line()])
    load(connection, "r2", [line(reasons="quantity_positive")])
    load(connection, "r3", [])
    load(connection, "r4", [line()])

    (found,) = held(connection)
    born = query(connection, "SELECT event_at FROM quality.quarantine_history WHERE run_id = 'r4'")
    assert (found.attempts, [(found.first_seen_at,)]) == (0, born)


def test_lines_are_counted_by_each_of_their_reasons(connection: Connection) -> None:
    both = line(3, reasons="quantity_positive, sales_not_negative")
    torn = line(4, kind="line", reasons="has 2 fields, the header has 12")
    load(connection, "r1", [line(2), both, torn])
    query(
        connection,
        "INSERT INTO quality.row_ledger VALUES (%s, 'a.csv', 3, 1, 2, 0, 0, -7.5, 0, -7.5, 0, 0, 'read', 'one')",
        (DATASET,),
    )

    found = [(one.reason, one.kind, one.rows) for one in groups(connection, Wanted())]

    assert found == [
        ("sales_not_negative", "row", 2),
        ("has 2 fields, the header has 12", "line", 1),
        ("quantity_positive", "row", 1),
    ]
    for reason, _, count in found:
        assert count_lines(connection, Wanted(reason=reason)) == count
    (total,) = totals(connection, None)
    assert (total.rows, total.discarded, str(total.amount)) == (3, 0, "-7.5000")
    assert totals(connection, "product_catalog") == []


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (Wanted(dataset="product_catalog"), []),
        (Wanted(file="b.csv"), [2]),
        (Wanted(file="a.csv", row=3), [3]),
        (Wanted(files=("a.csv",)), [2, 3]),
        (Wanted(files=()), []),
        (Wanted(reason="sales"), []),
    ],
)
def test_lines_are_chosen_by_any_of_their_marks(connection: Connection, wanted: Wanted, rows: list[int]) -> None:
    other = {**judged(), "source_file": "b.csv"}
    load(connection, "r1", [line(2), line(3), line(2, source_file="b.csv")], files=[judged(), other])

    assert [one.source_row for one in lines(connection, wanted)] == rows


def test_lines_set_aside_before_there_was_a_history_are_given_one(empty_database: str) -> None:
    folder = SQL / "migrations"
    before = [path for path in sorted(folder.glob("*.sql")) if path.name < "0006"]
    (new,) = folder.glob("0007_*.sql")
    connection = psycopg2.connect(empty_database)
    for path in before:
        query(connection, path.read_text(encoding="utf-8"))
    query(connection, "INSERT INTO quality.quarantine VALUES ('d', 'a.csv', 2, 'row', 'x', 'raw')")
    query(
        connection,
        "INSERT INTO quality.row_ledger (dataset, source_file, rows_read, rows_rejected, rows_quarantined,"
        " rows_duplicate, rows_loaded, status, content_hash) VALUES ('d', 'a.csv', 1, 0, 1, 0, 0, 'read', 'one')",
    )

    query(connection, new.read_text(encoding="utf-8"))

    (found,) = held(connection)
    assert (found.status, found.attempts, found.content_hash) == ("pending", 0, "one")
    connection.close()
