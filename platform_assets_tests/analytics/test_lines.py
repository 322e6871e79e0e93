"""What several analyses ask of sale lines."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from platform_assets.analytics.lines import with_measures, with_profit
from platform_assets.engines.engine import Engine
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets_tests.analytics.products.shop import line, product, products, sales

DAY = date(2024, 6, 20)
LINES = [
    line("P1", DAY, 30, quantity=3),
    line("P1", DAY, -10, quantity=-1, is_return=True),
    line("P1", DAY, 30, quantity=3, profit_amount=Decimal(2)),
    line("P2", DAY, 30),
    line(None, DAY, 30),
    line("P1", DAY, 30, quantity=3, source_system="market"),
]
SAME = [(12, 18, 30), (-4, -6, -10), (12, 2, 30)]
UNKNOWN = (None, None, None)


@pytest.mark.parametrize(
    ("costs_in", "expected"),
    [
        ("GBP", [*SAME, UNKNOWN, UNKNOWN, UNKNOWN]),
        # The profit that the source tells is in the currency of its sales.
        ("USD", [UNKNOWN, UNKNOWN, (None, 2, 30), UNKNOWN, UNKNOWN, (12, 18, 30)]),
        ("EUR", [UNKNOWN, UNKNOWN, (None, 2, 30), UNKNOWN, UNKNOWN, UNKNOWN]),
    ],
)
def test_a_cost_counts_for_sales_in_its_own_currency_alone(
    engine: Engine, costs_in: str, expected: list[tuple[Any, ...]]
) -> None:
    known = products(engine, [product("P1", cost_amount=Decimal(4)), product("P2")])
    currencies = {"shop": "GBP", "market": "USD", CATALOG: costs_in}

    found = engine.collect(with_profit(with_measures(sales(engine, LINES)), known, currencies))

    rows = sorted(found.to_pylist(), key=lambda row: row["_source_row"])
    assert [(row["cost"], row["profit"], row["net_sales_with_profit"]) for row in rows] == expected
