"""analytics/rfm_*: scores and segments of the customers, and what changed since the run before."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg
import pyarrow as pa

from platform_assets.analytics.lines import lines_between
from platform_assets.analytics.rfm.edges import KeptEdges, RfmEdgesError, rfm_edges
from platform_assets.analytics.rfm.runs import (
    RUNS_MIGRATION_SCHEMA,
    RUNS_STABILITY_SCHEMA,
    ScoredRun,
    comparable,
    edges_in_use,
    moves,
    shifts,
)
from platform_assets.analytics.rfm.scores import SCORES_SCHEMA, customer_measures, prospects, rfm_scores
from platform_assets.analytics.rfm.segments import SEGMENTS_SCHEMA, segment_summary
from platform_assets.defs.analytics import analysis_day, main_currency_sales, main_datasets
from platform_assets.defs.topics import OWNER, TOPIC, ResultTable, loaded_table, result_metadata, result_out
from platform_assets.engines.engine import Frame
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.update import Update
from platform_assets.lake.whole import content_ids, whole_rows, whole_update
from platform_assets.presentation.metadata import column_schema, markdown_table
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_sales import sales_rows

_TOPIC = "rfm"
_SCORED_BY = 3
"""Raise it when the same sales give other scores."""
_EDGES = "edges"
"""The attribute of a version of the scores that its edges are kept in."""
_MIGRATION = ResultTable(
    "rfm_migration",
    RUNS_MIGRATION_SCHEMA,
    ("from_segment", "to_segment"),
    "How many customers moved from which segment to which since the run before.",
)
_STABILITY = ResultTable(
    "rfm_stability",
    RUNS_STABILITY_SCHEMA,
    ("measure",),
    "How far the shares of segments and scores moved since the run before.",
)
_SCORES = ResultTable(
    "rfm_scores",
    SCORES_SCHEMA,
    ("customer_id",),
    "Recency, frequency and monetary scores (5 is best) of every customer, and the segment that follows. Scores count "
    "the quantile edges a value reaches, so equal values have equal scores; the edges are kept here.",
)

_SEGMENTS = ResultTable(
    "rfm_segments",
    SEGMENTS_SCHEMA,
    ("segment",),
    "The eleven customer segments with their size and money, the best first, and those who never ordered.",
)
RFM_TABLES = (_SCORES, _SEGMENTS, _MIGRATION, _STABILITY)
"""What the steps of this module make."""


@dg.multi_asset(
    name="analytics__rfm",
    ins={"sales": dg.AssetIn(["core", "sales"])},
    outs={table.name: result_out(table, _TOPIC) for table in (_MIGRATION, _STABILITY, _SCORES)},
)
def analytics_rfm(
    context: dg.AssetExecutionContext, platform: PlatformResource, sales: Table
) -> Iterator[dg.Output[Update]]:
    """What changed is published before the scores: killed in between, doing it again compares the same two runs."""
    snapshot, engine, window = sales.snapshot(), platform.engine, platform.config.rfm.window_days
    as_of = analysis_day(platform)
    measures = engine.kept(customer_measures(main_currency_sales(platform, sales, snapshot), as_of, window))
    earlier = platform.table("analytics", "rfm_scores").snapshot()
    before = _kept_edges(earlier, context.log.warning)
    currency, datasets = main_datasets(platform)
    made = KeptEdges(rfm_edges(measures, engine), as_of, window, currency, tuple(datasets))
    kept = edges_in_use(made, before, keeps_edges=platform.config.rfm.keeps_edges)

    def scores() -> Frame:
        scored = rfm_scores(measures, kept.edges, as_of)
        known = lines_between(sales_rows(sales, snapshot, engine), as_of)
        return engine.concat([scored, prospects(known, scored, as_of)], SCORES_SCHEMA)

    made_from = [_SCORED_BY, content_ids(snapshot), kept.to_json()]
    table = platform.table("analytics", "rfm_scores")
    update = whole_update(table, made_from, scores, SCORES_SCHEMA, engine)
    if update.is_news:
        after = ScoredRun(whole_rows(table, update.snapshot, SCORES_SCHEMA, engine), kept)
        last = _last_run(whole_rows(table, earlier, SCORES_SCHEMA, engine), before, kept)
        compared = [content_ids(earlier) if last else None, content_ids(update.snapshot)]
        yield _changes(platform, _MIGRATION, moves(last, after, engine), compared)
        yield _changes(platform, _STABILITY, shifts(last, after, measures, engine), compared)
        update = replace(update, snapshot=update.snapshot.with_attributes(**{_EDGES: kept.to_json()}))
    else:
        yield from (_unchanged(platform, one) for one in (_MIGRATION, _STABILITY))
    yield dg.Output(update, _SCORES.name, metadata=_edges_metadata(kept, as_of, window))


def _kept_edges(earlier: Snapshot, warn: Callable[[str], None]) -> KeptEdges | None:
    """The edges of the run before; none, with a warning, where they cannot be read."""
    if _EDGES not in earlier.attributes:
        return None
    try:
        return KeptEdges.from_json(earlier.attributes[_EDGES])
    except RfmEdgesError as fault:
        warn(str(fault))
        return None


def _last_run(scores: Frame, before: KeptEdges | None, kept: KeptEdges) -> ScoredRun | None:
    return ScoredRun(scores, before) if before is not None and comparable(before, kept) else None


def _changes(platform: PlatformResource, told: ResultTable, rows: pa.Table, compared: Any) -> dg.Output[Update]:
    engine, table = platform.engine, platform.table("analytics", told.name)
    update = whole_update(table, compared, lambda: engine.from_arrow(rows), told.schema, engine)
    more = result_metadata(told.name, rows, platform)
    return dg.Output(update, told.name, metadata={**more, "preview": markdown_table(rows.to_pylist())})


def _unchanged(platform: PlatformResource, told: ResultTable) -> dg.Output[Update]:
    """What was told when the scores changed last."""
    return dg.Output(Update(platform.table("analytics", told.name).snapshot(), is_news=False), told.name)


@dg.asset(
    key=["analytics", "rfm_segments"],
    io_manager_key="lake",
    group_name="analytics",
    kinds={"parquet"},
    owners=[OWNER],
    tags={TOPIC: _TOPIC},
    ins={"scores": dg.AssetIn(["analytics", "rfm_scores"])},
    description=_SEGMENTS.description,
    metadata=column_schema(SEGMENTS_SCHEMA),
)
def analytics_rfm_segments(platform: PlatformResource, scores: Table) -> dg.MaterializeResult[Update]:
    """Sum the scores up."""
    snapshot, engine = scores.snapshot(), platform.engine
    summary = segment_summary(whole_rows(scores, snapshot, SCORES_SCHEMA, engine), engine)
    table = platform.table("analytics", "rfm_segments")
    made_from = content_ids(snapshot)
    update = whole_update(table, made_from, lambda: engine.from_arrow(summary), SEGMENTS_SCHEMA, engine)
    more = result_metadata(_SEGMENTS.name, summary, platform)
    return dg.MaterializeResult(value=update, metadata={**more, "segments": markdown_table(summary.to_pylist())})


def _edges_metadata(kept: KeptEdges, as_of: date, window: int | None) -> dict[str, str]:
    edges, levels = kept.edges, kept.edges.levels()
    told = {
        "recency (minus days since the last order)": (edges.recency, levels["recency"]),
        "frequency (days with an order)": (edges.frequency, levels["frequency"]),
        "monetary (net revenue)": (edges.monetary, levels["monetary"]),
    }
    texts = {
        f"edges of {name}": f"{', '.join(f'{edge:,}' for edge in values)} ({count} effective levels)"
        for name, (values, count) in told.items()
    }
    return {"as_of": as_of.isoformat(), "window": f"{window} days" if window else "whole history", **texts}


@dg.definitions
def defs() -> dg.Definitions:
    """Scores, segments and changes, and what of them analysts read."""
    loaded = [loaded_table(table, _TOPIC) for table in RFM_TABLES]
    return dg.Definitions(assets=[analytics_rfm, analytics_rfm_segments, *loaded])
