"""Rows and files of a delivery, and rows of each event day, beside those before.

Belongs here: what is counted in days and deliveries. Does not belong here: what is counted in columns (``drift``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import log

from platform_assets.lake.snapshot import Snapshot
from platform_assets.quality.bands import Band, count_band
from platform_assets.quality.check_names import VOLUME
from platform_assets.quality.deliveries import Arrival, History, Metric
from platform_assets.quality.drift_settings import DriftSettings
from platform_assets.quality.past import Past

_MOST_DAYS = 31
"""A delivery of more days is a history that is handed in later; only its newest days are judged."""


@dataclass(frozen=True)
class Day:
    """An event day: its rows in all live files, and the deliveries that they came with."""

    rows: int
    deliveries: frozenset[str]


def days_of(snapshot: Snapshot, files: Mapping[str, tuple[str, str]]) -> dict[date, Day]:
    """Rows per event day.

    Args:
        snapshot: The staged version.
        files: Content and delivery of every live file.
    """
    rows: dict[str, int] = {}
    deliveries: dict[str, set[str]] = {}
    for name, piece in snapshot.slices.items():
        for day, count in piece.facts["days"].items():
            rows[day] = rows.get(day, 0) + count
            deliveries.setdefault(day, set()).add(files[name][1])
    return {date.fromisoformat(day): Day(rows[day], frozenset(deliveries[day])) for day in sorted(rows)}


def volume_metrics(
    arrival: Arrival, rows: int, days: Mapping[date, Day], history: History, settings: DriftSettings
) -> list[Metric]:
    """Judge how much was delivered.

    Args:
        arrival: The delivery's files.
        rows: Its rows.
        days: Rows per event day, of all live files.
        history: What was delivered before it.
        settings: Widths and minima.
    """
    past = Past(history.good, settings)
    before = past.of(VOLUME, "")
    counts = {
        "rows": (rows, [delivery.profile.rows for delivery in before]),
        "files": (len(arrival.names), [delivery.files for delivery in before]),
    }
    metrics = [
        _counted("", name, now, others, what="this delivery", settings=settings)
        for name, (now, others) in counts.items()
    ]
    if history.deliveries:
        bad = history.incidents | {arrival.id}
        known = {day: found for day, found in days.items() if found.deliveries.isdisjoint(bad)}
        metrics += _day_metrics(arrival, days, _since_accepted(known, past), settings)
    return metrics


def _since_accepted(days: Mapping[date, Day], past: Past) -> dict[date, Day]:
    """Days from the newest that was accepted as the new normal on; all without one."""
    accepted = max((column for column in past.accepted_columns(VOLUME) if column), default="")
    return {day: found for day, found in days.items() if day.isoformat() >= accepted}


def _day_metrics(
    arrival: Arrival, days: Mapping[date, Day], good: Mapping[date, Day], settings: DriftSettings
) -> Iterator[Metric]:
    """Each of the delivery's newest days against the days of its weekday before it.

    The more days are judged at once, the more of them are rare by chance, and the wider their bands are drawn.
    """
    delivered = sorted(day for day, found in days.items() if arrival.id in found.deliveries)[-_MOST_DAYS:]
    wider = settings.model_copy(update={"sensitivity": settings.sensitivity + log(max(len(delivered), 1))})
    for day in delivered:
        before = [other for other in good if other < day and other.weekday() == day.weekday()][-settings.weeks :]
        counts = [good[other].rows for other in before]
        grows = day == max(days) and any(len(good[other].deliveries) > 1 for other in before)
        what = f"{day:%A} {day}"
        yield _counted(
            day.isoformat(), "rows_of_day", days[day].rows, counts, what=what, settings=wider, is_growing=grows
        )


def _counted(
    column: str,
    name: str,
    value: int,
    past: list[int],
    *,
    what: str,
    settings: DriftSettings,
    is_growing: bool = False,
) -> Metric:
    """A count against others; one that is known to grow still can only be too large."""
    if len(past) < settings.min_history:
        return Metric(family=VOLUME, column=column, name=name, value=value)
    band = count_band(past, settings.sensitivity)
    band = Band(0, band.high) if is_growing else band
    outside = not band.holds(value)
    unit = "files" if name == "files" else "rows"
    text = f"{what}: {value:,} {unit}; usually {band.low:,.0f} to {band.high:,.0f}"
    return Metric(
        family=VOLUME,
        column=column,
        name=name,
        value=value,
        low=band.low,
        high=band.high,
        is_outside=outside,
        text=text if outside else "",
    )
