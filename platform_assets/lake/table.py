"""A Parquet table on disk: segments, numbered versions, and pointers that move in one step.

A version is written beside its predecessor and becomes visible when a pointer file is replaced, so a reader sees
the old version or the new one, and a process killed at any moment leaves the old one. ``current`` is the newest
version; a second pointer (``accepted``) lets what follows read what passed the gate.
"""

import fcntl
import json
import math
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from platform_assets.durability import sync
from platform_assets.errors import PlatformError
from platform_assets.lake.segments import parquet_files
from platform_assets.lake.snapshot import Part, Slice, Snapshot

CURRENT = "current"
ACCEPTED = "accepted"
_KEEP_SECONDS = 3600
_MANY_SEGMENTS = 24


class Table:
    """A table of the lake.

    Args:
        root: Its folder; made on the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.segments = root / "segments"
        self.versions = root / "versions"

    def snapshot(self, pointer: str = CURRENT) -> Snapshot:
        """The version a pointer names; an empty one before the first write."""
        try:
            name = (self.root / pointer).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return Snapshot()
        return self._read(self.versions / name)

    def new_segment(self) -> Path:
        """Path of a segment that does not exist yet, for the writer of the next version."""
        self.segments.mkdir(parents=True, exist_ok=True)
        return self.segments / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet"

    def parts(self, snapshot: Snapshot, keys: Collection[str] | None = None) -> list[Part]:
        """What to read for a version, or for some of its slices."""
        parts = []
        for name, held in snapshot.holds.items():
            live = [key for key in snapshot.live_keys(name) if keys is None or key in keys]
            if live:
                keep = None if len(live) == len(held) else tuple(live)
                parts.append(Part(self.segments / name, keep))
        return parts

    def is_fragmented(self, snapshot: Snapshot) -> bool:
        """Whether the live slices lie in so many segments that one rewrite is cheaper than reading on."""
        return len(snapshot.holds) > _MANY_SEGMENTS

    def publish(self, snapshot: Snapshot, *, pointers: tuple[str, ...] = (CURRENT,)) -> Snapshot:
        """Make a version visible.

        Args:
            snapshot: The version, derived from the one that ``current`` names.
            pointers: Which pointers move to it.

        Raises:
            PlatformError: Another run published in between.
        """
        self.versions.mkdir(parents=True, exist_ok=True)
        with self._lock():
            newest = self.snapshot().version
            if snapshot.version != newest:
                problem = f"Table {self.root.name} changed from version {snapshot.version} to {newest} during this run."
                raise PlatformError(problem, "Two runs worked on it at once; run again.")
            published = replace(snapshot, version=newest + 1)
            self._make_durable(published)
            name = f"{published.version:08d}.json"
            _write(self.versions / name, json.dumps(_to_json(published), separators=(",", ":")))
            for pointer in pointers:
                self._move(pointer, name)
            self._sweep(time.time() - _KEEP_SECONDS)
        return published

    def point(self, pointer: str) -> None:
        """Move a pointer to the version that ``current`` names."""
        with self._lock():
            self._move(pointer, (self.root / CURRENT).read_text(encoding="utf-8"))

    def rewrite(self, change: Callable[[Snapshot], Snapshot]) -> None:
        """Change the versions that pointers name where they are, each in one step: for what must not have been.

        Nobody may be publishing, or reading the segments that the versions name no more.

        Args:
            change: Gives a version as it shall be; its segments are written.
        """
        if not (self.root / CURRENT).exists():
            return
        with self._lock():
            for name in sorted(self._named()):
                before = self._read(self.versions / name)
                after = change(before)
                if after != before:
                    self._make_durable(after)
                    _write(self.versions / name, json.dumps(_to_json(after), separators=(",", ":")))

    def sweep(self) -> None:
        """Delete at once what no pointer leads to; nobody may be reading it."""
        if (self.root / CURRENT).exists():
            with self._lock():
                self._sweep(math.inf)

    def _read(self, path: Path) -> Snapshot:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Snapshot(
            version=data["version"],
            slices={key: Slice(**piece) for key, piece in data["slices"].items()},
            holds={name: tuple(keys) for name, keys in data["holds"].items()},
            attributes=data["attributes"],
        )

    def _move(self, pointer: str, name: str) -> None:
        """Make a pointer name a version; the time of the one it leaves says until when it could be found."""
        with suppress(FileNotFoundError):  # before the pointer's first move
            os.utime(self.versions / (self.root / pointer).read_text(encoding="utf-8").strip())
        _write(self.root / pointer, name)

    def _make_durable(self, snapshot: Snapshot) -> None:
        for segment in _segments_of(snapshot):
            for file in parquet_files(self.segments / segment):
                sync(file)
            sync(self.segments / segment)

    def _named(self) -> set[str]:
        pointers = (path for path in self.root.iterdir() if path.name in {CURRENT, ACCEPTED})
        return {path.read_text(encoding="utf-8").strip() for path in pointers}

    def _sweep(self, horizon: float) -> None:
        """Delete versions that no pointer names, and segments that no version names, if they are older."""
        named = self._named()
        for version in self.versions.glob("*.json"):
            if version.name not in named and version.stat().st_mtime < horizon:
                version.unlink()
        for unfinished in (*self.root.glob(".*.*"), *self.versions.glob(".*.*")):  # of a process killed in _write
            if unfinished.stat().st_mtime < horizon:
                unfinished.unlink()
        if not self.segments.exists():
            return
        used = {name for version in self.versions.glob("*.json") for name in _segments_of(self._read(version))}
        for segment in self.segments.iterdir():
            if segment.name not in used and segment.stat().st_mtime < horizon:
                shutil.rmtree(segment) if segment.is_dir() else segment.unlink()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _segments_of(snapshot: Snapshot) -> list[str]:
    return [*snapshot.holds, *snapshot.attributes.get("extra_segments", [])]


def _to_json(snapshot: Snapshot) -> Mapping[str, object]:
    return {
        "version": snapshot.version,
        "slices": {key: asdict(piece) for key, piece in snapshot.slices.items()},
        "holds": snapshot.holds,
        "attributes": snapshot.attributes,
    }


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, so that a crash leaves the old text or the new."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with beside.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    beside.replace(path)
    sync(path.parent)
