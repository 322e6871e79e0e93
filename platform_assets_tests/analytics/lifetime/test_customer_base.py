from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.lifetime.customer_base import (
    LEAST,
    LEAST_BACK,
    CustomerBase,
    Evidence,
    customer_base,
    too_few,
)
from platform_assets.analytics.lifetime.regularity import last_intervals
from platform_assets.analytics.lifetime.summaries import Split, customer_summaries, orders_by_day
from platform_assets.analytics.lifetime.value import ValueSettings
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets_tests.analytics.lifetime.sales import line, sales_table

AS_OF = date(2024, 6, 30)
Build = Callable[[list[dict[str, Any]]], CustomerBase]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    engine = DuckDBEngine(tmp_path)

    def built(lines: list[dict[str, Any]]) -> CustomerBase:
        sales = engine.from_arrow(sales_table(lines))

        def summaries(split: Split) -> pa.Table:
            return engine.collect(customer_summaries(sales, split)).sort_by("customer_id")

        tables = (engine.collect(frame(sales, AS_OF)) for frame in (orders_by_day, last_intervals))
        return customer_base(Evidence(summaries, *tables), AS_OF, 91, 91)

    yield built
    engine.close()


def shop(customers: int, back: int, *, weekly: bool = False) -> list[dict[str, Any]]:
    """Customers of a year; some come back five times, at random or like clockwork."""
    rng = np.random.default_rng(7)
    lines = []
    for number in range(customers):
        first = int(rng.integers(200, 365))
        waits = np.full(5, 7) if weekly else 1 + rng.exponential(30, 5)
        agos = first - np.cumsum(waits if number < back else [0])
        lines += [line(f"c{number:03}", AS_OF - timedelta(days=int(ago))) for ago in (first, *agos) if ago >= 0]
    return lines


@pytest.mark.parametrize(("customers", "back"), [(0, 0), (LEAST - 1, LEAST - 1), (LEAST, LEAST_BACK - 1), (200, 0)])
def test_with_too_few_customers_or_nobody_back_there_is_a_reason_and_no_value(
    customers: int, back: int, build: Build
) -> None:
    base = build(shop(customers, back))
    valued, _ = base.valued(ValueSettings(), 365, 91)

    assert base.reason == f"{customers} customers, of whom {back} came back: a model needs 50, of whom 10 came back"
    assert (base.fits, base.models.num_rows, base.groups.num_rows, valued.totals.num_rows) == (None, 0, 0, 0)
    assert valued.values.num_rows == customers
    assert valued.values["value_amount"].null_count == customers
    assert set(valued.values["reason"].to_pylist()) <= {base.reason}


def test_just_enough_customers_are_modelled(build: Build) -> None:
    base = build(shop(LEAST, LEAST_BACK))

    assert too_few(base.now) is None
    assert base.fits is not None
    assert base.fits.pooled.customers == LEAST


def test_a_model_is_chosen_on_the_holdout_and_fitted_to_everything(build: Build) -> None:
    base = build(shop(120, 90))
    used = [row for row in base.groups.to_pylist() if row["is_used"]]

    assert base.reason is None
    assert base.models["split_date"].to_pylist() == [AS_OF - timedelta(days=91)] * 3
    assert [row["model"] for row in base.models.to_pylist() if row["is_chosen"]] == [base.model.name]
    assert {(row["model"], row["fitted_group"]) for row in used} == {(base.model.name, "all"), ("gamma_gamma", "all")}
    assert {row["customers"] for row in used if row["grouping"] != "spend"} == {120}
    assert set(base.groups["grouping"].to_pylist()) == {"cohort", "channel", "spend"}


def test_too_few_customers_before_the_holdout_leave_the_first_model_untried(build: Build) -> None:
    young = [one | {"sold_at": one["sold_at"] + timedelta(days=280)} for one in shop(120, 90)]

    base = build([one for one in young if one["sold_at"].date() <= AS_OF])

    assert base.models.num_rows == 0
    assert base.model.name == "mbg_nbd"
    assert base.reason is None


def test_the_spend_model_is_told_with_what_it_supposes(build: Build) -> None:
    rng = np.random.default_rng(1)
    lines = shop(100, 80)
    cheap, dear = ([one | {"net_amount": Decimal(f"{rng.gamma(6, mean):.2f}")} for one in lines] for mean in (2, 20))

    groups = build(cheap).groups.to_pylist()

    rows = [row for row in groups if row["grouping"] == "spend"]
    assert [row["parameter"] for row in rows] == ["p", "q", "v"]
    assert {row["customers"] for row in rows} == {80}
    assert abs(rows[0]["correlation"]) < 0.2
    assert {row["correlation"] for row in groups if row["grouping"] != "spend"} == {None}
    # with a customer's fifth order and later ones at ten times the price, spend goes with the number of orders
    times: Counter[str] = Counter()
    mixed = []
    for one, other in zip(cheap, dear, strict=True):
        times[one["customer_id"]] += 1
        mixed.append(other if times[one["customer_id"]] > 4 else one)
    found = next(row for row in build(mixed).groups.to_pylist() if row["grouping"] == "spend")
    assert found["correlation"] > 0.3


@pytest.mark.parametrize(("weekly", "is_regular"), [(False, False), (True, True)])
def test_how_regularly_customers_order_is_told_beside_the_models(weekly: bool, is_regular: bool, build: Build) -> None:
    models = build(shop(120, 90, weekly=weekly)).models.to_pylist()

    assert len({(row["regularity"], row["regularity_customers"]) for row in models}) == 1
    assert 60 < models[0]["regularity_customers"] <= 90
    assert (models[0]["regularity_low"] > 1) == is_regular
