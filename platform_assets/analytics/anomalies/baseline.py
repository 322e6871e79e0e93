"""What a day is expected to be, from the days before it alone, and how far it is from that.

Belongs here: one series of daily measures against its same weekdays, on a log scale, with flagged days taken out of
later baselines and lasting shifts accepted. Does not belong here: what several series say together (``incidents``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from platform_assets.analytics.anomalies.prices import MAD_TO_SIGMA, Floats

_WEEK = 7
_NUMBERS = ("values", "expected", "scale", "lower", "upper", "z")


class Verdict(StrEnum):
    """What became of a day, and where nothing can be said, why."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    HOLIDAY = "holiday"
    TOO_LITTLE_HISTORY = "too little history"
    TOO_FEW = "too few orders"


@dataclass(frozen=True, kw_only=True)
class BaselineSettings:
    """How days are judged.

    Attributes:
        weeks: So many same weekdays before a day are looked at.
        least_weeks: With fewer of them, nothing is said.
        scale_days: The scale is that of the residuals of so many days before.
        scale_floor: The least scale, on the log scale: differences below a few percent are never news.
        threshold: Scales away from which on a day is unusual.
        drift: Share of the recent level's deviation that the expectation follows.
        shift_days: So many unusual days in a row, in one direction, are a new level.
        pattern_weeks: So many unusual same weekdays in a row, in one direction, are a new weekly pattern.
        least_orders: Where fewer orders than this are expected, nothing is said.
    """

    weeks: int = 4
    least_weeks: int = 4
    scale_days: int = 84
    scale_floor: float = 0.02
    threshold: float = 4.0
    drift: float = 0.85
    shift_days: int = 7
    pattern_weeks: int = 3
    least_orders: float = 10.0


@dataclass(frozen=True)
class Judged:
    """One series, judged day by day; NaN where nothing can be said.

    Attributes:
        values: The series.
        expected: What the day was expected to be.
        scale: Standard deviation of the logarithm.
        lower: Lower end of the band that a usual day lies in.
        upper: Its upper end.
        z: Distance from the expectation on the log scale, in scales.
        verdicts: One for each day.
        is_shift: Days that belong to the run that was accepted as a new level.
    """

    values: Floats
    expected: Floats
    scale: Floats
    lower: Floats
    upper: Floats
    z: Floats
    verdicts: tuple[Verdict, ...]
    is_shift: npt.NDArray[np.bool_]

    @property
    def is_unusual(self) -> npt.NDArray[np.bool_]:
        """Which days are unusual."""
        return np.array([verdict is Verdict.UNUSUAL for verdict in self.verdicts], dtype=bool)


def judge(
    values: Floats,
    start: date,
    settings: BaselineSettings | None = None,
    holidays: Mapping[date, str] | None = None,
    orders: Floats | None = None,
    *,
    order_spread: float = 1.0,
) -> Judged:
    """Judge each day of a series by the days before it.

    The first days, which have too few before them, are judged by the months after them, as if time ran backwards: that
    is no warning in time, but it finds what happened before the history began to be long enough.

    Args:
        values: One value per day, without holes.
        start: The first day.
        settings: How days are judged.
        holidays: Names by day; such a day is expected to be unlike others, and is not judged.
        orders: How many orders each value is made of, where it is: few orders vary by chance.
        order_spread: How much one order varies by chance, as a share of the usual: 1 for their number.
    """
    settings = settings or BaselineSettings()
    days = date.toordinal(start) + np.arange(len(values))
    closed = np.array([holidays is not None and date.fromordinal(int(day)) in holidays for day in days], dtype=bool)
    orders = np.full(len(values), np.inf) if orders is None else orders
    forward = _Walk(values, closed, (orders, order_spread), settings).run()
    early = forward.verdicts.count(Verdict.TOO_LITTLE_HISTORY)
    if early in (0, len(values)):
        return forward
    # As far as a day looks, and as many weeks again to begin with: what comes later says nothing of the first weeks.
    after = slice(early + settings.scale_days + 2 * _WEEK * settings.weeks - 1, None, -1)
    backward = _Walk(values[after], closed[after], (orders[after], order_spread), settings).run()
    return _joined(_reversed(backward), forward, early)


class _Walk:
    """The state while days are judged one after the other."""

    def __init__(
        self,
        values: Floats,
        closed: npt.NDArray[np.bool_],
        orders: tuple[Floats, float],
        settings: BaselineSettings,
    ) -> None:
        self.values, self.closed, self.settings = values, closed, settings
        self.orders, self.order_spread = orders
        size = len(values)
        positive = values[values > 0]
        self.least = float(np.median(positive)) / 100 if len(positive) else 1.0
        self.log: Floats = np.log(np.maximum(values, self.least))
        self.clean = self.log.copy()
        self.residual = np.full(size, np.nan)
        self.centre, self.scale, self.z = (np.full(size, np.nan) for _ in range(3))
        # What was expected on the day; the centre moves with levels that are accepted later.
        self.expected = np.full(size, np.nan)
        self.verdicts = [Verdict.TOO_LITTLE_HISTORY] * size
        self.is_shift = np.zeros(size, dtype=bool)
        self.direction, self.since = 0, 0

    def run(self) -> Judged:
        """Judge all days."""
        for day in range(len(self.values)):
            self._expect(day)
            self._decide(day)
        with np.errstate(invalid="ignore"):
            band = self.settings.threshold * self.scale
            lower, upper = np.exp(self.expected - band), np.exp(self.expected + band)
        return Judged(
            self.values, np.exp(self.expected), self.scale, lower, upper, self.z, tuple(self.verdicts), self.is_shift
        )

    def _expect(self, day: int) -> None:
        settings = self.settings
        same = self._same_weekdays(self.clean, day)
        if len(same) < settings.least_weeks:
            return
        usual_orders = _median(self._same_weekdays(self.orders, day))
        if usual_orders < settings.least_orders:
            self.verdicts[day] = Verdict.TOO_FEW
            return
        centre = _median(same)
        recent = self.residual[max(0, day - _WEEK) : day]
        recent = recent[~np.isnan(recent)]
        drift = _median(recent) if len(recent) == _WEEK else 0.0
        self.residual[day] = self.log[day] - centre
        self.centre[day] = self.expected[day] = centre + settings.drift * drift
        chance = self.order_spread * usual_orders**-0.5
        self.scale[day] = max(settings.scale_floor, chance, self._spread(day))

    def _same_weekdays(self, values: Floats, day: int) -> Floats:
        """The same weekdays of the weeks before, the last one first."""
        before: Floats = values[max(0, day - _WEEK * self.settings.weeks) : day][::-1]
        return before[_WEEK - 1 :: _WEEK]

    def _spread(self, day: int) -> float:
        """The spread of what was left unexplained; of the weeks themselves, while there is little of it."""
        first = max(0, day - self.settings.scale_days)
        left = self.clean[first:day] - self.centre[first:day]
        left = left[~np.isnan(left)]
        if len(left) < 2 * _WEEK:
            weekly = self.clean[first + _WEEK : day] - self.clean[first : day - _WEEK]
            left = np.concatenate([left, weekly / np.sqrt(2)])
        return _median(np.abs(left)) * MAD_TO_SIGMA

    def _decide(self, day: int) -> None:
        if np.isnan(self.centre[day]):
            return
        left = self.log[day] - self.centre[day]
        self.z[day] = left / self.scale[day]
        is_unusual = abs(self.z[day]) > self.settings.threshold
        self.verdicts[day] = Verdict.UNUSUAL if is_unusual else Verdict.USUAL
        if self.closed[day]:
            self.verdicts[day] = Verdict.HOLIDAY
            self._mask(day)
            return
        direction = int(np.sign(left)) if is_unusual else 0
        if direction != self.direction:
            self.direction, self.since = direction, day
        if is_unusual:
            self._mask(day)
            self._accept_pattern(day)
            if day - self.since + 1 >= self.settings.shift_days:
                self._accept(day)

    def _mask(self, day: int) -> None:
        self.clean[day] = self.centre[day]
        self.residual[day] -= self.log[day] - self.centre[day]

    def _accept_pattern(self, day: int) -> None:
        """Take the same weekdays of the last weeks as they are, where all of them were unusual in one direction."""
        same = day - _WEEK * np.arange(self.settings.pattern_weeks)
        if same[-1] < 0 or any(self.verdicts[place] is not Verdict.UNUSUAL for place in same):
            return
        if abs(np.sign(self.z[same]).sum()) == len(same):
            self.clean[same] = self.log[same]

    def _accept(self, day: int) -> None:
        """Take the level of the run for the new one: what was before it is moved there."""
        run = slice(self.since, day + 1)
        shift = float(np.median(self.log[run] - self.centre[run]))
        self.clean[: self.since] += shift
        self.clean[run] = self.log[run]
        self.centre[: self.since] += shift
        self.is_shift[run] = True
        self.residual[run] = 0.0
        self.direction, self.since = 0, day + 1


def _median(values: Floats) -> float:
    """What ``np.median`` gives; it is called for every day, and that takes most of its time to look at its input."""
    ordered, size = values.copy(), len(values)
    ordered.sort()
    return (ordered.item((size - 1) // 2) + ordered.item(size // 2)) / 2


def _reversed(judged: Judged) -> Judged:
    numbers = {name: getattr(judged, name)[::-1] for name in _NUMBERS}
    return Judged(**numbers, verdicts=judged.verdicts[::-1], is_shift=judged.is_shift[::-1])


def _joined(first: Judged, then: Judged, days: int) -> Judged:
    """So many days as the first one has them, and the others as the other one has."""
    names = (*_NUMBERS, "is_shift")
    arrays = {name: np.concatenate([getattr(first, name)[:days], getattr(then, name)[days:]]) for name in names}
    return Judged(**arrays, verdicts=first.verdicts[:days] + then.verdicts[days:])
