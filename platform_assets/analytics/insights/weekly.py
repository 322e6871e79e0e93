"""The weekly tests of a report: each measure of each segment against its history and the whole's movement.

Belongs here: which measures are tested, what they are expected to be, and what a deviation is worth. Does not belong
here: daily incidents (``anomalies``), and which tests become findings (``report``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from platform_assets.analytics.anomalies.measures import TOTAL, Panel, SeriesKey
from platform_assets.analytics.anomalies.prices import Floats
from platform_assets.analytics.insights.null import Surprise, surprises

VOLUMES = ("net_amount", "orders")
PRICE_LEVEL = "price_level"
MEASURES = (*VOLUMES, PRICE_LEVEL)
LEAST_WEEKS = 10
_PRICE_SPREAD, _MONEY_SPREAD = 0.15, 1.0


@dataclass(frozen=True, kw_only=True)
class Test:
    """One measure of one segment in one period.

    Attributes:
        key: The segment.
        measure: net_amount, orders or price_level.
        value: What it was.
        expected: What it was expected to be: its history, moved like the whole.
        low: Lower end of the 90 % interval of the deviation's worth.
        high: Upper end.
        money: What the deviation is worth in net sales.
        p: Share of deviations by chance that are as large.
        orders: Orders in the period.
        null_size: How many deviations by chance it was compared with.
    """

    key: SeriesKey
    measure: str
    value: float
    expected: float
    low: float
    high: float
    money: float
    p: float
    orders: int
    null_size: int


def weekly_tests(
    panel: Panel, week: date, *, weeks: int = 1, window: int = 26, least_orders: float = 15.0
) -> list[Test]:
    """Test every measure of every segment of a dataset in one week, or in the last weeks taken together.

    Several weeks together show what is too small, or its segment too small, to be seen in one. They are compared with
    all spans of so many weeks before them.

    Args:
        panel: Weekly measures of the dataset.
        week: The Monday of the last week under test.
        weeks: So many weeks are taken together.
        window: So many weeks before them are the history.
        least_orders: Segments with fewer orders are not tested.

    Returns:
        The tests; none where the panel has not the week, or fewer than ``LEAST_WEEKS`` spans before it that share no
        week.
    """
    end = (week - panel.start).days // panel.step
    first = max(0, end - window - weeks + 1)
    if (
        end >= panel.length
        or (week - panel.start).days % panel.step
        or end - first - 2 * (weeks - 1) < LEAST_WEEKS * weeks
    ):
        return []
    cut = {name: _together(values[:, first : end + 1], weeks) for name, values in panel.values.items()}
    dimensions = sorted({key.dimension for key in panel.keys})
    return [test for name in dimensions for test in _of_dimension(panel, cut, name, least_orders, weeks)]


def last_week(as_of: date) -> date:
    """The Monday of the last week that is over at the end of a day."""
    return as_of - timedelta(days=(as_of.weekday() + 1) % 7 + 6)


def _together(values: Floats, weeks: int) -> Floats:
    """Sums over so many weeks, at every week; the last one, and those that share no week with it."""
    reached = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    sums = reached[:, weeks:] - reached[:, :-weeks]
    return np.concatenate([sums[:, :-weeks], sums[:, -1:]], axis=1)


def _of_dimension(
    panel: Panel, cut: Mapping[str, Floats], dimension: str, least_orders: float, weeks: int
) -> list[Test]:
    rows = np.array([place for place, key in enumerate(panel.keys) if key.dimension == dimension], dtype=np.int64)
    usual = np.median(cut["orders"][rows, :-1], axis=1)
    rows = rows[usual >= least_orders]
    if not len(rows):
        return []
    measures = (PRICE_LEVEL,) if dimension == TOTAL else MEASURES
    return [test for measure in measures for test in _of_measure(panel, cut, rows, measure, weeks)]


def _of_measure(
    panel: Panel, cut: Mapping[str, Floats], rows: npt.NDArray[np.int64], measure: str, weeks: int
) -> list[Test]:
    of = {name: values[rows] for name, values in cut.items()}
    rows, of = _with_history(rows, of, measure)
    if not len(rows):
        return []
    level = _level(of, measure)
    is_whole = panel.keys[rows[0]].dimension == TOTAL
    own = np.zeros(level.shape[1]) if is_whole else _movement(level, np.median(of["orders"], axis=1))
    orders = np.maximum(np.median(of["orders"][:, :-1], axis=1), 1)
    spread = _PRICE_SPREAD if measure == PRICE_LEVEL else _MONEY_SPREAD
    found = surprises(level - own, orders, spread / np.sqrt(orders), weeks)
    return [_test(panel.keys[row], measure, place, of=of, level=level, found=found) for place, row in enumerate(rows)]


def _with_history(
    rows: npt.NDArray[np.int64], of: dict[str, Floats], measure: str
) -> tuple[npt.NDArray[np.int64], dict[str, Floats]]:
    """Segments that were there nearly always; prices need something with a usual price now, too."""
    known = of["usual_amount" if measure == PRICE_LEVEL else "net_amount"] > 0
    kept = known[:, :-1].mean(axis=1) >= 0.9  # noqa: PLR2004 - of the weeks
    if measure == PRICE_LEVEL:
        kept &= known[:, -1]
    return rows[kept], {name: values[kept] for name, values in of.items()}


def _level(of: Mapping[str, Floats], measure: str) -> Floats:
    """The logarithm of the measure; half an order's worth stands for nothing."""
    if measure == PRICE_LEVEL:
        paid, usual = of["priced_amount"], of["usual_amount"]
        ratio = np.divide(paid, usual, out=np.ones_like(paid), where=(usual > 0) & (paid > 0))
        return np.asarray(np.log(ratio), dtype=float)
    values = of[measure]
    worth = values[:, :-1].sum(axis=1) / np.maximum(of["orders"][:, :-1].sum(axis=1), 1)
    return np.asarray(np.log(np.maximum(values, worth[:, None] / 2)), dtype=float)


def _movement(level: Floats, weight: Floats) -> Floats:
    """How the whole moves: the weighted median of its segments' movements, which one segment alone cannot turn."""
    moved = level - np.median(level[:, :-1], axis=1, keepdims=True)
    order = np.argsort(moved, axis=0, kind="stable")
    reached = np.cumsum(weight[order], axis=0)
    half = np.argmax(reached >= reached[-1] / 2, axis=0)
    columns = np.arange(level.shape[1])
    return np.asarray(moved[order[half, columns], columns])


def _test(
    key: SeriesKey, measure: str, place: int, *, of: Mapping[str, Floats], level: Floats, found: Surprise
) -> Test:
    effect, half = float(found.effect[place]), float(found.half_width[place])
    expected = float(np.exp(level[place, -1] - effect))
    # The level has a floor, which the logarithm needs; what is told has none.
    value = float(np.exp(level[place, -1]) if measure == PRICE_LEVEL else of[measure][place, -1])
    unit = _worth(of, measure, place)
    low, high = (unit * expected * float(np.expm1(step)) for step in (effect - half, effect + half))
    money = unit * (value - expected)
    return Test(
        key=key,
        measure=measure,
        value=value,
        expected=expected,
        low=min(low, money),
        high=high,
        money=money,
        p=float(found.p[place]),
        orders=int(of["orders"][place, -1]),
        null_size=int(found.null_size[place]),
    )


def _worth(of: Mapping[str, Floats], measure: str, place: int) -> float:
    """What one more of a measure is worth in net sales: for prices, what was sold at the usual ones."""
    if measure == "net_amount":
        return 1.0
    if measure == PRICE_LEVEL:
        return float(of["usual_amount"][place, -1])
    return float(of["net_amount"][place, :-1].sum() / max(of["orders"][place, :-1].sum(), 1))
