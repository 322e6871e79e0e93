"""Taking forgotten people out of the lake: every version that is named, segment by segment, and no other stays.

Belongs here: which table is rewritten how. Does not belong here: what becomes of a row (``people``).

Raw, rejected, corrected, staged, quarantined and conformed rows are rewritten where they lie; the slices they are of
get other ids, so that the next run computes anew what follows from exactly those files. Killed in the middle, doing it
again completes it: each table changes in one step, and what is done already is found to be done.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.marks import FORGOTTEN_FACT, slice_id
from platform_assets.erasure.people import People, Who, id_columns, personal_columns
from platform_assets.lake.segments import parquet_files
from platform_assets.lake.snapshot import Slice, Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.writing import SegmentWriter
from platform_assets.transforms.core_sales import SALES_DATASETS
from platform_assets.transforms.forgotten import without_forgotten
from platform_assets.transforms.schemas import SOURCE_FILE

Rewrite: TypeAlias = Callable[[pa.Table], tuple[pa.Table, Who]]
"""Rows without people, and whose were found."""

Change: TypeAlias = Callable[[Snapshot, Mapping[str, Who]], Snapshot]
"""A version with what follows from who was found, by segment and file."""

_OF_FILES = frozenset({"raw", "rejects", "corrections", "staging", "assessment", "deliveries"})
"""Layers whose tables know files by the hash of their content."""

_PROSE = frozenset({"reason", "remedy", "reasons", "note", "notes", "examples"})
"""Attributes and facts that are sentences, in which a cell may be quoted."""


@dataclass(frozen=True)
class _Rewritten:
    """What rewriting a table's segments gave: new names, and who was found, by segment and file."""

    names: Mapping[str, str]
    found: Mapping[str, Who]


def lake_tables(lake: Path) -> Iterator[tuple[str, Table]]:
    """Every table of a lake with its layer."""
    for pointer in sorted(lake.glob("*/*/current")):
        yield pointer.parent.parent.name, Table(pointer.parent)


def erase_lake(lake: Path, people: People) -> None:
    """Take people out of every table whose rows are kept as they were read; what follows is for the next run."""

    def scrub(snapshot: Snapshot) -> Snapshot:
        return _scrubbed(snapshot, people)

    forget_past(lake)
    for dataset, contract in CONTRACTS.items():
        _erase_read(lake, dataset, contract, people)
        for layer, change in (("corrections", _with_corrections), ("staging", _with_pieces)):
            _erase(Table(lake / layer / dataset), _rows(contract, people), change, people, _ids(contract))
        _erase(Table(lake / "quarantine" / dataset), _lines(contract, people), _unchanged, people)
        for layer in ("assessment", "deliveries"):
            Table(lake / layer / dataset).rewrite(scrub)
    _erase(Table(lake / "core" / "sales"), _sales(people), _unchanged, people, ["customer_id"])


def rebind(lake: Path, dataset: str, before: str, after: str) -> None:
    """Let a dataset's tables know a file by the hash of its new content, which says the same but for people.

    What was read of it, corrected in it and known of its delivery stays; its slices are those of reading it now.
    """

    def change(snapshot: Snapshot) -> Snapshot:
        slices = {}
        for name, piece in snapshot.slices.items():
            facts = {key: value for key, value in piece.facts.items() if key != FORGOTTEN_FACT}
            if piece.facts.get("content_hash") == before:
                identity = slice_id(piece.id).replace(before, after)
                slices[name] = replace(piece, id=identity, facts=_mapped(facts, {before: after}))
            else:
                slices[name] = piece
        return replace(snapshot, slices=slices, attributes=_mapped(snapshot.attributes, {before: after}))

    for layer, table in lake_tables(lake):
        if table.root.name == dataset and layer in _OF_FILES:
            table.rewrite(change)


def forget_past(lake: Path) -> None:
    """Delete every version and segment that no pointer leads to: what the run has replaced."""
    for _, table in lake_tables(lake):
        table.sweep()


def _erase_read(lake: Path, dataset: str, contract: Contract, people: People) -> None:
    """Rows and rejected lines of a dataset; both have the slices of its files, which get the same ids."""
    tables = Table(lake / "raw" / dataset), Table(lake / "rejects" / dataset)
    rewritten = [
        _rewritten(tables[0], _rows(contract, people), _ids(contract)),
        _rewritten(tables[1], people.without_lines),
    ]
    found: dict[str, frozenset[str]] = {}
    for table, done in zip(tables, rewritten, strict=True):
        snapshot = table.snapshot()
        for name, piece in snapshot.slices.items():
            here = done.found.get(piece.segment, {}).get(name, frozenset())
            before = frozenset(piece.facts.get(FORGOTTEN_FACT, []))
            found[name] = found.get(name, frozenset()) | here | before
    for table, done in zip(tables, rewritten, strict=True):
        _publish(table, done, lambda snapshot, _: _with_found(snapshot, found), people)


def _erase(
    table: Table,
    rewrite: Rewrite,
    change: Change,
    people: People,
    probe: Sequence[str] | None = None,
) -> None:
    done = _rewritten(table, rewrite, probe)
    if done.names:
        _publish(table, done, change, people)


def _publish(table: Table, done: _Rewritten, change: Change, people: People) -> None:
    """Let the versions name the new segments, and delete the old ones."""
    table.rewrite(lambda snapshot: _scrubbed(_renamed(change(snapshot, done.found), done), people))
    table.sweep()


def _rewritten(table: Table, rewrite: Rewrite, probe: Sequence[str] | None = None) -> _Rewritten:
    """Write every segment anew that has something to take out, as some columns tell; nothing is published."""
    names: dict[str, str] = {}
    found: dict[str, Who] = {}
    if not table.segments.is_dir():
        return _Rewritten(names, found)
    for segment in sorted(table.segments.iterdir()):
        if any(not after.equals(rows) for rows, after, _ in _passed(segment, rewrite, probe)):
            beside = table.new_segment()
            found[segment.name] = _copied(segment, beside, rewrite)
            names[segment.name] = beside.name
    return _Rewritten(names, found)


def _passed(
    segment: Path, rewrite: Rewrite, columns: Sequence[str] | None = None
) -> Iterator[tuple[pa.Table, pa.Table, Who]]:
    """The rows of a segment in small tables, before and after; of some columns, as far as it has them."""
    for file in parquet_files(segment):
        source = pq.ParquetFile(file)
        chosen = None if columns is None else [name for name in columns if name in source.schema_arrow.names]
        for batch in source.iter_batches(columns=chosen):
            rows = pa.Table.from_batches([batch])
            yield rows, *rewrite(rows)


def _copied(segment: Path, beside: Path, rewrite: Rewrite) -> Who:
    """Write a segment anew, row by row; tells who was taken out."""
    found: dict[str, frozenset[str]] = {}
    with SegmentWriter(beside, pq.read_schema(parquet_files(segment)[0])) as writer:
        for _, after, who in _passed(segment, rewrite):
            for name, people in who.items():
                found[name] = found.get(name, frozenset()) | people
            for part in after.combine_chunks().to_batches():
                writer.add(part)
    return found


def _ids(contract: Contract) -> list[str]:
    return [SOURCE_FILE, *(column.name for column in id_columns(contract))]


def _rows(contract: Contract, people: People) -> Rewrite:
    return lambda rows: people.without(rows, contract)


def _lines(contract: Contract, people: People) -> Rewrite:
    """Lines of the quarantine: what stands in them depends on their kind."""

    def rewrite(rows: pa.Table) -> tuple[pa.Table, Who]:
        lines = rows.to_pylist()
        for line in lines:
            line["raw"] = quarantined_text(line["raw"], line["kind"], contract, people)
            line["reasons"] = people.text(line["reasons"] or "", is_prose=True)
        return pa.Table.from_pylist(lines, schema=rows.schema), {}

    return rewrite


def quarantined_text(raw: str | None, kind: str, contract: Contract, people: People) -> str | None:
    """The text of a quarantined line without people: of a row's by its columns, of another's by its words."""
    if not raw:
        return raw
    return people.line(raw, contract) if kind == "row" else people.text(raw)


def _sales(people: People) -> Rewrite:
    """Sale lines of all datasets: the columns have the names that the contract with all of them gives them."""
    widest = max((CONTRACTS[name] for name in SALES_DATASETS), key=lambda contract: len(personal_columns(contract)))

    def rewrite(rows: pa.Table) -> tuple[pa.Table, Who]:
        after, _ = people.without(rows, widest)
        return _as_guests(after), {}

    return rewrite


def _as_guests(rows: pa.Table) -> pa.Table:
    names = [name for name in ("customer_id", "customer_name") if name in rows.column_names]
    schema: pa.Schema = rows.schema
    return without_forgotten(nw.from_native(rows).lazy(), names).collect().to_native().cast(schema)


def _renamed(snapshot: Snapshot, done: _Rewritten) -> Snapshot:
    """The version with the new segments in the places of the old ones."""
    names = done.names
    slices = {
        key: replace(piece, segment=names.get(piece.segment, piece.segment)) for key, piece in snapshot.slices.items()
    }
    holds = {names.get(name, name): keys for name, keys in snapshot.holds.items()}
    return replace(snapshot, slices=slices, holds=holds, attributes=_mapped(snapshot.attributes, names))


def _mapped(data: Any, names: Mapping[str, str]) -> Any:
    """Plain data in which names of segments are the new ones."""
    if isinstance(data, Mapping):
        return {key: _mapped(value, names) for key, value in data.items()}
    if isinstance(data, list):
        return [_mapped(value, names) for value in data]
    return names.get(data, data) if isinstance(data, str) else data


def _with_found(snapshot: Snapshot, found: Mapping[str, frozenset[str]]) -> Snapshot:
    """Raw slices that say who was taken out of them."""
    slices = {}
    for name, piece in snapshot.slices.items():
        people = found.get(name, frozenset())
        facts = {**piece.facts, FORGOTTEN_FACT: sorted(people)} if people else piece.facts
        slices[name] = replace(piece, id=slice_id(piece.id, people), facts=facts)
    return replace(snapshot, slices=slices)


def _with_corrections(snapshot: Snapshot, found: Mapping[str, Who]) -> Snapshot:
    """Corrections with other ids where their rows are others."""
    slices = {
        name: _reidentified(piece, found.get(piece.segment, {}).get(name, frozenset()))
        for name, piece in snapshot.slices.items()
    }
    return replace(snapshot, slices=slices)


def _reidentified(piece: Slice, people: frozenset[str]) -> Slice:
    return replace(piece, id=_next_id(piece.id, people)) if people else piece


def _with_pieces(snapshot: Snapshot, found: Mapping[str, Who]) -> Snapshot:
    """A staged version whose files have other ids to those who read it, where their rows are others."""
    pieces = {name: dict(piece) for name, piece in snapshot.attributes.get("pieces", {}).items()}
    for name, piece in pieces.items():
        held = snapshot.slices.get(name)
        people = found.get(held.segment, {}).get(name, frozenset()) if held else frozenset()
        if people:
            piece["id"] = _next_id(piece["id"], people)
    return snapshot.with_attributes(pieces=pieces) if pieces else snapshot


def _next_id(identity: str, people: frozenset[str]) -> str:
    return hashlib.sha256(json.dumps([identity, sorted(people)]).encode()).hexdigest()[:32]


def _unchanged(snapshot: Snapshot, _: Mapping[str, Who]) -> Snapshot:
    return snapshot


def _scrubbed(snapshot: Snapshot, people: People) -> Snapshot:
    """The version with sentences that name nobody."""
    slices = {name: replace(piece, facts=_told(piece.facts, people)) for name, piece in snapshot.slices.items()}
    return replace(snapshot, slices=slices, attributes=_told(snapshot.attributes, people))


def _told(data: Any, people: People, *, is_prose: bool = False) -> Any:
    if isinstance(data, Mapping):
        return {key: _told(value, people, is_prose=is_prose or key in _PROSE) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_told(value, people, is_prose=is_prose) for value in data]
    return people.text(data, is_prose=True) if is_prose and isinstance(data, str) else data
