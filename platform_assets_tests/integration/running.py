"""The platform as a whole, run on folders: a home for each case, and what a run there says."""

import itertools
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, Self

import dagster as dg
import psycopg2
import pytest
from psycopg2 import sql

from platform_assets.cli.bench_platform import WITHOUT_TOPICS
from platform_assets.services.cluster import SUPERUSER
from platform_assets.services.dagster_home import prepare_dagster_home
from platform_assets.services.postgres import ensure_postgres
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets_tests.integration.worker import prepare_database, run_command

EXIT_OK, EXIT_ERROR, EXIT_GATE_SHUT = 0, 1, 3
KILLED = -signal.SIGKILL
ALL = "*"
PATIENCE_SECONDS = 300
"""Many times what the longest run takes."""
_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["platform_assets_tests.integration.worker"])


@dataclass(frozen=True)
class Result:
    """What a finished run left: its exit code, its output, and its result for programs (empty when it wrote none)."""

    exit_code: int
    stdout: str
    stderr: str
    json: Mapping[str, Any]

    def ledger(self, dataset: str) -> dict[str, dict[str, Any]]:
        """The ledger's lines of a dataset by file; that of ``""`` is the total."""
        ledger = self.json["datasets"][dataset]["ledger"]
        return {line["source_file"]: line for line in (ledger["total"], *ledger["files"])}

    def checks(self, dataset: str) -> dict[str, dict[str, Any]]:
        """The check results of a dataset by rule."""
        return {check["rule"]: check for check in self.json["datasets"][dataset]["checks"]}

    def succeeded(self) -> Self:
        """This result, if every gate is open; a test that goes on needs no other."""
        assert self.exit_code == EXIT_OK, f"exit code {self.exit_code}\n{self.stderr}\n{self.json.get('gates')}"
        return self


@dataclass
class Run:
    """A run under way."""

    process: ForkServerProcess
    folder: Path

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end, for so long at most, and tell whether it has ended."""
        self.process.join(seconds)
        return self.process.exitcode is not None

    def kill(self) -> None:
        """End its process group as ``kill -9`` does, or the process alone where it had no time to make a group."""
        assert self.process.pid is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()

    def result(self) -> Result:
        """Wait for its end and collect what it left; a run that does not end is killed."""
        if not self.wait(PATIENCE_SECONDS):
            self.kill()
        assert self.process.exitcode is not None
        told = self.folder / "result.json"
        return Result(
            exit_code=self.process.exitcode,
            stdout=(self.folder / "stdout").read_text(),
            stderr=(self.folder / "stderr").read_text(),
            json=json.loads(told.read_text()) if told.exists() else {},
        )


@dataclass(frozen=True)
class Home:
    """The state of one platform: its folder, its own database, a landing zone, and further settings.

    Most tests leave the analyses out, which take longest and have tests of their own.
    """

    folder: Path
    dsn: str
    raw: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    select: str = WITHOUT_TOPICS
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process to this home."""
        return {
            "PLATFORM_HOME": str(self.folder),
            "PLATFORM_RAW": str(self.raw),
            "PLATFORM_POSTGRES_URL": self.dsn,
            "PLATFORM_SELECT": self.select,
            **self.settings,
        }

    def start(self, *options: str) -> Run:
        """Start the main job."""
        return self.launch("run", *options, tells=True)

    def launch(self, *command: str, tells: bool = False) -> Run:
        """Start a command, which may be one that tells its result to programs."""
        folder = self.folder.parent / f"{self.folder.name}-run-{next(self._numbers)}"
        folder.mkdir()
        arguments = [*command, *(["--json", str(folder / "result.json")] if tells else [])]
        outputs = folder / "stdout", folder / "stderr"
        process = _CONTEXT.Process(target=run_command, args=(arguments, self.environment, *outputs))
        process.start()
        return Run(process, folder)

    def run(self, *options: str) -> Result:
        """Run the main job to its end."""
        return self.start(*options).result()

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's records of this home."""
        settings = Settings.from_environment(self.environment)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in prepare_dagster_home(settings, ensure_postgres(settings)).items():
                patch.setenv(name, value)
            with dg.DagsterInstance.get() as instance:
                yield instance

    def told(self, *asset: str) -> dict[str, object]:
        """The metadata of the last materialization of an asset."""
        with self.instance() as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}

    def drop(self, dataset: str, *files: Path) -> None:
        """Drop files into the landing zone."""
        for file in files:
            self.write(dataset, file.name, file.read_bytes())

    def write(self, dataset: str, name: str, content: bytes | str) -> Path:
        """Write a file into the landing zone."""
        path = self.raw / dataset / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


class Homes:
    """Makes homes, each with a database of its own on one server.

    Args:
        folder: Where they are made.
        sockets: Folder of the server's socket.
    """

    def __init__(self, folder: Path, sockets: Path) -> None:
        self._folder = folder
        self._sockets = sockets
        self._numbers = itertools.count(1)
        self._create("template", "template0")
        environment = {"PLATFORM_HOME": str(folder / "template"), "PLATFORM_POSTGRES_URL": self._dsn("template")}
        preparation = _CONTEXT.Process(target=prepare_database, args=(environment,))
        preparation.start()
        preparation.join()
        assert preparation.exitcode == EXIT_OK

    def make(self, sample: Path | None = None, select: str = WITHOUT_TOPICS, **settings: str) -> Home:
        """A fresh home, with further variables in its environment; its landing zone is empty, or a copy of a sample."""
        name = f"home{next(self._numbers)}"
        self._create(name, "template")
        raw = self._folder / f"{name}-raw"
        if sample is None:
            raw.mkdir()
        else:
            shutil.copytree(sample, raw)
        return Home(self._folder / name, self._dsn(name), raw, settings, select)

    def _dsn(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={self._sockets}"

    def _create(self, database: str, template: str) -> None:
        with closing(psycopg2.connect(self._dsn("postgres"))) as connection:
            connection.autocommit = True
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            connection.cursor().execute(statement.format(sql.Identifier(database), sql.Identifier(template)))


def execute_as_owner(dsn: str, *statements: str) -> None:
    """Make tables of one's own in a migrated warehouse; the loader gets no right to them by itself."""
    with closing(psycopg2.connect(dsn)) as connection:
        migrate(connection)
        with connection, connection.cursor() as cursor:
            cursor.execute("; ".join(statements))
