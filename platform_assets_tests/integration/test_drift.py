"""Drift as a person meets it: runs, the command line, and the tables of the warehouse."""

from pathlib import Path

import pytest

from platform_assets.cli.main import main
from platform_assets_tests.integration.deliveries import SUPERSTORE
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import EXIT_ERROR, EXIT_OK, Home, Homes, Result

pytestmark = pytest.mark.integration

GOOD = "superstore_2014_2017_utf8.csv"
FOUND = "profit: 0 of 9,994 values are negative (0.0%); 1,871 of 9,994 (18.7%) before"
CHECKS = (
    "volume_as_usual",
    "nulls_as_usual",
    "distribution_as_usual",
    "categories_as_usual",
    "distinct_as_usual",
)


@pytest.fixture
def loaded(homes: Homes, shared_datasets: Path) -> tuple[Home, Result]:
    """A home with one good load of the real file, and what its run said."""
    home = homes.make()
    home.write(SUPERSTORE, "orders.csv", (shared_datasets / "superstore" / GOOD).read_bytes())
    return home, home.run().succeeded()


def lost_minus_signs(shared_datasets: Path) -> bytes:
    return (shared_datasets / "superstore" / "variants" / "lost_minus_signs.csv").read_bytes()


def verdicts(result: Result) -> dict[str, str]:
    checks = result.checks(SUPERSTORE)
    return {name: checks[name]["verdict"] for name in CHECKS}


def profiles(home: Home, condition: str) -> list[tuple[object, ...]]:
    columns = "metric, value, is_incident, accepted_why"
    return ask(home.dsn, f"SELECT {columns} FROM quality.profiles WHERE {condition} ORDER BY landed_at")


def test_lost_minus_signs_are_caught_after_one_good_load_and_can_be_accepted(
    loaded: tuple[Home, Result], shared_datasets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, first = loaded
    negative = "column_name = 'profit' AND metric = 'negative_share'"
    drift = ["drift", "--home", str(home.folder)]
    assert set(verdicts(first).values()) == {"pass"}
    assert first.checks(SUPERSTORE)["distribution_as_usual"]["note"] == "quiet: 0 of 8 deliveries needed"

    home.write(SUPERSTORE, "orders.csv", lost_minus_signs(shared_datasets))
    replaced = home.run().succeeded()
    again = home.run().succeeded()

    assert [name for name, verdict in verdicts(replaced).items() if verdict != "pass"] == ["distribution_as_usual"]
    assert FOUND in replaced.checks(SUPERSTORE)["distribution_as_usual"]["note"]
    assert [again.checks(SUPERSTORE)[name] for name in CHECKS] == [replaced.checks(SUPERSTORE)[name] for name in CHECKS]
    assert profiles(home, negative) == [
        ("negative_share", 1871 / 9994, False, None),
        ("negative_share", 0.0, True, None),
    ]

    assert main(drift) == EXIT_OK
    assert FOUND in capsys.readouterr().out
    assert main([*drift, "accept", SUPERSTORE]) == EXIT_ERROR
    assert main([*drift, "accept", SUPERSTORE, "--why", "losses are booked elsewhere"]) == EXIT_OK
    assert main([*drift, "accept", SUPERSTORE, "--why", "twice"]) == EXIT_ERROR
    accepted = home.run().succeeded()

    assert set(verdicts(accepted).values()) == {"pass"}
    assert profiles(home, negative)[1] == ("negative_share", 0.0, False, "losses are booked elsewhere")


def test_lost_minus_signs_are_caught_in_a_second_file(loaded: tuple[Home, Result], shared_datasets: Path) -> None:
    home, _ = loaded
    home.write(SUPERSTORE, "more.csv", lost_minus_signs(shared_datasets))

    result = home.run().succeeded()

    assert [name for name, verdict in verdicts(result).items() if verdict != "pass"] == ["distribution_as_usual"]
    assert FOUND in result.checks(SUPERSTORE)["distribution_as_usual"]["note"]
