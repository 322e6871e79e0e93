"""Processes by identity, so that a recycled process id is never mistaken for the one that was meant.

Belongs here: identity, ending a process with its children, the end of a log. Does not belong here: what runs.
"""

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

CLOCK_SLACK_SECONDS = 1.0
"""Two readings of one process's start may differ by the rounding of the kernel's clock ticks."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, told from every other that ever had its number.

    Attributes:
        pid: The process id.
        started: When it started, in seconds since 1970.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        """Read the identity of a running process.

        Raises:
            psutil.NoSuchProcess: There is none with this id.
        """
        return cls(pid, psutil.Process(pid).create_time())

    def is_running(self) -> bool:
        """Tell whether this very process still runs; one that only waits to be reaped does not."""
        return self._process() is not None

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK_SLACK_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def end_processes(identities: Iterable[ProcessIdentity], patience_seconds: float) -> None:
    """End processes and all their descendants: politely first, by force after ``patience_seconds``.

    Args:
        identities: What to end; those that have ended already are passed over.
        patience_seconds: Time they get to finish what they are doing.
    """
    parents = [process for identity in identities if (process := identity._process()) is not None]  # noqa: SLF001
    family = {process.pid: process for parent in parents for process in [parent, *_descendants(parent)]}
    for parent in parents:
        _send(parent, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(parents, timeout=patience_seconds)
    orphans = [process for process in family.values() if process.pid not in {parent.pid for parent in parents}]
    for orphan in orphans:
        _send(orphan, signal.SIGTERM)
    _, stubborn_orphans = psutil.wait_procs(orphans, timeout=patience_seconds)
    for process in [*stubborn, *stubborn_orphans]:
        _send(process, signal.SIGKILL)
    psutil.wait_procs([*stubborn, *stubborn_orphans], timeout=patience_seconds)


def log_tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log, or a remark that there is none."""
    window_bytes = 16_384
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - window_bytes))
            text = stream.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return f"(there is no {log})"
    return "\n".join(text.splitlines()[-lines:]) or f"({log} is empty)"


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
