import numpy as np
import pytest

from platform_assets.analytics.insights.null import adjusted, surprises, tail_p


def test_adjusted_p_values_are_those_of_benjamini_and_hochberg() -> None:
    # sorted: .01*5/1=.05, .02*5/2=.05, .03*5/3=.05, .04*5/4=.05, .05*5/5=.05
    assert adjusted(np.array([0.03, 0.01, 0.05, 0.02, 0.04])) == pytest.approx([0.05] * 5)
    # .001*4=.004, .02*4/2=.04, .5*4/3=.667, .9
    assert adjusted(np.array([0.9, 0.001, 0.5, 0.02])) == pytest.approx([0.9, 0.004, 2 / 3, 0.04])


def test_no_tests_have_no_p_values() -> None:
    assert len(adjusted(np.empty(0))) == 0


def test_in_the_body_p_is_the_share_of_null_values_as_large() -> None:
    null = np.arange(1.0, 101)

    assert tail_p(np.array([0.5, 51.0, 91.0]), null) == pytest.approx([1.0, 51 / 101, 11 / 101])


def test_in_the_tail_p_falls_as_a_power_law() -> None:
    # a Pareto law of index 3: P(X > x) = x ** -3
    null = (1 - (np.arange(4000) + 0.5) / 4000) ** (-1 / 3)

    found = tail_p(np.array([5.0, 20.0]), null)

    assert found == pytest.approx([5.0**-3, 20.0**-3], rel=0.25)


def test_few_null_values_can_only_be_counted() -> None:
    assert tail_p(np.array([1e9]), np.ones(20)) == pytest.approx([1 / 21])


def test_a_larger_deviation_never_has_a_larger_p() -> None:
    null = np.abs(np.random.default_rng(1).standard_t(4, 600))

    p = tail_p(np.linspace(0, 40, 500), null)

    assert (np.diff(p) <= 1e-12).all()


def test_p_values_are_uniform_where_nothing_changed() -> None:
    rng = np.random.default_rng(2)
    drawn = np.concatenate([surprises(rng.standard_t(5, (45, 27)), np.arange(45.0), np.zeros(45)).p for _ in range(80)])

    shares = [(drawn <= level).mean() / level for level in (0.5, 0.1, 0.02)]

    assert shares == pytest.approx([1, 1, 1], abs=0.3)


def test_a_segment_that_doubled_is_the_most_surprising() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 0.1, (30, 27))
    values[7, -1] += np.log(2)

    found = surprises(values, np.arange(30.0), np.zeros(30))

    assert int(found.p.argmin()) == 7
    assert found.effect[7] == pytest.approx(np.log(2), abs=0.3)
    assert found.half_width[7] == pytest.approx(1.645 * 0.1, rel=0.5)


def test_the_order_of_segments_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    values, volume = rng.normal(0, 1, (20, 27)), rng.random(20)
    turned = rng.permutation(20)

    first, second = (surprises(values[rows], volume[rows], np.zeros(20)).p for rows in (np.arange(20), turned))

    assert second == pytest.approx(first[turned])
