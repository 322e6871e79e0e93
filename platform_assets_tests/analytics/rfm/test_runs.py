from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from platform_assets.analytics.rfm.edges import KeptEdges, RfmEdges
from platform_assets.analytics.rfm.runs import (
    NOT_KNOWN,
    RUNS_MIGRATION_SCHEMA,
    RUNS_STABILITY_SCHEMA,
    ScoredRun,
    comparable,
    edges_in_use,
    moves,
    shifts,
)
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.rfm.people import AS_OF, scored_people
from platform_assets_tests.conftest import without_spark

EDGES = RfmEdges((-40, -30, -20, -10), (2, 3, 4, 5), tuple(map(Decimal, (1, 2, 3, 4))))
OTHERS = RfmEdges((-4, -3, -2, -1), (2, 3, 4, 5), tuple(map(Decimal, (1, 2, 3, 4))))
SALES: tuple[int, str, tuple[str, ...]] = (365, "EUR", ("shop",))
BEFORE, AFTER = KeptEdges(EDGES, date(2024, 5, 31), *SALES), KeptEdges(OTHERS, AS_OF, *SALES)


@without_spark
def test_moves_name_both_days_and_those_whom_a_run_does_not_know(engine: Engine) -> None:
    first = scored_people(engine, [("stays", "Loyal", "5"), ("leaves", "Lost", "1")])
    second = scored_people(engine, [("stays", "Champions", "7"), ("comes", "New", "2")])
    found = moves(ScoredRun(first, BEFORE), ScoredRun(second, AFTER), engine)

    assert found.schema == RUNS_MIGRATION_SCHEMA
    assert {(row["from_segment"], row["to_segment"], row["move"]) for row in found.to_pylist()} == {
        ("Loyal", "Champions", "up"),
        ("Lost", NOT_KNOWN, "gone"),
        (NOT_KNOWN, "New", "new"),
    }
    assert {(row["before_date"], row["after_date"]) for row in found.to_pylist()} == {(BEFORE.as_of, AS_OF)}


@without_spark
def test_without_a_run_before_everyone_is_new_and_nothing_is_said_of_the_base(engine: Engine) -> None:
    run = ScoredRun(scored_people(engine, [("a", "Lost", "1"), ("b", "New", "2")]), AFTER)

    assert {row["move"] for row in moves(None, run, engine).to_pylist()} == {"new"}
    assert {row["before_date"] for row in moves(None, run, engine).to_pylist()} == {None}
    shifted = shifts(None, run, run.scores, engine)
    assert shifted.schema == RUNS_STABILITY_SCHEMA
    assert set(shifted["verdict"].to_pylist()) == {"unknown"}


@without_spark
def test_measures_of_another_window_are_not_comparable(engine: Engine) -> None:
    people = scored_people(engine, [(str(n), "Lost", "1") for n in range(200)])
    whole_history = replace(BEFORE, window_days=None)
    found = shifts(ScoredRun(people, whole_history), ScoredRun(people, AFTER), people, engine)

    assert dict(zip(found["measure"].to_pylist(), found["verdict"].to_pylist(), strict=True)) == {
        "segment": "not comparable",
        "recency_score": "not comparable",
        "frequency_score": "stable",
        "monetary_score": "stable",
    }


@pytest.mark.parametrize(
    ("before", "keeps_edges", "used"),
    [
        (BEFORE, True, EDGES),
        (BEFORE, False, OTHERS),
        (None, True, OTHERS),
        (replace(BEFORE, window_days=None), True, OTHERS),
        (replace(BEFORE, edges=RfmEdges((), (), ())), True, OTHERS),
        (replace(BEFORE, currency="USD"), True, OTHERS),
        (replace(BEFORE, datasets=("shop", "stores")), True, OTHERS),
    ],
    ids=["kept", "not asked for", "no run before", "another window", "nobody before", "other money", "other sales"],
)
def test_edges_are_kept_where_that_is_asked_for_and_they_measure_the_same(
    before: KeptEdges | None, keeps_edges: bool, used: RfmEdges
) -> None:
    assert edges_in_use(AFTER, before, keeps_edges=keeps_edges) == replace(AFTER, edges=used)


@pytest.mark.parametrize(
    ("before", "is_comparable"),
    [
        (BEFORE, True),
        (replace(BEFORE, window_days=None), True),
        (None, False),
        (replace(BEFORE, currency="USD"), False),
        (replace(BEFORE, datasets=("stores",)), False),
    ],
    ids=["as before", "another window", "no run before", "other money", "other sales"],
)
def test_runs_of_other_sales_are_not_held_against_each_other(before: KeptEdges | None, is_comparable: bool) -> None:
    assert comparable(before, AFTER) is is_comparable
