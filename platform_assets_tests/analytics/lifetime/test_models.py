import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import betaincinv

from platform_assets.analytics.lifetime.beta_geometric import BgNbd, MbgNbd
from platform_assets.analytics.lifetime.fitting import MODELS, fit
from platform_assets.analytics.lifetime.histories import Histories
from platform_assets.analytics.lifetime.model import TransactionModel
from platform_assets.analytics.lifetime.pareto import ParetoNbd

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
THETA = {"bg_nbd": (0.6, 5.0, 0.9, 2.5), "mbg_nbd": (0.8, 6.0, 0.9, 1.8), "pareto_nbd": (0.7, 8.0, 0.7, 10.0)}
ROWS = Histories.of([0, 0, 1, 1, 4, 12], [0, 0, 0, 20, 30, 38], [10, 40, 40, 40, 40, 40])
"""Nobody twice, so rows are customers; not in this order."""


@each_model
def test_expected_orders_grow_at_the_pace_and_from_nothing(model: TransactionModel) -> None:
    theta, step = np.array(THETA[model.name]), 1e-4

    assert model.expected(theta, ROWS, 0.0) == pytest.approx(0, abs=1e-9)
    for weeks in (1.0, 13.0, 200.0):
        slope = (model.expected(theta, ROWS, weeks + step) - model.expected(theta, ROWS, weeks - step)) / (2 * step)
        assert model.pace(theta, ROWS, weeks) == pytest.approx(slope, rel=1e-5)


@each_model
def test_closed_forms_are_the_means_of_simulated_futures(model: TransactionModel) -> None:
    theta, rng = np.array(THETA[model.name]), np.random.default_rng(8)
    many = ROWS.part(np.repeat(np.arange(len(ROWS.age)), 20_000))
    futures = model.futures(theta, many, 26.0, 1, rng)[0].reshape(len(ROWS.age), -1).T

    error = futures.std(axis=0) / np.sqrt(len(futures))
    assert (np.abs(futures.mean(axis=0) - model.expected(theta, ROWS, 26.0)) < 4 * error).all()
    active = model.active(theta, ROWS, 26.0)
    assert (np.abs((futures > 0).mean(axis=0) - active) < 4 * np.sqrt(active * (1 - active) / len(futures))).all()


@each_model
def test_histories_and_futures_fit_together(model: TransactionModel) -> None:
    """Whoever is 40 weeks old and simulated on has, on average, the orders of one who is simulated to 80 weeks."""
    theta, rng = np.array(THETA[model.name]), np.random.default_rng(9)
    young = np.full(30_000, 40.0)
    rows = Histories.of(*model.simulated(theta, young, rng), young)
    later = rows.every(model.expected(theta, rows, 40.0))

    whole, first = model.unconditional(theta, np.array([80.0, 40.0]))

    assert (later.mean() - (whole - first)) / (whole - first) == pytest.approx(0, abs=0.03)
    assert rows.every(rows.frequency).mean() == pytest.approx(first, rel=0.03)


@each_model
def test_longer_horizons_never_make_an_order_less_likely(model: TransactionModel) -> None:
    theta = np.array(THETA[model.name])
    active = np.array([model.active(theta, ROWS, weeks) for weeks in (0.0, 1.0, 13.0, 52.0, 1e4)])

    assert (np.diff(active, axis=0) >= -1e-12).all()
    assert active[0] == pytest.approx(0, abs=1e-12)
    assert (active <= model.alive(theta, ROWS) + 1e-12).all()


@each_model
def test_probabilities_stay_probabilities_for_extreme_customers(model: TransactionModel) -> None:
    theta = np.array(THETA[model.name])
    rows = Histories.of([0, 1, 900, 900, 3], [0, 0, 1, 499.9, 0.1], [0, 5000, 500, 500, 3000])

    for values in (model.alive(theta, rows), model.active(theta, rows, 52.0)):
        assert ((values >= 0) & (values <= 1)).all()
    assert np.isfinite(model.expected(theta, rows, 52.0)).all()
    assert np.isfinite(model.scores(theta, rows)[0]).all()


@pytest.mark.parametrize("near", [1 - 1e-9, 1.0, 1 + 1e-9])
@pytest.mark.parametrize(("model", "place"), [(BgNbd(), 2), (MbgNbd(), 2), (ParetoNbd(), 2)])
def test_expected_orders_have_no_hole_at_the_pole_of_their_formula(
    model: TransactionModel, place: int, near: float
) -> None:
    at, beside = np.array(THETA[model.name]), np.array(THETA[model.name])
    at[place], beside[place] = near, 1.0001

    assert model.expected(at, ROWS, 26.0) == pytest.approx(model.expected(beside, ROWS, 26.0), rel=1e-3)


def test_bg_nbd_holds_everyone_with_one_order_for_alive_and_the_others_do_not() -> None:
    newcomers = Histories.of([0, 0], [0, 0], [10, 400])

    assert BgNbd().alive(np.array(THETA["bg_nbd"]), newcomers).tolist() == [1.0, 1.0]
    for model in (MbgNbd(), ParetoNbd()):
        recent, old = model.alive(np.array(THETA[model.name]), newcomers)
        assert 1 > recent > old > 0


def test_known_customers_of_cdnow_have_their_figures(
    shared_datasets: Path, cdnow_summaries: pa.Table, cdnow_histories: Histories
) -> None:
    truth = json.loads((shared_datasets / "truth.json").read_text())["cdnow"]
    model, ids = BgNbd(), cdnow_summaries["customer_id"].to_pylist()
    theta = fit(model, cdnow_histories).theta
    alive = dict(zip(ids, cdnow_histories.every(model.alive(theta, cdnow_histories)), strict=True))
    expected = dict(zip(ids, cdnow_histories.every(model.expected(theta, cdnow_histories, 39.0)), strict=True))

    # the file's figures are of ages rounded to a hundredth of a week
    for customer, value in truth["p_alive"].items():
        assert alive[customer] == pytest.approx(value, abs=2e-3)
    for customer, value in truth["expected_39w"].items():
        assert expected[customer] == pytest.approx(value, abs=5e-3)


@pytest.mark.parametrize("model", [BgNbd(), MbgNbd()], ids=lambda model: model.name)
@pytest.mark.parametrize("weeks", [13.0, 52.0, 520.0])
@pytest.mark.parametrize("a", [0.25, 1.0, 2.5])
def test_young_customers_of_many_orders_have_the_expectation_of_the_integral(
    a: float, weeks: float, model: TransactionModel
) -> None:
    """A rate of gamma, a chance to leave of beta: given the chance p, orders come at the pace x/A (1 + pt/A)^-(x+1)."""
    orders, ages = np.array([1.0, 20.0, 101.0, 400.0]), np.array([0.5, 8.0, 21.0, 60.0])
    r, alpha, b = 0.9, 1.5, 2.3
    theta, rows = np.array([r, alpha, a, b]), Histories.of(orders, ages * 0.99, ages)
    first = int(isinstance(model, MbgNbd))

    expected, pace = model.expected(theta, rows, weeks), model.pace(theta, rows, weeks)

    nodes, weights = (values / 2 for values in np.polynomial.legendre.leggauss(400))
    nodes = nodes[:, None] + 0.5
    chances = np.maximum(betaincinv(a, b + orders + first, nodes**3), 1e-300)
    x, age = r + orders, alpha + ages
    stay = np.log1p(chances * weeks / age)
    share = weights @ (-np.expm1(-x * stay) / chances * 3 * nodes**2)
    assert expected == pytest.approx(share * model.alive(theta, rows), rel=1e-4)
    share = weights @ (x / age * np.exp(-(x + 1) * stay) * 3 * nodes**2)
    assert pace == pytest.approx(share * model.alive(theta, rows), rel=1e-3, abs=1e-9)
