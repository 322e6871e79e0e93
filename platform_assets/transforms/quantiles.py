"""Quantile edges that are values of the data, so that they are exact on every engine and equal values stay together."""

from typing import Any

import narwhals as nw

from platform_assets.engines.engine import Engine, Frame


def quantile_edges(rows: Frame, column: str, bins: int, engine: Engine) -> tuple[Any, ...]:
    """The inner edges of equally filled bins.

    The k-th edge is the value at place ``ceil(k * (n - 1) / bins)`` of the ordered values, counted from 0: the upper
    neighbour of the interpolated quantile (type 7 of Hyndman and Fan, 1996). A value reaches the edge exactly when
    it reaches the interpolated quantile, and no arithmetic on values is needed. Only the distinct values leave the
    engine, with how often each occurs.

    Args:
        rows: The frame.
        column: Its column; missing values do not count.
        bins: How many bins.
        engine: What computes.

    Returns:
        ``bins - 1`` edges in rising order, equal ones where a value fills more than a bin; none without values.
    """
    present = rows.select(column).filter(~nw.col(column).is_null())
    counted = engine.collect(present.group_by(column).agg(nw.len().alias("_times")))
    times = sorted(zip(counted[column].to_pylist(), counted["_times"].to_pylist(), strict=True))
    total = sum(count for _, count in times)
    if not total:
        return ()
    places = [-(-step * (total - 1) // bins) for step in range(1, bins)]
    edges: list[Any] = []
    seen = 0
    for value, count in times:
        seen += count
        while len(edges) < len(places) and places[len(edges)] < seen:
            edges.append(value)
    return tuple(edges)
