"""What lies in the landing zone: the files of one dataset's folder, and the fingerprint of a file's content.

Belongs here: walking folders and hashing bytes. Does not belong here: deciding what to read again (the increments)
and reading what is inside a file (``reading``).
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platform_assets.errors import PlatformError

UNFINISHED_SUFFIXES = (".tmp", ".part", ".filepart", ".crdownload")
"""Endings that transfer programs give a file until it has arrived completely."""


@dataclass(frozen=True)
class LandedFile:
    """One file of the landing zone, as the directory entry describes it.

    Attributes:
        name: Path below the dataset's folder, with ``/`` between the parts.
        path: Where it is.
        size: Bytes.
        mtime_ns: Time of the last write, nanoseconds since 1970.
        ctime_ns: Time of the last change of content or directory entry, nanoseconds since 1970.
        refusal: Why it must not be opened; ``None`` for a file in order. ``read_file`` raises it, and a caller that
            opens or hashes files itself asks first.
    """

    name: str
    path: Path
    size: int
    mtime_ns: int
    ctime_ns: int
    refusal: str | None = None


def discover(folder: Path) -> list[LandedFile]:
    """The files in and below a dataset's folder, sorted by name; none for a folder that does not exist.

    Hidden files, names that start with ``_`` and files that are still being delivered are left out. Links that lead
    out of the folder, linked folders and things that are no files come back with their ``refusal`` set.

    Raises:
        PlatformError: The folder or one below it cannot be read, which must not look like an empty one.
    """
    root = folder.resolve()
    if not root.exists():
        return []
    if not root.is_dir():
        message = f"{folder} is not a folder."
        raise PlatformError(message, "Make a folder of that name and put the dataset's files into it.")
    return sorted(_walk(root, root), key=lambda file: file.name)


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal digits, in constant memory.

    Raises:
        PlatformError: The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _walk(folder: Path, root: Path) -> Iterator[LandedFile]:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise _unreadable(folder, error) from error
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith((".", "_")) or entry.name.lower().endswith(UNFINISHED_SUFFIXES):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, root)
            continue
        landed = _describe(path, root)
        if landed is not None:
            yield landed


def _describe(path: Path, root: Path) -> LandedFile | None:
    """The file, or ``None`` when it was taken away since the folder was listed."""
    try:
        own = path.lstat()
        refusal = _refusal(path, own, root)
        seen = own if refusal else path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    name = path.relative_to(root).as_posix()
    return LandedFile(name, path, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, refusal)


def _refusal(path: Path, own: os.stat_result, root: Path) -> str | None:
    if not stat.S_ISLNK(own.st_mode):
        return None if stat.S_ISREG(own.st_mode) else "It is neither a file nor a folder."
    target = path.resolve()
    if not target.is_relative_to(root):
        return "It is a link that leads out of the dataset's folder."
    if not target.exists():
        return "It is a link to something that does not exist."
    return None if target.is_file() else "It is a link to something that is not a file."


def _unreadable(path: Path, error: OSError) -> PlatformError:
    message = f"{path} cannot be read: {error.strerror or error}."
    return PlatformError(message, "Give the user who runs the platform the right to read it.")
