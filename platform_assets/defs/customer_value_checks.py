"""Checks of analytics/lifetime_groups and analytics/retention_measurement: fits behind values, and the measurement."""

from collections.abc import Iterator
from functools import cache

import dagster as dg
import pyarrow as pa

from platform_assets.analytics.churn.checks import measurement_apart
from platform_assets.analytics.lifetime.checks import faulty_groups, spend_correlation, unsettled_fits
from platform_assets.analytics.lifetime.gamma_gamma import DEPENDENT
from platform_assets.defs.customer_value import CUSTOMER_VALUE
from platform_assets.defs.result_checks import invariant_check
from platform_assets.defs.topics import ResultCheck, Tables, Verdict, check_spec, judged
from platform_assets.lake.whole import whole_rows
from platform_assets.resources.platform import PlatformResource

_WARN = dg.AssetCheckSeverity.WARN


def _missing_fits(tables: Tables) -> list[str]:
    counts = faulty_groups(tables["lifetime_groups"], tables["lifetime_values"])
    return [f"{name}: {count} without" for name, count in counts.items() if count]


def _independent(tables: Tables) -> Verdict:
    found = spend_correlation(tables["lifetime_groups"])
    if found is None:
        return Verdict(
            passed=True, description="Too few customers came back with money in their orders to model spend."
        )
    told = f"Among customers who came back, the number of orders and the money per order correlate by {found:+.2f}"
    if abs(found) <= DEPENDENT:
        return Verdict(passed=True, description=f"{told}.", numbers={"correlation": found})
    often, seldom = ("low", "high") if found > 0 else ("high", "low")
    meaning = (
        "The spend model (gamma_gamma, fitted to all) supposes none and draws everyone towards one mean: values may be "
        f"too {often} of customers who order often, too {seldom} of those who order seldom."
    )
    return Verdict(passed=False, description=f"{told}. {meaning}", numbers={"correlation": found})


CHECKS = (
    invariant_check(
        "groups_have_fits",
        "lifetime_groups",
        "Every grouping has a fit to all customers, and every customer is scored with a fit that is in use.",
        _missing_fits,
    ),
    invariant_check(
        "fits_settled",
        "lifetime_groups",
        "The parameters of every fit in use were found; else values and their intervals rest on a ridge.",
        lambda tables: unsettled_fits(tables["lifetime_groups"]),
        _WARN,
    ),
    ResultCheck(
        "spend_goes_without_orders",
        "lifetime_groups",
        f"Money per order does not depend on the number of orders: their correlation is within {DEPENDENT}.",
        _independent,
        _WARN,
    ),
    invariant_check(
        "measurement_adds_up",
        "retention_measurement",
        "Customers, those held out and what is at stake are per action those of retention_actions.",
        lambda tables: measurement_apart(tables["retention_measurement"], tables["retention_actions"]),
    ),
)


@dg.multi_asset_check(
    name="analytics__customer_value_checks", specs=[check_spec(check) for check in CHECKS], can_subset=True
)
def customer_value_checks(
    context: dg.AssetCheckExecutionContext, platform: PlatformResource
) -> Iterator[dg.AssetCheckResult]:
    """Judge the tables as they are kept."""

    @cache
    def tables() -> dict[str, pa.Table]:
        return {table.name: _kept(table.name, table.schema, platform) for table in CUSTOMER_VALUE.tables}

    names = {key.name for key in context.selected_asset_check_keys}
    yield from (judged(check, tables) for check in CHECKS if check.name in names)


def _kept(name: str, schema: pa.Schema, platform: PlatformResource) -> pa.Table:
    table = platform.table("analytics", name)
    return platform.engine.collect(whole_rows(table, table.snapshot(), schema, platform.engine))


@dg.definitions
def defs() -> dg.Definitions:
    """The checks."""
    return dg.Definitions(asset_checks=[customer_value_checks])
