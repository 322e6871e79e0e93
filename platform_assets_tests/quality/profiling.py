"""Profiles and histories written by hand."""

from collections.abc import Mapping, Sequence

from platform_assets.quality.deliveries import Delivery, History
from platform_assets.quality.profiles import Numbers, Profile


def profile(
    rows: int, *, missing: Mapping[str, int] | None = None, negative: int = 0, bins: Sequence[int] = ()
) -> Profile:
    """So many rows, with one numeric column, ``profit``."""
    edges = [str(place) for place in range(len(bins) - 1)]
    return Profile(rows, missing or {}, {"profit": Numbers(rows, negative, 0, list(bins), edges)}, {}, {})


def history_of_profiles(profiles: Sequence[Profile]) -> History:
    """Good deliveries of these profiles, the last the newest."""
    deliveries = [
        Delivery(id=f"d{place}", landed_at=f"2024-01-{place + 1:02}", staged="", files=1, profile=one)
        for place, one in enumerate(profiles)
    ]
    return History(deliveries=tuple(deliveries))
