from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from platform_assets.analytics.products.prices import (
    PRICE_CHANGES_SCHEMA,
    PriceRules,
    catalogue_price_changes,
    sale_price_changes,
)
from platform_assets.engines.engine import Engine, Frame
from platform_assets_tests.analytics.products.shop import CURRENCIES, line, product, products, sales

FIRST = date(2024, 3, 1)
AS_OF = date(2024, 6, 30)
SPRING, SUMMER, AUTUMN = datetime(2024, 3, 1), datetime(2024, 6, 1), datetime(2024, 9, 1)


def test_the_catalogue_changes_a_price_where_a_version_has_another_one(engine: Engine) -> None:
    versions = [
        product("P1", "Toys", valid_to=SPRING, price_amount=Decimal(10)),
        product("P1", "Games", valid_from=SPRING, valid_to=SUMMER, price_amount=Decimal(10)),
        product("P1", "Games", valid_from=SUMMER, valid_to=AUTUMN, price_amount=Decimal(8)),
        product("P1", "Games", valid_from=AUTUMN, price_amount=Decimal(9)),
        product("P2", "Toys", valid_to=SPRING, price_amount=None),
        product("P2", "Toys", valid_from=SPRING, price_amount=Decimal(3)),
    ]

    table = catalogue_price_changes(products(engine, versions), "GBP", AS_OF, engine)

    assert table.schema == PRICE_CHANGES_SCHEMA
    (row,) = table.to_pylist()
    assert (row["product_id"], row["changed_date"], row["source"]) == ("P1", date(2024, 6, 1), "catalogue")
    assert (row["before_amount"], row["after_amount"], row["change_rate"]) == (Decimal(10), Decimal(8), -0.2)
    assert row["currency"] == "GBP"


def asked(prices: Iterable[str | tuple[str, ...]], start: date = FIRST, **more: object) -> list[dict[str, object]]:
    """Lines with the unit prices of one day after the other."""
    days = [(one,) if isinstance(one, str) else one for one in prices]
    return [
        line("P1", start + timedelta(days=day), 1, unit_price_amount=Decimal(price), **more)
        for day, of_day in enumerate(days)
        for price in of_day
    ]


def changes(engine: Engine, lines: list[dict[str, object]]) -> list[tuple[object, ...]]:
    rows = sale_price_changes(sales(engine, lines), CURRENCIES, AS_OF, engine).to_pylist()
    return [(r["changed_date"], r["before_amount"], r["after_amount"], r["is_temporary"]) for r in rows]


def test_a_price_that_is_asked_for_days_is_a_change_from_its_first_day(engine: Engine) -> None:
    assert changes(engine, asked(["10"] * 5 + ["12"] * 4)) == [(date(2024, 3, 6), Decimal(10), Decimal(12), False)]


def test_a_day_at_another_price_and_less_than_a_hundredth_are_no_changes(engine: Engine) -> None:
    assert changes(engine, asked([*["10"] * 5, "0.1", *["10"] * 5, *["10.05"] * 5])) == []


def test_the_usual_price_of_a_day_is_that_of_most_lines(engine: Engine) -> None:
    prices = [("10", "10", "7")] * 4 + [("7", "7", "10")] * 3

    assert changes(engine, asked(prices)) == [(date(2024, 3, 5), Decimal(10), Decimal(7), False)]


def test_a_price_that_comes_back_within_a_month_was_temporary_and_its_return_is_not(engine: Engine) -> None:
    assert changes(engine, asked(["10"] * 5 + ["8"] * 4 + ["10"] * 5)) == [
        (date(2024, 3, 6), Decimal(10), Decimal(8), True),
        (date(2024, 3, 10), Decimal(8), Decimal(10), False),
    ]


def test_currencies_have_prices_of_their_own_and_returns_have_none(engine: Engine) -> None:
    lines = [
        *asked(["10"] * 5),
        *asked(["13"] * 5, start=FIRST + timedelta(days=5), source_system="market"),
        *asked(["2"] * 5, start=FIRST + timedelta(days=5), is_return=True),
    ]

    assert changes(engine, lines) == []


def test_a_price_must_be_seen_on_as_many_days_as_the_rules_say(engine: Engine) -> None:
    frame = sales(engine, asked(["10"] * 5 + ["12"] * 4))

    for days, found in ((4, 1), (5, 0)):
        assert len(sale_price_changes(frame, CURRENCIES, AS_OF, engine, PriceRules(days=days))) == found


@pytest.mark.parametrize("as_of", [FIRST + timedelta(days=6), FIRST + timedelta(days=7)])
def test_later_sales_do_not_count(engine: Engine, as_of: date) -> None:
    table = sale_price_changes(sales(engine, asked(["10"] * 5 + ["12"] * 4)), CURRENCIES, as_of, engine)

    assert table["days_seen"].to_pylist() == ([3] if as_of == FIRST + timedelta(days=7) else [])


def test_only_days_on_which_the_price_changes_leave_the_engine(engine: Engine) -> None:
    lines = [
        *asked([("10", "10", "7"), "10", "10", "12", "12", "12", "12"]),
        *asked([("9", "8")] * 40, source_system="market"),
    ]
    taken: list[int] = []

    class Watched:
        def collect(self, frame: Frame) -> pa.Table:
            table = engine.collect(frame)
            taken.append(len(table))
            return table

    table = sale_price_changes(sales(engine, lines), CURRENCIES, AS_OF, Watched())  # type: ignore[arg-type]

    # Two stretches in one currency and one in the other, of 7 and 40 days.
    assert taken == [3]
    (row,) = table.to_pylist()
    assert (row["changed_date"], row["last_seen_before_date"], row["days_seen"]) == (
        date(2024, 3, 4),
        date(2024, 3, 3),
        4,
    )
