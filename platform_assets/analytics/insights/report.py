"""The report of a week: false discoveries controlled over all its tests, pruned, ranked and capped.

Belongs here: choosing among candidates. Does not belong here: where they come from (``candidates``), and their words
(``texts``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from math import log1p

import numpy as np
import pyarrow as pa

from platform_assets.analytics.anomalies.incidents import Incident
from platform_assets.analytics.anomalies.measures import TOTAL, Panel
from platform_assets.analytics.anomalies.prices import Floats
from platform_assets.analytics.anomalies.series import JudgedPanel
from platform_assets.analytics.insights.candidates import (
    Family,
    daily_family,
    price_distances,
    price_family,
    weekly_family,
)
from platform_assets.analytics.insights.null import adjusted
from platform_assets.analytics.insights.record import Candidate, Insight
from platform_assets.analytics.insights.texts import reproducing_sql, rules, words

NOTHING_UNUSUAL = "Nothing unusual: {tests} tests, none beyond what chance alone shows."
NOTHING_SOLD = "Nothing was sold in the whole week in: {datasets}."


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """How findings are chosen.

    Attributes:
        false_share: Share of findings that may be false, on average.
        window: So many weeks of history.
        most: So many findings at most.
        same: A child with this share of its parent's effect explains it; so do two findings with so alike effects.
        decay: Factor of the score of what the report before showed.
    """

    false_share: float = 0.10
    window: int = 26
    most: int = 7
    same: float = 0.9
    decay: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Daily:
    """What the daily judgement gives to a report.

    Attributes:
        judged: See ``series.judged_panels``.
        incidents: See ``incidents.incidents``.
    """

    judged: Mapping[str, JudgedPanel]
    incidents: Sequence[Incident]


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What the judgement of prices gives to a report.

    Attributes:
        outliers: Rows of ``lines.OUTLIERS_SCHEMA``.
        distances: ``price_z`` of each distinct way that a product was sold.
        lines: How many lines were sold like that.
        weeks: So many weeks were they sold in.
    """

    outliers: pa.Table
    distances: Floats
    lines: Floats
    weeks: float

    @cached_property
    def null(self) -> Floats:
        """How far prices are off, for all weeks: to put many in order takes long."""
        return price_distances(self.distances, self.lines)

    @property
    def weekly_lines(self) -> float:
        """How many lines are sold in a week."""
        return float(self.lines.sum()) / max(self.weeks, 1)


@dataclass(frozen=True, kw_only=True)
class Report:
    """The findings of a week.

    Attributes:
        week: Its Monday.
        insights: The findings, the most important first; none is an answer, too.
        tests: How many tests were made.
        discovered: How many of them were discoveries, before floor, pruning and cap.
        dropped: Discoveries that are not shown, by the reason.
        silent: Datasets that have sold before, and sold nothing in the week.
    """

    week: date
    insights: tuple[Insight, ...]
    tests: int
    discovered: int
    dropped: Mapping[str, int]
    silent: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The report in a sentence, and which datasets there is nothing to say of."""
        said = NOTHING_UNUSUAL.format(tests=self.tests)
        if self.insights:
            found = "1 finding" if len(self.insights) == 1 else f"{len(self.insights)} findings"
            said = f"{found} out of {self.tests} tests: {self.insights[0].words['title']}."
        return f"{said} {NOTHING_SOLD.format(datasets=', '.join(self.silent))}" if self.silent else said


def weekly_report(
    panels: Mapping[str, Panel],
    week: date,
    *,
    daily: Daily | None = None,
    prices: Prices | None = None,
    settings: ReportSettings | None = None,
    shown: Collection[str] = (),
    currencies: Mapping[str, str] | None = None,
    as_of: date | None = None,
) -> Report:
    """Report on one week.

    Args:
        panels: Weekly measures of each dataset.
        week: The Monday of the week; see ``weekly.last_week``.
        daily: Judged days and incidents, where there are any.
        prices: Judged lines, where there are any.
        settings: How findings are chosen.
        shown: ``theme_id`` of what the report before showed.
        currencies: Currency of each dataset.
        as_of: The last day whose sales usual prices are made of; none where all are.
    """
    settings = settings or ReportSettings()
    families = [weekly_family(panels, week, settings.window)]
    if daily:
        families.append(daily_family(daily.judged, daily.incidents, week))
    if prices:
        families.append(price_family(prices.outliers, prices.null, week, prices.weekly_lines))
    found, tests = _discoveries(families, settings.false_share)
    revenue = {source: _revenue(panel, week) for source, panel in panels.items()}
    large = [(one, p) for one, p in found if _is_large(one, revenue)]
    kept = pruned(large, settings.same)
    insights = [
        _insight(one, p, tests=tests, shown=shown, settings=settings, currencies=currencies or {}, as_of=as_of)
        for one, p in kept
    ]
    insights.sort(key=lambda one: (-one.score, one.candidate.id))
    dropped = {
        "below the floor": len(found) - len(large),
        "explained by another": len(large) - len(kept),
        "beyond the cap": max(0, len(insights) - settings.most),
    }
    top = tuple(insights[: settings.most])
    silent = tuple(source for source in sorted(panels) if _is_silent(panels[source], week))
    return Report(week=week, insights=top, tests=tests, discovered=len(found), dropped=dropped, silent=silent)


def pruned(found: Sequence[tuple[Candidate, float]], same: float) -> list[tuple[Candidate, float]]:
    """What is left when each event is told once.

    A whole is dropped where one part has at least the share ``same`` of its effect. A finding is dropped, and becomes
    evidence, where one of overlapping days tells it: of the same segment, of the whole, of days within the week, or of
    another dimension with nearly the same money (the same sales seen from another side).

    Args:
        found: Candidates with their adjusted p-values.
        same: Share of an effect from which on it is the same.
    """
    parts = [one for one, _ in found if one.key.dimension != TOTAL]
    left = [(one, p) for one, p in found if not any(_explains_whole(part, one, same) for part in parts)]
    # Named days before whole weeks: they say more about the same event; then the most money.
    left.sort(key=lambda pair: (pair[0].is_weekly, -abs(pair[0].money), pair[0].id))
    kept: list[tuple[Candidate, float]] = []
    for one, p in left:
        place = next((at for at, (other, _) in enumerate(kept) if _tells(other, one, same)), None)
        if place is None:
            kept.append((one, p))
        else:
            other, its = kept[place]
            said = f"{one.measure} of {one.key.segment}: {one.value:,.2f}, expected {one.expected:,.2f}."
            kept[place] = replace(other, evidence=(*other.evidence, said)), its
    return kept


def _discoveries(families: Sequence[Family], false_share: float) -> tuple[list[tuple[Candidate, float]], int]:
    candidates = [one for family in families for one in family.candidates]
    others = np.concatenate([family.others for family in families])
    p = adjusted(np.concatenate([np.array([one.p for one in candidates], dtype=float), others]))
    # Days of incidents are in the others, too: they were tests like any other day.
    found = [(one, float(value)) for one, value in zip(candidates, p, strict=False) if value <= false_share]
    return found, len(p)


def _insight(
    found: Candidate,
    p: float,
    *,
    tests: int,
    shown: Collection[str],
    settings: ReportSettings,
    currencies: Mapping[str, str],
    as_of: date | None,
) -> Insight:
    is_new = found.theme_id not in shown
    weight = rules()[found.type]["actionability"] * (1.0 if is_new else settings.decay)
    return Insight(
        candidate=found,
        p_adjusted=p,
        tests=tests,
        is_new=is_new,
        score=log1p(abs(found.money)) * (1 - p) * weight,
        words=words(found, currencies.get(found.key.source_system)),
        sql=reproducing_sql(found, as_of),
    )


def _is_silent(panel: Panel, week: date) -> bool:
    end = (week - panel.start).days // panel.step
    return 0 < end < panel.length and not panel.values["orders"][:, end].any()


def _is_large(found: Candidate, revenue: Mapping[str, float]) -> bool:
    floor = float(rules()[found.type]["floor"]) * revenue.get(found.key.source_system, 0.0)
    return abs(found.money) >= floor


def _revenue(panel: Panel, week: date) -> float:
    """Net sales of the week's last month, by week: a week that fails altogether has a floor, too."""
    rows = [place for place, key in enumerate(panel.keys) if key.dimension == TOTAL]
    end = (week - panel.start).days // panel.step + 1
    if not rows:
        first = panel.keys[0].dimension
        rows = [place for place, key in enumerate(panel.keys) if key.dimension == first]
    recent = panel.values["net_amount"][rows, max(0, end - 4) : max(end, 1)].sum(axis=0)
    return float(np.median(recent)) if len(recent) else 0.0


def _explains_whole(part: Candidate, whole: Candidate, same: float) -> bool:
    """Whether a part has nearly all of what happened to the whole; a part of a week also what happened on a day."""
    if whole.key.dimension != TOTAL or part.key.source_system != whole.key.source_system:
        return False
    is_alike = _overlap(part, whole) and part.measure == whole.measure and part.money * whole.money > 0
    is_enough = abs(part.money) >= same * abs(whole.money)
    return is_alike and is_enough and (part.is_weekly or not whole.is_weekly)


def _tells(other: Candidate, one: Candidate, same: float) -> bool:
    """Whether a finding that is kept already tells what another would."""
    if other.key.source_system != one.key.source_system or not _overlap(other, one):
        return False
    if other.key == one.key:
        return True
    if "product" in (other.key.dimension, one.key.dimension) or other.money * one.money < 0:
        return False
    covers = abs(other.money) >= same * abs(one.money)
    if other.key.dimension == TOTAL or (one.is_weekly and not other.is_weekly):
        return covers
    return covers and abs(one.money) >= same * abs(other.money)


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.first <= other.last and other.first <= one.last
