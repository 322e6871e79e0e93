"""Sample Superstore as eight people saved it, through the whole platform."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from platform_assets_tests.integration.deliveries import SUPERSTORE
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import EXIT_OK, Home, Homes, Result

pytestmark = pytest.mark.integration

LINES = 9_994
SALES, PROFIT = Decimal("2297200.8603"), Decimal("286397.0217")
CLEAN = ("superstore_2014_2017_utf8.csv", "superstore_2017_2020_cp1252_crlf.csv")
SOUND = (*CLEAN, "variants/macroman_cr_dmy.csv", "variants/spanish_headers.csv")
"""Files that hold every line and both totals."""
SHIFTED = {183, 432, 433, 1408, 1971, 1973}
"""Lines of the file with broken quotes whose columns are shifted."""
REFUSED = {
    "variants/excel_damaged_dates.csv": ("order_date", "4,042", "5,952"),
    "variants/semicolon_decimal_comma_12cols.csv": ("order_id", "order_date", "customer_id", "product_id"),
}
FILES = (*SOUND, "variants/broken_quoting.csv", "variants/lost_minus_signs.csv", *REFUSED)


@dataclass(frozen=True)
class Loaded:
    """A home with one file, and the result of its run."""

    home: Home
    result: Result
    file: str

    @property
    def facts(self) -> tuple[int, Decimal | None, Decimal | None]:
        """Rows, sales and profit in the fact table."""
        ((rows, sales, profit),) = ask(
            self.home.dsn, "SELECT count(*), sum(net_amount), sum(profit_amount) FROM warehouse.fct_sales"
        )
        return rows, sales, profit


@pytest.fixture(scope="module")
def loaded(homes: Homes, shared_datasets: Path) -> Mapping[str, Loaded]:
    """Each file in a home of its own, two runs at a time."""
    found: dict[str, Loaded] = {}
    for names in zip(FILES[::2], FILES[1::2], strict=True):
        there = {name: homes.make() for name in names}
        for name, home in there.items():
            home.drop(SUPERSTORE, shared_datasets / "superstore" / name)
        runs = {name: home.start() for name, home in there.items()}
        found |= {name: Loaded(there[name], run.result(), Path(name).name) for name, run in runs.items()}
    return found


@pytest.fixture(scope="module")
def repeated_line(shared_datasets: Path) -> dict[str, str]:
    """The one line of the clean file that repeats another in all but its number."""
    text = (shared_datasets / "superstore" / CLEAN[0]).read_text(encoding="utf-8")
    seen: set[tuple[str, ...]] = set()
    repeated = []
    for line in csv.DictReader(io.StringIO(text)):
        _, *rest = line.values()
        if tuple(rest) in seen:
            repeated.append(line)
        seen.add(tuple(rest))
    assert len(repeated) == 1
    return repeated[0]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_gives_both_totals_to_the_last_digit_less_the_one_duplicate(
    loaded: Mapping[str, Loaded], repeated_line: dict[str, str], name: str
) -> None:
    assert loaded[name].result.exit_code == EXIT_OK
    duplicate = Decimal(repeated_line["Sales"]), Decimal(repeated_line["Profit"])
    assert loaded[name].facts == (LINES - 1, SALES - duplicate[0], PROFIT - duplicate[1])
    line = loaded[name].result.ledger(SUPERSTORE)[loaded[name].file]
    assert [line[f"rows_{part}"] for part in ("read", "rejected", "quarantined", "duplicate")] == [LINES, 0, 0, 1]
    assert Decimal(line["amount_read"]) == SALES
    assert Decimal(line["amount_duplicate"]) == duplicate[0]


@pytest.mark.parametrize("name", SOUND)
def test_a_loss_is_no_error(loaded: Mapping[str, Loaded], repeated_line: dict[str, str], name: str) -> None:
    ((losses,),) = ask(loaded[name].home.dsn, "SELECT count(*) FROM warehouse.fct_sales WHERE profit_amount < 0")
    assert losses == 1_871 - (Decimal(repeated_line["Profit"]) < 0)


def test_dates_are_read_as_those_published(loaded: Mapping[str, Loaded], repeated_line: dict[str, str]) -> None:
    per_year = ask(
        loaded[CLEAN[0]].home.dsn,
        "SELECT extract(year FROM sold_at)::int, sum(net_amount) FROM warehouse.fct_sales GROUP BY 1 ORDER BY 1",
    )
    assert repeated_line["Order Date"].endswith("/2014")
    published = {2014: "484247.50", 2015: "470532.51", 2016: "609205.60", 2017: "733215.26"}
    duplicate = {2014: Decimal(repeated_line["Sales"])}
    found = {year: round(amount + duplicate.get(year, Decimal(0)), 2) for year, amount in per_year}
    assert found == {year: Decimal(text) for year, text in published.items()}


@pytest.mark.parametrize("name", SOUND[2:])
def test_every_sound_copy_of_a_sheet_gives_the_same_sale_lines(loaded: Mapping[str, Loaded], name: str) -> None:
    lines = "SELECT order_id, sold_at, quantity, net_amount, profit_amount FROM warehouse.fct_sales ORDER BY source_row"
    assert ask(loaded[name].home.dsn, lines) == ask(loaded[CLEAN[0]].home.dsn, lines)


def test_damaged_text_is_reported(loaded: Mapping[str, Loaded]) -> None:
    line = loaded["variants/spanish_headers.csv"].result.ledger(SUPERSTORE)["spanish_headers.csv"]
    assert "U+FFFD" in line["note"]


def test_lines_with_shifted_columns_are_in_quarantine_and_the_others_load(loaded: Mapping[str, Loaded]) -> None:
    broken = loaded["variants/broken_quoting.csv"]
    assert broken.result.exit_code == EXIT_OK
    held = ask(broken.home.dsn, "SELECT source_row, kind, reasons, raw FROM quality.quarantine")
    assert {row for row, *_ in held} == SHIFTED
    assert all(kind == "line" and reasons for _, kind, reasons, _ in held)
    assert all(raw.startswith(f"{row - 1},") for row, _, _, raw in held)
    line = broken.result.ledger(SUPERSTORE)["broken_quoting.csv"]
    assert (line["rows_read"], line["rows_rejected"]) == (LINES, len(SHIFTED))
    assert line["rows_loaded"] + line["rows_duplicate"] == LINES - len(SHIFTED)


@pytest.mark.parametrize(("name", "named"), REFUSED.items())
def test_a_file_that_cannot_be_understood_is_refused_and_says_why(
    loaded: Mapping[str, Loaded], name: str, named: tuple[str, ...]
) -> None:
    refused = loaded[name]
    assert refused.result.exit_code == EXIT_OK
    line = refused.result.ledger(SUPERSTORE)[refused.file]
    assert (line["status"], line["rows_loaded"]) == ("refused", 0)
    assert [part for part in named if part not in line["note"]] == []
    assert refused.facts == (0, None, None)


def test_a_file_whose_losses_lost_their_sign_parses(loaded: Mapping[str, Loaded]) -> None:
    line = loaded["variants/lost_minus_signs.csv"].result.ledger(SUPERSTORE)["lost_minus_signs.csv"]
    assert (line["rows_read"], line["rows_rejected"], line["rows_quarantined"]) == (LINES, 0, 0)
    assert line["rows_loaded"] > LINES - 10
