"""``sql``: one statement, its result as a table, CSV or JSON."""

import csv
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg2

from platform_assets.cli.output import console_of_output
from platform_assets.cli.warehouse import connect
from platform_assets.errors import PlatformError
from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings
from platform_assets.warehouse.trail.audit import record_login

Rows = Iterable[tuple[Any, ...]]
FETCH_ROWS = 10_000


class StatementError(PlatformError):
    """PostgreSQL refused a statement."""


def query(settings: Settings, statement: str, output_format: str) -> int:
    """Run one reading statement on the warehouse and print what it returns.

    Args:
        settings: Whose warehouse it is.
        statement: SQL; it cannot write.
        output_format: ``table``, ``csv`` or ``json``.

    Raises:
        StatementError: PostgreSQL refused the statement.
        ServiceError: PostgreSQL cannot be reached.
    """
    with postgres_session(settings) as urls, closing(connect(urls)) as connection:
        record_login(connection)
        connection.set_session(readonly=True)
        with connection.cursor() as cursor:
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                raise _explained(error) from error
            if cursor.description is not None:
                columns = [column.name for column in cursor.description]
                _PRINTERS[output_format](columns, iter(lambda: cursor.fetchmany(FETCH_ROWS), []))
    return 0


def _explained(error: psycopg2.Error) -> StatementError:
    remedies = {
        "25006": "sql only reads; change things with ./platform psql.",
        "42P01": "See what there is with ./platform psql -c '\\dt *.*'; the tables are made by ./platform run.",
    }
    problem = f"PostgreSQL refused the statement: {str(error).strip()}"
    return StatementError(problem, remedies.get(error.pgcode or "", ""))


def _print_table(columns: Sequence[str], batches: Iterable[Rows]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False)
    rows = [row for batch in batches for row in batch]
    for position, name in enumerate(columns):
        numeric = any(isinstance(row[position], int | float | Decimal) for row in rows[:FETCH_ROWS])
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("null", style="dim") if value is None else Text(str(value)) for value in row))
    # A file or a pipe has no width; a table that is folded to 80 columns there helps nobody.
    console = console_of_output(max(80, table_width(columns, rows)))
    console.print(table)
    print(f"({len(rows)} row{'' if len(rows) == 1 else 's'})")


def table_width(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
    """Return how many characters wide a table has to be to show every value on one line."""
    padding = 3
    widths = (max([len(name), *(len(str(row[i])) for row in rows)]) for i, name in enumerate(columns))
    return sum(width + padding for width in widths)


def _print_csv(columns: Sequence[str], batches: Iterable[Rows]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for batch in batches:
        writer.writerows(batch)


def _print_json(columns: Sequence[str], batches: Iterable[Rows]) -> None:
    """Print a list of objects, row by row: a result may be larger than memory has room for twice."""
    names = [json.dumps(name) for name in columns]
    separator = "["
    for batch in batches:
        for row in batch:
            pairs = (f"{name}: {_json(value)}" for name, value in zip(names, row, strict=True))
            print(f"{separator}\n{{{', '.join(pairs)}}}", end="")
            separator = ","
    print("[]" if separator == "[" else "\n]")


def _json(value: Any) -> str:
    """Write a value as JSON; a decimal digit for digit, which a float could not promise."""
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    if isinstance(value, date | datetime):
        return json.dumps(value.isoformat())
    return json.dumps(value, default=str, ensure_ascii=False)


_PRINTERS: dict[str, Callable[[Sequence[str], Iterable[Rows]], None]] = {
    "table": _print_table,
    "csv": _print_csv,
    "json": _print_json,
}
