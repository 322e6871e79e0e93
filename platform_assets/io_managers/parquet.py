"""Assets in the lake: versions are published, frames are written; what an asset asks for decides what it gets."""

from functools import partial
from typing import Any

import dagster as dg
import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine, Frame
from platform_assets.io_managers.handlers import Asked, handler_of
from platform_assets.lake.segments import segment_schema
from platform_assets.lake.table import ACCEPTED, Table
from platform_assets.lake.update import Update
from platform_assets.lake.whole import whole_update
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.accepted import counting_rows
from platform_assets.transforms.core_sales import SLICE
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW


class ParquetIOManager(dg.ConfigurableIOManager):
    """Keeps assets as Parquet tables below ``<home>/lake/<layer>/<name>``.

    An asset returns an ``Update`` (a version whose segments are written already), or a whole table as a Narwhals
    lazy frame, a ``pandas.DataFrame``, a ``pyspark.sql.DataFrame``, a DuckDB relation or a ``pyarrow.Table``; a frame
    that is not computed yet is computed and written by the engine it belongs to. An asset that reads it is given what
    its type annotation asks for: the ``Table`` handle, a lazy frame of the run's engine (also without an annotation),
    or any of the other frames. Of a staged dataset it is given the accepted rows, and as pandas only once Pandera
    agrees that they keep the contract.
    """

    platform: dg.ResourceDependency[PlatformResource]

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep what an asset returned in the lake, and say what became of it."""
        table = self._table(context.asset_key)
        if isinstance(obj, Update):
            update, engine = obj, str(self.platform.engine_name)
        else:
            kept = handler_of(type(obj)).take(obj, self.platform)
            update = whole_update(table, context.run_id, lambda: kept.frame, kept.schema, kept.engine)
            engine = kept.engine.name
        snapshot = update.publish(table)
        context.add_output_metadata(
            {
                "path": dg.MetadataValue.path(str(table.root)),
                "version": snapshot.version,
                "changed": update.is_news,
                "engine": engine,
                "dagster/storage_kind": "parquet",
                "dagster/row_count": self._rows(table),
            }
        )

    def load_input(self, context: dg.InputContext) -> Any:
        """Give an asset what its annotation asks for."""
        table = self._table(context.asset_key)
        wanted = context.dagster_type.typing_type
        if wanted is Table:
            return table
        layer, name = context.asset_key.path
        contract = CONTRACTS[name] if layer == "staging" else None
        rows = partial(_all_rows, table) if contract is None else partial(_accepted_rows, table, contract)
        handler = handler_of(nw.LazyFrame if wanted is Any else wanted)
        return handler.give(Asked(rows, contract), self.platform)

    def _table(self, key: dg.AssetKey) -> Table:
        layer, name = key.path
        return self.platform.table(layer, name)

    def _rows(self, table: Table) -> int:
        return sum(piece.facts.get("rows", 0) for piece in table.snapshot().slices.values())


def _all_rows(table: Table, engine: Engine) -> Frame:
    parts = table.parts(table.snapshot())
    if not parts:
        return engine.from_arrow(pa.table({}))
    schema = segment_schema(parts[0].path)
    return engine.scan(parts, schema, SLICE if SLICE in schema.names else SOURCE_FILE)


def _accepted_rows(table: Table, contract: Contract, engine: Engine) -> Frame:
    rows = counting_rows(table, table.snapshot(ACCEPTED), contract, engine)
    return rows.select(*contract.column_names, SOURCE_FILE, SOURCE_ROW)
