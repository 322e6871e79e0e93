"""analytics/revenue_*, forecast_*: revenue by day and week, ahead and as it would have been forecast."""

from datetime import date

import dagster as dg

from platform_assets.analytics.days import last_whole_day
from platform_assets.analytics.forecast import checks
from platform_assets.analytics.forecast.coverage import ENOUGH_POINTS
from platform_assets.analytics.forecast.forecasts import forecast_revenue
from platform_assets.analytics.forecast.grains import GRAINS
from platform_assets.analytics.forecast.library import has_library
from platform_assets.analytics.forecast.results import (
    BACKTEST_SCHEMA,
    COVERAGE_SCHEMA,
    FORECASTS_SCHEMA,
    SERIES_SCHEMA,
    SKILL_SCHEMA,
)
from platform_assets.analytics.forecast.series import daily_revenue, of_largest, revenue_series, series_table
from platform_assets.analytics.forecast.skill import NOT_FORECASTABLE
from platform_assets.defs.result_checks import invariant_check
from platform_assets.defs.topics import Inputs, ResultCheck, ResultTable, Tables, Topic, Verdict, topic_assets
from platform_assets.engines.engine import Frame
from platform_assets.lake.whole import whole_rows
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_DATASETS, sales_rows

_SERIES = ("grain", "currency", "scope", "member")
_TABLES = (
    ResultTable(
        "revenue_series",
        SERIES_SCHEMA,
        (*_SERIES, "period_start_date"),
        "Net revenue of every day and week that is over: in total, by category and by channel.",
    ),
    ResultTable(
        "revenue_forecasts",
        FORECASTS_SCHEMA,
        (*_SERIES, "period_start_date"),
        "Net revenue of the days and weeks ahead with its intervals, or why it cannot be forecast.",
    ),
    ResultTable(
        "forecast_backtest",
        BACKTEST_SCHEMA,
        (*_SERIES, "origin_date", "step", "model"),
        "What every model would have forecast from earlier days on, and what came.",
    ),
    ResultTable(
        "forecast_skill",
        SKILL_SCHEMA,
        (*_SERIES, "model"),
        "How far off every model was in the backtest, and which one is published.",
    ),
    ResultTable(
        "forecast_coverage",
        COVERAGE_SCHEMA,
        ("grain", "nominal_rate"),
        "How often what came was within its interval.",
    ),
)


def _compute(inputs: Inputs) -> Tables:
    engine = inputs.engine
    sales = sales_rows(inputs.tables["sales"], inputs.snapshots["sales"], engine)
    products = whole_rows(inputs.tables["products"], inputs.snapshots["products"], PRODUCTS_SCHEMA, engine)
    as_of = _last_day(inputs, sales)
    inputs.tell(f"forecast: revenue up to {as_of} by day, category and channel")
    every = engine.collect(daily_revenue(sales, products, _currencies(inputs.platform), as_of))
    daily = engine.collect(of_largest(engine.from_arrow(every), as_of, engine))
    series = [one for grain in GRAINS for one in revenue_series(daily, grain, as_of)]
    made = forecast_revenue(series, as_of, on_progress=inputs.tell)
    return {
        "revenue_series": series_table(series),
        "revenue_forecasts": made.forecasts,
        "forecast_backtest": made.backtest,
        "forecast_skill": made.skill,
        "forecast_coverage": made.coverage,
    }


def _last_day(inputs: Inputs, sales: Frame) -> date:
    """The day asked for; where none was, the newest that is over: half a day would be forecast as a collapse."""
    if inputs.platform.settings.as_of is not None:
        return inputs.as_of
    return last_whole_day(sales, inputs.as_of, inputs.engine)


def _currencies(platform: PlatformResource) -> dict[str, str]:
    return {dataset: platform.config.currencies.of(dataset) for dataset in SALES_DATASETS}


def _coverage(tables: Tables) -> Verdict:
    grades = checks.coverage_grades(tables["forecast_coverage"])
    if not grades:
        return Verdict(passed=True, description=f"cannot say: fewer than {ENOUGH_POINTS} steps have an interval")
    found = {grade for grade, _ in grades.values()}
    said = ", ".join(f"{rate:.1%} by {grain} ({grade})" for grain, (grade, rate) in grades.items())
    numbers = {f"coverage by {grain}": rate for grain, (_, rate) in grades.items()}
    severity = dg.AssetCheckSeverity.ERROR if "bad" in found else dg.AssetCheckSeverity.WARN
    return Verdict(found == {"good"}, f"the 80 % interval held {said}", numbers, severity)


def _has_skill(tables: Tables) -> Verdict:
    skill = tables["forecast_skill"]
    statuses = {tuple(row[name] for name in _SERIES): row["status"] for row in skill.to_pylist()}
    without = sum(status == NOT_FORECASTABLE for status in statuses.values())
    said = f"{len(statuses) - without} of {len(statuses)} series can be forecast; forecast_skill says why others cannot"
    numbers = {"series": len(statuses), "not forecastable": without}
    return Verdict(without < len(statuses) or not statuses, said, numbers)


_CHECKS = (
    invariant_check(
        "members_add_up",
        "revenue_series",
        "Categories add up to the total in every step, and so do channels.",
        lambda tables: checks.broken_sums(tables["revenue_series"]),
    ),
    invariant_check(
        "calendar_is_complete",
        "revenue_series",
        "Every series has all steps from its first one on, and ends with the others.",
        lambda tables: checks.broken_calendars(tables["revenue_series"]),
    ),
    invariant_check(
        "intervals_are_nested",
        "revenue_forecasts",
        "Wider intervals hold narrower ones; there is an amount where there is skill, and a reason always.",
        lambda tables: checks.broken_forecasts(tables["revenue_forecasts"]),
    ),
    ResultCheck(
        "some_series_have_skill",
        "revenue_forecasts",
        "At least one series can be forecast better than by repeating the last season.",
        _has_skill,
        dg.AssetCheckSeverity.WARN,
    ),
    invariant_check(
        "weights_sum_to_one",
        "forecast_skill",
        "The combination's weights sum to 1, and at most one model of a series is published.",
        lambda tables: checks.broken_weights(tables["forecast_skill"]),
    ),
    invariant_check(
        "coverage_is_that_of_the_backtest",
        "forecast_coverage",
        "Counting anew what fell within the backtest's intervals gives what is published.",
        lambda tables: checks.wrong_coverage(tables["forecast_coverage"], tables["forecast_backtest"]),
    ),
    ResultCheck(
        "intervals_hold",
        "forecast_coverage",
        f"The 80 % interval held what came in {checks.DOUBTFUL[0]:.0%} to {checks.DOUBTFUL[1]:.0%} of at least "
        f"{ENOUGH_POINTS} steps (else it warns), or in {checks.BAD[0]:.0%} to {checks.BAD[1]:.0%} (else it fails).",
        _coverage,
    ),
)


@dg.definitions
def defs() -> dg.Definitions:
    """Forecasts of revenue."""
    topic = Topic(
        "forecast",
        _TABLES,
        {"sales": ("core", "sales"), "products": ("core", "products")},
        _compute,
        # With the optional library installed, other models take part; a day that is asked for is taken as over.
        settings=lambda platform: [_currencies(platform), has_library(), platform.settings.as_of is not None],
        checks=_CHECKS,
    )
    return dg.Definitions(assets=topic_assets(topic))
