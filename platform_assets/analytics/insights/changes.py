"""A week's net sales against the weeks before: how much came from which factor, and from which segment.

Belongs here: the decomposition and the contributions as tables. Does not belong here: the arithmetic
(``decomposition``), and whether a change is more than chance (``report``).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from platform_assets.analytics.anomalies.measures import TOTAL, Panel, SeriesKey
from platform_assets.analytics.insights.decomposition import Contribution, Decomposition, contributions, decompose
from platform_assets.engines.engine import MONEY

CHANGES_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("dimension", pa.string()),
        ("segment", pa.string()),
        ("week_date", pa.date32()),
        ("baseline_weeks", pa.int64()),
        ("net_before_amount", MONEY),
        ("net_after_amount", MONEY),
        ("buyers_effect_amount", MONEY),
        ("orders_per_buyer_effect_amount", MONEY),
        ("units_per_order_effect_amount", MONEY),
        ("price_per_unit_effect_amount", MONEY),
        ("method", pa.string()),
    ]
)
"""One row per dataset and segment: why net sales of the week (Monday ``week_date``) differ from the mean of the
``baseline_weeks`` before it. The four effects add up to the difference, exactly but for the rounding of each to four
places: more or fewer buyers (guests' orders are one each), orders per buyer, units per order, and net sales per unit.
``method`` is LMDI, or Shapley where a factor is zero or negative."""
CONTRIBUTIONS_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("dimension", pa.string()),
        ("segment", pa.string()),
        ("week_date", pa.date32()),
        ("net_before_amount", MONEY),
        ("net_after_amount", MONEY),
        ("change_share", pa.float64()),
        ("unexpected_amount", MONEY),
        ("volume_effect_amount", MONEY),
        ("mix_effect_amount", MONEY),
        ("rate_effect_amount", MONEY),
    ]
)
"""One row per segment: its part in the change of its dimension's sum. ``change_share`` is of all segments' changes,
whatever their signs; ``unexpected_amount`` is more or less than if it had moved like the whole; volume (units of the
whole), mix (its share of them) and rate (net sales per unit) add up to its change."""

_COUNTS = ("buyers", "orders", "units", "net_amount")
BASELINE_WEEKS = 4


def changes_table(panels: Mapping[str, Panel], week: date, baseline_weeks: int = BASELINE_WEEKS) -> pa.Table:
    """Why net sales of each segment changed.

    Args:
        panels: Weekly measures of each dataset.
        week: The Monday of the week.
        baseline_weeks: So many weeks before it, whose mean it is compared with.

    Returns:
        Rows of ``CHANGES_SCHEMA``; none of datasets without those weeks, or without sales in any of them.
    """
    rows = []
    for source in sorted(panels):
        for key, (before, after) in _pairs(panels[source], week, baseline_weeks).items():
            rows.append(_change(key, decompose(before, after), week, baseline_weeks))
    return pa.Table.from_pylist(rows, schema=CHANGES_SCHEMA)


def contributions_table(panels: Mapping[str, Panel], week: date, baseline_weeks: int = BASELINE_WEEKS) -> pa.Table:
    """Which segments the change of a week came from.

    Args:
        panels: Weekly measures of each dataset.
        week: The Monday of the week.
        baseline_weeks: So many weeks before it, whose mean it is compared with.

    Returns:
        Rows of ``CONTRIBUTIONS_SCHEMA``, by dataset and dimension, the largest change first.
    """
    rows = []
    for source in sorted(panels):
        pairs = _pairs(panels[source], week, baseline_weeks)
        for dimension in sorted({key.dimension for key in pairs} - {TOTAL}):
            parts = {key.segment: pair for key, pair in pairs.items() if key.dimension == dimension}
            rows += [_contribution(source, dimension, one, week) for one in contributions(parts)]
    return pa.Table.from_pylist(rows, schema=CONTRIBUTIONS_SCHEMA)


def _pairs(panel: Panel, week: date, baseline_weeks: int) -> dict[SeriesKey, tuple[dict[str, float], dict[str, float]]]:
    end = (week - panel.start).days // panel.step
    if not baseline_weeks <= end < panel.length:
        return {}
    before = {name: panel.values[name][:, end - baseline_weeks : end].mean(axis=1) for name in _COUNTS}
    after = {name: panel.values[name][:, end] for name in _COUNTS}
    periods = (before, after)
    if not any(values.any() for period in periods for values in period.values()):
        return {}
    return {
        key: (*({name: float(period[name][row]) for name in _COUNTS} for period in periods),)  # type: ignore[misc]
        for row, key in enumerate(panel.keys)
    }


def _change(key: SeriesKey, found: Decomposition, week: date, baseline_weeks: int) -> dict[str, Any]:
    return {
        **_named(key.source_system, key.dimension, key.segment, week),
        "baseline_weeks": baseline_weeks,
        "net_before_amount": _money(found.before),
        "net_after_amount": _money(found.after),
        **{f"{name}_effect_amount": _money(effect) for name, effect in found.effects.items()},
        "method": found.method,
    }


def _contribution(source: str, dimension: str, found: Contribution, week: date) -> dict[str, Any]:
    return {
        **_named(source, dimension, found.segment, week),
        "net_before_amount": _money(found.before),
        "net_after_amount": _money(found.after),
        "change_share": found.share,
        "unexpected_amount": _money(found.unexpected),
        "volume_effect_amount": _money(found.volume),
        "mix_effect_amount": _money(found.mix),
        "rate_effect_amount": _money(found.rate),
    }


def _named(source: str, dimension: str, segment: str, week: date) -> dict[str, Any]:
    return {"source_system": source, "dimension": dimension, "segment": segment, "week_date": week}


def _money(number: float) -> Decimal:
    return Decimal(repr(number)).quantize(Decimal("0.0001"))
