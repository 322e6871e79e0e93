"""The calendar's part of a series: one effect per place in the period, shrunk by how far the years agree on it."""

from collections.abc import Sequence

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray, Grain

_CYCLES = 2
"""Whole periods that a series needs before anything is said about its seasons."""
_WEEKDAY_WEEKS = 52
_YEARS = 12
"""How far back weekdays and times of the year are averaged."""
_REACHES = (0, 1)
"""Weeks to each side over which times of the year may be averaged."""


def seasonal_effects(values: FloatArray, period: int, reaches: Sequence[int] = (0,)) -> FloatArray:
    """What each place in the period adds to a series, zero where the periods do not agree.

    The series minus its moving average over a period leaves one row of deviations per period. The mean of a place is
    its effect and the part of its variance that is not noise (James and Stein, 1961) is how much of it is kept: with
    noise alone nothing, with identical periods all.

    Args:
        values: The series, in the scale where effects add up.
        period: How many steps until the calendar repeats.
        reaches: Steps to each side over which neighbouring effects may be averaged; taken is what says each period
            best from the others.

    Returns:
        ``period`` effects; the first is that of the step after the end of the series.
    """
    if len(values) < _CYCLES * period:
        return np.zeros(period)
    deviations = values - _moving_average(values, period)
    cycles = len(values) // period
    rows = deviations[len(values) - cycles * period :].reshape(cycles, period)
    reach = min(reaches, key=lambda reach: _misses(rows, reach)) if len(reaches) > 1 else reaches[0]
    rows = _smoothed(rows, reach)
    effects = rows.mean(axis=0)
    effects = effects - effects.mean()
    noise = ((rows - rows.mean(axis=0)) ** 2).sum() / ((cycles - 1) * period) / cycles
    spread = (effects**2).mean()
    kept = max(0.0, 1 - noise / spread) if spread > 0 else 0.0
    return np.asarray(kept * effects)


def _moving_average(values: FloatArray, period: int) -> FloatArray:
    """Centred over a whole period; at the ends the nearest full one, moved along by the trend there."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    full = (sums[period:] - sums[:-period]) / period
    if period % 2 == 0:
        full = (full[1:] + full[:-1]) / 2
    before = period // 2
    after = len(values) - len(full) - before
    reach = min(period, len(full))
    left = np.polyfit(np.arange(reach), full[:reach], 1)
    right = np.polyfit(np.arange(reach), full[-reach:], 1)
    head = np.polyval(left, np.arange(-before, 0))
    tail = np.polyval(right, np.arange(reach, reach + after))
    return np.concatenate([head, full, tail])


def _misses(rows: FloatArray, reach: int) -> float:
    """Squared error of saying each period from the smoothed mean of the others."""
    others = (rows.sum(axis=0) - rows) / (len(rows) - 1)
    return float(((rows - _smoothed(others, reach)) ** 2).sum())


def _smoothed(rows: FloatArray, reach: int) -> FloatArray:
    """Triangular means along each row, around its end."""
    weights = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    moved = [weight * np.roll(rows, shift, axis=1) for shift, weight in enumerate(weights, -reach)]
    return np.asarray(sum(moved) / weights.sum())


def seasonally_adjusted(values: FloatArray, grain: Grain, horizon: int) -> tuple[FloatArray, FloatArray]:
    """A series without its weekdays and its time of year.

    Args:
        values: The series, in the scale where effects add up.
        grain: Says what repeats.
        horizon: How many steps ahead.

    Returns:
        The adjusted series, and the effects of the steps ahead.
    """
    ahead = np.zeros(horizon)
    weekdays: list[tuple[int, Sequence[int], int]] = [(grain.inner, (0,), _WEEKDAY_WEEKS)] if grain.inner > 1 else []
    for period, reaches, cycles in [*weekdays, (grain.annual, [weeks * grain.inner for weeks in _REACHES], _YEARS)]:
        effects = seasonal_effects(values[-period * cycles :], period, reaches)
        known = np.tile(effects, -(-len(values) // period))[-len(values) :]
        values = values - known
        ahead = ahead + np.tile(effects, -(-horizon // period))[:horizon]
    return values, ahead
