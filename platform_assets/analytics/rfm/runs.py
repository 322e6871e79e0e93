"""What changed from one run to the next, of scores that are made anew each time.

Belongs here: which two runs are compared, and by which edges. Does not belong here: the comparisons.
"""

from dataclasses import dataclass, replace

import pyarrow as pa

from platform_assets.analytics.rfm.edges import KeptEdges
from platform_assets.analytics.rfm.migration import MIGRATION_SCHEMA, migration_matrix
from platform_assets.analytics.rfm.scores import SCORES_SCHEMA, rfm_scores
from platform_assets.analytics.rfm.stability import STABILITY_SCHEMA, stability
from platform_assets.engines.engine import Engine, Frame

NOT_KNOWN = "(not known)"
"""Where a customer is in a run that does not know them."""

_DATES = (pa.field("before_date", pa.date32()), pa.field("after_date", pa.date32()))
RUNS_MIGRATION_SCHEMA = pa.schema([*_DATES, *MIGRATION_SCHEMA])
"""``MIGRATION_SCHEMA`` with the days of the two runs (``before_date``: missing before the first); ``(not known)`` where
one of them does not know the customer."""
RUNS_STABILITY_SCHEMA = pa.schema([*_DATES, *STABILITY_SCHEMA])
"""``STABILITY_SCHEMA`` with the days of the two runs. Both are scored by the edges of the earlier one, where those can
serve, so that shares move because customers did and not because edges did."""


@dataclass(frozen=True)
class ScoredRun:
    """What one run scored.

    Attributes:
        scores: Rows of ``SCORES_SCHEMA``.
        kept: The edges they were scored by, and the day.
    """

    scores: Frame
    kept: KeptEdges


def moves(before: ScoredRun | None, after: ScoredRun, engine: Engine) -> pa.Table:
    """Who moved between the segments: rows of ``RUNS_MIGRATION_SCHEMA``."""
    earlier = before.scores if before else engine.from_arrow(SCORES_SCHEMA.empty_table())
    table = migration_matrix(earlier, after.scores, engine)
    for name in ("from_segment", "to_segment"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].fill_null(NOT_KNOWN))
    return _dated(table, before, after, RUNS_MIGRATION_SCHEMA)


def shifts(before: ScoredRun | None, after: ScoredRun, measures: Frame, engine: Engine) -> pa.Table:
    """How far the base as a whole moved: rows of ``RUNS_STABILITY_SCHEMA``.

    Args:
        before: The run before.
        after: This run.
        measures: Measures of this run's customers, to score them by the edges of the run before.
        engine: What computes.
    """
    if before is None:
        nobody = engine.from_arrow(SCORES_SCHEMA.empty_table())
        table = stability(nobody, after.scores, (after.kept.edges, after.kept.edges), engine)
    elif before.kept.measures_as(after.kept):
        again = rfm_scores(measures, before.kept.edges, after.kept.as_of)
        table = stability(before.scores, again, (before.kept.edges, before.kept.edges), engine)
    else:
        table = stability(before.scores, after.scores, (before.kept.edges, after.kept.edges), engine)
    return _dated(table, before, after, RUNS_STABILITY_SCHEMA)


def edges_in_use(made: KeptEdges, before: KeptEdges | None, *, keeps_edges: bool) -> KeptEdges:
    """The edges of a run: its own, or those of the run before if they are to be kept and measure the same."""
    if keeps_edges and before is not None and before.edges.recency and before.measures_as(made):
        return replace(made, edges=before.edges)
    return made


def comparable(before: KeptEdges | None, after: KeptEdges) -> bool:
    """Whether there is a run before, of the same sales: money of others cannot be held against it."""
    return before is not None and (before.currency, before.datasets) == (after.currency, after.datasets)


def _dated(table: pa.Table, before: ScoredRun | None, after: ScoredRun, schema: pa.Schema) -> pa.Table:
    days = (before.kept.as_of if before else None, after.kept.as_of)
    columns = [pa.array([day] * table.num_rows, pa.date32()) for day in days]
    return pa.table([*columns, *table.columns], names=schema.names).cast(schema)
