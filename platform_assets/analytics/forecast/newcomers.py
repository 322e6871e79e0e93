"""Totals that grew because something was added: last season knows nothing of it, and beating last season is no skill.

Belongs here: telling such totals by their categories and channels. Does not belong here: whether a series can be
forecast (``skill``).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from platform_assets.analytics.forecast.series import CATEGORY, CHANNEL, TOTAL
from platform_assets.analytics.forecast.skill import LEAST_SKILL, Tested, Verdict


def flagged(verdict: Verdict, tested: Tested, pool: Sequence[Tested]) -> Verdict:
    """The verdict of a series; where much of a total is new, its reason says so.

    Args:
        verdict: What was judged.
        tested: The series.
        pool: All series with its steps.
    """
    share = new_share(tested, pool)
    if share < LEAST_SKILL:
        return verdict
    said = f"{share:.0%} of the revenue tested is of members that were not there a season before, so this is no skill"
    return replace(verdict, reason=f"{verdict.reason}; {said} (see the error against the recent mean)")


def new_share(tested: Tested, pool: Sequence[Tested]) -> float:
    """How much of a total's revenue in the backtest is of categories, or of channels, that began too late for it.

    That is those that began after the total, and within the season before the first origin or later: at some origin
    the seasonal naive forecast looks back at a time without them.

    Returns:
        The larger one of the shares of categories and of channels; 0 for series that are no totals.
    """
    series = tested.series
    if series.key.scope != TOTAL or not tested.backtest or not tested.backtest.past:
        return 0.0
    first = tested.backtest.past[0].cut
    whole = float(abs(series.values[first:]).sum())
    limit = max(series.start_date, series.date_of(first - series.grain.season))
    new = {scope: _revenue(series.key.currency, scope, limit, pool, len(series.values) - first)
           for scope in (CATEGORY, CHANNEL)}  # fmt: skip
    return max(new.values()) / whole if whole else 0.0


def _revenue(currency: str, scope: str, limit: date, pool: Sequence[Tested], steps: int) -> float:
    """The revenue in the newest steps of the members that began after a day."""
    members = (one.series for one in pool if (one.series.key.currency, one.series.key.scope) == (currency, scope))
    return float(sum(abs(one.values[-steps:]).sum() for one in members if one.start_date > limit))
