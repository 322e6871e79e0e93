"""Sale lines for the tests of customers: made by hand, and those of CDNOW."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.lifetime.summaries import Split, customer_summaries
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import INSTANT, MONEY

SALES = pa.schema(
    [
        ("customer_id", pa.string()),
        ("sold_at", INSTANT),
        ("net_amount", MONEY),
        ("profit_amount", MONEY),
        ("is_return", pa.bool_()),
        ("channel", pa.string()),
    ]
)
SPLIT = date(1997, 9, 30)
END = date(1998, 6, 30)
"""CDNOW's calibration ends after 39 weeks, its holdout 39 weeks later."""


def line(
    customer: str | None,
    day: date,
    amount: str = "10",
    *,
    profit: str | None = None,
    hour: int = 12,
    returned: bool = False,
    channel: str | None = "web",
) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "sold_at": datetime(day.year, day.month, day.day, hour),
        "net_amount": Decimal(amount),
        "profit_amount": None if profit is None else Decimal(profit),
        "is_return": returned,
        "channel": channel,
    }


def sales_table(lines: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(lines), SALES)


def cdnow_sales(datasets: Path, name: str = "CDNOW_sample.txt") -> pa.Table:
    """The log: customer, day, number of CDs, dollars; the sample's first column numbers customers in the master."""
    rows = [words for text in (datasets / "cdnow" / name).read_text().splitlines() if (words := text.split())]
    rows = [words[-4:] for words in rows if words[-1][-1].isdigit()]
    columns = {
        "customer_id": pa.array([words[0] for words in rows], pa.string()),
        "sold_at": pc.strptime(pa.array([words[1] for words in rows]), format="%Y%m%d", unit="us"),
        "net_amount": pa.array([Decimal(words[3]) for words in rows], MONEY),
        "profit_amount": pa.nulls(len(rows), MONEY),
        "is_return": pa.repeat(pa.scalar(value=False), len(rows)),
        "channel": pa.array(["web"] * len(rows)),
    }
    return pa.table(columns).cast(SALES)


def summaries(sales: pa.Table, split: Split, scratch: Path) -> pa.Table:
    """Customer summaries, by id."""
    engine = DuckDBEngine(scratch)
    table = engine.collect(customer_summaries(engine.from_arrow(sales), split)).sort_by("customer_id")
    engine.close()
    return table


def cdnow(datasets: Path, scratch: Path, split: date = SPLIT, holdout_days: int = (END - SPLIT).days) -> pa.Table:
    return summaries(cdnow_sales(datasets), Split(split, holdout_days), scratch)
