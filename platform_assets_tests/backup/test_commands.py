"""The commands and the jobs, on the shared platform."""

from pathlib import Path

import dagster as dg
import pytest

from platform_assets.backup.store import backup_names, find_backup
from platform_assets.cli.main import main
from platform_assets.defs.backup import BACKUP, backup, defs, verify
from platform_assets.resources.platform import PlatformResource
from platform_assets_tests.backup.platforms import Platform

pytestmark = pytest.mark.integration


@pytest.fixture
def environment(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setenv("PLATFORM_HOME", str(platform.settings.home))
    monkeypatch.setenv("PLATFORM_BACKUPS", str(platform.settings.backups))
    monkeypatch.delenv("PLATFORM_BACKUP_KEY", raising=False)
    return platform


def test_commands_make_list_verify_and_restore(
    environment: Platform, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backups = environment.settings.backups
    assert main(["backup", "list"]) == 0
    assert capsys.readouterr().out == f"There is no backup in {backups}.\n"
    assert main(["backup"]) == 0
    (name,) = backup_names(backups)
    assert str(backups / name) in capsys.readouterr().out
    assert main(["backup", "list"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("not verified")

    assert main(["backup", "verify"]) == 0
    assert f"{name} is sound" in capsys.readouterr().out
    assert main(["backup", "list"]) == 0
    assert "   in clear    verified 20" in capsys.readouterr().out

    assert main(["restore", "newest"]) == 1
    assert "Another command uses the server" in capsys.readouterr().err
    assert main(["restore", "nix", "--home", str(folder / "home")]) == 1
    assert "There is no backup nix" in capsys.readouterr().err
    assert main(["restore", name, "--home", str(folder / "other")]) == 0
    told = capsys.readouterr().out
    assert f"Restored {name}" in told
    assert f"Put it to {folder / 'other' / 'keys' / 'pseudonym.key'}" in told
    dump = backups / name / "dagster.dump"
    dump.write_bytes(dump.read_bytes()[:-1])
    assert main(["backup", "verify", name, "--home", str(environment.settings.home)]) == 1
    assert f"{name} is NOT sound:\n  dagster.dump of backup" in capsys.readouterr().out
    assert main(["backup", "list"]) == 0
    assert "NOT SOUND 20" in capsys.readouterr().out
    assert main(["restore", name, "--home", str(folder / "home")]) == 1
    assert not (folder / "home" / "lake").exists()


def test_a_run_makes_a_backup_that_the_ui_shows_and_one_that_is_damaged_fails_its_run(environment: Platform) -> None:
    resources = {"platform": PlatformResource()}
    with dg.DagsterInstance.ephemeral() as instance:
        assert backup.execute_in_process(resources=resources, instance=instance).success
        made = instance.get_latest_materialization_event(BACKUP)
        assert made is not None
        assert made.asset_materialization is not None
        metadata = made.asset_materialization.metadata
        newest = find_backup(environment.settings.backups)
        assert metadata["backup"].value == newest.folder.name
        assert metadata["rows"].value == newest.manifest.rows > 0
        assert metadata["encrypted"].value is False

        (newest.folder / "warehouse.dump").unlink()
        tried = verify.execute_in_process(resources=resources, instance=instance, raise_on_error=False)
        assert not tried.success


@pytest.mark.parametrize(
    ("text", "cron", "status"),
    [("{}", "0 3 * * *", "STOPPED"), ("backup: {schedule: '30 1 * * *'}", "30 1 * * *", "RUNNING")],
)
def test_the_schedule_runs_when_the_configuration_has_a_time_for_it(
    text: str, cron: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text, encoding="utf-8")
    monkeypatch.setenv("PLATFORM_CONFIG", str(config))
    schedules = [one for one in defs().schedules or () if isinstance(one, dg.ScheduleDefinition)]
    found = {one.name: (one.cron_schedule, one.default_status.name) for one in schedules}
    assert found == {"backup_schedule": (cron, status), "verify_backup_schedule": ("0 5 * * 0", "STOPPED")}


def test_a_shrunken_backup_is_a_warning(environment: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    before = environment.back_up()
    manifest = before.folder / "manifest.json"
    size = before.manifest.files["warehouse.dump"].bytes
    # The one before as if it had been a thousand times as large.
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(f": {size},", f": {size}000,"), encoding="utf-8")
    assert main(["backup"]) == 0
    assert "warning     It has" in capsys.readouterr().out


def test_for_another_home_the_folder_of_the_backups_has_to_be_said(
    environment: Platform, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = environment.back_up()
    monkeypatch.delenv("PLATFORM_BACKUPS")
    assert main(["restore", "newest", "--home", str(folder / "home")]) == 1
    told = capsys.readouterr().err
    assert f"There is no backup in {folder / 'home' / 'backups'}." in told
    assert "set PLATFORM_BACKUPS to their folder, or name the folder of one" in told
    monkeypatch.setenv("PLATFORM_BACKUP_KEY", "a key of more than thirty-two characters")
    assert main(["restore", str(backup.folder), "--home", str(folder / "home")]) == 1
    assert "say --in-clear" in capsys.readouterr().err
    assert main(["restore", str(backup.folder), "--home", str(folder / "home"), "--in-clear"]) == 0
    assert f"Restored {backup.folder.name}" in capsys.readouterr().out
    assert main(["backup", "verify", str(backup.folder), "--home", str(folder / "home")]) == 1
    assert "is in clear" in capsys.readouterr().err
