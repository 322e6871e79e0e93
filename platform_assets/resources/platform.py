"""The platform as assets see it: settings, configuration, the lake's tables, and the engine of the run."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from platform_assets.config import Config, load_config
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.engines.choose import make_engine
from platform_assets.engines.engine import Engine
from platform_assets.lake.table import Table
from platform_assets.settings import EngineName, Settings


class EngineChoice(StrEnum):
    """The engines as the launchpad offers them."""

    duckdb = "duckdb"
    pandas = "pandas"
    spark = "spark"


class PlatformResource(dg.ConfigurableResource[Any]):
    """Settings, lake and engine of one run. An engine is started when it is first asked for.

    Where it is a part of other resources, make it with ``configure_at_launch``: the run then has one of it, and what
    the launchpad sets holds for all.
    """

    engine_choice: EngineChoice | None = Field(
        default=None,
        alias="engine",
        description="The dataframe engine of the run; without it, that of the deployment (PLATFORM_ENGINE). duckdb: "
        "one machine, any size. pandas: in memory, for debugging. spark: the platform's own server, or the cluster in "
        "SPARK_REMOTE.",
    )

    _engines: dict[str, Engine] = PrivateAttr(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return Settings.from_environment()

    @property
    def config(self) -> Config:
        """The configuration file."""
        return load_config(self.settings.config_file)

    @property
    def engine_name(self) -> EngineName:
        """Which engine this run has."""
        return self.engine_choice.value if self.engine_choice else self.settings.engine

    @property
    def engine(self) -> Engine:
        """The engine of this run."""
        return self.engine_named(self.engine_name)

    @property
    def loader(self) -> Engine:
        """What streams the lake's Parquet into PostgreSQL: DuckDB, whose memory is bounded, whatever computed it."""
        return self.engine_named("duckdb")

    def engine_named(self, name: EngineName) -> Engine:
        """Some engine, for frames that belong to it; that of the run where it is the one.

        Raises:
            ServiceError: Spark is not installed, or no server can be started or reached.
        """
        if name not in self._engines:
            self._engines[name] = make_engine(self.settings, name)
        return self._engines[name]

    def contract(self, dataset: str) -> Contract:
        """A dataset's contract as the configuration has it."""
        return deployed_contracts(self.config)[dataset]

    def table(self, layer: str, name: str) -> Table:
        """A table of the lake."""
        return Table(self.settings.lake / layer / name)

    def landing_folder(self, dataset: str) -> Path:
        """Where a dataset's raw files are dropped."""
        return self.settings.raw / dataset

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Release what the engines hold."""
        while self._engines:
            _, engine = self._engines.popitem()
            engine.close()
