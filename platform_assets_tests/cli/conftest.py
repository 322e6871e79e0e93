"""A home with a running database for all tests of the command line, and an environment they cannot spoil."""

import dataclasses
from collections.abc import Iterator

import pytest

from platform_assets.cli.options import VARIABLES
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings


@pytest.fixture(autouse=True)
def untouched_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo after the test what options write into the environment."""
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, "")


@pytest.fixture(scope="session")
def shared_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a home whose database server runs as long as these tests do."""
    home = tmp_path_factory.mktemp("cli") / "home"
    settings = dataclasses.replace(Settings.from_environment({}), home=home)
    with postgres_session(settings):
        yield settings
