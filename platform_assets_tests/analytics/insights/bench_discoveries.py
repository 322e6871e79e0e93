"""False discoveries over many seeded reports: ``python -m platform_assets_tests.analytics.insights.bench_discoveries``.

Prints, with nothing changed and with four changes: share of reports with findings, mean share of false findings, and
how many of the changes were found.
"""

import sys
from datetime import timedelta
from itertools import product

import numpy as np

from platform_assets.analytics.insights.report import weekly_report
from platform_assets_tests.analytics.insights.panels import CHANGES, START, WEEKS, panel

REPORTS = 200


def main() -> None:
    for changes, weeks in product(((), CHANGES), (WEEKS, 60)):
        week = START + timedelta(days=7 * (weeks - 1))
        shown, false, found = 0, [], 0
        for seed in range(10_000, 10_000 + REPORTS):
            made, changed = panel(seed, changes, weeks)
            keys = {one.candidate.key for one in weekly_report({"shop": made}, week).insights}
            shown += bool(keys)
            false.append(len(keys - changed) / max(1, len(keys)))
            found += len(keys & changed)
        sys.stdout.write(
            f"{len(changes)} changes, {weeks} weeks: reports with findings {shown / REPORTS:.3f}  "
            f"false share {np.mean(false):.3f}  found {found / REPORTS:.2f}\n"
        )


if __name__ == "__main__":
    main()
