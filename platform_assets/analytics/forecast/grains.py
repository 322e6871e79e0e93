"""The steps of time that are forecast, and what repeats within them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Grain:
    """A step of time.

    Attributes:
        name: ``day`` or ``week``.
        days: Days in a step.
        inner: Steps after which like follows like: seven for days, one for weeks.
        annual: Steps in a year of whole weeks.
        season: The period of the seasonal naive forecast, in steps.
        horizon: How many steps ahead are forecast when nobody says otherwise.
        memory: The newest steps that models of the level look at.
    """

    name: str
    days: int
    inner: int
    annual: int
    season: int
    horizon: int
    memory: int

    def first_step(self, day: date) -> date:
        """The start of the first whole step that begins on a day or after it; weeks begin on Monday."""
        return day if self.days == 1 else day + timedelta(days=-day.weekday() % 7)

    def whole_steps(self, start: date, last_day: date) -> int:
        """How many steps from ``start`` are over with ``last_day``; what has only begun does not count."""
        return max(0, ((last_day - start).days + 1) // self.days)

    def dates(self, start: date, steps: Sequence[int] | range) -> list[date]:
        """The first days of steps, counted from ``start``."""
        return [start + timedelta(days=self.days * step) for step in steps]


DAY = Grain("day", days=1, inner=7, annual=364, season=7, horizon=28, memory=728)
WEEK = Grain("week", days=7, inner=1, annual=52, season=52, horizon=13, memory=260)
GRAINS = (DAY, WEEK)
