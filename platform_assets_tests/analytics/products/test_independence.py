import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.products import independence
from platform_assets.analytics.products.independence import Floats, expected_together
from platform_assets.engines.duckdb import DuckDBEngine

# Orders of two lines, of five items that are each in as many orders as the number in their name says.
ORDERS = [("i2", "i3"), ("i2", "j3"), ("i3", "j3"), ("i3", "j3"), ("i1", "j1")]


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[list[float]]:
    """Of which counts shares are solved for."""
    told: list[list[float]] = []
    known = independence.shares

    def shares(counts: Floats, draws: Floats, many: Floats) -> Floats:
        told.append(counts.tolist())
        return known(counts, draws, many)

    monkeypatch.setattr(independence, "shares", shares)
    return told


def test_the_share_of_equally_frequent_items_is_solved_for_once(
    tmp_path_factory: pytest.TempPathFactory, solved: list[list[float]]
) -> None:
    engine = DuckDBEngine(tmp_path_factory.mktemp("scratch"))
    rows = [
        {"basket": f"o{number}", "item": item, "source_system": "shop", "size": 2}
        for number, items in enumerate(ORDERS)
        for item in items
    ]
    baskets = engine.from_arrow(pa.Table.from_pylist(rows))
    pairs = [("i2", "i3"), ("i2", "j3"), ("i3", "j3"), ("i1", "j1")]

    expected = expected_together(baskets, pairs, engine, are_counted=False)
    engine.close()

    assert solved == [[1.0, 2.0, 3.0]]
    # Five orders of two draws: 5 (2 a - a ** 2) = n, and both are in 5 x 2 a b.
    share = {number: 1 - (1 - number / 5) ** 0.5 for number in (1, 2, 3)}
    wanted = [10 * share[2] * share[3], 10 * share[2] * share[3], 10 * share[3] ** 2, 10 * share[1] ** 2]
    assert expected == pytest.approx(wanted)


def test_the_memory_does_not_grow_with_pairs_times_sizes_of_orders() -> None:
    draws, many = np.arange(1.0, 61.0), np.ones(60)
    first, second = (np.full(100_000, share) for share in (0.01, 0.02))

    tracemalloc.start()
    found = independence._together(first, second, draws, many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    alone = independence._together(first[:1], second[:1], draws, many)
    assert found == pytest.approx(np.repeat(alone, 100_000))
    # All at once, one of the tables on the way alone has 100,000 x 60 numbers of eight bytes.
    assert peak < 100_000 * 60 * 8
