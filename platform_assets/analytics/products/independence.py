"""How often two items would be in one order if they had nothing to do with each other.

Belongs here: the expectation, given what orders there are. Does not belong here: which pairs are more often together
(``affinity``).

Every line of an order is drawn by itself. An item is then in an order of n lines with probability 1 - (1 - a) ** n,
where its share a is such that it is expected in as many orders as it is in; a line that is the one item is not the
other, so that orders of one line hold no pair. Shares are those of a dataset: shops that sell different things do not
make pairs of all they sell. Where the items are the products themselves, an order of n has n different ones: so many
are drawn that n different ones are expected.
"""

from collections.abc import Callable, Sequence
from functools import partial

import narwhals as nw
import numpy as np
import numpy.typing as npt

from platform_assets.engines.engine import Engine, Frame

Floats = npt.NDArray[np.float64]
_HALVINGS, _ROUNDS = 60, 5
_PAIRS_AT_ONCE = 10_000
_MOST_DRAWS = 10.0
"""So many draws for each item at most, where orders hold nearly all there is."""


def expected_together(baskets: Frame, pairs: Sequence[tuple[str, str]], engine: Engine, *, are_counted: bool) -> Floats:
    """The expected number of orders with both items of each pair.

    Args:
        baskets: ``basket``, ``item``, ``source_system`` and ``size``, each item of an order once.
        pairs: The pairs.
        engine: What computes.
        are_counted: Whether the size of an order is the number of its items.
    """
    orders = baskets.select("basket", "source_system", "size").unique("basket")
    sizes = engine.collect(orders.group_by("source_system", "size").agg(nw.len().alias("n"))).to_pylist()
    counts = engine.collect(baskets.group_by("source_system", "item").agg(nw.len().alias("n"))).to_pylist()
    found = np.zeros(len(pairs))
    for source in sorted({row["source_system"] for row in sizes}):
        own = sorted((int(row["size"]), int(row["n"])) for row in sizes if row["source_system"] == source)
        draws, many = np.array(own, dtype=float).T
        items = {row["item"]: int(row["n"]) for row in counts if row["source_system"] == source}
        known = np.array([items.get(name, 0) for pair in pairs for name in pair], dtype=float)
        if are_counted:
            draws = _draws(np.array(list(items.values()), dtype=float), draws, many)
        # Many items are in equally many orders, and most are in several pairs: each share is solved for once.
        levels, places = np.unique(known, return_inverse=True)
        first, second = shares(levels, draws, many)[places].reshape(-1, 2).T
        found += _together(first, second, draws, many)
    return found


def shares(counts: Floats, draws: Floats, many: Floats) -> Floats:
    """The share of draws with which an item is expected in so many orders.

    Args:
        counts: Of each item, the orders it is in.
        draws: Of each kind of order, the draws it is made of.
        many: How many orders are of each kind.
    """
    return _solved(partial(_orders_with, draws, many), counts, np.ones(len(counts)))


def _orders_with(draws: Floats, many: Floats, share: Floats) -> Floats:
    return np.asarray((many * (1 - (1 - share[:, None]) ** draws)).sum(axis=1), dtype=float)


def _draws(counts: Floats, size: Floats, many: Floats) -> Floats:
    """From how many draws orders with so many different items are expected."""
    level, times = (part.astype(float) for part in np.unique(counts, return_counts=True))
    draws = size
    for _ in range(_ROUNDS):
        share = shares(level, draws, many)
        share = share / (share * times).sum()
        draws = _solved(partial(_different, share, times), size, size * _MOST_DRAWS)
    return draws


def _different(share: Floats, times: Floats, draws: Floats) -> Floats:
    """How many different items are expected among so many draws."""
    return np.asarray((times * (1 - (1 - share) ** draws[:, None])).sum(axis=1), dtype=float)


def _solved(rising: Callable[[Floats], Floats], wanted: Floats, most: Floats) -> Floats:
    """Where a rising function reaches what is wanted, between nothing and the most."""
    low, high = np.zeros(len(wanted)), np.asarray(most, dtype=float)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_less = rising(middle) < wanted
        low, high = np.where(is_less, middle, low), np.where(is_less, high, middle)
    return high


def _together(first: Floats, second: Floats, draws: Floats, many: Floats) -> Floats:
    """The expected orders with both, some pairs at a time: pairs times kinds of orders may be more than memory."""
    ends = range(_PAIRS_AT_ONCE, len(first), _PAIRS_AT_ONCE)
    parts = zip(np.split(first, ends), np.split(second, ends), strict=True)
    return np.concatenate([_both(one, other, draws, many) for one, other in parts])


def _both(first: Floats, second: Floats, draws: Floats, many: Floats) -> Floats:
    neither = np.maximum(1 - first - second, 0)[:, None] ** draws
    both = 1 - (1 - first[:, None]) ** draws - (1 - second[:, None]) ** draws + neither
    return np.asarray((many * np.maximum(both, 0)).sum(axis=1), dtype=float)
