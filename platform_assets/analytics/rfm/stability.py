"""Whether the customer base is still the one that the edges were made for.

Belongs here: the population stability index of segments and scores. Does not belong here: single moves
(``migration``).
"""

from math import log
from typing import Any

import narwhals as nw
import pyarrow as pa
from scipy.stats import chi2

from platform_assets.analytics.rfm.edges import RfmEdges
from platform_assets.analytics.rfm.segments import PROSPECTS, segment_map
from platform_assets.engines.engine import Engine, Frame

STABILITY_SCHEMA = pa.schema(
    [
        ("measure", pa.string()),
        ("customers_before", pa.int64()),
        ("customers_after", pa.int64()),
        ("stability_index", pa.float64()),
        ("expected_by_chance", pa.float64()),
        ("p_value", pa.float64()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
    ]
)
"""One row for the segments and for each of the three scores.

``stability_index``: the population stability index, sum of (q - p) ln(q / p) over the shares before (p) and after (q),
with half a customer added to every bin so that an empty one does not make it infinite. ``expected_by_chance``: its mean
between two random samples of one base, (bins - 1)(1/n + 1/m). ``p_value``: how often such samples differ as much
(chi-squared approximation; two runs share customers, so the true value is smaller). ``verdict``: ``stable`` (below 0.1,
or not more than chance gives), ``shifted`` (0.1 to 0.25), ``changed`` (above), ``not comparable`` or ``unknown``;
``reason`` says why, where the index alone does not.
"""

STABLE_BELOW, CHANGED_FROM = 0.1, 0.25
CHANCE = 0.01
_SCORES = {"recency_score": "recency", "frequency_score": "frequency", "monetary_score": "monetary"}


def stability(before: Frame, after: Frame, edges: tuple[RfmEdges, RfmEdges], engine: Engine) -> pa.Table:
    """How far the shares of segments and scores moved between two runs.

    Args:
        before: Scores of the earlier run: rows of ``SCORES_SCHEMA``; prospects do not count.
        after: Scores of the later run.
        edges: The edges that each of them was scored by.
        engine: What computes.

    Returns:
        Rows of ``STABILITY_SCHEMA``.
    """
    changed = edges[0].changed(edges[1])
    bins: dict[str, list[Any]] = {"segment": list(segment_map()), **{name: [1, 2, 3, 4, 5] for name in _SCORES}}
    lines = []
    for name, values in bins.items():
        counts = [_counts(frame, name, values, engine) for frame in (before, after)]
        of = changed if name == "segment" else tuple(part for part in changed if part == _SCORES[name])
        lines.append({"measure": name, **_compared(counts[0], counts[1], of)})
    return pa.Table.from_pylist(lines, schema=STABILITY_SCHEMA)


def stability_index(before: list[int], after: list[int]) -> float:
    """The population stability index of counts of the same bins."""
    smoothed = [[count + 0.5 for count in counts] for counts in (before, after)]
    first, second = ([count / sum(counts) for count in counts] for counts in smoothed)
    return sum((q - p) * log(q / p) for p, q in zip(first, second, strict=True))


def _counts(frame: Frame, name: str, values: list[Any], engine: Engine) -> list[int]:
    scored = frame.filter(nw.col("segment") != PROSPECTS)
    found = engine.collect(scored.group_by(name).agg(nw.len().alias("customers"))).to_pylist()
    by_value = {row[name]: int(row["customers"]) for row in found}
    return [by_value.get(value, 0) for value in values]


def _compared(before: list[int], after: list[int], changed: tuple[str, ...]) -> dict[str, Any]:
    sizes = sum(before), sum(after)
    line: dict[str, Any] = {"customers_before": sizes[0], "customers_after": sizes[1]}
    if not all(sizes):
        return line | {"verdict": "unknown", "reason": "one of the runs has no scored customer"}
    noise, freedom = 1 / sizes[0] + 1 / sizes[1], len(before) - 1
    index = stability_index(before, after)
    p_value = float(chi2.sf(index / noise, freedom))
    line |= {"stability_index": index, "expected_by_chance": freedom * noise, "p_value": p_value}
    if changed:
        return line | {"verdict": "not comparable", "reason": _why(changed)}
    if index >= STABLE_BELOW and p_value >= CHANCE:
        return line | {"verdict": "stable", "reason": "too few customers to tell the difference from chance"}
    is_stable, is_changed = index < STABLE_BELOW, index >= CHANGED_FROM
    return line | {"verdict": "stable" if is_stable else "changed" if is_changed else "shifted"}


def _why(changed: tuple[str, ...]) -> str:
    return (
        f"the edges of {', '.join(changed)} were made anew between the runs: shares follow the edges, so the index "
        "does not tell whether customers changed; with rfm.keeps_edges in config.yaml they are kept"
    )
