from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets.engines.engine import MONEY, Engine
from platform_assets.transforms.quantiles import quantile_edges


def edges_of(engine: Engine, values: list[int | None], bins: int) -> tuple[int, ...]:
    table = pa.table({"value": pa.array(values, pa.int64())})
    return quantile_edges(engine.from_arrow(table), "value", bins, engine)


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.integers(-50, 50) | st.integers(-(10**6), 10**6), min_size=1, max_size=60),
    bins=st.sampled_from([2, 4, 5]),
)
def test_a_value_reaches_an_edge_exactly_when_it_reaches_the_interpolated_quantile(
    engine: Engine, values: list[int], bins: int
) -> None:
    exact = np.quantile(values, [step / bins for step in range(1, bins)], method="linear")

    edges = edges_of(engine, list(values), bins)

    assert len(edges) == bins - 1
    for value in values:
        assert sum(value >= edge for edge in edges) == sum(value >= edge for edge in exact)


@pytest.mark.parametrize(
    ("values", "bins", "edges"),
    [
        ([1, 2, 3, 4, 5, 6], 5, (2, 3, 4, 5)),
        ([10, 20], 5, (20, 20, 20, 20)),
        ([7], 5, (7, 7, 7, 7)),
        ([1] * 99 + [2], 5, (1, 1, 1, 1)),
        ([3, 1, None, 2, None], 2, (2,)),
        ([], 5, ()),
        ([None, None], 4, ()),
    ],
)
def test_edges_are_values_of_the_data(
    engine: Engine, values: list[int | None], bins: int, edges: tuple[int, ...]
) -> None:
    assert edges_of(engine, values, bins) == edges


def test_edges_of_money_are_exact(engine: Engine) -> None:
    amounts = [Decimal("0.1"), Decimal("0.2"), Decimal("90071992547409.9301")]
    table = pa.table({"value": pa.array(amounts, MONEY)})

    assert quantile_edges(engine.from_arrow(table), "value", 2, engine) == (Decimal("0.2"),)
