"""Assets in the warehouse: a load is applied in one transaction; a frame is merged by its key."""

from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
from psycopg2 import sql

from platform_assets.resources.postgres import PostgresResource
from platform_assets.warehouse.loads import Load, MergeLoad


class PostgresIOManager(dg.ConfigurableIOManager):
    """Keeps assets as PostgreSQL tables.

    An asset returns a ``Load``, or a ``pandas.DataFrame`` or ``pyarrow.Table`` that is merged into the table its
    definition names in the metadata ``table`` (schema and name) by the comma-separated columns in ``key``. An asset
    that reads it is given a ``pandas.DataFrame`` or a ``pyarrow.Table``, as its annotation asks.
    """

    postgres: dg.ResourceDependency[PostgresResource]

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep what an asset returned in the warehouse, and say what became of it."""
        load = obj if isinstance(obj, Load) else _merge(context, obj)
        with self.postgres.connection() as connection:
            counts = load.apply(connection)
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(_identifier(load.table)))
                (rows,) = cursor.fetchall()[0]
            connection.rollback()
        context.add_output_metadata(
            {
                **{f"rows {name}" if name != "files" else name: count for name, count in counts.items()},
                "dagster/row_count": rows,
                "dagster/table_name": load.table,
                "dagster/storage_kind": "postgresql",
                "query": dg.MetadataValue.md(f'```\n./platform sql "table {load.table} limit 20"\n```'),
            }
        )

    def load_input(self, context: dg.InputContext) -> Any:
        """Give an asset what its annotation asks for."""
        table = _upstream(context).definition_metadata["table"]
        with self.postgres.connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT * FROM {}").format(_identifier(table)))
            names = [column.name for column in cursor.description or ()]
            frame = pd.DataFrame.from_records(cursor.fetchall(), columns=names, coerce_float=False)
        return pa.Table.from_pandas(frame) if context.dagster_type.typing_type is pa.Table else frame


def _merge(context: dg.OutputContext, obj: Any) -> Load:
    arrow = pa.Table.from_pandas(obj, preserve_index=False) if isinstance(obj, pd.DataFrame) else obj
    metadata = context.definition_metadata
    return MergeLoad(metadata["table"], metadata["key"].split(","), arrow.schema, arrow.to_batches())


def _upstream(context: dg.InputContext) -> dg.OutputContext:
    if context.upstream_output is None:
        raise TypeError(f"input {context.name} is not the output of an asset")
    return context.upstream_output


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))
