"""The segments: which cells make one, and what each is worth.

Belongs here: the map and the summary. Does not belong here: who moved between segments (``migration``).
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import yaml

from platform_assets.engines.engine import MONEY, Engine, Frame

PROSPECTS = "Prospects"
"""The segment of known customers who have not ordered: they have no scores and no cell."""

SEGMENTS_SCHEMA = pa.schema(
    [
        ("segment", pa.string()),
        ("customers", pa.int64()),
        ("customer_share", pa.float64()),
        ("revenue_amount", MONEY),
        ("revenue_share", pa.float64()),
        ("avg_days_since_last", pa.float64()),
        ("avg_frequency", pa.float64()),
        ("avg_monetary_amount", MONEY),
    ]
)
"""One row per segment, the best first, Prospects last.

``customer_share``: of all customers who ordered, 0 to 1. ``revenue_amount``: their net revenue in the window;
``revenue_share``: its share, null where there is none. The means are null where nobody is in the segment.
"""


def segment_summary(scores: Frame, engine: Engine) -> pa.Table:
    """The segments with their size and money, the best first; also those without customers.

    Returns:
        Rows of ``SEGMENTS_SCHEMA``; shares are of all customers who ordered and of all revenue. Prospects, who have
        not, come last and have no share.
    """
    grouped = scores.group_by("segment").agg(
        nw.len().alias("customers"),
        nw.col("monetary_amount").sum().alias("revenue"),
        nw.col("days_since_last").sum().alias("days"),
        nw.col("frequency").sum().alias("orders"),
    )
    grouped = grouped.with_columns(nw.col("customers", "days", "orders").cast(nw.Int64))
    found = {line["segment"]: line for line in engine.collect(grouped).to_pylist()}
    customers = sum(line["customers"] for name, line in found.items() if name != PROSPECTS)
    revenue = sum((line["revenue"] for line in found.values()), Decimal(0))
    lines = [_summary_line(name, found.get(name), customers, revenue) for name in segment_map()]
    lines.append(_prospects_line(found.get(PROSPECTS)))
    return pa.Table.from_pylist(lines, schema=SEGMENTS_SCHEMA)


@cache
def segment_map() -> dict[str, tuple[str, ...]]:
    """The cells of each segment, the best segment first."""
    text = Path(__file__).with_name("segments.yaml").read_text(encoding="utf-8")
    return {name: tuple(map(str, cells)) for name, cells in yaml.safe_load(text).items()}


def _prospects_line(found: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"segment": PROSPECTS, "customers": found["customers"] if found else 0, "revenue_amount": Decimal(0)}


def _summary_line(name: str, found: Mapping[str, Any] | None, customers: int, revenue: Decimal) -> dict[str, Any]:
    if found is None:
        return {
            "segment": name,
            "customers": 0,
            "customer_share": 0.0,
            "revenue_amount": Decimal(0),
            "revenue_share": 0.0,
        }
    size = found["customers"]
    return {
        "segment": name,
        "customers": size,
        "customer_share": size / customers,
        "revenue_amount": found["revenue"],
        "revenue_share": float(found["revenue"] / revenue) if revenue else None,
        "avg_days_since_last": found["days"] / size,
        "avg_frequency": found["orders"] / size,
        "avg_monetary_amount": (found["revenue"] / size).quantize(Decimal("0.0001")),
    }
