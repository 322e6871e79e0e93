"""The effect of an action: how many customers it takes to see one, and what it was in the end."""

import math
from dataclasses import dataclass

from scipy.stats import norm

LEVEL = 0.05
POWER = 0.80


@dataclass(frozen=True)
class Effect:
    """What an action did, against those held out.

    Attributes:
        lift: Share with an order among the treated, minus that among those held out.
        low: Lower end of its 95 % interval (Newcombe's, which stays within -1 and 1).
        high: Upper end.
        p_value: Two-sided, of no effect (pooled z test).
    """

    lift: float
    low: float
    high: float
    p_value: float


def customers_needed(base: float, lift: float, held_out: float) -> int | None:
    """Customers, held out and treated together, to see a rise of a share.

    Normal approximation for two shares with unequal groups (Fleiss, "Statistical Methods for Rates and Proportions").

    Args:
        base: The share of those held out.
        lift: The rise among the treated.
        held_out: Share of customers held out.

    Returns:
        How many, at a two-sided level of 5 % with a power of 80 %; ``None`` where no number would do.
    """
    raised = base + lift
    if not (0 < held_out < 1 and lift > 0 and 0 <= base < raised <= 1):
        return None
    treated = 1 - held_out
    mean = held_out * base + treated * raised
    none = norm.isf(LEVEL / 2) * math.sqrt(mean * (1 - mean) * (1 / held_out + 1 / treated))
    some = norm.isf(1 - POWER) * math.sqrt(base * (1 - base) / held_out + raised * (1 - raised) / treated)
    return math.ceil(float((none + some) / lift) ** 2)


def detectable_lift(base: float, treated: int, held_out: int) -> float | None:
    """The least rise of a share that groups of these sizes show, by the same measure; ``None`` if there is none."""
    customers = treated + held_out
    if not treated or not held_out:
        return None
    low, high = 0.0, 1 - base
    if (customers_needed(base, high, held_out / customers) or math.inf) > customers:
        return None
    for _ in range(50):
        middle = (low + high) / 2
        needed = customers_needed(base, middle, held_out / customers) or math.inf
        low, high = (middle, high) if needed > customers else (low, middle)
    return high


def measured_effect(treated_active: int, treated: int, held_out_active: int, held_out: int) -> Effect | None:
    """What an action did, once the horizon is over.

    Args:
        treated_active: Treated customers with an order within the horizon.
        treated: Customers treated.
        held_out_active: The same of those held out who would have been treated.
        held_out: Customers held out who would have been treated.

    Returns:
        ``None`` where one of the groups is empty.
    """
    if not treated or not held_out:
        return None
    shares = treated_active / treated, held_out_active / held_out
    lift = shares[0] - shares[1]
    (low_t, high_t), (low_h, high_h) = wilson(treated_active, treated), wilson(held_out_active, held_out)
    low = lift - math.hypot(shares[0] - low_t, high_h - shares[1])
    high = lift + math.hypot(high_t - shares[0], shares[1] - low_h)
    pooled = (treated_active + held_out_active) / (treated + held_out)
    error = math.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / held_out))
    return Effect(lift, low, high, float(2 * norm.sf(abs(lift) / error)) if error else 1.0)


def wilson(hits: int, tries: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share = hits / tries
    center = share + z * z / (2 * tries)
    half = z * math.sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries))
    scale = 1 + z * z / tries
    return max((center - half) / scale, 0.0), min((center + half) / scale, 1.0)
