from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.anomalies.incident_tables import incidents_table, parts_table
from platform_assets.analytics.anomalies.incidents import Incident, Kind, incidents
from platform_assets.analytics.anomalies.measures import MEASURES_SCHEMA, Panel, SeriesKey, panels
from platform_assets.analytics.anomalies.series import days_table, holiday_names, judged_panels

START = date(2024, 1, 1)
DAYS = 140
ALL, WEB, STORE = (SeriesKey("shop", *name) for name in (("total", "all"), ("channel", "Web"), ("channel", "Store")))
KEYS = tuple(sorted((ALL, WEB, STORE)))


class Shop:
    """A shop with two channels of 100 and 60 orders a day, at 20 each; what happens to it is put in by hand."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.orders = {key: base * np.exp(rng.normal(0, 0.03, DAYS)) for key, base in ((WEB, 100.0), (STORE, 60.0))}
        self.price = {key: np.exp(rng.normal(0, 0.005, DAYS)) for key in (WEB, STORE)}

    def found(self) -> list[Incident]:
        return incidents(judged_panels({"shop": self.panel()}))

    def panel(self) -> Panel:
        usual = {key: orders * 20 for key, orders in self.orders.items()}
        net = {key: usual[key] * self.price[key] for key in usual}
        columns = {
            "orders": self.orders,
            "units": self.orders,
            "net_amount": net,
            "priced_amount": net,
            "usual_amount": usual,
        }
        values = {
            name: np.array([by[WEB] + by[STORE] if key == ALL else by[key] for key in KEYS])
            for name, by in columns.items()
        }
        return Panel(START, 1, KEYS, values)


def test_nothing_happens_without_a_cause() -> None:
    assert Shop().found() == []


def test_an_outage_is_one_incident_with_its_days_money_and_parts() -> None:
    shop = Shop()
    for key in (WEB, STORE):
        shop.orders[key][100:102] *= 0.05

    (found,) = shop.found()

    assert (found.kind, found.key) == (Kind.OUTAGE, ALL)
    assert (found.first, found.last) == (START + timedelta(days=100), START + timedelta(days=101))
    assert found.expected == pytest.approx(2 * 160 * 20, rel=0.05)
    assert found.impact == pytest.approx(-0.95 * 2 * 160 * 20, rel=0.06)
    assert found.lower < found.expected < found.upper
    assert found.orders_ratio == pytest.approx(0.05, rel=0.1)
    assert [part.key for part in found.parts] == [WEB, STORE]
    assert sum(part.difference for part in found.parts) == pytest.approx(found.impact, rel=0.05)


def test_a_part_that_stops_while_the_rest_goes_on_is_a_closure() -> None:
    shop = Shop()
    moved = shop.orders[STORE][90:92].copy()
    shop.orders[STORE][90:92] = 0
    shop.orders[WEB][90:92] += moved

    (found,) = shop.found()

    assert (found.kind, found.key) == (Kind.CLOSURE, STORE)
    assert found.orders_ratio == 0
    differences = {part.key: part.difference for part in found.parts}
    assert differences[WEB] == pytest.approx(-differences[STORE], rel=0.2)


def test_lower_prices_with_more_orders_are_a_promotion_and_without_a_markdown() -> None:
    shop = Shop()
    for key in (WEB, STORE):
        shop.price[key][60:63] *= 0.8
        shop.orders[key][60:63] *= 1.9
        shop.price[key][100:103] *= 0.8

    found = shop.found()

    assert [(one.kind, one.first) for one in found] == [
        (Kind.PROMOTION, START + timedelta(days=60)),
        (Kind.MARKDOWN, START + timedelta(days=100)),
    ]
    assert found[0].price_ratio == pytest.approx(0.8, abs=0.02)


def test_dearer_prices_are_a_price_increase() -> None:
    shop = Shop()
    shop.price[WEB][80:82] *= 1.3

    (found,) = shop.found()

    assert found.kind is Kind.PRICE_INCREASE


def test_a_lasting_change_is_a_level_shift() -> None:
    shop = Shop()
    for key in (WEB, STORE):
        shop.orders[key][80:] *= 1.6

    (found,) = shop.found()

    assert (found.kind, found.unusual_days) == (Kind.LEVEL_SHIFT, 7)


def test_what_happens_in_the_first_weeks_is_found_looking_back() -> None:
    shop = Shop()
    shop.orders[STORE][14:16] = 0

    (found,) = shop.found()

    assert (found.kind, found.is_retrospective) == (Kind.CLOSURE, True)


def test_one_usual_day_between_leaves_one_incident_and_two_make_two() -> None:
    shop = Shop()
    for day in (80, 82, 100, 103):
        shop.orders[WEB][day] *= 0.4

    assert [(one.first - START).days for one in shop.found()] == [80, 100, 103]


def test_segments_that_are_off_by_chance_do_not_chain_what_happens_on_different_days() -> None:
    orders, names = many_categories(200, 400)
    planted = {"c000": 300, "c001": 303, "c002": 306}
    for name, day in planted.items():
        orders[names.index(name), day] = 0

    found = incidents(judged_panels({"shop": categories(orders, names)}))

    stopped = {one.key.segment: one.first for one in found if one.kind is Kind.CLOSURE}
    assert {name: stopped.get(name) for name in planted} == {
        name: START + timedelta(days=day) for name, day in planted.items()
    }
    # Nothing that was planted lasts longer than a day.
    assert max((one.last - one.first).days for one in found) <= 3


def test_categories_that_fall_alike_on_a_day_are_one_incident_and_one_that_rises_is_another() -> None:
    orders, names = many_categories(60, 140, noise=0.0)
    orders[0:3, 100] *= 0.3
    orders[5, 100] *= 6

    found = incidents(judged_panels({"shop": categories(orders, names)}))

    on_the_day = [one for one in found if one.first == START + timedelta(days=100)]
    members = [{part.key.segment for part in one.parts if part.is_unusual} for one in on_the_day]
    assert sorted(members, key=len) == [{"c005"}, {"c000", "c001", "c002"}]


def test_a_dataset_that_stops_while_another_goes_on_is_an_outage_from_its_first_day() -> None:
    rows = [row for source, days in (("a", 400), ("b", 300)) for row in even_days(source, days)]
    panels_of = panels(pa.Table.from_pylist(rows, schema=MEASURES_SCHEMA), START + timedelta(days=399))

    (found,) = (one for one in incidents(judged_panels(panels_of)) if one.key.source_system == "b")

    assert (found.kind, found.key) == (Kind.OUTAGE, SeriesKey("b", "total", "all"))
    assert found.first == START + timedelta(days=300)


def many_categories(count: int, days: int, noise: float = 0.2) -> tuple[np.ndarray, list[str]]:
    """Orders by category and day that vary by chance alone, and a little more where there is noise."""
    rng = np.random.default_rng(1)
    usual = np.exp(rng.normal(3.5, 0.5, count))[:, None] * np.resize([1, 1, 1, 1.1, 1.2, 1.4, 0.8], days)
    rate = usual * rng.gamma(noise**-2, noise**2, usual.shape) if noise else usual + 100
    return rng.poisson(rate).astype(float), [f"c{number:03}" for number in range(count)]


def categories(orders: np.ndarray, names: list[str]) -> Panel:
    keys = (*(SeriesKey("shop", "category", name) for name in names), ALL)
    every = np.vstack([orders, orders.sum(axis=0)])
    columns = {"orders": every, "units": every}
    columns |= dict.fromkeys(("net_amount", "priced_amount", "usual_amount"), every * 20)
    return Panel(START, 1, keys, columns)


def even_days(source: str, days: int) -> list[dict[str, Any]]:
    """About 200 orders a day of a dataset."""
    rng = np.random.default_rng(5)
    rows = []
    for day, orders in enumerate(rng.poisson(200, days).tolist()):
        money = Decimal(20 * orders)
        counts = dict.fromkeys(("buyers", "orders", "units"), orders)
        amounts = {"net_amount": money, "priced_amount": money, "usual_amount": float(money), "returns_amount": 0}
        place = {"source_system": source, "dimension": "total", "segment": "all"}
        rows.append({**place, "start_date": START + timedelta(days=day), **counts, **amounts})
    return rows


def test_tables_hold_every_incident_and_its_parts() -> None:
    shop = Shop()
    shop.orders[STORE][90] = 0
    found = shop.found()

    (row,), parts = incidents_table(found).to_pylist(), parts_table(found).to_pylist()

    assert (row["kind"], row["segment"], row["first_date"]) == ("closure", "Store", START + timedelta(days=90))
    assert row["impact_amount"] == row["net_amount"] - row["expected_amount"]
    assert {part["incident_id"] for part in parts} == {row["incident_id"]}


def test_the_table_of_days_has_each_series_and_says_why_it_says_nothing() -> None:
    table = days_table(judged_panels({"shop": Shop().panel()})).to_pylist()

    assert len(table) == DAYS * (4 + 2 * 3)
    assert {row["verdict"] for row in table} == {"usual"}
    assert all(row["lower_value"] < row["expected_value"] < row["upper_value"] for row in table)


def test_holidays_come_with_a_country_only() -> None:
    span = date(2024, 12, 1), date(2024, 12, 31)

    assert holiday_names(*span, None) == {}
    assert holiday_names(*span, "GB")[date(2024, 12, 25)] == "Christmas Day"
