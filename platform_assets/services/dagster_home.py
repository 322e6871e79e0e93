"""Dagster's home under the platform's, and the environment that every Dagster process of the platform needs.

Belongs here: the instance's configuration file and those variables. Does not belong here: the processes
(``supervisor``), and any import of Dagster.
"""

import os
from pathlib import Path

from platform_assets.errors import ServiceError
from platform_assets.services.postgres import PostgresUrls
from platform_assets.settings import CHECKOUT, Settings

URL_VARIABLE = "PLATFORM_DAGSTER_POSTGRES_URL"
"""Where Dagster's storage is. A variable, because a configured server's URL holds a password."""

_STORAGE = f"""
# Added for the platform's own instance, which ./platform makes anew from the checkout's dagster.yaml at each start.
storage:
  postgres:
    postgres_url:
      env: {URL_VARIABLE}
"""


def prepare_dagster_home(settings: Settings, urls: PostgresUrls) -> dict[str, str]:
    """Write the instance's configuration and return the variables that lead a process to it.

    Returns:
        ``DAGSTER_HOME``, the address of its storage, and every setting of the platform as it is read from there.

    Raises:
        ServiceError: The folder cannot be written.
    """
    target = settings.dagster_home / "dagster.yaml"
    text = (CHECKOUT / "dagster.yaml").read_text(encoding="utf-8") + _STORAGE
    try:
        settings.dagster_home.mkdir(parents=True, exist_ok=True)
        _replace(target, text)
    except OSError as error:
        problem = f"Cannot write {target}: {error.strerror}."
        raise ServiceError(problem, "Choose a folder you can write with --home or PLATFORM_HOME.") from error
    return {"DAGSTER_HOME": str(settings.dagster_home), URL_VARIABLE: urls.dagster, **_as_variables(settings)}


def _replace(target: Path, text: str) -> None:
    """Write a file in one step: another command may be reading it."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(target)


def _as_variables(settings: Settings) -> dict[str, str]:
    variables = {
        "PLATFORM_ENVIRONMENT": settings.environment,
        "PLATFORM_HOME": str(settings.home),
        "PLATFORM_RAW": str(settings.raw),
        "PLATFORM_ENGINE": settings.engine,
        "PLATFORM_CONFIG": str(settings.config_file),
    }
    optional = {
        "PLATFORM_AS_OF": settings.as_of.isoformat() if settings.as_of else None,
        "PLATFORM_SELECT": settings.select,
        "PLATFORM_POSTGRES_URL": settings.postgres_url,
        "PLATFORM_SPARK_MEMORY": settings.spark_memory,
        "PLATFORM_REPORTS_URL": settings.reports_url,
        "SPARK_REMOTE": settings.spark_remote,
        "PLATFORM_BACKUPS": str(settings.backups_folder) if settings.backups_folder else None,
    }
    return variables | {name: value for name, value in optional.items() if value is not None}
