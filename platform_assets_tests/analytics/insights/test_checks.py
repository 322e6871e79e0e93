from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.insights import checks
from platform_assets.analytics.insights.changes import CHANGES_SCHEMA, CONTRIBUTIONS_SCHEMA
from platform_assets.analytics.insights.history import REPORTED_SCHEMA, REPORTS_SCHEMA

WEEK = date(2024, 3, 4)
AMOUNTS = {"net_before_amount": Decimal(100), "net_after_amount": Decimal(130)}
SEGMENT = {"source_system": "shop", "dimension": "channel", "segment": "Online", "week_date": WEEK, **AMOUNTS}
CHANGE = SEGMENT | {
    "buyers_effect_amount": Decimal(10),
    "orders_per_buyer_effect_amount": Decimal(5),
    "units_per_order_effect_amount": Decimal(20),
    "price_per_unit_effect_amount": Decimal(-5),
}
PART = SEGMENT | {
    "volume_effect_amount": Decimal(20),
    "mix_effect_amount": Decimal(15),
    "rate_effect_amount": Decimal(-5),
}
FINDING = {
    "week_date": WEEK,
    "rank": 1,
    "first_date": WEEK,
    "last_date": WEEK,
    "p": 0.001,
    "p_adjusted": 0.05,
    "impact_low_amount": Decimal(1),
    "impact_amount": Decimal(2),
    "impact_high_amount": Decimal(3),
    **dict.fromkeys(("title", "text", "action", "verify", "sql"), "said"),
}
REPORT = {"week_date": WEEK, "insights": 1, "false_discovery_rate": 0.1}


def changes(**change: Any) -> pa.Table:
    return pa.Table.from_pylist([CHANGE | change], schema=CHANGES_SCHEMA)


def contributions(**change: Any) -> pa.Table:
    return pa.Table.from_pylist([PART | change], schema=CONTRIBUTIONS_SCHEMA)


def insights(report: dict[str, Any], *findings: dict[str, Any]) -> list[str]:
    return checks.broken_insights(
        pa.Table.from_pylist([FINDING | one for one in findings], schema=REPORTED_SCHEMA),
        pa.Table.from_pylist([REPORT | report], schema=REPORTS_SCHEMA),
    )


def test_effects_that_add_up_are_right() -> None:
    assert checks.broken_changes(changes()) == []
    assert checks.broken_contributions(contributions(), changes()) == []


def test_effects_that_do_not_add_up_are_named() -> None:
    where = "2024-03-04 shop channel Online"
    assert checks.broken_changes(changes(buyers_effect_amount=Decimal(11))) == [
        f"{where}: effects sum to 31.0000, the change is 30.0000"
    ]
    assert checks.broken_contributions(contributions(mix_effect_amount=Decimal(14)), changes()) == [
        f"{where}: effects sum to 29.0000, the change is 30.0000"
    ]


def test_a_contribution_that_was_not_decomposed_is_named() -> None:
    assert checks.broken_contributions(contributions(), changes(segment="Store")) == [
        "2024-03-04 shop channel Online: the decomposition says otherwise"
    ]


def test_a_discovery_with_its_report_is_right() -> None:
    assert insights({}, {}) == []
    assert insights({"insights": 0}) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"p_adjusted": 0.2}, "p 0.001, adjusted 0.2, and at most 0.1 is a discovery"),
        ({"p": 0.06}, "p 0.06, adjusted 0.05, and at most 0.1 is a discovery"),
        ({"impact_amount": Decimal(4)}, "4.0000 is not within 1.0000 and 3.0000"),
        ({"action": ""}, "no action"),
        ({"last_date": date(2024, 3, 3)}, "from 2024-03-04 to 2024-03-03"),
    ],
)
def test_a_finding_that_is_none_is_named(change: dict[str, Any], fault: str) -> None:
    assert insights({}, change) == [f"2024-03-04 said: {fault}"]


def test_findings_that_their_report_does_not_count_are_named() -> None:
    assert insights({"insights": 2}, {}) == ["2024-03-04: ranks [1], and 2 findings in the report"]
    assert insights({}, {"rank": 2}) == ["2024-03-04: ranks [2], and 1 findings in the report"]


def test_the_self_test_speaks_against_the_insights_only_when_chance_does_not_explain_it() -> None:
    # Of 20 reports 3 are expected; 7 or more come in 2.2 % of all cases, 8 or more in 0.6 %.
    assert checks.placebo_p(20, 0) == 1
    assert checks.placebo_p(20, 7) == pytest.approx(0.0219, abs=1e-4)
    assert checks.placebo_p(20, 8) == pytest.approx(0.0059, abs=1e-4)
