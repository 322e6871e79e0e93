"""What a table of results says of itself in the UI: key figures, a picture, and the page that tells more.

Belongs here: which figures and which picture. Numbers have the same name in every run, because Dagster plots a number
over the runs by its name. Does not belong here: what is drawn
(``result_pictures``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.formats import amount, model, percent, signed_percent, whole
from platform_assets.reports.result_pictures import (
    bars,
    best_products,
    forecast_fan,
    impacts,
    monthly_net_sales,
    net_sales_by_month,
    revenue_of_segments,
    segment_revenue,
    skills,
    total_of,
    weekly_history,
)
from platform_assets.reports.selecting import Row, added, newest, one, ordered, share, where

_LIKELY = 0.5


@dataclass(frozen=True)
class Told:
    """How a table is told.

    Attributes:
        page: The page it is on.
        numbers: Its key figures by name; those that cannot be had are ``None``.
        picture: A picture as Markdown; ``None`` where there is nothing to draw.
    """

    page: str
    numbers: Callable[[pa.Table], Mapping[str, Any]] = lambda _: {}
    picture: Callable[[pa.Table], str | None] = lambda _: None


def result_numbers(name: str, table: pa.Table) -> Mapping[str, float | int]:
    """The key figures of a table of results by name; those that cannot be had are left out."""
    found = TOLD[name].numbers(table) if name in TOLD else {}
    return {key: value if isinstance(value, int) else float(value) for key, value in found.items() if value is not None}


def result_picture(name: str, table: pa.Table) -> str | None:
    """A picture of a table of results as Markdown; ``None`` where there is nothing to draw."""
    return TOLD[name].picture(table) if name in TOLD and table.num_rows else None


def page_of(name: str) -> str | None:
    """The file of the page a table is on."""
    return f"{TOLD[name].page}.html" if name in TOLD else None


def _segments(table: pa.Table) -> Mapping[str, Any]:
    return {f"customers in {row['segment']}": row["customers"] for row in table.to_pylist()}


def _moves(table: pa.Table) -> Mapping[str, Any]:
    return {f"customers who went {move}": added(where(table, move=move), "customers") or 0 for move in ("up", "down")}


def _shifts(table: pa.Table) -> Mapping[str, Any]:
    return {"stability index of the segments": (one(table, measure="segment") or {}).get("stability_index")}


def _customers(table: pa.Table) -> Mapping[str, Any]:
    at_risk = table.filter(pc.field("churn_rate") >= _LIKELY).num_rows
    return {
        "customers at risk": at_risk if table["churn_rate"].null_count < table.num_rows else None,
        "net revenue": added(table, "net_revenue_amount"),
        "expected value": added(table, "value_amount"),
        "value at stake": added(table, "value_at_stake_amount"),
    }


def _used_model(table: pa.Table) -> Mapping[str, Any]:
    used = one(table, is_chosen=True) or {}
    return {
        "bias on the holdout": used.get("bias_rate"),
        "orders expected": used.get("expected_orders"),
        "orders that came": used.get("orders"),
    }


def _used_score(table: pa.Table) -> Mapping[str, Any]:
    used = one(table, is_used=True) or {}
    return {"area under the curve": used.get("area_under_curve"), "Brier score": used.get("brier_score")}


def _named(rows: list[Row], column: str) -> list[Row]:
    return [{**row, column: model(row[column])} for row in rows]


def _staked(table: pa.Table) -> Mapping[str, Any]:
    return {
        "value at stake": added(table, "value_at_stake_amount"),
        "customers held out": where(table, is_held_out=True).num_rows,
    }


def _ahead(table: pa.Table) -> Mapping[str, Any]:
    rows = total_of(table, "day")
    values = [row["forecast_amount"] for row in rows]
    first = table.filter(pc.field("step") == 1)
    return {
        f"revenue, next {len(rows)} days": sum(values) if values and None not in values else None,
        "series not forecastable": where(first, status="not_forecastable").num_rows,
    }


def _covered(table: pa.Table) -> Mapping[str, Any]:
    rows = ordered(table, "grain", "nominal_rate")
    return {f"{row['grain']}: coverage of the {row['nominal_rate']:.0%} interval": row["realised_rate"] for row in rows}


def _skill(table: pa.Table) -> Mapping[str, Any]:
    used = where(table, is_used=True, scope="total")
    return {
        f"{row['grain']}: error avoided against seasonal naive": row["skill_rate"]
        for row in ordered(used, "grain", "-currency")
    }


def _products(table: pa.Table) -> Mapping[str, Any]:
    return {
        "products of class A": where(table, abc_class="A").num_rows,
        "margin": share(added(table, "profit_amount"), added(table, "net_sales_with_profit_amount")),
        "returns": share(added(table, "returns_amount"), added(table, "gross_sales_amount")),
    }


def _incidents(table: pa.Table) -> Mapping[str, Any]:
    last = newest(table, "last_date")
    return {
        "incidents on the newest such day": where(table, last_date=last).num_rows if last else 0,
    }


def _reports(table: pa.Table) -> Mapping[str, Any]:
    rows = ordered(table, "-week_date", most=1)
    return (
        {"insights of the newest week": rows[0]["insights"], "tests of the newest week": rows[0]["tests"]}
        if rows
        else {}
    )


def _placebo(table: pa.Table) -> Mapping[str, Any]:
    return {"reports with a finding where nothing is": (one(table) or {}).get("false_report_rate")}


def _month(table: pa.Table) -> Mapping[str, Any]:
    rows = monthly_net_sales(table)
    last = rows[-1]["period_start_date"] if rows else None
    return {
        f"net sales of the newest month ({row['currency']})": row["value"]
        for row in rows
        if row["period_start_date"] == last
    }


def _repeats(table: pa.Table) -> Mapping[str, Any]:
    return {
        f"ordered again within {row['window_days']} days": row["repeat_rate"] for row in ordered(table, "window_days")
    }


TOLD: Mapping[str, Told] = {
    "rfm_segments": Told("customers", _segments, revenue_of_segments),
    "rfm_migration": Told("customers", _moves),
    "rfm_stability": Told("customers", _shifts),
    "customer_360": Told("customers", _customers, segment_revenue),
    "customer_360_balance": Told("customers"),
    "lifetime_values": Told("customers", lambda table: {"expected value": added(table, "value_amount")}),
    "lifetime_totals": Told("customers", lambda table: {"expected value": added(table, "value_amount")}),
    "lifetime_models": Told(
        "customers",
        _used_model,
        lambda table: bars(
            "Orders expected in the holdout",
            _named(ordered(table, "deviance", "model"), "model"),
            "model",
            "expected_orders",
            whole,
        ),
    ),
    "lifetime_groups": Told("customers"),
    "churn_rates": Told("customers", lambda table: {"mean churn probability": pc.mean(table["churn_rate"]).as_py()}),
    "churn_evaluation": Told(
        "customers",
        _used_score,
        lambda table: bars(
            "Area under the curve",
            _named(ordered(table, "-area_under_curve", "score"), "score"),
            "score",
            "area_under_curve",
            percent,
        ),
    ),
    "churn_calibration": Told("customers"),
    "retention_actions": Told("customers", _staked),
    "retention_measurement": Told(
        "customers",
        lambda table: {"actions that can be measured": where(table, is_measurable=True).num_rows},
        lambda table: bars(
            "Value at stake by action",
            ordered(table, "-value_at_stake_amount", "action"),
            "action",
            "value_at_stake_amount",
            amount,
        ),
    ),
    "product_performance": Told("products", _products, best_products),
    "price_changes": Told("products"),
    "product_affinity": Told(
        "products", lambda table: {"significant pairs": where(table, is_significant=True).num_rows}
    ),
    "category_affinity": Told(
        "products", lambda table: {"significant pairs": where(table, is_significant=True).num_rows}
    ),
    "category_trends": Told(
        "products",
        picture=lambda table: bars(
            "Growth in a year",
            ordered(table, "-growth_per_year_rate", "category"),
            "category",
            "growth_per_year_rate",
            signed_percent,
        ),
    ),
    "category_changes": Told("products", lambda table: {"lasting changes": where(table, is_significant=True).num_rows}),
    "gone_products": Told("products"),
    "substitutes": Told("products", lambda table: {"substitutes found": where(table, is_substitute=True).num_rows}),
    "revenue_series": Told("forecast", picture=weekly_history),
    "revenue_forecasts": Told("forecast", _ahead, forecast_fan),
    "forecast_backtest": Told("forecast"),
    "forecast_skill": Told("forecast", _skill, skills),
    "forecast_coverage": Told("forecast", _covered),
    "daily_measures": Told("anomalies", lambda table: {"unusual days": where(table, is_unusual=True).num_rows}),
    "incidents": Told("anomalies", _incidents, impacts),
    "incident_parts": Told("anomalies"),
    "order_outliers": Told("anomalies"),
    "insights": Told("insights"),
    "insight_reports": Told("insights", _reports),
    "sales_changes": Told("insights"),
    "sales_contributions": Told("insights"),
    "insight_placebo": Told("insights", _placebo),
    "kpis": Told("kpis", lambda table: {"figures available": where(table, is_available=True).num_rows}),
    "kpi_values": Told("kpis", _month, net_sales_by_month),
    "retention_cohorts": Told("kpis"),
    "second_order": Told("kpis"),
    "repeat_rates": Told("kpis", _repeats),
}
