"""Where a series changed its level.

Belongs here: one series of numbers. Does not belong here: what they are of (``trends``).

Forward selection of steps beside a straight line (the supremum of F statistics of Andrews, 1993), on values whose
outliers were brought in, with p-values by a bootstrap that keeps the dependence of neighbours: neither a few odd values
nor a steady trend nor a slow swing is a change.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NOTHING = 1e-9
_BURN_IN = 50
_LAGS = 5


@dataclass(frozen=True)
class ChangeRules:
    """What is a change.

    Attributes:
        margin: So many values must lie before it, after it and between two.
        most: So many are looked for.
        p_value: What is less sure is not taken.
        smallest: Nor what is smaller, in the units of the series (logarithms: 0.1 is about a tenth).
        draws: So many series without a change it is held against.
        false_discovery_rate: Share of the significant changes that may be chance.
    """

    margin: int = 8
    most: int = 4
    p_value: float = 0.02
    smallest: float = 0.1
    draws: int = 499
    false_discovery_rate: float = 0.1


@dataclass(frozen=True)
class Change:
    """A change of level.

    Attributes:
        place: First value on the new level.
        size: New less old level.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p_value: How often a series without a change has one as clear, wherever.
    """

    place: int
    size: float
    low: float
    high: float
    p_value: float


def level_changes(values: Floats, rng: np.random.Generator, rules: ChangeRules) -> list[Change]:
    """The changes of level of a series without gaps, in its order."""
    count = len(values)
    trend = np.column_stack([np.ones(count), np.arange(count) - (count - 1) / 2])
    places: list[int] = []
    p_values: dict[int, float] = {}
    while len(places) < rules.most:
        allowed = _allowed(count, places, rules.margin)
        if not len(allowed):
            break
        known = np.column_stack([trend, *(_step(count, place) for place in places)])
        tamed = _tamed(values, known)
        place, p_value = _clearest(tamed, known, allowed, rng, rules)
        if p_value > rules.p_value:
            break
        places.append(place)
        p_values[place] = p_value
    found = _sized(values, trend, places, p_values)
    return [change for change in found if abs(change.size) >= rules.smallest]


def _allowed(count: int, places: list[int], margin: int) -> npt.NDArray[np.int64]:
    free = np.arange(margin, count - margin + 1)
    for place in places:
        free = free[np.abs(free - place) >= margin]
    return free


def _step(count: int, place: int) -> Floats:
    return (np.arange(count) >= place).astype(np.float64)


def _tamed(values: Floats, known: Floats) -> Floats:
    """The values with those that stand out from their neighbours brought in, so that one of them makes no change.

    A neighbourhood is short beside the margin, so a new level is a neighbourhood of its own and is left as it is.
    """
    flat = _without(values, known)
    padded = np.pad(flat, 3, mode="reflect")
    near = np.median(np.lib.stride_tricks.sliding_window_view(padded, 7), axis=1)
    apart = flat - near
    spread = 1.4826 * float(np.median(np.abs(apart - np.median(apart)))) or float(np.std(apart)) or 1.0
    return values - apart + np.clip(apart, -3 * spread, 3 * spread)


def _clearest(
    values: Floats, known: Floats, allowed: npt.NDArray[np.int64], rng: np.random.Generator, rules: ChangeRules
) -> tuple[int, float]:
    """The place of the clearest step, and how often chance has one as clear."""
    count = len(values)
    steps = np.column_stack([_step(count, place) for place in allowed])
    steps = _without(steps, known)
    length = np.sqrt((steps**2).sum(axis=0))
    new = length > _NOTHING
    steps, allowed = steps[:, new] / length[new], allowed[new]
    left = _without(values, known)
    gains = (steps.T @ left) ** 2
    best = int(np.argmax(gains))
    without_best = left - steps[:, best] * (steps[:, best] @ left)
    drawn = _without(_drawn_again(without_best, rng, rules), known)
    largest = ((steps.T @ drawn) ** 2 / np.maximum((drawn**2).sum(axis=0), _NOTHING)).max(axis=0)
    observed = gains[best] / max(float((left**2).sum()), _NOTHING)
    return int(allowed[best]), float((1 + (largest >= observed).sum()) / (rules.draws + 1))


def _drawn_again(left: Floats, rng: np.random.Generator, rules: ChangeRules) -> Floats:
    """Series like this one without a change: autoregressions with its own shocks, one column per draw.

    Blocks of what is left over would lose the dependence at their seams, and find three times the changes they should.
    """
    count = len(left)
    dependence = float(left[1:] @ left[:-1] / max(float(left @ left), _NOTHING))
    # The estimate is too low, by what was fitted before: Kendall's correction, with more for the step.
    dependence = min(max(dependence + (4 + 8 * dependence) / count, 0.0), 0.95)
    shocks = left[1:] - dependence * left[:-1]
    series = rng.choice(shocks - shocks.mean(), (count + _BURN_IN, rules.draws))
    for row in range(1, len(series)):
        series[row] += dependence * series[row - 1]
    return np.asarray(series[_BURN_IN:])


def _sized(values: Floats, trend: Floats, places: list[int], p_values: dict[int, float]) -> list[Change]:
    """The sizes of all steps beside each other, with intervals that allow for the dependence of neighbours."""
    if not places:
        return []
    ordered = sorted(places)
    design = np.column_stack([trend, *(_step(len(values), place) for place in ordered)])
    tamed = _tamed(values, design)
    size, *_ = np.linalg.lstsq(design, tamed, rcond=None)
    inverse = np.linalg.inv(design.T @ design)
    scores = design * (tamed - design @ size)[:, None]
    middle = scores.T @ scores
    for lag in range(1, _LAGS):
        cross = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / _LAGS) * (cross + cross.T)
    half = 1.96 * np.sqrt(np.maximum(np.diag(inverse @ middle @ inverse), 0))
    return [
        Change(place, float(size[at]), float(size[at] - half[at]), float(size[at] + half[at]), p_values[place])
        for at, place in enumerate(ordered, start=trend.shape[1])
    ]


def _without(values: Floats, known: Floats) -> Floats:
    """What is left of columns when what is known is taken off."""
    basis, _ = np.linalg.qr(known)
    return np.asarray(values - basis @ (basis.T @ values))
