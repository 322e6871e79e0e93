"""Traces that forgetting leaves on purpose: in the place of an id in a file, and in the id of a slice.

Belongs here: writing and reading them. Does not belong here: who was forgotten (``people``).
"""

import hashlib
import json
import re

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.transforms.forgotten import FORGOTTEN

FORGOTTEN_FACT = "forgotten"
"""The fact of a raw slice that lists the pseudonyms of the people who were taken out of it."""

_SUFFIX = re.compile(r":forgotten-[0-9a-f]{16}$")

_MARK = f"{FORGOTTEN}-"

_MARKED = re.compile(rf"{_MARK}([0-9a-f]{{16}})")


def mark_of(line_hash: int) -> str:
    """What stands in a rewritten file in the place of an id: it carries the fingerprint that the line had.

    Without it, lines that were different could become equal, and be taken for one.
    """
    return f"{_MARK}{line_hash % 2**64:016x}"


def slice_id(identity: str, people: frozenset[str] = frozenset()) -> str:
    """The id of a raw slice from which people were taken out, however that came about; without people, the plain one.

    Args:
        identity: The id with or without any such people.
        people: Their pseudonyms.
    """
    plain = _SUFFIX.sub("", identity)
    if not people:
        return plain
    return f"{plain}:forgotten-{hashlib.sha256(json.dumps(sorted(people)).encode()).hexdigest()[:16]}"


def marks_in(cells: pa.ChunkedArray) -> set[str]:
    """What ``mark_of`` has put into cells."""
    found = pc.fill_null(pc.starts_with(cells, _MARK), False)
    if not pc.any(found).as_py():
        return set()
    return {text for text in pc.unique(cells.filter(found)).to_pylist() if _MARKED.fullmatch(text)}


def hash_of_mark(text: str) -> int:
    """The fingerprint that a mark carries."""
    number = int(text.removeprefix(_MARK), 16)
    return number - 2**64 if number >= 2**63 else number
