"""The registry of key figures as rows, so that what a figure means is where its values are.

Belongs here: the table ``kpis``. Does not belong here: the page for people (``documentation``).
"""

import pyarrow as pa

from platform_assets.analytics.kpis.registry import KPIS, Kpi
from platform_assets.analytics.kpis.sql import published_sql

KPIS_SCHEMA = pa.schema(
    [
        ("kpi", pa.string()),
        ("title", pa.string()),
        ("definition", pa.string()),
        ("formula", pa.string()),
        ("unit", pa.string()),
        ("direction", pa.string()),
        ("additivity", pa.string()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("is_available", pa.bool_()),
        ("reason", pa.string()),
        ("statement", pa.string()),
    ]
)
"""One row per key figure.

``formula``: of the components that docs/kpis.md explains; ``unit``: of its values, amounts in the currency of the row;
``direction``: where better is (``up``, ``down`` or ``none``); ``additivity``: whether parts add up to the whole
(``additive``), count things that overlap (``distinct``) or are a ``ratio``. ``low`` and ``high``: bounds no value is
beyond; null for none. ``reason``: why the data cannot give it; null where they can. ``statement``: the SQL that gives
its values by month (on raw files: over all), with the parameter ``as_of``; null where the data cannot give it.
"""


def kpi_rows() -> pa.Table:
    """The registry as rows of ``KPIS_SCHEMA``, in its order."""
    return pa.Table.from_pylist([_row(kpi) for kpi in KPIS.values()], schema=KPIS_SCHEMA)


def _row(kpi: Kpi) -> dict[str, object]:
    return {
        "kpi": kpi.name,
        "title": kpi.title,
        "definition": kpi.definition,
        "formula": str(kpi.formula) if kpi.is_available else None,
        "unit": kpi.unit,
        "direction": kpi.direction,
        "additivity": kpi.additivity,
        "low": kpi.low,
        "high": kpi.high,
        "is_available": kpi.is_available,
        "reason": kpi.reason or None,
        "statement": published_sql(kpi) if kpi.is_available else None,
    }
