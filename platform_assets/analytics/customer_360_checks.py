"""What must hold of the table of customers.

Belongs here: counts of rows that break what must hold, and how far its sums are from those of the sale lines. Does not
belong here: what follows from that.

Rows are counted by Arrow, column by column: there may be millions.
"""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.customer_360 import NOT_COMPUTED
from platform_assets.analytics.customer_360_balance import PARTS
from platform_assets.analytics.rfm.segments import PROSPECTS

_SCORES = ("recency_score", "frequency_score", "monetary_score")
_RATES = ("margin_coverage_rate", "lines_without_product_rate", "churn_rate")


def faulty_customers(table: pa.Table) -> dict[str, int]:
    """How many rows of ``CUSTOMER_360_SCHEMA`` break a rule, by what must hold; 0 where all is well."""
    net = pc.field("sales_amount") - pc.field("returns_amount")
    broken = {
        "net is sales less returns": net != pc.field("net_revenue_amount"),
        "dates in order": _dates_out_of_order(),
        "orders if and only if a first one": _ordered() != _has("first_order_date"),
        "scores if and only if not a prospect": _wrongly_scored(),
        "a value or a reason": _has("value_amount") == _has("value_reason"),
        "a churn probability or a reason": _has("churn_rate") == _has("churn_reason"),
        "an action for everyone who ordered": _ordered()
        & (pc.coalesce(pc.field("next_best_action"), pc.scalar("")) == "")
        & ~_is("value_reason", NOT_COMPUTED),
    }
    return {
        "one row per customer": table.num_rows - pc.count_distinct(table["customer_id"]).as_py(),
        **{name: _rows(table, condition) for name, condition in broken.items()},
        "rates between 0 and 1": sum(_rows(table, (pc.field(name) < 0) | (pc.field(name) > 1)) for name in _RATES),
    }


def not_of_this_day(table: pa.Table) -> dict[str, int]:
    """How many customers of whom an analysis should say something have nothing of this day, by what is missing."""
    return {
        "scores": table["rfm_segment"].null_count,
        "values": _rows(table, _is("value_reason", NOT_COMPUTED)),
        "churn probabilities": _rows(table, _is("churn_reason", NOT_COMPUTED)),
    }


def lines_by_currency(balance: pa.Table) -> tuple[int, int]:
    """How many lines up to the day are in the main currency, and how many in others; from ``BALANCE_SCHEMA``."""
    lines = {row["part"]: row["sale_lines"] for row in balance.to_pylist()}
    return lines["customers"] + lines["guests"], lines["other currencies"]


def sums_apart(table: pa.Table, balance: pa.Table) -> dict[str, tuple[Decimal | int, Decimal | int]]:
    """Sums of the table of customers and of core/sales where they differ, and parts of core/sales that are not all.

    Args:
        table: Rows of ``CUSTOMER_360_SCHEMA``.
        balance: Rows of ``BALANCE_SCHEMA``.

    Returns:
        What was found and what must be, by what is compared; empty where all agree.
    """
    parts = {row["part"]: row for row in balance.to_pylist()}
    compared = {
        "lines of customers": (
            _sum(table, "sale_lines") + _sum(table, "return_lines"),
            parts["customers"]["sale_lines"],
        ),
        "net revenue of customers": (_sum(table, "net_revenue_amount"), parts["customers"]["net_amount"]),
        "lines of all parts": (sum(parts[name]["sale_lines"] for name in PARTS), parts["all"]["sale_lines"]),
    }
    if parts["all"]["net_amount"] is not None:
        whole = sum((parts[name]["net_amount"] for name in PARTS), Decimal(0))
        compared["net revenue of all parts"] = whole, parts["all"]["net_amount"]
    return {name: pair for name, pair in compared.items() if pair[0] != pair[1]}


def _rows(table: pa.Table, condition: pc.Expression) -> int:
    """How many rows meet a condition; where it cannot be told, they do not."""
    return int(table.filter(condition).num_rows)


def _sum(table: pa.Table, name: str) -> Any:
    return pc.sum(table[name], min_count=0).as_py()


def _has(name: str) -> pc.Expression:
    return pc.field(name).is_valid()


def _is(name: str, value: str) -> pc.Expression:
    return pc.coalesce(pc.field(name) == value, pc.scalar(False))


def _ordered() -> pc.Expression:
    return pc.field("orders") > 0


def _dates_out_of_order() -> pc.Expression:
    """A first order after the last, a last one after the day, or one of the two alone."""
    first, last, day = (pc.field(name) for name in ("first_order_date", "last_order_date", "as_of_date"))
    is_wrong = pc.coalesce((first > last) | (last > day), pc.scalar(False))
    return is_wrong | (first.is_valid() != last.is_valid())


def _wrongly_scored() -> pc.Expression:
    """A score that is missing, or there although there is no segment to follow from it."""
    is_scored = pc.field("rfm_segment").is_valid() & ~_is("rfm_segment", PROSPECTS)
    recency, frequency, monetary = map(_has, _SCORES)
    return (is_scored & ~(recency & frequency & monetary)) | (~is_scored & (recency | frequency | monetary))
