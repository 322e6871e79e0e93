import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from platform_assets.analytics.rfm.edges import KeptEdges, RfmEdges, RfmEdgesError

EDGES = RfmEdges((-90, -60, -30, -7), (2, 3, 5, 9), tuple(map(Decimal, ("10.0000", "20.5000", "20.5000", "99.9999"))))
KEPT = KeptEdges(EDGES, date(2024, 6, 30), 365, "EUR", ("shop", "stores"))


def test_edges_that_were_kept_come_back_exactly() -> None:
    assert KeptEdges.from_json(json.loads(json.dumps(KEPT.to_json()))) == KEPT


def test_edges_of_a_base_without_customers_come_back_too() -> None:
    empty = KeptEdges(RfmEdges((), (), ()), date(2024, 6, 30), None, "EUR", (), "orders")

    assert KeptEdges.from_json(json.loads(json.dumps(empty.to_json()))) == empty


@pytest.mark.parametrize(
    "damage",
    [
        {"monetary": ["10", "9", "11", "12"]},
        {"frequency": [2, 3, 5]},
        {"recency": ["a", 1, 2, 3]},
        {"monetary": ["ten", "20", "30", "40"]},
        {"as_of": "yesterday"},
        {"recency": None},
        {"format": 1},
        {"format": None},
        {"datasets": None},
    ],
    ids=str,
)
def test_damaged_edges_are_refused(damage: dict[str, object]) -> None:
    with pytest.raises(RfmEdgesError, match="new edges are made"):
        KeptEdges.from_json({**KEPT.to_json(), **damage})


def test_edges_with_a_part_missing_are_refused() -> None:
    with pytest.raises(RfmEdgesError, match="monetary"):
        KeptEdges.from_json({name: value for name, value in KEPT.to_json().items() if name != "monetary"})


@pytest.mark.parametrize(
    "other",
    [
        {"window_days": None},
        {"window_days": 90},
        {"frequency_of": "orders"},
        {"currency": "USD"},
        {"datasets": ("shop",)},
    ],
    ids=str,
)
def test_edges_serve_measures_of_their_own_kind_only(other: dict[str, Any]) -> None:
    later = replace(KEPT, as_of=date(2024, 7, 1), edges=RfmEdges((), (), ()))

    assert KEPT.measures_as(later)
    assert not KEPT.measures_as(replace(later, **other))


def test_the_measures_whose_edges_changed_are_named() -> None:
    other = RfmEdges(EDGES.recency, (2, 3, 4, 5), (Decimal(1), Decimal(2), Decimal(3), Decimal(4)))

    assert EDGES.changed(EDGES) == ()
    assert EDGES.changed(other) == ("frequency", "monetary")
