"""Where the lines of core/sales are, counted there and not among the customers.

Belongs here: the parts and their sums. Does not belong here: whether those are right (``customer_360_checks``).
"""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.customer_360 import View, is_main
from platform_assets.analytics.customer_360_schemas import BALANCE_SCHEMA
from platform_assets.engines.engine import Engine, Frame

PARTS = ("customers", "guests", "later", "other currencies")


def balance(sales: Frame, view: View, engine: Engine) -> pa.Table:
    """Where the lines of core/sales are: rows of ``BALANCE_SCHEMA``. Those of ``all`` are counted by themselves."""
    parts = _by_part(sales, view, engine)
    lines = [_line(name, [row for row in parts if row["part"] == name]) for name in PARTS]
    every = _counted(sales.with_columns(nw.lit("all").alias("part")), view, engine)
    return pa.Table.from_pylist([*lines, _line("all", every)], BALANCE_SCHEMA)


def _by_part(sales: Frame, view: View, engine: Engine) -> list[dict[str, Any]]:
    later = nw.col("sold_at") >= datetime.combine(view.as_of + timedelta(days=1), time())
    part = (
        nw.when(later)
        .then(nw.lit("later"))
        .when(~is_main(view))
        .then(nw.lit("other currencies"))
        .when(nw.col("customer_id").is_null())
        .then(nw.lit("guests"))
        .otherwise(nw.lit("customers"))
    )
    return _counted(sales.with_columns(part.alias("part")), view, engine)


def _counted(sales: Frame, view: View, engine: Engine) -> list[dict[str, Any]]:
    other = nw.when(is_main(view)).then(nw.lit(0)).otherwise(nw.lit(1)).alias("_other")
    counted = (
        sales.with_columns(other)
        .group_by("part")
        .agg(nw.len().alias("sale_lines"), nw.col("net_amount").sum(), nw.col("_other").max())
    )
    rows: list[dict[str, Any]] = engine.collect(counted).to_pylist()
    return rows


def _line(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    amount = sum((row["net_amount"] or Decimal(0) for row in rows), Decimal(0))
    is_one_currency = not any(row["_other"] for row in rows)
    lines = sum(row["sale_lines"] for row in rows)
    return {"part": name, "sale_lines": lines, "net_amount": amount if is_one_currency else None}
