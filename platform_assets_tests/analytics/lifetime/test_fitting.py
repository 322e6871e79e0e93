import math

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import gammaln, hyp2f1

from platform_assets.analytics.lifetime.beta_geometric import BgNbd, MbgNbd
from platform_assets.analytics.lifetime.fitting import MODELS, fit, log_likelihood
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import TransactionModel
from platform_assets.analytics.lifetime.pareto import ParetoNbd

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
PUBLISHED = {
    # Fader, Hardie and Lee (2005); MBG/NBD is not published for these data: the value of the lifetimes package
    "bg_nbd": ((0.243, 4.414, 0.793, 2.426), -9582.4, 3),
    "pareto_nbd": ((0.553, 10.578, 0.606, 11.669), -9595.0, 3),
    "mbg_nbd": ((0.5248, 6.183, 0.8914, 1.614), -9582.136, 3),
}
TRUTHS = {"bg_nbd": (0.6, 5.0, 0.9, 2.5), "mbg_nbd": (0.8, 6.0, 0.9, 1.8), "pareto_nbd": (0.7, 8.0, 0.7, 10.0)}


def drawn(model: TransactionModel, theta: Array, customers: int, seed: int) -> Histories:
    rng = np.random.default_rng(seed)
    age = np.floor(rng.uniform(20, 100, customers))
    return Histories.of(*model.simulated(theta, age, rng), age)


# The published figures


@each_model
def test_cdnow_has_the_published_parameters(model: TransactionModel, cdnow_histories: Histories) -> None:
    published, likelihood, digits = PUBLISHED[model.name]

    found = fit(model, cdnow_histories)

    assert found.theta == pytest.approx(published, abs=1.5 * 10**-digits)
    assert found.log_likelihood == pytest.approx(likelihood, abs=0.05)
    assert found.log_likelihood >= log_likelihood(model, np.array(published), cdnow_histories)
    assert found.is_converged
    assert found.customers == 2357


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model", "fitter"),
    [(BgNbd(), "BetaGeoFitter"), (MbgNbd(), "ModifiedBetaGeoFitter"), (ParetoNbd(), "ParetoNBDFitter")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_parameters_and_forecasts_agree_with_the_lifetimes_package(
    model: TransactionModel, fitter: str, cdnow_summaries: pa.Table, cdnow_histories: Histories
) -> None:
    oracle = getattr(pytest.importorskip("lifetimes"), fitter)()
    columns = [cdnow_summaries[name].to_numpy() for name in ("frequency", "recency_weeks", "age_weeks")]
    oracle.fit(*columns)

    found = fit(model, cdnow_histories)

    assert found.theta == pytest.approx(oracle.params_.to_numpy(), rel=1e-3)
    ours = cdnow_histories.every(model.expected(found.theta, cdnow_histories, 39.0))
    theirs = np.asarray(oracle.conditional_expected_number_of_purchases_up_to_time(39.0, *columns))
    assert ours == pytest.approx(theirs, rel=2e-3)
    alive = cdnow_histories.every(model.alive(found.theta, cdnow_histories))
    assert alive == pytest.approx(np.asarray(oracle.conditional_probability_alive(*columns)), rel=2e-3)


# The likelihood


@each_model
def test_the_gradient_is_the_slope_of_the_likelihood(model: TransactionModel) -> None:
    theta = np.array(TRUTHS[model.name])
    rows = drawn(model, theta, 300, seed=1)
    away = theta * np.array([1.7, 0.4, 2.3, 0.6])
    _, gradient = model.scores(away, rows)

    for place in range(4):
        step = np.exp(1e-5 * np.eye(4)[place])
        slope = (model.scores(away * step, rows)[0] - model.scores(away / step, rows)[0]) / 2e-5
        assert gradient[:, place] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("theta", [(0.55, 10.6, 0.6, 11.7), (0.2, 30.0, 2.5, 3.0), (3.0, 0.5, 0.1, 60.0)])
def test_the_pareto_likelihood_is_that_of_the_literature(theta: tuple[float, ...]) -> None:
    # Fader and Hardie, "A Note on Deriving the Pareto/NBD Model" (2005), with hypergeometric functions
    r, alpha, s, beta = theta
    x, t_x, age = (np.array(values) for values in ([0, 1, 1, 7, 40], [0, 0.0, 20, 30, 38.5], [39.0, 20, 39, 39, 39]))
    most, second, whole = max(alpha, beta), (s + 1 if alpha >= beta else r + x), r + s + x

    def part(time: Array) -> Array:
        value: Array = hyp2f1(whole, second, whole + 1, abs(alpha - beta) / (most + time)) / (most + time) ** whole
        return value

    rest = (alpha + age) ** -(r + x) * (beta + age) ** -s
    expected = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    expected += np.log(rest + s / whole * (part(t_x) - part(age)))

    rows = Histories.of(x, t_x, age)

    assert rows.every(ParetoNbd().scores(np.array(theta), rows)[0]) == pytest.approx(expected, rel=1e-10)


@each_model
def test_equal_histories_are_counted_not_repeated(model: TransactionModel) -> None:
    theta = np.array(TRUTHS[model.name])
    once = drawn(model, theta, 200, seed=4)
    twice = Histories.of(*(np.tile(once.every(values), 2) for values in (once.frequency, once.recency, once.age)))

    assert len(twice.age) == len(once.age)
    assert (twice.total, once.total) == (400, 200)
    assert log_likelihood(model, theta, twice) == pytest.approx(2 * log_likelihood(model, theta, once))


@each_model
def test_the_unit_of_time_changes_times_only(model: TransactionModel, cdnow_histories: Histories) -> None:
    weeks, days = fit(model, cdnow_histories), fit(model, cdnow_histories.scaled(7.0))

    in_weeks = days.theta.copy()
    in_weeks[list(model.times)] /= 7
    orders = float(cdnow_histories.frequency @ cdnow_histories.customers)
    assert in_weeks == pytest.approx(weeks.theta, rel=1e-3)
    assert days.log_likelihood + orders * math.log(7) == pytest.approx(weeks.log_likelihood, abs=1e-4)


def test_the_order_of_customers_changes_nothing(cdnow_summaries: pa.Table) -> None:
    turned = cdnow_summaries.take(np.random.default_rng(0).permutation(cdnow_summaries.num_rows))

    first, second = (fit(BgNbd(), Histories.of_summaries(table)) for table in (cdnow_summaries, turned))

    assert first.theta.tolist() == second.theta.tolist()


# Recovery


@each_model
@pytest.mark.parametrize("seed", [1, 2])
def test_parameters_of_simulated_customers_are_found_again(model: TransactionModel, seed: int) -> None:
    truth = np.array(TRUTHS[model.name])

    found = fit(model, drawn(model, truth, 8000, seed))

    # four standard errors, of the logarithms, hold all but one in ten thousand
    assert (np.abs(np.log(found.theta / truth)) < 4 * np.sqrt(np.diag(found.covariance))).all()
    assert np.sqrt(np.diag(found.covariance)).max() < 0.5
    assert found.is_converged


def test_many_customers_are_started_on_few_and_finished_on_all() -> None:
    truth = np.array(TRUTHS["mbg_nbd"])
    rng = np.random.default_rng(5)
    age = rng.uniform(20, 100, 20_000)
    many = Histories.of(*MbgNbd().simulated(truth, age, rng), age)

    found = fit(MbgNbd(), many)

    _, gradient = MbgNbd().scores(found.theta, many)
    assert len(many.age) > 10_000
    assert np.abs(many.customers @ gradient / many.total).max() < 1e-5
    assert np.abs(np.log(found.theta / truth)).max() < 0.3


# What cannot be fitted


def test_without_a_repeat_order_there_is_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="none"):
        fit(BgNbd(), Histories.of([0, 0], [0, 0], [5, 9]))


@pytest.mark.parametrize("history", [(1, 6.0, 5.0), (-1, 0.0, 5.0), (0, 2.0, 5.0), (1, -1.0, 5.0)])
def test_impossible_histories_are_refused(history: tuple[int, float, float]) -> None:
    x, t_x, age = history
    with pytest.raises(ValueError, match="1 of 2 histories"):
        Histories.of([x, 0], [t_x, 0], [age, 3])


def test_where_nobody_leaves_the_fit_says_that_it_found_no_best_parameters() -> None:
    rng = np.random.default_rng(3)
    age = np.full(400, 50.0)
    orders = rng.poisson(rng.gamma(2, 0.2, 400) * age)
    last = np.where(orders > 0, age, 0)  # everyone's last order is today: nobody can have left

    assert not fit(BgNbd(), Histories.of(orders, last, age)).is_converged
