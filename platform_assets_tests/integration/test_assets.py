"""The platform as Dagster shows and runs it: from one click on a fresh home to checks on their own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg
import pytest

from platform_assets.cli.bench_platform import TOPICS
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.definitions import defs
from platform_assets.quality.check_names import SCHEMA
from platform_assets.quality.drift_checks import DRIFT_CHECKS
from platform_assets.quality.results import BALANCE, READABLE, SCORES
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


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    made: dg.Definitions = defs()
    return made


@dataclass(frozen=True)
class Materialized:
    """A fresh home with one click on "materialize all", then only the checks."""

    home: Home
    everything: dg.ExecuteInProcessResult
    checks_alone: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def materialized(homes: Homes, definitions: dg.Definitions) -> Iterator[Materialized]:
    home = homes.make()
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    # Behind a shut gate: what is downstream of it must be materialized all the same.
    home.write(SUPERSTORE, "month1.csv", b2b_file(spoiled(b2b_month(1), 60)))
    only_checks = dg.define_asset_job("only_checks", dg.AssetSelection.all_asset_checks())
    merged = dg.Definitions.merge(definitions, dg.Definitions(jobs=[only_checks]))
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in home.environment.items():
            patch.setenv(name, value)
        everything = definitions.resolve_job_def("refresh").execute_in_process(instance=instance)
        checks_alone = merged.resolve_job_def("only_checks").execute_in_process(instance=instance)
        yield Materialized(home, everything, checks_alone)


def evaluations(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    return {(one.asset_key.to_user_string(), one.check_name): one for one in result.get_asset_check_evaluations()}


def expected_checks() -> set[tuple[str, str]]:
    others = {*SCORES, BALANCE, READABLE, SCHEMA, *DRIFT_CHECKS}
    return {
        (f"staging/{dataset}", name)
        for dataset, contract in CONTRACTS.items()
        # The catalogue refers to no other dataset.
        for name in {rule.id for rule in contract.rules}
        | (others - {"integrity"} if dataset == "product_catalog" else others)
    }


def checks_of(keys: Iterable[tuple[str, str]], layer: str) -> set[tuple[str, str]]:
    return {(asset, name) for asset, name in keys if asset.startswith(f"{layer}/")}


def test_every_asset_says_what_it_is_whose_it_is_and_where_it_belongs(definitions: dg.Definitions) -> None:
    specs = definitions.resolve_all_asset_specs()
    bare = {
        spec.key.to_user_string(): [
            name
            for name, value in {"owners": spec.owners, "kinds": spec.kinds, "description": spec.description}.items()
            if not value
        ]
        for spec in specs
        if not (spec.owners and spec.kinds and spec.description)
    }
    assert bare == {}
    layers = {"raw", "staging", "quarantine", "core", "analytics", "warehouse", "quality", "reports", "operations"}
    assert {spec.group_name for spec in specs} == layers


def test_every_table_shows_its_columns(definitions: dg.Definitions) -> None:
    without = {
        spec.key.to_user_string()
        for spec in definitions.resolve_all_asset_specs()
        if "dagster/column_schema" not in spec.metadata
    }
    # A record of judgement, pages, and folders of backups have no frame of their own.
    pages = {name for name in without if name.startswith("reports/")} | {"quality/scorecard"}
    assert without == {f"assessment/{name}" for name in CONTRACTS} | pages | {"operations/backup"}


def test_staging_has_one_check_for_each_rule_and_each_score(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    found = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert checks_of(found, "staging") == expected_checks()


def test_every_topic_of_the_analytics_has_checks_of_its_own(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    checked = {key.asset_key for key in graph.asset_check_keys}
    topics: dict[str, set[dg.AssetKey]] = {}
    for spec in definitions.resolve_all_asset_specs():
        if spec.key.path[0] == "analytics":
            topics.setdefault(spec.tags["topic"], set()).add(spec.key)
    assert {topic for topic, keys in topics.items() if not keys & checked} == set()
    assert topics.keys() == {"rfm", *TOPICS}


def test_the_columns_of_the_warehouse_say_what_they_mean(materialized: Materialized) -> None:
    shown: dict[str, dg.TableSchema] = {}
    for event in materialized.everything.get_asset_materialization_events():
        schema = event.materialization.metadata.get("dagster/column_schema")
        if event.asset_key is not None and event.asset_key.path[0] == "warehouse":
            assert isinstance(schema, dg.TableSchemaMetadataValue)
            shown[event.asset_key.to_user_string()] = schema.value
    assert [name for name, schema in shown.items() for column in schema.columns if not column.description] == []
    types = {column.name: column.type for column in shown["warehouse/dim_customer"].columns}
    assert (types["customer_key"], types["valid_from"]) == ("bigint", "timestamp with time zone")


def test_one_click_on_a_fresh_home_materializes_every_asset(
    materialized: Materialized, definitions: dg.Definitions
) -> None:
    assert materialized.everything.success
    made = {event.asset_key for event in materialized.everything.get_asset_materialization_events()}
    assert made == definitions.resolve_asset_graph().materializable_asset_keys


def test_the_run_evaluates_every_check_with_its_counts(materialized: Materialized, definitions: dg.Definitions) -> None:
    found = evaluations(materialized.everything)
    graph = definitions.resolve_asset_graph()
    assert found.keys() == {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    broken = found[f"staging/{SUPERSTORE}", "sales_not_negative"]
    assert (broken.passed, broken.severity) == (False, dg.AssetCheckSeverity.WARN)
    counts = {name: value.value for name, value in broken.metadata.items()}
    assert (counts["rows checked"], counts["rows failed"], counts["score"]) == (120, 60, 0.5)
    assert str(counts["failing rows"]).count("month1.csv") >= 1


def test_a_shut_gate_is_an_error_and_the_run_goes_on_with_what_was_published(materialized: Materialized) -> None:
    found = evaluations(materialized.everything)
    validity = found[f"staging/{SUPERSTORE}", "validity"]
    assert (validity.passed, validity.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert found[f"staging/{ECOMMERCE}", "validity"].passed
    held = ask(materialized.home.dsn, "SELECT source_system, count(*) FROM warehouse.fct_sales GROUP BY 1")
    assert held == [(ECOMMERCE, 120)]


def test_an_empty_dataset_does_not_pass_its_checks(materialized: Materialized) -> None:
    found = evaluations(materialized.everything)
    assert not any(
        one.passed for (asset, _), one in found.items() if asset == "staging/retail_analytics" and _ in SCORES
    )


def test_checks_can_be_run_on_their_own_and_say_the_same(materialized: Materialized) -> None:
    assert materialized.checks_alone.success
    assert materialized.checks_alone.get_asset_materialization_events() == []
    alone, before = (evaluations(one) for one in (materialized.checks_alone, materialized.everything))
    assert {key: one.passed for key, one in alone.items()} == {key: one.passed for key, one in before.items()}


def test_materializations_count_rows_and_lead_to_what_they_made(materialized: Materialized) -> None:
    told = {
        made.asset_key.to_user_string(): {name: value.value for name, value in made.metadata.items()}
        for made in (event.materialization for event in materialized.everything.get_asset_materialization_events())
    }
    assert told["warehouse/fct_sales"]["dagster/row_count"] == 120
    assert told[f"raw/{SUPERSTORE}"]["dagster/row_count"] == 120
    assert told[f"quarantine/{SUPERSTORE}"]["dagster/row_count"] == 60
    assert "month1.csv" in str(told["quality/quarantine"]["preview"])
    assert "SHUT" in str(told["quality/scorecard"]["scorecard"])
