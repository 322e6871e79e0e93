"""Assets in the lake: versions are published, frames are written; what an asset asks for decides what it gets."""

from typing import Any

import dagster as dg
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.lake.table import Table
from platform_assets.lake.update import Update
from platform_assets.lake.whole import whole_update
from platform_assets.resources.platform import PlatformResource


class ParquetIOManager(dg.ConfigurableIOManager):
    """Keeps assets as Parquet tables below ``<home>/lake/<layer>/<name>``.

    An asset returns an ``Update`` (a version whose segments are written already), or a whole table as a Narwhals
    lazy frame, a ``pandas.DataFrame`` or a ``pyarrow.Table``. An asset that reads it is given what its type
    annotation asks for: the ``Table`` handle, a lazy frame of the run's engine, a pandas or an Arrow table.
    """

    platform: dg.ResourceDependency[PlatformResource]

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep what an asset returned in the lake, and say what became of it."""
        table = self._table(context.asset_key)
        update = obj if isinstance(obj, Update) else self._whole(table, obj, context)
        snapshot = update.publish(table)
        context.add_output_metadata(
            {
                "path": dg.MetadataValue.path(str(table.root)),
                "version": snapshot.version,
                "changed": update.is_news,
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
        arrow = self._read(table)
        if wanted is pd.DataFrame:
            return arrow.to_pandas(types_mapper=pd.ArrowDtype)
        return arrow if wanted is pa.Table else self.platform.engine.from_arrow(arrow)

    def _table(self, key: dg.AssetKey) -> Table:
        layer, name = key.path
        return self.platform.table(layer, name)

    def _whole(self, table: Table, obj: Any, context: dg.OutputContext) -> Update:
        engine = self.platform.engine
        if isinstance(obj, nw.LazyFrame):
            obj = engine.collect(obj)
        arrow = pa.Table.from_pandas(obj, preserve_index=False) if isinstance(obj, pd.DataFrame) else obj
        return whole_update(table, context.run_id, lambda: engine.from_arrow(arrow), arrow.schema, engine)

    def _read(self, table: Table) -> pa.Table:
        parts = table.parts(table.snapshot())
        if not parts:
            return pa.table({})
        schema = pq.read_schema(parts[0].path)
        return self.platform.engine.collect(self.platform.engine.scan(parts, schema))

    def _rows(self, table: Table) -> int:
        return sum(piece.facts.get("rows", 0) for piece in table.snapshot().slices.values())
