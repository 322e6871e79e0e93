import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from math import exp, log, sqrt

import pyarrow as pa
import pytest

from platform_assets.analytics.kpis.cohorts import (
    COHORTS_SCHEMA,
    REPEAT_SCHEMA,
    SECOND_ORDER_SCHEMA,
    median_days,
    repeat_rates,
    retention_cohorts,
    second_order_times,
    time_to_second_order,
)
from platform_assets.engines.engine import INSTANT, Engine, Frame

SALES = pa.schema([("customer_id", pa.string()), ("sold_at", INSTANT), ("is_return", pa.bool_())])
AS_OF = date(2024, 4, 15)
Purchase = tuple[str | None, date]


def sales(engine: Engine, purchases: Iterable[Purchase], returns: Iterable[Purchase] = ()) -> Frame:
    rows = [
        {"customer_id": name, "sold_at": datetime(day.year, day.month, day.day, 9), "is_return": is_return}
        for some, is_return in ((purchases, False), (returns, True))
        for name, day in some
    ]
    return engine.from_arrow(pa.Table.from_pylist(rows, SALES))


THREE = [
    ("a", date(2024, 1, 3)), ("a", date(2024, 1, 20)), ("a", date(2024, 3, 1)),
    ("b", date(2024, 1, 31)),
    ("c", date(2024, 2, 10)), ("c", date(2024, 4, 2)), ("c", date(2024, 4, 20)),
    (None, date(2024, 1, 5)),
]  # fmt: skip
BACK = [("b", date(2024, 2, 3)), ("z", date(2024, 1, 3))]


def test_cohorts_count_who_ordered_and_say_nothing_of_months_that_are_not_over(engine: Engine) -> None:
    table = retention_cohorts(sales(engine, THREE, BACK), AS_OF, engine)

    assert table.schema == COHORTS_SCHEMA
    cells = {
        (r["cohort_month_date"].month, r["month_number"]): (r["customers"], r["retention_rate"])
        for r in table.to_pylist()
    }
    unknown = (None, None)
    assert cells == {
        (1, 0): (2, 1.0), (1, 1): (0, 0.0), (1, 2): (1, 0.5), (1, 3): unknown,
        (2, 0): (1, 1.0), (2, 1): (0, 0.0), (2, 2): unknown, (2, 3): unknown,
    }  # fmt: skip
    assert {row["reason"] for row in table.to_pylist()} == {None, "the month was not over on 2024-04-15"}


def test_on_the_last_day_of_a_month_the_month_counts(engine: Engine) -> None:
    table = retention_cohorts(sales(engine, THREE, BACK), date(2024, 4, 30), engine)

    cells = {(r["cohort_month_date"].month, r["month_number"]): r["customers"] for r in table.to_pylist()}
    assert (cells[1, 3], cells[2, 2], cells[2, 3]) == (0, 1, None)


def test_the_time_to_the_second_order_counts_days_not_orders(engine: Engine) -> None:
    again = [*THREE, ("b", date(2024, 1, 31))]

    times = second_order_times(sales(engine, again, BACK), AS_OF, engine).to_pylist()

    # a after 17 days, c after 52 (10 February to 2 April), b not in the 75 days from 31 January to 15 April
    assert [tuple(row.values()) for row in times] == [(17, True, 103, 1), (52, True, 65, 1), (75, False, 75, 1)]


def times(*rows: tuple[int, bool, int, int]) -> pa.Table:
    names = ("days", "has_second", "watched", "customers")
    return pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})


def test_the_curve_is_that_of_kaplan_and_meier_with_greenwoods_interval() -> None:
    # 10 customers: 2 again on day 5, 1 lost sight of on day 7, 3 again on day 9, 4 lost sight of on day 20
    curve = time_to_second_order(times((20, False, 20, 4), (5, True, 30, 2), (7, False, 7, 1), (9, True, 30, 3)))

    assert curve.schema == SECOND_ORDER_SCHEMA
    first, second = curve.to_pylist()
    assert (first["days"], first["at_risk"], first["second_orders"]) == (5, 10, 2)
    assert (second["days"], second["at_risk"], second["second_orders"]) == (9, 7, 3)
    assert [first["second_order_rate"], second["second_order_rate"]] == [
        pytest.approx(0.2),
        pytest.approx(1 - 0.8 * 4 / 7),
    ]
    spread = 1.959963984540054 * sqrt(2 / (10 * 8)) / abs(log(0.8))
    assert first["low_rate"] == pytest.approx(1 - 0.8 ** exp(-spread))
    assert first["high_rate"] == pytest.approx(1 - 0.8 ** exp(spread))
    assert median_days(curve) == 9


def test_who_is_lost_sight_of_on_a_day_was_still_watched_on_it() -> None:
    curve = time_to_second_order(times((5, True, 30, 1), (5, False, 5, 1)))

    assert curve.to_pylist()[0]["at_risk"] == 2
    assert median_days(curve) == 5


def test_without_any_second_order_there_is_no_curve_and_no_median() -> None:
    curve = time_to_second_order(times((20, False, 20, 4)))

    assert len(curve) == 0
    assert median_days(curve) is None


def test_repeat_rates_are_of_customers_who_were_watched_long_enough() -> None:
    rows = repeat_rates(times((10, True, 100, 3), (95, True, 100, 1), (99, False, 99, 4), (5, True, 80, 9)))

    assert rows.schema == REPEAT_SCHEMA
    ninety, year = rows.to_pylist()
    assert (ninety["customers"], ninety["repeaters"], ninety["repeat_rate"]) == (8, 3, 3 / 8)
    # Wilson's interval of 3 of 8
    assert (ninety["low_rate"], ninety["high_rate"]) == (
        pytest.approx(0.1368, abs=1e-4),
        pytest.approx(0.6943, abs=1e-4),
    )
    assert (year["customers"], year["repeat_rate"], year["reason"]) == (
        0,
        None,
        "no customer's first order is 365 days old",
    )


def test_cohorts_are_the_same_as_counted_one_customer_at_a_time(engine: Engine) -> None:
    chance = random.Random(5)
    purchases = [
        (f"c{chance.randrange(40)}", date(2023, 6, 1) + timedelta(days=chance.randrange(300))) for _ in range(200)
    ]

    rows = retention_cohorts(sales(engine, purchases), date(2024, 3, 31), engine).to_pylist()

    months = {name: {d.year * 12 + d.month for n, d in purchases if n == name} for name, _ in purchases}
    for row in rows:
        first = row["cohort_month_date"].year * 12 + row["cohort_month_date"].month
        cohort = [of for of in months.values() if min(of) == first]
        assert row["cohort_customers"] == len(cohort)
        wanted = sum(first + row["month_number"] in of for of in cohort)
        assert row["customers"] == (wanted if first + row["month_number"] <= 2024 * 12 + 3 else None)
