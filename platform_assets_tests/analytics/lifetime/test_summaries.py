import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.lifetime.summaries import (
    ORDER_DAYS_SCHEMA,
    SUMMARIES_SCHEMA,
    Split,
    customer_days,
    customer_summaries,
    orders_by_day,
)
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.lifetime.sales import END, SPLIT, cdnow_sales, line, sales_table, summaries

AS_OF = date(2024, 6, 30)


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def summarised(engine: Engine, lines: Sequence[dict[str, Any]], split: Split) -> dict[str, dict[str, Any]]:
    table = engine.collect(customer_summaries(engine.from_arrow(sales_table(lines)), split))
    assert table.schema.names == SUMMARIES_SCHEMA.names
    return {row["customer_id"]: row for row in table.to_pylist()}


def test_a_customer_is_summarised_on_both_sides_of_the_split(engine: Engine) -> None:
    lines = [
        line("a", ago(70), "20", profit="5", channel="web"),
        line("a", ago(70), "5", hour=23, channel="store"),  # the same day: the same order
        line("a", ago(35), "0"),  # free: an order, but no spend
        line("a", ago(7), "30", profit="8", channel="app"),
        line("a", ago(3), "-4", returned=True),
        line("a", ago(0), "6", hour=23),
        line("a", ago(-1), "100", hour=0),
        line("a", ago(-9), "1"),
        line("a", ago(-11), "500"),
        line("b", ago(14), "7", channel=None),
        line("later", ago(-1), "9"),
        line("returner", ago(5), "-9", returned=True),
        line(None, ago(5), "9"),
    ]

    found = summarised(engine, lines, Split(AS_OF, holdout_days=10, recent_days=8))

    assert set(found) == {"a", "b"}
    assert found["a"] == {
        "customer_id": "a",
        "as_of_date": AS_OF,
        "channel": "store",
        "first_order_date": ago(70),
        "last_order_date": AS_OF,
        "frequency": 3,
        "recency_weeks": 10.0,
        "age_weeks": 10.0,
        "spend_orders": 2,
        "repeat_spend_amount": Decimal(36),
        "recent_orders": 2,
        "sales_amount": Decimal(61),
        "returns_amount": Decimal(4),
        "margin_known_amount": Decimal(50),
        "margin_amount": Decimal(13),
        "whole_recency_weeks": pytest.approx(79 / 7),
        "holdout_orders": 2,
        "holdout_amount": Decimal(101),
    }
    assert found["b"]["channel"] is None
    assert (found["b"]["frequency"], found["b"]["recency_weeks"], found["b"]["age_weeks"]) == (0, 0.0, 2.0)
    assert (found["b"]["returns_amount"], found["b"]["margin_amount"]) == (Decimal(0), Decimal(0))


def test_nobody_is_summarised_as_nobody(engine: Engine) -> None:
    assert summarised(engine, [], Split(AS_OF)) == {}


def test_orders_are_counted_by_cohort_and_day(engine: Engine) -> None:
    lines = [line("a", ago(9)), line("a", ago(9)), line("b", ago(9)), line("a", ago(2)), line("b", ago(-1))]

    table = engine.collect(orders_by_day(engine.from_arrow(sales_table(lines)), AS_OF))

    assert table.schema.names == ORDER_DAYS_SCHEMA.names
    found = {(row["first_order_date"], row["order_date"]): row["orders"] for row in table.to_pylist()}
    assert found == {(ago(9), ago(9)): 2, (ago(9), ago(2)): 1}


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    lines = [
        line(f"c{chance.randrange(9)}", ago(chance.randrange(-20, 300)), str(chance.randrange(50))) for _ in range(99)
    ]
    turned = random.Random(2).sample(lines, len(lines))
    split = Split(AS_OF, 20)

    assert summaries(sales_table(turned), split, tmp_path) == summaries(sales_table(lines), split, tmp_path)


def test_cdnow_has_its_published_counts(cdnow_summaries: pa.Table) -> None:
    assert cdnow_summaries.num_rows == 2357
    assert sum(cdnow_summaries["frequency"].to_pylist()) == 2457
    assert cdnow_summaries["frequency"].to_pylist().count(0) == 1411
    assert sum(cdnow_summaries["holdout_orders"].to_pylist()) == 1882
    assert cdnow_summaries["holdout_orders"].to_pylist().count(0) == 1673


def test_orders_of_cdnow_are_days_not_rows(shared_datasets: Path, tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path)
    sales = cdnow_sales(shared_datasets)

    days = engine.collect(customer_days(engine.from_arrow(sales), END))

    assert (sales.num_rows, days.num_rows) == (6919, 6696)
    assert SPLIT < END
