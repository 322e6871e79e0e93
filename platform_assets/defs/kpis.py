"""analytics/kpis, kpi_values and the tables on who comes back: key figures, each defined once in the registry."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa

from platform_assets.analytics.days import last_whole_day
from platform_assets.analytics.kpis.checks import breaches
from platform_assets.analytics.kpis.cohort_checks import impossible_cohorts, impossible_curve, impossible_repeats
from platform_assets.analytics.kpis.cohorts import (
    COHORTS_SCHEMA,
    REPEAT_SCHEMA,
    SECOND_ORDER_SCHEMA,
    repeat_rates,
    retention_cohorts,
    second_order_times,
    time_to_second_order,
)
from platform_assets.analytics.kpis.lake import lake_values, sale_lines
from platform_assets.analytics.kpis.rows import KPIS_SCHEMA, kpi_rows
from platform_assets.analytics.kpis.sql import VALUES_SCHEMA
from platform_assets.defs.quality import assessments
from platform_assets.defs.result_checks import invariant_check
from platform_assets.defs.topics import Inputs, ResultTable, Tables, Topic, topic_assets
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.lake.whole import whole_rows
from platform_assets.quality.ledger import total_line
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_DATASETS, sales_rows
from platform_assets.warehouse.quality.quality_rows import ledger_rows

_TABLES = (
    ResultTable(
        "kpis", KPIS_SCHEMA, ("kpi",), "What every key figure means, and why it cannot be had where it cannot."
    ),
    ResultTable(
        "kpi_values",
        VALUES_SCHEMA,
        ("kpi", "grain", "period_start_date", "dimension", "member", "currency"),
        "The key figures by day, week, month, quarter and over all, by channel, category and country.",
    ),
    ResultTable(
        "retention_cohorts",
        COHORTS_SCHEMA,
        ("cohort_month_date", "month_number"),
        "The share of each month's new customers that ordered in each month since.",
    ),
    ResultTable(
        "second_order", SECOND_ORDER_SCHEMA, ("days",), "The share of customers who have ordered again, by days since."
    ),
    ResultTable(
        "repeat_rates", REPEAT_SCHEMA, ("window_days",), "How many customers ordered again within fixed windows."
    ),
)

_ASSESSMENTS = {f"assessment of {dataset}": ("assessment", dataset) for dataset in SALES_DATASETS}


def _compute(inputs: Inputs) -> Tables:
    values = _values(inputs)
    inputs.tell("Who comes back")
    engine, as_of = inputs.engine, inputs.as_of
    sales = engine.kept(sales_rows(inputs.tables["sales"], inputs.snapshots["sales"], engine))
    times = second_order_times(sales, as_of, engine)
    return {
        "kpis": kpi_rows(),
        "kpi_values": values,
        "retention_cohorts": retention_cohorts(sales, as_of, engine),
        "second_order": time_to_second_order(times),
        "repeat_rates": repeat_rates(times),
    }


def _values(inputs: Inputs) -> pa.Table:
    """The figures by DuckDB, whatever the engine of the run: it speaks the words that PostgreSQL does."""
    engine = inputs.platform.loader
    if not isinstance(engine, DuckDBEngine):
        raise TypeError(f"{engine.name} does not speak the SQL of the key figures")
    sales = sales_rows(inputs.tables["sales"], inputs.snapshots["sales"], engine)
    products = whole_rows(inputs.tables["products"], inputs.snapshots["products"], PRODUCTS_SCHEMA, engine)
    currencies = inputs.platform.config.currencies.by_dataset()
    lines = sale_lines(sales, products, currencies, inputs.as_of)
    is_over = _is_asked_for(inputs.platform) or last_whole_day(sales, inputs.as_of, engine) == inputs.as_of
    return lake_values(
        lines,
        _ledger(inputs.platform),
        currencies,
        as_of=inputs.as_of,
        engine=engine,
        tell=inputs.tell,
        is_day_over=is_over,
    )


def _is_asked_for(platform: PlatformResource) -> bool:
    """A day that is asked for is taken as over; the newest one may be half over."""
    return platform.settings.as_of is not None


def _ledger(platform: PlatformResource) -> pa.Table:
    """What became of the lines of the datasets with sales, as ``quality.row_ledger`` has it."""
    return ledger_rows([one for one in assessments(platform) if one.dataset in SALES_DATASETS])


def _totals(platform: PlatformResource) -> list[list[str]]:
    """The ledger in sums, as plain data: figures change with it."""
    found = [one for one in assessments(platform) if one.dataset in SALES_DATASETS]
    lines = [total_line(one.dataset, list(one.ledger)) for one in found]
    return [[line.dataset, *map(str, (*line.rows, *line.amounts))] for line in lines]


def _decided_by(platform: PlatformResource) -> list[Any]:
    currencies = platform.config.currencies.by_dataset()
    return [currencies, kpi_rows().to_pylist(), _totals(platform), _is_asked_for(platform)]


def _of_registry(name: str) -> Callable[[Tables], list[str]]:
    return lambda tables: [
        f"{one.kpi} ({one.where}): expected {one.expected}, found {one.found}"
        for one in breaches(tables["kpi_values"], [name])
    ]


_FROM_THE_REGISTRY = {
    "identities_hold": "Net sales are gross sales less discounts and returns, customers are new or returning: exactly.",
    "parts_make_the_whole": "Parts of what adds up are the whole, in every cut and currency.",
    "periods_make_the_whole": "Days make weeks and months, months make quarters, quarters make the whole history.",
    "null_has_a_reason": "A figure has a value or says why not.",
    "is_complete": "Every figure of the registry has a value or a reason.",
}
_CHECKS = (
    *(invariant_check(name, "kpi_values", said, _of_registry(name)) for name, said in _FROM_THE_REGISTRY.items()),
    # Odd data may leave bounds, as a period with more returns than sales does: that is for people to look at.
    invariant_check(
        "in_range",
        "kpi_values",
        "No figure is beyond the bounds of the registry.",
        _of_registry("in_range"),
        dg.AssetCheckSeverity.WARN,
    ),
    invariant_check(
        "cohorts_are_possible",
        "retention_cohorts",
        "Nobody returns who never came.",
        lambda tables: impossible_cohorts(tables["retention_cohorts"]),
    ),
    invariant_check(
        "curve_is_possible",
        "second_order",
        "The curve rises, within its interval.",
        lambda tables: impossible_curve(tables["second_order"]),
    ),
    invariant_check(
        "rates_are_possible",
        "repeat_rates",
        "Rates are what was counted, or say why not.",
        lambda tables: impossible_repeats(tables["repeat_rates"]),
    ),
)


@dg.definitions
def defs() -> dg.Definitions:
    """Key figures."""
    topic = Topic(
        "kpis",
        _TABLES,
        {"sales": ("core", "sales"), "products": ("core", "products"), **_ASSESSMENTS},
        _compute,
        settings=_decided_by,
        checks=_CHECKS,
    )
    return dg.Definitions(assets=topic_assets(topic))
