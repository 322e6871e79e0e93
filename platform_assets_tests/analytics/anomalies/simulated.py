"""Daily series with known faults, for the tests and the bench of the detector.

Weekly and annual seasons, autocorrelated noise, and on known days outages, promotions and lasting changes of level.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

START = date(2022, 1, 3)
WARM_UP = 84
WEEKDAYS = np.log([1.1, 1.0, 0.95, 1.0, 1.15, 1.3, 0.7])


@dataclass(frozen=True)
class Simulated:
    """A series and its truth.

    Attributes:
        values: One per day.
        is_event: Outages, promotions and the first seven days of a new level.
    """

    values: npt.NDArray[np.float64]
    is_event: npt.NDArray[np.bool_]


def simulated(seed: int, days: int = 584, *, faults: bool = True) -> Simulated:
    rng = np.random.default_rng(seed)
    time = np.arange(days)
    noise = np.zeros(days)
    shocks = rng.normal(0, rng.uniform(0.04, 0.07), days)
    for day in range(1, days):
        noise[day] = 0.35 * noise[day - 1] + shocks[day]
    annual = rng.uniform(0.05, 0.2) * np.sin(2 * np.pi * (time / 365.25 + rng.random()))
    level = 9 + WEEKDAYS[time % 7] + annual + noise
    is_event = np.zeros(days, dtype=bool)
    if faults:
        _add_faults(rng, level, is_event)
    return Simulated(np.exp(level), is_event)


def _add_faults(rng: np.random.Generator, level: npt.NDArray[np.float64], is_event: npt.NDArray[np.bool_]) -> None:
    """Ten slots of time after the warm-up; one fault in each, away from the slot's ends."""
    slots = np.linspace(WARM_UP, len(level) - 35, 11).astype(int)
    kinds = rng.permutation(["outage"] * 4 + ["promotion"] * 5 + ["shift"])
    for slot, kind in zip(slots, kinds, strict=False):
        first = slot + int(rng.integers(0, 12))
        if kind == "shift":
            level[first:] += rng.choice([-1, 1]) * rng.uniform(0.35, 0.5)
            is_event[first : first + 7] = True
            continue
        length = int(rng.integers(1, 3)) if kind == "outage" else int(rng.integers(2, 6))
        size = np.log(rng.uniform(0.05, 0.6)) if kind == "outage" else np.log(rng.uniform(1.5, 2.2))
        level[first : first + length] += size
        is_event[first : first + length] = True
