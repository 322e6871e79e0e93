"""Whether the landing zone holds anything that has not been read, and whether it has arrived completely."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platform_assets.ingestion.discovery import discover
from platform_assets.lake.table import Table


@dataclass(frozen=True)
class Arrivals:
    """One look at the landing zone.

    Attributes:
        digest: Changes with the name, size and times of any file.
        news: Files that are new, changed or gone since they were read, as ``dataset/name``.
    """

    digest: str
    news: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """What follows from a look.

    Attributes:
        starts_run: Whether a run is due.
        run_key: Its key; the same content gives the same key.
        cursor: What the next look has to know.
        reason: Why nothing is started, for people.
    """

    starts_run: bool
    run_key: str
    cursor: str
    reason: str


def arrivals(folders: Mapping[str, Path], raw_tables: Mapping[str, Table]) -> Arrivals:
    """Look at every dataset's folder.

    Raises:
        PlatformError: A folder cannot be read; that is never taken for an empty one.
    """
    news: list[str] = []
    listing: list[tuple[str, list[int]]] = []
    for dataset, folder in folders.items():
        snapshot = raw_tables[dataset].snapshot()
        stamps = snapshot.attributes.get("stamps", {})
        found = {file.name: [file.size, file.mtime_ns, file.ctime_ns] for file in discover(folder)}
        listing += [(f"{dataset}/{name}", stamp) for name, stamp in found.items()]
        news += [f"{dataset}/{name}" for name, stamp in found.items() if stamps.get(name) != stamp]
        news += [f"{dataset}/{name}" for name in {*snapshot.slices, *stamps} if name not in found]
    digest = hashlib.sha256(json.dumps(sorted(listing)).encode()).hexdigest()
    return Arrivals(digest, tuple(sorted(news)))


def next_cursor(cursor: str | None, seen: Arrivals) -> Decision:
    """Decide what a look means.

    A run starts when there is news, the look before found the very same files (so nobody is writing them any more),
    and no run was started for exactly this state.

    Args:
        cursor: What the look before left; ``None`` for the first.
        seen: This look.
    """
    before = json.loads(cursor) if cursor else {}
    started = before.get("started")
    if not seen.news:
        return Decision(False, "", _cursor(seen.digest, started), "nothing new in the landing zone")
    if before.get("seen") != seen.digest:
        message = f"{len(seen.news):,} files are new; waiting until they are completely written"
        return Decision(False, "", _cursor(seen.digest, started), message)
    if started == seen.digest:
        return Decision(False, "", _cursor(seen.digest, started), "a run was started for these files")
    return Decision(True, f"landing-{seen.digest}", _cursor(seen.digest, seen.digest), "")


def _cursor(seen: str, started: str | None) -> str:
    return json.dumps({"seen": seen, "started": started})
