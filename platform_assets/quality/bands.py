"""The arithmetic of "as usual": robust bands, the difference of two shares, and the population stability index.

Belongs here: functions of numbers. Does not belong here: which numbers are compared (``drift``).

Sources: median and MAD for outliers, with 1.4826 for consistency at the normal distribution: Hampel (1974), "The
influence curve and its role in robust estimation"; Leys et al. (2013), "Detecting outliers: Do not use standard
deviation around the mean, use absolute deviation around the median". The index: Siddiqi (2006), "Credit Risk
Scorecards", which takes 0.25 for a shift that matters; its distribution without a shift: Yurdakul (2018),
"Statistical Properties of Population Stability Index".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, exp, log, pi, sin, sqrt
from statistics import median

NORMAL_MAD = 1.4826
"""What the median absolute deviation is multiplied by to estimate a normal standard deviation."""
_BIN_PRIOR = 0.5
"""Added to every bin, so that an empty one has a logarithm (Jeffreys' prior)."""
_FEW_DIFFERENCE = 0.05
_FEW_DEVIATIONS = 6.0
_LEAST_SHARE_CHANGE = 0.02
_DESIGN_EFFECT = 30
_LEAST_INDEX = 0.001
_EXPECTED_FOR_NONE = 10
_MANY = 20
_NOISE_DEVIATIONS = 4.0
_LEAST_LOG_CHANGE = 0.1


@dataclass(frozen=True)
class Band:
    """Where a value is expected, both ends included."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value is as usual."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0 to 1; of none, 0."""
        return self.count / self.total if self.total else 0.0


def deviation(values: Sequence[float]) -> float:
    """A robust standard deviation: 1.4826 times the median distance from the median."""
    middle = median(values)
    return NORMAL_MAD * median(abs(value - middle) for value in values)


def share_band(past: Sequence[Share], rows: int, sensitivity: float) -> Band:
    """Where a share is expected after those of several deliveries.

    Shares are compared as ``asin(sqrt(share))``, whose spread does not depend on the share (Bartlett, 1936, "The square
    root transformation in analysis of variance"): from 1 % to 3 % is as far as from 40 % to 50 %.

    Args:
        past: The shares before, oldest first.
        rows: How many are asked this time.
        sensitivity: Half the width, in deviations.

    Returns:
        Median and so many deviations to both sides, at least what chance does to a share of so many (binomial), and
        at least two percentage points. None at all lies outside where ten are expected and all of many deliveries of
        which that can be said had some.
    """
    angles = [_angle(share.value) for share in past]
    middle = median(angles)
    half = sensitivity * max(deviation(angles), 0.5 / sqrt(rows))
    usual = _share(middle)
    low = max(min(_share(middle - half), usual - _LEAST_SHARE_CHANGE), 0.0)
    high = min(max(_share(middle + half), usual + _LEAST_SHARE_CHANGE), 1.0)
    return Band(low or _some(past, usual, rows), high)


def _some(past: Sequence[Share], usual: float, rows: int) -> float:
    """The least share that is not none, where none would be news; otherwise none."""
    telling = [share for share in past if usual * share.total >= _EXPECTED_FOR_NONE]
    is_news = usual * rows >= _EXPECTED_FOR_NONE and len(telling) >= _MANY and all(share.count for share in telling)
    return 1 / rows if is_news else 0.0


def share_band_of_few(past: Share, rows: int) -> Band:
    """Where a share is expected when there is too little history for a band: the test of two proportions.

    Args:
        past: All that was delivered before, as one.
        rows: How many are asked this time.

    Returns:
        The share before, and to both sides six standard errors of the difference, at least five percentage points:
        a difference must be certain and large. Rows come in clusters (the lines of an invoice, the invoices of a
        day), so a thirtieth of them is taken for independent, a design effect of 30 (Kish, 1965, "Survey Sampling").
    """
    likely = (past.count + 1) / (past.total + 2)
    error = sqrt(likely * (1 - likely) * _DESIGN_EFFECT * (1 / past.total + 1 / rows))
    half = max(_FEW_DEVIATIONS * error, _FEW_DIFFERENCE)
    return Band(max(past.value - half, 0.0), min(past.value + half, 1.0))


def _angle(share: float) -> float:
    return asin(sqrt(share))


def _share(angle: float) -> float:
    """The share of an angle; those beyond none and all are none and all."""
    return sin(min(max(angle, 0.0), pi / 2)) ** 2


def count_band(past: Sequence[int], sensitivity: float) -> Band:
    """Where a count is expected after others: a band of its logarithm, because counts vary in proportion.

    Half the width is at least that of a Poisson count of the median's size, and at least a tenth.
    """
    logs = [log(count + 1) for count in past]
    middle = median(logs)
    half = max(sensitivity * deviation(logs), sensitivity / sqrt(max(median(past), 1)), _LEAST_LOG_CHANGE)
    scale = exp(half)
    size = exp(middle)
    return Band(max(size / scale - 1, 0.0), size * scale - 1)


def psi_terms(now: Sequence[int], before: Sequence[int]) -> list[float]:
    """What each bin adds to the population stability index: ``(p - q) ln(p / q)``, with half a value more per bin.

    Args:
        now: Values per bin.
        before: Values per bin of the reference, bins in the same order.
    """
    bins = len(now)
    total_now, total_before = sum(now) + bins * _BIN_PRIOR, sum(before) + bins * _BIN_PRIOR
    shares = [((a + _BIN_PRIOR) / total_now, (b + _BIN_PRIOR) / total_before) for a, b in zip(now, before, strict=True)]
    return [(p - q) * log(p / q) for p, q in shares]


def psi_limit(bins: int, rows: int, rows_before: int, least: float) -> float:
    """Up to where the index is as usual when there is too little history to know.

    Without a shift the index is distributed as ``(1/n + 1/m)`` times chi-square with ``bins - 1`` degrees of freedom
    (Yurdakul, 2018), which has the mean ``bins - 1`` and the variance ``2 (bins - 1)``. Four deviations are allowed,
    and the design effect of ``share_band_of_few``.

    Returns:
        That, at least ``least``.
    """
    degrees = bins - 1
    chance = _DESIGN_EFFECT * (1 / rows + 1 / rows_before) * (degrees + _NOISE_DEVIATIONS * sqrt(2 * degrees))
    return max(least, chance)


def psi_limit_of_past(past: Sequence[float], sensitivity: float, least: float) -> float:
    """Up to where the index is as usual after others: a band of its logarithm; at least ``least``."""
    logs = [log(max(index, _LEAST_INDEX)) for index in past]
    return max(least, exp(median(logs) + sensitivity * deviation(logs)))
