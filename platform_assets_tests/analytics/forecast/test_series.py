from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.forecast.grains import DAY, WEEK, Grain
from platform_assets.analytics.forecast.results import SERIES_SCHEMA
from platform_assets.analytics.forecast.series import Series, daily_revenue, of_largest, revenue_series, series_table
from platform_assets.analytics.largest import OTHERS
from platform_assets.engines.engine import INSTANT, MONEY, Engine
from platform_assets.transforms.versions import BEGINNING, END
from platform_assets_tests.analytics.products.shop import product, products

AS_OF = date(2024, 6, 30)  # a Sunday
SALES = pa.schema(
    [
        ("source_system", pa.string()),
        ("sold_at", INSTANT),
        ("net_amount", MONEY),
        ("product_id", pa.string()),
        ("category", pa.string()),
        ("channel", pa.string()),
    ]
)
VERSIONS = [product("P1", "tea"), product("P2", "toys"), product("P3")]
PRODUCTS = {"tea": "P1", "toys": "P2", "none": "P3", None: None}
CURRENCIES = {"shop": "EUR", "branch": "GBP"}
Line = Mapping[str, Any]


def line(
    day: date,
    amount: str | None,
    *,
    category: str | None = "tea",
    channel: str | None = "web",
    source: str = "shop",
    hour: int = 12,
) -> Line:
    return {
        "source_system": source,
        "sold_at": datetime(day.year, day.month, day.day, hour),
        "net_amount": None if amount is None else Decimal(amount),
        "product_id": PRODUCTS[category],
        "channel": channel,
    }


def made(
    engine: Engine,
    lines: Sequence[Line],
    grain: Grain = DAY,
    as_of: date = AS_OF,
    versions: Sequence[Mapping[str, Any]] = VERSIONS,
) -> dict[tuple[str, str, str], Series]:
    sales = engine.from_arrow(pa.Table.from_pylist(list(lines), SALES))
    daily = engine.collect(daily_revenue(sales, products(engine, versions), CURRENCIES, as_of))
    series = revenue_series(daily, grain, as_of)
    return {(one.key.currency, one.key.scope, one.key.member): one for one in series}


def test_days_without_sales_are_zero_and_returns_are_taken_off(engine: Engine) -> None:
    found = made(
        engine,
        [
            line(AS_OF - timedelta(days=3), "10.50"),
            line(AS_OF - timedelta(days=3), "-0.25", hour=23),
            line(AS_OF, "2", hour=23),
        ],
    )
    total = found["EUR", "total", "total"]
    assert total.start_date == AS_OF - timedelta(days=3)
    assert total.values.tolist() == [10.25, 0, 0, 2]


def test_currencies_are_never_added(engine: Engine) -> None:
    found = made(engine, [line(AS_OF, "10"), line(AS_OF, "7", source="branch"), line(AS_OF, "3", source="elsewhere")])
    totals = {currency: one.values.tolist() for (currency, scope, _), one in found.items() if scope == "total"}
    assert totals == {"EUR": [10], "GBP": [7], "XXX": [3]}


@pytest.mark.parametrize("scope", ["category", "channel"])
def test_members_add_up_to_the_total_also_without_a_name(engine: Engine, scope: str) -> None:
    lines = [
        line(AS_OF - timedelta(days=1), "5"),
        line(AS_OF - timedelta(days=1), "6", category="toys", channel="store"),
        line(AS_OF - timedelta(days=1), "7", category=None, channel=None),
        line(AS_OF - timedelta(days=1), "2", category="none", channel=None),
        line(AS_OF, "1"),
    ]
    found = made(engine, lines)
    members = {member: one for (_, its, member), one in found.items() if its == scope}
    assert sorted(members) == (["tea", "toys", "unknown"] if scope == "category" else ["store", "unknown", "web"])
    sums = [sum(one.values[step] for one in members.values()) for step in range(2)]
    assert sums == found["EUR", "total", "total"].values.tolist() == [20, 1]


def test_the_category_is_that_of_the_product_at_the_sale_and_the_line_need_not_name_it(engine: Engine) -> None:
    change = datetime.combine(AS_OF, time())
    versions = [
        product("P1", "tea", valid_from=BEGINNING, valid_to=change),
        product("P1", "drinks", valid_from=change, valid_to=END),
    ]
    found = made(engine, [line(AS_OF - timedelta(days=1), "5"), line(AS_OF, "6")], versions=versions)
    members = {member: one.values.tolist() for (_, scope, member), one in found.items() if scope == "category"}
    assert members == {"tea": [5, 0], "drinks": [6]}


def test_what_came_after_the_day_asked_for_and_what_has_no_amount_do_not_count(engine: Engine) -> None:
    found = made(engine, [line(AS_OF, "4"), line(AS_OF, None), line(AS_OF + timedelta(days=1), "99", hour=0)])
    assert found["EUR", "total", "total"].values.tolist() == [4]


def test_row_order_does_not_matter(engine: Engine) -> None:
    lines = [line(AS_OF - timedelta(days=day), str(day + 1), channel=f"c{day % 3}") for day in range(9)]
    assert series_table(made(engine, lines).values()).equals(series_table(made(engine, lines[::-1]).values()))


def test_all_members_but_the_largest_are_one_and_add_up_to_the_total(engine: Engine) -> None:
    lines = [
        line(AS_OF - timedelta(days=1), "5"),
        line(AS_OF - timedelta(days=1), "6", category="toys"),
        line(AS_OF, "7", category=None),
        line(AS_OF, "4", category="toys"),
    ]
    sales = engine.from_arrow(pa.Table.from_pylist(lines, SALES))
    daily = daily_revenue(sales, products(engine, VERSIONS), CURRENCIES, AS_OF)

    found = revenue_series(engine.collect(of_largest(daily, AS_OF, engine, most=1)), DAY, AS_OF)

    assert {one.key.member: one.values.tolist() for one in found} == {
        "toys": [6, 4],
        OTHERS: [5, 7],
        "web": [11, 11],
        "total": [11, 11],
    }


def test_weeks_that_the_data_cut_are_dropped() -> None:
    monday = date(2024, 6, 3)
    daily = daily_table([(monday - timedelta(days=2), "100"), (monday, "1"), (monday + timedelta(days=13), "2")])
    whole = revenue_series(daily, WEEK, monday + timedelta(days=13))[-1]
    assert (whole.start_date, whole.values.tolist()) == (monday, [1, 2])
    cut = revenue_series(daily, WEEK, monday + timedelta(days=12))[-1]
    assert (cut.start_date, cut.values.tolist()) == (monday, [1])


def test_a_member_begins_with_its_first_revenue_and_goes_on_to_the_end() -> None:
    monday = date(2024, 6, 3)
    days = [(monday, "1"), (monday + timedelta(days=8), "5")]
    daily = daily_table(days, channels=["web", "store"])
    store = next(one for one in revenue_series(daily, WEEK, date(2024, 6, 30)) if one.key.member == "store")
    assert (store.start_date, store.values.tolist()) == (date(2024, 6, 10), [5, 0, 0])
    assert store.date_of(3) == date(2024, 7, 1)


def test_nothing_sold_in_whole_weeks_is_no_series() -> None:
    assert revenue_series(daily_table([(date(2024, 6, 5), "1")]), WEEK, date(2024, 6, 30)) == []


def test_the_table_has_its_schema_and_exact_money() -> None:
    daily = daily_table([(date(2024, 6, 29), "0.1"), (date(2024, 6, 29), "0.2"), (date(2024, 6, 30), "1234567.8901")])
    table = series_table(revenue_series(daily, DAY, AS_OF))
    assert table.schema == SERIES_SCHEMA
    total = [row for row in table.to_pylist() if row["scope"] == "total"]
    assert [(row["period_start_date"], row["revenue_amount"]) for row in total] == [
        (date(2024, 6, 29), Decimal("0.3000")),
        (date(2024, 6, 30), Decimal("1234567.8901")),
    ]


def daily_table(days: Sequence[tuple[date, str]], channels: Sequence[str] | None = None) -> pa.Table:
    lines = [
        {
            "currency": "EUR",
            "category": "tea",
            "channel": channel,
            "day": day,
            "revenue_amount": Decimal(amount),
        }
        for (day, amount), channel in zip(days, channels or ["web"] * len(days), strict=True)
    ]
    return pa.Table.from_pylist(lines)
