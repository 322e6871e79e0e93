"""The speed of loading: rows into PostgreSQL by this platform, beside psql and what others would write.

All ways are measured in turn on one scratch server, several times, and the best of each counts, so that what else the
machine does falls on all of them alike. After each, all rows of the table are hashed in SQL: every way must have
brought the same.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql
from rich.console import Console

from platform_assets.cli.bench_load_data import FULL, SCHEMA, make_rows, make_tables
from platform_assets.cli.bench_load_tables import Finding, Traces, load_sheet, wrong_loads
from platform_assets.cli.bench_load_ways import REPLAY, SLOW, WAYS, Place, Way
from platform_assets.cli.bench_sheets import show, terminal, write_markdown
from platform_assets.services.postgres import postgres_session, postgres_status
from platform_assets.settings import Settings
from platform_assets.warehouse.loading.transaction import table_identifier
from platform_assets.warehouse.schema.migrations import migrate

EXIT_SAME, EXIT_DIFFERENT = 0, 1

_REAPING_SECONDS = 0.2
"""After it has been left, a session takes a moment to end; only then the server knows what it has used."""

_HASH = "SELECT md5(string_agg(md5(ROW({columns})::text), '' ORDER BY order_id)) FROM {table}"
_TRACES = "SELECT dead_tuple_count FROM pgstattuple(%s) UNION ALL SELECT pg_total_relation_size(%s)"


@dataclass(frozen=True)
class Asked:
    """What is measured.

    Attributes:
        rows: Rows to load.
        seed: Which rows.
        repeats: How often each way.
        slow: Whether ``to_sql`` is measured, too: once, since it takes minutes.
    """

    rows: int
    seed: int
    repeats: int
    slow: bool = False


@dataclass
class _Bench:
    """A benchmark under way."""

    place: Place
    server: int
    tell: Callable[[str], None]
    found: list[Finding] = field(default_factory=list)
    left: list[Traces] = field(default_factory=list)

    def run(self, repeats: int, slow: bool) -> None:
        """Measure everything, the whole round again and again."""
        for turn in range(1, repeats + 1):
            self.tell(f"measuring, {turn} of {repeats}")
            for way in WAYS:
                self._measure(way)
        if slow:
            self.tell(f"measuring {SLOW.name}, once")
            self._measure(SLOW)

    def _measure(self, way: Way) -> None:
        if way.empties:
            self._alone(sql.SQL("TRUNCATE {}").format(table_identifier(way.table)))
            self._alone("DELETE FROM ops.loaded_slices")
        # Else the server would write the pages of one way to the disk while the next one is measured.
        self._alone("CHECKPOINT")
        before = self._traces()
        started, cpu = time.perf_counter(), self._cpu()
        way.load(self.place)
        seconds = time.perf_counter() - started
        time.sleep(_REAPING_SECONDS)
        cpu = self._cpu() - cpu
        if way is REPLAY:
            self.left.append(self._traces().since(before))
        self.found.append(Finding(way, seconds, cpu, self._hash(way.table)))

    def _cpu(self) -> float:
        """Processor seconds of this process, of the programs it ran, and of sessions that have ended."""
        here, server = os.times(), psutil.Process(self.server).cpu_times()
        ours = here.user + here.system + here.children_user + here.children_system
        return ours + float(server.children_user) + float(server.children_system)

    def _hash(self, table: str) -> str:
        columns = sql.SQL(", ").join(map(sql.Identifier, SCHEMA.names))
        ((found,),) = self._rows(sql.SQL(_HASH).format(columns=columns, table=table_identifier(table)))
        return str(found)

    def _traces(self) -> Traces:
        (dead,), (size,) = self._rows(_TRACES, (FULL, FULL))
        return Traces(dead, size)

    def _rows(self, query: str | sql.Composable, values: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.place.urls.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(query, tuple(values) or None)
            return list(cursor)

    def _alone(self, statement: str | sql.Composable) -> None:
        with closing(psycopg2.connect(self.place.urls.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


def bench_load(settings: Settings, asked: Asked, markdown: Path | None = None) -> int:
    """Load rows in every way, compare what came of it, and print how long each took.

    Args:
        settings: What holds for every command; all state goes to a temporary folder with a server of its own.
        asked: What is measured.
        markdown: Where to write the table as Markdown, too.

    Returns:
        0 when every way left the same rows and a repeated load left nothing, else 1.

    Raises:
        SettingsError: There are too few rows.
        PlatformError: A load failed.
    """
    console = terminal()
    with tempfile.TemporaryDirectory(prefix="platform-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        console.print(f"generating {asked.rows:,} rows")
        rows = make_rows(folder, asked.rows, asked.seed)
        there = replace(settings, home=folder / "home", postgres_url=None)
        with postgres_session(there) as urls:
            with closing(psycopg2.connect(urls.dsn)) as connection:
                migrate(connection)
                make_tables(connection)
            place = Place(urls, rows, rows.table.to_pandas())
            bench = _Bench(place, postgres_status(there).pid or 0, console.print)
            bench.run(asked.repeats, asked.slow)
        sheets = [load_sheet(bench.found, asked.rows, rows.megabytes)]
    show(console, sheets)
    write_markdown(markdown, sheets)
    return _judge(bench, console)


def _judge(bench: _Bench, console: Console) -> int:
    wrong = wrong_loads(bench.found, bench.left)
    for sentence in wrong:
        console.print(f"WRONG LOAD: {sentence}", style="bold red")
    if not wrong:
        console.print(f"Every way left the same rows ({bench.found[0].hash}); the same load again left nothing.")
    return EXIT_DIFFERENT if wrong else EXIT_SAME
