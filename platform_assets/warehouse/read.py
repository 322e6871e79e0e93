"""What the pipeline reads back from the warehouse.

Belongs here: surrogate keys by natural key, row counts. Does not belong here: queries of users and reports.
"""

import io

import pyarrow as pa
from psycopg2 import extensions, sql
from pyarrow import csv

from platform_assets.errors import LoadError
from platform_assets.warehouse.catalog import TargetColumn, target_columns
from platform_assets.warehouse.staging import names_sql
from platform_assets.warehouse.transaction import table_identifier, transaction

COUNTED_SCHEMAS = ("warehouse", "analytics", "quality")

_KEYS = """
    SELECT a.attname
    FROM pg_constraint AS c
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
    WHERE c.conrelid = to_regclass(%s) AND c.contype IN ('p', 'u')
    ORDER BY c.contype DESC, c.conname, a.attnum
"""


def key_map(connection: extensions.connection, table: str) -> pa.Table:
    """Read a dimension's natural keys and surrogate keys.

    Args:
        connection: An idle connection, or one inside ``transaction``.
        table: The dimension, as ``schema.name``; its primary key is the surrogate, its unique constraint the natural
            key, one column each.

    Returns:
        Two columns, natural key and surrogate key, special members included, in order of the surrogate key.

    Raises:
        LoadError: The table is no such dimension.
    """
    with transaction(connection) as cursor:
        columns = _key_columns(cursor, table)
        names = [column.name for column in columns]
        target = io.BytesIO()
        statement = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT csv, FORCE_QUOTE ({}))").format(
            names_sql(names), table_identifier(table), sql.Identifier(names[1]), sql.Identifier(names[0])
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


def _key_columns(cursor: extensions.cursor, table: str) -> tuple[TargetColumn, ...]:
    identifier = table_identifier(table)
    cursor.execute(_KEYS, (identifier.as_string(cursor),))
    names = [name for (name,) in cursor.fetchall()]
    if len(names) != len(("natural", "surrogate")):
        problem = f"{table} is no dimension: its keys are {', '.join(names) or 'none'}."
        raise LoadError(problem, "Name a table with one natural and one surrogate key.")
    return target_columns(cursor, identifier, names)


def _parsed(data: io.BytesIO, columns: tuple[TargetColumn, ...]) -> pa.Table:
    return csv.read_csv(
        pa.py_buffer(data.getbuffer()),
        read_options=csv.ReadOptions(column_names=[column.name for column in columns]),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={column.name: column.arrow_type for column in columns}, strings_can_be_null=False
        ),
    )
