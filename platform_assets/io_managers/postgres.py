"""Assets in the warehouse: a load is applied in one transaction; a frame is merged by its key."""

from collections.abc import Iterable
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
from psycopg2 import extensions, sql

from platform_assets.io_managers.handlers import Asked, Kept, handler_of
from platform_assets.io_managers.lake_types import lake_table
from platform_assets.resources.platform import PlatformResource
from platform_assets.resources.postgres import PostgresResource
from platform_assets.warehouse.audited import apply_audited
from platform_assets.warehouse.loading.catalog import Kind, TargetColumn, table_columns
from platform_assets.warehouse.loads import Load, MergeLoad
from platform_assets.warehouse.star.rows import stream


class PostgresIOManager(dg.ConfigurableIOManager):
    """Keeps assets as PostgreSQL tables.

    An asset returns a ``Load``, or a frame of any type that the lake takes, too; it is merged into the table that the
    asset's definition names in the metadata ``table`` (schema and name) by the comma-separated columns in ``key``. An
    asset that reads it is given the frame its annotation asks for, and a ``pandas.DataFrame`` without one.
    """

    platform: dg.ResourceDependency[PlatformResource]
    postgres: dg.ResourceDependency[PostgresResource]

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Keep what an asset returned in the warehouse, and say what became of it."""
        if isinstance(obj, Load):
            load, engine = obj, str(self.platform.engine_name)
        else:
            kept = handler_of(type(obj)).take(obj, self.platform)
            load, engine = _merge(context, kept), kept.engine.name
        with self.postgres.connection() as connection:
            loaded = apply_audited(connection, load, {"asset": context.asset_key.to_user_string(), "engine": engine})
            with connection.cursor() as cursor:
                columns = table_columns(cursor, _identifier(load.table))
        context.add_output_metadata(
            {
                **{f"rows {name}" if name != "files" else name: count for name, count in loaded.counts.items()},
                "engine": engine,
                "audit hash": loaded.audit_hash,
                "dagster/row_count": loaded.rows,
                "dagster/table_name": load.table,
                "dagster/storage_kind": "postgresql",
                "dagster/column_schema": _shown(columns.values()),
                "query": dg.MetadataValue.md(f'```\n./platform sql "table {load.table} limit 20"\n```'),
            }
        )

    def load_input(self, context: dg.InputContext) -> Any:
        """Give an asset what its annotation asks for."""
        table = _upstream(context).definition_metadata["table"]
        wanted = context.dagster_type.typing_type
        handler = handler_of(pd.DataFrame if wanted is Any else wanted)
        with self.postgres.connection() as connection, connection.cursor() as cursor:
            rows = lake_table(_read(cursor, _identifier(table)))
        return handler.give(Asked(lambda engine: engine.from_arrow(rows)), self.platform)


def _shown(columns: Iterable[TargetColumn]) -> dg.TableSchema:
    """The columns as the table has them, keys and all, with what it says about each."""
    return dg.TableSchema(
        [dg.TableColumn(column.name, column.type_name, description=column.comment) for column in columns]
    )


def _merge(context: dg.OutputContext, kept: Kept) -> Load:
    metadata = context.definition_metadata
    rows = stream(kept.frame, kept.schema, kept.engine)
    return MergeLoad(metadata["table"], metadata["key"].split(","), kept.schema, rows)


def _read(cursor: extensions.cursor, table: sql.Identifier) -> pa.Table:
    columns = table_columns(cursor, table)
    names = sql.SQL(", ").join(map(_selected, columns.values()))
    cursor.execute(sql.SQL("SELECT {} FROM {}").format(names, table))
    rows = cursor.fetchall()
    types = enumerate(column.arrow_type for column in columns.values())
    return pa.table([pa.array([row[place] for row in rows], kind) for place, kind in types], list(columns))


def _selected(column: TargetColumn) -> sql.Composable:
    name = sql.Identifier(column.name)
    if column.kind is Kind.OTHER:
        return sql.SQL("{}::text").format(name)
    if pa.types.is_timestamp(column.arrow_type) and column.arrow_type.tz:
        return sql.SQL("{} AT TIME ZONE 'UTC'").format(name)  # else in the zone of the connection
    return name


def _upstream(context: dg.InputContext) -> dg.OutputContext:
    if context.upstream_output is None:
        raise TypeError(f"input {context.name} is not the output of an asset")
    return context.upstream_output


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))
