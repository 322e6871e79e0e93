"""Serving Dagster's UI: the code server, the web server and the daemon as one thing that is up or down.

Belongs here: starting these programs in order, watching them, ending them. Nothing is restarted silently: when one
ends, all are ended and its log is shown. Does not belong here: what Dagster loads (``defs``).
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from platform_assets.errors import ServiceError
from platform_assets.services import web
from platform_assets.services.dagster_home import prepare_dagster_home
from platform_assets.services.locks import exclusive_lock, is_unused
from platform_assets.services.postgres import postgres_session
from platform_assets.services.processes import ProcessIdentity, end_processes, log_tail
from platform_assets.services.reports_server import reports_folder, serving_reports
from platform_assets.services.up_state import (
    ServiceProcess,
    UpState,
    read_state,
    remove_state,
    up_lock,
    write_state,
)
from platform_assets.settings import CHECKOUT, Settings

MODULE = "platform_assets.definitions"
LOCATION = "platform_assets"
"""The code location's name, as in ``workspace.yaml`` and ``pyproject.toml``: Dagster keeps its state by this name."""

START_SECONDS = 180
STOP_SECONDS = 20
POLL_SECONDS = 0.2

Say = Callable[[str], None]


@dataclass
class _Group:
    """The programs of one ``up``, in the order of their start."""

    settings: Settings
    environment: Mapping[str, str]
    port: int
    reports_port: int
    stop: threading.Event
    running: "list[tuple[ServiceProcess, subprocess.Popen[bytes]]]" = field(default_factory=list)

    def start(self, name: str, command: list[str], is_ready: Callable[[], bool]) -> None:
        """Start a program and wait until it is ready, or somebody wants to stop; not if somebody wants to already.

        Raises:
            ServiceError: It ended, or is not ready in time.
        """
        if self.stop.is_set():
            return
        log = self.settings.home / "logs" / f"{name.replace(' ', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 -- our own programs with our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                cwd=CHECKOUT,
                start_new_session=True,
            )
        self.running.append((ServiceProcess(name, ProcessIdentity.of(child.pid), log), child))
        self._note()
        self._wait(name, log, is_ready)

    def check(self) -> None:
        """See that every program still runs.

        Raises:
            ServiceError: One has ended; the message has the end of its log.
        """
        for process, child in self.running:
            if child.poll() is not None:
                problem = f"The {process.name} ended by itself (exit code {child.returncode})."
                raise ServiceError(problem, f"Its log {process.log} ends with:\n{log_tail(process.log)}")

    def end(self) -> None:
        """End all programs, the last started first."""
        for process, child in reversed(self.running):
            end_processes([process.identity], STOP_SECONDS)
            child.wait()

    def _note(self) -> None:
        started = tuple(process for process, _ in self.running)
        write_state(self.settings, UpState(ProcessIdentity.of(os.getpid()), self.port, self.reports_port, started))

    def _wait(self, name: str, log: Path, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.stop.is_set() and not is_ready():
            self.check()
            if time.monotonic() > deadline:
                problem = f"The {name} is not ready after {START_SECONDS} seconds."
                raise ServiceError(problem, f"Its log {log} ends with:\n{log_tail(log)}")
            self.stop.wait(POLL_SECONDS)


def serve(settings: Settings, port: int, say: Say) -> None:
    """Serve the UI on 127.0.0.1 until Ctrl-C, SIGTERM or ``./platform down``, then end everything that was started.

    Args:
        settings: Whose home it is.
        port: Where the UI is to be.
        say: Is told what happens, a sentence at a time.

    Raises:
        ServiceError: It is up already, the port is taken, a program does not start, or one ended by itself.
    """
    if is_up(settings):
        state = read_state(settings)
        where = f" on {state.url}" if state else ""
        raise ServiceError(f"The platform is up already{where}.", "Stop it with ./platform down.")
    with _stopped_by_signals() as stop, exclusive_lock(up_lock(settings), timeout_seconds=2):
        _clear_away(settings, say)
        if not web.is_free(port):
            raise ServiceError(f"Port {port} is taken by another program.", "Choose another one with --port.")
        with postgres_session(settings) as urls, serving_reports(reports_folder(settings), port + 1) as reports_port:
            _run(_Group(settings, prepare_dagster_home(settings, urls), port, reports_port, stop), say)


def stop_serving(settings: Settings) -> bool:
    """End what ``./platform up`` started in another shell, and return whether there was anything to end.

    Raises:
        ServiceError: It does not end.
    """
    state = read_state(settings)
    if state is None:
        return False
    if state.supervisor.is_running():
        os.kill(state.supervisor.pid, signal.SIGTERM)
        patience_seconds = 4 * STOP_SECONDS + START_SECONDS / 4
        with exclusive_lock(up_lock(settings), timeout_seconds=patience_seconds):
            return True
    with exclusive_lock(up_lock(settings)):
        end_processes([process.identity for process in state.processes], STOP_SECONDS)
        remove_state(settings)
    return True


def serving(settings: Settings) -> UpState | None:
    """Return what is up, or left over from something that was killed; ``None`` when nothing of the kind runs."""
    state = read_state(settings)
    if state is None or not (state.supervisor.is_running() or state.left_over()):
        return None
    return state


def is_up(settings: Settings) -> bool:
    """Tell whether a supervisor is at work on this home."""
    return not is_unused(up_lock(settings))


def _clear_away(settings: Settings, say: Say) -> None:
    """End what a killed supervisor left running: it holds the ports and would run everything twice."""
    state = read_state(settings)
    left_over = state.left_over() if state else []
    if left_over:
        say(f"Ending what a killed ./platform up left: {', '.join(process.name for process in left_over)}.")
        end_processes([process.identity for process in left_over], STOP_SECONDS)
    remove_state(settings)


def _run(group: _Group, say: Say) -> None:
    try:
        _start_all(group, say)
        while not group.stop.wait(POLL_SECONDS):
            group.check()
    finally:
        say("Stopping.")
        group.end()
        remove_state(group.settings)


def _start_all(group: _Group, say: Say) -> None:
    code_port = web.free_port()
    workspace = str(_write_workspace(group.settings, code_port))
    say("Starting the code server, the daemon and the web server.")
    code = ["code-server", "start", "--module-name", MODULE, "--location-name", LOCATION]
    code += ["--host", web.LOOPBACK, "--port", str(code_port)]
    group.start("code server", [_program("dagster"), *code], lambda: web.accepts(code_port))
    group.start("daemon", [_program("dagster-daemon"), "run", "--workspace", workspace], lambda: True)
    ui = ["--host", web.LOOPBACK, "--port", str(group.port), "--workspace", workspace]
    group.start("web server", [_program("dagster-webserver"), *ui], lambda: web.locations(group.port).settled)
    if group.stop.is_set():
        return
    error = web.locations(group.port).error
    if error:
        say(f"The definitions do not load; the UI shows where, and reloads them on request.\n{error}")
    url = f"http://{web.LOOPBACK}:{group.port}"
    say(f"The platform is up: {url}   (Ctrl-C stops it; logs in {group.settings.home / 'logs'})")
    say(f"Reports are served on http://{web.LOOPBACK}:{group.reports_port}")


def _write_workspace(settings: Settings, code_port: int) -> Path:
    """Point web server and daemon at one code server, instead of one each that imports everything again."""
    workspace = settings.home / "run" / "workspace.yaml"
    address = f"host: {web.LOOPBACK}, port: {code_port}, location_name: {LOCATION}"
    workspace.write_text(f"load_from:\n  - grpc_server: {{{address}}}\n", encoding="utf-8")
    return workspace


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Turn the signals that ask for an end into a wish to stop, so that everything is ended in order."""
    stop = threading.Event()

    def wish(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, wish) for number in asked}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
