"""Backups that others make, read or delete: a login without the rights, another deployment, retention."""

import uuid
from pathlib import Path

import pytest

from platform_assets.backup.deployment import DEPLOYMENT_FILE, deployment_id
from platform_assets.backup.faults import BackupError, DamagedBackupError
from platform_assets.backup.keeping import back_up
from platform_assets.backup.making import make_backup
from platform_assets.backup.store import Backup, backup_names, delete_backups
from platform_assets.backup.verifying import verify_backup
from platform_assets.config import BackupSettings, Config
from platform_assets.settings import Settings
from platform_assets.warehouse.star.currency_settings import CurrencySettings
from platform_assets_tests.backup.platforms import Platform, silent


@pytest.mark.integration
def test_a_loader_is_told_whose_login_makes_backups(platform: Platform) -> None:
    with pytest.raises(BackupError, match="this login may not: permission denied") as caught:
        make_backup(platform.settings, platform.loader, CurrencySettings(), silent)
    assert "Set PLATFORM_POSTGRES_URL to the owner's login" in caught.value.remedy
    assert backup_names(platform.settings.backups) == []


@pytest.mark.integration
def test_deployments_that_share_a_folder_neither_link_nor_delete_each_others_backups(platform: Platform) -> None:
    def made(by: str) -> Backup:
        (platform.settings.home / DEPLOYMENT_FILE).write_text(by, encoding="utf-8")
        config = Config(backup=BackupSettings(keep_daily=1, keep_weekly=0))
        return back_up(platform.settings, platform.urls, config, silent).backup

    def segments(backup: Backup) -> dict[str, int]:
        return {path: (backup.folder / path).stat().st_ino for path in backup.manifest.files if "/segments/" in path}

    staging, production = uuid.uuid4().hex, uuid.uuid4().hex
    first, theirs = made(staging), made(production)
    assert not set(segments(first).values()) & set(segments(theirs).values())
    linked = segments(first)
    second = made(staging)
    assert segments(second) == linked
    assert backup_names(platform.settings.backups) == [theirs.folder.name, second.folder.name]


def test_a_home_is_one_deployment_and_another_home_is_another(tmp_path: Path) -> None:
    here, there = (Settings.from_environment({"PLATFORM_HOME": str(tmp_path / name)}) for name in "ab")
    assert deployment_id(here) == deployment_id(here) != deployment_id(there)
    (here.home / DEPLOYMENT_FILE).write_text("no id", encoding="utf-8")
    with pytest.raises(BackupError, match="cannot be used"):
        deployment_id(here)


@pytest.mark.integration
def test_a_backup_that_is_deleted_meanwhile_is_not_called_damaged(platform: Platform) -> None:
    backup = platform.back_up()

    def say(_: str) -> None:
        delete_backups(platform.settings.backups, [backup.folder.name])

    with pytest.raises(BackupError, match="was deleted while") as caught:
        verify_backup(platform.settings, backup, say)
    assert not isinstance(caught.value, DamagedBackupError)
