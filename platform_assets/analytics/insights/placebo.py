"""The engine's test of itself: how often it finds something where nothing can be found.

Belongs here: reports on weeks in a random order. Does not belong here: real reports (``report``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from platform_assets.analytics.anomalies.measures import Panel
from platform_assets.analytics.insights.candidates import LONG, LONG_WINDOW
from platform_assets.analytics.insights.report import ReportSettings, weekly_report

PLACEBO_SCHEMA = pa.schema(
    [
        ("week_date", pa.date32()),
        ("runs", pa.int64()),
        ("runs_with_findings", pa.int64()),
        ("false_report_rate", pa.float64()),
        ("findings", pa.int64()),
        ("seed", pa.int64()),
        ("reason", pa.string()),
    ]
)
"""One row per self-test.

``week_date`` is the Monday of the report it belongs to; ``runs`` reports were made on weeks in a random order, of which
``runs_with_findings`` found something, ``findings`` in all: ``false_report_rate`` is their share, null where there was
too little history, as ``reason`` says. It is the weekly tests that are tried, of a week and of four together, not those
of days and of prices; weeks in which something happened are among those in a random order, so that the share is rather
too high than too low."""
LEAST_WEEKS = 12


@dataclass(frozen=True)
class Placebo:
    """The outcome of a self-test.

    Attributes:
        week: The Monday of the report it belongs to.
        runs: How many reports were made.
        with_findings: How many of them found something.
        findings: How many findings they had in all.
        seed: Of the random orders.
    """

    week: date
    runs: int
    with_findings: int
    findings: int
    seed: int

    @property
    def rate(self) -> float | None:
        """Share of reports with findings; none where no report could be made."""
        return self.with_findings / self.runs if self.runs else None


def placebo(
    panels: Mapping[str, Panel],
    week: date,
    *,
    runs: int = 20,
    seed: int = 0,
    settings: ReportSettings | None = None,
) -> Placebo:
    """Report on the last weeks in a random order, the same one for all segments.

    The week under test is left out, and no other: without those in which something was found, nothing could be found.
    There are as many weeks as the longest tests look at, so that each is made. The daily tests are not repeated: their
    days cannot change places without losing weekdays and seasons.

    Args:
        panels: Weekly measures of each dataset.
        week: The Monday of the report's week.
        runs: How many random orders.
        seed: Of the random orders.
        settings: How findings are chosen.
    """
    settings = settings or ReportSettings()
    known = {name: cut for name, panel in panels.items() if (cut := _before(panel, week, settings.window))}
    if not known:
        return Placebo(week, 0, 0, 0, seed)
    rng = np.random.default_rng(seed)
    counts = [len(_report(known, rng, settings)) for _ in range(runs)]
    return Placebo(week, runs, sum(count > 0 for count in counts), sum(counts), seed)


def placebo_table(outcome: Placebo) -> pa.Table:
    """The outcome as a row of ``PLACEBO_SCHEMA``."""
    row = {
        "week_date": outcome.week,
        "runs": outcome.runs,
        "runs_with_findings": outcome.with_findings,
        "false_report_rate": outcome.rate,
        "findings": outcome.findings,
        "seed": outcome.seed,
        "reason": None if outcome.runs else f"fewer than {LEAST_WEEKS} weeks before it",
    }
    return pa.Table.from_pylist([row], schema=PLACEBO_SCHEMA)


def _before(panel: Panel, week: date, window: int) -> Panel | None:
    """The weeks before the one under test that a report would look at, and that dataset was there in."""
    end = min((week - panel.start).days // panel.step, panel.length)
    first = max(0, end - max(window, LONG_WINDOW) - 2 * LONG)
    if end - first < LEAST_WEEKS or not panel.values["orders"][:, end - 1].any():
        return None
    return replace(panel, values={name: values[:, first:end] for name, values in panel.values.items()})


def _report(known: Mapping[str, Panel], rng: np.random.Generator, settings: ReportSettings) -> tuple[object, ...]:
    """A report on the last of the weeks, for all datasets at once: they are laid so that they end together."""
    end, mixed = date(2000, 1, 3), {}
    for name, panel in sorted(known.items()):
        order = rng.permutation(panel.length)
        start = end - timedelta(days=7 * (panel.length - 1))
        mixed[name] = replace(
            panel, start=start, values={key: values[:, order] for key, values in panel.values.items()}
        )
    return weekly_report(mixed, end, settings=settings).insights
