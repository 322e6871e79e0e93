"""Backups of a real server and lake, taken and restored."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from platform_assets.backup import making
from platform_assets.backup.contents import frozen, sales_ledger
from platform_assets.backup.cut import look, waiting_files
from platform_assets.backup.faults import BackupError
from platform_assets.backup.keeping import back_up
from platform_assets.backup.manifest import CHECKSUM, MANIFEST, MadeOf
from platform_assets.backup.placing import Restored, restore
from platform_assets.backup.store import backup_names, find_backup
from platform_assets.backup.verifying import verify_backup
from platform_assets.config import BackupSettings, Config
from platform_assets.errors import PlatformError
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import CHECKOUT
from platform_assets.warehouse.star.currency_settings import CurrencySettings
from platform_assets.warehouse.star.fact_slices import FACTS_BY, fact_slice_id
from platform_assets_tests.backup.conftest import SECRET, made_platform
from platform_assets_tests.backup.platforms import (
    Platform,
    database_content,
    lake_content,
    silent,
    url_of,
    without_traces,
)

pytestmark = pytest.mark.integration


def restored_content(settings_url: str, home: Path) -> dict[str, object]:
    content = {
        name: rows for name, rows in database_content("warehouse", settings_url).items() if "dagster" not in name
    }
    runs = database_content("history", settings_url)["history:runs"]
    return without_traces({**content, "history:runs": runs, **lake_content(home / "lake")})  # type: ignore[return-value]


def test_after_everything_is_lost_a_restore_brings_back_the_moment_of_the_backup(folder: Path) -> None:
    with made_platform(folder) as platform:
        for _ in range(3):
            platform.load()
        before = platform.content()
        backup = platform.back_up()
        platform.load()
        after = platform.content()
    # What is compared can tell two states apart.
    assert {name for name in after if after[name] != before[name]} >= {
        "warehouse:ops.loaded_slices",
        "history:runs",
        "lake:core/sales:current",
    }
    shutil.rmtree(platform.settings.home)

    elsewhere = replace(platform.settings, home=folder / "another" / "machine")
    assert restore(elsewhere, backup, silent) == Restored((), frozenset())
    with postgres_session(elsewhere) as urls:
        restored = Platform(elsewhere, urls)
        assert without_traces(restored.content()) == without_traces(before)
        trail = restored.content()["warehouse:ops.audit_log"]
        assert trail > before["warehouse:ops.audit_log"]
        restored.load()  # keys go on where they were, and constraints hold


def test_a_backup_is_sound_after_it_was_made_and_it_says_what_it_holds(platform: Platform) -> None:
    platform.settings.backups.mkdir()
    backup = platform.back_up()
    verdict = verify_backup(platform.settings, backup, silent)
    assert verdict.problems == ()
    held = platform.content()
    tables = {f"{name.split(':', 1)[1]}": rows.total() for name, rows in held.items() if name.startswith("warehouse:")}
    manifest = backup.manifest
    assert {name: table.rows for name, table in manifest.databases["warehouse"].tables.items()} == tables
    assert manifest.databases["dagster"].tables["public.runs"].rows == held["history:runs"].total()
    assert manifest.lake.keys() == {"core/sales/current", "core/sales/accepted"}
    assert manifest.waiting == ()
    assert not (platform.settings.home / "scratch" / "verify").exists()


def test_backups_while_runs_load_are_each_of_one_moment(platform: Platform, configured: Platform) -> None:
    done = threading.Event()

    def keep_loading() -> None:
        while not done.is_set():
            platform.load()

    loading = threading.Thread(target=keep_loading)
    loading.start()
    try:
        backups = [platform.back_up() for _ in range(3)]
    finally:
        done.set()
        loading.join()
    assert len({backup.manifest.lake["core/sales/current"] for backup in backups}) == 3
    for backup in backups:
        assert backup.manifest.waiting == ()
        loads = backup.manifest.databases["warehouse"].tables
        assert loads["ops.loaded_slices"].rows > 0
    # The last of them, restored: lake and ledger name the same versions of the same files.
    restore(configured.settings, backups[-1], silent)
    assert configured.settings.postgres_url is not None
    with frozen(configured.settings.postgres_url) as state:
        assert (
            waiting_files(
                look(configured.settings.lake), sales_ledger(state.cursor), MadeOf(FACTS_BY, {"made_up": "USD"})
            )
            == ()
        )


def test_a_backup_within_a_run_says_which_files_wait(platform: Platform, configured: Platform) -> None:
    platform.publish("made_up/early.csv", "not loaded yet", 3)
    said: list[str] = []
    backup = making.make_backup(platform.settings, platform.urls, CurrencySettings(), said.append, quiet_seconds=0.5)
    assert backup.manifest.waiting == ("made_up/early.csv",)
    assert "1 files are not in the warehouse yet; waiting for the run to load them." in said
    restore(configured.settings, backup, silent)  # compares the same
    with closing(psycopg2.connect(platform.urls.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ops.loaded_slices (table_name, dataset, source_file, slice_id, loaded_rows)"
            " VALUES ('warehouse.fct_sales', 'made_up', 'early.csv', %s, 3)",
            (fact_slice_id("not loaded yet", "USD"),),
        )


def test_a_lake_that_never_stands_still_is_told_of(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "LOOKS", 3)
    monkeypatch.setattr(making, "PAUSE_SECONDS", 0)
    (name,) = platform.sales.snapshot().holds.keys() - set(list(platform.sales.snapshot().holds)[1:])
    segment = platform.sales.segments / name
    segment.rename(segment.with_suffix(".away"))
    said: list[str] = []
    try:
        with pytest.raises(BackupError, match="changed during each of 3 looks"):
            making.make_backup(platform.settings, platform.urls, CurrencySettings(), said.append)
    finally:
        segment.with_suffix(".away").rename(segment)
    assert [line.split(":")[0] for line in said] == ["Look 1", "Look 2", "Look 3"]
    assert backup_names(platform.settings.backups) == []
    assert [path.name for path in platform.settings.backups.iterdir()] == [".lock"]


def test_an_embedded_platform_moves_to_a_server_of_others_and_back(
    platform: Platform, configured: Platform, folder: Path
) -> None:
    backup, before = platform.back_up(), platform.content()
    user = "app_login"
    name = configured.settings.home.name
    platform.execute_alone(f"CREATE ROLE {user} LOGIN CREATEROLE")
    for role in backup.manifest.databases["warehouse"].roles:
        platform.execute_alone(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(*map(sql.Identifier, (role, user))))
    platform.execute_alone(f"ALTER DATABASE {name} OWNER TO {user}")
    url = url_of(platform, name, user)
    there = replace(configured.settings, postgres_url=url)
    try:
        restore(there, backup, silent)
        assert restored_content(url, there.home) == without_traces(before)

        with postgres_session(there) as urls:
            again = making.make_backup(there, urls, CurrencySettings(), silent)
        assert again.manifest.databases["dagster"].schemas == ("dagster",)
        back = replace(platform.settings, home=folder / "home")
        restore(back, again, silent)
        with postgres_session(back) as urls:
            assert without_traces(Platform(back, urls).content()) == without_traces(before)
    finally:
        platform.execute_alone(f"ALTER DATABASE {name} OWNER TO postgres")
        with closing(psycopg2.connect(url_of(platform, name))) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"REASSIGN OWNED BY {user} TO postgres; DROP OWNED BY {user}")
        platform.execute_alone(f"DROP OWNED BY {user}")
        platform.execute_alone(f"DROP ROLE {user}")


def test_a_restore_never_goes_over_data_unless_it_may_move_them_aside(platform: Platform, configured: Platform) -> None:
    backup, before = platform.back_up(), platform.content()
    settings = configured.settings
    assert settings.postgres_url is not None
    restore(settings, backup, silent)
    with closing(psycopg2.connect(settings.postgres_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM quality.profiles")
    with pytest.raises(BackupError, match=r"There is something already: .*lake, schema analytics of the server"):
        restore(settings, backup, silent)

    aside = restore(settings, backup, silent, is_replacing=True).aside
    assert (
        restored_content(settings.postgres_url, settings.home)["warehouse:quality.profiles"]
        == before["warehouse:quality.profiles"]
    )
    (lake,) = (place for place in aside if "schema" not in place)
    assert lake_content(Path(lake)) == {name: rows for name, rows in before.items() if name.startswith("lake:")}
    (quality,) = (place.removeprefix("schema ") for place in aside if "quality" in place)
    with closing(psycopg2.connect(settings.postgres_url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(quality, "profiles")))
        assert cursor.fetchone() == (0,)


def test_a_home_with_data_or_in_use_is_refused(platform: Platform) -> None:
    backup = platform.back_up()
    with pytest.raises(BackupError, match="Another command uses the server"):
        restore(platform.settings, backup, silent, is_replacing=True)


def test_one_changed_byte_is_found_in_whichever_file_it_is(platform: Platform) -> None:
    backup = platform.back_up()
    draw, paths = random.Random(1), sorted(path for path in backup.folder.rglob("*") if path.is_file())
    assert {backup.folder / MANIFEST, backup.folder / CHECKSUM, backup.folder / "dagster.dump"} < set(paths)
    for path in paths * 3:
        sound = path.read_bytes()
        changed = bytearray(sound)
        changed[draw.randrange(len(sound))] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        assert finds_damage(platform, backup.folder), path
        path.write_bytes(sound)


def finds_damage(platform: Platform, folder: Path) -> bool:
    """Whether verification tells of damage, or refuses the backup."""
    try:
        return verify_backup(platform.settings, find_backup(folder.parent, folder.name), silent).problems != ()
    except BackupError:
        return True


def test_a_file_that_is_gone_or_shorter_is_named(sealing: Platform) -> None:
    backup = sealing.back_up()
    dump = backup.folder / "warehouse.dump"
    dump.write_bytes(dump.read_bytes()[:-100])
    (problem,) = verify_backup(sealing.settings, backup, silent).problems
    assert "warehouse.dump of backup" in problem
    dump.unlink()
    (problem,) = verify_backup(sealing.settings, backup, silent).problems
    assert "warehouse.dump of backup" in problem
    assert "No such file" in problem


def test_a_sealed_backup_opens_with_its_key_only_and_shows_nothing(sealing: Platform, folder: Path) -> None:
    key = sealing.settings.home / "keys" / "pseudonym.key"
    key.parent.mkdir(exist_ok=True)
    key.write_bytes(b"the pseudonym key of this platform")
    backup, before = sealing.back_up(), sealing.content()
    stored = b"".join(path.read_bytes() for path in backup.folder.rglob("*") if path.is_file())
    assert b"PGDMP" not in stored  # what every dump begins with
    assert b"PAR1" not in stored  # what every Parquet file begins with
    assert b"the pseudonym key" not in stored

    there = replace(sealing.settings, home=folder / "home")
    with pytest.raises(BackupError, match="is encrypted, and there is no key"):
        restore(replace(there, backup_key=None), backup, silent)
    with pytest.raises(BackupError, match="with another key than PLATFORM_BACKUP_KEY"):
        restore(replace(there, backup_key=SECRET.upper()), backup, silent)
    assert not (there.home / "lake").exists()

    restore(there, backup, silent)
    assert (there.home / "keys" / "pseudonym.key").read_bytes() == b"the pseudonym key of this platform"
    assert (there.home / "keys" / "pseudonym.key").stat().st_mode & 0o077 == 0
    with postgres_session(there) as urls:
        assert without_traces(Platform(there, urls).content()) == without_traces(before)


def test_a_backup_in_clear_has_no_key_of_pseudonyms(platform: Platform) -> None:
    key = platform.settings.home / "keys" / "pseudonym.key"
    key.parent.mkdir(exist_ok=True)
    key.write_bytes(b"secret")
    assert not any("key" in path for path in platform.back_up().manifest.files)


def test_a_killed_backup_leaves_nothing_that_looks_like_one(platform: Platform) -> None:
    sound = platform.back_up()
    program = f"""
import os, signal
from dataclasses import replace
from pathlib import Path
from platform_assets.backup.making import make_backup
from platform_assets.services.postgres import PostgresUrls
from platform_assets.settings import Settings
from platform_assets.warehouse.star.currency_settings import CurrencySettings
settings = Settings.from_environment({{
    "PLATFORM_HOME": {str(platform.settings.home)!r}, "PLATFORM_BACKUPS": {str(platform.settings.backups)!r},
}})
def say(told):
    if told.startswith("Counting"):
        os.kill(os.getpid(), signal.SIGKILL)
urls = PostgresUrls(*{(platform.urls.warehouse, platform.urls.dagster, platform.urls.dsn)!r})
make_backup(settings, urls, CurrencySettings(), say)
"""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (leftover,) = (path for path in platform.settings.backups.iterdir() if path.name.startswith(".unfinished-"))
    assert (leftover / "warehouse.dump").stat().st_size > 0
    assert backup_names(platform.settings.backups) == [sound.folder.name]
    platform.back_up()
    assert not leftover.exists()


def test_segments_of_the_backup_before_serve_again_unless_they_were_changed(platform: Platform) -> None:
    first = platform.back_up()
    second = platform.back_up()
    segments = sorted(path for path in first.manifest.files if "/segments/" in path)
    assert len(segments) > 0
    assert all((second.folder / path).stat().st_ino == (first.folder / path).stat().st_ino for path in segments)
    (second.folder / segments[0]).write_bytes(b"rotten")
    third = platform.back_up()
    assert third.require_file(segments[0]).read_bytes() != b"rotten"
    assert (third.folder / segments[-1]).stat().st_ino == (
        (first.folder / segments[-1]).stat().st_ino if len(segments) > 1 else (third.folder / segments[0]).stat().st_ino
    )


def test_old_backups_go_after_a_new_one_and_never_after_a_failed_one(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(backup=BackupSettings(keep_daily=1, keep_weekly=0))
    first = back_up(platform.settings, platform.urls, config, silent).backup.folder.name
    with monkeypatch.context() as broken:
        broken.setattr(making, "dump", lambda *_: iter(_no_dump()))
        with pytest.raises(PlatformError, match="pg_dump refused"):
            back_up(platform.settings, platform.urls, config, silent)
    assert backup_names(platform.settings.backups) == [first]
    kept = back_up(platform.settings, platform.urls, config, silent)
    assert kept.deleted == (first,)
    assert backup_names(platform.settings.backups) == [kept.backup.folder.name]
    with closing(psycopg2.connect(platform.urls.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT deleted_at IS NOT NULL FROM ops.backups WHERE name = %s", (first,))
        assert cursor.fetchall() == [(True,)]


def _no_dump() -> list[bytes]:
    raise BackupError("pg_dump refused.", "")
