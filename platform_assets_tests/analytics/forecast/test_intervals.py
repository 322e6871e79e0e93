import numpy as np
import pytest

from platform_assets.analytics.forecast.grains import FloatArray
from platform_assets.analytics.forecast.intervals import Calibration, calibrate
from platform_assets.analytics.forecast.scale import error_scale_of

STEPS = np.arange(1.0, 14)


@pytest.mark.parametrize(
    ("count", "level", "places"),
    [
        (99, 0.8, (10, 90)),  # 100 times a tenth, 100 times nine tenths
        (9, 0.8, (1, 9)),
        (8, 0.8, None),
        (39, 0.95, (1, 39)),  # 40 times a fortieth
        (38, 0.95, None),
    ],
)
def test_the_reach_leaves_out_as_many_scores_below_as_above_and_is_missing_with_too_few(
    count: int, level: float, places: tuple[int, int] | None
) -> None:
    scores = np.arange(1.0, count + 1) - count / 2 - 0.5
    expected = places and tuple(float(scores[place - 1]) for place in places)
    assert Calibration(scores, 0.0, ()).reach(level) == expected


def test_the_forecast_itself_is_within_its_interval_also_where_all_errors_were_to_one_side() -> None:
    reach = Calibration(np.arange(1.0, 100), 0.0, ()).reach(0.8)
    assert reach == (0, 90)


def test_an_error_is_measured_by_the_other_origins_of_its_series() -> None:
    assert calibrate([np.array([[1.0, -1], [4, 4]])]).scores == pytest.approx([-0.25, 0.25, 4, 4])


def test_the_other_series_count_like_one_origin() -> None:
    found = calibrate([np.full((3, 13), 0.1), np.full((1, 13), 0.4)])
    assert found.typical == pytest.approx((0.1 ** (3 / 4) * 0.4 ** (1 / 4), 0.4 ** (1 / 2) * 0.1 ** (1 / 2)))


def test_an_error_of_next_to_nothing_is_no_yardstick() -> None:
    ends = calibrate([np.zeros((4, 13))])
    assert ends.typical == (0.003,)


def test_intervals_widen_with_the_steps_ahead_as_errors_did() -> None:
    found = calibrate([np.stack([np.sqrt(STEPS), -np.sqrt(STEPS)] * 3)])
    assert found.growth == pytest.approx(0.5)
    ends = found.ends(0, 13, 0.95)
    assert ends is not None
    assert ends[0] == pytest.approx(-np.sqrt(STEPS))
    assert ends[1] == pytest.approx(np.sqrt(STEPS))


def test_a_series_without_errors_of_its_own_has_no_interval() -> None:
    found = calibrate([np.ones((4, 13)), np.zeros((0, 13))])
    assert found.ends(0, 13, 0.8) is not None
    assert found.ends(1, 13, 0.8) is None


def test_one_origin_gives_no_scores_and_no_series_no_calibration() -> None:
    assert not len(calibrate([np.ones((1, 13))]).scores)
    assert calibrate([]).reach(0.8) is None


@pytest.mark.parametrize("skew", [0.0, 1.0], ids=["even", "lopsided"])
def test_the_share_promised_is_held_on_new_errors(skew: float) -> None:
    rng = np.random.default_rng(3)

    def errors(rows: int) -> FloatArray:
        lopsided = rng.exponential(1.0, (rows, 13)) - 1
        return skew * lopsided + (1 - skew) * rng.standard_t(4, (rows, 13))

    sizes = np.exp(rng.normal(0, 1.5, 60))
    found = calibrate([errors(8) * size for size in sizes])
    held, below = [], []
    for place, size in enumerate(sizes):
        ends = found.ends(place, 13, 0.8)
        assert ends is not None
        came = errors(1)[0] * size
        held.append(((came >= ends[0]) & (came <= ends[1])).mean())
        below.append((came < ends[0]).mean())
    assert 0.77 <= np.mean(held) <= 0.83
    assert 0.07 <= np.mean(below) <= 0.13


def test_errors_of_series_with_zeros_are_those_of_logarithms_with_something_added() -> None:
    scale = error_scale_of(np.array([0.0, 10.0, 20.0]))
    assert scale.forward(np.array([0.0])) == pytest.approx(np.log([1.0]))
    assert scale.backward(np.log(np.array([0.5, 1.0, 11.0]))) == pytest.approx([0, 0, 10])


def test_errors_of_series_with_returns_that_exceed_sales_are_shares_of_the_mean_amount() -> None:
    scale = error_scale_of(np.array([-10.0, 30.0]))
    assert scale.forward(np.array([5.0])) == pytest.approx([0.25])
    assert scale.backward(np.array([-0.25])) == pytest.approx([-5])
