"""Spark through Spark Connect: this process only plans, a server (embedded, or a cluster's) computes.

Files are named by their path, so the server and its workers have to see the platform's folder where this process sees
it: on one machine they do, for a cluster it lies on storage that all of them share.
"""

import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, reduce
from pathlib import Path
from typing import TypeVar

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its name in every Spark program
from pyspark.sql.pandas.types import from_arrow_schema

from platform_assets.engines.engine import Engine, Frame, conformed
from platform_assets.engines.spark_session import close_session, open_session, told_by_server
from platform_assets.engines.spark_workers import parallelism, spread_over_workers
from platform_assets.errors import ServiceError
from platform_assets.lake.segments import parquet_files, segment_schema
from platform_assets.lake.snapshot import Part

_ROWS_PER_BATCH = 65_536
_LARGEST_IN_A_PLAN = 1 << 20
"""Bytes of an Arrow table from which on it is passed as a file: a plan is sent anew with every step made of it."""

_PROBE = pa.table({"place": pa.array([1, 2], pa.int64())})

_Task = TypeVar("_Task")
_Outcome = TypeVar("_Outcome")


class SparkEngine(Engine):
    """A session of a Spark Connect server.

    Args:
        url: The server, ``sc://host:port``.
        scratch: Folder for what passes between this process and the server; the server has to see it too.
    """

    name = "spark"

    def __init__(self, url: str, scratch: Path) -> None:
        self._url = url
        self._session = open_session(url)
        # Below the embedded server's own, which is emptied when it stops: a killed process leaves nothing for good.
        self._scratch = scratch / "spark" / f"engine-{uuid.uuid4().hex}"

    @property
    def session(self) -> SparkSession:
        """The session, for assets that are given Spark's own frames."""
        return self._session

    def scan(self, parts: Sequence[Part], schema: pa.Schema, slice_column: str = "_source_file") -> Frame:
        """A frame over the files: nothing is read before it is computed."""
        if not parts:
            return self.from_arrow(schema.empty_table())
        whole = [part.path for part in parts if part.keep is None]
        partly = [(part.path, part.keep) for part in parts if part.keep is not None]
        frames = [self._read(whole, schema)] if whole else []
        frames += [self._read([path], schema).filter(F.col(slice_column).isin(*keep)) for path, keep in partly]
        return nw.from_native(reduce(DataFrame.union, frames))

    def from_arrow(self, table: pa.Table) -> Frame:
        """The table as part of the plan, or as a file when it is not small."""
        if table.nbytes > _LARGEST_IN_A_PLAN:
            path = self._new_path()
            pq.write_table(table, path)
            return nw.from_native(self._read([path], table.schema))
        return nw.from_native(self._session.createDataFrame(table, from_arrow_schema(table.schema)))

    def concat(self, frames: Sequence[Frame], schema: pa.Schema) -> Frame:
        """The frames one below the other; Narwhals would ask the server for the columns of each."""
        return nw.from_native(reduce(DataFrame.union, [native(conformed(frame, schema)) for frame in frames]))

    def kept(self, frame: Frame) -> Frame:
        """The rows as files, until the engine is closed."""
        path = self._new_path()
        self._write(frame, path)
        return self.scan([Part(path, None)], segment_schema(path))

    def batches(self, frame: Frame) -> Iterator[pa.RecordBatch]:
        """A stream: the workers write the rows into files, which are read one after the other."""
        path = self._new_path()
        self._write(frame, path)
        try:
            for file in parquet_files(path):
                yield from pq.ParquetFile(file).iter_batches(_ROWS_PER_BATCH)
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def collect(self, frame: Frame) -> pa.Table:
        """Compute a small frame into an Arrow table."""
        with told_by_server(self._url):
            table = native(frame).toArrow()
        # Spark knows of some columns that they hold no nulls; no other engine tells.
        return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))

    def spread(self, work: Callable[[_Task], _Outcome], tasks: Iterable[_Task]) -> Iterator[_Outcome]:
        """Do the work in the Python processes of Spark's workers; here when they cannot run this platform's code."""
        every = list(tasks)
        if len(every) < 2:  # noqa: PLR2004 - nothing to spread
            return map(work, every)
        with told_by_server(self._url):
            return spread_over_workers(self._session, work, every)

    @cached_property
    def workers(self) -> int:
        """How many tasks the server does at once."""
        with told_by_server(self._url):
            return parallelism(self._session)

    def require_shared_storage(self) -> None:
        """See that the workers read what this process writes, and this process what they write.

        Raises:
            ServiceError: They do not.
        """
        path = self._new_path()
        pq.write_table(_PROBE, path)
        try:
            copied = self.kept(nw.from_native(self._read([path], _PROBE.schema)))
            if self.collect(copied).num_rows == _PROBE.num_rows:
                return
            found = "what is written on one side is not there on the other"
        except (OSError, IndexError, PySparkException, ServiceError) as error:
            found = str(error).strip().split("\n", 1)[0] or type(error).__name__
        problem = f"The Spark cluster and this machine do not share the files in {self._scratch.parent}: {found}"
        remedy = "Put PLATFORM_HOME and PLATFORM_RAW on storage that all of them have at the same path, writable."
        raise ServiceError(problem, remedy)

    def close(self) -> None:
        """End the session, unless something else in this process uses it; frames of this engine are void."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        close_session(self._url)

    def _write(self, frame: Frame, path: Path) -> None:
        with told_by_server(self._url):
            native(frame).write.parquet(_address(path))

    def _read(self, paths: Sequence[Path], schema: pa.Schema) -> DataFrame:
        return self._session.read.schema(from_arrow_schema(schema)).parquet(*map(_address, paths))

    def _new_path(self) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch / f"{uuid.uuid4().hex}.parquet"


def native(frame: Frame) -> DataFrame:
    """Spark's own frame."""
    found: DataFrame = frame.to_native()
    return found


def _address(path: Path) -> str:
    """A path as Spark takes it: of this file system, whatever its default is, and with no sign taken for a pattern."""
    escaped = "".join(f"\\{sign}" if sign in "{}[]*?\\" else sign for sign in str(path))
    return f"file://{escaped}"
