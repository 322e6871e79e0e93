"""What is in a warehouse, in a form that two warehouses can be compared by.

Surrogate keys are replaced by the natural keys they stand for and the time the version began, and pseudonyms, whose
key is each warehouse's own, by ids. Left out are the versions of core tables, which that key is a part of, the ids of
runs and the times of loading, what looks at the clock (freshness, and notes that say until when rows wait) or at what
was delivered or judged before (drift, rows whose reference came since), and results of earlier runs. Shares are
compared to nine places: sums of floating point numbers depend on the order of adding.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import sql

_SALES = """
    SELECT
        c.customer_id, c.valid_from AS customer_since, p.product_id, p.valid_from AS product_since, h.channel,
        l.location_id, d.date, f.*
    FROM warehouse.fct_sales f
    JOIN warehouse.dim_customer c USING (customer_key)
    JOIN warehouse.dim_product p USING (product_key)
    JOIN warehouse.dim_channel h USING (channel_key)
    JOIN warehouse.dim_location l USING (location_key)
    JOIN warehouse.dim_date d USING (date_key)
"""
_INTERACTIONS = """
    SELECT c.customer_id, c.valid_from AS customer_since, h.channel, d.date, f.*
    FROM warehouse.fct_customer_interactions f
    JOIN warehouse.dim_customer c USING (customer_key)
    JOIN warehouse.dim_channel h USING (channel_key)
    JOIN warehouse.dim_date d USING (date_key)
"""
_SCORES = """
    SELECT c.customer_id, s.*
    FROM analytics.rfm_scores s
    LEFT JOIN warehouse.dim_customer c ON c.customer_pseudonym = s.customer_pseudonym AND c.is_current
"""
_ANALYTICS = """
    SELECT c.relname, bool_or(a.attname = 'customer_pseudonym')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'r'
    GROUP BY c.relname
"""
_SLICES = """
    SELECT table_name, dataset, source_file, loaded_rows, CASE WHEN dataset <> 'core' THEN slice_id END AS slice_id
    FROM ops.loaded_slices
"""
_LATEST_CHECKS = """
    SELECT * FROM quality.check_results r
    WHERE rule <> 'freshness' AND kind <> 'drift' AND evaluated_at = (
        SELECT max(evaluated_at) FROM quality.check_results WHERE dataset = r.dataset
    )
"""
SOURCES = {
    "warehouse.fct_sales": _SALES,
    "warehouse.fct_customer_interactions": _INTERACTIONS,
    "warehouse.dim_customer": "SELECT * FROM warehouse.dim_customer",
    "warehouse.dim_product": "SELECT * FROM warehouse.dim_product",
    "warehouse.dim_channel": "SELECT * FROM warehouse.dim_channel",
    "warehouse.dim_location": "SELECT * FROM warehouse.dim_location",
    "warehouse.dim_date": "SELECT * FROM warehouse.dim_date",
    "analytics.rfm_scores": _SCORES,
    "analytics.rfm_segments": "SELECT * FROM analytics.rfm_segments",
    "quality.row_ledger": "SELECT * FROM quality.row_ledger",
    "quality.quarantine": "SELECT * FROM quality.quarantine",
    "quality.check_results": _LATEST_CHECKS,
    "ops.loaded_slices": _SLICES,
}
LEFT_OUT = {
    "customer_key",
    "customer_pseudonym",
    "product_key",
    "channel_key",
    "location_key",
    "run_id",
    "evaluated_at",
    "loaded_at",
    "note",
    "rows_resolved",
}
FLOAT = 701
"""PostgreSQL's number for double precision."""

Digests = dict[str, tuple[int, str]]
Dump = dict[str, Counter[str]]


def ask(dsn: str, statement: str | sql.Composable, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
    """The rows that a statement gives."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def digests(dsn: str) -> Digests:
    """Of every table the number of rows and a digest of what they say, whatever their order."""
    return {name: _only(dsn, _digest(_canonical(dsn, source))) for name, source in SOURCES.items()}


def dump(dsn: str, *tables: str) -> Dump:
    """The rows of every table (or of those named) as text."""
    wanted = tables or tuple(SOURCES)
    return {name: Counter(row for (row,) in ask(dsn, _texts(_canonical(dsn, SOURCES[name])))) for name in wanted}


def dump_analytics(dsn: str) -> Dump:
    """The rows of every table of results as text; with customers, their ids."""
    return {
        name: Counter(row for (row,) in ask(dsn, _texts(_canonical(dsn, _of_results(name, has_customers)))))
        for name, has_customers in ask(dsn, _ANALYTICS)
    }


def _of_results(name: str, has_customers: bool) -> str:
    if not has_customers:
        return f"SELECT * FROM analytics.{name}"
    return (
        f"SELECT c.customer_id, s.* FROM analytics.{name} s LEFT JOIN warehouse.dim_customer c"
        " ON c.customer_pseudonym = s.customer_pseudonym AND c.is_current"
    )


def versions(dsn: str, table: str = "warehouse.fct_sales") -> set[tuple[str, str]]:
    """Of every row the transaction that wrote it, and its place: neither changes while the row is left alone."""
    statement = sql.SQL("SELECT xmin::text, ctid::text FROM {}").format(sql.Identifier(*table.split(".")))
    return set(ask(dsn, statement))


def differences(one: Dump, other: Dump, limit: int = 5) -> dict[str, list[str]]:
    """What two dumps have in different numbers, the first few rows of each table; nothing when they are equal."""
    found = {}
    for name, rows in one.items():
        lines = [f"- {row}" for row in sorted((rows - other[name]).elements())]
        lines += [f"+ {row}" for row in sorted((other[name] - rows).elements())]
        if lines:
            found[name] = [f"{len(lines)} rows differ", *lines[:limit], *lines[-limit:]]
    return found


def _canonical(dsn: str, source: str) -> sql.Composed:
    """The columns of a query that say something, as a query."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(f"{source} LIMIT 0")
        columns = [
            (column.name, column.type_code) for column in cursor.description or () if column.name not in LEFT_OUT
        ]
    shown = [
        sql.SQL("round({0}::numeric, 9) AS {0}" if type_code == FLOAT else "{0}").format(sql.Identifier(name))
        for name, type_code in columns
    ]
    return sql.SQL("SELECT {} FROM ({}) AS source").format(sql.SQL(", ").join(shown), sql.SQL(source))


def _texts(query: sql.Composed) -> sql.Composed:
    return sql.SQL("SELECT row_to_json(rows)::text FROM ({}) AS rows").format(query)


def _digest(query: sql.Composed) -> sql.Composed:
    return sql.SQL("SELECT count(*), coalesce(sum(hashtextextended(rows::text, 0)), 0)::text FROM ({}) AS rows").format(
        query
    )


def _only(dsn: str, query: sql.Composed) -> tuple[int, str]:
    ((rows, digest),) = ask(dsn, query)
    return rows, digest
