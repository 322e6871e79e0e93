"""Incidents as tables: what each column means.

Belongs here: schemas and rows. Does not belong here: finding incidents (``incidents``).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from platform_assets.analytics.anomalies.incidents import Incident
from platform_assets.engines.engine import MONEY

INCIDENTS_SCHEMA = pa.schema(
    [
        ("incident_id", pa.string()),
        ("kind", pa.string()),
        ("source_system", pa.string()),
        ("dimension", pa.string()),
        ("segment", pa.string()),
        ("measure", pa.string()),
        ("first_date", pa.date32()),
        ("last_date", pa.date32()),
        ("unusual_days", pa.int64()),
        ("net_amount", MONEY),
        ("expected_amount", MONEY),
        ("lower_amount", MONEY),
        ("upper_amount", MONEY),
        ("impact_amount", MONEY),
        ("orders_ratio", pa.float64()),
        ("price_ratio", pa.float64()),
        ("z", pa.float64()),
        ("is_retrospective", pa.bool_()),
    ]
)
"""One row per incident: unusual days of a dataset that belong together.

``kind`` is what it looks like: outage, closure, promotion, markdown, price increase, level shift, surge or drop.
``dimension`` and ``segment`` say which part it is about (total: the whole dataset), ``measure`` what stands out most.
``net_amount`` is net sales of the segment over the days, ``expected_amount`` what was expected, with the band of the
single days added up (``lower_amount``, ``upper_amount``; null where net sales could not be judged), and
``impact_amount`` is the difference. ``orders_ratio`` and ``price_ratio`` are actual by expected. ``z`` is the largest
distance in robust standard deviations. ``is_retrospective``: the history before was too short, and the days after were
used."""
PARTS_SCHEMA = pa.schema(
    [
        ("incident_id", pa.string()),
        ("dimension", pa.string()),
        ("segment", pa.string()),
        ("net_amount", MONEY),
        ("expected_amount", MONEY),
        ("impact_amount", MONEY),
        ("is_unusual", pa.bool_()),
    ]
)
"""One row per incident and segment that could be judged: its net sales, what was expected, the difference, and whether
the segment was unusual by itself. Segments of one dimension add up to about the whole's difference."""


def incidents_table(incidents: Sequence[Incident]) -> pa.Table:
    """Incidents as rows of ``INCIDENTS_SCHEMA``."""
    return pa.Table.from_pylist([_row(one) for one in incidents], schema=INCIDENTS_SCHEMA)


def parts_table(incidents: Sequence[Incident]) -> pa.Table:
    """What segments contributed, as rows of ``PARTS_SCHEMA``, the largest of each incident first."""
    rows = [
        {
            "incident_id": one.id,
            "dimension": part.key.dimension,
            "segment": part.key.segment,
            "net_amount": _money(part.actual),
            "expected_amount": _money(part.expected),
            "impact_amount": _money(part.difference),
            "is_unusual": part.is_unusual,
        }
        for one in incidents
        for part in one.parts
    ]
    return pa.Table.from_pylist(rows, schema=PARTS_SCHEMA)


def _row(one: Incident) -> dict[str, Any]:
    return {
        "incident_id": one.id,
        "kind": str(one.kind),
        "source_system": one.key.source_system,
        "dimension": one.key.dimension,
        "segment": one.key.segment,
        "measure": one.measure,
        "first_date": one.first,
        "last_date": one.last,
        "unusual_days": one.unusual_days,
        "net_amount": _money(one.actual),
        "expected_amount": _money(one.expected) if one.upper else None,
        "lower_amount": _money(one.lower) if one.upper else None,
        "upper_amount": _money(one.upper) if one.upper else None,
        "impact_amount": _money(one.impact) if one.upper else None,
        "orders_ratio": one.orders_ratio,
        "price_ratio": one.price_ratio,
        "z": one.z,
        "is_retrospective": one.is_retrospective,
    }


def _money(number: float) -> Decimal:
    return Decimal(repr(number)).quantize(Decimal("0.0001"))
