"""How fast time runs for buyers: seasons, weekdays and events turned into a clock of demand.

Belongs here: the map between days and operational time. A purchase process that is Poisson in operational time has,
on the calendar, exactly the seasons put into the clock, and each customer's own rate stays what it is. Does not
belong here: who buys.
"""

from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from platform_assets.samples.events import Events
from platform_assets.samples.plan import WORLD_DAYS, WORLD_START

MONTHS = np.array([0.85, 0.84, 0.92, 0.94, 0.97, 0.95, 0.9, 0.92, 1.04, 1.08, 1.32, 1.27])
WEEKDAYS = {
    "ecommerce_transactions": np.array([1.12, 1.05, 1.02, 1.06, 0.96, 0.72, 1.07]),
    "superstore_sales": np.array([1.25, 1.3, 1.28, 1.24, 1.15, 0.45, 0.33]),
    "retail_analytics": np.array([0.82, 0.84, 0.9, 0.97, 1.16, 1.4, 0.91]),
}
"""Demand by weekday, Monday first."""
PROMOTION_DEMAND = 2.2
HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 8, 14, 20, 24, 26, 27, 24, 22, 21, 20, 19, 18, 17, 14, 9, 5, 3], dtype=float)
"""Demand by hour of the day, in arbitrary units."""


class Clock:
    """The map between calendar days and operational time of one dataset."""

    def __init__(self, intensity: npt.NDArray[np.float64]) -> None:
        """Take the demand of each day of the world; it is scaled to a mean of 1."""
        self.intensity = intensity / intensity.mean()
        self._reached = np.concatenate([[0.0], np.cumsum(self.intensity)])

    def at(self, day: npt.NDArray[Any] | list[int]) -> npt.NDArray[np.float64]:
        """Operational time reached at a moment, given in days with fractions."""
        reached: npt.NDArray[np.float64] = np.interp(day, np.arange(WORLD_DAYS + 1), self._reached)
        return reached

    def day_at(self, position: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
        """The calendar day on which operational time reaches a position."""
        day = np.searchsorted(self._reached, position, side="right") - 1
        return np.clip(day, 0, WORLD_DAYS - 1).astype(np.int16)

    @property
    def total(self) -> float:
        """Operational time of the whole world."""
        return float(self._reached[-1])


def demand(dataset: str, events: Events) -> npt.NDArray[np.float64]:
    """Relative demand for each day of the world in one dataset."""
    days = [WORLD_START + timedelta(days=day) for day in range(WORLD_DAYS)]
    months = MONTHS[np.array([day.month - 1 for day in days])]
    result: npt.NDArray[np.float64] = months * WEEKDAYS[dataset][np.array([day.weekday() for day in days])]
    if dataset == events.outage.dataset:
        numbers = np.arange(WORLD_DAYS)
        result[events.promotion.covers(numbers)] *= PROMOTION_DEMAND
        result[events.outage.covers(numbers)] *= events.outage.factor
    return result


def seconds_of_day(rng: np.random.Generator, count: int) -> npt.NDArray[np.int32]:
    """Moments within a day, in seconds, as busy as the hours are."""
    hours = np.searchsorted(np.cumsum(HOURS / HOURS.sum()), rng.random(count), side="right")
    return (np.minimum(hours, 23) * 3600 + rng.integers(0, 3600, count)).astype(np.int32)
