"""Small loads for tests that break them off: a table of facts by file, a table merged from them, and a worker.

The state of all tables follows from the files: a mapping of their names to versions. Each version of a file has other
rows, computed here, so that every complete state is known in advance.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from decimal import Decimal
from itertools import chain
from multiprocessing.connection import Connection as Pipe
from typing import Any

import psycopg2
import pyarrow as pa
from psycopg2 import extensions

from platform_assets.errors import LoadError
from platform_assets.lake.snapshot import changed_keys
from platform_assets.warehouse.loading import bulk
from platform_assets.warehouse.loading.merge import merge_rows
from platform_assets.warehouse.loading.slices import SliceCounts, loaded_slices, replace_slices
from platform_assets_tests.warehouse.rows import query

FACTS, MEMBERS = "warehouse.crash_facts", "warehouse.crash_members"
DATASET = "crashes"
WORKER_NAME = "crash worker"
EXIT_REFUSED = 3

Files = Mapping[str, int]

TABLES = f"""
    CREATE TABLE {MEMBERS} (
        member_id text COLLATE "C" NOT NULL, lines bigint NOT NULL, turnover_amount numeric(18, 4) NOT NULL,
        CONSTRAINT crash_members_pkey PRIMARY KEY (member_id)
    );
    CREATE TABLE {FACTS} (
        source_system text COLLATE "C" NOT NULL, source_file text COLLATE "C" NOT NULL, source_row bigint NOT NULL,
        member_id text COLLATE "C" NOT NULL, amount numeric(18, 4) NOT NULL, words text,
        CONSTRAINT crash_facts_pkey PRIMARY KEY (source_system, source_file, source_row),
        CONSTRAINT crash_facts_member_fkey FOREIGN KEY (member_id) REFERENCES {MEMBERS}
    );
    CREATE INDEX crash_facts_member_id_idx ON {FACTS} (member_id);
    ALTER TABLE {MEMBERS} OWNER TO retail_owner;
    ALTER TABLE {FACTS} OWNER TO retail_owner;
"""

_MONEY = pa.decimal128(18, 4)
_FACTS_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("member_id", pa.string()),
        ("amount", _MONEY),
        ("words", pa.string()),
    ]
)
_MEMBERS_SCHEMA = pa.schema([("member_id", pa.string()), ("lines", pa.int64()), ("turnover_amount", _MONEY)])


def lines(file: str, version: int) -> list[dict[str, Any]]:
    """The rows of a version of a file: 40 to 70, the amounts all different."""
    start = version * 1_000 + sum(map(ord, file))
    return [
        {
            "source_system": DATASET,
            "source_file": file,
            "source_row": row,
            "member_id": f"m{(start + row) % 11}",
            "amount": Decimal(start * 100 + row).scaleb(-2),
            "words": None if row % 3 == 0 else f"{file} {version}",
        }
        for row in range(1, 40 + start % 31)
    ]


def facts_of(files: Files) -> list[tuple[str, str, int, Decimal, int]]:
    """What readers may see of a state: file, version, rows, sum of the amounts, rows as recorded."""
    found = []
    for file, version in sorted(files.items()):
        rows = lines(file, version)
        found.append((file, str(version), len(rows), sum(row["amount"] for row in rows), len(rows)))
    return found


def members_of(files: Files) -> dict[str, tuple[int, Decimal]]:
    """Lines and turnover by member."""
    found: dict[str, tuple[int, Decimal]] = {}
    for row in chain.from_iterable(lines(file, version) for file, version in files.items()):
        number, turnover = found.get(row["member_id"], (0, Decimal(0)))
        found[row["member_id"]] = number + 1, turnover + row["amount"]
    return found


_SEEN_FACTS = f"""
    SELECT source_file, slice_id, held.lines, held.total, loaded_rows
    FROM (SELECT source_file, count(*) AS lines, sum(amount) AS total FROM {FACTS} GROUP BY 1) AS held
    FULL JOIN (SELECT * FROM ops.loaded_slices WHERE table_name = '{FACTS}') AS recorded USING (source_file)
    ORDER BY 1
"""


def seen_facts(source: extensions.connection | str) -> list[tuple[Any, ...]]:
    """What a reader sees of the facts and of the record of what is loaded, in one snapshot."""
    return query(source, _SEEN_FACTS)


def seen_members(source: extensions.connection | str) -> dict[str, tuple[int, Decimal]]:
    """What a reader sees of the members, in one snapshot."""
    return {member: (number, turnover) for member, number, turnover in query(source, f"SELECT * FROM {MEMBERS}")}


def load_facts(connection: extensions.connection, files: Files) -> SliceCounts:
    """Bring the facts to a state, as the platform does: what is there already is not sent."""
    wanted = {file: str(version) for file, version in files.items()}
    changed, gone = changed_keys(wanted, loaded_slices(connection, FACTS, DATASET))
    slices = {(DATASET, file): wanted[file] for file in changed}
    removed = [(DATASET, file) for file in gone]
    return replace_slices(connection, FACTS, slices, removed, _FACTS_SCHEMA, _batches(files, changed))


def load_one(connection: extensions.connection, file: str, version: int) -> SliceCounts:
    """Bring one file to a version, and leave the others."""
    slices = {(DATASET, file): str(version)}
    return replace_slices(connection, FACTS, slices, [], _FACTS_SCHEMA, _batches({file: version}, [file]))


def _batches(files: Files, wanted: Iterable[str]) -> list[pa.RecordBatch]:
    rows = [row for file in wanted for row in lines(file, files[file])]
    batches: list[pa.RecordBatch] = pa.Table.from_pylist(rows, _FACTS_SCHEMA).to_batches(max_chunksize=25)
    return batches


def load_members(connection: extensions.connection, files: Files, *, delete_missing: bool) -> None:
    """Bring the members to a state; without deleting, those that facts still refer to stay."""
    rows = [(member, *values) for member, values in sorted(members_of(files).items())]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    table = pa.table(columns, schema=_MEMBERS_SCHEMA)
    merge_rows(
        connection, MEMBERS, ["member_id"], _MEMBERS_SCHEMA, table.to_batches(max_chunksize=4),
        delete_missing=delete_missing,
    )  # fmt: skip


def load(connection: extensions.connection, files: Files) -> None:
    """Bring all tables to a state: parents, children, and then parents nobody refers to any more go."""
    load_members(connection, files, delete_missing=False)
    load_facts(connection, files)
    load_members(connection, files, delete_missing=True)


def be_bulky() -> None:
    """Put constraints and indexes aside however few the rows are."""
    bulk.SMALLEST_BULK = 1
    bulk.SMALLEST_SHARE = 0.0


def work(address: str, files: Files, in_bulk: bool, begun: Pipe) -> None:
    """Load in a process of its own, which says when it begins, and which somebody may end at any moment."""
    if in_bulk:
        be_bulky()
    with closing(psycopg2.connect(f"{address} application_name='{WORKER_NAME}'")) as connection:
        begun.send_bytes(b"!")
        try:
            load(connection, files)
        except LoadError:
            raise SystemExit(EXIT_REFUSED) from None
