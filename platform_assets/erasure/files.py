"""Taking people out of what runs printed: Dagster keeps the output of every step in a file.

Belongs here: files of text in Dagster's folder. Does not belong here: reports, which the next run writes anew.
"""

import os
import re
import tempfile
from pathlib import Path

from platform_assets.erasure.notations import scrubbed
from platform_assets.erasure.people import People
from platform_assets.erasure.proof import Person

_NO_TEXT = re.compile("([\udc80-\udcff]+)")
"""Bytes that are not UTF-8, as Python writes them."""


def scrub_logs(folder: Path, people: People, person: Person) -> int:
    """Replace files that name a person by themselves without the person.

    Args:
        folder: Dagster's folder; what is below it is looked through.
        people: Everybody who was forgotten.
        person: The one at hand, in clear.

    Returns:
        How many files were replaced.
    """
    changed = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes().decode(errors="surrogateescape")
            lines = text.splitlines(keepends=True)
            if any(map(person.is_said, lines)):
                changed += _replace(path, text, "".join(_without(line, people) for line in lines))
    return changed


def _without(line: str, people: People) -> str:
    def scrub(text: str) -> str:
        return people.text(text, is_prose=True)

    return "".join(part if _NO_TEXT.match(part) else scrubbed(part, scrub) for part in _NO_TEXT.split(line))


def _replace(path: Path, before: str, after: str) -> bool:
    if after == before:
        return False
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".forgetting.")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(after.encode(errors="surrogateescape"))
    Path(name).chmod(path.stat().st_mode & 0o777)
    Path(name).replace(path)
    return True
