"""Weekly panels with known changes, for the tests and the bench of the insights.

Sixty segments over 27 weeks, or more: orders by chance around a level that differs from segment to segment, amounts
with heavy tails, shocks that hit all segments of a week alike, and, if wanted, some segments whose last week is really
different.
"""

from datetime import date

import numpy as np

from platform_assets.analytics.anomalies.measures import Panel, SeriesKey

START = date(2024, 1, 1)
SEGMENTS, WEEKS = 60, 27
CHANGES = (1.45, 0.55, 1.7, 0.3)


def panel(seed: int, changes: tuple[float, ...] = (), weeks: int = WEEKS) -> tuple[Panel, set[SeriesKey]]:
    """A panel whose last week is under test, and the segments that really changed."""
    rng = np.random.default_rng(seed)
    keys = [SeriesKey("shop", "category", f"c{number:02}") for number in range(SEGMENTS)]
    level = rng.lognormal(np.log(40), 0.8, SEGMENTS)
    shock = np.exp(rng.normal(0, 0.1, weeks))
    own = np.exp(rng.standard_t(4, (SEGMENTS, weeks)) * 0.06)
    rate = level[:, None] * shock * own
    changed = rng.choice(np.flatnonzero(level >= 20), len(changes), replace=False)
    rate[changed, -1] *= np.array(changes) if changes else 1.0
    orders = rng.poisson(rate)
    net = np.array([[rng.lognormal(3.5, 0.8, count).sum() for count in row] for row in orders])
    values = {
        "buyers": orders * 0.9,
        "orders": orders.astype(float),
        "units": orders * 2.0,
        "net_amount": net,
        "returns_amount": net * 0,
        "priced_amount": net,
        "usual_amount": net * np.exp(rng.normal(0, 0.02, net.shape)),
    }
    return Panel(START, 7, tuple(keys), values), {keys[place] for place in changed}
