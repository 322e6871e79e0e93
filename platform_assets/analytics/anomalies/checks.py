"""What must hold of judged days, incidents and lines.

Belongs here: judging the result tables by themselves. Does not belong here: whether a day is unusual (``baseline``).
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.anomalies.baseline import Verdict

MOST_UNUSUAL = 0.02
"""With a larger share of judged days unusual, it is the expectation that does not fit."""
_PLACE = Decimal("0.0001")
_ROUNDING = 1e-9


def broken_days(days: pa.Table) -> list[str]:
    """Days whose verdict is not what their band says, or that have no numbers though they were judged.

    Args:
        days: Rows of ``DAYS_SCHEMA``.
    """
    judged = days.filter(pc.is_in(days["verdict"], pa.array([str(Verdict.USUAL), str(Verdict.UNUSUAL)])))
    return [f"{_of_series(row)}: {fault}" for row in judged.to_pylist() for fault in _of_day(row)]


def unusual_rate(days: pa.Table) -> tuple[int, float]:
    """How many days were judged, and which share of them is unusual.

    Args:
        days: Rows of ``DAYS_SCHEMA``.
    """
    unusual = pc.sum(pc.equal(days["verdict"], str(Verdict.UNUSUAL))).as_py() or 0
    judged = unusual + (pc.sum(pc.equal(days["verdict"], str(Verdict.USUAL))).as_py() or 0)
    return judged, unusual / judged if judged else 0.0


def broken_incidents(incidents: pa.Table, parts: pa.Table, as_of: date) -> list[str]:
    """Incidents whose difference is not that of their amounts, whose days do not follow, or whose parts are lost.

    Args:
        incidents: Rows of ``INCIDENTS_SCHEMA``.
        parts: Rows of ``PARTS_SCHEMA``.
        as_of: The last day that counts.
    """
    rows = incidents.to_pylist()
    known = {row["incident_id"] for row in rows}
    broken = [f"incident {row['incident_id']}: {fault}" for row in rows for fault in _of_incident(row, as_of)]
    for row in parts.to_pylist():
        where = f"part {row['dimension']} {row['segment']} of {row['incident_id']}"
        if row["incident_id"] not in known:
            broken.append(f"{where}: there is no such incident")
        if _is_off(row):
            broken.append(f"{where}: {row['impact_amount']} is not {row['net_amount']} - {row['expected_amount']}")
    return broken


def broken_outliers(outliers: pa.Table) -> list[str]:
    """Lines out of rank, or whose difference is not that from the usual price.

    Args:
        outliers: Rows of ``ORDER_OUTLIERS_SCHEMA``.
    """
    rows = sorted(outliers.to_pylist(), key=lambda row: row["rank"])
    broken = [] if [row["rank"] for row in rows] == list(range(1, len(rows) + 1)) else ["ranks are not 1, 2, 3 ..."]
    if [row["score"] for row in rows] != sorted((row["score"] for row in rows), reverse=True):
        broken.append("ranks do not follow the scores")
    for row in rows:
        impact = row["net_amount"] - row["usual_price_amount"] * row["quantity"]
        # The price is kept to four places, and taken so many times.
        if abs(impact - row["impact_amount"]) > _PLACE * (abs(row["quantity"]) + 1):
            broken.append(f"rank {row['rank']}: {row['impact_amount']} is not {impact}")
    return broken


def _of_day(row: dict[str, Any]) -> Iterator[str]:
    value, lower, expected, upper = (row[name] for name in ("value", "lower_value", "expected_value", "upper_value"))
    if None in (value, lower, expected, upper, row["z"]):
        yield "judged without numbers"
        return
    if not lower <= expected <= upper:
        yield f"{expected} is not between {lower} and {upper}"
    if row["is_unusual"] != (row["verdict"] == Verdict.UNUSUAL):
        yield f"{row['verdict']}, and unusual is {row['is_unusual']}"
    if row["is_unusual"] and lower * (1 + _ROUNDING) < value < upper * (1 - _ROUNDING):
        yield f"unusual, and {value} is between {lower} and {upper}"
    if not row["is_unusual"] and value > upper * (1 + _ROUNDING):
        yield f"usual, and {value} is above {upper}"


def _of_incident(row: dict[str, Any], as_of: date) -> Iterator[str]:
    if not row["first_date"] <= row["last_date"] <= as_of:
        yield f"from {row['first_date']} to {row['last_date']}, as of {as_of}"
    if not 0 < row["unusual_days"] <= (row["last_date"] - row["first_date"]).days + 1:
        yield f"{row['unusual_days']} unusual days from {row['first_date']} to {row['last_date']}"
    if row["impact_amount"] is not None and _is_off(row):
        yield f"{row['impact_amount']} is not {row['net_amount']} - {row['expected_amount']}"


def _is_off(row: dict[str, Any]) -> bool:
    """Each amount is rounded by itself."""
    off: bool = abs(row["net_amount"] - row["expected_amount"] - row["impact_amount"]) > 2 * _PLACE
    return off


def _of_series(row: dict[str, Any]) -> str:
    return f"{row['source_system']} {row['dimension']} {row['segment']} {row['measure']} {row['sale_date']}"
