"""The scorecard of real runs: page, command line, views and tables say the same; nothing known is lost."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_assets.cli.main import main
from platform_assets.cli.options import VARIABLES
from platform_assets.definitions import defs
from platform_assets.services.processes import ProcessIdentity
from platform_assets.services.up_state import UpState, remove_state, write_state
from platform_assets.settings import Settings
from platform_assets_tests.integration.deliveries import (
    ECOMMERCE,
    SUPERSTORE,
    b2b_file,
    b2b_month,
    shop_day,
    shop_file,
    spoiled,
)
from platform_assets_tests.integration.dumps import ask
from platform_assets_tests.integration.running import EXIT_ERROR, EXIT_GATE_SHUT, EXIT_OK, Home, Homes, Result

pytestmark = [
    pytest.mark.integration,
    # What Dagster itself calls where one resource is nested in another.
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]


@dataclass(frozen=True)
class Judged:
    """A home after a good delivery, and then one that shuts a gate."""

    home: Home
    result: Result

    @property
    def page(self) -> str:
        return (self.home.folder / "reports" / "scorecard.html").read_text(encoding="utf-8")

    def command(self, *arguments: str) -> int:
        """Run a command of this process on the home."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**dict.fromkeys(VARIABLES.values(), ""), **self.home.environment}.items():
                patch.setenv(name, value)
            return main(list(arguments))

    def as_json(self, folder: Path) -> dict[str, dict[str, Any]]:
        """The scorecard for programs, by dataset."""
        target = folder / "scorecard.json"
        assert self.command("scorecard", "--json", str(target)) == EXIT_OK
        return {card["dataset"]: card for card in json.loads(target.read_text())["datasets"]}


@pytest.fixture(scope="module")
def judged(homes: Homes) -> Judged:
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    home.write(SUPERSTORE, "month1.csv", b2b_file(b2b_month(1)))
    home.run().succeeded()
    home.write(SUPERSTORE, "month2.csv", b2b_file(spoiled(b2b_month(2), 60)))
    return Judged(home, home.run())


def test_before_any_run_the_command_says_to_run_first(homes: Homes, capsys: pytest.CaptureFixture[str]) -> None:
    fresh = Judged(homes.make(), Result(EXIT_OK, "", "", {}))
    assert fresh.command("scorecard") == EXIT_ERROR
    assert "./platform run" in capsys.readouterr().err


def test_the_scorecard_has_every_score_of_the_last_run_as_the_tables_have_it(judged: Judged, tmp_path: Path) -> None:
    cards = judged.as_json(tmp_path)
    rows = ask(
        judged.home.dsn,
        "SELECT dataset, rule, score, verdict, rows_checked, rows_failed, threshold FROM quality.check_results"
        " WHERE kind = 'score' AND run_id = %(run)s",
        {"run": judged.result.json["run_id"]},
    )
    found = {
        (
            name,
            score["name"],
            score["value"],
            score["verdict"],
            score["rows_checked"],
            score["rows_failed"],
            score["fail_threshold"],
        )
        for name, card in cards.items()
        for score in card["scores"]
    }
    assert found == set(rows)
    # 60 of 240 lines are invalid.
    (validity,) = (score for score in cards[SUPERSTORE]["scores"] if score["name"] == "validity")
    assert [point["score"] for point in validity["trend"]] == [1.0, 0.75]
    assert (validity["verdict"], validity["rows_failed"], validity["rows_checked"]) == ("fail", 60, 240)


def test_the_shut_gate_is_shown_with_what_it_holds_back_and_the_other_is_open(judged: Judged, tmp_path: Path) -> None:
    cards = judged.as_json(tmp_path)
    assert judged.result.exit_code == EXIT_GATE_SHUT
    assert {name: card["gate_is_open"] for name, card in cards.items() if card["has_rows"]} == {
        ECOMMERCE: True,
        SUPERSTORE: False,
    }
    assert cards[SUPERSTORE]["held_back"]["files"] == 1
    assert cards[SUPERSTORE]["reasons"] == judged.result.json["gates"][SUPERSTORE]["reasons"]


def test_page_and_terminal_name_file_line_and_reason_of_failing_rows(
    judged: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judged.command("scorecard", SUPERSTORE, "--rule", "sales_not_negative") == EXIT_OK
    told = capsys.readouterr().out
    assert "60 of 240 rows fail" in told
    (line,) = (line for line in told.splitlines() if "sales=-10.25" in line and " 2 " in line)
    assert line.split()[:3] == ["month2.csv", "2", "sales_not_negative"]
    # The customer's id is personal.
    assert "customer_id=•••" in line
    assert "B0" not in told
    assert "month2.csv" in judged.page
    assert "sales_not_negative" in judged.page
    assert ">B0<" not in judged.page


def test_the_ledger_is_that_of_the_run(judged: Judged, tmp_path: Path) -> None:
    cards = judged.as_json(tmp_path)
    for name in (ECOMMERCE, SUPERSTORE):
        told = judged.result.ledger(name)[""]
        assert {key: cards[name]["ledger"]["total"][key] for key in told if key.startswith(("rows", "amount"))} == {
            key: value for key, value in told.items() if key.startswith(("rows", "amount"))
        }


def test_the_asset_leads_to_the_page_and_gives_dagster_numbers_to_plot(judged: Judged) -> None:
    told = judged.home.told("quality", "scorecard")
    assert told["file"] == str(judged.home.folder / "reports" / "scorecard.html")
    assert told[f"{SUPERSTORE} validity"] == 0.75
    assert told["gates shut"] == 1
    assert "SHUT" in str(told["scorecard"])
    assert told["page"] == "http://127.0.0.1:3001/scorecard.html"  # where up will serve it


@pytest.fixture
def only_reports(judged: Judged) -> Iterator[dg.ExecuteInProcessResult]:
    """A load that judges nothing: the records are written again, and the page is made anew, while ``up`` runs."""
    settings = Settings.from_environment(judged.home.environment)
    keys = [dg.AssetKey(["quality", name]) for name in ("check_results", "gate_history", "scorecard")]
    write_state(settings, UpState(ProcessIdentity.of(os.getpid()), 3000, 3001, ()))
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in judged.home.environment.items():
            patch.setenv(name, value)
        job = defs().resolve_job_def("refresh")
        yield job.execute_in_process(instance=instance, asset_selection=keys)
    remove_state(settings)


def test_a_load_that_judges_nothing_changes_nothing_of_what_is_known(
    judged: Judged, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    before = judged.as_json(tmp_path)
    result = request.getfixturevalue("only_reports")
    assert result.success
    after = judged.as_json(tmp_path)
    for name, card in before.items():
        assert after[name]["scores"] == card["scores"]
        assert after[name]["checks"] == card["checks"]
    (made,) = result.asset_materializations_for_node("quality__scorecard")
    assert made.metadata["page"].value == "http://127.0.0.1:3001/scorecard.html"


def test_an_address_that_is_configured_is_the_link(judged: Judged) -> None:
    settings = Settings.from_environment(
        {**judged.home.environment, "PLATFORM_REPORTS_URL": "https://reports.example.com/retail/"}
    )
    assert settings.reports_url == "https://reports.example.com/retail"
