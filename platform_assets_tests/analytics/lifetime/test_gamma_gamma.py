import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.lifetime.gamma_gamma import SpendFit, fit_spend
from platform_assets.analytics.lifetime.histories import Array
from platform_assets.analytics.lifetime.value import spend_fit


def spend_model(p: float, q: float, v: float, correlation: float = 0.0) -> SpendFit:
    return SpendFit(np.array([p, q, v]), 0.0, 100, correlation, True, np.eye(3))


def spent(summaries: pa.Table) -> tuple[Array, Array]:
    orders = summaries["spend_orders"].to_numpy().astype(float)
    return orders, summaries["repeat_spend_amount"].cast(pa.float64()).to_numpy() / np.maximum(orders, 1)


def test_cdnow_has_the_published_parameters(cdnow_summaries: pa.Table) -> None:
    found = spend_fit(cdnow_summaries)

    assert found is not None
    # Fader and Hardie (2013), on the 946 customers who came back
    assert found.theta == pytest.approx((6.25, 3.74, 15.44), abs=0.015)
    assert found.log_likelihood == pytest.approx(-4055.9177, abs=1e-3)
    assert found.customers == 946
    assert found.correlation == pytest.approx(0.1139, abs=1e-3)
    assert found.is_converged
    assert found.population_mean == pytest.approx(35.17, abs=0.01)


@pytest.mark.filterwarnings("ignore")
def test_parameters_and_spend_agree_with_the_lifetimes_package(cdnow_summaries: pa.Table) -> None:
    oracle = pytest.importorskip("lifetimes").GammaGammaFitter()
    orders, mean = spent(cdnow_summaries)
    oracle.fit(orders[orders > 0], mean[orders > 0])

    found = spend_fit(cdnow_summaries)

    assert found is not None
    assert found.theta == pytest.approx(oracle.params_.to_numpy(), rel=1e-3)
    theirs = np.asarray(oracle.conditional_expected_average_profit(orders, mean))
    assert found.expected(orders, mean) == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parameters_of_simulated_customers_are_found_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = spend_model(4.0, 3.0, 60.0)
    orders = rng.integers(1, 12, 6000).astype(float)

    found = fit_spend(orders, truth.simulated(orders, rng))

    assert found is not None
    assert (np.abs(np.log(found.theta / truth.theta)) < 4 * np.sqrt(np.diag(found.covariance))).all()
    assert np.abs(np.log(found.theta / truth.theta)).max() < 0.25
    assert abs(found.correlation) < 0.05


def test_expected_spend_lies_between_own_and_population_and_moves_with_experience() -> None:
    model = spend_model(6.0, 4.0, 15.0)  # population: 6 * 15 / 3 = 30

    expected = model.expected(np.array([0.0, 1.0, 10.0, 1000.0]), np.array([0.0, 90.0, 90.0, 90.0]))

    # (q - 1) / (p x + q - 1) of the population, p x / (p x + q - 1) of their own: 3/9 and 6/9 for one order
    assert expected[:2] == pytest.approx([30.0, 70.0])
    assert expected[2] == pytest.approx((3 * 30 + 60 * 90) / 63)
    assert expected[3] == pytest.approx(90, abs=0.05)


def test_money_in_another_unit_changes_v_only(cdnow_summaries: pa.Table) -> None:
    orders, mean = spent(cdnow_summaries)

    dollars, cents = fit_spend(orders, mean), fit_spend(orders, mean * 100)

    assert dollars is not None
    assert cents is not None
    assert cents.theta == pytest.approx(dollars.theta * (1, 1, 100), rel=1e-4)


def test_spend_that_goes_with_the_number_of_orders_is_not_independent() -> None:
    rng = np.random.default_rng(0)
    orders = rng.integers(1, 20, 500).astype(float)

    found = fit_spend(orders, 5 * orders * rng.uniform(0.8, 1.2, 500))

    assert found is not None
    assert found.correlation > 0.9


def test_too_few_repeat_customers_are_not_fitted() -> None:
    rng = np.random.default_rng(0)
    orders = np.array([1.0] * 29 + [0.0] * 500)

    assert fit_spend(orders, rng.uniform(5, 50, 529)) is None


def test_a_mean_that_is_not_finite_is_not_told() -> None:
    model = spend_model(6.0, 0.9, 15.0)

    assert model.problem is not None
    assert "not finite" in model.problem
    assert model.population_mean == float("inf")
    assert spend_model(6.0, 1.1, 15.0).problem is None


def test_without_a_finite_mean_spend_is_infinite_except_where_own_orders_are_known() -> None:
    spend = spend_model(6.0, 0.9, 15.0).expected(np.array([0.0, 1.0]), np.array([0.0, 44.0]))

    # p (v + x z) / (p x + q - 1) = 6 (15 + 44) / 5.9
    assert spend.tolist() == [float("inf"), pytest.approx(60.0)]
