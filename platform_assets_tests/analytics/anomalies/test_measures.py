import random
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from platform_assets.analytics.anomalies.measures import (
    DIMENSIONS,
    MEASURES_SCHEMA,
    SeriesKey,
    file_days,
    measured,
    panels,
)
from platform_assets.analytics.anomalies.prices import USUAL_SCHEMA, categorised, no_products, paid, usual_prices
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.anomalies.sales import Row, products, sale, sales

DAY = datetime(2024, 3, 6, 10)  # a Wednesday
AS_OF = date(2024, 12, 31)
START = date(2023, 1, 2)


def reduced(
    engine: Engine,
    rows: list[Row],
    period: str = "day",
    usual: list[Row] | None = None,
    versions: pa.Table | None = None,
) -> dict[tuple[str, str, date], Row]:
    lines = categorised(
        engine.from_arrow(sales(rows)), engine.from_arrow(no_products() if versions is None else versions), AS_OF
    )
    prices = engine.from_arrow(pa.Table.from_pylist(usual or [], schema=USUAL_SCHEMA))
    table = measured(lines, prices, engine, period)  # type: ignore[arg-type]
    return {(row["dimension"], row["segment"], row["start_date"]): row for row in table.to_pylist()}


def test_a_day_has_its_buyers_orders_units_and_money_in_total_and_by_segment(engine: Engine) -> None:
    rows = [
        sale(DAY, quantity=2, net="20"),
        sale(DAY, "P2", quantity=1, net="5"),
        sale(DAY, quantity=1, net="10", order_id="o2", channel="Mobile"),
        sale(DAY, quantity=1, net="7", order_id="o3", customer_id=None, channel=None),
        sale(DAY, quantity=-1, net="-4", order_id="C1"),
    ]

    found = reduced(engine, rows)

    whole = found["total", "all", DAY.date()]
    assert (whole["buyers"], whole["orders"], whole["units"]) == (2, 3, 5)
    assert (whole["net_amount"], whole["returns_amount"]) == (Decimal(38), Decimal(4))
    assert found["channel", "Online", DAY.date()]["net_amount"] == Decimal(21)
    assert found["channel", "Mobile", DAY.date()]["orders"] == 1
    assert {key[0] for key in found} == {"total", "channel"}


def test_lines_without_an_order_are_orders_of_their_own(engine: Engine) -> None:
    rows = [sale(DAY, None, order_id=None), sale(DAY, None, order_id=None)]

    assert reduced(engine, rows)["total", "all", DAY.date()]["orders"] == 2


def test_the_category_is_that_of_the_product_at_the_sale_else_that_of_the_line(engine: Engine) -> None:
    change = datetime(2024, 3, 7)
    versions = products([("P1", "Toys", None, change), ("P1", "Games", change, None)])
    rows = [
        sale(DAY),
        sale(change, net="3"),
        sale(DAY, "P9", net="1", category="Books"),
        sale(DAY, None, net="2"),
    ]

    found = reduced(engine, rows, versions=versions)

    money = {key[1:]: row["net_amount"] for key, row in found.items() if key[0] == "category"}
    assert money == {
        ("Toys", DAY.date()): Decimal(10),
        ("Games", change.date()): Decimal(3),
        ("Books", DAY.date()): Decimal(1),
    }


def test_a_week_begins_on_monday(engine: Engine) -> None:
    days = [datetime(2024, 3, 3, 23, 59), datetime(2024, 3, 4), datetime(2024, 3, 10, 23, 59), datetime(2024, 3, 11)]

    found = reduced(engine, [sale(day) for day in days], "week")

    assert {key[2]: row["net_amount"] for key, row in found.items() if key[0] == "total"} == {
        date(2024, 2, 26): Decimal(10),
        date(2024, 3, 4): Decimal(20),
        date(2024, 3, 11): Decimal(10),
    }


def test_the_level_of_prices_is_what_was_paid_by_what_it_usually_costs(engine: Engine) -> None:
    usual = [{"source_system": "shop", "product_id": name, "usual_price": 10.0, "lines": 9} for name in ("P1", "P2")]
    rows = [
        sale(DAY, quantity=2, net="16"),
        sale(DAY, "P2", net="9"),
        sale(DAY, "unknown", net="99"),
        sale(DAY, net="31"),  # more than three times the usual price: a wrong price, not a level
        sale(DAY, quantity=-1, net="-10"),
    ]

    whole = reduced(engine, rows, usual=usual)["total", "all", DAY.date()]

    assert (whole["priced_amount"], whole["usual_amount"]) == (Decimal(25), 30.0)


@pytest.mark.parametrize(("price", "quantity", "net"), [(3.24, 14, "15.12"), (1.1, 3, "1.1"), (0.7, 3, "0.7")])
def test_a_third_of_the_usual_price_still_counts_on_every_engine(
    engine: Engine, price: float, quantity: int, net: str
) -> None:
    usual = [{"source_system": "shop", "product_id": "P1", "usual_price": price, "lines": 9}]

    whole = reduced(engine, [sale(DAY, quantity=quantity, net=net)], usual=usual)["total", "all", DAY.date()]

    assert (whole["priced_amount"], whole["usual_amount"]) == (Decimal(net), pytest.approx(price * quantity))


def test_what_things_usually_cost_adds_up_to_the_same_number_in_any_order(engine: Engine) -> None:
    usual = [
        {"source_system": "shop", "product_id": f"P{place}", "usual_price": 0.1 * place, "lines": 9}
        for place in range(1, 40)
    ]
    rows = [sale(DAY, f"P{place}", quantity=7, net=f"{0.7 * place:.2f}") for place in range(1, 40)]

    totals = {
        reduced(engine, order, usual=usual)["total", "all", DAY.date()]["usual_amount"]
        for order in (rows, rows[::-1], rows[20:] + rows[:20])
    }

    assert totals == {0.7 * 39 * 40 / 2}


def test_sales_after_the_day_do_not_count(engine: Engine) -> None:
    rows = [sale(datetime(2024, 12, 31, 23, 59)), sale(datetime(2025, 1, 1))]

    assert set(reduced(engine, rows)) == {
        ("total", "all", date(2024, 12, 31)),
        ("channel", "Online", date(2024, 12, 31)),
    }


def test_the_order_of_rows_does_not_matter(engine: Engine) -> None:
    chance = random.Random(1)
    rows = [
        sale(DAY + timedelta(days=chance.randrange(9)), f"P{chance.randrange(3)}", order_id=f"o{place // 2}")
        for place in range(40)
    ]
    numbered = [{**row, "_source_row": place} for place, row in enumerate(rows)]

    assert reduced(engine, numbered) == reduced(engine, chance.sample(numbered, len(numbered)))


def test_the_usual_price_is_the_median_of_what_lines_brought_in(engine: Engine) -> None:
    nets = ["10", "10", "12", "30", "9"]
    rows = [sale(DAY, quantity=1, net=net) for net in nets]
    rows += [sale(DAY, quantity=3, net="30"), sale(DAY, quantity=-1, net="-1"), *[sale(DAY, "rare")] * 4]
    lines = categorised(engine.from_arrow(sales(rows)), engine.from_arrow(no_products()), AS_OF)

    found = usual_prices(engine.collect(paid(lines))).to_pylist()

    assert found == [{"source_system": "shop", "product_id": "P1", "usual_price": 10.0, "lines": 6}]


def test_a_panel_has_a_zero_for_each_period_without_sales_up_to_the_day(engine: Engine) -> None:
    rows = [
        sale(DAY),
        sale(DAY + timedelta(days=3), net="4", channel="Mobile"),
        sale(DAY, source_system="stores"),
    ]
    lines = categorised(engine.from_arrow(sales(rows)), engine.from_arrow(no_products()), AS_OF)
    usual = engine.from_arrow(USUAL_SCHEMA.empty_table())
    last = DAY.date() + timedelta(days=8)  # a Thursday

    daily = panels(measured(lines, usual, engine), last, covered={"shop": 5, "stores": 1})
    weekly = panels(measured(lines, usual, engine, "week"), last, "week")

    assert DIMENSIONS == ("channel", "category")
    found = {
        (name, *key): panel.values["net_amount"][panel.row(SeriesKey(name, *key))].tolist()
        for name, panel in daily.items()
        for key in (("total", "all"), ("channel", "Mobile"))
        if SeriesKey(name, *key) in panel.keys
    }
    assert found == {
        ("shop", "total", "all"): [10, 0, 0, 4],  # its files may be late
        ("shop", "channel", "Mobile"): [0, 0, 0, 4],
        ("stores", "total", "all"): [10, 0, 0, 0, 0, 0, 0, 0, 0],
    }
    assert daily["stores"].start == DAY.date()
    whole = SeriesKey("stores", "total", "all")
    assert weekly["stores"].values["net_amount"][weekly["stores"].row(whole)].tolist() == [10, 0]


@pytest.mark.parametrize(
    ("gaps", "covered", "silent", "told"),
    [
        ([], {"shop": 1}, 1, False),  # the file of the newest day is still to come
        ([], {"shop": 1}, 2, True),
        ([], {"shop": 7}, 7, False),  # files come once a week
        ([], {"shop": 7}, 8, True),
        ([], None, 6, False),  # one file says nothing of the next
        ([], None, 7, True),
        ([3], {"shop": 1}, 3, False),  # it was closed as long at Easter
        ([3], {"shop": 1}, 4, True),
        ([3, 30], {"shop": 1}, 4, True),  # a month was no closing day
        ([6], {"shop": 1}, 7, True),
    ],
)
def test_a_silence_is_told_once_it_is_longer_than_what_a_file_covers_and_than_any_of_the_last_year(
    gaps: list[int], covered: dict[str, int] | None, silent: int, *, told: bool
) -> None:
    lengths = [200, *(length for gap in gaps for length in (-gap, 60))]
    days, day = [], START
    for length in lengths:
        days += [day + timedelta(days=number) for number in range(length)]
        day += timedelta(days=abs(length))

    (panel,) = panels(table_of(days), days[-1] + timedelta(days=silent), covered=covered).values()

    assert panel.days[-1] == days[-1] + timedelta(days=silent if told else 0)


def test_how_many_days_a_file_covers_is_that_of_the_middle_one(engine: Engine) -> None:
    ends_of = {"a": (0, 400), "b": (400, 406), "c": (407, 413), "d": (414, 414)}
    rows = [
        sale(DAY + timedelta(days=day), _source_file=f"{name}.csv") for name, ends in ends_of.items() for day in ends
    ]
    weekly = [{**row, "source_system": "weekly"} for row in rows]
    lines = engine.from_arrow(sales([*weekly, sale(DAY), sale(DAY + timedelta(days=9))]))

    # 401, 7, 7 and 1 days; of the other dataset there is one file.
    assert file_days(lines, engine) == {"weekly": 7}


def test_a_silence_of_more_than_a_year_ago_is_no_measure() -> None:
    days = [START, *(START + timedelta(days=number) for number in range(4, 370))]

    (panel,) = panels(table_of(days), days[-1] + timedelta(days=2), covered={"shop": 1}).values()

    assert panel.days[-1] == days[-1] + timedelta(days=2)


def table_of(days: list[date]) -> pa.Table:
    """One order of each day."""
    place = {"source_system": "shop", "dimension": "total", "segment": "all"}
    numbers = {name: 1 for name in MEASURES_SCHEMA.names if name not in {*place, "start_date"}}
    rows = [{**place, **numbers, "start_date": day} for day in days]
    return pa.Table.from_pylist(rows, schema=MEASURES_SCHEMA)
