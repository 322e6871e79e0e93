"""Odd customers and odd days: every table comes out, with reasons where nothing can be said, and never a failure."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.churn.checks import faulty_actions, faulty_rates, measurement_apart
from platform_assets.analytics.customer_value import customer_value, valued_lines
from platform_assets.analytics.lifetime.checks import faulty_groups, faulty_values, totals_apart
from platform_assets.analytics.lifetime.summaries import Split, customer_summaries
from platform_assets.analytics.lifetime.value import ValueSettings
from platform_assets.analytics.settings import AnalyticsSettings
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import Engine
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets_tests.analytics.lifetime.sales import END, SPLIT, cdnow_sales, line, sales_table
from platform_assets_tests.analytics.products import shop as products

AS_OF = date(2024, 6, 30)
Lines = list[dict[str, Any]]
Compute = Callable[..., dict[str, pa.Table]]


@pytest.fixture
def compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Compute]:
    """With few draws, for speed: how many there are decides how smooth intervals are, and no more."""
    monkeypatch.setattr(f"{customer_value.__module__}.ValueSettings", partial(ValueSettings, draws=3, futures=30))
    engine = DuckDBEngine(tmp_path)
    yield lambda lines, day, **settings: customer_value(
        engine.from_arrow(sales_table(lines)), day, AnalyticsSettings(**settings), engine, lambda _: None
    )
    engine.close()


def ago(days: float) -> date:
    return AS_OF - timedelta(days=int(days))


def shop(amounts: Callable[[np.random.Generator], float] = lambda rng: rng.gamma(4, 5), customers: int = 160) -> Lines:
    """Customers of two years who order at random and leave some day."""
    rng = np.random.default_rng(5)
    lines = []
    for number in range(customers):
        birth, pace = rng.uniform(0, 730), rng.gamma(1, 60)
        moment, end = birth, birth - rng.exponential(400)
        while moment >= max(end, 0):
            lines.append(line(f"c{number:03}", ago(moment), f"{amounts(rng):.2f}"))
            moment -= 1 + rng.exponential(pace)
    return lines


def changed(lines: Lines, **values: Any) -> Lines:
    return [one | values for one in lines]


def sometimes(lines: Lines, odd: int, **values: Any) -> Lines:
    return [one | values if number % odd == 0 else one for number, one in enumerate(lines)]


ODD: dict[str, Lines] = {
    "nothing at all": [],
    "guests only": changed(shop(), customer_id=None),
    "one order": [line("a", ago(9))],
    "returns only": changed(shop(), is_return=True, net_amount=Decimal(-5)),
    "everyone on the last day": [line(f"c{number}", AS_OF, hour=number % 24) for number in range(300)],
    "everyone on one day long ago": [line(f"c{number}", ago(500)) for number in range(300)],
    "everyone every day": [line(f"c{number}", ago(days)) for number in range(120) for days in range(400)],
    "everyone once a week": [line(f"c{number}", ago(days)) for number in range(120) for days in range(0, 700, 7)],
    "nobody for two horizons": [one for one in shop() if one["sold_at"].date() < ago(190)],
    "free of charge": shop(lambda _: 0.0),
    "always the same amount": shop(lambda _: 10.0),
    "amounts without a mean": shop(lambda rng: float(rng.pareto(0.5) + 1)),
    "amounts that are not known": changed(shop(), net_amount=None),
    "some amounts and no channel that are known": sometimes(changed(shop(), channel=None), 3, net_amount=None),
    "everything sold at a loss": changed(shop(), profit_amount=Decimal(-7)),
    "more returned than sold": shop() + changed(shop(), is_return=True, net_amount=Decimal(-90)),
    "orders in the future": shop() + [line(f"c{number:03}", ago(-30)) for number in range(160)],
    "sales below nothing, before the epoch of the computer": [
        one | {"sold_at": one["sold_at"].replace(year=one["sold_at"].year - 60, day=1)}
        for one in sometimes(shop(), 4, net_amount=Decimal(-30))
    ],
}


@pytest.mark.parametrize("lines", ODD.values(), ids=ODD.keys())
def test_odd_customers_never_make_it_fail_and_break_no_rule(lines: Lines, compute: Compute) -> None:
    tables = compute(lines, AS_OF)

    counts = {**faulty_values(tables["lifetime_values"]), **faulty_rates(tables["churn_rates"])}
    counts |= faulty_actions(tables["retention_actions"])
    counts |= faulty_groups(tables["lifetime_groups"], tables["lifetime_values"])
    assert {name: count for name, count in counts.items() if count} == {}
    assert measurement_apart(tables["retention_measurement"], tables["retention_actions"]) == []
    assert not any(totals_apart(tables["lifetime_values"], tables["lifetime_totals"]).values())
    ordered = {one["customer_id"] for one in lines if not one["is_return"] and one["sold_at"].date() <= AS_OF} - {None}
    for name in ("lifetime_values", "churn_rates", "retention_actions"):
        assert set(tables[name]["customer_id"].to_pylist()) == ordered, name


@pytest.mark.parametrize("back", [91, 5000])
def test_a_day_in_the_past_knows_nothing_of_what_came_later(back: int, compute: Compute) -> None:
    lines, day = shop(customers=200), ago(back)

    tables = compute(lines, day)

    assert tables == compute([one for one in lines if one["sold_at"].date() <= day], day)
    assert set(tables["lifetime_values"]["as_of_date"].to_pylist()) <= {day}


def test_with_nobody_held_out_everyone_has_an_action_and_no_effect_can_be_measured(compute: Compute) -> None:
    tables = compute(shop(), AS_OF, held_out_rate=0.0)

    ranked, measured = tables["retention_actions"], tables["retention_measurement"].to_pylist()
    assert not any(faulty_actions(ranked).values())
    assert set(ranked["is_held_out"].to_pylist()) == {False}
    assert measurement_apart(tables["retention_measurement"], ranked) == []
    assert sum(row["customers"] for row in measured) > 0
    told = {
        (row["held_out"], row["customers_needed"], row["is_measurable"], row["detectable_lift_rate"])
        for row in measured
    }
    assert told == {(0, None, False, None)}


def test_profit_is_that_of_the_source_and_else_net_sales_less_the_cost_of_the_catalogue(engine: Engine) -> None:
    """Three for 30 at a cost of 4 each bring 18, another three 2 by the source; of a third line nothing is known."""
    known = {"customer_id": "a", "quantity": 3, "channel": "web"}
    lines = [
        products.line("P1", AS_OF, 30, **known),
        products.line("P1", AS_OF, 30, **known, profit_amount=Decimal(2)),
        products.line("P2", AS_OF, 30, **known),
    ]
    catalogue = products.products(engine, [products.product("P1", cost_amount=Decimal(4)), products.product("P2")])

    def margin(costs_in: str) -> tuple[Any, Any]:
        valued = valued_lines(products.sales(engine, lines), catalogue, {"shop": "EUR", CATALOG: costs_in})
        row = engine.collect(customer_summaries(valued, Split(AS_OF))).to_pylist()[0]
        return row["margin_amount"], row["margin_known_amount"]

    assert margin("EUR") == (20, 60)
    assert margin("USD") == (2, 30)


def test_without_money_orders_are_told_and_the_reason_says_so(compute: Compute) -> None:
    values = compute(ODD["free of charge"], AS_OF)["lifetime_values"]

    assert values["expected_orders"].null_count == 0
    assert set(values["reason"].to_pylist()) == {"too few customers came back with money in their orders to model it"}


def test_from_the_log_of_cdnow_to_its_published_figures(shared_datasets: Path, tmp_path: Path) -> None:
    engine, settings = DuckDBEngine(tmp_path), AnalyticsSettings(holdout_days=(END - SPLIT).days)

    tables = customer_value(engine.from_arrow(cdnow_sales(shared_datasets)), END, settings, engine, lambda _: None)
    engine.close()

    models = {row["model"]: row for row in tables["lifetime_models"].to_pylist()}
    likelihoods = {name: row["log_likelihood"] for name, row in models.items()}
    published = {"bg_nbd": -9582.429, "pareto_nbd": -9594.976, "mbg_nbd": -9582.136}
    assert likelihoods == pytest.approx(published, abs=0.05)
    used = models["pareto_nbd"]
    assert used["is_chosen"]
    assert (used["split_date"], used["customers"], used["orders"]) == (SPLIT, 2357, 1882)
    assert used["correlation"] == pytest.approx(0.630, abs=5e-4)
    assert used["mean_absolute_error"] == pytest.approx(0.755, abs=1e-3)
    assert used["tracking_error_rate"] == pytest.approx(0.0131, abs=1e-4)
    churn = {row["score"]: row for row in tables["churn_evaluation"].to_pylist()}
    chosen = next(row for row in churn.values() if row["is_used"])
    assert chosen["area_under_curve"] >= 0.77
    assert chosen["area_under_curve"] > churn["recency"]["area_under_curve"]
    horizon = timedelta(days=settings.churn_horizon_days)
    assert (chosen["choice_date"], chosen["split_date"]) == (END - 2 * horizon, END - horizon)
    assert tables["lifetime_values"]["value_amount"].null_count == 0
    assert {table.num_rows for name, table in tables.items() if table.column_names[0] == "customer_id"} == {2357}
