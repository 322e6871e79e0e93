import numpy as np
import numpy.typing as npt
import pytest

from platform_assets.analytics.products.changes import ChangeRules, level_changes

WEEKS = 104
Floats = npt.NDArray[np.float64]


def noise(seed: int, spread: float = 0.1, dependence: float = 0.3, weeks: int = WEEKS) -> Floats:
    """Noise whose neighbours resemble each other."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(0, spread, weeks)
    for week in range(1, weeks):
        drawn[week] += dependence * drawn[week - 1]
    return drawn


def step(place: int, size: float) -> Floats:
    return np.where(np.arange(WEEKS) >= place, size, 0.0)


def found(values: Floats, seed: int = 0) -> list[int]:
    return [change.place for change in level_changes(values, np.random.default_rng(seed), ChangeRules())]


@pytest.mark.parametrize("size", [0.4, -0.5])
@pytest.mark.parametrize("seed", range(5))
def test_a_change_of_level_is_found_with_its_place_and_size(size: float, seed: int) -> None:
    changes = level_changes(noise(seed) + step(60, size), np.random.default_rng(seed), ChangeRules())

    nearest = min(changes, key=lambda change: abs(change.place - 60))
    assert abs(nearest.place - 60) <= 2
    assert nearest.size == pytest.approx(size, abs=0.2)
    assert nearest.low < nearest.size < nearest.high
    assert nearest.p_value <= 0.01


def test_two_changes_are_found_in_their_order() -> None:
    places = found(noise(3) + step(30, 0.5) - step(70, 0.6))

    assert [min(places, key=lambda place: abs(place - at)) for at in (30, 70)] == pytest.approx([30, 70], abs=2)
    assert places == sorted(places)


def test_noise_alone_seldom_has_a_change() -> None:
    alarms = sum(bool(found(noise(100 + seed), seed)) for seed in range(60))

    # one in twenty is measured, with neighbours as alike as these; of 60, nine would happen once in a hundred times
    assert alarms <= 8


def test_a_steady_trend_is_not_a_change() -> None:
    alarms = sum(bool(found(noise(200 + seed) + np.linspace(0, 1.5, WEEKS), seed)) for seed in range(20))

    assert alarms <= 4


def test_two_odd_weeks_are_not_a_change() -> None:
    values = noise(7, dependence=0.0)
    plain = found(values)
    values[50:52] += 3

    assert found(values) == plain == []


def test_a_change_that_hardly_matters_is_not_told() -> None:
    assert found(noise(5, spread=0.005) + step(50, 0.05)) == []


def test_the_same_seed_gives_the_same_changes() -> None:
    values = noise(4) + step(40, 0.3)

    first, second = (level_changes(values, np.random.default_rng(9), ChangeRules()) for _ in range(2))

    assert first == second != []


def test_a_series_that_is_too_short_has_none() -> None:
    assert found(np.array([0.0] * 7 + [5.0] * 8)) == []
    assert found(np.zeros(40)) == []
