"""What an asset may return and ask for: one handler per type of frame.

Belongs here: how a frame comes to an engine that writes it, and how rows become a frame. Does not belong here: where
rows are kept (the IO managers), which types columns have (``lake_types``), and Spark's frames (``spark_frames``, only
imported where there are some).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.pandas_schema import checked
from platform_assets.engines.engine import Engine, Frame
from platform_assets.io_managers.lake_types import FrameRefusedError, lake_schema, lake_table
from platform_assets.resources.platform import PlatformResource


@dataclass(frozen=True)
class Kept:
    """What an asset returned, ready to be written.

    Attributes:
        frame: The rows, not computed yet where their library can wait.
        schema: Their columns in the types of the lake.
        engine: The engine they belong to, which writes them.
    """

    frame: Frame
    schema: pa.Schema
    engine: Engine


@dataclass(frozen=True)
class Asked:
    """What an asset reads.

    Attributes:
        rows: Gives the rows as a frame of an engine.
        contract: What they keep, where they are of a dataset with one.
    """

    rows: Callable[[Engine], Frame]
    contract: Contract | None = None


class Handler(ABC):
    """Takes and gives frames of one type."""

    kind: type
    name: str
    """The type as people write it."""

    @abstractmethod
    def take(self, given: Any, platform: PlatformResource) -> Kept:
        """Make what an asset returned ready to be written.

        Raises:
            FrameRefusedError: It has columns that cannot be kept.
        """

    @abstractmethod
    def give(self, asked: Asked, platform: PlatformResource) -> Any:
        """The rows as an asset asks for them."""


class _Arrow(Handler):
    kind, name = pa.Table, "pyarrow.Table"

    def take(self, given: pa.Table, platform: PlatformResource) -> Kept:
        table, engine = lake_table(given), platform.engine
        return Kept(engine.from_arrow(table), table.schema, engine)

    def give(self, asked: Asked, platform: PlatformResource) -> pa.Table:
        return platform.engine.collect(asked.rows(platform.engine))


class _Pandas(Handler):
    kind, name = pd.DataFrame, "pandas.DataFrame"

    def take(self, given: pd.DataFrame, platform: PlatformResource) -> Kept:
        try:
            table = pa.Table.from_pandas(given, preserve_index=False)
        except (pa.ArrowException, ValueError) as error:
            problem = f"The pandas frame has columns that are no table's: {' '.join(map(str, error.args))}"
            raise FrameRefusedError(problem, "Give every column a name and one type.") from error
        return _ARROW.take(table, platform)

    def give(self, asked: Asked, platform: PlatformResource) -> pd.DataFrame:
        rows = _ARROW.give(asked, platform).to_pandas(types_mapper=pd.ArrowDtype)
        return rows if asked.contract is None else checked(rows, asked.contract)


class _DuckDB(Handler):
    kind, name = duckdb.DuckDBPyRelation, "duckdb.DuckDBPyRelation"

    def take(self, given: duckdb.DuckDBPyRelation, platform: PlatformResource) -> Kept:
        frame = nw.from_native(_in_utc(given))
        return Kept(frame, lake_schema(frame), platform.engine_named("duckdb"))

    def give(self, asked: Asked, platform: PlatformResource) -> duckdb.DuckDBPyRelation:
        return asked.rows(platform.engine_named("duckdb")).to_native()  # type: ignore[no-any-return]  # of any engine


class _Lazy(Handler):
    kind, name = nw.LazyFrame, "narwhals.LazyFrame"

    def take(self, given: Frame, platform: PlatformResource) -> Kept:
        native = given.to_native()
        return handler_of(type(native)).take(native, platform)

    def give(self, asked: Asked, platform: PlatformResource) -> Frame:
        return asked.rows(platform.engine)


_ARROW = _Arrow()
_HANDLERS: list[Handler] = [_Lazy(), _Pandas(), _ARROW, _DuckDB()]
_OPTIONAL = {"pyspark": "platform_assets.io_managers.spark_frames"}
"""Modules of handlers by the library whose frames they handle: such a frame is proof that the library is there."""


def handler_of(kind: Any) -> Handler:
    """The handler of a type of frame.

    Raises:
        FrameRefusedError: There is none; those there are are named.
    """
    known = list(_HANDLERS)
    library = getattr(kind, "__module__", "").split(".")[0]
    if library in _OPTIONAL:
        known.append(import_module(_OPTIONAL[library]).HANDLER)
    for handler in known:
        if isinstance(kind, type) and issubclass(kind, handler.kind):
            return handler
    name = f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)
    names = ", ".join([*(handler.name for handler in _HANDLERS), "pyspark.sql.DataFrame"])
    raise FrameRefusedError(f"{name} is no type of frame that can be kept or given.", f"Use one of {names}.")


def _in_utc(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The relation with instants as UTC without a zone; a plain cast would take the zone of its connection."""
    columns = []
    for name, kind in zip(relation.columns, relation.types, strict=True):
        column: duckdb.Expression = duckdb.ColumnExpression(name)
        if str(kind) == "TIMESTAMP WITH TIME ZONE":
            column = duckdb.FunctionExpression("make_timestamp", duckdb.FunctionExpression("epoch_us", column))
        columns.append(column.alias(name))
    return relation.select(*columns)
