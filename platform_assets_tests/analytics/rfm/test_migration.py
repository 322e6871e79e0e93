from decimal import Decimal

from platform_assets.analytics.rfm.migration import MIGRATION_SCHEMA, migration_matrix
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.rfm.people import scored_people

BEFORE = [
    ("a", "Champions", "100"),
    ("b", "Champions", "50"),
    ("c", "Lost", "5"),
    ("d", "Lost", "1"),
    ("p", "Prospects", "0"),
]
AFTER = [("a", "Champions", "90"), ("b", "At Risk", "40"), ("c", "New", "15"), ("p", "New", "9"), ("n", "New", "3")]


def test_every_customer_of_either_run_is_in_exactly_one_cell_of_the_matrix(engine: Engine) -> None:
    table = migration_matrix(scored_people(engine, BEFORE), scored_people(engine, AFTER), engine)

    assert table.schema == MIGRATION_SCHEMA
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("Champions", "Champions", "same", 1, 0.5, Decimal(100), Decimal(90)),
        ("Champions", "At Risk", "down", 1, 0.5, Decimal(50), Decimal(40)),
        ("Lost", "New", "up", 1, 0.5, Decimal(5), Decimal(15)),
        ("Lost", None, "gone", 1, 0.5, Decimal(1), Decimal(0)),
        ("Prospects", "New", "up", 1, 1.0, Decimal(0), Decimal(9)),
        (None, "New", "new", 1, 1.0, Decimal(0), Decimal(3)),
    ]


def test_a_run_compared_with_itself_has_moved_nobody(engine: Engine) -> None:
    table = migration_matrix(scored_people(engine, BEFORE), scored_people(engine, BEFORE), engine)

    assert {row["move"] for row in table.to_pylist()} == {"same"}
    assert sum(table["customers"].to_pylist()) == len(BEFORE)


def test_after_no_run_everyone_is_new(engine: Engine) -> None:
    table = migration_matrix(scored_people(engine, []), scored_people(engine, AFTER), engine)

    assert {(row["from_segment"], row["move"]) for row in table.to_pylist()} == {(None, "new")}
    assert sum(table["from_rate"].to_pylist()) == 1
