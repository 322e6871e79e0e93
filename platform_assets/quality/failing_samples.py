"""Samples of failing rows as plain data: how they are kept between the step that judges and those that report.

Belongs here: their shape in the record and in the table. Does not belong here: which rows they are (``samples``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from platform_assets.quality.results import Assessment

SAMPLES_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("rule", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("cells", pa.string()),
    ]
)

Samples = Mapping[str, Sequence[Mapping[str, Any]]]


def sample_records(samples: Samples) -> dict[str, list[dict[str, Any]]]:
    """Rows by rule, as ``samples.failing_rows`` gives them, as JSON-able data; cells without a value are left out."""
    return {rule: [_record(row) for row in rows] for rule, rows in samples.items() if rows}


def sample_rows(found: Iterable[tuple[Assessment, Samples]]) -> pa.Table:
    """The samples of all datasets, those alone whose rule is broken by what the assessment judged."""
    lines = [
        {
            "dataset": assessment.dataset,
            "rule": rule,
            "source_file": row["file"],
            "source_row": row["line"],
            "cells": json.dumps(row["cells"], ensure_ascii=False),
        }
        for assessment, samples in found
        for rule, rows in samples.items()
        if any(result.rule == rule and result.rows_failed for result in assessment.results)
        for row in rows
    ]
    return pa.Table.from_pylist(lines, schema=SAMPLES_SCHEMA)


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    cells = {name: str(value) for name, value in row.items() if name not in {"file", "line"} and value is not None}
    return {"file": row["file"], "line": row["line"], "cells": cells}
