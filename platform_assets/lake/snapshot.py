"""One version of a table: which slices it has, and in which Parquet segments their rows are."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

WHOLE = "*"
"""Key of the only slice of a table that is always replaced as a whole."""


@dataclass(frozen=True)
class Slice:
    """The rows that one raw file has in a table.

    Attributes:
        id: Changes whenever the rows may have changed; equal ids mean equal rows.
        segment: File name of the Parquet segment that holds the rows.
        facts: What is known about the rows, as plain data (counts, sums, readings).
    """

    id: str
    segment: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One Parquet segment to read.

    Attributes:
        path: The file.
        keep: Keys of the slices whose rows are live, ``None`` when all rows are.
    """

    path: Path
    keep: tuple[str, ...] | None


@dataclass(frozen=True)
class Snapshot:
    """One version of a table.

    Attributes:
        version: Number of the version; 0 is the empty table before any.
        slices: Live slices by key.
        holds: Every slice key that a segment has rows of, live or not, by segment name.
        attributes: What is known about the version as a whole, as plain data.
    """

    version: int = 0
    slices: Mapping[str, Slice] = field(default_factory=dict)
    holds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, str]:
        """Slice ids by key: what another table compares to know what is new."""
        return {key: piece.id for key, piece in self.slices.items()}

    def with_slices(
        self, added: Mapping[str, Slice], removed: Collection[str], holds: Mapping[str, tuple[str, ...]]
    ) -> "Snapshot":
        """The version in which some slices are replaced, added or gone, and unused segments are forgotten."""
        slices = {key: piece for key, piece in self.slices.items() if key not in removed} | dict(added)
        used = {piece.segment for piece in slices.values()}
        every = {**self.holds, **holds}
        return replace(self, slices=slices, holds={name: every[name] for name in sorted(used)})

    def with_attributes(self, **attributes: Any) -> "Snapshot":
        """The version with some attributes set."""
        return replace(self, attributes={**self.attributes, **attributes})

    def live_keys(self, segment: str) -> tuple[str, ...]:
        """Keys of the live slices in a segment, sorted."""
        return tuple(sorted(key for key, piece in self.slices.items() if piece.segment == segment))


def changed_keys(wanted: Mapping[str, str], present: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Compare slice ids.

    Returns:
        Keys to write (new or with another id), and keys to remove; both sorted.
    """
    write = sorted(key for key, identity in wanted.items() if present.get(key) != identity)
    return write, sorted(_minus(present, wanted))


def _minus(keys: Iterable[str], others: Collection[str]) -> list[str]:
    return [key for key in keys if key not in others]
