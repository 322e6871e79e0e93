"""Whether intervals hold what they promise: each one of the past, from what was known before it, against what came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from platform_assets.analytics.forecast.backtest import Prediction
from platform_assets.analytics.forecast.combination import COMBINATION
from platform_assets.analytics.forecast.grains import FloatArray
from platform_assets.analytics.forecast.intervals import LEVELS, Calibration, calibrate
from platform_assets.analytics.forecast.results import COVERAGE_SCHEMA
from platform_assets.analytics.forecast.scale import error_scale_of
from platform_assets.analytics.forecast.skill import Tested

ENOUGH_POINTS = 200
"""Steps from which on realised coverage is judged."""

Band = tuple[FloatArray, FloatArray]
"""The lower and the upper ends, by steps ahead, in amounts."""


@dataclass(frozen=True)
class Bands:
    """Intervals of a series.

    Attributes:
        past: By origin, counted from the oldest, then by level; only where one can be said.
        now: By level.
    """

    past: dict[int, dict[float, Band]]
    now: dict[float, Band]


def bands(pool: Sequence[Tested]) -> list[Bands]:
    """Intervals of all series of a grain, those of past origins included.

    An interval at an origin is calibrated with errors of older origins, of all series: the errors at the origin itself
    and at newer ones were not known then.

    Args:
        pool: Series with the same steps and horizon that end together.

    Returns:
        In the order of the pool.
    """
    errors = [_errors(tested) for tested in pool]
    # Series end together, so that origins equally far from the end are equally old.
    farthest = max((len(rows) for rows in errors), default=0)
    calibrations = [calibrate([rows[: max(0, len(rows) - back)] for rows in errors]) for back in range(farthest + 1)]
    return [_bands(tested, place, calibrations) for place, tested in enumerate(pool)]


def coverage_table(grain: str, pool: Sequence[Tested], made: Sequence[Bands]) -> pa.Table:
    """Realised coverage of a grain as rows of ``COVERAGE_SCHEMA``.

    Args:
        grain: Its name.
        pool: The series.
        made: Their intervals.
    """
    return pa.Table.from_pylist([_line(grain, level, pool, made) for level in LEVELS], schema=COVERAGE_SCHEMA)


def _line(grain: str, level: float, pool: Sequence[Tested], made: Sequence[Bands]) -> dict[str, object]:
    points, covered, width, size = 0, 0, 0.0, 0.0
    for tested, own in zip(pool, made, strict=True):
        past = tested.backtest.past if tested.backtest else ()
        for origin, by_level in own.past.items():
            if level not in by_level:
                continue
            (lower, upper), came = by_level[level], _came(tested, past[origin])
            points += len(came)
            covered += int(((came >= lower) & (came <= upper)).sum())
            width += float((upper - lower).sum())
            size += float(np.abs(came).sum())
    return {
        "grain": grain,
        "nominal_rate": level,
        "points": points,
        "covered_points": covered,
        "realised_rate": covered / points if points else None,
        "width_rate": width / size if size else None,
        "is_enough": points >= ENOUGH_POINTS,
        "reason": None if points else "interval unavailable: too few errors of earlier origins",
    }


def _errors(tested: Tested) -> FloatArray:
    """What came minus what was forecast, in the error scale: one row per origin, one column per step ahead."""
    past = tested.backtest.past if tested.backtest else ()
    rows = [_error(tested, prediction) for prediction in past]
    return np.array(rows).reshape(len(rows), tested.horizon)


def _error(tested: Tested, prediction: Prediction) -> FloatArray:
    known = _known(tested, prediction)
    return _scaled(_came(tested, prediction), known) - _scaled(prediction.forecasts[COMBINATION], known)


def _bands(tested: Tested, place: int, calibrations: Sequence[Calibration]) -> Bands:
    if tested.backtest is None:
        return Bands({}, {})
    made = tested.backtest.past
    past = {
        origin: _around(prediction, tested, place, calibrations[len(made) - origin])
        for origin, prediction in enumerate(made)
    }
    return Bands(past, _around(tested.backtest.now, tested, place, calibrations[0]))


def _around(prediction: Prediction, tested: Tested, place: int, calibration: Calibration) -> dict[float, Band]:
    known = _known(tested, prediction)
    scale, centre = error_scale_of(known), _scaled(prediction.forecasts[COMBINATION], known)
    ends = {level: calibration.ends(place, tested.horizon, level) for level in LEVELS}
    return {
        level: (scale.backward(centre + end[0]), scale.backward(centre + end[1]))
        for level, end in ends.items()
        if end is not None
    }


def _scaled(amounts: FloatArray, known: FloatArray) -> FloatArray:
    """Amounts in the error scale of the known part: what came later decides nothing at an origin.

    Where an amount has no logarithm, half of the smallest known one stands for it, or nothing sold where that is known.
    """
    scale = error_scale_of(known)
    if not scale.is_log:
        return scale.forward(amounts)
    return scale.forward(np.maximum(amounts, 0.0 if scale.shift else known.min() / 2))


def _known(tested: Tested, prediction: Prediction) -> FloatArray:
    return tested.series.values[: prediction.cut]


def _came(tested: Tested, prediction: Prediction) -> FloatArray:
    return tested.series.values[prediction.cut : prediction.cut + tested.horizon]
