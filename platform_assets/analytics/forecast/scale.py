"""The scales of a series: that of its models, and that of their errors."""

from dataclasses import dataclass, replace

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray

_NEAR_ZERO = 0.01
"""Share of the median below which an amount is as good as zero, and logarithms would speak of little else."""
_SHIFT = 0.1
"""Share of the mean that is added before logarithms of errors are taken, where there are zeros."""


@dataclass(frozen=True)
class Scale:
    """Logarithms where a series stays clear of zero, else shares of its mean amount.

    Attributes:
        is_log: Whether effects and errors are relative.
        is_positive: Whether amounts below zero make no sense.
        unit: What amounts are shares of, where they are not logarithms.
        shift: What is added before logarithms are taken.
    """

    is_log: bool
    is_positive: bool
    unit: float = 1.0
    shift: float = 0.0

    def forward(self, amounts: FloatArray) -> FloatArray:
        """Amounts into the scale."""
        return np.log(amounts + self.shift) if self.is_log else amounts / self.unit

    def backward(self, values: FloatArray) -> FloatArray:
        """Values of the scale into amounts."""
        amounts = np.exp(values) - self.shift if self.is_log else values * self.unit
        return np.maximum(amounts, 0.0) if self.is_positive else amounts


def scale_of(amounts: FloatArray) -> Scale:
    """The scale to model the known part of a series in."""
    is_positive = bool((amounts >= 0).all())
    if is_positive and amounts.min() > _NEAR_ZERO * float(np.median(amounts)):
        return Scale(is_log=True, is_positive=True)
    return Scale(is_log=False, is_positive=is_positive, unit=float(np.abs(amounts).mean()) or 1.0)


def error_scale_of(amounts: FloatArray) -> Scale:
    """The scale to compare forecasts with what came in.

    That of the models, but for series with zeros: errors of their good days are larger than those of their poor ones,
    and only logarithms of amounts with something added make them alike. For models these would be wrong: the mean of
    logarithms is far below the mean.
    """
    scale = scale_of(amounts)
    if scale.is_log or not scale.is_positive:
        return scale
    return replace(scale, is_log=True, shift=_SHIFT * scale.unit)
