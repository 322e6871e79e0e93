"""What a command that was killed must still know when it is given again: names, tables, and files that were replaced.

Belongs here: that file. Does not belong here: what is done with it. It holds a person in clear, readable by its owner
alone, from the moment something is taken out until nothing is left.
"""

import json
import os
from pathlib import Path
from typing import Any


class Journal:
    """The unfinished erasure of one person.

    Args:
        path: The file of all of them.
        identifier: The person.
    """

    def __init__(self, path: Path, identifier: str) -> None:
        self._path = path
        self._identifier = identifier
        held = self._read().get(identifier, {})
        self.names: set[str] = set(held.get("names", []))
        self.tables: set[str] = set(held.get("tables", []))
        """Whose dead rows may hold the person."""
        self.rewritten: list[tuple[str, str, str, str]] = [tuple(one) for one in held.get("rewritten", [])]
        """Dataset, file, and the hash of its content before and after."""

    def add_names(self, names: set[str]) -> None:
        """Note the person's names."""
        self.names |= names
        self._write()

    def add_tables(self, tables: set[str]) -> None:
        """Note tables in which the person is about to be dead rows."""
        if not tables <= self.tables:
            self.tables |= tables
            self._write()

    def add_rewritten(self, dataset: str, file: str, before: str, after: str) -> None:
        """Note that a file is about to be replaced."""
        self.rewritten.append((dataset, file, before, after))
        self._write()

    def remove(self) -> None:
        """Forget it: nothing is left to do."""
        others = {key: value for key, value in self._read().items() if key != self._identifier}
        if others:
            self._replace(others)
        else:
            self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self._path.read_text(encoding="utf-8"))) if self._path.exists() else {}

    def _write(self) -> None:
        own = {"names": sorted(self.names), "tables": sorted(self.tables), "rewritten": self.rewritten}
        self._replace({**self._read(), self._identifier: own})

    def _replace(self, data: dict[str, Any]) -> None:
        beside = self._path.with_suffix(".part")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(data, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self._path)
