"""How surprising a change is: p-values from what segments did in other weeks, and control of false discoveries.

Belongs here: the empirical null distribution and what follows from p-values alone. Does not belong here: which measures
are tested (``weekly``).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from platform_assets.analytics.anomalies.prices import MAD_TO_SIGMA, Floats

TAIL_SHARE = 0.05
LEAST_TAIL = 5
TERCILES = 3


@dataclass(frozen=True)
class Surprise:
    """How far the last period of each segment is from its history; NaN where nothing can be said.

    Attributes:
        effect: Deviation of the last period from the median of the others.
        scale: Its standard deviation, robust and shrunk to that of segments of the same size.
        t: ``effect`` by ``scale``.
        p: Share of null deviations that are as large.
        null_size: How many null deviations.
        half_width: Half of the 90 % interval of the effect.
    """

    effect: Floats
    scale: Floats
    t: Floats
    p: Floats
    null_size: npt.NDArray[np.int64]
    half_width: Floats


def surprises(values: Floats, volume: Floats, chance: Floats, overlap: int = 1) -> Surprise:
    """Compare the last period of each segment with what segments of its size did in the periods before.

    Each period of the history is taken out and compared with the others (leave one out). These deviations, of all
    segments of the same volume tercile, in units of their segment's scale, are what happens by chance.

    Args:
        values: What is compared, one row per segment and one column per period, the last one under test.
        volume: The size of each segment, for the terciles.
        chance: The least standard deviation of each segment.
        overlap: Periods that are less than so many apart share something, and are taken out together.
    """
    history = values[:, :-1]
    middle = np.median(history, axis=1)
    effect = values[:, -1] - middle
    left = _leave_one_out(history, overlap)
    tercile = _terciles(volume)
    own = np.median(np.abs(history - middle[:, None]), axis=1) * MAD_TO_SIGMA
    pooled = np.array([np.median(own[tercile == part]) for part in range(int(tercile.max(initial=-1)) + 1)])[tercile]
    scale = np.maximum(np.sqrt((own**2 + pooled**2) / 2), np.maximum(chance, 1e-9))
    t = effect / scale
    p, size, width = np.ones(len(t)), np.zeros(len(t), dtype=np.int64), np.zeros(len(t))
    for part in np.unique(tercile):
        rows = tercile == part
        null = np.abs(left[rows] / scale[rows, None]).ravel()
        p[rows] = tail_p(np.abs(t[rows]), null)
        size[rows] = len(null)
        width[rows] = np.quantile(null, 0.9) * scale[rows]
    return Surprise(effect, scale, t, p, size, width)


def tail_p(values: Floats, null: Floats, share: float = TAIL_SHARE, least_index: float = 0.1) -> Floats:
    """Share of null values that are as large, with a power law beyond the largest of them.

    In the tail, counting says no more than "rarer than one in so many". There the share is that of a Pareto tail with
    the Hill estimate of its index (Hill, 1975) over the largest ones, which is on the safe side for lighter tails.

    Args:
        values: What is compared; not negative.
        null: What happens by chance; not negative.
        share: Which share of the null values is the tail.
        least_index: No lighter tail is believed, whatever the null values say.
    """
    return tail_of(np.sort(null), values, share, least_index)


def tail_of(ordered: Floats, values: Floats, share: float = TAIL_SHARE, least_index: float = 0.1) -> Floats:
    """``tail_p`` of null values that are in rising order already: for many comparisons with the same ones."""
    size = len(ordered)
    counted = (1 + size - np.searchsorted(ordered, values, side="left")) / (1 + size)
    few = int(size * share)
    if few < LEAST_TAIL or ordered[size - few - 1] <= 0:
        return np.asarray(counted, dtype=float)
    edge = ordered[size - few - 1]
    index = max(float(np.log(ordered[size - few :] / edge).mean()), least_index)
    tail = share * (np.maximum(values, edge) / edge) ** (-1 / index)
    return np.where(values > edge, np.minimum(tail, 1.0), counted)


def adjusted(p: Floats) -> Floats:
    """Benjamini and Hochberg's (1995) adjusted p-values: at most q of those at or below q are false, on average."""
    size = len(p)
    if not size:
        return np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = p[order] * size / np.arange(1, size + 1)
    result = np.empty(size)
    result[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return result


def _leave_one_out(history: Floats, overlap: int) -> Floats:
    """Each value less the median of the others of its row."""
    length = history.shape[1]
    column = np.arange(length)
    is_near = np.abs(column[:, None] - column) < overlap
    others = np.sort(np.where(is_near, np.inf, history[:, None, :]), axis=2)
    count = length - is_near.sum(axis=1)
    low, high = (others[:, column, place] for place in ((count - 1) // 2, count // 2))
    return np.asarray(history - (low + high) / 2)


def _terciles(volume: Floats) -> npt.NDArray[np.int64]:
    """The third by size that each segment is in; ties are broken by place."""
    rank = np.argsort(np.argsort(volume, kind="stable"), kind="stable")
    parts = TERCILES if len(volume) >= 2 * TERCILES else 1
    return np.asarray(rank * parts // max(len(volume), 1), dtype=np.int64)
