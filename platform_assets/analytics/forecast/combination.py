"""One forecast from several: their mean in the scale of the series, weighted by how well each did before."""

from collections.abc import Mapping, Sequence

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray
from platform_assets.analytics.forecast.scale import Scale

COMBINATION = "combination"
_POWER = 2
"""Weights are inverse squares of errors (Bates and Granger, 1969)."""
_MEMORY = 4
"""Newest origins whose errors count."""

Errors = Mapping[str, float]
"""Mean absolute error of each member at one origin."""


def weights(members: Sequence[str], past: Sequence[Errors]) -> dict[str, float]:
    """Weights that sum to 1.

    Args:
        members: Who takes part.
        past: Errors at origins before, the oldest first. Only origins where every member has an error are compared:
            one that was not there when things were hard would look better than it is.

    Returns:
        By member; equal ones where nothing is known.
    """
    shared = [errors for errors in past[-_MEMORY:] if all(name in errors for name in members)]
    if not shared:
        return dict.fromkeys(members, 1 / len(members))
    means = np.array([np.mean([errors[name] for errors in shared]) for name in members])
    # A member without any error takes all; several of them share.
    raw = (means == 0).astype(float) if (means == 0).any() else (means / means.min()) ** -_POWER
    return dict(zip(members, (raw / raw.sum()).tolist(), strict=True))


def combined(forecasts: Mapping[str, FloatArray], shares: Mapping[str, float], scale: Scale) -> FloatArray:
    """The weighted mean of forecasts in the scale of the series: of logarithms where it and they are positive."""
    taken = np.stack([forecasts[name] for name in shares])
    share = np.array(list(shares.values()))
    if scale.is_log and taken.min() <= 0:
        return np.asarray(share @ taken)
    return scale.backward(share @ scale.forward(taken))
