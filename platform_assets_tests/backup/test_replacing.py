"""Restores over something: what fails, is killed, or brings back people who were forgotten."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest

from platform_assets.backup import placing
from platform_assets.backup.faults import BackupError
from platform_assets.backup.manifest import MANIFEST, write_manifest
from platform_assets.backup.placing import restore
from platform_assets.backup.schemas import alone, conclude, put_aside
from platform_assets.backup.store import Backup, find_backup
from platform_assets.erasure.register import people_of, remember
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import CHECKOUT, Settings
from platform_assets.warehouse.schema.sql_files import MigrationError
from platform_assets_tests.backup.platforms import Content, Platform, database_content, lake_content, silent

pytestmark = pytest.mark.integration

NOW = datetime(2200, 1, 1, tzinfo=UTC)
"""After every backup of these tests."""
KEY = "a key of pseudonyms of more than thirty-two characters"


class StoppedError(BaseException):
    """Not an ``Exception``, like Ctrl-C."""


def url(settings: Settings) -> str:
    assert settings.postgres_url is not None
    return settings.postgres_url


def execute(dsn: str, statement: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


def schemas(dsn: str) -> set[str]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'")
        return {name for (name,) in cursor.fetchall()}


OURS = {"warehouse", "analytics", "quality", "ops", "dagster"}


def state(settings: Settings) -> Content:
    return {**database_content("warehouse", url(settings)), **lake_content(settings.lake)}


@pytest.fixture
def inhabited(platform: Platform, configured: Platform) -> tuple[Settings, Backup]:
    """A server with a restored platform that somebody worked with, and the backup."""
    backup = platform.back_up()
    restore(configured.settings, backup, silent)
    execute(url(configured.settings), "DELETE FROM quality.profiles")
    return configured.settings, backup


@pytest.mark.parametrize("stage", ["Restoring", "Comparing", "take_over", "sync_tree", "conclude"])
def test_a_restore_that_stops_at_any_stage_leaves_server_and_lake_as_they_were(
    inhabited: tuple[Settings, Backup], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, backup = inhabited
    before = state(settings)

    def say(told: str) -> None:
        if told.startswith(stage):
            raise StoppedError

    def stop(*_: object) -> None:
        raise MigrationError("The database has migrations that are no files here.")

    if stage.islower():
        monkeypatch.setattr(placing, stage, stop)
    with pytest.raises((StoppedError, MigrationError)):
        restore(settings, backup, say, is_replacing=True)

    assert schemas(url(settings)) == OURS
    assert state(settings) == before


def killed(settings: Settings, backup: Backup, when: str) -> None:
    """Restore in a process that is killed: within psql's script, or when something is said."""
    program = f"""
import os, signal
from dataclasses import replace
from pathlib import Path
from platform_assets.backup import dumps
from platform_assets.backup.placing import restore
from platform_assets.backup.store import find_backup
from platform_assets.settings import Settings
def die(told=""):
    if told.startswith({when!r}):
        os.kill(os.getpid(), signal.SIGKILL)
definitions = dumps._definitions
def dying(path, section, *rest):
    die(section)
    return definitions(path, section, *rest)
dumps._definitions = dying
settings = Settings.from_environment({{"PLATFORM_HOME": {str(settings.home)!r}}})
settings = replace(settings, postgres_url={url(settings)!r})
restore(settings, find_backup(Path(), {str(backup.folder)!r}), die, is_replacing=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


def test_after_a_killed_restore_the_next_one_gives_back_what_was_there(inhabited: tuple[Settings, Backup]) -> None:
    settings, backup = inhabited
    before = state(settings)
    killed(settings, backup, "post-data")  # when psql has read most of it
    aside = schemas(url(settings))
    assert {name.split("_replacing_")[0] for name in aside} >= OURS - {"dagster"}
    assert not aside & (OURS - {"dagster"})  # nothing was committed
    said: list[str] = []

    with pytest.raises(BackupError, match="There is something already"):
        restore(settings, backup, said.append)

    assert "have their names again" in said[0]
    assert schemas(url(settings)) == OURS
    assert state(settings) == before


def test_after_a_restore_that_was_killed_when_the_server_had_it_nothing_is_dropped(
    inhabited: tuple[Settings, Backup],
) -> None:
    settings, backup = inhabited
    killed(settings, backup, "Comparing")
    said: list[str] = []

    with pytest.raises(BackupError, match="There is something already"):
        restore(settings, backup, said.append)

    assert "Restore again with --replace" in said[0]
    assert {name.split("_replaced_")[0] for name in schemas(url(settings)) - OURS} == OURS
    (profiles,) = (name for name in schemas(url(settings)) if name.startswith("quality_replaced_"))
    assert not database_content("warehouse", url(settings))[f"warehouse:{profiles}.profiles"]
    assert restore(settings, backup, silent, is_replacing=True).aside


def test_what_two_restores_in_one_second_put_aside_has_different_names(inhabited: tuple[Settings, Backup]) -> None:
    settings, backup = inhabited
    first = conclude(put_aside(url(settings)))
    execute(url(settings), "CREATE SCHEMA quality")
    second = conclude(put_aside(url(settings)))

    assert set(first).isdisjoint(second)
    assert restore(settings, backup, silent, is_replacing=True).aside


def test_while_one_restores_into_a_database_nobody_else_does(inhabited: tuple[Settings, Backup]) -> None:
    settings, backup = inhabited
    with alone(url(settings)), pytest.raises(BackupError, match="Another restore into this database is under way"):
        restore(settings, backup, silent, is_replacing=True)


@pytest.mark.parametrize("changed", [{"9999_of_tomorrow.sql": "ab"}, {"0001_schemas.sql": "ab"}])
def test_the_backup_of_a_newer_checkout_is_refused_before_anything_is_touched(
    inhabited: tuple[Settings, Backup], changed: dict[str, str]
) -> None:
    settings, backup = inhabited
    write_manifest(
        backup.folder, replace(backup.manifest, migrations={**backup.manifest.migrations, **changed}), seal=None
    )
    before = state(settings)

    with pytest.raises(BackupError, match=next(iter(changed))):
        restore(settings, find_backup(Path(), str(backup.folder)), silent, is_replacing=True)

    assert state(settings) == before


def test_a_sealed_backup_cannot_be_passed_off_as_one_in_clear(sealing: Platform, folder: Path) -> None:
    backup = sealing.back_up()
    clear = replace(sealing, settings=replace(sealing.settings, backup_key=None)).back_up()
    for path in ("warehouse.dump", "dagster.dump"):
        (backup.folder / path).write_bytes((clear.folder / path).read_bytes())
    write_manifest(backup.folder, replace(clear.manifest, name=backup.manifest.name), seal=None)
    assert json.loads((backup.folder / MANIFEST).read_bytes())["encryption"] is None

    with pytest.raises(BackupError, match="is in clear"):
        restore(replace(sealing.settings, home=folder / "home"), find_backup(Path(), str(backup.folder)), silent)


def forget(settings: Settings, *ids: str) -> None:
    for one in ids:
        remember(settings, one, [f"name of {one}"], by="ann", now=NOW)


def test_people_who_were_forgotten_since_stay_in_the_register_and_are_counted(
    platform: Platform, configured: Platform
) -> None:
    backup = platform.back_up()
    settings = replace(configured.settings, pseudonym_key=KEY)
    assert restore(settings, backup, silent).forgotten == frozenset()
    forget(settings, "C1", "C2")
    execute(url(settings), "SELECT ops.audit('erasure', 'customer of the trail alone', '{}')")
    (*listed,) = people_of(settings).ids

    restored = restore(settings, backup, silent, is_replacing=True)

    assert restored.forgotten == {*listed, "of the trail alone"}
    assert people_of(settings).ids == set(listed)
    assert len(listed) == 2


def test_a_register_of_another_key_is_not_kept_and_its_people_are_counted(
    sealing: Platform, folder: Path, configured: Platform
) -> None:
    key = sealing.settings.home / "keys" / "pseudonym.key"
    key.parent.mkdir(exist_ok=True)
    key.write_bytes(bytes(32))
    backup = sealing.back_up()
    settings = replace(configured.settings, home=folder / "home", backup_key=sealing.settings.backup_key)
    forget(settings, "C1")  # with a key that is made now
    (listed,) = people_of(settings).ids
    said: list[str] = []

    assert restore(settings, backup, said.append, is_replacing=True).forgotten == {listed}
    assert any("was made with another key than the backup" in told for told in said)
    assert people_of(settings).ids == frozenset()


def test_the_trail_of_an_embedded_server_that_is_replaced_is_read(platform: Platform, folder: Path) -> None:
    backup = platform.back_up()
    settings = replace(platform.settings, home=folder / "home")
    restore(settings, backup, silent)
    with postgres_session(settings) as urls:
        execute(urls.dsn, "SELECT ops.audit('erasure', 'customer 17', '{}')")

    assert restore(settings, backup, silent, is_replacing=True).forgotten == {"17"}
