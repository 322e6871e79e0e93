"""The folder of backups: one folder each, visible when it is complete.

Belongs here: names, files and their hashes, what killed processes left. Does not belong here: what the files mean.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from platform_assets.backup.faults import BackupError, DamagedBackupError
from platform_assets.backup.manifest import MANIFEST, FileEntry, Manifest, check_manifest, read_manifest
from platform_assets.backup.sealing import CHUNK_BYTES, Seal
from platform_assets.durability import sync
from platform_assets.services.locks import exclusive_lock

UNFINISHED = ".unfinished-"
DELETED = ".deleted-"
_ELSEWHERE = (
    "Backups of another home: set PLATFORM_BACKUPS to their folder, or name the folder of one. Without "
    "PLATFORM_BACKUPS they are looked for in the folder backups of the --home that is given."
)
_NAME_FORMAT = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Backup:
    """A complete backup.

    Attributes:
        folder: Where it is.
        manifest: What is in it.
    """

    folder: Path
    manifest: Manifest

    def require_file(self, path: str) -> Path:
        """A file of it, whose bytes are those that were written.

        Raises:
            DamagedBackupError: It is gone or was changed.
        """
        entry = self.manifest.files[path]
        try:
            found = entry_of(self.folder / path)
        except OSError as error:
            problem = f"{path} of backup {self.folder.name} cannot be read: {error.strerror}."
            raise DamagedBackupError(problem, "Take another backup.") from None
        if found != entry:
            problem = (
                f"{path} of backup {self.folder.name} was changed: it has {found.bytes:,} bytes with another hash."
            )
            raise DamagedBackupError(problem, "Take another backup.")
        return self.folder / path


@dataclass
class Writer:
    """Writes the files of a backup.

    Attributes:
        folder: The backup that is being made.
        seal: Its key, ``None`` for files in clear.
        before: The backup before it, whose segments serve again.
        files: What has been written.
    """

    folder: Path
    seal: Seal | None
    before: Backup | None
    files: dict[str, FileEntry] = field(default_factory=dict)

    def add(self, path: str, chunks: Iterator[bytes]) -> None:
        """Write one file.

        Raises:
            BackupError: It cannot be written.
        """
        target = self.folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            stored = chunks if self.seal is None else self.seal.sealed(path, chunks)
            self.files[path] = write(target, stored)
        except OSError as error:
            problem = f"{path} of the backup cannot be written: {error}."
            raise BackupError(problem, "Make room, or choose another folder with PLATFORM_BACKUPS.") from error

    def add_immutable(self, path: str, source: Path) -> None:
        """Store a file whose name stands for its content: the one of the backup before serves again if it is sound."""
        if not self._has_linked(path):
            self.add(path, read(source))

    def _has_linked(self, path: str) -> bool:
        if self.seal is not None or self.before is None or self.before.manifest.encryption is not None:
            return False
        entry = self.before.manifest.files.get(path)
        there = self.before.folder / path
        if entry is None or not there.is_file() or entry_of(there) != entry:
            return False
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(there)
        except OSError:  # a file system without links
            return False
        self.files[path] = entry
        return True


def backup_name(moment: datetime) -> str:
    """The name of a backup whose making began at a moment."""
    return moment.astimezone(UTC).strftime(_NAME_FORMAT)


def name_of(folder: Path) -> str:
    """The name of the backup that a folder is or will be."""
    return folder.name.removeprefix(UNFINISHED)


def moment_of(name: str) -> datetime:
    """When the making of a backup began.

    Raises:
        ValueError: It is not the name of one.
    """
    return datetime.strptime(name, _NAME_FORMAT).replace(tzinfo=UTC)


def backup_names(root: Path) -> list[str]:
    """Names of the complete backups, the oldest first."""
    return sorted(path.name for path in root.iterdir() if _is_backup(path)) if root.is_dir() else []


def find_backup(root: Path, name: str | None = None) -> Backup:
    """One backup: of a name, in a folder anywhere, or the newest.

    Raises:
        BackupError: There is none, or none of that name.
        DamagedBackupError: Its manifest cannot be read.
    """
    names = backup_names(root)
    if name is not None and (Path(name) / MANIFEST).is_file():
        folder = Path(name).resolve()
        return Backup(folder, read_manifest(folder))
    if not names:
        raise BackupError(f"There is no backup in {root}.", f"Make one with ./platform backup. {_ELSEWHERE}")
    if name is not None and name not in names:
        told = f"Name one of {', '.join(names[-10:])}. {_ELSEWHERE}"
        raise BackupError(f"There is no backup {name} in {root}, and {name} is no folder of one.", told)
    folder = root / (name or names[-1])
    return Backup(folder, read_manifest(folder))


def open_backup(backup: Backup, secret: str | None, *, is_in_clear: bool = False) -> Seal | None:
    """The key of a backup, ``None`` for one in clear; its manifest can be believed then.

    Args:
        backup: What to open.
        secret: The key, ``None`` where there is none.
        is_in_clear: Accept one in clear though there is a key. Whoever can write the folder can put one there.

    Raises:
        BackupError: It is encrypted, and the key is missing or another one; or it is in clear, and there is a key.
        DamagedBackupError: Its manifest was changed.
    """
    sealed, name = backup.manifest.encryption, backup.folder.name
    seal = None
    if sealed is None and secret is not None and not is_in_clear:
        problem = f"PLATFORM_BACKUP_KEY is set, and backup {name} is in clear: anybody could have made or changed it."
        raise BackupError(problem, "If it is known to be yours, from before there was a key, say --in-clear.")
    if sealed is not None:
        if secret is None:
            raise BackupError(
                f"Backup {name} is encrypted, and there is no key.", "Set PLATFORM_BACKUP_KEY to its key."
            )
        try:
            seal = Seal.of(secret, bytes.fromhex(sealed.salt))
        except ValueError:
            raise DamagedBackupError(f"The salt of backup {name} was changed.", "Take another backup.") from None
        if seal.check != sealed.check:
            problem = f"Backup {name} was encrypted with another key than PLATFORM_BACKUP_KEY."
            raise BackupError(problem, "Set the key that was in use when it was made.")
    check_manifest(backup.folder, seal)
    return seal


@contextmanager
def new_backup(root: Path) -> Iterator[Path]:
    """Fill a folder that becomes a backup at the end of the block, and disappears if that fails.

    Raises:
        BackupError: The folder of backups cannot be written.
        ServiceError: Another backup is being made.
    """
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = f"Cannot make {root}: {error.strerror}."
        raise BackupError(problem, "Choose another folder with PLATFORM_BACKUPS.") from error
    with exclusive_lock(root / ".lock"):
        _remove_leftovers(root)
        name = backup_name(datetime.now(tz=UTC))
        folder = root / f"{UNFINISHED}{name}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
            sync_tree(folder)
            folder.rename(root / name)
            sync(root)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def delete_backups(root: Path, names: Iterable[str]) -> None:
    """Delete backups; one that is half deleted does not look like one, and one that is gone already does not matter.

    Raises:
        BackupError: One cannot be deleted.
        ServiceError: A backup is being made for longer than one waits, which may be linking to them.
    """
    with exclusive_lock(root / ".lock"):
        for name in names:
            gone = root / f"{DELETED}{name}"
            try:
                with suppress(FileNotFoundError):
                    (root / name).rename(gone)
                    shutil.rmtree(gone)
            except OSError as error:
                raise BackupError(f"Backup {name} cannot be deleted: {error}.", "Delete its folder.") from error


def entry_of(path: Path) -> FileEntry:
    """Size and hash of a file."""
    digest, size = hashlib.sha256(), 0
    for chunk in read(path):
        digest.update(chunk)
        size += len(chunk)
    return FileEntry(size, digest.hexdigest())


def read(path: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as file:
        yield from iter(lambda: file.read(CHUNK_BYTES), b"")


def write(path: Path, chunks: Iterator[bytes]) -> FileEntry:
    """Write a file from pieces, and return its size and hash."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(size, digest.hexdigest())


def sync_tree(folder: Path) -> None:
    """Wait until everything in a folder is on the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def _is_backup(path: Path) -> bool:
    try:
        moment_of(path.name)
    except ValueError:
        return False
    return (path / MANIFEST).is_file()


def _remove_leftovers(root: Path) -> None:
    """Remove what killed processes left; whoever makes or deletes one now would hold the lock."""
    for path in root.iterdir():
        if path.name.startswith((UNFINISHED, DELETED)):
            shutil.rmtree(path)
