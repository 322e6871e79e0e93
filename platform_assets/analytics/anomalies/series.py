"""All daily series of a dataset, judged.

Belongs here: which measures of which segments are judged, and the judged days as a table. Does not belong here: how
one series is judged (``baseline``), and what its unusual days mean (``incidents``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa

from platform_assets.analytics.anomalies.baseline import BaselineSettings, Judged, Verdict, judge
from platform_assets.analytics.anomalies.measures import TOTAL, Panel, SeriesKey
from platform_assets.analytics.anomalies.prices import Floats, Indices

PRICE_LEVEL = "price_level"
_PRICE_SPREAD = 0.15
"""How much prices of one order differ from the usual ones, by price changes over the year."""
OF_TOTAL = ("net_amount", "orders", "units", PRICE_LEVEL)
OF_SEGMENTS = ("net_amount", "orders", PRICE_LEVEL)

DAYS_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("dimension", pa.string()),
        ("segment", pa.string()),
        ("measure", pa.string()),
        ("sale_date", pa.date32()),
        ("value", pa.float64()),
        ("expected_value", pa.float64()),
        ("lower_value", pa.float64()),
        ("upper_value", pa.float64()),
        ("z", pa.float64()),
        ("verdict", pa.string()),
        ("is_unusual", pa.bool_()),
    ]
)
"""One row per dataset, segment, measure and day.

``measure`` is net_amount, orders, units (see ``MEASURES_SCHEMA``) or price_level: what was paid by what
the same pieces usually cost, 1 where nothing with a usual price was sold. ``expected_value`` with its band
(``lower_value``, ``upper_value``) comes from the days before, ``z`` is the distance in robust standard deviations of
the logarithm. ``verdict`` is usual, unusual, holiday, "too little history" or "too few orders"; where nothing can be
said, the numbers are null."""


@dataclass(frozen=True)
class JudgedPanel:
    """The series of one dataset.

    Attributes:
        source_system: The dataset.
        panel: Its daily measures.
        series: Each judged series, by segment and measure.
    """

    source_system: str
    panel: Panel
    series: Mapping[tuple[SeriesKey, str], Judged]

    @property
    def tests(self) -> int:
        """How many days of how many series were judged."""
        judged = (Verdict.USUAL, Verdict.UNUSUAL)
        return sum(verdict in judged for series in self.series.values() for verdict in series.verdicts)

    @cached_property
    def distances(self) -> dict[str, tuple[Floats, Indices]]:
        """By measure, how far the judged days of all segments are off, in rising order, and the place of each day."""
        found = {}
        for measure in sorted({name for _, name in self.series}):
            every = [series.z for (_, name), series in self.series.items() if name == measure]
            z, day = np.abs(np.concatenate(every)), np.tile(np.arange(self.panel.length), len(every))
            order = np.argsort(z, kind="stable")[: len(z) - int(np.isnan(z).sum())]
            found[measure] = z[order], day[order]
        return found

    def sums(self, key: SeriesKey, measure: str, days: slice) -> tuple[float, float]:
        """What was, and what was expected, over those of some days that could be judged.

        A level is averaged, anything else is added up.
        """
        judged = self.series[key, measure]
        is_known = ~np.isnan(judged.expected[days])
        actual, expected = judged.values[days][is_known], judged.expected[days][is_known]
        if measure == PRICE_LEVEL and is_known.any():
            return float(np.mean(actual)), float(np.mean(expected))
        return float(actual.sum()), float(expected.sum())


def judged_panels(
    panels: Mapping[str, Panel],
    settings: BaselineSettings | None = None,
    holidays: Mapping[date, str] | None = None,
) -> dict[str, JudgedPanel]:
    """Judge every series of every dataset.

    Args:
        panels: Daily measures, see ``measures.panels``.
        settings: How days are judged.
        holidays: Names by day; none where no country is configured.
    """
    result = {}
    for source, panel in panels.items():
        series = {}
        for key in panel.keys:
            for measure in OF_TOTAL if key.dimension == TOTAL else OF_SEGMENTS:
                orders = panel.values["orders"][panel.row(key)]
                values, spread = _values(panel, key, measure), _PRICE_SPREAD if measure == PRICE_LEVEL else 1.0
                series[key, measure] = judge(values, panel.start, settings, holidays, orders, order_spread=spread)
        result[source] = JudgedPanel(source, panel, series)
    return result


def holiday_names(first: date, last: date, country: str | None, subdivision: str | None = None) -> dict[date, str]:
    """Public holidays by day, as the calendar of the warehouse has them; none without a country."""
    if country is None:
        return {}
    from holidays import country_holidays  # noqa: PLC0415 -- takes half a second: for those who name a country

    found = country_holidays(country, subdivision, range(first.year, last.year + 1), language="en_US")
    return {day: name for day, name in found.items() if first <= day <= last}


def days_table(judged: Mapping[str, JudgedPanel]) -> pa.Table:
    """The judged days.

    Returns:
        Rows of ``DAYS_SCHEMA``, by dataset, segment, measure and day.
    """
    tables = [DAYS_SCHEMA.empty_table()]
    for source in sorted(judged):
        days = pa.array(judged[source].panel.days, pa.date32())
        tables += [_lines(key, measure, one, days) for (key, measure), one in sorted(judged[source].series.items())]
    return pa.concat_tables(tables)


def _lines(key: SeriesKey, measure: str, series: Judged, days: pa.Array) -> pa.Table:
    named = {
        "source_system": key.source_system,
        "dimension": key.dimension,
        "segment": key.segment,
        "measure": measure,
    }
    numbers = {
        "value": series.values,
        "expected_value": series.expected,
        "lower_value": series.lower,
        "upper_value": series.upper,
        "z": series.z,
    }
    columns = {
        **{name: pa.repeat(pa.scalar(value, pa.string()), len(days)) for name, value in named.items()},
        "sale_date": days,
        **{name: pa.array(values, pa.float64(), from_pandas=True) for name, values in numbers.items()},
        "verdict": pa.array([str(verdict) for verdict in series.verdicts], pa.string()),
        "is_unusual": pa.array(series.is_unusual),
    }
    return pa.table(columns, schema=DAYS_SCHEMA)


def _values(panel: Panel, key: SeriesKey, measure: str) -> Floats:
    row = panel.row(key)
    if measure != PRICE_LEVEL:
        return np.asarray(panel.values[measure][row], dtype=float)
    paid, usual = panel.values["priced_amount"][row], panel.values["usual_amount"][row]
    level = np.divide(paid, usual, out=np.ones_like(paid), where=(usual > 0) & (paid > 0))
    return np.asarray(level, dtype=float)
