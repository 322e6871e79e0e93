from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.anomalies import checks
from platform_assets.analytics.anomalies.incident_tables import INCIDENTS_SCHEMA, PARTS_SCHEMA
from platform_assets.analytics.anomalies.judgement import ORDER_OUTLIERS_SCHEMA
from platform_assets.analytics.anomalies.series import DAYS_SCHEMA

DAY = date(2024, 3, 1)
SEGMENT = {"source_system": "shop", "dimension": "total", "segment": "all"}
USUAL = {"value": 100.0, "expected_value": 98.0, "lower_value": 80.0, "upper_value": 120.0, "z": 0.2}
AMOUNTS = {"net_amount": Decimal(20), "expected_amount": Decimal(100), "impact_amount": Decimal(-80)}
INCIDENT = {"incident_id": "a", "first_date": DAY, "last_date": DAY, "unusual_days": 1, **SEGMENT, **AMOUNTS}
PART = {"incident_id": "a", "dimension": "channel", "segment": "Online", "is_unusual": True, **AMOUNTS}
LINE = {
    "source_system": "shop",
    "sold_at": datetime(2024, 3, 1),
    "quantity": 2,
    "net_amount": Decimal(1),
    "usual_price_amount": Decimal(50),
    "impact_amount": Decimal(-99),
}


def days(*changes: dict[str, Any]) -> pa.Table:
    row = {**SEGMENT, **USUAL, "measure": "orders", "sale_date": DAY, "verdict": "usual", "is_unusual": False}
    return pa.Table.from_pylist([{**row, **change} for change in changes], schema=DAYS_SCHEMA)


def test_usual_days_within_and_unusual_days_outside_of_their_band_are_right() -> None:
    unusual = {"verdict": "unusual", "is_unusual": True}
    unsaid = dict.fromkeys(USUAL) | {"verdict": "too few orders"}
    table = days({}, {**unusual, "value": 200.0}, {**unusual, "value": 0.0}, unsaid)

    assert checks.broken_days(table) == []
    judged, rate = checks.unusual_rate(table)
    assert judged == 3
    assert rate == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"value": 121.0}, "usual, and 121.0 is above 120.0"),
        ({"verdict": "unusual", "is_unusual": True}, "unusual, and 100.0 is between 80.0 and 120.0"),
        ({"is_unusual": True, "value": 121.0}, "usual, and unusual is True"),
        ({"expected_value": 130.0}, "130.0 is not between 80.0 and 120.0"),
        ({"z": None}, "judged without numbers"),
    ],
)
def test_a_verdict_that_contradicts_its_band_is_named(change: dict[str, Any], fault: str) -> None:
    assert checks.broken_days(days(change)) == [f"shop total all orders 2024-03-01: {fault}"]


def test_no_judged_day_is_no_share_of_unusual_ones() -> None:
    assert checks.unusual_rate(DAYS_SCHEMA.empty_table()) == (0, 0.0)


def incidents(incident: dict[str, Any], part: dict[str, Any]) -> list[str]:
    return checks.broken_incidents(
        pa.Table.from_pylist([INCIDENT | incident], schema=INCIDENTS_SCHEMA),
        pa.Table.from_pylist([PART | part], schema=PARTS_SCHEMA),
        DAY,
    )


def test_an_incident_whose_amounts_close_is_right_also_where_money_could_not_be_judged() -> None:
    assert incidents({}, {}) == []
    assert incidents({"expected_amount": None, "impact_amount": None}, {}) == []


@pytest.mark.parametrize(
    ("incident", "part", "fault"),
    [
        ({"impact_amount": Decimal(-81)}, {}, "incident a: -81.0000 is not 20.0000 - 100.0000"),
        ({"last_date": date(2024, 3, 2)}, {}, "incident a: from 2024-03-01 to 2024-03-02, as of 2024-03-01"),
        ({"unusual_days": 2}, {}, "incident a: 2 unusual days from 2024-03-01 to 2024-03-01"),
        ({}, {"incident_id": "b"}, "part channel Online of b: there is no such incident"),
        ({}, {"net_amount": Decimal(21)}, "part channel Online of a: -80.0000 is not 21.0000 - 100.0000"),
    ],
)
def test_an_incident_that_does_not_close_is_named(incident: dict[str, Any], part: dict[str, Any], fault: str) -> None:
    assert incidents(incident, part) == [fault]


def outliers(*changes: dict[str, Any]) -> list[str]:
    return checks.broken_outliers(
        pa.Table.from_pylist([{**LINE, **change} for change in changes], schema=ORDER_OUTLIERS_SCHEMA)
    )


def test_lines_in_the_order_of_their_scores_are_right_in_any_order_of_rows() -> None:
    assert outliers({"rank": 2, "score": 5.0}, {"rank": 1, "score": 9.0}) == []


def test_lines_out_of_rank_or_with_another_difference_are_named() -> None:
    assert outliers({"rank": 2, "score": 5.0}) == ["ranks are not 1, 2, 3 ..."]
    assert outliers({"rank": 1, "score": 5.0}, {"rank": 2, "score": 9.0}) == ["ranks do not follow the scores"]
    assert outliers({"rank": 1, "score": 5.0, "impact_amount": Decimal(-98)}) == ["rank 1: -98.0000 is not -99.0000"]
