"""Loading a platform at random, and telling what is in it without the code under test."""

import itertools
import random
from collections import Counter
from contextlib import closing
from dataclasses import astuple, dataclass, field
from pathlib import Path

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg2 import sql

from platform_assets.backup.making import make_backup
from platform_assets.backup.store import Backup
from platform_assets.lake.snapshot import Slice
from platform_assets.lake.table import ACCEPTED, CURRENT, Table
from platform_assets.services.postgres import PostgresUrls
from platform_assets.settings import Settings
from platform_assets.warehouse.star.currency_settings import CurrencySettings
from platform_assets.warehouse.star.fact_slices import fact_slice_id

Content = dict[str, Counter[str]]

# Rights and the audit trail tell of the restore itself.
TELLS_OF_RESTORES = ("warehouse:ops.repeatable_files", "warehouse:ops.audit_log", "warehouse:ops.backups")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Platform:
    """A home with a server.

    Attributes:
        settings: Where it is.
        urls: Its server.
        draw: Chance.
    """

    settings: Settings
    urls: PostgresUrls
    draw: random.Random = field(default_factory=lambda: random.Random(5))

    @property
    def sales(self) -> Table:
        """The table of the lake that the facts are made from."""
        return Table(self.settings.lake / "core" / "sales")

    def load(self) -> None:
        """A run as the backup sees it: news in the lake first, then in the warehouse, in one transaction."""
        number = next(_numbers)
        # One of five names: some loads bring a new file, some change one.
        name, identity, rows = f"{self.draw.randrange(5)}.csv", f"version {number}", self.draw.randint(1, 50)
        self.publish(f"made_up/{name}", identity, rows)
        with closing(psycopg2.connect(self.urls.dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ops.loaded_slices (table_name, dataset, source_file, slice_id, loaded_rows)"
                " VALUES ('warehouse.fct_sales', 'made_up', %s, %s, %s) ON CONFLICT (table_name, dataset, source_file)"
                " DO UPDATE SET slice_id = excluded.slice_id, loaded_rows = excluded.loaded_rows",
                (name, fact_slice_id(identity, "USD"), rows),
            )
            cursor.execute(
                "INSERT INTO quality.profiles (dataset, delivery_id, landed_at, check_name, column_name, metric, value,"
                " is_outside, is_incident, rows, files)"
                " SELECT 'made_up', %s, now(), 'volume', 'column ' || n, 'rows', random() * n, false, false, n, 1"
                " FROM generate_series(1, %s) AS n",
                (f"delivery {number}", rows),
            )
            cursor.execute("SELECT ops.audit('load', 'warehouse.fct_sales', '{}')")
        with closing(psycopg2.connect(self.history_dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO runs (body) VALUES (%s)", (f"run {number}: \\ 'quotes' and\nlines, ü",))

    def publish(self, key: str, identity: str, rows: int) -> None:
        """Bring rows of one file into the lake."""
        table = self.sales
        segment = table.new_segment()
        numbers = [self.draw.randrange(10**9) for _ in range(rows)]
        pq.write_table(pa.table({"_source_file": [key] * rows, "number": numbers}), segment)
        news = table.snapshot().with_slices({key: Slice(identity, segment.name)}, (), {segment.name: (key,)})
        table.publish(news, pointers=(CURRENT, ACCEPTED))

    @property
    def history_dsn(self) -> str:
        """Address of Dagster's database."""
        return self.urls.dagster.replace("postgresql+psycopg2:", "postgresql:")

    def start_history(self) -> None:
        """Make a table as Dagster makes them."""
        with closing(psycopg2.connect(self.history_dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE runs (id serial PRIMARY KEY, body text)")

    def execute_alone(self, statement: str | sql.Composable) -> None:
        """Run a statement outside of any transaction."""
        with closing(psycopg2.connect(self.urls.dsn)) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    @property
    def loader(self) -> PostgresUrls:
        """The addresses with a login that is a loader, as documented for daily work; the login stays."""
        self.execute_alone(
            "DO $$ BEGIN CREATE ROLE daily LOGIN IN ROLE retail_loader; EXCEPTION WHEN duplicate_object THEN END $$"
        )
        return PostgresUrls(*(url.replace("//postgres@", "//daily@") for url in astuple(self.urls)))

    def back_up(self) -> Backup:
        """Make a backup without a word."""
        return make_backup(self.settings, self.urls, CurrencySettings(), silent)

    def content(self) -> Content:
        """Every row of everything."""
        return {
            **database_content("warehouse", self.urls.dsn),
            **database_content("history", self.history_dsn),
            **lake_content(self.settings.lake),
        }


def silent(_: str) -> None:
    """Say nothing."""


def database_content(name: str, dsn: str) -> Content:
    """The rows of every table as JSON."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        found: Content = {}
        for schema, table in cursor.fetchall():
            # Dagster's tables are in another schema on a server of others.
            key = f"{name}:{table}" if name == "history" else f"{name}:{schema}.{table}"
            statement = sql.SQL("SELECT row_to_json(whole_row)::text FROM {} AS whole_row")
            cursor.execute(statement.format(sql.Identifier(schema, table)))
            found[key] = Counter(row for (row,) in cursor.fetchall())
    return found


def lake_content(lake: Path) -> Content:
    """The live rows behind every pointer."""
    found: Content = {}
    for root in lake.glob("*/*"):
        for pointer in (CURRENT, ACCEPTED):
            table, rows = Table(root), Counter[str]()
            for part in table.parts(table.snapshot(pointer)):
                lines = pq.read_table(part.path).to_pylist()
                rows.update(str(row) for row in lines if part.keep is None or row["_source_file"] in part.keep)
            found[f"lake:{root.relative_to(lake)}:{pointer}"] = rows
    return found


def without_traces(content: Content) -> Content:
    """What a restore leaves exactly as it was."""
    return {name: rows for name, rows in content.items() if name not in TELLS_OF_RESTORES}


def url_of(platform: Platform, database: str, user: str = "postgres") -> str:
    """Address of a database of the shared server, as one that is configured."""
    return platform.urls.dsn.replace("/retail?", f"/{database}?").replace("//postgres@", f"//{user}@")
