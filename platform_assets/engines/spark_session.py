"""Sessions of Spark Connect servers: one per server in a process, shared by all that use it.

Frames of different sessions cannot meet in one query, so an engine and the assets that ask for Spark share theirs.
"""

import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.errors.exceptions.connect import SparkConnectGrpcException, SparkException
from pyspark.sql import SparkSession
from pyspark.sql.connect.client.retries import DefaultPolicy

from platform_assets.errors import ServiceError

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "mapreduce.fileoutputcommitter.algorithm.version": "1",
}
"""What results depend on, whatever a cluster's own configuration says."""

_RETRIES = 5
"""Some seconds of patience with a server that does not answer, where Spark's own is ten minutes."""

_LOST = (SparkConnectGrpcException, SparkException)
"""No answer, or a job given up; a class below the first says what is wrong with the query instead."""

# What these would say is raised as well.
logging.getLogger("pyspark.sql.connect.logging").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")

_sessions: dict[str, SparkSession] = {}
_users: Counter[str] = Counter()


def open_session(url: str) -> SparkSession:
    """The session of a server, made when this process has none; to be given back with ``close_session``.

    Raises:
        ServiceError: The server does not answer.
    """
    if url not in _sessions:
        with told_by_server(url):
            _sessions[url] = _connect(url)
    _users[url] += 1
    return _sessions[url]


def close_session(url: str) -> None:
    """Give a session back; the last one to do so ends it."""
    _users[url] -= 1
    if not _users[url]:
        with told_by_server(url):
            _sessions.pop(url).stop()


@contextmanager
def told_by_server(url: str) -> Iterator[None]:
    """Turn a lost connection into an error that says so.

    Raises:
        ServiceError: The server went away.
    """
    try:
        yield
    except SparkConnectGrpcException as error:
        if type(error) not in _LOST:
            raise
        where = url.removeprefix("sc://").split("/", 1)[0]
        problem = f"The Spark server at {where} did not finish its work: {_in_words(error)}"
        remedy = "See whether it runs (./platform status), then run again: what was published before stays."
        raise ServiceError(problem, remedy) from error


def _in_words(error: Exception) -> str:
    """What went wrong, without what gRPC and Java wrap around it."""
    text = str(error).strip()
    found = re.search(r'details = "([^"]*)"', text)
    return found[1] if found else text.split("\nJVM stacktrace:")[0][:500]


def _connect(url: str) -> SparkSession:
    # Not getOrCreate: that gives the session there is, be it of another server.
    session = SparkSession.builder.remote(url).create()
    session.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    return session
