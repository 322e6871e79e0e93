"""The same judgement as one writes it by hand for one engine and one file, in one pass: what ours is held against.

Belongs here: the fastest way of each engine that is still plain to read. It counts rows that repeat a key, and does not
say which.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from platform_assets.cli.bench_quality_data import BEYOND, KEY, LISTS, PATTERNS, RANGES, SCHEMA

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    from pyspark.sql import SparkSession


def on_duckdb(connection: "duckdb.DuckDBPyConnection", file: Path) -> dict[str, int]:
    """One aggregate query."""
    (row,) = connection.sql(_query(f"read_parquet('{file}')", "regexp_full_match")).fetchall()
    return dict(zip(_names(), row, strict=True))


def on_spark(session: "SparkSession", file: Path) -> dict[str, int]:
    """One aggregate query."""
    session.read.parquet(f"file://{file}").createOrReplaceTempView("orders")
    row = session.sql(_query("orders", "regexp", end="$")).collect()[0]
    return dict(zip(_names(), row, strict=True))


def on_pandas(file: Path) -> dict[str, int]:
    """Whole columns, with Arrow's types, which are far faster with texts than NumPy's."""
    import pandas as pd

    rows = pd.read_parquet(file, columns=SCHEMA.names, dtype_backend="pyarrow")
    broken = [rows[name].isna() for name in SCHEMA.names]
    broken += [(rows[name] < low) | (rows[name] > high) for name, (low, high) in RANGES.items()]
    broken += [_told(rows[name], rows[name].isin(values)) for name, values in LISTS.items()]
    broken += [_told(rows[name], rows[name].str.fullmatch(pattern)) for name, pattern in PATTERNS.items()]
    broken.append(rows[KEY].duplicated() & rows[KEY].notna())
    return {name: int(one.sum()) for name, one in zip(_names(), broken, strict=True)}


def _told(values: "pd.Series", keeps: "pd.Series") -> "pd.Series":
    return ~keeps.fillna(value=True).astype(bool) & values.notna()


def _query(table: str, matches: str, end: str = "") -> str:
    conditions = [f"{name} IS NULL" for name in SCHEMA.names]
    conditions += [f"{name} < {low} OR {name} > {high}" for name, (low, high) in RANGES.items()]
    conditions += [f"{name} NOT IN {values}" for name, values in LISTS.items()]
    conditions += [f"NOT {matches}({name}, '{'^' if end else ''}{pattern}{end}')" for name, pattern in PATTERNS.items()]
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    return " ".join(["SELECT", counts, f", count({KEY}) - count(DISTINCT {KEY}) FROM", table])


def _names() -> list[str]:
    kinds = {"present": SCHEMA.names, "within": RANGES, "known": LISTS, "shaped": PATTERNS}
    return [f"{name}_{kind}" for kind, names in kinds.items() for name in names] + [BEYOND]
