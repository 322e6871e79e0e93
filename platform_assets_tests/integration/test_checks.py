"""Checks by themselves: judged again without loading, always with a result; a gate stops only what needs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.definitions import defs
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
from platform_assets_tests.integration.running import Home, Homes

pytestmark = [
    pytest.mark.integration,
    # What Dagster itself calls where one resource is nested in another.
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]

# 60 of 120 lines are invalid: they shut a gate of 0.9, and not one of 0.4. A rule's own threshold is changed, too.
RELAXED = """
thresholds:
  datasets:
    superstore_sales: {validity: {warn: 0.6, fail: 0.4}, rules: {sales_not_negative: {warn: 0.5}}}
"""


@dataclass(frozen=True)
class Told:
    """What a run said: its checks, and what was made in it."""

    result: dg.ExecuteInProcessResult
    sales: list[tuple[str, int]]

    @property
    def checks(self) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
        evaluations = self.result.get_asset_check_evaluations()
        return {(one.asset_key.path[-1], one.check_name): one for one in evaluations}

    @property
    def made(self) -> dict[str, dict[str, Any]]:
        events = [event.materialization for event in self.result.get_asset_materialization_events()]
        return {
            one.asset_key.to_user_string(): {name: value.value for name, value in one.metadata.items()}
            for one in events
        }


@dataclass(frozen=True)
class Story:
    """A shut gate; its threshold lowered and the checks run alone; a refresh; and a lake with a hole in it."""

    home: Home
    shut: Told
    judged_again: Told
    refreshed: Told
    damaged: Told


class Teller:
    """Runs jobs in a home."""

    def __init__(self, home: Home, instance: dg.DagsterInstance, definitions: dg.Definitions) -> None:
        self._home = home
        self._instance = instance
        self._definitions = definitions

    def run(self, job: str) -> Told:
        result = self._definitions.resolve_job_def(job).execute_in_process(
            instance=self._instance, raise_on_error=False
        )
        statement = "SELECT source_system, count(*) FROM warehouse.fct_sales GROUP BY 1 ORDER BY 1"
        return Told(result, ask(self._home.dsn, statement))


@pytest.fixture(scope="module")
def story(homes: Homes) -> Iterator[Story]:
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    home.write(SUPERSTORE, "month1.csv", b2b_file(spoiled(b2b_month(1), 60)))
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in home.environment.items():
            patch.setenv(name, value)
        teller = Teller(home, instance, defs())
        shut = teller.run("refresh")
        config = home.folder / "relaxed.yaml"
        config.write_text(RELAXED, encoding="utf-8")
        patch.setenv("PLATFORM_CONFIG", str(config))
        judged_again, refreshed = teller.run("checks"), teller.run("refresh")
        for segment in (Settings.from_environment().lake / "staging" / SUPERSTORE / "segments").iterdir():
            segment.write_bytes(b"this is no Parquet file")
        yield Story(home, shut, judged_again, refreshed, teller.run("checks"))


def test_a_changed_threshold_is_judged_without_loading_anything(story: Story) -> None:
    before, after = (told.checks[SUPERSTORE, "validity"] for told in (story.shut, story.judged_again))

    assert (before.passed, before.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (after.passed, after.severity) == (False, dg.AssetCheckSeverity.WARN)  # 0.5: between 0.4 and 0.6
    assert story.judged_again.checks[SUPERSTORE, "sales_not_negative"].passed
    layers = {name.split("/")[0] for name in story.judged_again.made}
    assert layers == {"staging", "assessment", "quarantine", "quality"}
    assert story.judged_again.sales == story.shut.sales == [(ECOMMERCE, 120)]


def test_what_the_opened_gate_lets_pass_is_loaded_by_the_next_refresh(story: Story) -> None:
    assert story.refreshed.sales == [(ECOMMERCE, 120), (SUPERSTORE, 60)]


def test_the_history_has_both_judgements_with_their_thresholds(story: Story) -> None:
    runs = [told.result.run_id for told in (story.shut, story.judged_again)]
    rows = ask(
        story.home.dsn,
        "SELECT score, threshold, warn_threshold, verdict FROM quality.check_results "
        "WHERE dataset = %(dataset)s AND rule = 'validity' AND run_id = ANY(%(runs)s) ORDER BY evaluated_at",
        {"dataset": SUPERSTORE, "runs": runs},
    )
    assert rows == [(0.5, 0.9, None, "fail"), (0.5, 0.4, 0.6, "warn")]


def test_a_shut_gate_is_told_where_its_news_is_missing_and_nowhere_else(story: Story) -> None:
    told = str(story.shut.made["core/sales"]["held back"])
    assert "1 file with 120 lines" in told
    assert "validity is 0.50000, the threshold is 0.9" in told
    assert "held back" not in story.shut.made["core/products"]
    assert "held back" not in story.refreshed.made["core/sales"]


def test_a_check_that_could_not_be_evaluated_has_failed_with_the_error(story: Story) -> None:
    assert not story.damaged.result.success
    names = {name for dataset, name in story.refreshed.checks if dataset == SUPERSTORE}
    assert {rule.id for rule in CONTRACTS[SUPERSTORE].rules} < names
    found = {name: one for (dataset, name), one in story.damaged.checks.items() if dataset == SUPERSTORE}
    assert found.keys() == names
    assert {(one.passed, one.severity) for one in found.values()} == {(False, dg.AssetCheckSeverity.ERROR)}
    assert all(
        "month1" in str(one.metadata["error"]) or "arquet" in str(one.metadata["error"]) for one in found.values()
    )


def test_the_checks_of_other_datasets_are_evaluated_all_the_same(story: Story) -> None:
    assert story.damaged.checks[ECOMMERCE, "validity"].passed


def test_a_check_run_by_itself_enters_the_history(homes: Homes) -> None:
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    key = dg.AssetCheckKey(dg.AssetKey(["staging", ECOMMERCE]), "validity")
    job = dg.define_asset_job("one_check", dg.AssetSelection.checks(key))
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in home.environment.items():
            patch.setenv(name, value)
        definitions = dg.Definitions.merge(defs(), dg.Definitions(jobs=[job]))
        definitions.resolve_job_def("refresh").execute_in_process(instance=instance)
        run = definitions.resolve_job_def("one_check").execute_in_process(instance=instance)

    rows = ask(home.dsn, "SELECT rule, score FROM quality.check_results WHERE run_id = %(run)s", {"run": run.run_id})
    assert rows == [("validity", 1.0)]
