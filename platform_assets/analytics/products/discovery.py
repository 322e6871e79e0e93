"""Which of many tests may be believed.

Belongs here: the control of false discoveries. Does not belong here: the tests.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def q_values(p_values: Sequence[float] | npt.NDArray[np.float64], tests: int | None = None) -> npt.NDArray[np.float64]:
    """The least rate of false discoveries at which each test would be one (Benjamini and Hochberg, 1995).

    Args:
        p_values: Of the tests that are looked at.
        tests: How many there were in all; those not given count as not significant.
    """
    p = np.asarray(p_values, dtype=np.float64)
    total = len(p) if tests is None else tests
    order = np.argsort(p, kind="stable")
    scaled = p[order] * total / np.arange(1, len(p) + 1)
    result = np.empty(len(p))
    result[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return result
