"""The platform as a whole, run on folders: a home for each case, and what a run there says."""

import itertools
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, Self

import psycopg2
from psycopg2 import sql

from platform_assets.settings import CHECKOUT
from platform_assets_tests.integration.worker import run_command

EXIT_OK, EXIT_ERROR, EXIT_GATE_SHUT = 0, 1, 3
KILLED = -signal.SIGKILL
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
        """End its process group as ``kill -9`` does."""
        assert self.process.pid is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()

    def result(self) -> Result:
        """Wait for its end and collect what it left."""
        self.process.join()
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
    """The state of one platform: its folder, its own database, and a landing zone."""

    folder: Path
    dsn: str
    raw: Path
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def start(self, *options: str, **environment: str) -> Run:
        """Start the main job."""
        folder = self.folder.parent / f"{self.folder.name}-run-{next(self._numbers)}"
        folder.mkdir()
        variables = {
            "PLATFORM_HOME": str(self.folder),
            "PLATFORM_RAW": str(self.raw),
            "PLATFORM_POSTGRES_URL": self.dsn,
            **environment,
        }
        arguments = ["run", "--json", str(folder / "result.json"), *options]
        outputs = folder / "stdout", folder / "stderr"
        process = _CONTEXT.Process(target=run_command, args=(arguments, variables, *outputs))
        process.start()
        return Run(process, folder)

    def run(self, *options: str, **environment: str) -> Result:
        """Run the main job to its end."""
        return self.start(*options, **environment).result()

    def dropped(self, dataset: str, *files: Path) -> None:
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
        server: Address of the server.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self._folder = folder
        self._server = server
        self._numbers = itertools.count(1)

    def make(self, sample: Path | None = None) -> Home:
        """A fresh home; its landing zone is empty, or a copy of a sample."""
        name = f"home{next(self._numbers)}"
        with psycopg2.connect(f"{self._server}/postgres?{self._query}") as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        home = self._folder / name
        raw = self._folder / f"{name}-raw"
        home.mkdir()
        if sample is None:
            raw.mkdir()
        else:
            shutil.copytree(sample, raw)
        return Home(home, f"{self._server}/{name}", raw)


def checkout() -> Path:
    """The folder from which commands are run."""
    return CHECKOUT
