from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.lifetime.beta_geometric import MbgNbd
from platform_assets.analytics.lifetime.bootstrap import parameter_draws
from platform_assets.analytics.lifetime.checks import faulty_values
from platform_assets.analytics.lifetime.fitting import MODELS, fit
from platform_assets.analytics.lifetime.gamma_gamma import SpendFit
from platform_assets.analytics.lifetime.groups import GroupFits, fit_groups
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import TransactionModel
from platform_assets.analytics.lifetime.orders_ahead import Horizon, discounted_orders
from platform_assets.analytics.lifetime.pareto import ParetoNbd
from platform_assets.analytics.lifetime.summaries import SUMMARIES_SCHEMA
from platform_assets.analytics.lifetime.value import (
    Around,
    ValueSettings,
    customer_values,
    spend_fit,
)
from platform_assets.analytics.lifetime.value_schemas import TOTALS_SCHEMA, VALUES_SCHEMA
from platform_assets.analytics.lifetime.worth import ESTIMATED, MARGIN, REVENUE

QUICK = ValueSettings(draws=4, futures=40)


def floats(table: pa.Table, name: str) -> Array:
    values: Array = table[name].cast(pa.float64()).to_numpy()
    return values


def with_columns(table: pa.Table, **columns: pa.Array) -> pa.Table:
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table.cast(SUMMARIES_SCHEMA)


@pytest.fixture(scope="module")
def fits(cdnow_summaries: pa.Table) -> GroupFits:
    return fit_groups(MbgNbd(), cdnow_summaries, "channel")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_discounting_by_nothing_leaves_the_expected_orders(model: TransactionModel, cdnow_histories: Histories) -> None:
    theta = fit(model, cdnow_histories).theta

    orders = discounted_orders(model, theta, cdnow_histories, Horizon(52.0, 0.0))

    assert orders == pytest.approx(model.expected(theta, cdnow_histories, 52.0), rel=1e-6)


def test_an_order_in_half_a_year_counts_what_half_a_year_takes_off(cdnow_histories: Histories) -> None:
    model = ParetoNbd()
    theta, weeks = fit(model, cdnow_histories).theta, 365.25 / 7
    steps = 2000
    ends = np.linspace(0, weeks, steps + 1)
    by_hand = sum(
        (model.expected(theta, cdnow_histories, late) - model.expected(theta, cdnow_histories, early))
        / 1.2 ** ((early + late) / 2 / weeks)
        for early, late in zip(ends[:-1:100], ends[100::100], strict=True)
    )

    assert discounted_orders(model, theta, cdnow_histories, Horizon(weeks, 0.2)) == pytest.approx(by_hand, rel=1e-4)


def test_value_is_discounted_orders_times_spend(cdnow_summaries: pa.Table, fits: GroupFits) -> None:
    spend = spend_fit(cdnow_summaries)

    valued = customer_values(cdnow_summaries, fits, spend, QUICK)

    table = valued.values
    assert table.schema == VALUES_SCHEMA
    assert table["customer_id"].to_pylist() == cdnow_summaries["customer_id"].to_pylist()
    product = floats(table, "discounted_orders") * floats(table, "expected_spend_amount")
    assert floats(table, "value_amount") == pytest.approx(product, abs=2e-3)
    assert (floats(table, "discounted_orders") < floats(table, "expected_orders")).all()
    assert (floats(table, "value_low_amount") <= floats(table, "value_high_amount")).all()
    assert (floats(table, "outcome_low_amount") <= floats(table, "outcome_high_amount")).all()
    assert table["reason"].null_count == table.num_rows
    assert set(table["value_basis"].to_pylist()) == {REVENUE}
    totals = valued.totals.to_pylist()
    assert valued.totals.schema == TOTALS_SCHEMA
    assert [(row["value_basis"], row["customers"]) for row in totals] == [(REVENUE, 2357)]
    assert float(totals[0]["value_amount"]) == pytest.approx(floats(table, "value_amount").sum())
    assert totals[0]["value_low_amount"] < totals[0]["value_amount"] < totals[0]["value_high_amount"]


def test_the_same_seed_gives_the_same_table_whatever_the_order_of_rows(
    cdnow_summaries: pa.Table, fits: GroupFits
) -> None:
    turned = cdnow_summaries.take(np.random.default_rng(0).permutation(cdnow_summaries.num_rows))

    first, second = (
        customer_values(table, fits, spend_fit(table), QUICK).values.sort_by("customer_id")
        for table in (cdnow_summaries, turned)
    )

    assert first == second
    other = customer_values(cdnow_summaries, fits, spend_fit(cdnow_summaries), replace(QUICK, seed=1)).values
    assert other["value_amount"] == first["value_amount"]
    assert other["value_low_amount"] != first["value_low_amount"]


@pytest.mark.parametrize(
    ("every", "worth", "others"), [(2, 0.225, ESTIMATED), (20, 0.9, REVENUE)], ids=["half-known", "hardly-known"]
)
def test_all_values_count_margin_where_enough_of_it_is_known_and_revenue_elsewhere(
    cdnow_summaries: pa.Table, fits: GroupFits, every: int, worth: float, others: str
) -> None:
    sales = cdnow_summaries["sales_amount"].to_pylist()
    has_margin = [number % every == 0 and amount > 0 for number, amount in enumerate(sales)]
    known = [amount if flag else Decimal(0) for amount, flag in zip(sales, has_margin, strict=True)]
    money = cdnow_summaries.schema.field("sales_amount").type
    table = with_columns(
        cdnow_summaries,
        margin_known_amount=pa.array(known, money),
        margin_amount=pa.array([amount / 4 for amount in known], money),
        returns_amount=pa.array([amount / 10 for amount in sales], money),
    )
    spend = spend_fit(cdnow_summaries)

    plain, valued = (customer_values(one, fits, spend, QUICK) for one in (cdnow_summaries, table))

    # Nine tenths are kept; a quarter of them is margin.
    expected = floats(plain.values, "value_amount") * worth
    assert floats(valued.values, "value_amount") == pytest.approx(expected, abs=2e-4)
    bases = valued.values["value_basis"].to_pylist()
    assert bases == [MARGIN if flag and others != REVENUE else others for flag in has_margin]
    assert {row["value_basis"]: row["customers"] for row in valued.totals.to_pylist()} == Counter(bases)


def test_without_a_spend_model_orders_are_told_and_money_is_not(cdnow_summaries: pa.Table, fits: GroupFits) -> None:
    valued = customer_values(cdnow_summaries, fits, None, QUICK)

    assert valued.values["value_amount"].null_count == 2357
    assert valued.values["outcome_high_amount"].null_count == 2357
    assert set(valued.values["reason"].to_pylist()) == {
        "too few customers came back with money in their orders to model it"
    }
    assert floats(valued.values, "expected_orders").min() > 0
    assert valued.totals.num_rows == 0


def test_what_customers_of_cdnow_spent_lies_in_the_interval_of_outcomes(cdnow_summaries: pa.Table) -> None:
    fits = fit_groups(ParetoNbd(), cdnow_summaries, "channel")
    settings = ValueSettings(horizon_days=273, discount_rate=0.0, draws=8, futures=300)

    table = customer_values(cdnow_summaries, fits, spend_fit(cdnow_summaries), settings).values

    actual = floats(cdnow_summaries, "holdout_amount")
    low, high = floats(table, "outcome_low_amount"), floats(table, "outcome_high_amount")
    covered = (low <= actual) & (actual <= high)
    # more than 80 %, because most intervals begin at nothing and most customers bring nothing
    assert 0.80 <= covered.mean() <= 0.93
    often = cdnow_summaries["frequency"].to_numpy() >= 4
    assert 0.70 <= covered[often].mean() <= 0.93
    best = np.argsort(-floats(table, "value_amount"), kind="stable")[:236]
    assert actual[best].sum() / actual.sum() >= 0.50


@dataclass(frozen=True)
class Bought:
    """Customers drawn from known parameters.

    Attributes:
        summaries: Rows of ``SUMMARIES_SCHEMA``.
        value: Money to expect of each in a year, knowing everything but chance.
        money: What each brings in that year.
    """

    summaries: pa.Table
    value: Array
    money: Array


def bought(paid: float) -> Bought:
    """A year of customers of whose repeat orders such a share has money in it."""
    rng, model, theta, weeks = np.random.default_rng(9), MbgNbd(), np.array([0.8, 6.0, 0.9, 1.8]), 365 / 7
    spend = SpendFit(np.array([6.0, 4.0, 60.0]), 0.0, 0, 0.0, is_converged=True, covariance=np.eye(3))
    age = rng.uniform(30, 100, 6000)
    frequency, recency = model.simulated(theta, age, rng)
    orders = rng.binomial(frequency.astype(int), paid).astype(float)
    p, q, v = spend.theta
    rate = rng.gamma(q, 1 / v, 6000)
    total = np.where(orders > 0, rng.gamma(p * np.maximum(orders, 1)) / rate, 0.0)
    rows = Histories.of(frequency, recency, age)  # no two of them are equal: ages are not of whole days
    later = rng.binomial(rows.every(model.futures(theta, rows, weeks, 1, rng)[0]).astype(int), paid)
    of_order = paid * spend.expected(orders, total / np.maximum(orders, 1))
    expected = rows.every(model.expected(theta, rows, weeks)) * of_order
    columns = {
        "customer_id": [f"c{number:04}" for number in range(6000)],
        "as_of_date": [date(2024, 6, 30)] * 6000,
        "channel": ["web"] * 6000,
        "frequency": frequency.astype(int),
        "recency_weeks": recency,
        "age_weeks": age,
        "spend_orders": orders.astype(int),
        "repeat_spend_amount": [Decimal(f"{one:.2f}") for one in total],
        "sales_amount": [Decimal(f"{one:.2f}") for one in total],
    }
    money = {name: [Decimal(0)] * 6000 for name in ("returns_amount", "margin_known_amount", "margin_amount")}
    known = {name: pa.array(values, SUMMARIES_SCHEMA.field(name).type) for name, values in (columns | money).items()}
    table = pa.table({one.name: known.get(one.name, pa.nulls(6000, one.type)) for one in SUMMARIES_SCHEMA})
    return Bought(table, expected, np.where(later > 0, rng.gamma(p * np.maximum(later, 1)) / rate, 0.0))


@pytest.mark.parametrize("paid", [1.0, 0.5])
def test_value_is_the_truth_about_simulated_customers_however_many_orders_are_free(paid: float) -> None:
    world = bought(paid)
    fits, spend = fit_groups(MbgNbd(), world.summaries, "channel"), spend_fit(world.summaries)

    settings = ValueSettings(discount_rate=0.0, draws=8, futures=200)
    table = customer_values(world.summaries, fits, spend, settings).values

    value = floats(table, "value_amount")
    assert value.sum() == pytest.approx(world.value.sum(), rel=0.05)
    assert value.sum() == pytest.approx(world.money.sum(), rel=0.08)
    assert np.median(np.abs(value / world.value - 1)) < 0.06
    often = world.value > np.quantile(world.value, 0.9)
    low, high = floats(table, "outcome_low_amount"), floats(table, "outcome_high_amount")
    covered = (low <= world.money) & (world.money <= high)
    # an interval that begins at nothing leaves out the tenth above it only
    assert covered[often & (low == 0)].mean() == pytest.approx(0.9, abs=0.05)
    assert covered[often & (low > 0)].mean() == pytest.approx(0.8, abs=0.1)


def test_where_spend_may_have_no_finite_mean_the_interval_has_no_upper_end(
    cdnow_summaries: pa.Table, fits: GroupFits
) -> None:
    spend = SpendFit(np.array([6.0, 1.06, 15.0]), 0.0, 946, 0.0, is_converged=True, covariance=np.eye(3))
    theta = fits.pooled.theta
    q = np.array([0.9, 0.95, 1.2, 1.3, 1.4])
    drawn = Around({"all": np.array([theta] * 5)}, np.column_stack([np.full(5, 6.0), q, np.full(5, 15.0)]))

    valued = customer_values(cdnow_summaries, fits, spend, ValueSettings(draws=5, futures=40), drawn)

    assert {name: count for name, count in faulty_values(valued.values).items() if count} == {}
    once = cdnow_summaries["frequency"].to_numpy() == 0
    orders = floats(valued.values, "discounted_orders")[once]
    assert valued.values.filter(pa.array(once))["value_high_amount"].null_count == once.sum()
    # of p v / (q - 1) = 225, 300, 450 and two infinite ones the tenth part is 225 + .4 * 75 = 255; of 1.06 it is 1500
    assert floats(valued.values, "value_amount")[once] == pytest.approx(1500 * orders, abs=1e-3)
    assert floats(valued.values, "value_low_amount")[once] == pytest.approx(255 * orders, abs=1e-3)
    # whoever spent something is expected to spend something finite: p x + q - 1 is above nothing
    assert valued.values.filter(pa.array(~once))["value_high_amount"].null_count == 0
    total = valued.totals.to_pylist()[0]
    assert total["value_high_amount"] is None
    assert 0 < total["value_low_amount"] < total["value_amount"]


def test_drawn_parameters_spread_as_the_fit_says() -> None:
    theta, rng = np.array([0.8, 6.0, 0.9, 1.8]), np.random.default_rng(3)
    age = rng.uniform(30, 100, 3000)
    found = fit(MbgNbd(), Histories.of(*MbgNbd().simulated(theta, age, rng), age))

    spread = np.log(parameter_draws(found, age, 40, rng) / found.theta).std(axis=0)

    assert spread == pytest.approx(np.sqrt(np.diag(found.covariance)), rel=0.5)


def test_parameters_of_many_customers_are_drawn_from_few_and_spread_as_those_of_many() -> None:
    theta, rng = np.array([0.8, 6.0, 0.9, 1.8]), np.random.default_rng(3)
    age = rng.uniform(30, 100, 16_000)
    found = fit(MbgNbd(), Histories.of(*MbgNbd().simulated(theta, age, rng), age))

    spread = np.log(parameter_draws(found, age, 40, rng) / found.theta).std(axis=0)

    assert spread == pytest.approx(np.sqrt(np.diag(found.covariance)), rel=0.5)


def test_the_day_of_the_view_is_in_every_row(cdnow_summaries: pa.Table, fits: GroupFits) -> None:
    table = customer_values(cdnow_summaries, fits, None, QUICK).values

    assert set(table["as_of_date"].to_pylist()) == {date(1997, 9, 30)}
    assert set(table["horizon_days"].to_pylist()) == {365}


def test_customers_of_a_group_that_is_fitted_apart_are_scored_with_its_fit(
    cdnow_summaries: pa.Table, fits: GroupFits
) -> None:
    is_app = np.arange(2357) % 2 == 0
    table = with_columns(cdnow_summaries, channel=pa.array(np.where(is_app, "app", "web"), pa.string()))
    app = Histories.of_summaries(table.filter(pa.array(is_app)))
    apart = replace(fits, by_group={"app": fit(MbgNbd(), app)}, degrees_of_freedom=4, p_value=0.0)

    valued = customer_values(table, apart, None, QUICK).values

    assert valued["fitted_group"].to_pylist() == ["app" if flag else "all" for flag in is_app]
    model, theta = MbgNbd(), apart.by_group["app"].theta
    expected = app.every(model.expected(theta, app, 365 / 7))
    assert floats(valued, "expected_orders")[is_app] == pytest.approx(expected)
