"""Who moved between the segments of two runs.

Belongs here: counting moves. Does not belong here: whether the base as a whole changed (``stability``).
"""

from collections import Counter
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.rfm.segments import PROSPECTS, segment_map
from platform_assets.engines.engine import MONEY, Engine, Frame

MIGRATION_SCHEMA = pa.schema(
    [
        ("from_segment", pa.string()),
        ("to_segment", pa.string()),
        ("move", pa.string()),
        ("customers", pa.int64()),
        ("from_rate", pa.float64()),
        ("before_amount", MONEY),
        ("after_amount", MONEY),
    ]
)
"""One row per pair of segments that a customer is in before and after.

``from_segment``: null for customers whom the earlier run did not know; ``to_segment``: null for those whom the later
one does not know (erased, or their files removed). ``move``: ``same``, ``up`` (to a segment that stands higher in the
map), ``down``, ``new`` or ``gone``. ``from_rate``: share of those who were in ``from_segment``, 0 to 1; the rates of a
``from_segment`` add up to 1. ``before_amount`` and ``after_amount``: their net revenue in the window of each run.
"""


def migration_matrix(before: Frame, after: Frame, engine: Engine) -> pa.Table:
    """The moves from one run to another.

    Args:
        before: Scores of the earlier run: rows of ``SCORES_SCHEMA``.
        after: Scores of the later run.
        engine: What computes.

    Returns:
        Rows of ``MIGRATION_SCHEMA``, in the order of the map.
    """
    sides = [
        frame.select(
            nw.col("customer_id").alias(f"{side}_id"),
            nw.col("segment").alias(f"{side}_segment"),
            nw.col("monetary_amount").alias(f"{side}_amount"),
        )
        for side, frame in (("before", before), ("after", after))
    ]
    people = sides[0].join(sides[1], left_on="before_id", right_on="after_id", how="full")
    segments = [nw.col(f"{side}_segment").fill_null("") for side in ("before", "after")]
    sums = [nw.col(f"{side}_amount").sum() for side in ("before", "after")]
    counted = people.with_columns(*segments).group_by("before_segment", "after_segment")
    grouped = counted.agg(nw.len().alias("customers"), *sums).with_columns(nw.col("customers").cast(nw.Int64))
    return _matrix(engine.collect(grouped).to_pylist())


def _matrix(rows: list[dict[str, Any]]) -> pa.Table:
    ranks = {name: rank for rank, name in enumerate((*segment_map(), PROSPECTS, ""))}
    sizes: Counter[str] = Counter()
    for row in rows:
        sizes[row["before_segment"]] += row["customers"]
    ordered = sorted(rows, key=lambda row: (ranks[row["before_segment"]], ranks[row["after_segment"]]))
    lines = [
        {
            "from_segment": row["before_segment"] or None,
            "to_segment": row["after_segment"] or None,
            "move": _move(row["before_segment"], row["after_segment"], ranks),
            "customers": row["customers"],
            "from_rate": row["customers"] / sizes[row["before_segment"]],
            "before_amount": row["before_amount"] or 0,
            "after_amount": row["after_amount"] or 0,
        }
        for row in ordered
    ]
    return pa.Table.from_pylist(lines, schema=MIGRATION_SCHEMA)


def _move(before: str, after: str, ranks: dict[str, int]) -> str:
    if not before:
        return "new"
    if not after:
        return "gone"
    if before == after:
        return "same"
    return "up" if ranks[after] < ranks[before] else "down"
