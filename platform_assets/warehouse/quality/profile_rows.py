"""Deliveries in the shape of ``quality.profiles``."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa

from platform_assets.engines.engine import INSTANT
from platform_assets.quality.deliveries import History

PROFILES_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("delivery_id", pa.string()),
        ("landed_at", INSTANT),
        ("check_name", pa.string()),
        ("column_name", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("expected_low", pa.float64()),
        ("expected_high", pa.float64()),
        ("is_outside", pa.bool_()),
        ("is_incident", pa.bool_()),
        ("accepted_why", pa.string()),
        ("rows", pa.int64()),
        ("files", pa.int64()),
    ]
)
PROFILES_KEY = ("dataset", "delivery_id", "column_name", "metric")


def profile_rows(histories: Mapping[str, History]) -> pa.Table:
    """One row per figure of every delivery that is remembered.

    Args:
        histories: The deliveries by dataset.
    """
    lines = [
        {
            "dataset": dataset,
            "delivery_id": delivery.id,
            "landed_at": datetime.fromisoformat(delivery.landed_at).astimezone(UTC).replace(tzinfo=None),
            "check_name": metric.family,
            "column_name": metric.column,
            "metric": metric.name,
            "value": float(metric.value),
            "expected_low": metric.low,
            "expected_high": metric.high,
            "is_outside": metric.is_outside,
            "is_incident": delivery.is_incident,
            "accepted_why": delivery.accepted_why or None,
            "rows": delivery.profile.rows,
            "files": delivery.files,
        }
        for dataset, history in histories.items()
        for delivery in history.deliveries
        for metric in delivery.metrics
    ]
    return pa.Table.from_pylist(lines, schema=PROFILES_SCHEMA)
