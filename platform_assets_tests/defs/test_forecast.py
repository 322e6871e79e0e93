"""The forecast of a shop whose newest day is half over."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.config import Config
from platform_assets.defs import forecast
from platform_assets.defs.topics import Inputs, Tables
from platform_assets.engines.engine import Engine
from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.transforms.versions import BEGINNING, END

NEWEST = date(2024, 6, 26)
BEFORE = NEWEST - timedelta(days=1)
DAYS = 35
"""Days before the newest, on which 60 is sold at ten and 40 at eight in the evening; on the newest, 60 at ten."""


def sold(day: date, hour: int, amount: int) -> dict[str, Any]:
    return {
        "source_system": "superstore_sales",
        "sold_at": datetime.combine(day, time(hour)),
        "net_amount": Decimal(amount),
        "product_id": "P1",
    }


def made(engine: Engine, patch: pytest.MonkeyPatch, as_of: date | None) -> Tables:
    days = [NEWEST - timedelta(days=back) for back in range(1, DAYS + 1)]
    lines = [sold(day, hour, amount) for day in days for hour, amount in ((10, 60), (20, 40))] + [sold(NEWEST, 10, 60)]
    product = {"product_id": "P1", "valid_from": BEGINNING, "valid_to": END, "category": "tea"}
    sales = engine.from_arrow(pa.Table.from_pylist(lines, SALES_SCHEMA))
    products = engine.from_arrow(pa.Table.from_pylist([product], PRODUCTS_SCHEMA))
    patch.setattr(forecast, "sales_rows", lambda *_: sales)
    patch.setattr(forecast, "whole_rows", lambda *_: products)
    table: Any = SimpleNamespace(snapshot=lambda: None)
    platform: Any = SimpleNamespace(settings=SimpleNamespace(as_of=as_of), config=Config(), engine=engine)
    return forecast._compute(Inputs(platform, {"sales": table, "products": table}, NEWEST, lambda _: None))


@pytest.mark.parametrize(("as_of", "last", "amount"), [(None, BEFORE, 100), (NEWEST, NEWEST, 60)])
def test_a_day_that_is_not_over_is_not_taken_for_a_poor_one_unless_it_is_asked_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, as_of: date | None, last: date, amount: int
) -> None:
    tables = made(engine, monkeypatch, as_of)

    days = [row for row in tables["revenue_series"].to_pylist() if (row["grain"], row["scope"]) == ("day", "total")]
    assert (days[-1]["period_start_date"], days[-1]["revenue_amount"]) == (last, amount)
    assert {row["as_of_date"] for row in tables["revenue_forecasts"].to_pylist()} == {last}


def test_categories_are_those_of_the_catalogue(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made(engine, monkeypatch, None)["revenue_series"].to_pylist()

    revenue = {row["member"]: 0 for row in rows if row["scope"] == "category"}
    for row in rows:
        if (row["scope"], row["grain"]) == ("category", "day"):
            revenue[row["member"]] += row["revenue_amount"]
    assert revenue == {"tea": DAYS * 100}
