"""The secret of this deployment: the key of the pseudonyms.

Belongs here: where the key comes from and how its file is kept. Does not belong here: what is hashed with it
(``warehouse.star.pseudonyms``).
"""

import os
import secrets
import tempfile
from pathlib import Path

from platform_assets.durability import sync
from platform_assets.errors import ServiceError, SettingsError
from platform_assets.settings import Settings

KEY_BYTES = 32
KEY_FILE = Path("keys", "pseudonym.key")
"""In the home."""
_OTHERS = 0o077


def pseudonym_key(settings: Settings) -> bytes:
    """The key under which people have their pseudonyms; another key gives everybody another pseudonym.

    It is the one configured. Where none is, development makes one, once, under the platform's home.

    Raises:
        SettingsError: In staging and production, none is configured; or the file with the key was tampered with.
        ServiceError: The file with the key cannot be read or written.
    """
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.encode()
    if settings.environment != "development":
        raise SettingsError(
            f"PLATFORM_PSEUDONYM_KEY is not set, and {settings.environment} does not make a key of its own.",
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))', keep it where secrets are "
            "kept, and set the variable for every process of the platform. A backup does not contain it.",
        )
    path = settings.home / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        problem = f"The key {path} cannot be used: {error.strerror}."
        raise ServiceError(problem, "Give this user access to it, or set PLATFORM_PSEUDONYM_KEY.") from error


def has_pseudonym_key(settings: Settings) -> bool:
    """Whether there is a key already; else development is going to make a new one."""
    return settings.pseudonym_key is not None or (settings.home / KEY_FILE).exists()


def _make(path: Path) -> None:
    """Write a new key, unless another process was quicker: then its key is the one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    # mkstemp makes files that only their owner can read.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="unfinished.")
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        _publish(unfinished, path)
    finally:
        unfinished.unlink()


def _publish(unfinished: Path, path: Path) -> None:
    """Give a complete file its name. Other than a rename, a link never replaces what is there."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        return
    sync(path.parent)


def _read(path: Path) -> bytes:
    if path.stat().st_mode & _OTHERS:
        raise SettingsError(f"Others than its owner have access to the key {path}.", f"Run: chmod 600 {path}")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise SettingsError(
            f"The key {path} has {len(key)} bytes and not {KEY_BYTES}.",
            "Restore it: with another key, everybody gets another pseudonym.",
        )
    return key
