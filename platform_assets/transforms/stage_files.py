"""Stage the files that are new, and keep what was staged before."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.readings import Reading, reading_from_json
from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.snapshot import Part, Slice, Snapshot, changed_keys
from platform_assets.lake.table import Table
from platform_assets.transforms.corrections import Corrections, corrected, readings_of_corrections
from platform_assets.transforms.facts import file_facts, no_facts
from platform_assets.transforms.file_dates import file_dates
from platform_assets.transforms.schemas import raw_schema, staged_schema
from platform_assets.transforms.staging import staged

STAGED_BY = 1
"""Raise it when this package stages the same rows otherwise, so that every file is staged again."""


def stage_files(
    contract: Contract, raw: Table, corrections: Corrections, staging: Table, engine: Engine
) -> tuple[Snapshot, list[str]]:
    """Bring the staged table to the state of the raw one with its corrections.

    Args:
        contract: The dataset's contract.
        raw: The raw table; its current version is read.
        corrections: Rows that stand in for raw ones; a file is staged again when its corrections change.
        staging: The staged table; segments are written, nothing is published.
        engine: What computes.

    Returns:
        The next version of the staged table, and the files that were staged.
    """
    source, before = raw.snapshot(), staging.snapshot()
    wanted = {name: _slice_id(contract, piece, corrections.to(source, name)) for name, piece in source.slices.items()}
    write, removed = changed_keys(wanted, before.ids)
    if not write:
        return before.with_slices({}, removed, {}), []
    segment = staging.new_segment()
    frame = _staged_frame(contract, raw, source, corrections, engine, names=write)
    engine.write(frame, segment, staged_schema(contract))
    rows = engine.scan([Part(segment, None)], staged_schema(contract))
    counted = file_facts(rows, contract, engine)
    slices = {
        name: Slice(wanted[name], segment.name, {**_facts(source, corrections, name), **counted.get(name, no_facts())})
        for name in write
    }
    after = before.with_slices(slices, removed, {segment.name: tuple(write)})
    return compacted(after, staging, contract, engine), write


def compacted(snapshot: Snapshot, table: Table, contract: Contract, engine: Engine) -> Snapshot:
    """The same rows in one segment, when they lie in so many that reading suffers."""
    if not table.is_fragmented(snapshot):
        return snapshot
    segment = table.new_segment()
    schema = staged_schema(contract)
    engine.write(engine.scan(table.parts(snapshot), schema), segment, schema)
    slices = {name: replace(piece, segment=segment.name) for name, piece in snapshot.slices.items()}
    return snapshot.with_slices(slices, (), {segment.name: tuple(sorted(slices))})


def _slice_id(contract: Contract, raw_slice: Slice, correction: Slice | None) -> str:
    text = f"{STAGED_BY}:{fingerprint(contract)}:{raw_slice.id}"
    if correction:
        text += f":{correction.id}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _facts(source: Snapshot, corrections: Corrections, name: str) -> dict[str, Any]:
    """What reading the file gave; a rejected line that is corrected is a row."""
    facts, correction = source.slices[name].facts, corrections.to(source, name)
    rows, lines = (correction.facts["rows"], correction.facts["lines"]) if correction else (0, 0)
    return {**facts, "rows_rejected": facts["rows_rejected"] - lines, "rows_corrected": rows}


def _staged_frame(
    contract: Contract, raw: Table, source: Snapshot, corrections: Corrections, engine: Engine, *, names: list[str]
) -> Frame:
    """One frame per way of writing columns, because expressions depend on it; most datasets have one."""
    frames = []
    for alike in _alike(source, names).values():
        readings = _readings(source.slices[alike[0]])
        rows = engine.scan(raw.parts(source, alike), raw_schema(contract))
        rows, instead = corrected(rows, corrections.rows(source, alike, contract), engine)
        dates = file_dates(alike, contract, engine)
        frames.append(staged(rows, contract, readings, dates))
        if instead is not None:
            frames.append(staged(instead, contract, readings_of_corrections(contract, readings), dates))
    return frames[0] if len(frames) == 1 else engine.concat(frames, staged_schema(contract))


def _alike(source: Snapshot, names: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(str(source.slices[name].facts["readings"]), []).append(name)
    return groups


def _readings(piece: Slice) -> Mapping[str, Reading]:
    return {name: reading_from_json(data) for name, data in piece.facts["readings"].items()}
