"""One row per product and currency: sales, margin, discounts, returns, growth and ABC class.

Belongs here: summing lines up per product, and the figures that follow from the sums. Does not belong here: prices over
time (``prices``).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.lines import currency, lines_between, order_ref, with_measures, with_profit
from platform_assets.analytics.products.abc_classes import classified
from platform_assets.engines.engine import MONEY, Engine, Frame
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets.transforms.versions import is_current

PERFORMANCE_SCHEMA = pa.schema(
    [
        ("product_id", pa.string()),
        ("currency", pa.string()),
        ("as_of_date", pa.date32()),
        ("product_name", pa.string()),
        ("category", pa.string()),
        ("sub_category", pa.string()),
        ("brand", pa.string()),
        ("first_sale_date", pa.date32()),
        ("last_sale_date", pa.date32()),
        ("orders", pa.int64()),
        ("customers", pa.int64()),
        ("units_sold", pa.int64()),
        ("units_returned", pa.int64()),
        ("gross_sales_amount", MONEY),
        ("discounts_amount", MONEY),
        ("returns_amount", MONEY),
        ("net_sales_amount", MONEY),
        ("profit_amount", MONEY),
        ("net_sales_with_profit_amount", MONEY),
        ("margin_rate", pa.float64()),
        ("margin_coverage_rate", pa.float64()),
        ("margin_reason", pa.string()),
        ("discount_rate", pa.float64()),
        ("return_rate", pa.float64()),
        ("period_amount", MONEY),
        ("previous_period_amount", MONEY),
        ("growth_rate", pa.float64()),
        ("growth_reason", pa.string()),
        ("revenue_rate", pa.float64()),
        ("cumulative_rate", pa.float64()),
        ("abc_class", pa.string()),
    ]
)
"""One row per product that was sold, and currency it was sold in; described as it is now.

Amounts are in ``currency``, sums over the window up to ``as_of_date``; gross, discounts, returns and net as Shopify has
them. ``orders`` and ``customers``: different ones that bought it. ``units_sold``: null where no source says.
``profit_amount``: of the lines where it is known, not by a cost in another currency; ``margin_rate``: its share of the
net sales of those lines, of which ``margin_coverage_rate`` says what share of the net sales they are; null, with
``margin_reason``, where unknown.
``discount_rate`` and ``return_rate``: shares of gross sales. ``period_amount``: net sales of the last ``period_days``
days; ``growth_rate``: their change against ``previous_period_amount``, those of as many days before; null with
``growth_reason`` where there is nothing to grow from. ``revenue_rate``: share of the net sales of all products of the
currency that sold for more than nothing; ``cumulative_rate``: the same of it and all that sold for more;
``abc_class``: ``A`` up to 80 % of revenue, ``B`` up to 95 %, ``C`` the rest.
"""

_KEY = ("product_id", "currency")
_SUMS = ("gross_sales", "discounts", "returns", "net_sales", "profit", "net_sales_with_profit")
_UNITS = ("units_sold", "units_returned")
_ZERO = Decimal(0)


def product_performance(
    sales: Frame,
    products: Frame,
    currencies: Mapping[str, str],
    as_of: date,
    engine: Engine,
    *,
    window_days: int | None = None,
    period_days: int = 91,
) -> pa.Table:
    """Measure every product that was sold.

    Args:
        sales: Rows of core/sales.
        products: Rows of core/products.
        currencies: Currency of each dataset, the catalogue among them.
        as_of: The last day that counts.
        engine: What computes.
        window_days: How many days up to it count; ``None`` for all.
        period_days: Length of the two periods that growth is between.

    Returns:
        Rows of ``PERFORMANCE_SCHEMA``, by currency, the most revenue first.
    """
    known = sales.filter(~nw.col("product_id").is_null()).with_columns(currency(currencies))
    lines = with_profit(with_measures(lines_between(known, as_of, window_days)), products, currencies)
    rows = {_key(row): row for row in engine.collect(_summed(lines)).to_pylist()}
    _add_distinct(rows, lines, engine)
    recent = lines_between(known, as_of, 2 * period_days)
    _add_periods(rows, recent, as_of, period_days, engine)
    described = {row["product_id"]: row for row in engine.collect(_described(products)).to_pylist()}
    starts = as_of - timedelta(days=2 * period_days - 1)
    given = {"as_of_date": as_of}
    made = [
        _line(row, described.get(row["product_id"], {}), starts, currencies[CATALOG]) | given for row in rows.values()
    ]
    return pa.Table.from_pylist(classified(made), schema=PERFORMANCE_SCHEMA)


def _summed(lines: Frame) -> Frame:
    is_known = {f"_knows_{name}": ~nw.col(name).is_null() for name in (*_UNITS, "profit", "cost_amount")}
    ones = [nw.when(flag).then(nw.lit(1)).otherwise(nw.lit(0)).alias(name) for name, flag in is_known.items()]
    day = nw.when(~nw.col("is_return")).then(nw.col("sold_at")).alias("_sold")
    marked = lines.with_columns(*ones, day)
    grouped = marked.group_by(*_KEY).agg(
        *(nw.col(name).sum() for name in (*_SUMS, *_UNITS, *is_known)),
        nw.col("_sold").min().alias("_first"),
        nw.col("_sold").max().alias("_last"),
    )
    return grouped.with_columns(nw.col("_first", "_last").cast(nw.Date))


def _add_distinct(rows: dict[Any, dict[str, Any]], lines: Frame, engine: Engine) -> None:
    bought = lines.filter(~nw.col("is_return")).with_columns(order_ref().alias("_order"))
    for name, of in (("orders", "_order"), ("customers", "customer_id")):
        pairs = bought.filter(~nw.col(of).is_null()).select(*_KEY, of).unique([*_KEY, of])
        for row in engine.collect(pairs.group_by(*_KEY).agg(nw.len().alias("_n"))).to_pylist():
            rows[_key(row)][name] = int(row["_n"])


def _add_periods(rows: dict[Any, dict[str, Any]], recent: Frame, as_of: date, period_days: int, engine: Engine) -> None:
    for name, end in (("_period", as_of), ("_before", as_of - timedelta(days=period_days))):
        within = lines_between(recent, end, period_days)
        for row in engine.collect(within.group_by(*_KEY).agg(nw.col("net_amount").sum().alias("_net"))).to_pylist():
            if _key(row) in rows:
                rows[_key(row)][name] = row["_net"]


def _described(products: Frame) -> Frame:
    return products.filter(is_current()).select("product_id", "product_name", "category", "sub_category", "brand")


def _line(
    row: Mapping[str, Any], described: Mapping[str, Any], periods_start: date, cost_currency: str
) -> dict[str, Any]:
    money = {name: row[name] if row[name] is not None else _ZERO for name in _SUMS}
    units = {name: int(row[name]) if row[f"_knows_{name}"] else None for name in _UNITS}
    return {
        **{name: described.get(name) for name in ("product_name", "category", "sub_category", "brand")},
        **{name: row[name] for name in _KEY},
        "first_sale_date": row["_first"],
        "last_sale_date": row["_last"],
        "orders": row.get("orders", 0),
        "customers": row.get("customers", 0),
        **units,
        **{f"{name}_amount": money[name] for name in _SUMS if name not in ("profit", "net_sales_with_profit")},
        **(_margin(money) if row["_knows_profit"] else _no_margin(row, cost_currency)),
        "discount_rate": _share(money["discounts"], money["gross_sales"]),
        "return_rate": _share(money["returns"], money["gross_sales"]),
        **_growth(row, periods_start),
    }


def _no_margin(row: Mapping[str, Any], cost_currency: str) -> dict[str, Any]:
    reason = "neither cost nor profit of it is known"
    if row["_knows_cost_amount"] and row["currency"] != cost_currency:
        reason = f"the catalogue's costs are in {cost_currency}, the sales in {row['currency']}"
    return {"margin_coverage_rate": 0.0, "margin_reason": reason}


def _margin(money: Mapping[str, Decimal]) -> dict[str, Any]:
    basis = money["net_sales_with_profit"]
    line: dict[str, Any] = {"profit_amount": money["profit"], "net_sales_with_profit_amount": basis}
    line["margin_coverage_rate"] = _share(basis, money["net_sales"])
    if basis <= 0:
        return line | {"margin_reason": "as much came back as was sold"}
    return line | {"margin_rate": _share(money["profit"], basis)}


def _growth(row: Mapping[str, Any], periods_start: date) -> dict[str, Any]:
    now, before = row.get("_period") or _ZERO, row.get("_before") or _ZERO
    line: dict[str, Any] = {"period_amount": now, "previous_period_amount": before}
    first = row["_first"]
    if first is None or first > periods_start:
        return line | {"growth_reason": "not on sale through both periods"}
    if before <= 0:
        return line | {"growth_reason": "it brought nothing in in the period before"}
    return line | {"growth_rate": float(now / before) - 1}


def _share(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole > 0 else None


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)
