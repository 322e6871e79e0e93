"""What must hold of findings, of the decomposition of change, and of the self-test.

Belongs here: judging the result tables by themselves. Does not belong here: which findings there are (``report``).
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
from scipy.stats import binom

from platform_assets.analytics.insights.record import INSIGHTS_SCHEMA

MOST_FALSE = 0.15
"""Share of reports on weeks without news that may have a finding."""
SURE = 0.01
"""A self-test speaks against the insights when chance alone would be as bad in fewer cases than this."""
_PLACE = Decimal("0.0001")
_EFFECTS = ("buyers", "orders_per_buyer", "units_per_order", "price_per_unit")
_SAID = [name for name in ("title", "text", "action", "verify", "sql") if name in INSIGHTS_SCHEMA.names]


def broken_changes(changes: pa.Table) -> list[str]:
    """Changes whose effects do not add up to them.

    Args:
        changes: Rows of ``CHANGES_SCHEMA``.
    """
    return _not_closing(changes, [f"{name}_effect_amount" for name in _EFFECTS])


def broken_contributions(contributions: pa.Table, changes: pa.Table) -> list[str]:
    """Segments whose effects do not add up to their change, or that changed otherwise than the decomposition says.

    Args:
        contributions: Rows of ``CONTRIBUTIONS_SCHEMA``.
        changes: Rows of ``CHANGES_SCHEMA``.
    """
    names = ("source_system", "dimension", "segment", "week_date", "net_before_amount", "net_after_amount")
    known = {tuple(row[name] for name in names) for row in changes.to_pylist()}
    lost = [row for row in contributions.to_pylist() if tuple(row[name] for name in names) not in known]
    broken = _not_closing(contributions, [f"{name}_effect_amount" for name in ("volume", "mix", "rate")])
    return broken + [f"{_where(row)}: the decomposition says otherwise" for row in lost]


def broken_insights(insights: pa.Table, reports: pa.Table) -> list[str]:
    """Findings that are no discoveries, lack words, are out of rank, or that their report does not count.

    Args:
        insights: Rows of ``REPORTED_SCHEMA``.
        reports: Rows of ``REPORTS_SCHEMA``.
    """
    rows, told = insights.to_pylist(), {row["week_date"]: row for row in reports.to_pylist()}
    ranks: dict[Any, list[int]] = defaultdict(list)
    broken = []
    for row in rows:
        week = row["week_date"]
        ranks[week].append(row["rank"])
        limit = told[week]["false_discovery_rate"] if week in told else 0.0
        broken += [f"{week} {row['title']}: {fault}" for fault in _of(row, limit)]
    counts = {week: told[week]["insights"] if week in told else 0 for week in sorted({*ranks, *told})}
    return broken + [
        f"{week}: ranks {sorted(ranks[week])}, and {count} findings in the report"
        for week, count in counts.items()
        if sorted(ranks[week]) != list(range(1, count + 1))
    ]


def placebo_p(runs: int, with_findings: int) -> float:
    """The chance of as many reports with findings, or more, if ``MOST_FALSE`` of them had one.

    Args:
        runs: Reports on weeks in a random order.
        with_findings: How many of them found something.
    """
    return float(binom.sf(with_findings - 1, runs, MOST_FALSE))


def _of(row: dict[str, Any], limit: float) -> Iterator[str]:
    if not 0 <= row["p"] <= row["p_adjusted"] <= limit:
        yield f"p {row['p']}, adjusted {row['p_adjusted']}, and at most {limit} is a discovery"
    if not row["impact_low_amount"] <= row["impact_amount"] <= row["impact_high_amount"]:
        yield f"{row['impact_amount']} is not within {row['impact_low_amount']} and {row['impact_high_amount']}"
    if missing := [name for name in _SAID if not row[name]]:
        yield f"no {', '.join(missing)}"
    if row["first_date"] > row["last_date"]:
        yield f"from {row['first_date']} to {row['last_date']}"


def _not_closing(table: pa.Table, effects: list[str]) -> list[str]:
    """Amounts are rounded each by itself: to half a place, so many of them."""
    broken = []
    for row in table.to_pylist():
        change, told = row["net_after_amount"] - row["net_before_amount"], sum(row[name] for name in effects)
        if abs(change - told) > _PLACE * (len(effects) + 2) / 2:
            broken.append(f"{_where(row)}: effects sum to {told}, the change is {change}")
    return broken


def _where(row: dict[str, Any]) -> str:
    return f"{row['week_date']} {row['source_system']} {row['dimension']} {row['segment']}"
