"""A platform with a real server and a small lake, which the tests load, back up and lose."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets_tests.backup.platforms import Platform, url_of

SECRET = "a key for tests, of more than thirty-two characters"  # noqa: S105 - it keeps none
_numbers = itertools.count(1)


@contextmanager
def made_platform(folder: Path) -> Iterator[Platform]:
    """A platform below a folder, with two loads in it."""
    variables = {"PLATFORM_HOME": str(folder / "home"), "PLATFORM_BACKUPS": str(folder / "backups")}
    settings = Settings.from_environment(variables)
    settings.home.mkdir(parents=True)
    with postgres_session(settings) as urls:
        with closing(psycopg2.connect(urls.dsn)) as connection:
            migrate(connection)
        platform = Platform(settings, urls)
        # Nothing here outlives the tests.
        platform.execute_alone("ALTER SYSTEM SET fsync = off")
        platform.execute_alone("SELECT pg_reload_conf()")
        platform.start_history()
        platform.load()
        platform.load()
        yield platform


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that the server's user can reach, with a path that is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="bk"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def shared() -> Iterator[Platform]:
    """One platform for the tests that take nothing away from it."""
    with short_folder() as folder, made_platform(folder) as platform:
        yield platform


@pytest.fixture
def platform(shared: Platform, tmp_path: Path) -> Platform:
    """The shared platform with a folder of backups of this test alone."""
    return replace(shared, settings=replace(shared.settings, backups_folder=tmp_path / "backups"))


@pytest.fixture
def sealing(platform: Platform) -> Platform:
    """The same with a key."""
    return replace(platform, settings=replace(platform.settings, backup_key=SECRET))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for homes of this test."""
    with short_folder() as made:
        yield made


@pytest.fixture
def configured(platform: Platform) -> Iterator[Platform]:
    """An empty database as a server of others, with a home of its own. Its settings say where the backups are."""
    name = f"other_{next(_numbers)}"
    platform.execute_alone(f"CREATE DATABASE {name} TEMPLATE template0")
    home = platform.settings.home.parent / name
    yield replace(platform, settings=replace(platform.settings, home=home, postgres_url=url_of(platform, name)))
    platform.execute_alone(f"DROP DATABASE {name} WITH (FORCE)")
