"""The settings of one process: the only place that reads variables of the platform.

Belongs here: names, types and defaults of everything a deployment can set. Does not belong here: what a setting
is used for.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar, get_args

from platform_assets.errors import SettingsError

EnvironmentName = Literal["development", "staging", "production"]
EngineName = Literal["duckdb", "pandas", "spark"]

_ENVIRONMENTS: tuple[EnvironmentName, ...] = get_args(EnvironmentName)
_ENGINES: tuple[EngineName, ...] = get_args(EngineName)

_Choice = TypeVar("_Choice", bound=str)

LEAST_SPARK_MEMORY_MIB = 512
"""Spark itself refuses to start with less than 450."""
LEAST_KEY_CHARACTERS = 32
LEAST_PASSWORD_CHARACTERS = 12

CHECKOUT = Path(__file__).resolve().parent.parent
"""The folder that holds ``platform_assets``, ``sql`` and ``data``."""


@dataclass(frozen=True)
class Settings:
    """Everything a deployment can set, typed.

    Attributes:
        environment: Which thresholds apply (``PLATFORM_ENVIRONMENT``).
        home: Folder of all state: PostgreSQL, Parquet, Dagster's home (``PLATFORM_HOME``).
        raw: The landing zone, one folder per dataset (``PLATFORM_RAW``).
        engine: The dataframe engine of this deployment (``PLATFORM_ENGINE``).
        as_of: The day results are computed for; ``None`` means the newest event date (``PLATFORM_AS_OF``).
        select: The assets that runs bring up to date, in Dagster's selection syntax; ``None`` for all
            (``PLATFORM_SELECT``).
        postgres_url: An external PostgreSQL, ``None`` for the embedded one (``PLATFORM_POSTGRES_URL``).
        spark_remote: The Spark Connect server of a cluster, ``None`` for the embedded one (``SPARK_REMOTE``, Spark's
            own name for it: ``sc://host:15002``).
        spark_memory: The heap of the embedded Spark server in Java's notation, ``None`` for a share of the machine's
            memory (``PLATFORM_SPARK_MEMORY``).
        config_file: YAML with thresholds and dataset settings (``PLATFORM_CONFIG``).
        reports_url: Where people reach the folder of reports, ``None`` for the server of ``./platform up``
            (``PLATFORM_REPORTS_URL``).
        pseudonym_key: The secret behind the pseudonyms of customers, ``None`` for one that is made in development
            (``PLATFORM_PSEUDONYM_KEY``).
        login_password: The password of a login that is being made, ``None`` for a generated one
            (``PLATFORM_LOGIN_PASSWORD``).
        backup_key: Encrypts backups and opens them again, ``None`` for backups in clear (``PLATFORM_BACKUP_KEY``).
        backups_folder: Where backups are kept, ``None`` for a folder of the home (``PLATFORM_BACKUPS``).
    """

    environment: EnvironmentName
    home: Path
    raw: Path
    engine: EngineName
    as_of: date | None
    select: str | None
    postgres_url: str | None = field(repr=False)
    spark_remote: str | None
    spark_memory: str | None
    config_file: Path
    reports_url: str | None
    pseudonym_key: str | None = field(default=None, repr=False)
    login_password: str | None = field(default=None, repr=False)
    backup_key: str | None = field(default=None, repr=False)
    backups_folder: Path | None = None

    @property
    def lake(self) -> Path:
        """Folder of the Parquet tables."""
        return self.home / "lake"

    @property
    def backups(self) -> Path:
        """Folder of the backups."""
        return self.backups_folder or self.home / "backups"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own folder."""
        return self.home / "dagster"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings of this process.

        Raises:
            SettingsError: A variable holds a value that cannot be used.
        """
        return cls(
            environment=_choice(environment, "PLATFORM_ENVIRONMENT", _ENVIRONMENTS, "development"),
            home=_folder(environment, "PLATFORM_HOME", CHECKOUT / ".platform"),
            raw=_folder(environment, "PLATFORM_RAW", CHECKOUT / "data" / "raw"),
            engine=_choice(environment, "PLATFORM_ENGINE", _ENGINES, "duckdb"),
            as_of=_day(environment, "PLATFORM_AS_OF"),
            select=environment.get("PLATFORM_SELECT") or None,
            postgres_url=environment.get("PLATFORM_POSTGRES_URL") or None,
            spark_remote=environment.get("SPARK_REMOTE") or None,
            spark_memory=_memory(environment, "PLATFORM_SPARK_MEMORY"),
            config_file=_folder(environment, "PLATFORM_CONFIG", CHECKOUT / "platform_assets" / "config.yaml"),
            reports_url=_web_address(environment, "PLATFORM_REPORTS_URL"),
            pseudonym_key=_secret(environment, "PLATFORM_PSEUDONYM_KEY", LEAST_KEY_CHARACTERS),
            login_password=_secret(environment, "PLATFORM_LOGIN_PASSWORD", LEAST_PASSWORD_CHARACTERS),
            backup_key=_secret(environment, "PLATFORM_BACKUP_KEY", LEAST_KEY_CHARACTERS),
            backups_folder=_optional_folder(environment, "PLATFORM_BACKUPS"),
        )


def _choice(environment: Mapping[str, str], name: str, choices: tuple[_Choice, ...], default: _Choice) -> _Choice:
    value = environment.get(name) or default
    for choice in choices:
        if value == choice:
            return choice
    message = f"{name} is {value!r}, which is none of {', '.join(choices)}."
    raise SettingsError(message, f"Set {name} to one of them, or unset it for {default!r}.")


def _folder(environment: Mapping[str, str], name: str, default: Path) -> Path:
    value = environment.get(name)
    return Path(value).expanduser().resolve() if value else default


def _optional_folder(environment: Mapping[str, str], name: str) -> Path | None:
    return _folder(environment, name, Path()) if environment.get(name) else None


def _web_address(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name)
    if not value:
        return None
    if not re.fullmatch(r"https?://[^\s/]\S*", value):
        message = f"{name} is {value!r}, which is not a web address."
        raise SettingsError(message, "Write it as https://reports.example.com/retail, for example.")
    return value.rstrip("/")


def _secret(environment: Mapping[str, str], name: str, least: int) -> str | None:
    """A value that no message may show."""
    value = environment.get(name)
    if not value:
        return None
    if len(value) < least:
        message = f"{name} has {len(value)} characters, which is too few to keep a secret."
        raise SettingsError(message, f"Give it at least {least}, random ones.")
    return value


def _memory(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name)
    if not value:
        return None
    size = re.fullmatch(r"([0-9]{1,6})([mg])", value.lower())
    if size is None or int(size[1]) * (1024 if size[2] == "g" else 1) < LEAST_SPARK_MEMORY_MIB:
        message = f"{name} is {value!r}, which is not an amount of memory of at least {LEAST_SPARK_MEMORY_MIB}m."
        raise SettingsError(message, "Write it as 2g or 1500m, for example.")
    return value.lower()


def _day(environment: Mapping[str, str], name: str) -> date | None:
    value = environment.get(name)
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        message = f"{name} is {value!r}, which is not a date."
        raise SettingsError(message, "Write it as YYYY-MM-DD, for example 2024-12-31.") from None
