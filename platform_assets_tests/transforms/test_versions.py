from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_assets.engines.engine import INSTANT, MONEY, Engine, conformed
from platform_assets.transforms.versions import BEGINNING, END, versions

Dated = tuple[str, datetime, str | None, Decimal | None]
Told = Dated | tuple[str, None, str | None, Decimal | None]
Version = tuple[datetime, datetime, str | None, Decimal | None]

TICK = timedelta(microseconds=1)
OBSERVED = pa.schema([("id", pa.string()), ("at", INSTANT), ("name", pa.string()), ("price", MONEY)])
VERSIONS = pa.schema(
    [("id", pa.string()), ("valid_from", INSTANT), ("valid_to", INSTANT), ("name", pa.string()), ("price", MONEY)]
)
on_duckdb = pytest.mark.parametrize("engine", ["duckdb"], indirect=True, scope="session")
modes = pytest.mark.parametrize("carried", [True, False], ids=["carried", "as told"])

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(1, 6).map(lambda number: datetime(2024, 1, number)),
        st.sampled_from(["x", "y", None]),
        st.sampled_from([Decimal(1), Decimal("2.5"), None]),
    ),
    min_size=1,
    max_size=12,
)


def day(number: int) -> datetime:
    return datetime(2024, 1, number)


def histories(engine: Engine, told: Sequence[Told], *, carried: bool) -> dict[str, list[Version]]:
    """Each member's versions in the order of time."""
    table = pa.Table.from_pylist([dict(zip(OBSERVED.names, row, strict=True)) for row in told], OBSERVED)
    made = versions(engine.from_arrow(table), "id", "at", ["name", "price"], carried=carried)
    found: dict[str, list[Version]] = {}
    for row in sorted(engine.collect(conformed(made, VERSIONS)).to_pylist(), key=lambda row: row["valid_from"]):
        found.setdefault(row["id"], []).append((row["valid_from"], row["valid_to"], row["name"], row["price"]))
    return found


def replay(told: Sequence[Dated], member: str, instant: datetime, *, carried: bool) -> list[object]:
    """What is known of a member at an instant, by going through all that was told of it."""
    own: list[tuple[Any, ...]] = [row for row in told if row[0] == member]
    values: list[object] = []
    for place in (2, 3):
        counting = [row for row in own if row[place] is not None] if carried else own
        known = [row for row in counting if row[1] <= instant] or counting
        choose = max if any(row[1] <= instant for row in counting) else min
        decisive = choose((row[1] for row in known), default=None)
        values.append(min((row[place] for row in known if row[1] == decisive and row[place] is not None), default=None))
    return values


@on_duckdb
@modes
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(told=EVENTS, data=st.data())
def test_at_every_instant_one_version_is_valid_and_says_what_a_replay_says(
    engine: Engine, carried: bool, told: list[Dated], data: st.DataObject
) -> None:
    found = histories(engine, data.draw(st.permutations(told)), carried=carried)

    instants = {BEGINNING, END - TICK, *(row[1] + step for row in told for step in (-TICK, 0 * TICK, TICK))}
    assert found.keys() == {row[0] for row in told}
    for member, history in found.items():
        for instant in instants:
            valid = [[*values] for since, until, *values in history if since <= instant < until]
            assert valid == [replay(told, member, instant, carried=carried)]
        assert (history[0][0], history[-1][1]) == (BEGINNING, END)
        for one, following in pairwise(history):
            assert one[0] < one[1] == following[0]
            assert one[2:] != following[2:]


def test_a_change_and_a_return_are_three_versions_whatever_the_order_of_arrival(engine: Engine) -> None:
    told: list[Told] = [
        ("m", day(3), "A", None),
        ("m", day(1), "A", Decimal(1)),
        ("m", day(2), "B", Decimal(1)),
        ("m", day(4), "A", Decimal(1)),
        ("n", day(2), None, None),
    ]

    assert histories(engine, told, carried=True) == {
        "m": [
            (BEGINNING, day(2), "A", Decimal(1)),
            (day(2), day(3), "B", Decimal(1)),
            (day(3), END, "A", Decimal(1)),
        ],
        "n": [(BEGINNING, END, None, None)],
    }


def test_a_missing_value_says_nothing_or_that_it_is_unknown_from_then_on(engine: Engine) -> None:
    told: list[Told] = [
        ("m", day(1), None, Decimal(5)),
        ("m", day(2), "A", None),
        ("m", day(3), None, None),
        ("m", day(4), "A", Decimal(5)),
    ]

    assert histories(engine, told, carried=True) == {"m": [(BEGINNING, END, "A", Decimal(5))]}
    assert histories(engine, told, carried=False) == {
        "m": [
            (BEGINNING, day(2), None, Decimal(5)),
            (day(2), day(3), "A", None),
            (day(3), day(4), None, None),
            (day(4), END, "A", Decimal(5)),
        ]
    }


def test_of_several_values_at_one_instant_the_least_counts_each_for_itself(engine: Engine) -> None:
    told: list[Told] = [
        ("m", day(1), "B", Decimal(1)),
        ("m", day(2), "D", Decimal(3)),
        ("m", day(2), "C", Decimal(4)),
        ("m", day(2), None, Decimal("3.5")),
    ]
    expected = [(BEGINNING, day(2), "B", Decimal(1)), (day(2), END, "C", Decimal(3))]

    assert histories(engine, told, carried=True) == {"m": expected}
    assert histories(engine, told, carried=False) == {"m": expected}


def test_what_is_told_outside_of_time_or_for_no_time_holds_at_its_ends(engine: Engine) -> None:
    told: list[Told] = [
        ("m", None, "A", None),
        ("m", datetime(1850, 1, 1), "B", None),
        ("m", day(1), "C", None),
        ("m", END, "D", None),
    ]

    assert histories(engine, told, carried=False) == {
        "m": [
            (BEGINNING, day(1), "A", None),
            (day(1), END - TICK, "C", None),
            (END - TICK, END, "D", None),
        ]
    }
