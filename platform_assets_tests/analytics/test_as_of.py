"""What is computed for a day knows nothing of later ones: with their sales or without, the results are the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from platform_assets.analytics.anomalies.judgement import judge_sales
from platform_assets.analytics.anomalies.series import days_table
from platform_assets.analytics.forecast.forecasts import forecast_revenue
from platform_assets.analytics.forecast.grains import GRAINS
from platform_assets.analytics.forecast.models import numpy_models
from platform_assets.analytics.forecast.series import daily_revenue, revenue_series, series_table
from platform_assets.analytics.insights.history import changes_history, report_history, reported_table, reports_table
from platform_assets.analytics.kpis.cohorts import (
    repeat_rates,
    retention_cohorts,
    second_order_times,
    time_to_second_order,
)
from platform_assets.analytics.kpis.lake import lake_values, sale_lines
from platform_assets.analytics.products.affinity import affinity, category_baskets, product_baskets
from platform_assets.analytics.products.measures import product_performance
from platform_assets.analytics.products.prices import sale_price_changes
from platform_assets.analytics.products.substitutes import gone_products, gone_table, substitutes
from platform_assets.analytics.products.succession import SubstituteRules
from platform_assets.analytics.products.trends import category_changes, category_trends, weekly_category_sales
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import Frame
from platform_assets.samples.generate import generate
from platform_assets.warehouse.quality.quality_rows import LEDGER_SCHEMA
from platform_assets.warehouse.star.currency_settings import CurrencySettings
from platform_assets_tests.analytics.insights.sample import sample_products, sample_sales

AS_OF = date(2024, 9, 18)
"""A Wednesday, three days after the outage and ten weeks before the newest sales."""
CURRENCIES = CurrencySettings().by_dataset()
Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Shop:
    """Sales and products on an engine."""

    engine: DuckDBEngine
    sales: Frame
    products: Frame


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Shop]]:
    """The sample as it is, and as it was on the day."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, rows=6000, seed=7)
    engine = DuckDBEngine(tmp_path_factory.mktemp("scratch"))
    lines, products = sample_sales(folder), engine.from_arrow(sample_products(folder))
    is_known = pc.less(lines["sold_at"], pa.scalar(datetime.combine(AS_OF + timedelta(days=1), time())))
    known = lines.filter(is_known)
    assert 0 < known.num_rows < lines.num_rows
    yield Shop(engine, engine.from_arrow(lines), products), Shop(engine, engine.from_arrow(known), products)
    engine.close()


def products(shop: Shop) -> Tables:
    engine, rules = shop.engine, SubstituteRules()
    weekly = weekly_category_sales(shop.sales, shop.products, CURRENCIES, AS_OF, engine)
    gone = gone_products(shop.sales, shop.products, AS_OF, engine, rules)
    return {
        "performance": product_performance(shop.sales, shop.products, CURRENCIES, AS_OF, engine),
        "prices": sale_price_changes(shop.sales, CURRENCIES, AS_OF, engine),
        "pairs": affinity(product_baskets(shop.sales, AS_OF), "product", engine).pairs,
        "categories": affinity(category_baskets(shop.sales, shop.products, AS_OF), "category", engine).pairs,
        "trends": category_trends(weekly),
        "changes": category_changes(weekly, seed=0),
        "gone": gone_table(gone, AS_OF),
        "substitutes": substitutes(shop.sales, shop.products, gone, AS_OF, engine, rules=rules),
    }


def kpis(shop: Shop) -> Tables:
    engine = shop.engine
    lines = sale_lines(shop.sales, shop.products, CURRENCIES, AS_OF)
    values = lake_values(
        lines, LEDGER_SCHEMA.empty_table(), CURRENCIES, as_of=AS_OF, engine=engine, tell=lambda _: None
    )
    keys = ["kpi", "grain", "period_start_date", "dimension", "member", "currency"]
    times = second_order_times(shop.sales, AS_OF, engine)
    return {
        "values": values.sort_by([(key, "ascending") for key in keys]),
        "cohorts": retention_cohorts(shop.sales, AS_OF, engine),
        "curve": time_to_second_order(times),
        "repeats": repeat_rates(times),
    }


def forecast(shop: Shop) -> Tables:
    daily = shop.engine.collect(daily_revenue(shop.sales, shop.products, CURRENCIES, AS_OF))
    series = [one for grain in GRAINS for one in revenue_series(daily, grain, AS_OF)]
    made = forecast_revenue(series, AS_OF, numpy_models())
    return {"series": series_table(series), "forecasts": made.forecasts, "coverage": made.coverage}


def anomalies_and_insights(shop: Shop) -> Tables:
    found = judge_sales(shop.sales, shop.products, AS_OF, shop.engine)
    reports = report_history(found, AS_OF, currencies=CURRENCIES)
    changes, contributions = changes_history(found.weekly, [report.week for report in reports])
    return {
        "days": days_table(found.judged),
        "outliers": found.outliers,
        "insights": reported_table(reports),
        "reports": reports_table(reports, 0.1),
        "changes": changes,
        "contributions": contributions,
    }


@pytest.mark.parametrize("topic", [products, kpis, forecast, anomalies_and_insights])
def test_later_sales_change_nothing(shops: tuple[Shop, Shop], topic: Callable[[Shop], Tables]) -> None:
    now, then = (topic(shop) for shop in shops)

    assert [name for name in now if not _is_same(now[name], then[name])] == []
    assert sum(table.num_rows for table in then.values()) > 0


@pytest.mark.parametrize("topic", [products, kpis, forecast, anomalies_and_insights])
def test_what_has_happened_by_then_is_no_later_than_the_day(
    shops: tuple[Shop, Shop], topic: Callable[[Shop], Tables]
) -> None:
    tables = topic(shops[0])
    tables.pop("forecasts", None)

    days = {
        f"{name}.{column}": pc.max(table[column].cast(pa.date32())).as_py()
        for name, table in tables.items()
        for column in table.column_names
        if pa.types.is_date(table.schema.field(column).type) or pa.types.is_timestamp(table.schema.field(column).type)
    }

    assert days
    assert {name: day for name, day in days.items() if day is not None and day > AS_OF} == {}


def _is_same(one: pa.Table, other: pa.Table) -> bool:
    return [_told(row) for row in one.to_pylist()] == [_told(row) for row in other.to_pylist()]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Engines add floats up in any order: what is the same to nine places is the same."""
    return {name: f"{value:.9g}" if isinstance(value, float) else value for name, value in row.items()}
