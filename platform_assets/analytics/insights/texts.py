"""The words of findings, from templates, and the SQL that reproduces them.

Belongs here: filling in templates, and statements against the schema ``analytics``. Does not belong here: what there is
to find.
"""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from platform_assets.analytics.anomalies.measures import TOTAL, SeriesKey
from platform_assets.analytics.insights.record import Candidate
from platform_assets.analytics.largest import OTHERS

_COLUMNS = {
    "channel": "channel",
    "category": "category_at_sale",
    "country": "ship_country",
    "segment": "segment_at_sale",
    "product": "product_id",
}
_ORDERS = "count(DISTINCT coalesce(order_id, source_file || '#' || source_row::text)) FILTER (WHERE NOT is_return)"
_SUMS = {
    "net_amount": "sum(net_sales_amount)",
    "orders": _ORDERS,
    "units": "sum(units_sold)",
    "unit_price": "sum(net_sales_amount) FILTER (WHERE NOT is_return) / sum(units_sold)",
}
_LEVEL = """WITH usual AS (
    SELECT product_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY net_sales_amount / units_sold) AS price
    FROM analytics.sales_then_and_now
    WHERE {known} AND units_sold > 0 AND net_sales_amount > 0
    GROUP BY product_id
    HAVING count(*) >= 5
)
SELECT sum(net_sales_amount) / sum(units_sold * price) AS value
FROM analytics.sales_then_and_now
JOIN usual USING (product_id)
WHERE {where}
    AND NOT is_return AND units_sold > 0
    AND net_sales_amount / (units_sold * price) > 1 / 3.0 AND net_sales_amount / (units_sold * price) < 3"""
_SUM = """SELECT {value} AS value
FROM analytics.sales_then_and_now
WHERE {where}"""

_OTHERS = """{column} NOT IN (
        SELECT segment FROM analytics.sales_changes WHERE source_system = {source} AND dimension = {dimension}
    )"""


@cache
def rules() -> dict[str, dict[str, Any]]:
    """The rule of each type of finding, from rules.yaml."""
    text = Path(__file__).with_name("rules.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


def words(found: Candidate, currency: str | None = None) -> dict[str, str]:
    """Title, text, recommended action and how to verify it, in English.

    Args:
        found: What was found.
        currency: Currency of the dataset's amounts, where it is known.
    """
    rule, suffix = rules()[found.type], f" {currency}" if currency else ""
    names = {
        "where": _where(found),
        "when": _when(found),
        "first": found.first.isoformat(),
        "expected": f"{found.details.get('expected_money', found.expected):,.0f}{suffix}",
        **{name: f"{getattr(found, name):+,.0f}{suffix}" for name in ("money", "low", "high")},
        **{name: f"{value:.0%}" for name, value in found.details.items() if name.endswith("_ratio")},
        **{name: str(value) for name, value in found.details.items() if not name.endswith("_ratio")},
    }
    return {part: _sentence(rule[part].format(**names)) for part in ("title", "text", "action", "verify")}


def reproducing_sql(found: Candidate, as_of: date | None = None) -> str:
    """A statement against the schema ``analytics`` whose one value is that of the finding.

    Args:
        found: What was found.
        as_of: The last day that counts; none where all do.
    """
    source = _literal(found.key.source_system)
    where = [f"source_system = {source}", f"date BETWEEN '{found.first}' AND '{found.last}'"]
    if found.key.dimension != TOTAL:
        where.append(_is_of(found.key))
    joined = "\n    AND ".join(where)
    if found.measure == "price_level":
        known = [where[0], *([f"date <= '{as_of}'"] if as_of else [])]
        return _LEVEL.format(known=" AND ".join(known), where=joined)
    return _SUM.format(value=_SUMS[found.measure], where=joined)


def _is_of(key: SeriesKey) -> str:
    """Whether a sale is of the segment; the others are what sales_changes does not name."""
    column = _COLUMNS[key.dimension]
    if key.segment != OTHERS:
        return f"{column} = {_literal(key.segment)}"
    return _OTHERS.format(column=column, source=_literal(key.source_system), dimension=_literal(key.dimension))


def _where(found: Candidate) -> str:
    whole = found.key.source_system.replace("_", " ")
    return whole if found.key.dimension == TOTAL else f"{found.key.segment} ({found.key.dimension} of {whole})"


def _when(found: Candidate) -> str:
    return f"on {found.first}" if found.first == found.last else f"from {found.first} to {found.last}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
