"""Scored customers for the tests of what changes between runs."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pyarrow as pa

from platform_assets.analytics.rfm.scores import SCORES_SCHEMA
from platform_assets.engines.engine import Engine, Frame

AS_OF = date(2024, 6, 30)


def scored_people(engine: Engine, people: Sequence[tuple[str, str, str]], scores: Sequence[int] = ()) -> Frame:
    """Customers with a segment and money; ``scores`` are those of all three measures, in turn."""
    rows = [
        {
            "customer_id": name,
            "as_of_date": AS_OF,
            "segment": segment,
            "monetary_amount": Decimal(money),
            **dict.fromkeys(("recency_score", "frequency_score", "monetary_score"), scores[n] if scores else 1),
        }
        for n, (name, segment, money) in enumerate(people)
    ]
    return engine.from_arrow(pa.Table.from_pylist(rows, SCORES_SCHEMA))
