"""Ending processes, and telling one from another with the same number."""

import subprocess
import sys
from pathlib import Path

from platform_assets.services.processes import ProcessIdentity, end_processes, log_tail

PARENT_THAT_IGNORES_REQUESTS = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_recycled_process_id_is_not_the_process_that_was_meant() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as other:
        identity = ProcessIdentity.of(other.pid)
        assert identity.is_running()
        earlier = ProcessIdentity(other.pid, identity.started - 3600)
        assert not earlier.is_running()
        end_processes([earlier], patience_seconds=1)
        assert other.poll() is None
        other.kill()


def test_a_process_that_ignores_the_request_is_killed_with_its_children() -> None:
    command = [sys.executable, "-c", PARENT_THAT_IGNORES_REQUESTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = ProcessIdentity.of(int(parent.stdout.readline()))
        end_processes([ProcessIdentity.of(parent.pid)], patience_seconds=0.3)
        parent.wait()
        assert not child.is_running()


def test_a_process_that_ended_and_was_not_waited_for_does_not_run() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = ProcessIdentity.of(process.pid)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        end_processes([identity], patience_seconds=5)
        assert not identity.is_running()


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(5000)), encoding="utf-8")
    assert log_tail(log, lines=2) == "line 4998\nline 4999"


def test_the_tail_of_a_missing_log_says_so(tmp_path: Path) -> None:
    assert "there is no" in log_tail(tmp_path / "log")
