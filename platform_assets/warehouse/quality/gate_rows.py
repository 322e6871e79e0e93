"""The gates of a run in the shape of ``quality.gate_history``."""

from collections.abc import Iterable

import pyarrow as pa

from platform_assets.engines.engine import INSTANT
from platform_assets.quality.results import Assessment

GATE_HISTORY_SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("dataset", pa.string()),
        ("evaluated_at", INSTANT),
        ("as_of_date", pa.date32()),
        ("contract_version", pa.string()),
        ("has_rows", pa.bool_()),
        ("is_open", pa.bool_()),
        ("reasons", pa.string()),
        ("files_held_back", pa.int64()),
        ("rows_held_back", pa.int64()),
        ("accepted_until", pa.date32()),
        ("composite", pa.float64()),
    ]
)


def gate_rows(assessments: Iterable[Assessment]) -> pa.Table:
    """One row per dataset and the run that judged it."""
    lines = [
        {
            "run_id": one.run_id,
            "dataset": one.dataset,
            "evaluated_at": one.evaluated_at.replace(tzinfo=None),
            "as_of_date": one.as_of,
            "contract_version": one.contract_version,
            "has_rows": one.has_rows,
            "is_open": one.gate_is_open,
            # A line each, so a reason is one line.
            "reasons": "\n".join(" ".join(reason.split()) for reason in one.reasons),
            "files_held_back": one.held_back.files if one.held_back else None,
            "rows_held_back": one.held_back.rows if one.held_back else None,
            "accepted_until": one.held_back.since if one.held_back else None,
            "composite": one.composite,
        }
        for one in assessments
    ]
    return pa.Table.from_pylist(lines, schema=GATE_HISTORY_SCHEMA)
