"""Locks between processes on one machine, released by the kernel when their holder dies.

Belongs here: ``flock`` on small files. Does not belong here: what the locks protect.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platform_assets.errors import ServiceError

POLL_SECONDS = 0.05


@contextmanager
def exclusive_lock(path: Path, timeout_seconds: float = 90.0) -> Iterator[None]:
    """Hold ``path`` alone for the duration of the block.

    Args:
        path: The lock file; it is created, and stays.
        timeout_seconds: How long to wait for another holder.

    Raises:
        ServiceError: Another process kept the lock for longer than ``timeout_seconds``.
    """
    descriptor = _open(path)
    try:
        deadline = time.monotonic() + timeout_seconds
        while not _try(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                problem = f"Another process has held {path} for {timeout_seconds:.0f} seconds."
                raise ServiceError(problem, "See what it is doing with ./platform status, then try again.")
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


class Share:
    """One of any number of shares in a file, held until it is released or the process ends.

    Args:
        path: The lock file; it is created, and stays.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = _open(path)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give the share back."""
        os.close(self._descriptor)


def is_unused(path: Path) -> bool:
    """Tell whether nobody holds ``path``, neither alone nor as a share."""
    descriptor = _open(path)
    try:
        return _try(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        problem = f"Cannot write {path}: {error.strerror}."
        raise ServiceError(problem, "Choose a folder you can write with --home or PLATFORM_HOME.") from error


def _try(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
