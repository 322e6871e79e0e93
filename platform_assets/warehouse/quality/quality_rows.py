"""Assessments in the shape of the quality tables."""

from collections.abc import Iterable

import pyarrow as pa

from platform_assets.engines.engine import INSTANT, MONEY
from platform_assets.quality.ledger import PARTS
from platform_assets.quality.results import Assessment

CHECK_RESULTS_SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("evaluated_at", INSTANT),
        ("dataset", pa.string()),
        ("rule", pa.string()),
        ("kind", pa.string()),
        ("dimension", pa.string()),
        ("severity", pa.string()),
        ("verdict", pa.string()),
        ("passed", pa.bool_()),
        ("shuts_gate", pa.bool_()),
        ("rows_checked", pa.int64()),
        ("rows_failed", pa.int64()),
        ("rows_pending", pa.int64()),
        ("rows_resolved", pa.int64()),
        ("score", pa.float64()),
        ("threshold", pa.float64()),
        ("warn_threshold", pa.float64()),
        ("description", pa.string()),
        ("note", pa.string()),
        ("contract_version", pa.string()),
        ("as_of_date", pa.date32()),
    ]
)
LEDGER_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("source_file", pa.string()),
        *((f"rows_{part}", pa.int64()) for part in PARTS),
        *((f"amount_{part}", MONEY) for part in PARTS),
        ("rows_corrected", pa.int64()),
        ("status", pa.string()),
        ("content_hash", pa.string()),
    ]
)


_PLAIN = (
    "dataset",
    "rule",
    "passed",
    "shuts_gate",
    "rows_checked",
    "rows_failed",
    "rows_pending",
    "rows_resolved",
    "score",
    "threshold",
    "warn_threshold",
    "description",
    "note",
)


def check_rows(assessments: Iterable[Assessment]) -> pa.Table:
    """One row per check of the run that judged."""
    lines = [
        {
            "run_id": assessment.run_id,
            "evaluated_at": assessment.evaluated_at.replace(tzinfo=None),
            "as_of_date": assessment.as_of,
            "contract_version": assessment.contract_version,
            **{name: getattr(result, name) for name in _PLAIN},
            **{name: getattr(result, name).value for name in ("kind", "dimension", "severity", "verdict")},
        }
        for assessment in assessments
        for result in assessment.results
    ]
    return pa.Table.from_pylist(lines, schema=CHECK_RESULTS_SCHEMA)


def ledger_rows(assessments: Iterable[Assessment]) -> pa.Table:
    """One row per raw file."""
    lines = [
        {
            "dataset": line.dataset,
            "source_file": line.source_file,
            **{f"rows_{part}": count for part, count in zip(PARTS, line.rows, strict=True)},
            **{f"amount_{part}": amount for part, amount in zip(PARTS, line.amounts, strict=True)},
            "rows_corrected": line.rows_corrected,
            "status": line.status,
            "content_hash": line.content_hash,
        }
        for assessment in assessments
        for line in assessment.ledger
    ]
    return pa.Table.from_pylist(lines, schema=LEDGER_SCHEMA)
