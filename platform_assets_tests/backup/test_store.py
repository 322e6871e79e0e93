from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from platform_assets.backup import store
from platform_assets.backup.deployment import own_backups
from platform_assets.backup.faults import BackupError, DamagedBackupError
from platform_assets.backup.manifest import (
    MANIFEST,
    DatabaseContent,
    FileEntry,
    MadeOf,
    Manifest,
    TableContent,
    check_manifest,
    read_manifest,
    write_manifest,
)
from platform_assets.backup.sealing import Seal
from platform_assets.backup.store import (
    backup_name,
    backup_names,
    delete_backups,
    find_backup,
    moment_of,
    new_backup,
    open_backup,
)
from platform_assets.errors import ServiceError
from platform_assets.services.locks import exclusive_lock

HELD = DatabaseContent(
    schemas=("ops",),
    tables={"ops.a": TableContent(3, "-17")},
    constraints=2,
    owner="postgres",
    roles=("retail_owner",),
    logins=("ann",),
)


def manifest(name: str) -> Manifest:
    return Manifest(
        name=name,
        started_at="2024-07-01T03:00:00+00:00",
        cut_at="2024-07-01T03:00:01+00:00",
        finished_at="2024-07-01T03:00:02+00:00",
        files={"a.dump": FileEntry(5, "ab"), "lake/core/sales/current": FileEntry(7, "cd")},
        databases={"warehouse": HELD, "dagster": HELD},
        lake={"core/sales/current": "00000001.json"},
        migrations={"0001_a.sql": "ef"},
        versions={"postgresql": "18.6"},
        made_of=MadeOf(1, {"d": "EUR"}),
        waiting=("d/a.csv",),
    )


def made(root: Path, deployment: str | None = None) -> str:
    with new_backup(root) as folder:
        name = folder.name.removeprefix(".unfinished-")
        write_manifest(folder, replace(manifest(name), deployment=deployment), None)
    return name


def test_a_manifest_is_read_as_it_was_written_and_sums_up(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest("one"), None)
    assert read_manifest(tmp_path) == manifest("one")
    assert (manifest("one").bytes, manifest("one").tables, manifest("one").rows) == (12, 2, 6)


@pytest.mark.parametrize("seal", [None, Seal(bytes(32))])
def test_every_changed_byte_of_a_manifest_is_found(tmp_path: Path, seal: Seal | None) -> None:
    write_manifest(tmp_path, manifest("one"), seal)
    check_manifest(tmp_path, seal)
    for path in sorted(tmp_path.iterdir()):
        sound = path.read_bytes()
        for position in range(len(sound)):
            path.write_bytes(sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :])
            with pytest.raises(DamagedBackupError):
                check_manifest(tmp_path, seal)
        path.write_bytes(sound)


def test_a_sealed_manifest_cannot_be_made_up_without_the_key(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest("one"), None)
    with pytest.raises(DamagedBackupError):
        check_manifest(tmp_path, Seal(bytes(32)))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', "\xff"])
def test_what_is_no_manifest_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(DamagedBackupError, match=r"manifest of backup .* cannot be read"):
        read_manifest(tmp_path)


def test_a_backup_of_a_newer_platform_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"format": 2}', encoding="utf-8")
    with pytest.raises(BackupError, match="has format 2; this platform knows 1"):
        read_manifest(tmp_path)


def test_names_are_instants_and_sort_like_them() -> None:
    moments = [datetime(2024, 12, 31, 23, 59, 59, 1, UTC), datetime(2025, 1, 1, tzinfo=UTC)]
    assert backup_name(moments[0]) == "20241231T235959.000001Z"
    assert [moment_of(name) for name in sorted(backup_name(moment) for moment in moments)] == moments


def test_the_newest_is_meant_where_none_is_named(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)
    assert backup_names(tmp_path) == [first, second]
    assert find_backup(tmp_path).folder.name == second
    assert find_backup(tmp_path, first).folder.name == first
    assert find_backup(tmp_path / "elsewhere", str(tmp_path / first)).folder == tmp_path / first
    with pytest.raises(BackupError, match="There is no backup nix"):
        find_backup(tmp_path, "nix")
    with pytest.raises(BackupError, match="There is no backup in") as caught:
        find_backup(tmp_path / "elsewhere")
    assert "set PLATFORM_BACKUPS to their folder, or name the folder of one" in caught.value.remedy


def half_made(folder: Path) -> None:
    (folder / MANIFEST).write_text("half", encoding="utf-8")
    raise BackupError("The disk is full.")


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BackupError), new_backup(tmp_path) as folder:
        half_made(folder)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_what_killed_processes_left_goes_with_the_next_backup_and_nothing_else(tmp_path: Path) -> None:
    for name in (".unfinished-20240101T000000.000000Z", ".deleted-20240101T000000.000000Z", "notes of somebody"):
        (tmp_path / name).mkdir()
    assert backup_names(tmp_path) == []
    name = made(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "notes of somebody", name}


def test_deleted_backups_are_gone_and_the_others_stay(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)
    delete_backups(tmp_path, [first])
    assert {path.name for path in tmp_path.iterdir()} == {".lock", second}


def test_a_folder_of_backups_is_closed_to_others(tmp_path: Path) -> None:
    name = made(tmp_path / "backups")
    assert (tmp_path / "backups").stat().st_mode & 0o077 == 0
    assert (tmp_path / "backups" / name).stat().st_mode & 0o077 == 0


def test_of_a_folder_that_deployments_share_each_knows_its_own(tmp_path: Path) -> None:
    ours, theirs, again, nobodys = (made(tmp_path, maker) for maker in ("a", "b", "a", None))
    assert own_backups(tmp_path, "a") == [ours, again]
    assert own_backups(tmp_path, "b") == [theirs]
    (tmp_path / again / MANIFEST).write_text("rotten", encoding="utf-8")
    assert own_backups(tmp_path, "a") == [ours]
    assert backup_names(tmp_path) == [ours, theirs, again, nobodys]


def test_nothing_is_deleted_while_a_backup_is_being_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = made(tmp_path)
    monkeypatch.setattr(store, "exclusive_lock", partial(exclusive_lock, timeout_seconds=0))
    with new_backup(tmp_path) as folder:
        with pytest.raises(ServiceError, match="Another process has held"):
            delete_backups(tmp_path, [name])
        assert backup_names(tmp_path) == [name]
        write_manifest(folder, manifest(folder.name), None)
    delete_backups(tmp_path, [name, name])  # gone already, by somebody else
    assert name not in backup_names(tmp_path)


def test_with_a_key_a_backup_in_clear_is_refused_unless_that_is_said(tmp_path: Path) -> None:
    backup = find_backup(tmp_path, made(tmp_path))
    with pytest.raises(BackupError, match="is in clear") as caught:
        open_backup(backup, "a key of more than thirty-two characters")
    assert "--in-clear" in caught.value.remedy
    assert open_backup(backup, "a key of more than thirty-two characters", is_in_clear=True) is None
    assert open_backup(backup, None) is None


@pytest.mark.parametrize("path", ["/etc/passwd", "../keys/pseudonym.key", "lake/../../x", "..", ""])
@pytest.mark.parametrize("where", ["files", "lake"])
def test_paths_that_lead_out_of_a_backup_are_refused(tmp_path: Path, path: str, where: str) -> None:
    sound = manifest("one")
    write_manifest(
        tmp_path,
        replace(sound, files={path: FileEntry(1, "ab")}) if where == "files" else replace(sound, lake={path: "1.json"}),
        None,
    )
    with pytest.raises(DamagedBackupError, match="leads out of the backup"):
        read_manifest(tmp_path)
