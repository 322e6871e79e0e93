"""Loads broken off at random moments: readers only ever see complete states, and the next load ends right.

Everything here has a server of its own, since some of it is stopped hard.
"""

import itertools
import multiprocessing
import os
import random
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import extensions

from platform_assets.errors import LoadError
from platform_assets.services.cluster import SUPERUSER, Cluster
from platform_assets.warehouse.loading import bulk
from platform_assets.warehouse.loading.slices import SliceCounts
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets_tests.warehouse import crash_loads
from platform_assets_tests.warehouse.conftest import execute_alone
from platform_assets_tests.warehouse.crash_loads import (
    EXIT_REFUSED,
    FACTS,
    MEMBERS,
    TABLES,
    WORKER_NAME,
    Files,
    facts_of,
    load,
    load_facts,
    load_members,
    load_one,
    members_of,
    seen_facts,
    seen_members,
)
from platform_assets_tests.warehouse.fault_proxy import FaultProxy
from platform_assets_tests.warehouse.rows import query

SEEDS = (1, 2, 3, 4, 5)
FAULTS = ("kill", "terminate", "stop", "kill", "terminate", "kill", "terminate", "stop", "kill", "kill")
"""Of each seed: 50 in all."""
FIRST: Files = {"a.csv": 1, "b.csv": 1, "c.csv": 1}
NAMES = tuple(f"{letter}.csv" for letter in "abcdefg")
TEMPLATE = "crash_template"
PATIENCE_SECONDS = 120
_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["platform_assets_tests.warehouse.crash_loads"])
_GONE = (psycopg2.OperationalError, psycopg2.InterfaceError)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server with a database that has all migrations and the tables of these tests."""
    home = Path(tempfile.mkdtemp(prefix="wh"))
    made = Cluster(home)
    made.start()
    # It is stopped hard, but the machine is not: what was written is there.
    execute_alone(address_of(made), "ALTER SYSTEM SET fsync = off")
    execute_alone(address_of(made), f"CREATE DATABASE {TEMPLATE}")
    with closing(psycopg2.connect(f"{address_of(made)} dbname={TEMPLATE}")) as connection:
        migrate(connection)
        query(connection, TABLES)
    yield made
    made.stop()
    shutil.rmtree(home)


def address_of(cluster: Cluster) -> str:
    return f"host={cluster.socket_folder} user={SUPERUSER}"


def new_database(cluster: Cluster) -> str:
    """Address of a database with empty tables."""
    name = f"crash_{next(_numbers)}"
    execute_alone(address_of(cluster), f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return f"{address_of(cluster)} dbname={name}"


@pytest.fixture
def address(cluster: Cluster) -> str:
    """Address of a database of this test alone, with the first files in it."""
    made = new_database(cluster)
    with closing(psycopg2.connect(made)) as connection:
        load(connection, FIRST)
    return made


def content(address: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, and every definition that a load puts aside."""
    queries = {
        "facts": f"SELECT * FROM {FACTS} ORDER BY 1, 2, 3",
        "members": f"SELECT * FROM {MEMBERS} ORDER BY 1",
        "record": "SELECT table_name, dataset, source_file, slice_id, loaded_rows FROM ops.loaded_slices"
        " ORDER BY 1, 2, 3",
        "constraints": "SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint"
        f" WHERE conrelid IN ('{FACTS}'::regclass, '{MEMBERS}'::regclass) ORDER BY 1",
        "indexes": "SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index"
        f" WHERE indrelid IN ('{FACTS}'::regclass, '{MEMBERS}'::regclass) ORDER BY 1",
    }  # fmt: skip
    return {name: query(address, statement) for name, statement in queries.items()}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@dataclass
class Watch:
    """A reader that looks again and again, and keeps what it sees that is no complete state."""

    address: str
    facts: list[Any]
    members: list[Any]
    looks: int = 0
    incomplete: list[Any] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def look_on(self) -> None:
        while not self._over.wait(0.01):
            try:
                with closing(psycopg2.connect(self.address)) as connection:
                    while not self._over.wait(0.02):
                        self._look(connection)
            except psycopg2.Error as error:
                # The server is being stopped, which psycopg2 does not always give a class of its own.
                if not isinstance(error, _GONE) and type(error) is not psycopg2.DatabaseError:
                    raise

    def stop(self) -> None:
        self._over.set()

    def _look(self, connection: extensions.connection) -> None:
        facts, members = seen_facts(connection), seen_members(connection)
        self.looks += 1
        if facts not in self.facts:
            self.incomplete.append(facts)
        if members not in self.members:
            self.incomplete.append(members)


@contextmanager
def watched(address: str, before: Files, after: Files) -> Iterator[Watch]:
    """Have a reader look on while a load goes from one state to another."""
    old, new = members_of(before), members_of(after)
    # New and changed members first, then the facts, then members without facts go.
    watch = Watch(address, [facts_of(before), facts_of(after)], [old, old | new, new])
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(watch.look_on)
        try:
            until(lambda: watch.looks > 0 or looking.done())
            yield watch
        finally:
            watch.stop()
        looking.result(PATIENCE_SECONDS)


@dataclass
class Story:
    """One sequence of deliveries, each broken off once or twice."""

    cluster: Cluster
    address: str
    random: random.Random
    in_bulk: bool
    files: dict[str, int] = field(default_factory=lambda: dict(FIRST))
    usual_seconds: float = 0.0
    broken_off: int = 0
    told: list[str] = field(default_factory=list)

    def change(self) -> dict[str, int]:
        """Add, change and remove some files."""
        files = dict(self.files)
        for name in self.random.sample(NAMES, self.random.randint(1, 3)):
            if name in files and len(files) > 1 and self.random.random() < 0.4:
                del files[name]
            else:
                files[name] = files.get(name, 0) + self.random.randint(1, 5)
        return files

    def undisturbed(self) -> None:
        """Load in a worker, and learn how long that takes."""
        after = self.change()
        started, worker = self._worker(after)
        worker.join(PATIENCE_SECONDS)
        seconds = time.monotonic() - started
        assert worker.exitcode == 0
        self.usual_seconds = min(self.usual_seconds or seconds, seconds)
        self.files = after

    def broken(self, fault: str, fraction: float) -> None:
        """Break a load off after a part of its time, look at what is there, and load again."""
        after = self.change()
        with watched(self.address, self.files, after) as watch:
            started, worker = self._worker(after)
            time.sleep(max(0.0, started + fraction * self.usual_seconds - time.monotonic()))
            self._break(fault, worker)
            worker.join(PATIENCE_SECONDS)
            until(lambda: self._sessions() == 0)
            self.broken_off += worker.exitcode != 0
            assert worker.exitcode in {0, -signal.SIGKILL, EXIT_REFUSED}
            self.told.append(f"{fault} at {fraction:.2f}: exit code {worker.exitcode}")
            assert seen_facts(self.address) in watch.facts
            assert seen_members(self.address) in watch.members
            with closing(psycopg2.connect(self.address)) as connection:
                load(connection, after)
        assert watch.incomplete == []
        assert seen_facts(self.address) == facts_of(after)
        assert seen_members(self.address) == members_of(after)
        self.files = after

    def _worker(self, files: Files) -> tuple[float, ForkServerProcess]:
        """A worker that begins to load now."""
        theirs, ours = _CONTEXT.Pipe()
        worker = _CONTEXT.Process(target=crash_loads.work, args=(self.address, files, self.in_bulk, theirs))
        worker.start()
        ours.recv_bytes()
        started = time.monotonic()
        ours.close()
        theirs.close()
        return started, worker

    def _break(self, fault: str, worker: ForkServerProcess) -> None:
        if fault == "kill":
            worker.kill()
        elif fault == "terminate":
            query(self.address, f"SELECT pg_terminate_backend(pid) {self._SESSIONS}")
        else:
            stop_hard(self.cluster)
            self.cluster.start()

    _SESSIONS = f"FROM pg_stat_activity WHERE application_name = '{WORKER_NAME}' AND datname = current_database()"

    def _sessions(self) -> int:
        return int(query(self.address, f"SELECT count(*) {self._SESSIONS}")[0][0])


def stop_hard(cluster: Cluster) -> None:
    """PostgreSQL's immediate shutdown: nothing is finished or written down, as in a crash."""
    server = cluster.server()
    assert server is not None
    os.kill(server.pid, signal.SIGQUIT)
    until(lambda: cluster.server() is None)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_sequence_of_files_with_loads_broken_off_ends_as_one_clean_load(cluster: Cluster, seed: int) -> None:
    chance = random.Random(seed)
    address = new_database(cluster)
    with closing(psycopg2.connect(address)) as connection:
        load(connection, FIRST)
    story = Story(cluster, address, chance, in_bulk=seed % 2 == 0)
    for _ in range(2):
        story.undisturbed()
    for number, fault in enumerate(chance.sample(FAULTS, len(FAULTS))):
        # One in each tenth of the usual time, in any order.
        story.broken(fault, ((number * 7) % 10 + chance.random()) / 10)

    clean = new_database(cluster)
    with closing(psycopg2.connect(clean)) as connection:
        load(connection, story.files)
    assert content(address) == content(clean), story.told
    assert query(address, "SELECT * FROM ops.put_aside") == []
    # Else the faults came after the loads, and nothing was tried.
    assert story.broken_off >= 3, story.told
    print(f"seed {seed}: {story.broken_off} of {len(FAULTS)} loads broken off: {'; '.join(story.told)}")  # noqa: T201


# A lost connection


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[FaultProxy]:
    folder = Path(tempfile.mkdtemp(prefix="px"))
    made = FaultProxy(folder, cluster.socket_folder)
    yield made
    made.close()
    shutil.rmtree(folder)


def through(proxy: FaultProxy, address: str) -> extensions.connection:
    _, options = address.split(maxsplit=1)
    return psycopg2.connect(f"host={proxy.folder} {options}")


@pytest.mark.parametrize("in_bulk", [False, True], ids=["row by row", "in bulk"])
def test_a_connection_lost_in_the_middle_is_told_and_the_next_load_ends_right(
    address: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, in_bulk: bool
) -> None:
    if in_bulk:
        monkeypatch.setattr(bulk, "SMALLEST_BULK", 1)
        monkeypatch.setattr(bulk, "SMALLEST_SHARE", 0.0)
    state = dict(FIRST)
    with closing(through(proxy, address)) as connection:
        begun = proxy.sent
        state |= {"a.csv": 2}
        load(connection, state)
        usual = proxy.sent - begun
    for number, share in enumerate((0.05, 0.2, 0.35, 0.5, 0.65)):
        after = state | {"a.csv": 3 + number}
        with closing(through(proxy, address)) as connection:
            proxy.cut_at = proxy.sent + int(usual * share)
            with watched(address, state, after) as watch:
                with pytest.raises(LoadError, match="PostgreSQL broke the load off"):
                    load(connection, after)
                proxy.cut_at = None
                with closing(psycopg2.connect(address)) as another:
                    load(another, after)
        assert watch.incomplete == []
        assert seen_facts(address) == facts_of(after)
        assert seen_members(address) == members_of(after)
        state = after


def test_a_commit_whose_answer_is_lost_took_place_exactly_once(address: str, proxy: FaultProxy) -> None:
    after = {**FIRST, "a.csv": 2, "d.csv": 1}
    with closing(psycopg2.connect(address)) as connection:
        load_members(connection, after, delete_missing=False)
    with closing(through(proxy, address)) as connection:
        connection.set_session(autocommit=False)
        proxy.loses_commit_number = 2  # the first is that of reading what is loaded
        with pytest.raises(LoadError, match="run again: what is loaded already is left"):
            load_facts(connection, after)
    assert seen_facts(address) == facts_of(after)
    with closing(psycopg2.connect(address)) as connection:
        assert load_facts(connection, after) == SliceCounts(0, 0)
    assert seen_facts(address) == facts_of(after)


# A full disk


@pytest.fixture
def full_disk() -> Iterator[str]:
    """Address of a database on a server that cannot make any file larger than that of one log segment.

    It fails as a full disk does: when a table is to grow, in the middle of a statement. A real one would need the
    right to mount a small file system, which few machines give to a test.
    """
    home = Path(tempfile.mkdtemp(prefix="wh"))
    made = Cluster(home)
    made.start()
    execute_alone(address_of(made), "ALTER SYSTEM SET fsync = off")
    execute_alone(address_of(made), "CREATE DATABASE crash")
    with closing(psycopg2.connect(f"{address_of(made)} dbname=crash")) as connection:
        migrate(connection)
        query(connection, TABLES)
    with closing(psycopg2.connect(f"{address_of(made)} dbname=crash")) as connection:
        load(connection, FIRST)
    made.stop()
    with largest_file(_LARGEST_FILE_BYTES):
        made.start()
    yield f"{address_of(made)} dbname=crash"
    made.stop()
    shutil.rmtree(home)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Limit the files of processes that are started meanwhile; where one would grow beyond that, writing fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


_LARGEST_FILE_BYTES = 17_000_000
"""PostgreSQL's log has files of 16 MiB, and these have to fit."""


def test_a_disk_without_room_is_told_and_leaves_what_was_there(full_disk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    after = {**FIRST, "a.csv": 2, "d.csv": 1}
    few = crash_loads.lines

    def many(file: str, version: int) -> list[dict[str, Any]]:
        """More than the limit in all, and nothing to compress."""
        return [
            one | {"source_row": one["source_row"] + 1000 * turn, "words": random.Random(turn).randbytes(1500).hex()}
            for turn in range(60)
            for one in few(file, version)
        ]

    with closing(psycopg2.connect(full_disk)) as connection, watched(full_disk, FIRST, FIRST) as watch:
        monkeypatch.setattr(crash_loads, "lines", many)
        with pytest.raises(LoadError, match=r"(?s)PostgreSQL broke the load off.*(No space left|File too large)"):
            load_facts(connection, after)
        monkeypatch.setattr(crash_loads, "lines", few)
    assert watch.incomplete == []
    assert seen_facts(full_disk) == facts_of(FIRST)
    with closing(psycopg2.connect(full_disk)) as connection:
        load(connection, after)
    assert seen_facts(full_disk) == facts_of(after)
    assert seen_members(full_disk) == members_of(after)


# Readers and other loads


@pytest.mark.parametrize("in_bulk", [False, True], ids=["row by row", "in bulk"])
def test_a_load_during_a_long_query_leaves_its_snapshot_alone(
    address: str, monkeypatch: pytest.MonkeyPatch, in_bulk: bool
) -> None:
    if in_bulk:
        monkeypatch.setattr(bulk, "SMALLEST_BULK", 1)
        monkeypatch.setattr(bulk, "SMALLEST_SHARE", 0.0)
        monkeypatch.setattr(bulk, "PATIENCE_SECONDS", 0.0)
        monkeypatch.setattr(bulk, "_TABLE_WAIT", "50ms")
    after = {"a.csv": 2, "b.csv": 1, "d.csv": 1}
    with closing(psycopg2.connect(address)) as analyst, closing(psycopg2.connect(address)) as connection:
        analyst.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with analyst, analyst.cursor() as cursor:
            cursor.execute(f"SELECT count(*), sum(amount) FROM {FACTS}")
            first = cursor.fetchone()
            load(connection, after)
            assert seen_facts(address) == facts_of(after)
            cursor.execute(f"SELECT count(*), sum(amount) FROM {FACTS}")
            assert cursor.fetchone() == first
            cursor.execute(f"SELECT member_id, lines, turnover_amount FROM {MEMBERS}")
            assert {member: (number, total) for member, number, total in cursor} == members_of(FIRST)
        assert seen_members(analyst) == members_of(after)


ROUNDS = 10


def test_two_loads_at_once_of_other_files_lose_and_double_nothing(address: str) -> None:
    """Each removes nothing and adds or changes its own file, again and again."""

    def load_often(name: str) -> list[int]:
        with closing(psycopg2.connect(address)) as connection:
            return [load_one(connection, name, version).inserted for version in range(2, 2 + ROUNDS)]

    with ThreadPoolExecutor(2) as pool:
        done = {name: pool.submit(load_often, name) for name in ("a.csv", "b.csv")}
        inserted = {name: one.result(PATIENCE_SECONDS) for name, one in done.items()}
    assert inserted == {
        name: [len(crash_loads.lines(name, version)) for version in range(2, 2 + ROUNDS)] for name in inserted
    }
    assert seen_facts(address) == facts_of({**FIRST, "a.csv": 1 + ROUNDS, "b.csv": 1 + ROUNDS})


def test_two_runs_that_want_the_same_end_in_it(address: str) -> None:
    after = {"a.csv": 2, "d.csv": 1, "e.csv": 1}

    def run() -> None:
        with closing(psycopg2.connect(address)) as connection:
            load(connection, after)

    with watched(address, FIRST, after) as watch, ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(run) for _ in range(2)]:
            one.result(PATIENCE_SECONDS)
    assert watch.incomplete == []
    assert seen_facts(address) == facts_of(after)
    assert seen_members(address) == members_of(after)
