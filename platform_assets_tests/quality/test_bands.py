from math import log

import pytest

from platform_assets.quality.bands import (
    Share,
    count_band,
    deviation,
    psi_limit,
    psi_limit_of_past,
    psi_terms,
    share_band,
    share_band_of_few,
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 4, 100], 1.4826),  # distances from 3: 2, 1, 0, 1, 97; their median is 1
        ([5, 5, 5], 0),
        ([0, 10], 1.4826 * 5),
    ],
)
def test_the_deviation_is_the_median_distance_from_the_median_scaled_to_the_normal(
    values: list[float], expected: float
) -> None:
    assert deviation(values) == pytest.approx(expected)


def test_a_constant_share_has_the_width_of_chance() -> None:
    # At one half the angle is pi/4. Its chance deviation is 0.5 / sqrt(400) = 0.025; four of them are 0.1 each way,
    # and sin^2(pi/4 -+ 0.1) = (1 -+ sin 0.2) / 2.
    band = share_band([Share(50, 100)] * 8, 400, sensitivity=4)

    assert (band.low, band.high) == pytest.approx((0.400665, 0.599335), abs=1e-6)


def test_one_delivery_that_was_otherwise_does_not_widen_the_band() -> None:
    usual = [Share(50, 100)] * 8

    assert share_band([*usual, Share(100, 100)], 400, 4) == share_band(usual, 400, 4)


def test_two_percentage_points_are_never_an_alarm() -> None:
    band = share_band([Share(500_000, 1_000_000)] * 8, 1_000_000, sensitivity=4)

    assert (band.low, band.high) == pytest.approx((0.48, 0.52))


@pytest.mark.parametrize(
    ("past", "rows", "none_is_usual"),
    [
        ([Share(20, 1000)] * 20, 1000, False),
        ([Share(20, 1000)] * 19, 1000, True),  # too few to say so
        ([Share(20, 1000)] * 20 + [Share(0, 1000)], 1000, True),  # it has happened
        ([Share(20, 1000)] * 20 + [Share(0, 400)], 1000, False),  # of 400 only 8 were expected: that says nothing
        ([Share(20, 1000)] * 20, 499, True),  # fewer than ten expected
    ],
)
def test_none_at_all_is_an_alarm_where_there_always_were_some(
    past: list[Share], rows: int, *, none_is_usual: bool
) -> None:
    assert share_band(past, rows, sensitivity=4).holds(0) is none_is_usual


def test_after_one_delivery_a_share_must_differ_by_six_deviations_of_a_thirtieth_of_the_rows() -> None:
    # p = 501/1002 = 0.5; sqrt(0.25 x 30 x (1/1000 + 1/1000)) = 0.122474; six of them are 0.734847
    wide = share_band_of_few(Share(500, 1000), 1000)
    # sqrt(0.25 x 30 x 2 / 100,000) = 0.0122474; six of them are 0.0734847
    narrow = share_band_of_few(Share(50_000, 100_000), 100_000)

    assert (wide.low, wide.high) == (0, 1)
    assert (narrow.low, narrow.high) == pytest.approx((0.426515, 0.573485), abs=1e-5)


def test_after_one_delivery_five_percentage_points_are_never_an_alarm() -> None:
    band = share_band_of_few(Share(500_000, 1_000_000), 1_000_000)

    assert (band.low, band.high) == pytest.approx((0.45, 0.55))


def test_a_constant_count_has_the_width_of_chance_in_proportion() -> None:
    # Four deviations of a count of 100 are 40 %: (100 + 1) x exp(-+0.4) - 1
    band = count_band([100] * 8, sensitivity=4)

    assert (band.low, band.high) == pytest.approx((66.702, 149.674), abs=1e-3)


def test_a_large_constant_count_may_vary_by_a_tenth() -> None:
    band = count_band([999_999] * 8, sensitivity=4)

    assert (band.low, band.high) == pytest.approx((904_836.4, 1_105_169.9), abs=1)


def test_the_stability_index_of_equal_shares_is_nothing() -> None:
    # Half a value is added to each bin, so equal shares of unequal totals differ by next to nothing.
    assert sum(psi_terms([500, 500], [100, 100])) == 0
    assert sum(psi_terms([300, 100], [30_000, 10_000])) == pytest.approx(0, abs=1e-5)


def test_the_stability_index_is_the_sum_over_bins_of_difference_times_logarithm() -> None:
    # 90.5/101 and 10.5/101 against one half: 0.396040 x ln(181/101) and -0.396040 x ln(21/101)
    first, second = psi_terms([90, 10], [50, 50])

    assert (first, second) == pytest.approx((0.231040, 0.622019), abs=1e-5)


def test_an_empty_bin_has_an_index() -> None:
    # 0.5/101 and 100.5/101 against one half
    expected = (0.5 / 101 - 0.5) * log(1 / 101) + (100.5 / 101 - 0.5) * log(201 / 101)

    assert sum(psi_terms([0, 100], [50, 50])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "limit"),
    [
        (10_000, 0.25),  # 30 x 2/10,000 x (9 + 4 sqrt 18) = 0.156
        (1_000, 1.55823),  # 30 x 2/1,000 x (9 + 16.970563)
    ],
)
def test_few_rows_may_differ_more_before_it_counts(rows: int, limit: float) -> None:
    assert psi_limit(10, rows, rows, least=0.25) == pytest.approx(limit, abs=1e-5)


@pytest.mark.parametrize(
    ("past", "limit"),
    [
        ([0.1] * 8, 0.25),  # no spread: the least
        ([0.1, 0.2, 0.4], 0.2 * 2 ** (4 * 1.4826)),  # logarithms one ln 2 apart
    ],
)
def test_an_index_is_usual_within_a_band_of_its_own_past(past: list[float], limit: float) -> None:
    assert psi_limit_of_past(past, sensitivity=4, least=0.25) == pytest.approx(limit)
