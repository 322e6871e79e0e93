"""A person is forgotten: gone from every file and table, as if what they bought had been bought by a guest."""

import csv
import re
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from platform_assets.services.cluster import SUPERUSER, programs
from platform_assets_tests.erasure.persons import mentions
from platform_assets_tests.integration.deliveries import ECOMMERCE, SHOP_HEADER, SUPERSTORE, shop_day
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import (
    ALL,
    EXIT_ERROR,
    EXIT_OK,
    KILLED,
    Home,
    Homes,
    Result,
    execute_as_owner,
)

pytestmark = pytest.mark.integration

RETAIL = "retail_analytics"
PERSON, NAME = "ZQ-17850", "Zelda Quint"
ALIKE = ("ZQ-178500", "ZQ-1785")
WHEN = "2024-03-02 10:00:00"
SHOP = [
    f"X1,{PERSON},P1,Red,{WHEN},2,5.00,France",
    f"X2, {PERSON} ,P2,Blue,{WHEN},1,3.00,France",
    f"X1,{PERSON},P1,Red,{WHEN},2,5.00,France",
    f"X3,{ALIKE[0]},P1,Red,{WHEN},1,7.00,France",
    f"X4,,P1,Red,{WHEN},1,4.00,France",
    f"X5,{PERSON},P1,Red,{WHEN},many,4.00,France",
    f"X6,{PERSON},P1,Red,{WHEN},1,4.00,France,and more",
    f"X7,{ALIKE[1]},P1,Red,{WHEN},1,8.00,France",
]
"""Two sales, a repeated one, one of another, one of a guest, one not readable, one not to be taken apart, another."""

B2B_HEADER = "Row ID,Order ID,Order Date,Ship Date,Customer ID,Customer Name,Segment,Product ID,Category,Sales,Quantity"
B2B = [
    f"1,O1,3/1/2024,3/4/2024,{PERSON},{NAME},Corporate,P1,Paper,20.50,1",
    f"2,O2,3/1/2024,3/4/2024,{PERSON},{NAME},Corporate,P1,Paper,-30.00,1",
    f"3,O3,3/1/2024,3/4/2024,{PERSON},{NAME},Corporate,P1,Paper,-40.00,1",
    f"4,O4,3/1/2024,3/4/2024,{ALIKE[1]},Zelda Quinton,Consumer,P1,Paper,50.00,1",
    *(f"{n},O{n},3/{1 + n % 28}/2024,3/30/2024,B{n % 9},Bo {n % 9},Corporate,P2,Paper,10.25,2" for n in range(5, 160)),
]
"""The second is corrected to 30, the third stays in quarantine."""

PURCHASES = [
    f"{PERSON},2024-03-01,Store,6.00",
    f"{PERSON},2024-03-01,Kiosk,6.00",
    *(f"c{number},2024-01-{1 + number % 28:02},Store,{number + 1}" for number in range(100)),
]
LOADED = 5
"""Lines of the person that are sales: two in the shop, one order and a corrected one, one purchase."""


def text(header: str, lines: list[str]) -> str:
    return "\n".join([header, *lines]) + "\n"


def deliver(home: Home) -> None:
    home.write(ECOMMERCE, "shop.csv", text(SHOP_HEADER, SHOP))
    home.write(ECOMMERCE, "others.csv", text(SHOP_HEADER, list(map(str, shop_day(1, 300)))))
    home.write(RETAIL, "purchases.csv", text("customer_id,purchase_date,channel,amount_spent", PURCHASES))
    home.write(SUPERSTORE, "orders.csv", text(B2B_HEADER, B2B))


def forget(home: Home, *options: str) -> Result:
    return home.launch("forget-customer", PERSON, *options).result()


def in_database(home: Home, word: str) -> list[str]:
    """Every line of a dump of the database that has a word in it."""
    dump = [str(programs() / "pg_dump"), "--data-only", home.dsn]
    told = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
    whole = re.compile(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])", re.IGNORECASE)
    return [line for line in told.splitlines() if whole.search(line)]


def has_dead_bytes(home: Home, table: str, word: str) -> bool:
    """Whether a table's file has a word in it, in a row of today or of before."""
    execute_as_owner(home.dsn, "CHECKPOINT")
    statement = f"SELECT position('{word}'::bytea IN pg_read_binary_file(pg_relation_filepath('{table}'))) > 0"
    ((found,),) = ask(home.dsn, statement)
    return bool(found)


def sales(home: Home) -> list[tuple[Any, ...]]:
    """Lines, money and lines of guests by dataset."""
    statement = """
        SELECT source_system, count(*), sum(net_amount), count(*) FILTER (WHERE customer_key = -1)
        FROM warehouse.fct_sales GROUP BY 1 ORDER BY 1
    """
    return ask(home.dsn, statement)


def visits_of_guests(home: Home) -> int:
    ((count,),) = ask(home.dsn, "SELECT count(*) FROM warehouse.fct_customer_interactions WHERE customer_key = -1")
    return int(count)


def ledger(home: Home) -> list[tuple[Any, ...]]:
    return ask(home.dsn, "SELECT * FROM quality.row_ledger ORDER BY dataset, source_file")


def customers(home: Home) -> set[str]:
    return {name for (name,) in ask(home.dsn, "SELECT customer_id FROM warehouse.dim_customer")}


def told(home: Home) -> list[tuple[Any, ...]]:
    """What was told of each quarantined line, run by run."""
    statement = "SELECT dataset, source_file, source_row, event FROM quality.quarantine_history ORDER BY event_id"
    return ask(home.dsn, statement)


def correct(home: Home, path: Path) -> None:
    """Give back an exported file of the orders with the sales of the second line right."""
    assert home.launch("quarantine", "export", SUPERSTORE, "--out", str(path)).result().exit_code == EXIT_OK
    with path.open(encoding="utf-8-sig", newline="") as source:
        header, *rows = csv.reader(source)
    for row in rows:
        if row[header.index("order_id")] == "O2":
            row[header.index("sales")] = "30.00"
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([header, *rows])
    home.launch("quarantine", "replay", str(path), tells=True).result().succeeded()


@dataclass
class Story:
    """One home, and what was seen on the way."""

    home: Home
    seen: dict[str, dict[str, Any]]
    results: dict[str, Result]


def look(home: Home) -> dict[str, Any]:
    return {
        "sales": sales(home),
        "visits": visits_of_guests(home),
        "ledger": ledger(home),
        "customers": customers(home),
        "told": told(home),
        "files": [*mentions(home.folder, PERSON), *mentions(home.folder, NAME)],
        "database": [*in_database(home, PERSON), *in_database(home, NAME)],
        "landing": {path.name: path.read_bytes() for path in home.raw.rglob("*.csv")},
    }


@pytest.fixture(scope="module")
def story(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = homes.make(select=ALL)
    deliver(home)
    home.run().succeeded()
    correct(home, tmp_path_factory.mktemp("forget") / "rows.csv")
    seen, results = {"before": look(home)}, {}
    results["unknown"] = home.launch("forget-customer", "ZQ-1", "--yes").result()
    results["unconfirmed"] = forget(home)
    results["plan"] = forget(home, "--plan")
    seen["planned"] = look(home)
    results["forgotten"] = forget(home, "--yes")
    seen["forgotten"] = look(home)
    home.write(ECOMMERCE, "late.csv", text(SHOP_HEADER, [f"X9,{PERSON},P1,Red,{WHEN},1,9.00,France", SHOP[0]]))
    results["late"] = home.run()
    seen["late"] = look(home)
    results["landing"] = forget(home, "--yes", "--landing")
    seen["landing"] = look(home)
    return Story(home, seen, results)


def test_nobody_is_unknown_or_unconfirmed_without_being_told(story: Story) -> None:
    assert [story.results[name].exit_code for name in ("unknown", "unconfirmed", "plan")] == [EXIT_ERROR, EXIT_ERROR, 0]
    assert "--yes" in story.results["unconfirmed"].stderr
    assert story.seen["planned"] == story.seen["before"]


def test_the_plan_says_where_the_person_is(story: Story) -> None:
    shown = story.results["plan"].stdout

    assert {"warehouse.dim_customer", "quality.quarantine"} <= set(shown.split())
    assert f"{ECOMMERCE}/shop.csv" in shown
    assert "2, 3, 4, 7, 8" in shown


def test_a_forgotten_person_is_in_no_file_and_no_table(story: Story) -> None:
    before, after = story.seen["before"], story.seen["forgotten"]

    assert before["files"]
    assert before["database"]
    assert story.results["forgotten"].exit_code == EXIT_OK, story.results["forgotten"].stdout
    assert after["files"] == []
    assert after["database"] == []


def test_the_sales_stay_as_those_of_guests(story: Story) -> None:
    before, after = story.seen["before"]["sales"], story.seen["forgotten"]["sales"]

    assert [line[:3] for line in after] == [line[:3] for line in before]
    assert [line[3] for line in before] == [1, 0, 0]
    assert [line[3] for line in after] == [3, 1, 2]
    assert sum(line[3] for line in after) - sum(line[3] for line in before) == LOADED
    assert [story.seen[name]["visits"] for name in ("before", "forgotten")] == [0, 1]


def test_the_ledger_is_the_same(story: Story) -> None:
    assert story.seen["forgotten"]["ledger"] == story.seen["before"]["ledger"]


def test_people_with_similar_ids_stay(story: Story) -> None:
    before, after = story.seen["before"]["customers"], story.seen["forgotten"]["customers"]

    assert before - after == {PERSON}
    assert set(ALIKE) <= after


def test_no_quarantined_line_is_judged_anew(story: Story) -> None:
    assert story.seen["forgotten"]["told"] == story.seen["before"]["told"]


def test_the_retailers_own_files_are_left_alone_unless_told(story: Story) -> None:
    assert story.seen["forgotten"]["landing"] == story.seen["before"]["landing"]


def test_a_file_that_comes_later_is_read_without_the_person(story: Story) -> None:
    assert story.results["late"].exit_code == EXIT_OK
    assert story.seen["late"]["files"] == []
    assert story.seen["late"]["database"] == []
    before, after = ({line[0]: line[1:] for line in story.seen[name]["sales"]} for name in ("forgotten", "late"))
    lines, money, guests = (new - old for new, old in zip(after[ECOMMERCE], before[ECOMMERCE], strict=True))
    # The other line of the file repeats one that was read before the person was forgotten.
    assert (lines, money, guests) == (1, 9, 1)


def test_the_landing_zone_without_the_person_says_the_same(story: Story) -> None:
    before, after = story.seen["late"], story.seen["landing"]

    assert story.results["landing"].exit_code == EXIT_OK, story.results["landing"].stdout
    assert after["sales"] == before["sales"]
    assert after["told"] == before["told"]
    assert [line[:12] for line in after["ledger"]] == [line[:12] for line in before["ledger"]]
    landed = b"\n".join(after["landing"].values()).decode()
    assert PERSON not in landed.replace(ALIKE[0], "")
    assert NAME not in landed.replace("Zelda Quinton", "")
    assert after["landing"]["others.csv"] == before["landing"]["others.csv"]


def test_the_rewritten_files_are_read_to_the_same_rows_in_another_home(story: Story, homes: Homes) -> None:
    clean = homes.make(story.home.raw)
    clean.run().succeeded()

    shop = [line for line in sales(story.home) if line[0] != SUPERSTORE]
    assert [line for line in sales(clean) if line[0] != SUPERSTORE] == shop


def test_the_proof_has_no_id(story: Story) -> None:
    ((object_name, details),) = ask(
        story.home.dsn,
        "SELECT object, details FROM ops.audit_log WHERE kind = 'erasure' ORDER BY entry_id LIMIT 1",
    )

    assert re.fullmatch(r"customer c[a-z2-7]{26}", object_name)
    assert sum(details["found_before"].values()) > LOADED
    assert details["found_after"] == {}


@pytest.mark.parametrize("moment", ["kept lines and messages", "processing", "writing the tables anew"])
def test_a_command_that_was_killed_is_completed_by_the_next(homes: Homes, moment: str) -> None:
    home = homes.make()
    deliver(home)
    home.run().succeeded()
    execute_as_owner(home.dsn, f"CREATE TABLE quality.notes AS SELECT '{PERSON} called' AS said")
    before = sales(home)
    run = home.launch("forget-customer", PERSON, "--yes", "--landing")
    said = run.folder / "stderr"
    while not (said.exists() and moment in said.read_text()) and not run.wait(0):
        time.sleep(0.02)
    run.kill()
    assert run.result().exit_code == KILLED

    again = forget(home, "--yes", "--landing")

    assert again.exit_code == EXIT_OK, again.stdout + again.stderr
    assert [line[:3] for line in sales(home)] == [line[:3] for line in before]
    after = look(home)
    assert after["files"] == after["database"] == []
    assert ask(home.dsn, "SELECT said FROM quality.notes") == [("FORGOTTEN called",)]
    assert not has_dead_bytes(home, "quality.notes", PERSON)
    assert not list((home.folder / "run").glob("forgetting*"))


def test_what_is_not_the_platforms_is_left_alone(homes: Homes) -> None:
    """Another's schema, what a restore has moved aside, and a login that is not the owner's."""
    home = homes.make()
    deliver(home)
    home.run().succeeded()
    execute_as_owner(
        home.dsn,
        "CREATE SCHEMA hr",
        f"CREATE TABLE hr.staff AS SELECT '{PERSON}' AS customer_id, 'Met {NAME}' AS said",
        "CREATE SCHEMA quality_replaced_20240301120000",
        f"CREATE TABLE quality_replaced_20240301120000.notes AS SELECT '{PERSON}' AS said",
        "CREATE ROLE forgetful_clerk LOGIN IN ROLE retail_loader",
    )
    aside = home.folder / "replaced" / "20240301T120000.000000Z" / "postgres" / "1"
    aside.parent.mkdir(parents=True)
    aside.write_text(PERSON)
    clerk = replace(home, settings={"PLATFORM_POSTGRES_URL": home.dsn.replace(f"//{SUPERUSER}@", "//forgetful_clerk@")})

    refused, done = forget(clerk, "--plan"), forget(home, "--yes")

    assert refused.exit_code == EXIT_ERROR
    assert "permission denied" in refused.stderr
    assert "the owner of the platform's schemas" in refused.stderr
    assert "retail_loader" not in refused.stderr
    assert done.exit_code == EXIT_OK, done.stdout + done.stderr
    told = " ".join(done.stdout.split())
    assert "Schema quality_replaced_20240301120000, which a restore has moved aside, may hold the person" in told
    assert "20240301T120000.000000Z, which a restore has moved aside" in told
    assert ask(home.dsn, "SELECT * FROM hr.staff") == [(PERSON, f"Met {NAME}")]
    assert ask(home.dsn, "SELECT * FROM quality_replaced_20240301120000.notes") == [(PERSON,)]
    assert aside.read_text() == PERSON
