"""What a second run does: nothing for what it knows, and exactly what is due for a changed, removed or earlier file."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from platform_assets_tests.integration.deliveries import ECOMMERCE, ShopLine, shop_day, shop_file
from platform_assets_tests.integration.dumps import Digests, ask, digests, versions
from platform_assets_tests.integration.running import Home, Homes, Result

pytestmark = pytest.mark.integration

LOADED_AS_A_WHOLE = (
    "warehouse.dim_customer",
    "warehouse.dim_product",
    "warehouse.dim_channel",
    "warehouse.dim_date",
    "analytics.rfm_scores",
    "analytics.rfm_segments",
    "quality.row_ledger",
    "quality.quarantine",
)
SECOND = shop_day(2)
REPEATED = SECOND[5]
"""A line that the file of the third day repeats."""
THIRD = [*shop_day(3), REPEATED]
CHANGED = [replace(line, quantity=9) if place == 0 else line for place, line in enumerate(THIRD)]


@dataclass(frozen=True)
class State:
    """A warehouse after a run."""

    result: Result
    digests: Digests
    versions: dict[str, set[tuple[str, str]]]
    sales: dict[str, list[tuple[int, Decimal, str]]]
    """Line number, amount and the row's version, by file."""
    told: dict[str, object]


def state_of(home: Home, result: Result) -> State:
    rows = ask(
        home.dsn, "SELECT source_file, source_row, net_amount, xmin::text FROM warehouse.fct_sales ORDER BY 1, 2"
    )
    sales: dict[str, list[tuple[int, Decimal, str]]] = {}
    for file, *row in rows:
        sales.setdefault(file, []).append(tuple(row))
    return State(
        result=result,
        digests=digests(home.dsn),
        versions={table: versions(home.dsn, table) for table in ("warehouse.fct_sales", *LOADED_AS_A_WHOLE)},
        sales=sales,
        told=home.told("raw", ECOMMERCE),
    )


def touch(home: Home) -> None:
    """Give a file another time, as a copy does."""
    os.utime(home.raw / ECOMMERCE / "day3.csv", (1_700_000_000, 1_700_000_000))


STEPS: dict[str, Callable[[Home], object]] = {
    "first": lambda home: [
        home.write(ECOMMERCE, "day2.csv", shop_file(SECOND)),
        home.write(ECOMMERCE, "day3.csv", shop_file(THIRD)),
    ],
    "same": touch,
    "changed": lambda home: home.write(ECOMMERCE, "day3.csv", shop_file(CHANGED)),
    "earlier": lambda home: home.write(ECOMMERCE, "day1.csv", shop_file([*shop_day(1), REPEATED])),
    "earlier removed": lambda home: (home.raw / ECOMMERCE / "day1.csv").unlink(),
    "original removed": lambda home: (home.raw / ECOMMERCE / "day2.csv").unlink(),
}
"""What is done to the landing zone before each run."""

States = dict[str, State]


@pytest.fixture(scope="module")
def both(homes: Homes) -> dict[str, States]:
    """The states after each step, on both engines side by side."""
    there = {engine: homes.make() for engine in ("duckdb", "pandas")}
    states: dict[str, States] = {engine: {} for engine in there}
    for step, change in STEPS.items():
        for home in there.values():
            change(home)
        runs = {engine: home.start("--engine", engine) for engine, home in there.items()}
        for engine, run in runs.items():
            states[engine][step] = state_of(there[engine], run.result().succeeded())
    return states


@pytest.fixture(params=["duckdb", "pandas"])
def states(both: dict[str, States], request: pytest.FixtureRequest) -> States:
    found: States = both[request.param]
    return found


def amount(lines: list[ShopLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def total(state: State) -> tuple[int, Decimal]:
    rows = [row for file in state.sales.values() for row in file]
    return len(rows), sum((row[1] for row in rows), Decimal(0))


def test_a_line_repeated_in_a_later_file_is_loaded_once(states: States) -> None:
    assert total(states["first"]) == (240, amount(SECOND) + amount(THIRD) - REPEATED.amount)
    assert len(states["first"].sales["day3.csv"]) == 120
    assert states["first"].result.ledger(ECOMMERCE)["day3.csv"]["rows_duplicate"] == 1


def test_the_same_input_twice_leaves_the_same_warehouse(states: States) -> None:
    assert states["same"].digests == states["first"].digests


def test_the_same_input_twice_writes_no_row(states: States) -> None:
    assert states["same"].versions == states["first"].versions


def test_a_known_file_is_not_read_again_whatever_its_times(states: States) -> None:
    assert (states["same"].told["files read"], states["same"].told["files unchanged"]) == (0, 2)


def test_a_changed_file_replaces_exactly_its_rows(states: States) -> None:
    before, after = states["first"].sales, states["changed"].sales
    assert after["day2.csv"] == before["day2.csv"]
    assert [row[:2] for row in after["day3.csv"]] == [
        (place + 2, line.amount) for place, line in enumerate(CHANGED) if line != REPEATED
    ]
    assert states["changed"].told["files read"] == 1


def test_a_line_that_turns_up_in_an_earlier_file_counts_there_and_no_longer_in_the_later_one(states: States) -> None:
    ledger = states["earlier"].result.ledger(ECOMMERCE)
    assert [ledger[f"day{day}.csv"]["rows_duplicate"] for day in (1, 2, 3)] == [0, 1, 1]
    assert total(states["earlier"]) == (360, amount(shop_day(1)) + amount(SECOND) + amount(CHANGED) - REPEATED.amount)
    assert 122 in [row[0] for row in states["earlier"].sales["day1.csv"]]


def test_a_removed_file_takes_exactly_its_rows_along(states: States) -> None:
    before, after = states["earlier"].sales, states["earlier removed"].sales
    assert after.keys() == {"day2.csv", "day3.csv"}
    assert after["day3.csv"] == before["day3.csv"]
    # The line that was a duplicate of the removed file's counts again, in its own file.
    assert {row[:2] for row in after["day2.csv"]} - {row[:2] for row in before["day2.csv"]} == {(7, REPEATED.amount)}
    assert states["earlier removed"].told["files removed"] == 1


def test_adding_a_file_and_removing_it_again_leaves_the_facts_as_they_were(states: States) -> None:
    for table in ("warehouse.fct_sales", "quality.row_ledger", "quality.quarantine", "analytics.rfm_segments"):
        assert states["earlier removed"].digests[table] == states["changed"].digests[table]


def test_a_duplicate_whose_original_is_removed_is_loaded(states: States) -> None:
    assert total(states["original removed"]) == (121, amount(CHANGED))
    assert states["original removed"].result.ledger(ECOMMERCE)["day3.csv"]["rows_duplicate"] == 0


def test_both_engines_agree_after_every_step(both: dict[str, States]) -> None:
    for step in STEPS:
        assert both["duckdb"][step].digests == both["pandas"][step].digests
