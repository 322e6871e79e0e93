"""Python work on Spark's workers, where those can run this platform's code."""

import hashlib
import logging
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NoReturn, TypeVar

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its name in every Spark program

from platform_assets.errors import PlatformError

_Task = TypeVar("_Task")
_Outcome = TypeVar("_Outcome")

_SCHEMA = "place long, outcome binary"
_log = logging.getLogger(__name__)


def parallelism(session: SparkSession) -> int:
    """How many tasks a server does at once."""
    places = session.range(1 << 16).select(F.spark_partition_id().alias("place"))
    found = places.agg(F.max("place").alias("last")).collect()[0]["last"]
    return int(found) + 1


def spread_over_workers(
    session: SparkSession, work: Callable[[_Task], _Outcome], tasks: Sequence[_Task]
) -> Iterator[_Outcome]:
    """Do a piece of work once per task, one Spark task each.

    Where a worker has no Python with this very code, the work is done here.

    Raises:
        PlatformError: As the work raised it.
    """
    reason = _why_not(session)
    if reason:
        _log.warning("Spark's workers cannot do this platform's Python work, so it is done here: %s", reason)
        return map(work, tasks)
    return iter(_outcomes(session, work, tasks))


def _outcomes(session: SparkSession, work: Callable[[_Task], _Outcome], tasks: Sequence[_Task]) -> list[_Outcome]:
    packed = [pickle.dumps(task) for task in tasks]
    places = session.range(0, len(tasks), 1, len(tasks))
    table = places.mapInArrow(partial(_do, code_identity(), work, packed), _SCHEMA).toArrow()
    by_place = dict(zip(table["place"].to_pylist(), table["outcome"].to_pylist(), strict=True))
    outcomes = [pickle.loads(by_place[place]) for place in range(len(tasks))]  # noqa: S301 - written by our own code
    for outcome in outcomes:
        if isinstance(outcome, PlatformError):
            raise outcome
    return outcomes


def _do(
    identity: str, work: Callable[[_Task], _Outcome], packed: Sequence[bytes], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """On a worker: do the tasks whose places are given. Errors for people travel as outcomes, to arrive whole."""
    work = work if identity == code_identity() else _refuse
    for batch in batches:
        places = batch.column(0).to_pylist()
        outcomes = [pickle.dumps(_attempt(work, pickle.loads(packed[place]))) for place in places]  # noqa: S301
        columns = [pa.array(places, pa.int64()), pa.array(outcomes, pa.binary())]
        yield pa.RecordBatch.from_arrays(columns, ["place", "outcome"])


def _attempt(work: Callable[[_Task], _Outcome], task: _Task) -> _Outcome | PlatformError:
    try:
        return work(task)
    except PlatformError as error:
        return error


def _refuse(_: object) -> NoReturn:
    problem = f"The Spark worker {socket.gethostname()} runs another version of this platform's code than this machine."
    raise PlatformError(problem, "Install the same version on all machines of the cluster, then run again.")


def _why_not(session: SparkSession) -> str | None:
    """What keeps the workers from running this platform's code, ``None`` when nothing does."""
    places = session.range(0, 1, 1, 1)
    try:
        found = places.mapInArrow(_tell_identity, "identity string").collect()[0]["identity"]
    except PySparkException as error:
        lines = str(error).strip().splitlines()
        return next((line for line in reversed(lines) if "Error" in line), lines[-1])
    return None if found == code_identity() else "the platform's code there is another version"


def _tell_identity(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for _ in batches:
        yield pa.RecordBatch.from_arrays([pa.array([code_identity()])], ["identity"])


@cache
def code_identity() -> str:
    """Thirty-two hexadecimal digits that change with this platform's code."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for file in sorted(package.rglob("*.py")):
        digest.update(str(file.relative_to(package)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:32]
