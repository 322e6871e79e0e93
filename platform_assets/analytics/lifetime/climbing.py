"""Climbing to the top of a likelihood, for every model alike."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from platform_assets.analytics.lifetime.histories import Array

_FLAT = 1e-9
"""Of the greatest curvature: one so much less is none."""


def climbed(
    loss: Callable[[Array], tuple[float, Array]], start: Array, steepest: float, inverse: Array | None = None
) -> OptimizeResult:
    """Minimize by BFGS.

    Args:
        loss: Gives what is minimized, and its gradient.
        start: From where.
        steepest: No part of the gradient is more than that where it ends.
        inverse: What is known of the inverse of the second derivatives; left out where it is not positive.
    """
    options: dict[str, Any] = {"gtol": steepest, "maxiter": 300}
    if inverse is not None:
        symmetric = (inverse + inverse.T) / 2
        curvatures = np.linalg.eigvalsh(symmetric)
        options |= {"hess_inv0": symmetric} if curvatures.min() > _FLAT * curvatures.max() else {}
    return minimize(loss, start, jac=True, method="BFGS", options=options)
