"""quality/*: check results with their history, the row ledger and the quarantine, in PostgreSQL."""

from collections.abc import Collection, Iterable

import dagster as dg
import pyarrow as pa

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.defs.warehouse_table import warehouse_table
from platform_assets.engines.engine import Frame
from platform_assets.lake.whole import whole_rows
from platform_assets.presentation.metadata import ledger_lines, markdown_table
from platform_assets.quality.ledger import total_line
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA
from platform_assets.quality.record import judgement_of
from platform_assets.quality.results import Assessment
from platform_assets.resources.platform import PlatformResource
from platform_assets.warehouse.loading.slices import FileKey
from platform_assets.warehouse.loads import AppendLoad, MergeLoad
from platform_assets.warehouse.quality.quality_rows import CHECK_RESULTS_SCHEMA, LEDGER_SCHEMA, check_rows, ledger_rows
from platform_assets.warehouse.quality.quarantine_load import PLACES_SCHEMA, QuarantineLoad
from platform_assets.warehouse.quality.quarantine_rows import LOADED_SCHEMA, duplicate_places, judged_files, loaded_rows
from platform_assets.warehouse.star.rows import stream

_ASSESSMENTS = [dg.AssetKey(["assessment", dataset]) for dataset in CONTRACTS]
_PREVIEW_ROWS = 20


@warehouse_table("quality", "check_results", CHECK_RESULTS_SCHEMA, deps=_ASSESSMENTS)
def quality_check_results(platform: PlatformResource) -> dg.MaterializeResult[AppendLoad]:
    """Every check of every run, added to the history of all runs."""
    rows = check_rows(assessments(platform))
    return dg.MaterializeResult(value=AppendLoad("quality.check_results", rows.schema, rows.to_batches()))


@warehouse_table("quality", "row_ledger", LEDGER_SCHEMA, deps=_ASSESSMENTS)
def quality_row_ledger(platform: PlatformResource) -> dg.MaterializeResult[MergeLoad]:
    """For every raw file: lines read = rejected + quarantined + duplicate + loaded, in rows and money."""
    found = assessments(platform)
    rows = ledger_rows(found)
    load = MergeLoad("quality.row_ledger", ["dataset", "source_file"], rows.schema, rows.to_batches())
    totals = [total_line(one.dataset, list(one.ledger)) for one in found]
    preview = [{"dataset": one.dataset, **line} for one, line in zip(found, ledger_lines(totals), strict=True)]
    return dg.MaterializeResult(value=load, metadata={"totals": markdown_table(preview)})


@warehouse_table(
    "quality", "quarantine", LOADED_SCHEMA, deps=[dg.AssetKey(["quarantine", dataset]) for dataset in CONTRACTS]
)
def quality_quarantine(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult[QuarantineLoad]:
    """Every line and row that is set aside now, with its reasons, file, line and raw text.

    What became of the others is added to ``quality.quarantine_history`` in the same transaction.
    """
    engine = platform.loader
    tables = [platform.table("quarantine", dataset) for dataset in CONTRACTS]
    files = judged_files(assessments(platform))
    lines = [whole_rows(table, table.snapshot(), QUARANTINE_SCHEMA, engine) for table in tables]
    frames = [loaded_rows(frame, files, engine) for frame in lines]

    def batches() -> Iterable[pa.RecordBatch]:
        for frame in frames:
            yield from stream(frame, LOADED_SCHEMA, engine)

    def duplicates_of(passed: Collection[FileKey]) -> Iterable[pa.RecordBatch]:
        for dataset in sorted({dataset for dataset, _ in passed}):
            names = [file for of, file in passed if of == dataset]
            table = platform.table("staging", dataset)
            yield from stream(duplicate_places(table, platform.contract(dataset), names, engine), PLACES_SCHEMA, engine)

    load = QuarantineLoad(LOADED_SCHEMA, batches(), files, duplicates_of, context.run.run_id)
    first = [line for frame in frames for line in engine.collect(_preview(frame)).to_pylist()]
    return dg.MaterializeResult(value=load, metadata={"preview": markdown_table(first, _PREVIEW_ROWS)})


def _preview(frame: Frame) -> Frame:
    """The first lines without their text, which may hold personal data."""
    return frame.select("dataset", "source_file", "source_row", "kind", "reasons").head(_PREVIEW_ROWS)


def assessments(platform: PlatformResource) -> list[Assessment]:
    """The last judgement of every dataset that has one."""
    snapshots = [platform.table("assessment", dataset).snapshot() for dataset in CONTRACTS]
    return [judged for snapshot in snapshots if (judged := judgement_of(snapshot)) is not None]
