import numpy as np
import pytest

from platform_assets.analytics.churn.measurement import customers_needed, detectable_lift, measured_effect, wilson


@pytest.mark.parametrize(
    ("base", "lift", "per_group"),
    # Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions", without correction for continuity
    [(0.5, 0.1, 388), (0.1, 0.1, 199), (0.6, 0.1, 356)],
)
def test_equal_groups_need_what_the_tables_say(base: float, lift: float, per_group: int) -> None:
    assert customers_needed(base, lift, 0.5) == pytest.approx(2 * per_group, abs=2)


def test_a_small_hold_out_needs_more_customers_than_an_equal_one() -> None:
    equal, small = (customers_needed(0.3, 0.05, share) for share in (0.5, 0.1))

    assert equal is not None
    assert small is not None
    assert 2.2 * equal < small < 3.2 * equal


@pytest.mark.parametrize(
    ("base", "lift", "share"), [(0.5, 0.0, 0.1), (0.9, 0.2, 0.1), (0.5, 0.1, 0.0), (0.5, 0.1, 1.0)]
)
def test_what_cannot_be_seen_needs_no_number_of_customers(base: float, lift: float, share: float) -> None:
    assert customers_needed(base, lift, share) is None


def test_the_least_lift_that_shows_needs_just_the_customers_there_are() -> None:
    lift = detectable_lift(0.3, treated=900, held_out=100)

    assert lift is not None
    assert customers_needed(0.3, lift, 0.1) == pytest.approx(1000, abs=1)
    assert detectable_lift(0.3, treated=0, held_out=100) is None
    assert detectable_lift(0.3, treated=3, held_out=1) is None


def test_wilsons_interval_is_that_of_the_literature() -> None:
    # Newcombe (1998), table I: 81 of 263, and 0 of 20
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_the_effect_is_a_difference_of_shares_with_newcombes_interval() -> None:
    # Newcombe, "Interval Estimation for the Difference Between Independent Proportions" (1998): 56/70 against 48/80
    effect = measured_effect(56, 70, 48, 80)

    assert effect is not None
    assert effect.lift == pytest.approx(0.2)
    assert (effect.low, effect.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert effect.p_value < 0.05


def test_no_effect_is_rarely_taken_for_one() -> None:
    rng = np.random.default_rng(0)
    effects = [measured_effect(int(rng.binomial(900, 0.3)), 900, int(rng.binomial(100, 0.3)), 100) for _ in range(1000)]

    assert sum(effect is not None and effect.p_value < 0.05 for effect in effects) < 75
    assert measured_effect(0, 0, 3, 10) is None
    nobody = measured_effect(0, 10, 0, 10)
    assert nobody is not None
    assert nobody.p_value == 1.0
