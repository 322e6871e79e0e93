"""Homes for the tests of services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_assets.services.postgres import stop_postgres
from platform_assets.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh home; a server that a test leaves running there is stopped."""
    made = Settings.from_environment({"PLATFORM_HOME": str(tmp_path / "home")})
    yield made
    if (made.home / "run").exists():
        stop_postgres(made)
