"""The proof of a backup: restored into a scratch server, it is what it was.

Belongs here: the scratch home and the verdict. Does not belong here: the comparison (``restoring``).
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2

from platform_assets.backup.dumps import databases
from platform_assets.backup.faults import BackupError, DamagedBackupError
from platform_assets.backup.making import Say
from platform_assets.backup.restoring import compare, restore_databases, unpack
from platform_assets.backup.store import Backup, open_backup
from platform_assets.services.cluster import Cluster
from platform_assets.services.locks import exclusive_lock
from platform_assets.services.postgres import postgres_session, stop_postgres
from platform_assets.settings import Settings


@dataclass(frozen=True)
class Verdict:
    """What came of trying a backup out.

    Attributes:
        backup: The backup.
        problems: What is not as it was; nothing when it is sound.
        seconds: How long it took: about what restoring takes.
    """

    backup: Backup
    problems: tuple[str, ...]
    seconds: float


def verify_backup(settings: Settings, backup: Backup, say: Say, *, is_in_clear: bool = False) -> Verdict:
    """Restore a backup into a server that lives for this alone, and compare everything with the manifest.

    Args:
        settings: The home whose scratch folder is used, and the key.
        backup: What to try out.
        say: Told of what is being done.
        is_in_clear: Accept one in clear though there is a key.

    Raises:
        BackupError: It cannot be tried out: the key is missing or another one, it is in clear and there is a key, it
            needs a newer PostgreSQL, or retention deleted it meanwhile.
        ServiceError: The scratch server does not start, or another verification is under way.
    """
    started = time.monotonic()
    try:
        seal = open_backup(backup, settings.backup_key, is_in_clear=is_in_clear)
        with scratch_home(settings.home / "scratch" / "verify") as home:
            unpacked = unpack(backup, seal, home, say)
            with postgres_session(replace(settings, home=home, postgres_url=None)) as urls:
                _hurry(urls.dsn)
                targets = databases(urls, is_embedded=True)
                restore_databases(unpacked, targets, say)
                problems = tuple(compare(unpacked, targets, say))
    except BackupError as error:
        if not backup.folder.is_dir():
            problem = f"Backup {backup.folder.name} was deleted while it was being tried out."
            raise BackupError(problem, "Nothing is wrong with it; try out another one.") from error
        if not isinstance(error, DamagedBackupError):
            raise
        problems = (error.problem,)
    return Verdict(backup, problems, time.monotonic() - started)


@contextmanager
def scratch_home(folder: Path) -> Iterator[Path]:
    """An empty home for the duration of the block; what a killed process left there is stopped and removed.

    Raises:
        BackupError: It cannot be made.
        ServiceError: Another process uses it.
    """
    with exclusive_lock(folder.with_name(f".{folder.name}.lock")):
        _remove(folder)
        try:
            folder.mkdir(mode=0o711, parents=True)  # the server's user, who is not root, passes through it
        except OSError as error:
            raise BackupError(f"Cannot make {folder}: {error.strerror}.", "Choose another --home.") from error
        try:
            yield folder
        finally:
            _remove(folder)


def _hurry(dsn: str) -> None:
    """Let a server that nobody will miss not wait for the disk."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("SELECT pg_reload_conf()")


def _remove(home: Path) -> None:
    if home.exists():
        stop_postgres(replace(Settings.from_environment(), home=home, postgres_url=None))
        shutil.rmtree(Cluster(home).socket_folder, ignore_errors=True)
        shutil.rmtree(home)
