"""Dagster's home: the configuration it is given, and that Dagster accepts it."""

import dataclasses
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
import yaml

from platform_assets.services.dagster_home import URL_VARIABLE, prepare_dagster_home
from platform_assets.services.postgres import PostgresUrls, postgres_session
from platform_assets.settings import CHECKOUT, Settings


@dg.asset
def answer() -> None:
    """Asset without a value, so that nothing is stored but the run."""


URLS = PostgresUrls(warehouse="unused", dagster="postgresql+psycopg2://host/dagster", dsn="unused")


def test_the_instance_is_configured_as_in_the_checkout_with_the_storage_added(settings: Settings) -> None:
    environment = prepare_dagster_home(settings, URLS)
    written = yaml.safe_load((Path(environment["DAGSTER_HOME"]) / "dagster.yaml").read_text(encoding="utf-8"))
    assert written.pop("storage") == {"postgres": {"postgres_url": {"env": URL_VARIABLE}}}
    assert written == yaml.safe_load((CHECKOUT / "dagster.yaml").read_text(encoding="utf-8"))
    assert environment[URL_VARIABLE] == URLS.dagster


def test_another_process_reads_the_same_settings_from_the_environment(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "PLATFORM_HOME": str(tmp_path / "home"),
            "PLATFORM_RAW": str(tmp_path / "raw"),
            "PLATFORM_ENVIRONMENT": "staging",
            "PLATFORM_ENGINE": "pandas",
            "PLATFORM_AS_OF": "2011-12-09",
            "PLATFORM_SELECT": "not tag:topic=forecast",
            "PLATFORM_POSTGRES_URL": "postgresql://host/retail",
            "PLATFORM_SPARK_MEMORY": "1500m",
            "SPARK_REMOTE": "sc://host:15002",
            "PLATFORM_CONFIG": str(tmp_path / "config.yaml"),
            "PLATFORM_REPORTS_URL": "https://reports.example.com",
        }
    )
    assert Settings.from_environment(prepare_dagster_home(settings, URLS)) == settings


@pytest.mark.integration
@pytest.mark.parametrize("configured", [False, True], ids=["embedded", "configured"])
def test_dagster_keeps_its_runs_in_postgres(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *, configured: bool
) -> None:
    with postgres_session(settings) as embedded:
        external = dataclasses.replace(settings, postgres_url=embedded.dsn)
        with postgres_session(external if configured else settings) as urls:
            for name, value in prepare_dagster_home(settings, urls).items():
                monkeypatch.setenv(name, value)
            with dg.DagsterInstance.get() as instance:
                assert dg.materialize([answer], instance=instance).success
            with sqlalchemy.create_engine(urls.dagster).connect() as connection:
                assert connection.scalar(sqlalchemy.text("select count(*) from runs")) == 1
