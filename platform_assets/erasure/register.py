"""The register of forgotten people: a table of the lake with keyed hashes, when each was forgotten, and by whom.

Belongs here: reading it and adding to it. Does not belong here: what follows from it (``people``, ``lake``).
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from platform_assets.erasure.people import NOBODY, People
from platform_assets.errors import PlatformError
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.services.keys import pseudonym_key
from platform_assets.settings import Settings
from platform_assets.warehouse.star.pseudonyms import Pseudonyms

_PEOPLE, _KEY = "people", "key"
_KNOWN_TEXT = "key of the register"
"""Its pseudonym is kept, and tells whether the key is still the one that the register was made with."""


class RegisterError(PlatformError):
    """The register of forgotten people cannot be used, so nothing may be read."""


def register_table(lake: Path) -> Table:
    """Where the register is kept."""
    return Table(lake / "forgotten" / "people")


def people_of(settings: Settings) -> People:
    """Everybody who was forgotten; no key is needed while there is nobody.

    Raises:
        RegisterError: The key is another than the register was made with, so that nobody would be known by it.
    """
    snapshot = register_table(settings.lake).snapshot()
    return _people(snapshot, settings) if snapshot.attributes.get(_PEOPLE) else NOBODY


def with_key(settings: Settings) -> People:
    """Everybody who was forgotten, ready to take in another person.

    Raises:
        RegisterError: The key is another than the register was made with.
    """
    return _people(register_table(settings.lake).snapshot(), settings)


def remember(settings: Settings, identifier: str, names: list[str], *, by: str, now: datetime) -> People:
    """Add a person to the register; whoever is in it stays as they are, with what names are new.

    Args:
        settings: Whose lake it is.
        identifier: The conformed id. Only its keyed hash is written.
        names: The person's names, likewise.
        by: The login of whoever decided.
        now: The wall clock.

    Returns:
        Everybody who was forgotten, the person among them.

    Raises:
        RegisterError: The key is another than the register was made with.
    """
    table = register_table(settings.lake)
    before = table.snapshot()
    alone = People(_people(before, settings).pseudonyms).with_person(identifier, names)
    (person,) = alone.ids
    entries: dict[str, dict[str, Any]] = {entry["person"]: entry for entry in before.attributes.get(_PEOPLE, [])}
    held = entries.get(person, {"person": person, "names": [], "since": now.isoformat(), "by": by})
    entries[person] = {**held, "names": sorted({*held["names"], *alone.names})}
    after = before.with_attributes(**{_PEOPLE: list(entries.values()), _KEY: _check(alone)})
    if after != before:
        table.publish(after)
    return _people(after, settings)


def _people(snapshot: Snapshot, settings: Settings) -> People:
    pseudonyms = Pseudonyms(pseudonym_key(settings))
    entries = snapshot.attributes.get(_PEOPLE, [])
    names = frozenset(name for entry in entries for name in entry["names"])
    people = People(pseudonyms, frozenset(entry["person"] for entry in entries), names)
    if entries and snapshot.attributes[_KEY] != _check(people):
        problem = f"The register of {len(entries):,} forgotten people was made with another key."
        remedy = "Restore PLATFORM_PSEUDONYM_KEY, or keys/pseudonym.key of the home: else they would be read again."
        raise RegisterError(problem, remedy)
    return people


def _check(people: People) -> str | None:
    return people.pseudonyms.of(_KNOWN_TEXT) if people.pseudonyms else None
