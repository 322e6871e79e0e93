"""When prices changed: by the catalogue's versions, and by what was really asked.

Belongs here: dated changes of a product's price. Does not belong here: what they did to sales (``insights``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.lines import currency, lines_between
from platform_assets.engines.engine import MONEY, Engine, Frame
from platform_assets.transforms.versions import VALID_FROM

PRICE_CHANGES_SCHEMA = pa.schema(
    [
        ("product_id", pa.string()),
        ("source", pa.string()),
        ("currency", pa.string()),
        ("changed_date", pa.date32()),
        ("last_seen_before_date", pa.date32()),
        ("before_amount", MONEY),
        ("after_amount", MONEY),
        ("change_rate", pa.float64()),
        ("is_temporary", pa.bool_()),
        ("days_seen", pa.int32()),
    ]
)
"""One row per change of a product's price.

``source``: ``catalogue`` (a version with another price begins) or ``sales`` (another
price was asked from then on). ``changed_date``: first day of the new price; by sales, the change happened after
``last_seen_before_date``, the last day the price before was asked. ``change_rate``: -0.2 is a fifth cheaper; null
where the price before was 0. ``is_temporary``: whether the price before came back within ``temporary_days``; the way
back is not. ``days_seen``: by sales, days on which the new price was the usual one.
"""

_PRODUCT = ("product_id", "currency")
_DAY = (*_PRODUCT, "_day")


@dataclass(frozen=True)
class PriceRules:
    """When a different price is a change.

    Attributes:
        days: On so many days with sales, one after the other, a price must have been the usual one to count.
        rate: So much it must differ.
        temporary_days: A change that is taken back within so many days was temporary.
    """

    days: int = 3
    rate: float = 0.01
    temporary_days: int = 31


@dataclass(frozen=True)
class _Run:
    price: Decimal
    first: date
    last: date
    days: int


def catalogue_price_changes(products: Frame, priced_in: str, as_of: date, engine: Engine) -> pa.Table:
    """The changes by the catalogue up to a day.

    Args:
        products: Rows of core/products.
        priced_in: Currency of the catalogue.
        as_of: The last day that counts.
        engine: What computes.

    Returns:
        Rows of ``PRICE_CHANGES_SCHEMA``, by product and day.
    """
    before = nw.col("price_amount").shift(1).over("product_id", order_by=VALID_FROM).alias("_before")
    stepped = products.select("product_id", VALID_FROM, "price_amount").with_columns(before)
    changed = stepped.filter(~nw.col("_before").is_null() & (nw.col("price_amount") != nw.col("_before")))
    rows = engine.collect(changed.with_columns(nw.col(VALID_FROM).cast(nw.Date))).to_pylist()
    lines = [
        _change(row["product_id"], "catalogue", row[VALID_FROM], row["_before"], row["price_amount"])
        | {"currency": priced_in}
        for row in rows
        if row[VALID_FROM] <= as_of
    ]
    return _table(_with_temporary(lines, PriceRules().temporary_days))


def sale_price_changes(
    sales: Frame, currencies: Mapping[str, str], as_of: date, engine: Engine, rules: PriceRules | None = None
) -> pa.Table:
    """The changes by what was asked.

    The usual price of a day is the one of most lines, of equally usual ones the lower.

    Args:
        sales: Rows of core/sales; lines without a unit price say nothing.
        currencies: Currency of each dataset.
        as_of: The last day that counts.
        engine: What computes.
        rules: When a different price is a change.

    Returns:
        Rows of ``PRICE_CHANGES_SCHEMA``, by product, currency and day.
    """
    rules = rules or PriceRules()
    stretches = engine.collect(_stretches(_usual_prices(sales, currencies, as_of))).to_pylist()
    ordered = sorted(stretches, key=lambda row: (row["product_id"], row["currency"], row["_day"]))
    lines: list[dict[str, Any]] = []
    for (product, money), days in groupby(ordered, key=lambda row: (row["product_id"], row["currency"] or None)):
        runs = _runs(_timed(list(days)), rules)
        for before, after in pairwise(runs):
            change = _change(product, "sales", after.first, before.price, after.price)
            lines.append({**change, "currency": money, "last_seen_before_date": before.last, "days_seen": after.days})
    return _table(_with_temporary(lines, rules.temporary_days))


def _usual_prices(sales: Frame, currencies: Mapping[str, str], as_of: date) -> Frame:
    """The usual price of every product, currency and day with sales."""
    priced = ~nw.col("is_return") & ~nw.col("product_id").is_null() & (nw.col("unit_price_amount") > 0)
    lines = lines_between(sales, as_of).filter(priced).with_columns(currency(currencies).fill_null(""))
    day = nw.col("sold_at").cast(nw.Date).alias("_day")
    counted = lines.with_columns(day).group_by(*_DAY, "unit_price_amount").agg(nw.len().alias("_lines"))
    most = counted.with_columns(nw.col("_lines").max().over(*_DAY).alias("_most"))
    usual = most.filter(nw.col("_lines") == nw.col("_most"))
    return usual.group_by(*_DAY).agg(nw.col("unit_price_amount").min().alias("_price"))


def _stretches(usual: Frame) -> Frame:
    """The days on which the usual price is not that of the day with sales before: hardly any of all days are.

    With which day with sales it is (``_number``), the one before (``_before``), how many there are, and the last.
    """
    placed = usual.with_columns(
        nw.col("_price").shift(1).over(*_PRODUCT, order_by="_day").alias("_last_price"),
        nw.col("_day").shift(1).over(*_PRODUCT, order_by="_day").alias("_before"),
        nw.col("_day").cum_count().over(*_PRODUCT, order_by="_day").alias("_number"),
        nw.len().over(*_PRODUCT).alias("_days"),
        nw.col("_day").max().over(*_PRODUCT).alias("_end"),
    )
    return placed.filter(nw.col("_last_price").is_null() | (nw.col("_price") != nw.col("_last_price")))


def _timed(rows: list[dict[str, Any]]) -> list[_Run]:
    """The stretches of one product, by what ``_stretches`` says of their first days."""
    ends = [(after["_before"], after["_number"]) for after in rows[1:]] + [(rows[-1]["_end"], rows[-1]["_days"] + 1)]
    return [
        _Run(row["_price"], row["_day"], last, int(number - row["_number"]))
        for row, (last, number) in zip(rows, ends, strict=True)
    ]


def _runs(stretches: list[_Run], rules: PriceRules) -> list[_Run]:
    """Stretches of days with one price, those that are long enough; equal ones that follow each other are one."""
    alike = _joined(stretches, rules)
    return _joined([run for run in alike if run.days >= rules.days], rules)


def _joined(runs: list[_Run], rules: PriceRules) -> list[_Run]:
    result: list[_Run] = []
    for run in runs:
        last = result[-1] if result else None
        if last is not None and _is_same(last.price, run.price, rules):
            result[-1] = _Run(last.price, last.first, run.last, last.days + run.days)
        else:
            result.append(run)
    return result


def _is_same(price: Decimal, other: Decimal, rules: PriceRules) -> bool:
    return abs(other / price - 1) < Decimal(str(rules.rate))


def _change(product: str, source: str, day: date, before: Decimal, after: Decimal) -> dict[str, Any]:
    return {
        "product_id": product,
        "source": source,
        "changed_date": day,
        "before_amount": before,
        "after_amount": after,
        "change_rate": float(after / before - 1) if before else None,
    }


def _with_temporary(lines: list[dict[str, Any]], days: int) -> list[dict[str, Any]]:
    """Mark the changes that the next change of the same product takes back soon."""
    ordered = sorted(lines, key=lambda line: (*_priced(line), line["changed_date"]))
    for _, group in groupby(ordered, key=_priced):
        changes = list(group)
        changes[-1]["is_temporary"] = False
        is_back = False
        for line, after in pairwise(changes):
            soon = after["changed_date"] - line["changed_date"] <= timedelta(days=days)
            is_back = soon and not is_back and after["after_amount"] == line["before_amount"]
            line["is_temporary"] = is_back
    return ordered


def _priced(line: Mapping[str, Any]) -> tuple[str, str]:
    return line["product_id"], line.get("currency") or ""


def _table(lines: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(lines, schema=PRICE_CHANGES_SCHEMA)
