"""The lines and rows that did not pass, with reason, file, line and raw text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import Rule, Severity, broken_flag
from platform_assets.engines.engine import Engine, Frame
from platform_assets.ingestion.rejects import REJECT_SCHEMA
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.transforms.accepted import excluded_rows
from platform_assets.transforms.corrections import Corrections, corrected, raw_with_corrections
from platform_assets.transforms.exclusions import line_rule, version_rules
from platform_assets.transforms.schemas import (
    QUARANTINED,
    RAW_LINE,
    SOURCE_FILE,
    SOURCE_ROW,
    staged_schema,
)
from platform_assets.transforms.staging import raw_lines

QUARANTINE_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("kind", pa.string()),
        ("reasons", pa.string()),
        ("raw", pa.string()),
    ]
)
"""``kind`` is ``row`` (breaks a rule), ``line`` (could not be taken apart) or ``file`` (refused; its row is 0)."""

_BY_ROW = [SOURCE_FILE, SOURCE_ROW]


@dataclass(frozen=True)
class Origin:
    """Where a dataset's rows come from: its tables, and the corrections it was staged with."""

    contract: Contract
    raw: Table
    rejects: Table
    corrections: Corrections
    staging: Table


def quarantine(origin: Origin, staged: Snapshot, refused: Mapping[str, Mapping[str, Any]], engine: Engine) -> Frame:
    """Everything of a version that is set aside.

    Args:
        origin: The dataset's tables.
        staged: The staged version, assessed.
        refused: Files refused as a whole.
        engine: What computes.

    Returns:
        Rows of ``QUARANTINE_SCHEMA``.
    """
    frames = [_broken_rows(origin, staged, engine), _rejected_lines(origin, engine)]
    frames.append(engine.from_arrow(_refused_files(origin.contract, refused)))
    late = _set_aside_by_version(origin, staged, engine)
    return engine.concat([*frames, late] if late is not None else frames, QUARANTINE_SCHEMA)


def _broken_rows(origin: Origin, staged: Snapshot, engine: Engine) -> Frame:
    """Rows that break a rule by themselves, but for those that only repeat another."""
    rows = engine.scan(origin.staging.parts(staged), staged_schema(origin.contract)).filter(nw.col(QUARANTINED))
    rules: list[Rule] = [rule for rule in origin.contract.row_rules if rule.severity is Severity.ERROR]
    excluded = excluded_rows(origin.staging, staged, origin.contract, engine)
    if excluded is not None:
        marks = [rule for rule in version_rules(origin.contract) if rule is not line_rule(origin.contract)]
        rows = rows.join(_duplicates(origin.contract, excluded).select(_BY_ROW), on=_BY_ROW, how="anti")
        rows = rows.join(excluded.select(*_BY_ROW, *map(broken_flag, marks)), on=_BY_ROW, how="left")
        rules += marks
    return _shaped(rows, origin.contract, "row", _reasons(rules), nw.col(RAW_LINE))


def _set_aside_by_version(origin: Origin, staged: Snapshot, engine: Engine) -> Frame | None:
    """Rows that are in order by themselves and set aside because of others; their raw line is looked up."""
    excluded = excluded_rows(origin.staging, staged, origin.contract, engine)
    marks = [rule for rule in version_rules(origin.contract) if rule is not line_rule(origin.contract)]
    if excluded is None or not marks:
        return None
    duplicates = _duplicates(origin.contract, excluded).select(_BY_ROW)
    rows = excluded.filter(~nw.col(QUARANTINED)).join(duplicates, on=_BY_ROW, how="anti")
    files = set(engine.collect(rows.select(SOURCE_FILE).unique(SOURCE_FILE))[SOURCE_FILE].to_pylist())
    raw = raw_with_corrections(origin.contract, origin.raw, origin.corrections, files, engine)
    lines = raw_lines(raw, origin.contract)
    rows = rows.join(lines.select(*_BY_ROW, RAW_LINE), on=_BY_ROW, how="left")
    return _shaped(rows, origin.contract, "row", _reasons(marks), nw.col(RAW_LINE))


def _duplicates(contract: Contract, excluded: Frame) -> Frame:
    rule = line_rule(contract)
    return excluded.filter(nw.col(broken_flag(rule)) if rule else nw.lit(value=False))


def _rejected_lines(origin: Origin, engine: Engine) -> Frame:
    snapshot = origin.rejects.snapshot()
    rows = engine.scan(origin.rejects.parts(snapshot), REJECT_SCHEMA)
    corrections = origin.corrections.rows(origin.raw.snapshot(), snapshot.slices, origin.contract)
    rows, _ = corrected(rows, corrections, engine)
    return _shaped(rows, origin.contract, "line", nw.col("reason"), nw.col("raw"))


def _refused_files(contract: Contract, refused: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    lines = [
        {
            "dataset": contract.dataset,
            "source_file": name,
            "source_row": 0,
            "kind": "file",
            "reasons": " ".join(filter(None, (refusal["reason"], refusal.get("remedy")))),
            "raw": None,
        }
        for name, refusal in sorted(refused.items())
    ]
    return pa.Table.from_pylist(lines, schema=QUARANTINE_SCHEMA)


def _reasons(rules: list[Rule]) -> nw.Expr:
    names = [nw.when(nw.col(broken_flag(rule))).then(nw.lit(rule.id)) for rule in rules]
    return nw.concat_str(names, separator=", ", ignore_nulls=True)


def _shaped(rows: Frame, contract: Contract, kind: str, reasons: nw.Expr, raw: nw.Expr) -> Frame:
    return rows.select(
        nw.lit(contract.dataset).alias("dataset"),
        nw.col(SOURCE_FILE).alias("source_file"),
        nw.col(SOURCE_ROW).alias("source_row"),
        nw.lit(kind).alias("kind"),
        reasons.alias("reasons"),
        raw.alias("raw"),
    )
