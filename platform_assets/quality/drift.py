"""A delivery beside those before it: missing values, distributions, categories, distinct values.

Belongs here: which figure is held against which past. Does not belong here: the arithmetic (``bands``), rows per day
and per delivery (``volume``), what a check says (``drift_checks``).

With enough good deliveries, a figure is held against a robust band of its own past. With fewer, shares and
distributions are held against all that was delivered before, as one, and only a large difference counts: one good load
is enough to notice that a column has lost its minus signs.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from platform_assets.contracts.contract import Contract
from platform_assets.quality.bands import (
    Band,
    Share,
    psi_limit,
    psi_limit_of_past,
    psi_terms,
    share_band,
    share_band_of_few,
)
from platform_assets.quality.check_names import CATEGORIES, DISTINCT, DISTRIBUTION, NULLS
from platform_assets.quality.deliveries import History, Metric
from platform_assets.quality.drift_settings import DriftSettings
from platform_assets.quality.past import Past
from platform_assets.quality.profiles import Numbers, Profile

INDEX = "stability_index"
_COMPARABLE = 2
"""Distinct values are compared between deliveries of which one has at most this many times the values of the other."""
_NAMED = 3
_WORDS = {"missing_share": "cells are empty", "negative_share": "values are negative", "zero_share": "values are 0"}


@dataclass(frozen=True)
class _Figure:
    """Which figure: its check, column and name."""

    family: str
    column: str
    name: str

    def metric(self, value: float, band: Band | None, text: str) -> Metric:
        """The figure with its value; the text is kept where the value is outside the band."""
        named = Metric(family=self.family, column=self.column, name=self.name, value=value)
        if band is None:
            return named
        outside = not band.holds(value)
        return replace(named, low=band.low, high=band.high, is_outside=outside, text=text if outside else "")


def profile_metrics(profile: Profile, history: History, contract: Contract, settings: DriftSettings) -> list[Metric]:
    """Judge the profile of a delivery.

    Args:
        profile: Its profile.
        history: What was delivered before it.
        contract: The dataset's contract; values of personal columns are not told.
        settings: Widths and minima.

    Returns:
        Every figure, judged or not.
    """
    past = Past(history.good, settings)
    metrics: list[Metric] = []
    for name, missing in profile.missing.items():
        before = [(one.missing.get(name, 0), one.rows) for one in _profiles(past, NULLS, name)]
        metrics += _share(past, _Figure(NULLS, name, "missing_share"), (missing, profile.rows), before)
    for name, numbers in profile.numbers.items():
        others = [one.numbers[name] for one in _profiles(past, DISTRIBUTION, name) if name in one.numbers]
        negative, zero = [(one.negative, one.values) for one in others], [(one.zero, one.values) for one in others]
        of = (numbers.negative, numbers.values), (numbers.zero, numbers.values)
        metrics += _share(past, _Figure(DISTRIBUTION, name, "negative_share"), of[0], negative)
        metrics += _share(past, _Figure(DISTRIBUTION, name, "zero_share"), of[1], zero)
        metrics += _distribution(past, name, numbers, tells=not contract.column(name).personal)
    for name, counts in profile.categories.items():
        metrics += _categories(past, name, counts)
    for name, (different, values) in profile.distinct.items():
        metrics += _distinct(past, name, Share(different, values))
    return metrics


def _profiles(past: Past, family: str, column: str) -> list[Profile]:
    return [delivery.profile for delivery in past.of(family, column)]


def _share(past: Past, figure: _Figure, now: tuple[int, int], before: Sequence[tuple[int, int]]) -> Iterator[Metric]:
    """A share against a band of its past, or where that is short, against all of it as one."""
    share, settings = Share(*now), past.settings
    if not share.total:
        return
    enough = [Share(*pair) for pair in before if pair[1] >= settings.min_rows]
    merged = Share(sum(count for count, _ in before), sum(total for _, total in before))
    band, usual = None, ""
    if share.total >= settings.min_rows and len(enough) >= settings.min_history:
        band = share_band(enough, share.total, settings.sensitivity)
        usual = f"usually {band.low:.1%} to {band.high:.1%}"
    elif min(share.total, merged.total) >= settings.min_rows:
        band = share_band_of_few(merged, share.total)
        usual = f"{merged.count:,} of {merged.total:,} ({merged.value:.1%}) before"
    what = _WORDS[figure.name]
    text = f"{figure.column}: {share.count:,} of {share.total:,} {what} ({share.value:.1%}); {usual}"
    yield figure.metric(share.value, band, text)


def _distribution(past: Past, column: str, now: Numbers, *, tells: bool) -> Iterator[Metric]:
    profiles = [delivery.profile.numbers.get(column) for delivery in past.of(DISTRIBUTION, column)]
    binned = [numbers.bins for numbers in profiles if numbers and list(numbers.edges) == list(now.edges)]
    merged = [sum(counts) for counts in zip(*binned, strict=True)]
    found = _index(past, DISTRIBUTION, column, now.bins, merged)
    if found is None:
        return
    value, limit, place = found
    p, q = now.bins[place] / sum(now.bins), merged[place] / sum(merged)
    where = f": {p:.1%} of values are {_bin(now.edges, place)}; {q:.1%} before" if tells else ""
    text = f"{column}: values are distributed otherwise (index {value:.2f}, usual up to {limit:.2f}){where}"
    yield _Figure(DISTRIBUTION, column, INDEX).metric(value, Band(0, limit), text)


def _index(
    past: Past, family: str, column: str, now: Sequence[int], before: Sequence[int]
) -> tuple[float, float, int] | None:
    """The stability index, up to where it is as usual, and the bin that adds most; ``None`` with too few values."""
    rows, rows_before = sum(now), sum(before)
    if min(rows, rows_before) < past.settings.min_rows or len(now) < 2:  # noqa: PLR2004 - one bin is no distribution
        return None
    terms = psi_terms(now, before)
    indexes = [
        metric.value
        for delivery in past.of(family, column)
        for metric in delivery.metrics
        if (metric.family, metric.column, metric.name) == (family, column, INDEX) and not metric.is_outside
    ]
    if len(indexes) >= past.settings.min_history:
        limit = psi_limit_of_past(indexes, past.settings.sensitivity, past.settings.psi)
    else:
        limit = psi_limit(len(now), rows, rows_before, past.settings.psi)
    return sum(terms), limit, terms.index(max(terms))


def _bin(edges: Sequence[str], place: int) -> str:
    if place == 0:
        return f"below {_plain(edges[0])}"
    if place == len(edges):
        return f"{_plain(edges[-1])} or more"
    return f"from {_plain(edges[place - 1])} to below {_plain(edges[place])}"


def _plain(edge: str) -> str:
    return edge.rstrip("0").rstrip(".") if "." in edge and "e" not in edge.lower() else edge


def _categories(past: Past, column: str, now: Mapping[str, int]) -> Iterator[Metric]:
    merged: Counter[str] = Counter()
    for delivery in past.of(CATEGORIES, column):
        merged.update(delivery.profile.categories.get(column, {}))
    names = sorted({*merged, *now})
    counts, before = [now.get(name, 0) for name in names], [merged[name] for name in names]
    found = _index(past, CATEGORIES, column, counts, before)
    if found is None:
        return
    value, limit, place = found
    name = names[place]
    p, q = counts[place] / sum(counts), before[place] / sum(before)
    text = f"{column}: the mix differs (index {value:.2f}, usual up to {limit:.2f}): "
    text += f"{name!r} has {counts[place]:,} of {sum(counts):,} rows ({p:.1%}); {q:.1%} before"
    yield _Figure(CATEGORIES, column, INDEX).metric(value, Band(0, limit), text)
    new = sorted((other for other in now if not merged[other]), key=lambda other: (-now[other], other))
    if new:
        told = ", ".join(f"{other!r} ({now[other]:,} rows)" for other in new[:_NAMED])
        more = f" and {len(new) - _NAMED:,} more" if len(new) > _NAMED else ""
        text = f"{column}: new: {told}{more}"
        yield Metric(family=CATEGORIES, column=column, name="new_categories", value=len(new), text=text)


def _distinct(past: Past, column: str, now: Share) -> Iterator[Metric]:
    if not now.total:
        return
    pairs = [delivery.profile.distinct.get(column, (0, 0)) for delivery in past.of(DISTINCT, column)]
    comparable = [
        Share(*pair) for pair in pairs if now.total <= pair[1] * _COMPARABLE and pair[1] <= now.total * _COMPARABLE
    ]
    band = None
    if now.total >= past.settings.min_rows and len(comparable) >= past.settings.min_history:
        band = share_band(comparable, now.total, past.settings.sensitivity)
    text = f"{column}: {now.count:,} different values among {now.total:,} ({now.value:.1%})"
    text += f"; usually {band.low:.1%} to {band.high:.1%}" if band else ""
    yield _Figure(DISTINCT, column, "distinct_share").metric(now.value, band, text)
