"""The engine as a setting of the run: one choice, one engine, and every materialization says which it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import pandas as pd
import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.defs import operations, raw
from platform_assets.engines import choose
from platform_assets.engines.engine import Engine
from platform_assets.lake.update import Update
from platform_assets.resources.platform import EngineChoice, PlatformResource
from platform_assets.settings import EngineName, Settings
from platform_assets_tests.integration.deliveries import ECOMMERCE, shop_day, shop_file
from platform_assets_tests.integration.running import Homes, execute_as_owner

pytestmark = pytest.mark.integration


@dg.asset(key=["tests", "made"], io_manager_key="lake")
def made(platform: PlatformResource) -> pd.DataFrame:
    """A frame that the asset and the IO manager both need an engine for."""
    return pd.DataFrame({"engine": [platform.engine.name]})


@dg.asset(key=["tests", "unchanged"], io_manager_key="lake")
def unchanged(platform: PlatformResource) -> dg.MaterializeResult[Update]:
    """A version, as most of the platform's assets return it."""
    return dg.MaterializeResult(value=Update(platform.table("tests", "unchanged").snapshot(), is_news=False))


@dg.asset(key=["tests", "stored"], io_manager_key="warehouse", metadata={"table": "public.stored", "key": "id"})
def stored() -> pd.DataFrame:
    """A frame for the warehouse."""
    return pd.DataFrame({"id": [1, 2]})


@dataclass
class Engines:
    """The engines that a run started and closed, by name and in order."""

    started: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engines:
    """A fresh home whose deployment has DuckDB."""
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLATFORM_RAW", str(tmp_path / "raw"))
    monkeypatch.setenv("PLATFORM_ENGINE", "duckdb")
    seen, make = Engines(), choose.make_engine

    def recording(settings: Settings, name: EngineName | None = None) -> Engine:
        engine = make(settings, name)
        close = engine.close

        def closing_engine() -> None:
            seen.closed.append(engine.name)
            close()

        seen.started.append(engine.name)
        engine.close = closing_engine  # type: ignore[method-assign]
        return engine

    monkeypatch.setattr("platform_assets.resources.platform.make_engine", recording)
    return seen


def job(*assets: dg.AssetsDefinition) -> dg.JobDefinition:
    """A job of some assets with the platform's own resources."""
    resources = operations.defs().resources
    jobs = [dg.define_asset_job("job", dg.AssetSelection.all())]
    definitions = dg.Definitions(assets, jobs=jobs, resources=resources, executor=dg.in_process_executor)
    return definitions.resolve_job_def("job")


def told(done: dg.ExecuteInProcessResult) -> dict[str, object]:
    """The engine that each materialization names."""
    events = done.get_asset_materialization_events()
    made = {event.asset_key: event.materialization.metadata for event in events}
    return {key.path[-1]: metadata["engine"].value for key, metadata in made.items() if key is not None}


def launched_with(engine: str | None) -> Mapping[str, Any]:
    """What the launchpad sends."""
    return {"resources": {"platform": {"config": {"engine": engine}}}}


def test_the_launchpad_offers_every_engine_and_says_what_it_is() -> None:
    def part(of: Any, name: str) -> Any:
        return of.config_type.fields[name]

    schema = job(made).run_config_schema
    engine = part(part(part(part(schema, "resources"), "platform"), "config"), "engine")
    assert [one.config_value for one in engine.config_type.inner_type.enum_values] == list(get_args(EngineName))
    assert "PLATFORM_ENGINE" in engine.description
    assert not engine.is_required


def test_the_choices_are_the_engines_there_are() -> None:
    assert tuple(EngineChoice) == get_args(EngineName)


@pytest.mark.parametrize(
    ("run_config", "name"),
    [({}, "duckdb"), (launched_with(None), "duckdb"), (launched_with("pandas"), "pandas")],
    ids=["nothing set", "set to nothing", "set"],
)
def test_the_run_has_one_engine_for_assets_and_io_managers(
    run_config: Mapping[str, Any], name: str, engines: Engines
) -> None:
    done = job(made, unchanged).execute_in_process(run_config=run_config)

    assert done.output_for_node("tests__made")["engine"].to_list() == [name]
    assert told(done) == {"made": name, "unchanged": name}
    assert (engines.started, engines.closed) == ([name], [name])


def test_the_deployment_decides_where_the_run_does_not(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_ENGINE", "pandas")

    assert told(job(made).execute_in_process()) == {"made": "pandas"}
    assert engines.started == ["pandas"]


def test_an_engine_that_does_not_exist_is_refused_before_anything_runs(engines: Engines) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match=r"platform:config:engine not in enum type.*got polars"):
        job(made).execute_in_process(run_config=launched_with("polars"))

    assert engines.started == []


def test_the_engine_is_closed_after_a_run_that_failed(engines: Engines) -> None:
    @dg.asset
    def failing(platform: PlatformResource) -> None:
        raise RuntimeError(platform.engine.name)

    with pytest.raises(RuntimeError, match="duckdb"):
        job(failing).execute_in_process()

    assert engines.closed == ["duckdb"]


def test_a_raw_asset_names_the_engine_of_its_run(engines: Engines, tmp_path: Path) -> None:
    folder = tmp_path / "raw" / ECOMMERCE
    folder.mkdir(parents=True)
    (folder / "day.csv").write_text(shop_file(shop_day(1, 5)), encoding="utf-8")
    shop = raw.raw_asset(CONTRACTS[ECOMMERCE])

    assert told(job(shop).execute_in_process(run_config=launched_with("pandas"))) == {ECOMMERCE: "pandas"}
    assert engines.started == ["pandas"]


def test_a_table_of_the_warehouse_names_the_engine_that_computed_its_rows(
    engines: Engines, homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = homes.make().dsn
    monkeypatch.setenv("PLATFORM_POSTGRES_URL", dsn)
    execute_as_owner(
        dsn,
        "CREATE TABLE public.stored (id bigint PRIMARY KEY)",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON public.stored TO retail_loader",
    )

    assert told(job(stored).execute_in_process(run_config=launched_with("pandas"))) == {"stored": "pandas"}
    assert (engines.started, engines.closed) == (["pandas"], ["pandas"])


def test_a_run_is_moved_to_spark_by_its_setting_alone(
    engines: Engines, spark_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_REMOTE", spark_url)

    assert told(job(made).execute_in_process(run_config=launched_with("spark"))) == {"made": "spark"}
    assert (engines.started, engines.closed) == (["spark"], ["spark"])


def test_the_platform_loads_without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(operations.spark_resources()) == {"pyspark"}
    monkeypatch.setattr(operations, "find_spec", lambda _: None)

    assert operations.spark_resources() == {}
