"""Topics of the analytics: their tables are made together, and what is shown of them says nothing of single people."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from platform_assets.defs.topics import Inputs, ResultCheck, ResultTable, Tables, Topic, Verdict, topic_assets
from platform_assets.io_managers.parquet import ParquetIOManager
from platform_assets.resources.platform import PlatformResource

FIRST, SECOND = "2024-05-01", "2024-05-02"
PEOPLE = ResultTable(
    "people",
    pa.schema([("customer_id", pa.string()), ("as_of_date", pa.date32())]),
    ("customer_id",),
    "One row per customer.",
)
COUNTS = ResultTable("counts", pa.schema([("as_of_date", pa.date32()), ("n", pa.int64())]), ("n",), "How many.")


def computed(inputs: Inputs) -> Tables:
    """One customer on the first of the month, two on the second."""
    count = inputs.as_of.day
    people = {"customer_id": [f"C{n}" for n in range(count)], "as_of_date": [inputs.as_of] * count}
    return {
        "people": pa.table(people, PEOPLE.schema),
        "counts": pa.table({"as_of_date": [inputs.as_of], "n": [count]}, COUNTS.schema),
    }


def agree(tables: Tables) -> Verdict:
    counted = tables["counts"]["n"].to_pylist()
    return Verdict(counted == [tables["people"].num_rows], f"{counted} told, {tables['people'].num_rows} there")


TOPIC = Topic(
    "toy", (PEOPLE, COUNTS), {}, computed, checks=(ResultCheck("counts_agree", "counts", "Counts agree.", agree),)
)
ASSET = topic_assets(TOPIC)[0]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORM_HOME", str(tmp_path))
        patch.setenv("PLATFORM_ENGINE", "pandas")
        yield patch


def run(home: pytest.MonkeyPatch, day: str, selection: dg.AssetSelection) -> dg.ExecuteInProcessResult:
    home.setenv("PLATFORM_AS_OF", day)
    platform = PlatformResource.configure_at_launch()
    made = dg.Definitions(
        assets=[ASSET],
        resources={"platform": platform, "lake": ParquetIOManager(platform=platform)},
        jobs=[dg.define_asset_job("some", selection)],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        return made.resolve_job_def("some").execute_in_process(instance=instance, raise_on_error=False)


def verdicts(result: dg.ExecuteInProcessResult) -> list[tuple[bool, str | None]]:
    return [(one.passed, one.description) for one in result.get_asset_check_evaluations()]


def materialized(result: dg.ExecuteInProcessResult) -> list[str]:
    return sorted(event.asset_key.path[1] for event in result.get_asset_materialization_events() if event.asset_key)


EVERYTHING = dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks()
CHECKS = dg.AssetSelection.all_asset_checks()


@pytest.mark.parametrize("table", ["people", "counts"])
def test_whichever_table_is_asked_for_all_are_of_the_same_day(home: pytest.MonkeyPatch, table: str) -> None:
    everything = run(home, FIRST, EVERYTHING)
    one = run(home, SECOND, dg.AssetSelection.assets(["analytics", table]))
    checks = run(home, SECOND, CHECKS)

    assert verdicts(everything) == [(True, "[1] told, 1 there")]
    assert one.success
    assert {passed for passed, _ in verdicts(one)} <= {True}
    assert materialized(one) == ["counts", "people"]
    assert verdicts(checks) == [(True, "[2] told, 2 there")]


def test_checks_alone_judge_what_is_kept_and_compute_nothing(home: pytest.MonkeyPatch) -> None:
    run(home, FIRST, EVERYTHING)
    checks = run(home, SECOND, CHECKS)

    assert materialized(checks) == []
    assert verdicts(checks) == [(True, "[1] told, 1 there")]


def test_rows_of_single_customers_are_not_shown_and_it_is_said_where_they_are(home: pytest.MonkeyPatch) -> None:
    everything = run(home, SECOND, EVERYTHING)
    told = {
        event.asset_key.path[1]: {name: str(value.value) for name, value in event.materialization.metadata.items()}
        for event in everything.get_asset_materialization_events()
        if event.asset_key
    }

    assert told["people"]["preview"] == "One row per customer, not shown here: see analytics.people in PostgreSQL."
    assert SECOND in told["counts"]["preview"]
    assert told["people"]["dagster/row_count"] == "2"
