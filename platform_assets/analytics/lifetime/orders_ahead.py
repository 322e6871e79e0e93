"""The orders of a horizon: expected, discounted, and how far they could be from that."""

from dataclasses import dataclass

import numpy as np

from platform_assets.analytics.lifetime.histories import Array, Histories, Places
from platform_assets.analytics.lifetime.model import Fit, TransactionModel

_NODES, _WEIGHTS = (values / 2 for values in np.polynomial.legendre.leggauss(6))
_NODES = _NODES + 0.5
_YEAR_WEEKS = 365.25 / 7
_FINE = 4000
"""With more distinct histories, intervals are computed for one of those that are alike."""
_AGE_STEP = 0.1
"""Relative difference of ages that are alike: what is expected depends on the logarithm of an age."""
_ALIVE_STEPS = 20
"""Histories with as many orders are alike where P(alive) is the same twentieth."""
_CELLS = 2_000_000
"""Futures held in memory at once."""


@dataclass(frozen=True)
class Horizon:
    """How far ahead, and what later money counts.

    Attributes:
        weeks: How far.
        discount_rate: Per year; 0.1 means that money in a year counts 1/1.1.
    """

    weeks: float
    discount_rate: float


@dataclass(frozen=True)
class Chance:
    """What is not known for certain.

    Attributes:
        draws: Parameters of the transaction model drawn around the fit.
        shapes: p and q of the spend model: how much the worth of orders varies.
        futures: How many futures are simulated per kind of history.
        tails: Quantiles of the outcomes to give.
        rng: Source of chance.
        paid: Share of orders with money in them; the others are worth nothing.
    """

    draws: Array
    shapes: tuple[float, float]
    futures: int
    tails: tuple[float, float]
    rng: np.random.Generator
    paid: float = 1.0


@dataclass(frozen=True)
class OrdersAhead:
    """Orders within a horizon, per customer.

    Attributes:
        alive: P(alive) now.
        active: Probability of at least one order.
        expected: How many.
        discounted: Each counted at its present value.
        ratios: Discounted orders by drawn parameters over ``discounted``: shape (draws, kinds of histories).
        outcomes: Quantiles of what the orders really bring, in orders of average worth, free ones among them: shape
            (2, customers).
        place: For every customer, the kind of history that is theirs.
    """

    alive: Array
    active: Array
    expected: Array
    discounted: Array
    ratios: Array
    outcomes: Array
    place: Places


def discounted_orders(model: TransactionModel, theta: Array, rows: Histories, horizon: Horizon) -> Array:
    """Expected orders, each counted at its present value, discounted continuously."""
    moments = _NODES * horizon.weeks
    factors = _WEIGHTS * horizon.weeks * np.exp(-np.log1p(horizon.discount_rate) * moments / _YEAR_WEEKS)
    paces = [model.pace(theta, rows, float(moment)) for moment in moments]
    orders: Array = factors @ np.array(paces)
    return orders


def orders_ahead(found: Fit, rows: Histories, horizon: Horizon, chance: Chance) -> OrdersAhead:
    """What a fit says of the orders to come.

    Args:
        found: The fit.
        rows: Histories up to now.
        horizon: How far ahead.
        chance: How far the truth could be from it.
    """
    model, theta = found.model, found.theta
    alive, expected = model.alive(theta, rows), model.expected(theta, rows, horizon.weeks)
    examples, kind = _kinds(rows, alive)
    alike = rows.part(examples)
    center = discounted_orders(model, theta, alike, horizon)
    ratios = np.array([discounted_orders(model, drawn, alike, horizon) for drawn in chance.draws]) / center
    own = expected / np.maximum(expected[examples][kind], 1e-300)  # against the example of their kind
    return OrdersAhead(
        rows.every(alive),
        rows.every(model.active(theta, rows, horizon.weeks)),
        rows.every(expected),
        rows.every(discounted_orders(model, theta, rows, horizon)),
        ratios,
        (_outcomes(model, alike, horizon.weeks, chance)[:, kind] * own)[:, rows.place],
        kind[rows.place],
    )


def _kinds(rows: Histories, alive: Array) -> tuple[Places, Places]:
    """An example of each kind of histories that are alike in orders, age and P(alive), and of every one its kind.

    Among histories of as many orders and one age P(alive) tells the recency, on which all else depends through it.
    """
    if len(rows.age) <= _FINE:
        every = np.arange(len(rows.age))
        return every, every
    ages = np.round(np.log1p(rows.age) / _AGE_STEP).astype(np.int64)
    chances = np.round(alive * _ALIVE_STEPS).astype(np.int64)
    keys = (rows.frequency.astype(np.int64) * (ages.max() + 1) + ages) * (_ALIVE_STEPS + 1) + chances
    _, example, kind = np.unique(keys, return_index=True, return_inverse=True)
    return example.astype(np.int64), kind.astype(np.int64)


def _outcomes(model: TransactionModel, rows: Histories, weeks: float, chance: Chance) -> Array:
    """Quantiles of the worth of the orders that come: how many, times what they are worth against the average order.

    The worth of n orders of a customer with x behind them is Gamma(p n) over Gamma(p x + q), whatever was spent on
    those x, times something the customer's own mean decides; so its spread is simulated once per history.
    """
    quantiles = np.empty((2, len(rows.age)))
    block = max(_CELLS // chance.futures, 1)
    for start in range(0, len(rows.age), block):
        part = slice(start, start + block)
        worth = _worth(model, rows.part(part), weeks, chance)
        quantiles[:, part] = np.quantile(worth, chance.tails, axis=0)
    return quantiles


def _worth(model: TransactionModel, rows: Histories, weeks: float, chance: Chance) -> Array:
    """The worth of the orders of every future, in average orders: shape (futures, rows)."""
    p, q = chance.shapes
    shape = p * chance.paid * rows.frequency + q
    drawn = np.empty((chance.futures, len(shape)))
    parts = np.array_split(drawn, min(len(chance.draws), chance.futures))
    for theta, part in zip(chance.draws, parts, strict=False):
        orders = _paid(model.futures(theta, rows, weeks, len(part), chance.rng), chance)
        worth = chance.rng.gamma(p * np.maximum(orders, 1)) / chance.rng.gamma(shape, size=orders.shape)
        part[:] = np.where(orders > 0, worth * (shape - 1) / p, 0.0)
    return drawn


def _paid(orders: Array, chance: Chance) -> Array:
    """The orders with money in them."""
    return orders if chance.paid == 1 else chance.rng.binomial(orders.astype(np.int64), chance.paid).astype(np.float64)
