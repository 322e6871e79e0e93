"""analytics/*: what the core model says about customers."""

from datetime import date

import dagster as dg

from platform_assets.analytics.rfm import (
    SCORES_SCHEMA,
    SEGMENTS_SCHEMA,
    RfmEdges,
    customer_measures,
    rfm_edges,
    rfm_scores,
    segment_summary,
)
from platform_assets.engines.engine import Frame
from platform_assets.lake.table import ACCEPTED, Table
from platform_assets.lake.update import Update
from platform_assets.lake.whole import content_ids, whole_rows, whole_update
from platform_assets.presentation.metadata import column_schema, markdown_table
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_sales import SALES_DATASETS, sales_rows

_OWNER = "team:analytics"
_EPOCH = date(1970, 1, 1)


@dg.asset(
    key=["analytics", "rfm_scores"],
    io_manager_key="lake",
    group_name="analytics",
    kinds={"parquet"},
    owners=[_OWNER],
    ins={"sales": dg.AssetIn(["core", "sales"])},
    metadata=column_schema(SCORES_SCHEMA),
)
def analytics_rfm_scores(platform: PlatformResource, sales: Table) -> dg.MaterializeResult[Update]:
    """Recency, frequency and monetary scores (5 is best) of every customer, and the segment that follows.

    Scores count the quantile edges a value reaches, so equal values have equal scores; the edges are kept here.
    """
    snapshot, engine = sales.snapshot(), platform.engine
    as_of = analysis_day(platform)
    window = platform.config.rfm.window_days
    measures = engine.kept(customer_measures(sales_rows(sales, snapshot, engine), as_of, window))
    edges = rfm_edges(measures, engine)

    def build() -> Frame:
        return rfm_scores(measures, edges, as_of)

    made_from = [content_ids(snapshot), as_of, window]
    update = whole_update(platform.table("analytics", "rfm_scores"), made_from, build, SCORES_SCHEMA, engine)
    return dg.MaterializeResult(value=update, metadata=_edges_metadata(edges, as_of, window))


@dg.asset(
    key=["analytics", "rfm_segments"],
    io_manager_key="lake",
    group_name="analytics",
    kinds={"parquet"},
    owners=[_OWNER],
    ins={"scores": dg.AssetIn(["analytics", "rfm_scores"])},
    metadata=column_schema(SEGMENTS_SCHEMA),
)
def analytics_rfm_segments(platform: PlatformResource, scores: Table) -> dg.MaterializeResult[Update]:
    """The eleven customer segments with their size and money, the best first."""
    snapshot, engine = scores.snapshot(), platform.engine
    summary = segment_summary(whole_rows(scores, snapshot, SCORES_SCHEMA, engine), engine)
    table = platform.table("analytics", "rfm_segments")
    made_from = content_ids(snapshot)
    update = whole_update(table, made_from, lambda: engine.from_arrow(summary), SEGMENTS_SCHEMA, engine)
    return dg.MaterializeResult(value=update, metadata={"segments": markdown_table(summary.to_pylist())})


def analysis_day(platform: PlatformResource) -> date:
    """The day results are computed for: the one asked for, or the newest event date of the accepted sales."""
    if platform.settings.as_of is not None:
        return platform.settings.as_of
    accepted = [platform.table("staging", name).snapshot(ACCEPTED) for name in SALES_DATASETS]
    days = [date.fromisoformat(day) for version in accepted if (day := version.attributes.get("as_of"))]
    return max(days, default=_EPOCH)


def _edges_metadata(edges: RfmEdges, as_of: date, window: int | None) -> dict[str, str]:
    levels = edges.levels()
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
