"""quality/*: check results with their history, the row ledger, the quarantine and the scorecard, in PostgreSQL."""

from collections.abc import Iterable

import dagster as dg
import pyarrow as pa

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.lake.whole import whole_rows
from platform_assets.presentation.metadata import column_schema, ledger_lines, markdown_table
from platform_assets.quality.ledger import total_line
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA
from platform_assets.quality.record import from_record
from platform_assets.quality.results import SCORES, Assessment
from platform_assets.resources.platform import PlatformResource
from platform_assets.warehouse.loads import AppendLoad, MergeLoad
from platform_assets.warehouse.quality_rows import CHECK_RESULTS_SCHEMA, LEDGER_SCHEMA, check_rows, ledger_rows
from platform_assets.warehouse.rows import stream

_OWNER = "team:data"
_ASSESSMENTS = [dg.AssetKey(["assessment", dataset]) for dataset in CONTRACTS]
_PREVIEW_ROWS = 20


@dg.asset(
    key=["quality", "check_results"],
    io_manager_key="warehouse",
    group_name="quality",
    kinds={"postgres", "table"},
    owners=[_OWNER],
    pool="postgres",
    deps=_ASSESSMENTS,
    metadata={"table": "quality.check_results", **column_schema(CHECK_RESULTS_SCHEMA)},
)
def quality_check_results(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult[AppendLoad]:
    """Every check of every run, added to the history of all runs."""
    rows = check_rows(assessments(platform), context.run.run_id)
    return dg.MaterializeResult(value=AppendLoad("quality.check_results", rows.schema, rows.to_batches()))


@dg.asset(
    key=["quality", "row_ledger"],
    io_manager_key="warehouse",
    group_name="quality",
    kinds={"postgres", "table"},
    owners=[_OWNER],
    pool="postgres",
    deps=_ASSESSMENTS,
    metadata={"table": "quality.row_ledger", **column_schema(LEDGER_SCHEMA)},
)
def quality_row_ledger(platform: PlatformResource) -> dg.MaterializeResult[MergeLoad]:
    """For every raw file: lines read = rejected + quarantined + duplicate + loaded, in rows and money."""
    found = assessments(platform)
    rows = ledger_rows(found)
    load = MergeLoad("quality.row_ledger", ["dataset", "source_file"], rows.schema, rows.to_batches())
    totals = [total_line(one.dataset, list(one.ledger)) for one in found]
    preview = [{"dataset": one.dataset, **line} for one, line in zip(found, ledger_lines(totals), strict=True)]
    return dg.MaterializeResult(value=load, metadata={"totals": markdown_table(preview)})


@dg.asset(
    key=["quality", "quarantine"],
    io_manager_key="warehouse",
    group_name="quality",
    kinds={"postgres", "table"},
    owners=[_OWNER],
    pool="postgres",
    deps=[dg.AssetKey(["quarantine", dataset]) for dataset in CONTRACTS],
    metadata={"table": "quality.quarantine", **column_schema(QUARANTINE_SCHEMA)},
)
def quality_quarantine(platform: PlatformResource) -> dg.MaterializeResult[MergeLoad]:
    """Every line and row that was set aside, with its reasons, file, line and raw text."""
    engine = platform.loader
    tables = [platform.table("quarantine", dataset) for dataset in CONTRACTS]
    frames = [whole_rows(table, table.snapshot(), QUARANTINE_SCHEMA, engine) for table in tables]

    def batches() -> Iterable[pa.RecordBatch]:
        for frame in frames:
            yield from stream(frame, QUARANTINE_SCHEMA, engine)

    load = MergeLoad("quality.quarantine", ["dataset", "source_file", "source_row"], QUARANTINE_SCHEMA, batches())
    first = [line for frame in frames for line in engine.collect(frame.head(_PREVIEW_ROWS)).to_pylist()]
    return dg.MaterializeResult(value=load, metadata={"preview": markdown_table(first, _PREVIEW_ROWS)})


@dg.asset(
    key=["quality", "scorecard"],
    group_name="quality",
    kinds={"postgres"},
    owners=[_OWNER],
    deps=[dg.AssetKey(["quality", "check_results"])],
)
def quality_scorecard(platform: PlatformResource) -> dg.MaterializeResult[None]:
    """The scores of every dataset beside their thresholds, and whether its gate is open."""
    lines = [_scorecard_line(one) for one in assessments(platform)]
    shut = sum(not one.gate_is_open for one in assessments(platform))
    return dg.MaterializeResult(metadata={"scorecard": markdown_table(lines), "gates shut": shut})


def assessments(platform: PlatformResource) -> list[Assessment]:
    """The last judgement of every dataset that has one."""
    snapshots = [platform.table("assessment", dataset).snapshot() for dataset in CONTRACTS]
    records = [snapshot.attributes["assessment"] for snapshot in snapshots if "assessment" in snapshot.attributes]
    return [from_record(record) for record in records]


def _scorecard_line(assessment: Assessment) -> dict[str, object]:
    scores = {name: assessment.result(name).score for name in SCORES}
    gate = "open" if assessment.gate_is_open else "SHUT: " + "; ".join(assessment.reasons)
    return {"dataset": assessment.dataset, **scores, "gate": gate if assessment.has_rows else "no rows"}
