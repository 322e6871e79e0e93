from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from psycopg2 import extensions

from platform_assets.analytics.kpis.checks import breaches, broken_identities
from platform_assets.analytics.kpis.registry import DIMENSIONS, GRAINS, KPIS, Dimension, Grain
from platform_assets.analytics.kpis.sql import VALUES_SCHEMA, components_sql, ledger_sql, unavailable, values_sql
from platform_assets_tests.analytics.kpis.shop import (
    BY_HAND,
    FIRST,
    PRODUCTS,
    QUIET,
    Line,
    first_orders,
    load,
    made_up_lines,
)

AS_OF = date(2024, 6, 30)
LINES = made_up_lines()
COUNTED = [line for line in LINES if line["day"] <= AS_OF]
Connection = extensions.connection
Key = tuple[date, str, str]


@pytest.fixture
def shop(connection: Connection) -> Connection:
    load(connection, LINES)
    return connection


def select(connection: Connection, statement: str, as_of: date = AS_OF) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"as_of": as_of})
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def start_of(day: date, grain: Grain) -> date:
    starts: dict[Grain, date] = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        "all": min(line["day"] for line in COUNTED),
    }
    return starts[grain]


def member_of(line: Line, dimension: Dimension) -> str:
    if dimension == "total":
        return "all"
    value = PRODUCTS.get(line["product"]) if dimension == "category" else line[dimension]
    return value or "unknown"


def grouped(grain: Grain, dimension: Dimension) -> dict[Key, Sequence[Line]]:
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in COUNTED:
        groups[start_of(line["day"], grain), member_of(line, dimension), line["currency"]].append(line)
    return dict(groups)


def test_every_figure_is_added_up_by_hand_too() -> None:
    told_apart = {"comparable_growth_rate", "rows_loaded_rate", "quarantined_amount_rate"}

    assert set(BY_HAND) == {name for name, kpi in KPIS.items() if kpi.is_available} - told_apart


def test_postgresql_gives_what_adding_up_by_hand_gives(shop: Connection) -> None:
    firsts, compared = first_orders(COUNTED), 0
    for grain in GRAINS:
        for dimension in DIMENSIONS:
            rows = select(shop, values_sql(grain, dimension))
            found = {
                (r["kpi"], r["period_start_date"], r["member"], r["currency"]): r["value"]
                for r in rows
                if r["kpi"] in BY_HAND
            }
            expected = {
                (name, *key): figure(lines, firsts, key[0])
                for key, lines in grouped(grain, dimension).items()
                for name, figure in BY_HAND.items()
            }
            assert found.keys() == expected.keys(), (grain, dimension)
            for key, value in expected.items():
                # A median of two amounts may lie between two of the four places that are kept.
                near = 6e-5 if key[0] == "median_order_value" else None
                wanted = None if value is None else pytest.approx(float(value), rel=1e-12, abs=near)
                assert found[key] == wanted, (grain, dimension, key)
            compared += len(expected)
    assert compared > 5000


def test_money_is_exact_and_a_null_says_why(shop: Connection) -> None:
    rows = select(shop, values_sql("month", "total"))

    for row in rows:
        lines = grouped("month", "total")[row["period_start_date"], "all", row["currency"]]
        if row["kpi"] in {"gross_sales", "discounts", "returns", "net_sales"}:
            assert row["numerator"] == BY_HAND[row["kpi"]](lines, {}, FIRST)
    reasons = {row["reason"] for row in select(shop, values_sql("day", "category")) if row["value"] is None}
    assert reasons == {"no source says", "there is nothing to divide by"}


def test_only_a_period_that_is_over_is_complete(shop: Connection) -> None:
    for as_of, whole in ((date(2024, 3, 31), {"month": True, "quarter": True, "week": True}),
                         (date(2024, 3, 30), {"month": False, "quarter": False, "week": False})):  # fmt: skip
        for grain in ("month", "quarter", "week"):
            rows = select(shop, values_sql(grain, "total", ["net_sales"]), as_of)
            newest = max(row["period_start_date"] for row in rows)
            assert {row["is_complete"] for row in rows if row["period_start_date"] == newest} == {whole[grain]}


def sold(day: date, product: str | None, net: int, channel: str | None = None, **more: Any) -> Line:
    return {**QUIET, "day": day, "product": product, "channel": channel, "net": Decimal(net), **more}


YEAR_ON_YEAR = [
    # The dollars' history begins in March 2023, the euros' only in June.
    sold(date(2023, 3, 2), "P1", 100), sold(date(2024, 3, 9), "P1", 90), sold(date(2024, 3, 30), "P1", 60),
    sold(date(2023, 3, 8), "P2", 80), sold(date(2024, 3, 9), "P3", 70),
    sold(date(2023, 3, 8), None, 50, "Store"), sold(date(2024, 3, 9), None, 40, "Store"),
    sold(date(2024, 3, 9), None, 30, "Online"), sold(date(2024, 3, 9), None, 20),
    sold(date(2023, 4, 8), "P2", 10), sold(date(2024, 4, 9), "P3", 10),
    # Another shop of the same currency begins: what it sells is new, also what the first one sold before.
    sold(date(2024, 3, 9), "P1", 500, source_system="corner"),
    sold(date(2023, 6, 20), "P1", 10, source_system="shop", currency="EUR"),
    sold(date(2024, 6, 20), "P1", 20, source_system="shop", currency="EUR"),
]  # fmt: skip


def test_comparable_growth_is_that_of_what_was_sold_in_both_periods(connection: Connection) -> None:
    load(connection, [{**line, "source_row": row} for row, line in enumerate(YEAR_ON_YEAR, start=1)])

    rows = select(connection, values_sql("month", "total", ["comparable_growth_rate"]))

    found = {(row["period_start_date"], row["currency"]): row for row in rows}
    march = found[date(2024, 3, 1), "USD"]
    # P1 from 100 to 150 and the store from 50 to 40; neither P2, which is gone, nor P3, which is new.
    assert march["value"] == pytest.approx((150 + 40) / (100 + 50) - 1)
    assert march["denominator"] == 150
    without = [found[date(2024, 4, 1), "USD"], found[date(2023, 3, 1), "USD"], found[date(2024, 6, 1), "EUR"]]
    assert [(row["value"], row["reason"]) for row in without] == [
        (None, "nothing of it was sold in the same period a year before")
    ] * 3


def test_profit_without_a_cost_in_the_currency_of_the_sales_says_so(connection: Connection) -> None:
    day = date(2024, 3, 2)
    load(connection, [
        sold(day, "P1", 100, source_row=1), sold(day, "P1", 100, cost=Decimal(60), currency="CHF", source_row=2),
        sold(day, "P2", 100, currency="EUR", source_row=3),
    ])  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE warehouse.dim_product SET cost_amount = 60, price_currency = 'CHF' WHERE product_id = 'P1'"
        )
        cursor.execute("UPDATE warehouse.dim_product SET price_currency = 'CHF' WHERE product_id = 'P2'")

    rows = select(connection, values_sql("month", "total", ["profit", "margin_rate", "net_sales"]))

    found = {(row["kpi"], row["currency"]): (row["value"], row["reason"]) for row in rows}
    foreign, unknown = (
        (None, "not available: the catalogue's costs are in CHF, the sales in USD"),
        (None, "no source says"),
    )
    assert found == {
        ("profit", "USD"): foreign, ("profit", "CHF"): (40, None), ("profit", "EUR"): unknown,
        ("margin_rate", "USD"): foreign, ("margin_rate", "CHF"): (0.4, None), ("margin_rate", "EUR"): unknown,
        **{("net_sales", currency): (100, None) for currency in ("USD", "CHF", "EUR")},
    }  # fmt: skip


def record(connection: Connection, *files: tuple[str, str, int, int, int, int]) -> None:
    """Put files into the ledger: dataset, file, rows read, rows loaded, money read, money set aside."""
    with connection.cursor() as cursor:
        for dataset, file, read, loaded, amount, aside in files:
            values = (dataset, file, read, 0, read - loaded, 0, loaded, amount, 0, aside, 0, amount - aside, "read")
            cursor.execute("INSERT INTO quality.row_ledger VALUES (" + ", ".join(["%s"] * len(values)) + ")", values)


def test_shares_of_rows_and_money_are_those_of_the_ledger(connection: Connection) -> None:
    record(connection, ("shop", "a.csv", 90, 80, 1000, 15), ("shop", "b.csv", 10, 10, 200, 0))
    record(connection, ("market", "a.csv", 0, 0, 0, 0))

    rows = select(connection, ledger_sql())

    found = {(row["member"], row["kpi"]): (row["value"], row["reason"]) for row in rows}
    nothing = (None, "there is nothing to divide by")
    assert found == {
        ("shop", "rows_loaded_rate"): (pytest.approx(90 / 100), None),
        ("shop", "quarantined_amount_rate"): (pytest.approx(15 / 1200), None),
        ("market", "rows_loaded_rate"): nothing,
        ("market", "quarantined_amount_rate"): nothing,
    }


def all_values(connection: Connection) -> pa.Table:
    rows = [r for grain in GRAINS for cut in DIMENSIONS for r in select(connection, values_sql(grain, cut))]
    rows += select(connection, ledger_sql())
    return pa.concat_tables([pa.Table.from_pylist(rows, schema=VALUES_SCHEMA), unavailable()])


def test_all_checks_hold_on_the_shop_and_notice_what_does_not_add_up(shop: Connection) -> None:
    record(shop, ("shop", "a.csv", 90, 80, 1000, 15))
    table = all_values(shop)

    assert [one for one in breaches(table) if one.check != "in_range"] == []
    assert {one.kpi for one in breaches(table)} <= {"average_order_value"}

    rows = table.to_pylist()
    is_day = [row["kpi"] == "net_sales" and row["grain"] == "day" and row["dimension"] == "channel" for row in rows]
    rows[is_day.index(True)]["numerator"] += Decimal("0.0001")
    checks = {one.check for one in breaches(pa.Table.from_pylist(rows, schema=VALUES_SCHEMA))}
    assert checks == {"parts_make_the_whole", "periods_make_the_whole", "net_is_gross_less_discounts_less_returns"}


def test_the_identities_hold_in_every_cut(shop: Connection) -> None:
    for grain in GRAINS:
        for dimension in DIMENSIONS:
            components = select(shop, components_sql(grain, dimension))
            assert components
            assert broken_identities(components) == []


def test_a_cent_too_much_breaks_the_identity(shop: Connection) -> None:
    rows = select(shop, components_sql("all", "total"))
    rows[0]["returns"] += Decimal("0.01")

    (broken,) = broken_identities(rows)

    assert broken.check == "net_is_gross_less_discounts_less_returns"


def test_who_may_only_read_the_schema_analytics_gets_the_figures(shop: Connection) -> None:
    select_as = "SET ROLE retail_analyst; " + values_sql("month", "total", ["net_sales"])

    assert select(shop, select_as)
