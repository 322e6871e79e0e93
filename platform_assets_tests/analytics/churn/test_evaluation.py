import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import brier_score_loss, roc_auc_score

from platform_assets.analytics.churn.calibration import calibrated, odds_calibrated
from platform_assets.analytics.churn.evaluation import area_gain, area_under_curve, brier_score, calibration_lines


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    # pairs of one it happened to (.9, .4) and one not (.4, .1): 2 right, 1 tied and 1 right
    happened = np.array([True, True, False, False])

    assert area_under_curve(np.array([0.9, 0.4, 0.4, 0.1]), happened) == 3.5 / 4
    assert area_under_curve(-np.array([0.9, 0.4, 0.4, 0.1]), happened) == 0.5 / 4


def test_area_and_brier_score_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    rates = np.round(rng.random(500), 2)
    happened = rng.random(500) < rates

    assert area_under_curve(rates, happened) == pytest.approx(roc_auc_score(happened, rates))
    assert brier_score(rates, happened) == pytest.approx(brier_score_loss(happened, rates))


def test_the_gain_in_area_and_its_interval_are_those_of_delong() -> None:
    """By hand: of the first score all pairs are in order (1), of the second one of four is not (.75).

    Placements differ by (0, .5) and (0, .5): each has a variance of .125, over two customers, so 2 * .0625 = .125.
    """
    happened = np.array([True, True, False, False])

    found = area_gain(np.array([4.0, 3, 2, 1]), np.array([4.0, 2, 3, 1]), happened)

    assert found.gain == 0.25
    assert (found.low, found.high) == pytest.approx((0.25 - 1.959964 * 0.125**0.5, 0.25 + 1.959964 * 0.125**0.5))


def test_the_interval_of_a_gain_holds_the_truth_as_often_as_it_says() -> None:
    """Of normal scores two and one standard deviations apart the areas are known: .921 and .760."""
    rng, hits, tries = np.random.default_rng(3), 0, 400
    truth = norm.cdf(2 / 2**0.5) - norm.cdf(1 / 2**0.5)
    for _ in range(tries):
        happened = np.arange(300) < 100
        common = rng.normal(size=300)
        first, second = (0.6 * common + 0.8 * rng.normal(size=300) + gap * happened for gap in (2, 1))
        found = area_gain(first, second, happened)
        hits += found.low <= truth <= found.high

    assert binomtest(hits, tries, 0.95).pvalue > 1e-3


@pytest.mark.parametrize("flag", [True, False])
def test_without_both_kinds_there_is_no_area(flag: bool) -> None:
    assert area_under_curve(np.array([0.1, 0.2]), np.array([flag, flag])) is None


def test_equal_probabilities_are_in_one_bin() -> None:
    rates = np.array([0.2] * 60 + [0.7] * 40)
    happened = np.array([True] * 15 + [False] * 45 + [True] * 30 + [False] * 10)

    lines = calibration_lines("x", rates, happened)

    assert [(line["customers"], line["churn_rate"]) for line in lines] == [(60, 0.25), (40, 0.75)]
    assert [line["expected_churn_rate"] for line in lines] == pytest.approx([0.2, 0.7])


def test_calibration_finds_the_probability_behind_a_distorted_score() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(20_000)
    found = calibrated(truth**3, rng.random(20_000) < truth, is_probability=True)

    grid = np.linspace(0.05, 0.95, 19)

    assert found.rate(grid**3) == pytest.approx(grid, abs=0.05)


def test_calibration_keeps_the_order_of_customers_and_never_says_never() -> None:
    scores = np.linspace(0, 1, 400)
    found = calibrated(scores, scores > 0.5, is_probability=True)

    rates = found.rate(scores)

    assert (np.diff(rates) >= 0).all()
    assert rates.min() == pytest.approx(1 / 402)
    assert rates.max() == pytest.approx(401 / 402)


def test_customers_within_a_step_keep_their_order() -> None:
    rng = np.random.default_rng(2)
    scores = rng.random(1000)
    found = calibrated(scores, rng.random(1000) < 0.5 * scores, is_probability=True)

    inside = np.linspace(0.01, 0.99, 99)

    assert (np.diff(found.rate(inside)) > 0).mean() > 0.9


def test_a_score_that_says_nothing_gets_the_base_rate() -> None:
    happened = np.array([True] * 30 + [False] * 70)

    assert calibrated(np.zeros(100), happened, is_probability=False).rate(np.array([-9.0, 0, 9])) == pytest.approx(0.3)


def test_log_odds_that_are_twice_too_large_are_halved() -> None:
    """A probability p that is told as p^2 / (p^2 + (1 - p)^2) has twice the log odds it should have."""
    rng = np.random.default_rng(4)
    truth = rng.uniform(0.02, 0.98, 20_000)
    told = truth**2 / (truth**2 + (1 - truth) ** 2)

    found = odds_calibrated(told, rng.random(20_000) < truth)

    assert (found.slope, found.shift) == pytest.approx((0.5, 0), abs=0.04)
    assert found.rate(told) == pytest.approx(truth, abs=0.03)
    assert (np.diff(found.rate(np.sort(told))) > 0).all()


def test_a_probability_that_is_worse_than_none_gets_the_base_rate() -> None:
    rates = np.linspace(0.1, 0.9, 50)

    assert odds_calibrated(rates, rates < 0.3).rate(rates) == pytest.approx(np.full(50, (rates < 0.3).mean()))
