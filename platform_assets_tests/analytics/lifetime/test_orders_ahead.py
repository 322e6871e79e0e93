import numpy as np
import pytest

from platform_assets.analytics.lifetime import orders_ahead as ahead
from platform_assets.analytics.lifetime.beta_geometric import MbgNbd
from platform_assets.analytics.lifetime.fitting import fit
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.orders_ahead import Chance, Horizon, orders_ahead


def customers() -> Histories:
    """Two thousand of four years, with orders on whole days: most histories are of a single customer."""
    rng, model = np.random.default_rng(0), MbgNbd()
    age = rng.integers(1, 4 * 365, 2000) / 7
    frequency, recency = model.simulated(np.array([0.52, 6.2, 0.89, 1.6]), age, rng)
    return Histories.of(frequency, np.where(frequency > 0, np.minimum(np.round(recency * 7) / 7, age), 0.0), age)


def upper_ends(rows: Histories) -> tuple[Array, Array]:
    """Upper ends of the outcomes within a year, and the orders expected."""
    found = fit(MbgNbd(), rows)
    chance = Chance(np.array([found.theta] * 4), (6.25, 3.74), 4000, (0.1, 0.9), np.random.default_rng(1))
    told = orders_ahead(found, rows, Horizon(365 / 7, 0.1), chance)
    return told.outcomes[1], told.expected


def test_intervals_of_many_histories_are_those_of_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = customers()

    by_itself, expected = upper_ends(rows)
    monkeypatch.setattr(ahead, "_FINE", 100)
    together, _ = upper_ends(rows)

    assert len(rows.age) > 1000
    is_some = (by_itself > 1) & (expected > 0.1)
    ratio = together[is_some] / by_itself[is_some]
    assert len(ratio) > 100
    # quantiles of four thousand futures are off by seven per cent themselves
    assert np.quantile(ratio, [0.05, 0.5, 0.95]) == pytest.approx([1, 1, 1], abs=0.1)
