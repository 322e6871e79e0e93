"""Lifetime value, churn and retention: the tables and what must hold of them."""

from typing import Any

import dagster as dg

from platform_assets.analytics.churn.checks import (
    chosen_by,
    faulty_actions,
    faulty_rates,
    held_out_by_action,
    missed_bins,
    score_in_use,
)
from platform_assets.analytics.churn.churn import CHURN_SCHEMA
from platform_assets.analytics.churn.evaluation import CALIBRATION_SCHEMA, EVALUATION_SCHEMA
from platform_assets.analytics.churn.retention import MEASUREMENT_SCHEMA, RETENTION_SCHEMA
from platform_assets.analytics.customer_value import customer_value, valued_lines
from platform_assets.analytics.lifetime.checks import (
    faulty_values,
    model_in_use,
    regularity_told,
    totals_apart,
    valued_share,
)
from platform_assets.analytics.lifetime.choice import COMPARISON_SCHEMA
from platform_assets.analytics.lifetime.groups import GROUPS_SCHEMA
from platform_assets.analytics.lifetime.regularity import REGULAR
from platform_assets.analytics.lifetime.value_schemas import TOTALS_SCHEMA, VALUES_SCHEMA
from platform_assets.defs.analytics import main_currency_sales, main_datasets
from platform_assets.defs.topics import Inputs, ResultCheck, ResultTable, Tables, Topic, Verdict, topic_assets
from platform_assets.lake.whole import whole_rows
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_dimensions import PRODUCTS_SCHEMA

_MOST_BIAS = 0.25
"""Of the orders that the model in use expected in the holdout; more is a warning."""
_MOST_MISSED = 0.3
"""Share of bins whose 95 % interval may miss the probability."""
_CHANCE = 1e-4
"""Of held-out customers as unevenly spread over the actions as they are."""
_AREAS = ("under_curve", "above_recency", "above_recency_low", "above_recency_high")

_TABLES = (
    ResultTable(
        "lifetime_values",
        VALUES_SCHEMA,
        ("customer_id",),
        "What each customer is expected to bring within the horizon, discounted, with intervals.",
    ),
    ResultTable(
        "lifetime_totals", TOTALS_SCHEMA, ("value_basis",), "What all customers together are expected to bring."
    ),
    ResultTable(
        "lifetime_models",
        COMPARISON_SCHEMA,
        ("model",),
        "How well each transaction model foresaw the last days of the history, and which is in use.",
    ),
    ResultTable(
        "lifetime_groups",
        GROUPS_SCHEMA,
        ("grouping", "fitted_group", "parameter"),
        "Parameters of the model in use, over all customers and per cohort and channel that is large enough.",
    ),
    ResultTable(
        "churn_rates", CHURN_SCHEMA, ("customer_id",), "How likely each customer is not to buy within the horizon."
    ),
    ResultTable(
        "churn_evaluation",
        EVALUATION_SCHEMA,
        ("score",),
        "How good churn probabilities of one horizon ago were on the days since, by the score they come from.",
    ),
    ResultTable(
        "churn_calibration",
        CALIBRATION_SCHEMA,
        ("score", "bin"),
        "Churn probabilities of one horizon ago in ten bins, and what came.",
    ),
    ResultTable(
        "retention_actions",
        RETENTION_SCHEMA,
        ("customer_id",),
        "What is at stake with each customer and what to do about it, the most at stake first.",
    ),
    ResultTable(
        "retention_measurement",
        MEASUREMENT_SCHEMA,
        ("action",),
        "Whether the effect of each action can be seen with the customers there are.",
    ),
)


def _compute(inputs: Inputs) -> Tables:
    platform, engine = inputs.platform, inputs.engine
    sales = main_currency_sales(platform, inputs.tables["sales"], inputs.snapshots["sales"])
    products = whole_rows(inputs.tables["products"], inputs.snapshots["products"], PRODUCTS_SCHEMA, engine)
    lines = valued_lines(sales, products, platform.config.currencies.by_dataset())
    return customer_value(lines, inputs.as_of, platform.config.analytics, engine, inputs.tell)


def _settings(platform: PlatformResource) -> Any:
    settings, currencies = platform.config.analytics, platform.config.currencies
    return [settings.model_dump(), main_datasets(platform), currencies.by_dataset()]


def _none_faulty(counts: dict[str, int]) -> Verdict:
    broken = [f"{name}: {count}" for name, count in counts.items() if count]
    return Verdict(not broken, "; ".join(broken) or f"Holds: {', '.join(counts)}.", counts)


def _totals(tables: Tables) -> Verdict:
    gaps = totals_apart(tables["lifetime_values"], tables["lifetime_totals"])
    wrong = [f"{kind} by {gap}" for kind, gap in gaps.items() if gap]
    return Verdict(not wrong, "; ".join(wrong) or "Totals are the sums of their rows.")


def _valued(tables: Tables) -> Verdict:
    share, reasons = valued_share(tables["lifetime_values"])
    if share is None:
        return Verdict(passed=False, description="There are no customers.")
    told = "; ".join(f"{count} customers: {reason}" for reason, count in reasons.items())
    return Verdict(share == 1, told or "Every customer has a value.", {"share with a value": share})


def _foreseen(tables: Tables) -> Verdict:
    used = model_in_use(tables["lifetime_models"])
    if used is None:
        return Verdict(passed=False, description="Too few customers to try a model on the last days of the history.")
    bias = used["bias_rate"]
    told = {name: value for name, value in used.items() if value is not None}
    if bias is None:
        return Verdict(passed=False, description="Nobody ordered in the last days of the history.", numbers=told)
    is_near = abs(float(bias)) <= _MOST_BIAS
    return Verdict(is_near, f"{used['model']} expected {float(bias):+.1%} more orders than came.", told)


def _random(tables: Tables) -> Verdict:
    found = regularity_told(tables["lifetime_models"])
    if found.k is None:
        return Verdict(passed=True, description=f"Too few customers ordered three times: {found.customers}.")
    told = (
        f"The times between orders of {found.customers} customers have a regularity k of {found.k:.2f} "
        f"({found.low:.2f} to {found.high:.2f}); random ones, which the models suppose, have 1."
    )
    return Verdict(not found.is_regular, told, {"regularity": found.k, "customers": found.customers})


def _better_than_recency(tables: Tables) -> Verdict:
    used = score_in_use(tables["churn_evaluation"])
    if used is None:
        reasons = {row["reason"] for row in tables["churn_rates"].select(["reason"]).to_pylist()}
        return Verdict(passed=False, description="; ".join(filter(None, reasons)) or "There are no customers.")
    area, gain, low, high = (used[f"area_{name}"] for name in _AREAS)
    is_better = high >= 0 and used["brier_score"] < used["brier_of_base_rate"]
    numbers = {name: used[name] for name in ("area_under_curve", "brier_score", "brier_of_base_rate")}
    told = (
        f"{used['score']}, {chosen_by(used)}: area under the curve {area:.3f}, {gain:+.3f} against recency alone "
        f"(95 % interval {low:+.3f} to {high:+.3f}); mean squared error {used['brier_score']:.4f}, of one rate for all "
        f"{used['brier_of_base_rate']:.4f}."
    )
    return Verdict(is_better, told, {**numbers, "area above recency": gain})


def _calibrated(tables: Tables) -> Verdict:
    judged = score_in_use(tables["churn_evaluation"])
    if judged is None:
        return Verdict(passed=False, description="No churn probability was judged.")
    missed, bins = missed_bins(tables["churn_calibration"], judged["score"])
    told = f"In {missed} of {bins} bins the 95 % interval of what came does not hold the probability."
    return Verdict(missed <= _MOST_MISSED * bins, told, {"bins missed": missed, "bins": bins})


def _held_out(tables: Tables) -> Verdict:
    chance = held_out_by_action(tables["retention_actions"])
    if chance is None:
        return Verdict(passed=True, description="Too few are held out for a test.")
    told = f"Actions differ in the share held out as they would by chance {chance:.4f} of the time."
    return Verdict(chance >= _CHANCE, told, {"p value": chance})


_WARN = dg.AssetCheckSeverity.WARN
_CHECKS = (
    ResultCheck(
        "values_in_range",
        "lifetime_values",
        "One row per customer, with a value or a reason; rates are rates, intervals are in order.",
        lambda tables: _none_faulty(faulty_values(tables["lifetime_values"])),
    ),
    ResultCheck("customers_valued", "lifetime_values", "Every customer has a value.", _valued, _WARN),
    ResultCheck("totals_are_sums", "lifetime_totals", "Totals are the sums of their rows.", _totals),
    ResultCheck(
        "holdout_foreseen",
        "lifetime_models",
        f"The model in use expected within {_MOST_BIAS:.0%} of the orders that came.",
        _foreseen,
        _WARN,
    ),
    ResultCheck(
        "orders_at_random",
        "lifetime_models",
        f"Orders come at random times, as the models suppose: their regularity k is below {REGULAR} or may be 1.",
        _random,
        _WARN,
    ),
    ResultCheck(
        "probabilities_in_range",
        "churn_rates",
        "One row per customer, with a probability that is neither 0 nor 1, or a reason.",
        lambda tables: _none_faulty(faulty_rates(tables["churn_rates"])),
    ),
    ResultCheck(
        "better_than_recency",
        "churn_evaluation",
        "On days not used to choose it, the score in use orders customers no worse than recency by more than chance, "
        "and errs less than the base rate.",
        _better_than_recency,
        _WARN,
    ),
    ResultCheck(
        "calibrated",
        "churn_calibration",
        f"At most {_MOST_MISSED:.0%} of the bins miss what came.",
        _calibrated,
        _WARN,
    ),
    ResultCheck(
        "stakes_add_up",
        "retention_actions",
        "What is at stake is probability times value, ranked without gap; everyone has an action.",
        lambda tables: _none_faulty(faulty_actions(tables["retention_actions"])),
    ),
    ResultCheck(
        "held_out_at_random",
        "retention_actions",
        "The held out are spread over the actions as by chance.",
        _held_out,
    ),
)

CUSTOMER_VALUE = Topic(
    "customer_value",
    tables=_TABLES,
    sources={"sales": ("core", "sales"), "products": ("core", "products")},
    compute=_compute,
    settings=_settings,
    checks=_CHECKS,
)


@dg.definitions
def defs() -> dg.Definitions:
    """Lifetime value, churn and retention."""
    return dg.Definitions(assets=topic_assets(CUSTOMER_VALUE))
