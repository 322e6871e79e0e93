"""Checks of analytics/rfm_*: what must hold of scores, segments and moves."""

from collections.abc import Iterator
from functools import cache

import dagster as dg
import pyarrow as pa

from platform_assets.analytics.rfm.checks import (
    changed_shares,
    customers_in_a_wrong_segment,
    moves_that_do_not_add_up,
    scores_against_their_measure,
    segments_that_do_not_add_up,
)
from platform_assets.defs.result_checks import invariant_check
from platform_assets.defs.rfm import RFM_TABLES
from platform_assets.defs.topics import check_spec, judged
from platform_assets.lake.whole import whole_rows
from platform_assets.resources.platform import PlatformResource

_CHECKS = (
    invariant_check(
        "scores_follow_measures",
        "rfm_scores",
        "Equal values have equal scores, and a better value never has a lower one.",
        lambda tables: scores_against_their_measure(tables["rfm_scores"]),
    ),
    invariant_check(
        "segments_follow_scores",
        "rfm_scores",
        "Every customer is told once, in the segment of their scores; prospects have none.",
        lambda tables: customers_in_a_wrong_segment(tables["rfm_scores"]),
    ),
    invariant_check(
        "segments_add_up",
        "rfm_segments",
        "Customers and money of the segments are those of their customers; shares are 1 together.",
        lambda tables: segments_that_do_not_add_up(tables["rfm_segments"], tables["rfm_scores"]),
    ),
    invariant_check(
        "moves_add_up",
        "rfm_migration",
        "As many customers came to a segment or stayed as are in it.",
        lambda tables: moves_that_do_not_add_up(tables["rfm_migration"], tables["rfm_scores"]),
    ),
    invariant_check(
        "shares_are_stable",
        "rfm_stability",
        "The shares of segments and scores did not change since the run before (index of 0.25 or more).",
        lambda tables: changed_shares(tables["rfm_stability"]),
        dg.AssetCheckSeverity.WARN,
    ),
)


@dg.multi_asset_check(name="analytics__rfm_checks", specs=[check_spec(check) for check in _CHECKS], can_subset=True)
def rfm_checks(context: dg.AssetCheckExecutionContext, platform: PlatformResource) -> Iterator[dg.AssetCheckResult]:
    """Judge the tables as they are kept."""

    @cache
    def tables() -> dict[str, pa.Table]:
        return {table.name: _kept(table.name, table.schema, platform) for table in RFM_TABLES}

    names = {key.name for key in context.selected_asset_check_keys}
    yield from (judged(check, tables) for check in _CHECKS if check.name in names)


def _kept(name: str, schema: pa.Schema, platform: PlatformResource) -> pa.Table:
    table = platform.table("analytics", name)
    return platform.engine.collect(whole_rows(table, table.snapshot(), schema, platform.engine))


@dg.definitions
def defs() -> dg.Definitions:
    """The checks."""
    return dg.Definitions(asset_checks=[rfm_checks])
