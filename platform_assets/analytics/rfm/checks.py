"""What must hold of scores, segments and moves, judged from the tables alone.

Belongs here: identities and the meaning of a score. Does not belong here: how a failure is shown.

Every function gives what breaks what it is named after, in words.
"""

from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.rfm.segments import PROSPECTS, segment_map

_NEARLY = 1e-9
_MEASURES = {
    "recency_score": ("days_since_last", -1),
    "frequency_score": ("frequency", 1),
    "monetary_score": ("monetary_amount", 1),
}
"""Of each score its measure, and whether more of it is better."""


def scores_against_their_measure(scores: pa.Table) -> list[str]:
    """Scores that customers with equal values do not share, or that a better value does not raise."""
    ordered = scores.filter(pc.field("segment") != PROSPECTS)
    found = []
    for score, (measure, better) in _MEASURES.items():
        spans = ordered.group_by(score).aggregate([(measure, "min"), (measure, "max")]).sort_by(score).to_pylist()
        for lower, higher in pairwise(spans if better == 1 else spans[::-1]):
            if lower[f"{measure}_max"] >= higher[f"{measure}_min"]:
                found.append(
                    f"{score} {lower[score]} has {measure} up to {lower[f'{measure}_max']:,}, and {higher[score]} "
                    f"from {higher[f'{measure}_min']:,}"
                )
    return found


def customers_in_a_wrong_segment(scores: pa.Table) -> list[str]:
    """Customers told twice, cells that belong to another segment, and prospects with scores."""
    cells = {cell: name for name, of_it in segment_map().items() for cell in of_it}
    twice = scores.num_rows - pc.count_distinct(scores["customer_id"]).as_py()
    found = [f"{twice:,} customers are told twice"] if twice else []
    for row in scores.group_by(["rfm_cell", "segment"]).aggregate([("customer_id", "count")]).to_pylist():
        cell, segment = row["rfm_cell"], row["segment"]
        right = PROSPECTS if cell is None else cells.get(cell)
        if segment != right:
            found.append(f"{row['customer_id_count']:,} customers of cell {cell} are in {segment}, not in {right}")
    return found


def segments_that_do_not_add_up(segments: pa.Table, scores: pa.Table) -> list[str]:
    """Segments whose customers or money are not those of their customers, and shares that are not 1 together."""
    counted: Counter[str] = Counter()
    money: dict[str, Decimal] = {}
    sums = scores.group_by("segment").aggregate([("customer_id", "count"), ("monetary_amount", "sum")])
    for row in sums.to_pylist():
        counted[row["segment"]] = row["customer_id_count"]
        money[row["segment"]] = row["monetary_amount_sum"]
    found = []
    for row in segments.to_pylist():
        name, there = row["segment"], (counted[row["segment"]], money.get(row["segment"], Decimal(0)))
        if (row["customers"], row["revenue_amount"]) != there:
            found.append(
                f"{name}: {row['customers']:,} customers with {row['revenue_amount']:,}, "
                f"scored are {there[0]:,} with {there[1]:,}"
            )
    if missing := counted.keys() - set(segments["segment"].to_pylist()):
        found.append(f"no line for {', '.join(sorted(missing))}")
    return found + _shares_apart(segments)


def moves_that_do_not_add_up(migration: pa.Table, scores: pa.Table) -> list[str]:
    """Segments that more or fewer customers moved to than are in them."""
    moved: Counter[str] = Counter()
    for row in migration.to_pylist():
        moved[row["to_segment"]] += row["customers"]
    there = Counter(scores["segment"].to_pylist())
    return [
        f"{name}: {moved[name]:,} came or stayed, {there[name]:,} are there"
        for name in sorted(there.keys() | (moved.keys() & {*segment_map(), PROSPECTS}))
        if moved[name] != there[name]
    ]


def changed_shares(stability: pa.Table) -> list[str]:
    """What changed so far that the segments no longer mean what they did in the run before."""
    return [
        f"{row['measure']} moved by an index of {row['stability_index']:.2f}"
        for row in stability.to_pylist()
        if row["verdict"] == "changed"
    ]


def _shares_apart(segments: pa.Table) -> list[str]:
    """Shares may all be missing or 0, where nobody ordered; else they are 1 together."""
    totals = {name: pc.sum(segments[name]).as_py() for name in ("customer_share", "revenue_share")}
    return [f"{name} is {total:.6f} together" for name, total in totals.items() if total and abs(total - 1) > _NEARLY]
