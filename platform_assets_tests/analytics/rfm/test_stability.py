from decimal import Decimal
from math import log

import pytest

from platform_assets.analytics.rfm.edges import RfmEdges
from platform_assets.analytics.rfm.stability import STABILITY_SCHEMA, stability, stability_index
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.rfm.people import scored_people

EDGES = RfmEdges((-9, -6, -3, -1), (2, 3, 5, 9), (Decimal(1), Decimal(2), Decimal(3), Decimal(4)))
OTHER = RfmEdges((-9, -6, -3, -1), (2, 3, 5, 8), (Decimal(1), Decimal(2), Decimal(3), Decimal(4)))


def base(segments: dict[str, int], prefix: str = "c") -> list[tuple[str, str, str]]:
    return [(f"{prefix}{name}{n}", name, "1") for name, size in segments.items() for n in range(size)]


def test_the_index_of_two_halves_against_three_quarters_is_the_one_by_hand() -> None:
    # 99.5 and 99.5 of 199 against 149.5 and 49.5 of 199, with half a customer more in each bin of 99/99 and 149/49
    p, q = (0.5, 0.5), (149.5 / 199, 49.5 / 199)

    by_hand = sum((b - a) * log(b / a) for a, b in zip(p, q, strict=True))

    assert stability_index([99, 99], [149, 49]) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.278, abs=0.001)


def test_the_index_is_nothing_for_equal_shares_and_finite_for_empty_bins() -> None:
    assert stability_index([10, 20, 0], [10, 20, 0]) == 0
    assert 0 < stability_index([100, 0], [0, 100]) < 20


def test_an_unchanged_base_is_stable_and_prospects_do_not_count(engine: Engine) -> None:
    people = base({"Loyal": 30, "Lost": 20})
    before, after = (scored_people(engine, rows) for rows in (people, [*people, ("p", "Prospects", "0")]))

    rows = stability(before, after, (EDGES, EDGES), engine).to_pylist()

    assert [row["measure"] for row in rows] == ["segment", "recency_score", "frequency_score", "monetary_score"]
    assert {(row["stability_index"], row["verdict"], row["customers_after"]) for row in rows} == {(0.0, "stable", 50)}


def test_a_base_that_turned_over_has_changed(engine: Engine) -> None:
    before = scored_people(engine, base({"Loyal": 90, "Lost": 10}), [5] * 90 + [1] * 10)
    after = scored_people(engine, base({"Loyal": 40, "Lost": 60}), [5] * 40 + [1] * 60)

    assert {row["verdict"] for row in stability(before, after, (EDGES, EDGES), engine).to_pylist()} == {"changed"}


def test_few_customers_cannot_be_told_from_chance(engine: Engine) -> None:
    before, after = (
        scored_people(engine, base({"Loyal": 3, "Lost": 1})),
        scored_people(engine, base({"Loyal": 1, "Lost": 3})),
    )

    row = stability(before, after, (EDGES, EDGES), engine).to_pylist()[0]

    assert row["stability_index"] > 0.25
    assert (row["verdict"], row["reason"]) == ("stable", "too few customers to tell the difference from chance")


def test_where_edges_were_made_anew_the_measures_they_touch_are_not_comparable(engine: Engine) -> None:
    people = scored_people(engine, base({"Loyal": 30, "Lost": 20}))

    rows = {row["measure"]: row for row in stability(people, people, (EDGES, OTHER), engine).to_pylist()}

    assert {name: row["verdict"] for name, row in rows.items()} == {
        "segment": "not comparable",
        "recency_score": "stable",
        "frequency_score": "not comparable",
        "monetary_score": "stable",
    }
    assert "edges of frequency were made anew" in rows["segment"]["reason"]


def test_without_customers_nothing_can_be_said(engine: Engine) -> None:
    table = stability(scored_people(engine, []), scored_people(engine, base({"Loyal": 3})), (EDGES, EDGES), engine)

    assert table.schema == STABILITY_SCHEMA
    assert {(row["verdict"], row["stability_index"]) for row in table.to_pylist()} == {("unknown", None)}
