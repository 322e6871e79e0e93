"""A shut gate holds back the news of one dataset and nothing else; files that are wrong as a whole stop nothing."""

import gzip
from dataclasses import dataclass
from decimal import Decimal

import pytest

from platform_assets_tests.integration.deliveries import (
    ECOMMERCE,
    SHOP_HEADER,
    SUPERSTORE,
    b2b_file,
    b2b_month,
    shop_day,
    shop_file,
    spoiled,
)
from platform_assets_tests.integration.dumps import ask, versions
from platform_assets_tests.integration.running import EXIT_GATE_SHUT, EXIT_OK, Home, Homes, Result

pytestmark = pytest.mark.integration

SPOILED = 60
FILES = {
    "empty.csv": b"",
    "binary.csv": bytes(range(256)) * 40,
    "truncated.csv.gz": gzip.compress(shop_file(shop_day(4)).encode())[:-200],
    "header-only.csv": SHOP_HEADER.encode() + b"\n",
    "no-price.csv": "\n".join(line.rsplit(",", 2)[0] for line in shop_file(shop_day(5)).splitlines()).encode(),
    "broken.xlsx": b"PK\x03\x04 this is no workbook",
    "broken.parquet": b"PAR1 this is no parquet file PAR1",
}
"""Files that no line can be taken from."""


@dataclass(frozen=True)
class State:
    """The result of a run, the facts by dataset and file, and the versions of the rows."""

    result: Result
    sales: dict[tuple[str, str], tuple[int, Decimal]]
    versions: set[tuple[str, str]]


def state_of(home: Home, result: Result) -> State:
    rows = ask(
        home.dsn,
        "SELECT source_system, source_file, count(*), sum(net_amount) FROM warehouse.fct_sales GROUP BY 1, 2",
    )
    sales = {(dataset, file): (count, amount) for dataset, file, count, amount in rows}
    return State(result, sales, versions(home.dsn))


class Scenario:
    """Good deliveries; then a bad one beside a good one of another dataset; then the bad one corrected."""

    def __init__(self, homes: Homes) -> None:
        self.home = homes.make()
        self.home.write(SUPERSTORE, "month1.csv", b2b_file(b2b_month(1)))
        self.home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
        self.good = self._state()
        self.home.write(SUPERSTORE, "month1.csv", b2b_file(b2b_month(1, count=100)))
        self.home.write(SUPERSTORE, "month2.csv", b2b_file(spoiled(b2b_month(2), SPOILED)))
        self.home.write(ECOMMERCE, "day2.csv", shop_file(shop_day(2)))
        self.bad = self._state()
        self.quarantined = ask(
            self.home.dsn, "SELECT source_file, source_row, kind, reasons FROM quality.quarantine ORDER BY source_row"
        )
        self.home.write(SUPERSTORE, "month2.csv", b2b_file(b2b_month(2)))
        self.corrected = self._state()

    def _state(self) -> State:
        return state_of(self.home, self.home.run())


@pytest.fixture(scope="module")
def scenario(homes: Homes) -> Scenario:
    return Scenario(homes)


def test_a_bad_delivery_shuts_the_gate_of_its_dataset_with_the_reason(scenario: Scenario) -> None:
    assert (scenario.good.result.exit_code, scenario.bad.result.exit_code) == (EXIT_OK, EXIT_GATE_SHUT)
    gates = scenario.bad.result.json["gates"]
    assert gates[SUPERSTORE]["open"] is False
    # 60 of the 220 lines are invalid.
    assert gates[SUPERSTORE]["reasons"] == ["validity is 0.72727, the threshold is 0.9"]
    assert gates[ECOMMERCE] == {"open": True, "reasons": []}


def test_people_are_told_which_gate_is_shut_and_why(scenario: Scenario) -> None:
    assert "validity is 0.72727, the threshold is 0.9" in " ".join(scenario.bad.result.stdout.split())


def test_nothing_of_a_dataset_behind_a_shut_gate_moves(scenario: Scenario) -> None:
    before, after = scenario.good.sales, scenario.bad.sales
    assert {key: rows for key, rows in after.items() if key[0] == SUPERSTORE} == {
        (SUPERSTORE, "month1.csv"): (120, 120 * Decimal("10.25"))
    }
    assert scenario.good.versions <= scenario.bad.versions
    assert before.items() <= after.items()


def test_the_news_of_other_datasets_move_in_the_same_run(scenario: Scenario) -> None:
    amount = sum(line.amount for line in shop_day(2))
    assert scenario.bad.sales[ECOMMERCE, "day2.csv"] == (120, amount)


def test_the_ledger_and_the_quarantine_speak_of_what_was_held_back(scenario: Scenario) -> None:
    line = scenario.bad.result.ledger(SUPERSTORE)["month2.csv"]
    assert (line["rows_read"], line["rows_quarantined"], line["rows_loaded"]) == (120, SPOILED, 120 - SPOILED)
    assert scenario.quarantined == [("month2.csv", place + 2, "row", "sales_not_negative") for place in range(SPOILED)]


def test_a_corrected_file_opens_the_gate_and_everything_held_back_moves(scenario: Scenario) -> None:
    assert scenario.corrected.result.exit_code == EXIT_OK
    assert {key: rows for key, rows in scenario.corrected.sales.items() if key[0] == SUPERSTORE} == {
        (SUPERSTORE, "month1.csv"): (100, 100 * Decimal("10.25")),
        (SUPERSTORE, "month2.csv"): (120, 120 * Decimal("10.25")),
    }


class WrongFiles:
    """Files that cannot be read beside one that can."""

    def __init__(self, homes: Homes) -> None:
        self.home = homes.make()
        self.home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
        for name, content in FILES.items():
            self.home.write(ECOMMERCE, name, content)
        self.state = state_of(self.home, self.home.run())


@pytest.fixture(scope="module")
def wrong_files(homes: Homes) -> WrongFiles:
    return WrongFiles(homes)


def test_files_that_cannot_be_read_stop_nothing(wrong_files: WrongFiles) -> None:
    assert wrong_files.state.result.exit_code == EXIT_OK
    assert wrong_files.state.sales == {(ECOMMERCE, "day1.csv"): (120, sum(line.amount for line in shop_day(1)))}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty.csv", "empty"),
        ("binary.csv", "binary"),
        ("truncated.csv.gz", "end"),
        ("header-only.csv", "header"),
        ("no-price.csv", "unit_price"),
        ("broken.xlsx", ""),
        ("broken.parquet", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(wrong_files: WrongFiles, name: str, reason: str) -> None:
    line = wrong_files.state.result.ledger(ECOMMERCE)[name]
    assert (line["status"], line["rows_loaded"]) == ("refused", 0)
    assert reason in line["note"].lower()
    held = ask(
        wrong_files.home.dsn,
        "SELECT l.status, q.kind, q.reasons FROM quality.row_ledger l JOIN quality.quarantine q"
        " USING (dataset, source_file) WHERE source_file = %(name)s AND q.source_row = 0",
        {"name": name},
    )
    assert [(status, kind) for status, kind, _ in held] == [("refused", "file")]
    assert held[0][2].startswith(line["note"])
    assert line["note"]


def test_the_check_of_readable_files_counts_those_refused(wrong_files: WrongFiles) -> None:
    check = wrong_files.state.result.checks(ECOMMERCE)["files_readable"]
    assert (check["passed"], check["rows_checked"], check["rows_failed"]) == (False, 1 + len(FILES), len(FILES))
