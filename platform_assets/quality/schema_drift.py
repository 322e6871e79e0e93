"""Columns that come, go, or change their type.

Belongs here: files beside the contract and beside the delivery before. Does not belong here: matching headers
(``ingestion.headers``), refusing a file that lacks a required column (there, too), setting rows aside whose cell cannot
be read (the ``<column>_readable`` rules).
"""

import csv
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw

from platform_assets.config import Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import Readable
from platform_assets.contracts.rules import Dimension, Severity, broken_flag
from platform_assets.engines.engine import Engine
from platform_assets.ingestion.headers import LOST_COLUMNS, normalise
from platform_assets.lake.snapshot import Slice, Snapshot
from platform_assets.lake.table import Table
from platform_assets.quality.check_names import SCHEMA
from platform_assets.quality.deliveries import History
from platform_assets.quality.results import CheckResult, Kind, Verdict, verdict_of
from platform_assets.transforms.schemas import RAW_LINE, SOURCE_ROW, staged_schema

_TOLD = 5
_LOOKED_UP = 3
_MOST_LETTERS = 40


@dataclass(frozen=True)
class Retyped:
    """A column of a file of which at least half the values cannot be read as its type."""

    file: str
    rule: Readable
    unreadable: int
    values: int


def retyped_columns(contract: Contract, snapshot: Snapshot) -> list[Retyped]:
    """Columns of live files that seem to be of another type than the contract says, by file."""
    rules = [rule for rule in contract.rules if isinstance(rule, Readable)]
    found = []
    for name, piece in sorted(snapshot.slices.items()):
        for rule in rules:
            unreadable = piece.facts["broken"].get(rule.id, 0)
            values = piece.facts["rows"] - piece.facts["missing"].get(rule.column, 0)
            if unreadable and unreadable * 2 >= values:
                found.append(Retyped(name, rule, unreadable, values))
    return found


def with_examples(history: History, contract: Contract, table: Table, snapshot: Snapshot, engine: Engine) -> History:
    """The history with a cell of the first columns that seem retyped; looked up once per file and column.

    Args:
        history: What is known.
        contract: The dataset's contract; cells of personal columns are not looked up.
        table: Its staged table.
        snapshot: The staged version.
        engine: What looks.
    """
    examples = {}
    for found in retyped_columns(contract, snapshot)[:_LOOKED_UP]:
        key = _key(snapshot.slices[found.file], found)
        if key in history.examples:
            examples[key] = history.examples[key]
        elif not contract.column(found.rule.column).personal:
            examples[key] = _first_cell(found, contract, table, snapshot, engine)
    return replace(history, examples=examples)


def schema_result(
    contract: Contract,
    snapshot: Snapshot,
    refused: Mapping[str, Mapping[str, Any]],
    history: History,
    *,
    ignored: Collection[str],
    thresholds: Thresholds,
) -> CheckResult:
    """Whether every file has the columns of the contract and no others.

    Args:
        contract: The dataset's contract.
        snapshot: The staged version.
        refused: Files that were refused, with their reason and remedy.
        history: The deliveries, with examples.
        ignored: Headers that are no news.
        thresholds: What the share of such files must reach; by default less than all is a warning, and none fails.
    """
    unknown = {name: found for name, piece in snapshot.slices.items() if (found := _unknown(piece, ignored))}
    retyped = retyped_columns(contract, snapshot)
    lost = {name: refusal for name, refusal in refused.items() if refusal["reason"].startswith(LOST_COLUMNS)}
    failed = len({*unknown, *(one.file for one in retyped), *lost})
    checked = len(snapshot.slices) + len(refused)
    score, limit = (1 - failed / checked if checked else None), thresholds.of_rule(SCHEMA)
    told = [_told_unknown(unknown), *_difference(history, contract, ignored)]
    told += [_told_retyped(one, contract, snapshot, history) for one in retyped[:_TOLD]]
    told += [_told_lost(name, refusal) for name, refusal in sorted(lost.items())[:_TOLD]]
    return CheckResult(
        dataset=contract.dataset,
        rule=SCHEMA,
        kind=Kind.FILES,
        dimension=Dimension.VALIDITY,
        severity=Severity.WARN,
        verdict=Verdict.PASS if score is None else verdict_of(score, limit),
        rows_checked=checked,
        rows_failed=failed,
        score=score,
        threshold=limit.fail,
        warn_threshold=limit.warn,
        description="every file has the columns of the contract, of their types, and no others",
        note="; ".join(filter(None, told)),
        examples=tuple(f"{name}: {', '.join(found)}" for name, found in sorted(unknown.items())[:_TOLD]),
        shuts_gate=limit.fail is not None,
    )


def _unknown(piece: Slice, ignored: Collection[str]) -> list[str]:
    return _without(piece.facts["unknown_columns"], ignored)


def _without(headers: Collection[str], ignored: Collection[str]) -> list[str]:
    silent = {normalise(header) for header in ignored}
    return [header for header in headers if normalise(header) not in silent]


def _told_unknown(unknown: Mapping[str, list[str]]) -> str:
    files = Counter(header for found in unknown.values() for header in found)
    told = [f"{header!r} ({count:,} {_files(count)})" for header, count in files.most_common(_TOLD)]
    more = f" and {len(files) - _TOLD:,} more" if len(files) > _TOLD else ""
    return f"not in the contract: {', '.join(told)}{more}" if told else ""


def _difference(history: History, contract: Contract, ignored: Collection[str]) -> list[str]:
    """What the last delivery has otherwise than the one before it."""
    if len(history.deliveries) < 2:  # noqa: PLR2004 - nothing to compare with
        return []
    before, last = history.deliveries[-2:]
    new = [header for header in _without(last.unknown, ignored) if header not in before.unknown]
    come = [name for name in contract.column_names if name in last.columns and name not in before.columns]
    gone = [name for name in contract.column_names if name in before.columns and name not in last.columns]
    gone += [header for header in _without(before.unknown, ignored) if header not in last.unknown]
    told = {"new since the delivery before": [*new, *come], "no longer delivered": gone}
    return [f"{what}: {', '.join(names)}" for what, names in told.items() if names]


def _told_retyped(one: Retyped, contract: Contract, snapshot: Snapshot, history: History) -> str:
    cell = history.examples.get(_key(snapshot.slices[one.file], one), "")
    example = f", for example {cell!r}" if cell else ""
    kind = contract.column(one.rule.column).type.value
    return (
        f"{one.file}: {one.unreadable:,} of {one.values:,} values of {one.rule.column} cannot be read as "
        f"{kind}{example}"
    )


def _told_lost(name: str, refusal: Mapping[str, Any]) -> str:
    return f"{name} was refused: {' '.join(filter(None, (refusal['reason'], refusal.get('remedy'))))}"


def _first_cell(found: Retyped, contract: Contract, table: Table, snapshot: Snapshot, engine: Engine) -> str:
    """The first cell that cannot be read, from the line kept with the row; nothing where rows are not set aside."""
    rows = engine.scan(table.parts(snapshot, [found.file]), staged_schema(contract))
    broken = rows.filter(nw.col(broken_flag(found.rule)) & ~nw.col(RAW_LINE).is_null())
    lines = engine.collect(broken.select(SOURCE_ROW, RAW_LINE).sort(SOURCE_ROW).head(1)).to_pylist()
    if not lines:
        return ""
    cells = next(csv.reader([lines[0][RAW_LINE]]))
    return cells[contract.column_names.index(found.rule.column)][:_MOST_LETTERS]


def _key(piece: Slice, found: Retyped) -> str:
    return f"{piece.id}:{found.rule.column}"


def _files(count: int) -> str:
    return "file" if count == 1 else "files"
