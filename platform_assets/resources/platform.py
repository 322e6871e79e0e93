"""The platform as assets see it: settings, configuration, the lake's tables, and the engine of the run."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from platform_assets.config import Config, load_config
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.choose import make_engine
from platform_assets.engines.engine import Engine
from platform_assets.lake.table import Table
from platform_assets.settings import Settings


class PlatformResource(dg.ConfigurableResource[Any]):
    """Settings, lake and engine of one run. The engine is started when it is first asked for."""

    _engine: Engine | None = PrivateAttr(default=None)

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return Settings.from_environment()

    @property
    def config(self) -> Config:
        """The configuration file."""
        return load_config(self.settings.config_file)

    @property
    def engine(self) -> Engine:
        """The engine of this run."""
        if self._engine is None:
            self._engine = make_engine(self.settings)
        return self._engine

    def contract(self, dataset: str) -> Contract:
        """A dataset's contract, with the lists of values that the configuration names."""
        contract = CONTRACTS[dataset]
        for column, values in self.config.dataset(dataset).values.items():
            contract = contract.with_vocabulary(column, values)
        return contract

    def table(self, layer: str, name: str) -> Table:
        """A table of the lake."""
        return Table(self.settings.lake / layer / name)

    def landing_folder(self, dataset: str) -> Path:
        """Where a dataset's raw files are dropped."""
        return self.settings.raw / dataset

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Release what the engine holds."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
