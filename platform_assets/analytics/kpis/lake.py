"""The key figures from the lake: the same statements that PostgreSQL gets, on the same lines.

Belongs here: making the lines of core/sales look like ``analytics.sales_then_and_now`` and sending the statements to
DuckDB. Does not belong here: the statements (``sql``).
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.kpis.registry import CUTS, KPIS, LEDGER, Kpi
from platform_assets.analytics.kpis.sql import VALUES_SCHEMA, ledger_sql, unavailable, values_sql
from platform_assets.analytics.lines import currency, lines_between, with_category_at_sale, with_measures, with_profit
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import Frame
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW

_VIEW, _FILES = "sale_lines", "raw_files"
_MEASURES = {
    "units_sold": "units_sold",
    "units_returned": "units_returned",
    "gross_sales": "gross_sales_amount",
    "discounts": "discounts_amount",
    "returns": "returns_amount",
    "net_sales": "net_sales_amount",
}


def sale_lines(sales: Frame, products: Frame, currencies: Mapping[str, str], as_of: date) -> Frame:
    """The lines up to a day with the columns of ``analytics.sales_then_and_now`` that figures are made of.

    Args:
        sales: Rows of core/sales.
        products: Rows of core/products.
        currencies: Currency of each dataset, the catalogue among them.
        as_of: The last day that counts.
    """
    known = lines_between(sales, as_of).with_columns(currency(currencies))
    lines = with_category_at_sale(with_profit(with_measures(known), products, currencies), products)
    none = [nw.col(name).fill_null(0).alias(view) for name, view in _MEASURES.items() if not name.startswith("units_")]
    units = [nw.col(name) for name in _MEASURES if name.startswith("units_")]
    return lines.select(
        nw.col("sold_at").cast(nw.Date).alias("date"),
        "order_id",
        nw.col("customer_id").alias("customer_pseudonym"),
        "product_id",
        "channel",
        nw.col("country").alias("ship_country"),
        "is_return",
        "category_at_sale",
        nw.col("cost_amount").alias("unit_cost_at_sale_amount"),
        nw.lit(currencies[CATALOG]).alias("unit_cost_currency"),
        "currency",
        *units,
        *none,
        nw.col("profit").alias("profit_amount"),
        "source_system",
        nw.col(SOURCE_FILE).alias("source_file"),
        nw.col(SOURCE_ROW).alias("source_row"),
    )


def lake_values(
    lines: Frame,
    ledger: pa.Table,
    currencies: Mapping[str, str],
    *,
    as_of: date,
    engine: DuckDBEngine,
    tell: Callable[[str], None],
    is_day_over: bool = True,
) -> pa.Table:
    """All key figures in the cuts that are kept, those that the data cannot give among them.

    Args:
        lines: What ``sale_lines`` gives, of that engine.
        ledger: Rows with the columns of ``quality.row_ledger``, of the datasets with sales.
        currencies: Currency of each dataset.
        as_of: The last day that counts.
        engine: What computes.
        tell: Says how far it is.
        is_day_over: Whether ``as_of`` itself is over.

    Returns:
        Rows of ``VALUES_SCHEMA``; figures that cannot be given have the day itself for a period and no currency.
    """
    parts = [_of_ledger(ledger, currencies, as_of, engine)]
    # Computed once, not once per cut; DuckDB puts to disk what does not fit.
    with engine.stored(lines, _VIEW) as ask:
        for number, (grain, dimension) in enumerate(CUTS, start=1):
            tell(f"Key figures by {grain} and {dimension} ({number} of {len(CUTS)})")
            statement = values_sql(grain, dimension, source=_VIEW, is_day_over=is_day_over)
            parts.append(ask(statement % {"as_of": f"'{as_of}'"}).select(VALUES_SCHEMA.names).cast(VALUES_SCHEMA))
    values = pa.concat_tables(parts)
    return pa.concat_tables([values, _without_value(as_of, set(values["kpi"].to_pylist()))])


def _of_ledger(ledger: pa.Table, currencies: Mapping[str, str], as_of: date, engine: DuckDBEngine) -> pa.Table:
    with engine.stored(engine.from_arrow(ledger), _FILES) as ask:
        values = ask(ledger_sql(source=_FILES) % {"as_of": f"'{as_of}'"}).select(VALUES_SCHEMA.names)
    money = pa.array([currencies[dataset] for dataset in values["member"].to_pylist()], pa.string())
    return values.set_column(VALUES_SCHEMA.get_field_index("currency"), "currency", money).cast(VALUES_SCHEMA)


def _without_value(as_of: date, given: Collection[str]) -> pa.Table:
    """Figures that the data cannot give, and all others without any; with a value in each column of the key."""
    told: list[dict[str, Any]] = unavailable().to_pylist()
    missing = [kpi for name, kpi in KPIS.items() if kpi.is_available and name not in given]
    told += [{**told[0], "kpi": kpi.name, "reason": _nothing(kpi, as_of)} for kpi in missing]
    lines = [{**line, "period_start_date": as_of, "currency": "none"} for line in told]
    return pa.Table.from_pylist(lines, schema=VALUES_SCHEMA)


def _nothing(kpi: Kpi, as_of: date) -> str:
    return "no raw file was read" if kpi.source == LEDGER else f"nothing was sold up to {as_of}"
