"""A whole process, measured from outside: how long it took, and the memory of its family.

Belongs here: starting, watching and, where the machine has too little memory, ending it. Does not belong here: what
is started (``bench_platform``).
"""

import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from platform_assets.errors import PlatformError
from platform_assets.services.processes import ProcessIdentity, end_processes
from platform_assets.settings import CHECKOUT

_PAUSE_SECONDS = 0.1
_SHARE_OF_A_CORE = 0.1
"""What looking may cost: the kernel walks through all pages, which takes from what is measured."""

_END_SECONDS = 2.0
_NOT_COUNTED = frozenset({"postgres", "initdb", "pg_ctl"})


@dataclass(frozen=True)
class Measured:
    """One finished process.

    Attributes:
        seconds: Wall time.
        memory: Memory of the watched families in bytes, by moment (seconds since 1970).
        exceeded: Whether it was ended because it needed more memory than it was allowed.
    """

    seconds: float
    memory: tuple[tuple[float, int], ...]
    exceeded: bool = False

    def peak(self, since: float = 0.0, until: float = float("inf")) -> int:
        """The most memory in a span of time, in bytes."""
        return max((size for moment, size in self.memory if since <= moment <= until), default=0)


def measure(
    command: list[str], environment: Mapping[str, str], server: int | None = None, limit: int | None = None
) -> Measured:
    """Run a process to its end and watch the memory of its family; that of PostgreSQL is not counted.

    Args:
        command: The program and its arguments.
        environment: All of its environment.
        server: The process id of a server whose family counts, too.
        limit: From how many bytes on it is ended.

    Raises:
        PlatformError: It failed; the message ends with the end of what it said.
    """
    started, memory, exceeded = time.monotonic(), [], False
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=subprocess.STDOUT, env=environment)
        identity = ProcessIdentity.of(process.pid)
        watched = [process.pid] if server is None else [process.pid, server]
        try:
            pause = 0.0
            while not exceeded and not _ends_within(process, pause):
                looked = time.thread_time()
                memory.append((time.time(), family_memory(watched)))
                pause = max(_PAUSE_SECONDS, (time.thread_time() - looked) / _SHARE_OF_A_CORE)
                exceeded = limit is not None and memory[-1][1] > limit
        finally:
            end_processes([identity], _END_SECONDS)
            code = process.wait()
        if code != 0 and not exceeded:
            log.seek(0)
            tail = "".join(log.readlines()[-5:])
            raise PlatformError(f"{' '.join(command[2:4])} ended with exit code {code}: {tail}", "")
    return Measured(time.monotonic() - started, tuple(memory), exceeded)


def family_memory(roots: Iterable[int]) -> int:
    """The memory of processes and all their descendants, PostgreSQL left out, in bytes.

    Pages that several processes share count once (the proportional set size), where the system tells; else they count
    in each of them. A process that ends meanwhile counts nothing.
    """
    family = {one.pid: one for root in roots for one in _family(root)}
    return sum(map(_memory, family.values()))


def _family(root: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(root)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        if process.name() in _NOT_COUNTED:
            return 0
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.AccessDenied:
        return _resident(process)
    except psutil.NoSuchProcess:
        return 0


def _resident(process: psutil.Process) -> int:
    """What the system tells of everybody's processes."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
