"""What must hold of scores, segments and moves: a small right example passes, each spoiled one is told."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.rfm.checks import (
    changed_shares,
    customers_in_a_wrong_segment,
    moves_that_do_not_add_up,
    scores_against_their_measure,
    segments_that_do_not_add_up,
)
from platform_assets.analytics.rfm.runs import RUNS_MIGRATION_SCHEMA, RUNS_STABILITY_SCHEMA
from platform_assets.analytics.rfm.scores import SCORES_SCHEMA
from platform_assets.analytics.rfm.segments import SEGMENTS_SCHEMA

Row = dict[str, Any]


def customer(name: str, days_orders_money: tuple[int, int, int], cell: str | None, segment: str) -> Row:
    days, orders, money = days_orders_money
    scores = [int(digit) for digit in cell] if cell else [None] * 3
    return {
        "customer_id": name,
        "as_of_date": date(2024, 6, 30),
        "days_since_last": days if cell else None,
        "frequency": orders,
        "monetary_amount": Decimal(money),
        **dict(zip(("recency_score", "frequency_score", "monetary_score"), scores, strict=True)),
        "rfm_cell": cell,
        "segment": segment,
    }


ANN = customer("ann", (1, 9, 900), "555", "Champions")
BEA = customer("bea", (1, 9, 900), "555", "Champions")
CAL = customer("cal", (300, 1, 10), "111", "Lost")
DAN = customer("dan", (0, 0, 0), None, "Prospects")
PEOPLE = [ANN, BEA, CAL, DAN]
SEGMENTS = [
    {"segment": "Champions", "customers": 2, "customer_share": 2 / 3, "revenue_amount": Decimal(1800)},
    {"segment": "Lost", "customers": 1, "customer_share": 1 / 3, "revenue_amount": Decimal(10)},
    {"segment": "Prospects", "customers": 1, "revenue_amount": Decimal(0)},
]
MOVES = [
    {"from_segment": "Champions", "to_segment": "Champions", "customers": 1},
    {"from_segment": "(not known)", "to_segment": "Champions", "customers": 1},
    {"from_segment": "Champions", "to_segment": "Lost", "customers": 1},
    {"from_segment": "Lost", "to_segment": "(not known)", "customers": 4},
    {"from_segment": "Prospects", "to_segment": "Prospects", "customers": 1},
]


def scores(*people: Row) -> pa.Table:
    return pa.Table.from_pylist(list(people), SCORES_SCHEMA)


def segments(*lines: Row) -> pa.Table:
    return pa.Table.from_pylist(list(lines), SEGMENTS_SCHEMA)


def moves(*lines: Row) -> pa.Table:
    return pa.Table.from_pylist(list(lines), RUNS_MIGRATION_SCHEMA)


@pytest.mark.parametrize(
    "look",
    [
        lambda: scores_against_their_measure(scores(*PEOPLE)),
        lambda: customers_in_a_wrong_segment(scores(*PEOPLE)),
        lambda: segments_that_do_not_add_up(segments(*SEGMENTS), scores(*PEOPLE)),
        lambda: moves_that_do_not_add_up(moves(*MOVES), scores(*PEOPLE)),
        lambda: scores_against_their_measure(scores()),
        lambda: customers_in_a_wrong_segment(scores()),
        lambda: segments_that_do_not_add_up(segments(), scores()),
        lambda: moves_that_do_not_add_up(moves(), scores()),
    ],
)
def test_what_is_right_or_empty_is_not_told(look: Callable[[], list[str]]) -> None:
    assert look() == []


def test_equal_values_with_different_scores_are_told() -> None:
    found = scores_against_their_measure(scores(ANN, BEA | {"frequency_score": 4}, CAL))
    assert found == ["frequency_score 4 has frequency up to 9, and 5 from 9"]


def test_a_later_order_with_a_lower_score_is_told() -> None:
    found = scores_against_their_measure(scores(ANN, CAL | {"days_since_last": 0}))
    assert found == ["recency_score 5 has days_since_last up to 1, and 1 from 0"]


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ((ANN, ANN), "1 customers are told twice"),
        ((ANN | {"segment": "Lost"},), "1 customers of cell 555 are in Lost, not in Champions"),
        ((DAN | {"segment": "Lost"},), "1 customers of cell None are in Lost, not in Prospects"),
    ],
    ids=["twice", "another-segment", "without-scores"],
)
def test_customers_who_are_told_wrongly_are_counted(people: tuple[Row, ...], told: str) -> None:
    assert customers_in_a_wrong_segment(scores(*people)) == [told]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"customers": 3}, "Champions: 3 customers with 1,800.0000, scored are 2 with 1,800.0000"),
        ({"revenue_amount": Decimal(1)}, "Champions: 2 customers with 1.0000, scored are 2 with 1,800.0000"),
        ({"customer_share": 0.5}, "customer_share is 0.833333 together"),
    ],
    ids=["customers", "money", "shares"],
)
def test_a_segment_that_is_not_its_customers_is_told(line: Row, told: str) -> None:
    first, *others = SEGMENTS
    assert segments_that_do_not_add_up(segments(first | line, *others), scores(*PEOPLE)) == [told]


def test_a_segment_without_a_line_is_told() -> None:
    found = segments_that_do_not_add_up(segments(*SEGMENTS[1:]), scores(*PEOPLE))
    assert "no line for Champions" in found


def test_moves_that_lead_to_other_numbers_than_there_are_are_told() -> None:
    assert moves_that_do_not_add_up(moves(*MOVES[1:]), scores(*PEOPLE)) == ["Champions: 1 came or stayed, 2 are there"]


def test_only_what_changed_is_told_of_the_base_as_a_whole() -> None:
    rows = [
        {"measure": "segment", "stability_index": 0.31, "verdict": "changed"},
        {"measure": "recency_score", "stability_index": 0.12, "verdict": "shifted"},
    ]
    table = pa.Table.from_pylist(rows, RUNS_STABILITY_SCHEMA)
    assert changed_shares(table) == ["segment moved by an index of 0.31"]
