"""The detector over many seeded series: ``python -m platform_assets_tests.analytics.anomalies.bench_baseline``.

Prints precision, recall, F1 and false alarms a year with faults, and false alarms a year without.
"""

import sys

from platform_assets.analytics.anomalies.baseline import judge
from platform_assets_tests.analytics.anomalies.simulated import START, WARM_UP, simulated

SERIES = 100


def main() -> None:
    hits = false = missed = quiet = days = 0
    for seed in range(1000, 1000 + SERIES):
        series = simulated(seed)
        flagged, event = judge(series.values, START).is_unusual[WARM_UP:], series.is_event[WARM_UP:]
        hits += int((flagged & event).sum())
        false += int((flagged & ~event).sum())
        missed += int((~flagged & event).sum())
        quiet += int(judge(simulated(seed, faults=False).values, START).is_unusual.sum())
        days += len(flagged)
    years = days / 365.25
    sys.stdout.write(
        f"precision {hits / (hits + false):.3f}  recall {hits / (hits + missed):.3f}  "
        f"F1 {2 * hits / (2 * hits + false + missed):.3f}  false days a year {false / years:.2f}  "
        f"without faults {quiet / (years * len(series.values) / len(flagged)):.2f}\n"
    )


if __name__ == "__main__":
    main()
