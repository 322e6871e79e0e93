"""Runs that are killed at any moment: what follows always ends in the warehouse of undisturbed runs.

The moments are spread over the whole length of a run, a random one in each part of it, so that they fall between
writes and inside them. Two lanes work side by side: one kills first runs in fresh homes, the other kills the runs that
take up changed, new and removed files in a home with a history; each home is killed more than once on the way.
"""

import random
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from platform_assets.cli.run import PID_TAG
from platform_assets.definitions import defs
from platform_assets_tests.integration.dumps import Dump, ask, differences, dump
from platform_assets_tests.integration.running import KILLED, Home, Homes

pytestmark = pytest.mark.integration

KILLS = 20
PARTS = 10
"""Each lane divides a run into so many parts and kills one in each."""
KILLS_ON_THE_WAY = 3
KEPT = {
    "product_catalog": ("products.csv",),
    "ecommerce_transactions": ("2024-12-0*.csv",),
    "superstore_sales": ("superstore_2024_0[1-6].csv",),
    "retail_analytics": ("retail_2024_W[01]*.csv",),
}
"""Enough of the sample for every rule and every table to have rows."""


def cut(sample: Path, folder: Path) -> Path:
    """The first state of the landing zone."""
    for dataset, patterns in KEPT.items():
        (folder / dataset).mkdir(parents=True)
        for path in (found for pattern in patterns for found in (sample / dataset).glob(pattern)):
            shutil.copy(path, folder / dataset)
    return folder


def change(sample: Path, first: Path, folder: Path) -> Path:
    """The second state: in every dataset a file changed, one new and one gone."""
    shutil.copytree(first, folder)
    for dataset in ("ecommerce_transactions", "superstore_sales", "retail_analytics"):
        gone, halved, *_ = sorted((folder / dataset).iterdir())
        gone.unlink()
        lines = halved.read_bytes().splitlines(keepends=True)
        halved.write_bytes(b"".join(lines[: 1 + len(lines) // 2]))
        new = next(path for path in sorted((sample / dataset).iterdir()) if not (first / dataset / path.name).exists())
        shutil.copy(new, folder / dataset)
    products = folder / "product_catalog" / "products.csv"
    products.write_bytes(b"".join(products.read_bytes().splitlines(keepends=True)[:-5]))
    return folder


def put(home: Home, state: Path) -> None:
    """Make the landing zone look like a state; files that are the same keep their times."""
    for dataset in KEPT:
        folder = home.raw / dataset
        folder.mkdir(exist_ok=True)
        wanted = {path.name: path for path in (state / dataset).iterdir()}
        for path in list(folder.iterdir()):
            if path.name not in wanted:
                path.unlink()
        for name, path in wanted.items():
            if not (folder / name).exists() or (folder / name).read_bytes() != path.read_bytes():
                shutil.copy(path, folder / name)


@dataclass
class Lane:
    """One series of kills: their moments as shares of a run, those that hit, and how the warehouses differed after."""

    seed: int
    seconds: float
    moments: list[float] = field(default_factory=list)
    found: list[dict[str, list[str]]] = field(default_factory=list)

    def shares(self) -> Iterator[float]:
        """A random moment in each part of a run, in random order, for as long as anybody asks."""
        chance = random.Random(self.seed)
        while True:
            for part in chance.sample(range(PARTS), PARTS):
                yield (part + chance.random()) / PARTS


def disturbed_run(home: Home, lane: Lane, shares: Iterator[float]) -> None:
    """Kill the run a few times on its way, then let it end; a moment after the end of a run kills nothing."""
    for _ in range(KILLS_ON_THE_WAY):
        share = next(shares)
        run = home.start()
        if not run.wait(share * lane.seconds):
            run.kill()
        if run.process.exitcode == KILLED:
            lane.moments.append(share)
        else:
            run.result().succeeded()
    home.run().succeeded()


@dataclass(frozen=True)
class Undisturbed:
    """A home whose landing zone went from state to state, with the warehouse and the seconds of each run."""

    home: Home
    dumps: list[Dump]
    seconds: list[float]


class Disturbed:
    """Undisturbed runs, then both lanes."""

    def __init__(self, homes: Homes, first: Path, second: Path) -> None:
        self._homes, self._states = homes, (first, second)
        self._creating = threading.Lock()
        self.disturbed: list[Home] = []
        with ThreadPoolExecutor(2) as pool:
            long, short = pool.submit(self._undisturbed, (0, 1, 0)), pool.submit(self._undisturbed, (0, 1))
            self.quiet, self.again = long.result(), short.result()
            self.lanes = Lane(1, self.quiet.seconds[0]), Lane(2, self.quiet.seconds[1])
            lanes = pool.submit(self._fresh, self.lanes[0]), pool.submit(self._with_history, self.lanes[1])
            for lane in lanes:
                lane.result()

    def _home(self) -> Home:
        with self._creating:
            return self._homes.make()

    def _undisturbed(self, states: tuple[int, ...]) -> Undisturbed:
        done = Undisturbed(self._home(), [], [])
        for state in states:
            put(done.home, self._states[state])
            started = time.monotonic()
            done.home.run().succeeded()
            done.seconds.append(time.monotonic() - started)
            done.dumps.append(dump(done.home.dsn))
        return done

    def _fresh(self, lane: Lane) -> None:
        shares = lane.shares()
        while len(lane.moments) < KILLS // 2:
            home = self._home()
            put(home, self._states[0])
            disturbed_run(home, lane, shares)
            lane.found.append(differences(self.quiet.dumps[0], dump(home.dsn)))
            self.disturbed.append(home)

    def _with_history(self, lane: Lane) -> None:
        shares, home = lane.shares(), self.again.home
        while len(lane.moments) < KILLS // 2:
            state = len(lane.found) % 2
            put(home, self._states[state])
            disturbed_run(home, lane, shares)
            lane.found.append(differences(self.quiet.dumps[state], dump(home.dsn)))
        self.disturbed.append(home)


@pytest.fixture(scope="module")
def disturbed(homes: Homes, small_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    folder = tmp_path_factory.mktemp("states")
    first = cut(small_sample, folder / "first")
    return Disturbed(homes, first, change(small_sample, first, folder / "second"))


def test_undisturbed_runs_always_end_the_same(disturbed: Disturbed) -> None:
    pairs = zip(disturbed.quiet.dumps, disturbed.again.dumps, strict=False)
    assert [differences(one, other) for one, other in pairs] == [{}, {}]


def test_what_was_there_meanwhile_leaves_no_trace(disturbed: Disturbed) -> None:
    first, _, first_again = disturbed.quiet.dumps
    assert differences(first, first_again) == {}


def test_the_two_states_of_the_landing_zone_give_different_warehouses(disturbed: Disturbed) -> None:
    changed = differences(disturbed.quiet.dumps[0], disturbed.quiet.dumps[1])
    assert changed.keys() >= {
        "warehouse.fct_sales",
        "warehouse.dim_product",
        "quality.row_ledger",
        "analytics.rfm_scores",
    }


@pytest.mark.parametrize("lane", [0, 1], ids=["first-runs", "runs-with-a-history"])
def test_a_killed_run_ends_in_the_same_warehouse_when_it_is_run_again(disturbed: Disturbed, lane: int) -> None:
    assert [found for found in disturbed.lanes[lane].found if found] == []
    assert disturbed.lanes[lane].found


def test_runs_were_killed_at_twenty_different_moments(disturbed: Disturbed) -> None:
    moments = {moment for lane in disturbed.lanes for moment in lane.moments}
    assert len(moments) >= KILLS


def test_no_run_looks_as_if_it_were_still_going_on(disturbed: Disturbed) -> None:
    for home in disturbed.disturbed:
        statuses = {status for (status,) in ask(home.dsn, "SELECT DISTINCT status FROM dagster.runs")}
        assert statuses <= {"SUCCESS", "FAILURE"}


def test_a_run_does_not_wait_for_a_slot_that_a_killed_run_held(disturbed: Disturbed) -> None:
    home = disturbed.quiet.home
    with home.instance() as instance:
        run = instance.create_run_for_job(defs().resolve_job_def("refresh"), tags={PID_TAG: "1"})
        claim = instance.event_log_storage.claim_concurrency_slot("postgres", run.run_id, "warehouse__fct_sales")
        assert claim.is_claimed
    home.run().succeeded()
    with home.instance() as instance:
        assert instance.event_log_storage.get_concurrency_run_ids() == set()
        killed = instance.get_run_by_id(run.run_id)
    assert killed is not None
    assert killed.status is dg.DagsterRunStatus.FAILURE
