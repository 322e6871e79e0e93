from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from platform_assets.analytics.lifetime.regularity import (
    CLOCKWORK,
    INTERVALS_SCHEMA,
    LEAST,
    REGULAR,
    last_intervals,
    regularity,
)
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.lifetime.sales import line, sales_table

AS_OF = date(2024, 6, 30)


def intervals(before: npt.ArrayLike, last: npt.ArrayLike) -> pa.Table:
    days = [np.asarray(values, dtype=np.int64) for values in (before, last)]
    return pa.table([*days, np.ones_like(days[0])], schema=INTERVALS_SCHEMA)


def drawn(shape: float, customers: int, seed: int) -> pa.Table:
    """Intervals of customers of very different paces, in the whole days that they are counted in."""
    rng = np.random.default_rng(seed)
    pace = rng.gamma(1.5, 20.0, (customers, 1))
    return intervals(*np.ceil(rng.gamma(shape, pace / shape, (customers, 2))).T)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 4.0])
def test_the_shape_of_drawn_intervals_is_found_whatever_the_pace(shape: float) -> None:
    found = regularity(drawn(shape, 20_000, seed=1))

    assert found.k == pytest.approx(shape, rel=0.06)
    assert found.is_regular == (shape >= REGULAR)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    found = [regularity(drawn(1.0, 1000, seed)) for seed in range(100)]

    held = sum(one.low <= 1 <= one.high for one in found if one.low is not None and one.high is not None)

    # 95 % of 100, less three standard deviations
    assert held >= 88
    assert sum(one.is_regular for one in found) == 0


def test_the_shape_is_that_of_the_variance_by_hand() -> None:
    found = regularity(intervals(np.repeat([3, 9], 50), np.repeat([9, 3], 50)))

    share = 2.5 / 11  # 3 days less half a day, of 12 days less one
    assert found.k == pytest.approx(1 / (8 * (share - 0.5) ** 2) - 0.5)
    assert found.k == found.low == found.high


def test_orders_like_clockwork_are_regular_and_told_with_a_number() -> None:
    found = regularity(intervals(np.full(40, 30), np.full(40, 30)))

    assert found.k == pytest.approx(CLOCKWORK)
    assert found.is_regular


def test_of_too_few_customers_nothing_is_said() -> None:
    few = intervals(np.full(LEAST - 1, 30), np.full(LEAST - 1, 30))
    short = intervals(np.full(99, 3), np.full(99, 4))

    assert regularity(pa.concat_tables([few, short])).k is None
    assert regularity(few).customers == LEAST - 1
    assert not regularity(few).is_regular


def test_the_last_two_intervals_up_to_the_day_are_taken(engine: Engine) -> None:
    days = {"a": (90, 40, 10, 3, -5), "b": (40, 10, 3, 3), "c": (8, 2), "d": (5,)}
    lines = [line(name, AS_OF - timedelta(days=ago)) for name, agos in days.items() for ago in agos]
    lines.append(line("c", AS_OF, "-1", returned=True))

    table = engine.collect(last_intervals(engine.from_arrow(sales_table(lines)), AS_OF))

    assert table.to_pylist() == [{"before_days": 30, "last_days": 7, "customers": 2}]
