"""``up``, ``status`` and ``down`` with the real programs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from platform_assets.services import web
from platform_assets.services.postgres import postgres_status
from platform_assets.services.processes import ProcessIdentity
from platform_assets.services.supervisor import serving, stop_serving
from platform_assets.services.up_state import ServiceProcess, UpState, reports_url, write_state
from platform_assets.settings import Settings

PATIENCE_SECONDS = 240


def command(settings: Settings, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "platform_assets.cli", *arguments, "--home", str(settings.home)]


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None, "it ended while it was waited for"
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def up(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """Start ``up`` on a free port; end it the hard way if the test did not end it."""
    output = settings.home.with_name("up.log")
    arguments = command(settings, "up", "--port", str(web.free_port()))
    with output.open("wb") as stream, subprocess.Popen(arguments, stdout=stream, stderr=stream) as process:
        yield process
        if process.poll() is None:
            process.kill()
            process.wait()
            stop_serving(settings)


def output_of(settings: Settings) -> str:
    return settings.home.with_name("up.log").read_text(encoding="utf-8")


def nothing_runs(settings: Settings, family: list[psutil.Process]) -> bool:
    return not postgres_status(settings).running and not any(process.is_running() for process in family)


@pytest.mark.integration
def test_up_serves_the_ui_once_and_ctrl_c_ends_all_of_it(settings: Settings, up: "subprocess.Popen[bytes]") -> None:
    wait_until(lambda: "The platform is up" in output_of(settings), up)
    state = serving(settings)
    assert state is not None
    assert {process.name for process in state.processes} == {"code server", "daemon", "web server"}
    assert web.locations(state.port) == web.Locations(settled=True, error=None)

    status = subprocess.run(command(settings, "status"), capture_output=True, text=True, check=True).stdout
    assert f"{state.url}   pid {up.pid}" in status
    assert f"reports     {state.reports_url}/scorecard.html" in status
    assert reports_url(settings) == state.reports_url
    (settings.home / "reports").mkdir()
    (settings.home / "reports" / "scorecard.html").write_text("the scorecard")
    connection = HTTPConnection(web.LOOPBACK, state.reports_port, timeout=10)
    connection.request("GET", "/scorecard.html")
    assert connection.getresponse().read() == b"the scorecard"
    connection.close()
    second = subprocess.run(command(settings, "up"), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"is up already on {state.url}" in second.stderr

    family = psutil.Process(up.pid).children(recursive=True)
    up.send_signal(signal.SIGINT)
    assert up.wait(PATIENCE_SECONDS) == 0
    assert nothing_runs(settings, family)
    assert serving(settings) is None


@pytest.mark.integration
def test_when_one_part_ends_by_itself_it_is_named_and_the_rest_is_ended(
    settings: Settings, up: "subprocess.Popen[bytes]"
) -> None:
    wait_until(lambda: (state := serving(settings)) is not None and len(state.processes) > 0, up)
    state = serving(settings)
    assert state is not None
    os.kill(state.processes[0].identity.pid, signal.SIGKILL)
    assert up.wait(PATIENCE_SECONDS) == 1
    assert "The code server ended by itself" in output_of(settings)
    assert not postgres_status(settings).running
    assert serving(settings) is None


@pytest.mark.integration
def test_a_taken_port_is_reported_before_anything_is_started(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind((web.LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(command(settings, "up", "--port", str(port)), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert not (settings.home / "postgres").exists()


def test_down_ends_what_a_killed_supervisor_left_running(settings: Settings) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as orphan:
        identity = ProcessIdentity.of(orphan.pid)
        killed = ProcessIdentity(orphan.pid, identity.started - 3600)
        write_state(settings, UpState(killed, 3000, 3001, (ServiceProcess("daemon", identity, Path("log")),)))
        found = serving(settings)
        assert found is not None
        assert [process.name for process in found.left_over()] == ["daemon"]
        assert stop_serving(settings)
        assert not identity.is_running()
        assert serving(settings) is None
        orphan.wait()


def test_down_with_nothing_up_does_nothing(settings: Settings) -> None:
    assert not stop_serving(settings)
    assert not settings.home.exists()
