"""What the pipeline reads back from the warehouse.

Belongs here: surrogate keys by natural key, row counts. Does not belong here: queries of users and reports.
"""

import io

import pyarrow as pa
from psycopg2 import extensions, sql
from pyarrow import csv

from platform_assets.warehouse.loading.catalog import TargetColumn, target_columns
from platform_assets.warehouse.loading.transaction import table_identifier, transaction
from platform_assets.warehouse.star.model import FIRST, LAST, Dimension

COUNTED_SCHEMAS = ("warehouse", "analytics", "quality")


def member_keys(connection: extensions.connection, dimension: Dimension) -> pa.Table:
    """Read a dimension's natural keys and surrogate keys, with what a fact must know of a version.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        dimension: The dimension.

    Returns:
        Natural key and surrogate key, special members included, in order of the surrogate key. Where members have
        versions, also ``valid_from`` and ``valid_to``, null where the version holds for all time before or after, and
        the columns that measures of facts are made of.

    Raises:
        LoadError: There is no such table.
    """
    table = table_identifier(dimension.table)
    names = [dimension.natural, dimension.surrogate]
    selected: list[sql.Composable] = [sql.Identifier(name) for name in names]
    if dimension.has_versions:
        names += ["valid_from", "valid_to", *dimension.from_version]
        bounds = [_open("valid_from", FIRST), _open("valid_to", LAST)]
        selected += [*bounds, *map(sql.Identifier, dimension.from_version)]
    target = io.BytesIO()
    with transaction(connection) as cursor:
        columns = target_columns(cursor, table, names)
        statement = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT csv, FORCE_QUOTE ({}))").format(
            sql.SQL(", ").join(selected), table, *map(sql.Identifier, reversed(names[:2]))
        )
        cursor.copy_expert(statement, target)
    return _parsed(target, columns)


def row_counts(connection: extensions.connection) -> dict[str, int]:
    """Count the rows of every table of the warehouse, the marts and the quality records.

    Returns:
        Rows by ``schema.name``, sorted by name.
    """
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1, 2",
            (list(COUNTED_SCHEMAS),),
        )
        counts = {}
        for schema, name in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name)))
            (counts[f"{schema}.{name}"],) = cursor.fetchone() or (0,)
        return counts


def _open(name: str, bound: sql.Composable) -> sql.Composed:
    """An instant as UTC without a zone, null where it is the bound."""
    return sql.SQL("nullif({0}, {1}) AT TIME ZONE 'UTC' AS {0}").format(sql.Identifier(name), bound)


def _parsed(data: io.BytesIO, columns: tuple[TargetColumn, ...]) -> pa.Table:
    return csv.read_csv(
        pa.py_buffer(data.getbuffer()),
        read_options=csv.ReadOptions(column_names=[column.name for column in columns]),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={column.name: _lake_type(column.arrow_type) for column in columns},
            # Keys are always quoted: an empty one is no null.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _lake_type(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("us") if pa.types.is_timestamp(kind) else kind
