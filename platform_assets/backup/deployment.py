"""Which backups of a folder are one's own: the id of a deployment.

Belongs here: making and reading the id, and finding backups that carry it. Does not belong here: what it is used for
(``keeping``, ``making``).

The id belongs to the home and is in no backup. A restore into the same home goes on with it; one into another home
makes another deployment, a rehearsal or a copy for staging, which neither links nor deletes what the first one made.
"""

import os
import uuid
from pathlib import Path

from platform_assets.backup.faults import BackupError
from platform_assets.backup.manifest import read_manifest
from platform_assets.backup.store import backup_names
from platform_assets.services.locks import exclusive_lock
from platform_assets.settings import Settings

DEPLOYMENT_FILE = "deployment.id"
"""In the home."""


def deployment_id(settings: Settings) -> str:
    """The id of the deployment that a home is; made when it is first asked for.

    Raises:
        BackupError: Its file cannot be read or written.
        ServiceError: The home cannot be written.
    """
    path = settings.home / DEPLOYMENT_FILE
    with exclusive_lock(settings.home / "run" / "deployment.lock"):
        try:
            if not path.exists():
                _write(path, uuid.uuid4().hex)
            return uuid.UUID(path.read_text(encoding="utf-8").strip()).hex
        except (OSError, ValueError) as error:
            problem = f"{path} cannot be used: {error}."
            remedy = (
                "Delete it: backups made until now are of another deployment then, and are not deleted by this one."
            )
            raise BackupError(problem, remedy) from error


def own_backups(root: Path, deployment: str) -> list[str]:
    """Names of the complete backups that a deployment made, the oldest first; others may use the same folder."""
    return [name for name in backup_names(root) if _maker(root / name) == deployment]


def _maker(folder: Path) -> str | None:
    """The deployment that made a backup; of one that cannot be read, nobody knows."""
    try:
        return read_manifest(folder).deployment
    except BackupError:
        return None


def _write(path: Path, text: str) -> None:
    """Write a file that is complete whenever it is there."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
