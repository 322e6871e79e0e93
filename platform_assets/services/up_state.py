"""What ``./platform up`` has started, written down where other commands find it.

Belongs here: the note in ``<home>/run/up.json`` and who may act on it. Does not belong here: starting and ending
(``supervisor``).
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from platform_assets.services.processes import ProcessIdentity
from platform_assets.settings import Settings

DEFAULT_UI_PORT = 3000
"""Where the UI is served; the reports are served on the port after it."""


@dataclass(frozen=True)
class ServiceProcess:
    """One program that was started.

    Attributes:
        name: What it is, for people.
        identity: Its process.
        log: Where its output goes.
    """

    name: str
    identity: ProcessIdentity
    log: Path


@dataclass(frozen=True)
class UpState:
    """What one ``./platform up`` has started.

    Attributes:
        supervisor: The process that watches the others.
        port: Where the UI is, on 127.0.0.1.
        reports_port: Where the reports are, on 127.0.0.1.
        processes: What it watches.
    """

    supervisor: ProcessIdentity
    port: int
    reports_port: int
    processes: tuple[ServiceProcess, ...]

    @property
    def url(self) -> str:
        """Where the UI is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def reports_url(self) -> str:
        """Where the reports are."""
        return f"http://127.0.0.1:{self.reports_port}"

    @property
    def since(self) -> datetime:
        """When it was started."""
        return datetime.fromtimestamp(self.supervisor.started, tz=UTC)

    def left_over(self) -> list[ServiceProcess]:
        """Return what still runs although its supervisor does not."""
        if self.supervisor.is_running():
            return []
        return [process for process in self.processes if process.identity.is_running()]


def write_state(settings: Settings, state: UpState) -> None:
    """Write the note in one step, so that a reader never sees half of it."""
    target = _note(settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(asdict(state), default=str, indent=1), encoding="utf-8")
    unfinished.replace(target)


def read_state(settings: Settings) -> UpState | None:
    """Return the note, ``None`` when there is none. Its processes may have ended since."""
    try:
        note = json.loads(_note(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    processes = tuple(
        ServiceProcess(entry["name"], ProcessIdentity(**entry["identity"]), Path(entry["log"]))
        for entry in note["processes"]
    )
    # A platform of before there were reports may still be up, and is to be found by status and down.
    reports_port = note.get("reports_port", note["port"] + 1)
    return UpState(ProcessIdentity(**note["supervisor"]), note["port"], reports_port, processes)


def reports_url(settings: Settings) -> str:
    """Return where people reach the reports in a browser: as configured, at what is up, or where ``up`` will be."""
    if settings.reports_url is not None:
        return settings.reports_url
    state = read_state(settings)
    is_up = state is not None and state.supervisor.is_running()
    return state.reports_url if state is not None and is_up else f"http://127.0.0.1:{DEFAULT_UI_PORT + 1}"


def remove_state(settings: Settings) -> None:
    """Remove the note."""
    _note(settings).unlink(missing_ok=True)


def up_lock(settings: Settings) -> Path:
    """Return the file whose lock the supervisor holds as long as it lives."""
    return settings.home / "run" / "up.lock"


def _note(settings: Settings) -> Path:
    return settings.home / "run" / "up.json"
