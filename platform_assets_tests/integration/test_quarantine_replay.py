"""Quarantined rows as people see to them: corrected and replayed, given up, let through by a corrected rule."""

import csv
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from platform_assets_tests.integration.deliveries import SUPERSTORE, OrderLine, b2b_file, b2b_month
from platform_assets_tests.integration.dumps import Dump, ask, differences, dump
from platform_assets_tests.integration.running import EXIT_ERROR, KILLED, Home, Homes, Result, Run

pytestmark = pytest.mark.integration

GOOD, REPAIRED, LEFT = 1000, 60, 40
MONTH = b2b_month(1, GOOD + REPAIRED + LEFT)
LOADED = (
    "warehouse.fct_sales",
    "warehouse.dim_customer",
    "warehouse.dim_product",
    "warehouse.dim_channel",
    "warehouse.dim_date",
    "analytics.rfm_scores",
    "analytics.rfm_segments",
)
RETAIL = "retail_analytics"
PURCHASES = "customer_id,purchase_date,channel,amount_spent\n" + "".join(
    f"c{number},2024-01-{1 + number % 28:02},{'Kiosk' if number < 3 else 'Store'},{number + 1}\n"
    for number in range(60)
)


def delivered() -> str:
    """A month of which the last hundred lines have lost the sense of their sales."""
    negative = [replace(line, sales=-line.sales) for line in MONTH[GOOD:]]
    return b2b_file([*MONTH[:GOOD], *negative])


def repair(path: Path, count: int = REPAIRED) -> None:
    """Correct the first rows of an exported file as a person would."""
    with path.open(encoding="utf-8-sig", newline="") as source:
        header, *rows = csv.reader(source)
    place = header.index("sales")
    for row in rows[:count]:
        row[place] = row[place].removeprefix("-")
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([header, *rows])


def told(home: Home) -> Counter[tuple[Any, ...]]:
    """The history of every line, whenever and by which run it was found out."""
    statement = (
        "SELECT dataset, source_file, source_row, event, reasons, raw, content_hash, actor IS NOT NULL, why"
        " FROM quality.quarantine_history"
    )
    return Counter(ask(home.dsn, statement))


def events(home: Home) -> dict[str, int]:
    statement = "SELECT event, count(*) FROM quality.quarantine_history GROUP BY event"
    return dict(ask(home.dsn, statement))


def statuses(home: Home) -> dict[str, int]:
    return dict(ask(home.dsn, "SELECT status, count(*) FROM quality.quarantine_status GROUP BY status"))


def ledger(home: Home, file: str = "january.csv") -> tuple[int, ...]:
    """Read, rejected, quarantined, duplicate and loaded rows of a file, in the warehouse."""
    statement = (
        "SELECT rows_read, rows_rejected, rows_quarantined, rows_duplicate, rows_loaded"
        " FROM quality.row_ledger WHERE source_file = %(file)s"
    )
    (row,) = ask(home.dsn, statement, {"file": file})
    return row


@dataclass
class Story:
    """One home through all that people do, with what was seen after each step."""

    home: Home
    rows: Path
    replayed: Result
    dump: Dump
    history: Counter[tuple[Any, ...]]
    ledger: tuple[int, ...]
    again: Result
    history_after_again: Counter[tuple[Any, ...]]
    listed: str
    shown: str
    discarded: dict[str, int]
    ledger_after_discard: tuple[int, ...]
    after_change: dict[str, int]
    ledger_after_change: tuple[int, ...]
    statuses_after_change: dict[str, int]


def quarantine(home: Home, *arguments: str) -> Result:
    """A quarantine command to its end."""
    return home.launch("quarantine", *arguments, tells=arguments[0] == "replay").result()


def exported(home: Home, folder: Path) -> Path:
    """The hundred rows, written to a file, sixty of them corrected there."""
    home.write(SUPERSTORE, "january.csv", delivered())
    home.run().succeeded()
    rows = folder / f"{home.folder.name}.csv"
    assert quarantine(home, "export", SUPERSTORE, "--out", str(rows)).exit_code == 0
    repair(rows)
    return rows


@pytest.fixture(scope="module")
def story(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = homes.make()
    rows = exported(home, tmp_path_factory.mktemp("story"))
    replayed = quarantine(home, "replay", str(rows), "--why", "sign lost").succeeded()
    seen: dict[str, Any] = {"dump": dump(home.dsn, *LOADED), "history": told(home), "ledger": ledger(home)}
    again = quarantine(home, "replay", str(rows)).succeeded()
    seen |= {"again": again, "history_after_again": told(home)}
    lines = ("--file", "january.csv", "--row", str(GOOD + REPAIRED + 2))
    assert quarantine(home, "discard", SUPERSTORE, *lines, "--why", "a test order").exit_code == 0
    home.run().succeeded()
    seen |= {"discarded": statuses(home), "ledger_after_discard": ledger(home)}
    seen |= {"listed": quarantine(home, "list").stdout, "shown": quarantine(home, "show", SUPERSTORE, *lines).stdout}
    home.write(SUPERSTORE, "january.csv", delivered() + f"{OrderLine(2, 1)}\n")
    before = events(home)
    home.run()
    change = {event: count - before.get(event, 0) for event, count in events(home).items()}
    seen |= {"after_change": change, "ledger_after_change": ledger(home), "statuses_after_change": statuses(home)}
    return Story(home=home, rows=rows, replayed=replayed, **seen)


def test_the_warehouse_after_a_replay_is_that_of_a_clean_load_of_the_same_rows(story: Story, homes: Homes) -> None:
    clean = homes.make()
    clean.write(SUPERSTORE, "january.csv", b2b_file(MONTH[: GOOD + REPAIRED]))
    clean.run().succeeded()

    assert differences(story.dump, dump(clean.dsn, *LOADED)) == {}


def test_the_ledger_balances_after_a_replay(story: Story) -> None:
    assert story.ledger == (GOOD + REPAIRED + LEFT, 0, LEFT, 0, GOOD + REPAIRED)


def test_a_replay_says_what_became_of_the_rows(story: Story) -> None:
    result = story.replayed.json
    assert (result["corrected"], result["unchanged"]) == (REPAIRED, LEFT)
    assert result["datasets"][SUPERSTORE] == {
        "replayed": REPAIRED,
        "duplicate": 0,
        "kept": 0,
        "superseded": 0,
        "quarantined": 0,
        "in_quarantine": LEFT,
        "reasons": {"sales_not_negative": LEFT},
    }


def test_every_row_keeps_its_history(story: Story) -> None:
    by_row: dict[int, list[str]] = {}
    for (_, _, row, event, *_), count in story.history.items():
        by_row.setdefault(row, []).extend([event] * count)
    first = GOOD + 2
    expected = {row: ["corrected", "quarantined", "replayed"] for row in range(first, first + REPAIRED)}
    expected |= {row: ["quarantined"] for row in range(first + REPAIRED, first + REPAIRED + LEFT)}
    assert {row: sorted(names) for row, names in by_row.items()} == expected


def test_the_same_file_replayed_again_changes_nothing(story: Story) -> None:
    assert (story.again.json["corrected"], story.again.json["unchanged"]) == (0, REPAIRED + LEFT)
    assert story.history_after_again == story.history


def test_a_discarded_row_stays_out_and_in_the_ledger(story: Story) -> None:
    assert story.discarded == {"discarded": 1, "pending": LEFT - 1}
    assert story.ledger_after_discard == story.ledger
    assert "a test order" in story.shown
    assert f"{LEFT - 1}" in story.listed


def test_what_is_said_about_persons_is_masked(story: Story) -> None:
    customer = f"B{(GOOD + REPAIRED) % 9}"
    assert "order_id" in story.shown
    assert customer not in story.shown
    row = str(GOOD + REPAIRED + 3)
    unmasked = quarantine(story.home, "show", SUPERSTORE, "--file", "january.csv", "--row", row, "--unmask")
    assert f"B{(GOOD + REPAIRED + 1) % 9}" in unmasked.stdout


def test_corrections_of_a_file_that_changed_are_superseded(story: Story) -> None:
    # The sixty are bad again in the new file; the forty are the same lines as before, the one given up among them.
    assert {event: count for event, count in story.after_change.items() if count} == {
        "superseded": REPAIRED,
        "quarantined": REPAIRED,
    }
    assert story.ledger_after_change == (GOOD + REPAIRED + LEFT + 1, 0, REPAIRED + LEFT, 0, GOOD + 1)
    assert story.statuses_after_change == {"discarded": 1, "pending": REPAIRED + LEFT - 1}


def test_rows_exported_before_their_file_changed_are_refused(story: Story) -> None:
    before = told(story.home)

    refused = quarantine(story.home, "replay", str(story.rows))

    assert refused.exit_code == EXIT_ERROR
    assert "the raw file has changed since the export (lines 2, 3, 4, 5, 6 and 95 more)" in refused.stderr
    assert told(story.home) == before


def wait_until(run: Run, happened: Callable[[], bool]) -> None:
    """Wait for a moment of a run."""
    deadline = time.monotonic() + 120
    while not happened() and time.monotonic() < deadline:
        assert not run.wait(0), run.result().stderr
        time.sleep(0.01)


def test_a_killed_replay_that_is_given_again_ends_like_an_undisturbed_one(
    story: Story, homes: Homes, tmp_path: Path
) -> None:
    home = homes.make()
    rows = exported(home, tmp_path)
    staging = home.folder / "lake" / "staging" / SUPERSTORE / "current"
    before = staging.read_text()
    moments: list[Callable[[], bool]] = [
        lambda: "corrected" in events(home),
        lambda: staging.read_text() != before,
    ]
    for happened in moments:
        run = home.launch("quarantine", "replay", str(rows), "--why", "sign lost", tells=True)
        wait_until(run, happened)
        run.kill()
        assert run.process.exitcode == KILLED

    quarantine(home, "replay", str(rows), "--why", "sign lost").succeeded()

    assert differences(story.dump, dump(home.dsn, *LOADED)) == {}
    assert told(home) == story.history
    assert ledger(home) == story.ledger


def test_rows_leave_by_themselves_once_their_rule_is_corrected(homes: Homes, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("{}\n")
    home = homes.make(PLATFORM_CONFIG=str(config))
    home.write(RETAIL, "week.csv", PURCHASES)
    home.run().succeeded()
    assert (statuses(home), events(home)) == ({"pending": 3}, {"quarantined": 3})

    config.write_text("datasets: {retail_analytics: {values: {channel: [Store, Kiosk]}}}\n")
    quarantine(home, "replay").succeeded()

    assert (statuses(home), events(home)) == ({}, {"quarantined": 3, "replayed": 3})
    assert ledger(home, "week.csv") == (60, 0, 0, 0, 60)


def test_what_passes_behind_a_shut_gate_is_said_to_wait(homes: Homes, tmp_path: Path) -> None:
    home = homes.make()
    bad = [replace(line, sales=-line.sales) for line in MONTH[:30]]
    home.write(SUPERSTORE, "january.csv", b2b_file([*bad, *MONTH[30:100]]))
    home.run()
    rows = tmp_path / "rows.csv"
    quarantine(home, "export", SUPERSTORE, "--out", str(rows))
    repair(rows, 5)

    half = quarantine(home, "replay", str(rows))
    repair(rows, 30)
    whole = quarantine(home, "replay", str(rows))

    assert (half.exit_code, whole.exit_code) == (3, 0)
    waiting = "SELECT why FROM quality.quarantine_history WHERE event = 'replayed' ORDER BY event_id"
    found = [str(why) for (why,) in ask(home.dsn, waiting)]
    assert [why.startswith("the gate is shut: validity") for why in found] == [True] * 5 + [False] * 25
    assert ledger(home) == (100, 0, 0, 0, 100)
