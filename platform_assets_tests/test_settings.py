from datetime import date
from pathlib import Path

import pytest

from platform_assets.errors import SettingsError
from platform_assets.settings import CHECKOUT, Settings


def test_with_nothing_set_everything_lies_in_the_checkout() -> None:
    settings = Settings.from_environment({})

    assert settings == Settings(
        environment="development",
        home=CHECKOUT / ".platform",
        raw=CHECKOUT / "data" / "raw",
        engine="duckdb",
        as_of=None,
        select=None,
        postgres_url=None,
        spark_remote=None,
        spark_memory=None,
        config_file=CHECKOUT / "platform_assets" / "config.yaml",
        reports_url=None,
        pseudonym_key=None,
        login_password=None,
    )


def test_every_setting_has_a_variable(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "PLATFORM_ENVIRONMENT": "production",
            "PLATFORM_HOME": str(tmp_path / "home"),
            "PLATFORM_RAW": str(tmp_path / "raw"),
            "PLATFORM_ENGINE": "spark",
            "PLATFORM_AS_OF": "2024-02-29",
            "PLATFORM_SELECT": "group:core",
            "PLATFORM_POSTGRES_URL": "postgresql://x",
            "SPARK_REMOTE": "sc://x",
            "PLATFORM_SPARK_MEMORY": "2G",
            "PLATFORM_CONFIG": str(tmp_path / "c.yaml"),
            "PLATFORM_REPORTS_URL": "https://reports.example.com/retail/",
            "PLATFORM_PSEUDONYM_KEY": "k" * 32,
            "PLATFORM_LOGIN_PASSWORD": "p" * 12,
        }
    )

    assert settings == Settings(
        environment="production",
        home=tmp_path / "home",
        raw=tmp_path / "raw",
        engine="spark",
        as_of=date(2024, 2, 29),
        select="group:core",
        postgres_url="postgresql://x",
        spark_remote="sc://x",
        spark_memory="2g",
        config_file=tmp_path / "c.yaml",
        reports_url="https://reports.example.com/retail",
        pseudonym_key="k" * 32,
        login_password="p" * 12,
    )
    assert (settings.lake, settings.dagster_home) == (tmp_path / "home" / "lake", tmp_path / "home" / "dagster")


def test_a_variable_that_is_set_to_nothing_is_not_set() -> None:
    names = ("PLATFORM_ENGINE", "PLATFORM_AS_OF", "PLATFORM_POSTGRES_URL", "PLATFORM_HOME", "SPARK_REMOTE")
    more = ("PLATFORM_SPARK_MEMORY", "PLATFORM_REPORTS_URL", "PLATFORM_PSEUDONYM_KEY", "PLATFORM_LOGIN_PASSWORD")
    empty = dict.fromkeys((*names, *more), "")

    assert Settings.from_environment(empty) == Settings.from_environment({})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PLATFORM_ENGINE", "polars", "none of duckdb, pandas, spark"),
        ("PLATFORM_ENVIRONMENT", "prod", "none of development, staging, production"),
        ("PLATFORM_AS_OF", "29.2.2024", "not a date"),
        ("PLATFORM_AS_OF", "2023-02-29", "not a date"),
        ("PLATFORM_SPARK_MEMORY", "2 GB", "not an amount of memory"),
        ("PLATFORM_SPARK_MEMORY", "2048", "not an amount of memory"),
        ("PLATFORM_SPARK_MEMORY", "256m", "at least 512m"),
        ("PLATFORM_REPORTS_URL", "reports.example.com", "not a web address"),
        ("PLATFORM_REPORTS_URL", "javascript:alert(1)", "not a web address"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_variable(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        Settings.from_environment({name: value})

    assert name in caught.value.problem
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "value"), [("PLATFORM_PSEUDONYM_KEY", "s3cret-" * 4 + "abc"), ("PLATFORM_LOGIN_PASSWORD", "s3cret-abcd")]
)
def test_a_secret_that_is_too_short_is_refused_without_being_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} has {len(value)} characters") as caught:
        Settings.from_environment({name: value})

    assert "s3cret" not in str(caught.value)
    Settings.from_environment({name: f"{value}!"})


def test_settings_that_are_printed_show_no_secret() -> None:
    settings = Settings.from_environment(
        {
            "PLATFORM_POSTGRES_URL": "postgresql://somebody:s3cret@host/retail",
            "PLATFORM_PSEUDONYM_KEY": "s3cret" * 6,
            "PLATFORM_LOGIN_PASSWORD": "s3cret" * 6,
        }
    )

    assert "s3cret" not in repr(settings)


def test_a_relative_home_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert Settings.from_environment({"PLATFORM_HOME": "here"}).home == tmp_path.resolve() / "here"
