"""Findings as records: what each column of the table means, and how a finding becomes a row.

Belongs here: the typed record and its schema. Does not belong here: which findings there are (``report``), and their
words (``texts``).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from platform_assets.analytics.anomalies.measures import SeriesKey
from platform_assets.engines.engine import MONEY

INSIGHTS_SCHEMA = pa.schema(
    [
        ("insight_id", pa.string()),
        ("theme_id", pa.string()),
        ("rank", pa.int64()),
        ("insight_type", pa.string()),
        ("source_system", pa.string()),
        ("dimension", pa.string()),
        ("segment", pa.string()),
        ("measure", pa.string()),
        ("first_date", pa.date32()),
        ("last_date", pa.date32()),
        ("value", pa.float64()),
        ("expected_value", pa.float64()),
        ("impact_amount", MONEY),
        ("impact_low_amount", MONEY),
        ("impact_high_amount", MONEY),
        ("p", pa.float64()),
        ("p_adjusted", pa.float64()),
        ("tests", pa.int64()),
        ("orders", pa.int64()),
        ("null_size", pa.int64()),
        ("confidence", pa.string()),
        ("is_new", pa.bool_()),
        ("score", pa.float64()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("action", pa.string()),
        ("verify", pa.string()),
        ("evidence", pa.string()),
        ("sql", pa.string()),
    ]
)
"""One row per finding of a report, the most important one first.

``insight_id`` names the finding, ``theme_id`` what it is about whatever the period. ``insight_type`` is an entry of
rules.yaml. ``dimension`` and ``segment`` say where, ``measure`` what (net_amount, orders, units, price_level,
unit_price). ``value`` and ``expected_value`` are of the measure, over the days from ``first_date`` to ``last_date``.
``impact_amount`` is the deviation in net sales, with its 90 % interval. ``p`` is the share of deviations that chance
makes as large, among ``null_size``; ``p_adjusted`` is it after all ``tests`` of the report (Benjamini and Hochberg);
``confidence`` is high up to .01, medium up to .05, else low. ``orders`` is how many orders it rests on. ``is_new`` is
whether the report before did not show it. ``score`` ranks. ``evidence`` says what else shows it; ``sql`` reproduces
``value`` against the schema analytics of the warehouse."""

_CONFIDENCE = ((0.01, "high"), (0.05, "medium"), (1.0, "low"))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Something that may become a finding.

    Attributes:
        type: An entry of rules.yaml.
        key: Which segment of which dataset.
        measure: Of what.
        first: First day.
        last: Last day.
        value: What the measure was.
        expected: What it was expected to be.
        money: The deviation in net sales.
        low: Lower end of its 90 % interval.
        high: Upper end.
        p: Share of deviations by chance that are as large.
        orders: Orders it rests on.
        null_size: How many deviations it was compared with.
        details: More for the text: ``orders_ratio``, ``price_ratio``, ``product``, ``lines``.
        evidence: What else shows it, one sentence each.
        is_weekly: Whether whole weeks were tested, and not days or lines.
    """

    type: str
    key: SeriesKey
    measure: str
    first: date
    last: date
    value: float
    expected: float
    money: float
    low: float
    high: float
    p: float
    orders: int
    null_size: int
    details: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    is_weekly: bool = False

    @property
    def theme_id(self) -> str:
        """The same for the same type, segment and measure in any period."""
        return hashlib.sha256(f"{self.type}/{self.key}/{self.measure}".encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """The same for the same theme and first day."""
        return hashlib.sha256(f"{self.theme_id}/{self.first}".encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Insight:
    """A finding.

    Attributes:
        candidate: What was found.
        p_adjusted: Its p-value after all tests of the report.
        tests: How many tests the report made.
        is_new: Whether the report before did not show it.
        score: What it is ranked by.
        words: ``title``, ``text``, ``action`` and ``verify``.
        sql: A statement that reproduces the value.
    """

    candidate: Candidate
    p_adjusted: float
    tests: int
    is_new: bool
    score: float
    words: dict[str, str]
    sql: str

    @property
    def confidence(self) -> str:
        """How sure it is, in a word."""
        return next(word for limit, word in _CONFIDENCE if self.p_adjusted <= limit)


def insights_table(insights: Sequence[Insight]) -> pa.Table:
    """Findings as rows of ``INSIGHTS_SCHEMA``, ranked as they are given."""
    rows = [_row(insight, rank) for rank, insight in enumerate(insights, start=1)]
    return pa.Table.from_pylist(rows, schema=INSIGHTS_SCHEMA)


def _row(insight: Insight, rank: int) -> dict[str, Any]:
    found = insight.candidate
    return {
        "insight_id": found.id,
        "theme_id": found.theme_id,
        "rank": rank,
        "insight_type": found.type,
        "source_system": found.key.source_system,
        "dimension": found.key.dimension,
        "segment": found.key.segment,
        "measure": found.measure,
        "first_date": found.first,
        "last_date": found.last,
        "value": found.value,
        "expected_value": found.expected,
        "impact_amount": _money(found.money),
        "impact_low_amount": _money(found.low),
        "impact_high_amount": _money(found.high),
        "p": found.p,
        "p_adjusted": insight.p_adjusted,
        "tests": insight.tests,
        "orders": found.orders,
        "null_size": found.null_size,
        "confidence": insight.confidence,
        "is_new": insight.is_new,
        "score": insight.score,
        **insight.words,
        "evidence": " ".join(found.evidence),
        "sql": insight.sql,
    }


def _money(number: float) -> Decimal:
    return Decimal(repr(number)).quantize(Decimal("0.0001"))
