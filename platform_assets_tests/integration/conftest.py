"""One PostgreSQL for all tests of the whole platform, homes with databases of their own, and small samples."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from platform_assets.samples.generate import generate
from platform_assets.services.cluster import SUPERUSER, Cluster
from platform_assets_tests.integration.running import Home, Homes


@pytest.fixture(scope="session")
def homes() -> Iterator[Homes]:
    """Makes homes on one server, which is stopped and removed at the end."""
    # Not below pytest's own folder: its path is too long for a socket, and closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="whole"))
    cluster = Cluster(folder)
    cluster.start()
    try:
        with closing(
            psycopg2.connect(host=str(cluster.socket_folder), user=SUPERUSER, dbname="postgres")
        ) as connection:
            connection.autocommit = True
            # Nothing here outlives the tests, and the processes that are killed do not include the server.
            connection.cursor().execute("ALTER SYSTEM SET fsync = off")
            connection.cursor().execute("SELECT pg_reload_conf()")
        yield Homes(folder, cluster.socket_folder)
    finally:
        cluster.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated sample of about a thousand transactions; copy it before you change it."""
    folder = tmp_path_factory.mktemp("small") / "raw"
    generate(folder, rows=1000, seed=7)
    return folder


@pytest.fixture
def home(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A fresh home, which is this process's, too."""
    made = homes.make()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made
