"""Change taken apart exactly: into factors (LMDI), and into segments.

Belongs here: identities that close without a residual. Does not belong here: whether a change is more than chance
(``null``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import log, prod

FACTORS = ("buyers", "orders_per_buyer", "units_per_order", "price_per_unit")


@dataclass(frozen=True)
class Decomposition:
    """The change of net sales, taken apart.

    Attributes:
        before: Net sales before.
        after: Net sales after.
        effects: Money by factor, in the order of ``FACTORS``; together they are the change.
        method: ``LMDI``, or ``Shapley`` where a factor is zero or negative.
    """

    before: float
    after: float
    effects: dict[str, float]
    method: str

    @property
    def residual(self) -> float:
        """What the effects leave unexplained; rounding of floating point."""
        return self.after - self.before - sum(self.effects.values())


@dataclass(frozen=True)
class Contribution:
    """What one segment contributed to the change of the whole.

    Attributes:
        segment: Its name.
        before: Its net sales before.
        after: Its net sales after.
        share: Its share of all segments' changes, whatever their signs.
        expected: What it had sold if it had moved like the whole.
        volume: Money from more or fewer units of the whole.
        mix: Money from a larger or smaller share of the units.
        rate: Money from higher or lower net sales per unit.
    """

    segment: str
    before: float
    after: float
    share: float
    expected: float
    volume: float
    mix: float
    rate: float

    @property
    def difference(self) -> float:
        """The change; volume, mix and rate together."""
        return self.after - self.before

    @property
    def unexpected(self) -> float:
        """What is more or less than if it had moved like the whole."""
        return self.after - self.expected


def decompose(before: Mapping[str, float], after: Mapping[str, float]) -> Decomposition:
    """Take the change of net sales apart into customers, orders per customer, units per order and price per unit.

    Logarithmic mean Divisia index I (Ang, 2004): exact, symmetric in time, and no residual. Where net sales or a
    factor is not positive, logarithms do not exist, and each factor has its Shapley value: also exact and symmetric.
    A rate of a period without anything to divide by is that of the other period.

    Args:
        before: ``buyers``, ``orders``, ``units`` and ``net_amount`` of the earlier period.
        after: Those of the later one.
    """
    first, second = _counts(before), _counts(after)
    if before["units"] <= 0 < abs(before["net_amount"]) or after["units"] <= 0 < abs(after["net_amount"]):
        # Net sales without units: units say nothing then, in either period.
        first, second = ([*counts[:2], counts[1], counts[3]] for counts in (first, second))
    old, new = _rates(first, second), _rates(second, first)
    start, end = float(before["net_amount"]), float(after["net_amount"])
    if all(value > 0 for value in (*old, *new)):
        mean = start if start == end else (end - start) / (log(end) - log(start))
        effects = [mean * log(later / earlier) for earlier, later in zip(old, new, strict=True)]
        return Decomposition(start, end, dict(zip(FACTORS, effects, strict=True)), "LMDI")
    return Decomposition(start, end, dict(zip(FACTORS, _shapley(old, new), strict=True)), "Shapley")


def contributions(segments: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]]) -> list[Contribution]:
    """What each segment contributed to the change of their sum.

    Args:
        segments: By name, ``units`` and ``net_amount`` before and after; segments do not overlap.

    Returns:
        One for each segment, the largest change first.
    """
    units = [sum(pair[place]["units"] for pair in segments.values()) for place in (0, 1)]
    money = [sum(pair[place]["net_amount"] for pair in segments.values()) for place in (0, 1)]
    moved = sum(abs(after["net_amount"] - before["net_amount"]) for before, after in segments.values())
    result = []
    for name, (before, after) in segments.items():
        old, new = before["net_amount"], after["net_amount"]
        volume, mix = _volume_and_mix(before, after, units)
        result.append(
            Contribution(
                segment=name,
                before=old,
                after=new,
                share=abs(new - old) / moved if moved else 0.0,
                expected=old * money[1] / money[0] if money[0] else 0.0,
                volume=volume,
                mix=mix,
                rate=new - old - volume - mix,
            )
        )
    return sorted(result, key=lambda one: (-abs(one.difference), one.segment))


def _volume_and_mix(
    before: Mapping[str, float], after: Mapping[str, float], units: Sequence[float]
) -> tuple[float, float]:
    """A segment that is new or gone has the rate of the period it has units in: all of it is mix."""
    known = before if before["units"] > 0 else after
    rate = known["net_amount"] / known["units"] if known["units"] > 0 else 0.0
    shares = [period["units"] / whole if whole else 0.0 for period, whole in zip((before, after), units, strict=True)]
    return (units[1] - units[0]) * shares[0] * rate, units[1] * (shares[1] - shares[0]) * rate


def _counts(period: Mapping[str, float]) -> list[float]:
    """Buyers, orders, units and net sales; a period with money and no order had one order of one buyer."""
    counts = [float(period[name]) for name in ("buyers", "orders", "units", "net_amount")]
    if counts[3] != 0 and counts[1] <= 0:
        return [1.0, 1.0, max(counts[2], 0.0), counts[3]]
    return counts


def _rates(counts: Sequence[float], others: Sequence[float]) -> list[float]:
    """The factors of a period, whose product is its net sales."""
    rates = [counts[0]]
    for place in range(1, len(counts)):
        known = counts if counts[place - 1] > 0 else others
        rates.append(known[place] / known[place - 1] if known[place - 1] > 0 else 0.0)
    return rates


def _shapley(old: Sequence[float], new: Sequence[float]) -> list[float]:
    """The mean effect of changing a factor, over all orders in which the factors can change."""
    effects = [0.0] * len(old)
    orders = list(permutations(range(len(old))))
    for order in orders:
        state = list(old)
        for factor in order:
            earlier = prod(state)
            state[factor] = new[factor]
            effects[factor] += (prod(state) - earlier) / len(orders)
    return effects
