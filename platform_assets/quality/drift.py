"""A delivery beside those before it: missing values, distributions, categories, distinct values.

Belongs here: which figure is held against which past. Does not belong here: the arithmetic (``bands``), rows per day
and per delivery (``volume``), what a check says (``drift_checks``).

With enough good deliveries, a figure is held against a robust band of its own past. With fewer, shares and
distributions are held against all that was delivered before, as one, and only a large difference counts: one good load
is enough to notice that a column has lost its minus signs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

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
from platform_assets.quality.deliveries import History, Metric
from platform_assets.quality.drift_settings import DriftSettings
from platform_assets.quality.past import Past
from platform_assets.quality.profiles import Profile

NULLS = "nulls_as_usual"
DISTRIBUTION = "distribution_as_usual"
CATEGORIES = "categories_as_usual"
DISTINCT = "distinct_as_usual"
INDEX = "stability_index"
_COMPARABLE = 2
"""Distinct values are compared between deliveries of which one has at most this many times the values of the other."""
_NAMED = 3


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
        metrics += _share(past, NULLS, name, "missing_share", _missing, Share(missing, profile.rows))
    for name, numbers in profile.numbers.items():
        for kind in ("negative", "zero"):
            share = Share(getattr(numbers, kind), numbers.values)
            metrics += _share(past, DISTRIBUTION, name, f"{kind}_share", _of_numbers(kind), share)
        edges = [] if contract.column(name).personal else list(history.reference.edges.get(name, ()))
        metrics += _distribution(past, name, numbers.bins, edges)
    for name, counts in profile.categories.items():
        metrics += _categories(past, name, counts)
    for name, (different, values) in profile.distinct.items():
        metrics += _distinct(past, name, Share(different, values))
    return metrics


def _share(
    past: Past, family: str, column: str, name: str, of: Callable[[Profile, str], Share | None], now: Share
) -> Iterator[Metric]:
    if not now.total:
        return
    before = [share for delivery in past.of(family, column) if (share := of(delivery.profile, column))]
    enough = [share for share in before if share.total >= past.settings.min_rows]
    merged = Share(sum(share.count for share in before), sum(share.total for share in before))
    band, usual = None, ""
    if now.total >= past.settings.min_rows:
        if len(enough) >= past.settings.min_history:
            band = share_band(enough, now.total, past.settings.sensitivity)
            usual = f"usually {band.low:.1%} to {band.high:.1%}"
        elif merged.total >= past.settings.min_rows:
            band = share_band_of_few(merged, now.total)
            usual = f"{merged.count:,} of {merged.total:,} ({merged.value:.1%}) before"
    what = {"missing_share": "cells are empty", "negative_share": "values are negative", "zero_share": "values are 0"}
    text = f"{column}: {now.count:,} of {now.total:,} {what[name]} ({now.value:.1%}); {usual}"
    yield _metric(family, column, name, now.value, band, text)


def _metric(family: str, column: str, name: str, value: float, band: Band | None, text: str) -> Metric:
    if band is None:
        return Metric(family=family, column=column, name=name, value=value)
    outside = not band.holds(value)
    return Metric(
        family=family,
        column=column,
        name=name,
        value=value,
        low=band.low,
        high=band.high,
        is_outside=outside,
        text=text if outside else "",
    )


def _missing(profile: Profile, column: str) -> Share | None:
    return Share(profile.missing[column], profile.rows) if column in profile.missing and profile.rows else None


def _of_numbers(kind: str) -> Callable[[Profile, str], Share | None]:
    def share(profile: Profile, column: str) -> Share | None:
        numbers = profile.numbers.get(column)
        return Share(getattr(numbers, kind), numbers.values) if numbers and numbers.values else None

    return share


def _distribution(past: Past, column: str, now: Sequence[int], edges: Sequence[str]) -> Iterator[Metric]:
    before = past.of(DISTRIBUTION, column)
    profiles = [delivery.profile.numbers[column].bins for delivery in before if column in delivery.profile.numbers]
    binned = [bins for bins in profiles if len(bins) == len(now)]
    merged = [sum(counts) for counts in zip(*binned, strict=True)]
    found = _index(past, DISTRIBUTION, column, now, merged)
    if found is None:
        return
    value, limit, place = found
    p, q = now[place] / sum(now), merged[place] / sum(merged)
    where = f": {p:.1%} of values are {_bin(edges, place)}; {q:.1%} before" if edges else ""
    text = f"{column}: values are distributed otherwise (index {value:.2f}, usual up to {limit:.2f}){where}"
    yield _metric(DISTRIBUTION, column, INDEX, value, Band(0, limit), text)


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
    metric = _metric(CATEGORIES, column, INDEX, value, Band(0, limit), text)
    new = sorted((other for other in now if not merged[other]), key=lambda other: (-now[other], other))
    yield metric
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
    yield _metric(DISTINCT, column, "distinct_share", now.value, band, text)
