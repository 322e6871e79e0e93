"""What a restore means for people who were forgotten after the backup was made: they are in it.

Belongs here: finding out how many they are, and keeping the register of forgotten people. Does not belong here:
forgetting them again (``./platform forget-customer``), and what the register is (``erasure.register``).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import psycopg2

from platform_assets.backup.making import PSEUDONYM_KEY, Say
from platform_assets.backup.restoring import Unpacked
from platform_assets.erasure.register import register_table
from platform_assets.errors import ServiceError
from platform_assets.lake.snapshot import Snapshot
from platform_assets.services.cluster import SUPERUSER, Cluster
from platform_assets.services.postgres import WAREHOUSE_DATABASE, ensure_postgres
from platform_assets.settings import Settings

_PEOPLE, _KEY = "people", "key"
_ERASED = "customer "
"""What the audit trail writes before a person's pseudonym."""


def forgotten_since(settings: Settings, unpacked: Unpacked, say: Say) -> frozenset[str]:
    """Pseudonyms of the people who were forgotten in what is replaced, and who are in the backup.

    The register of the lake and the audit trail of the warehouse tell; either may be lost, or neither.

    Args:
        settings: Where what is replaced is; nobody uses it.
        unpacked: The backup.
        say: Told of what cannot be read.
    """
    cut_at = datetime.fromisoformat(unpacked.backup.manifest.cut_at)
    known = _entries(register_table(unpacked.lake).snapshot())
    listed = {
        person
        for person, entry in _entries(_register(settings, say)).items()
        if person not in known
        or datetime.fromisoformat(entry["since"]) > cut_at
        or not set(entry["names"]) <= set(known[person]["names"])
    }
    return frozenset(listed | _erased_since(settings, cut_at, say))


def keep_register(settings: Settings, unpacked: Unpacked, say: Say) -> None:
    """Add everybody who is in the register of what is replaced to that of the restored lake, if one key made both."""
    ours, table = _register(settings, say), register_table(unpacked.lake)
    theirs = table.snapshot()
    known = _entries(theirs)
    if not ours.attributes.get(_PEOPLE):
        return
    if not _is_one_key(settings, unpacked, ours, theirs):
        count = len(ours.attributes[_PEOPLE])
        say(f"The register of {count:,} forgotten people is not kept: it was made with another key than the backup.")
        return
    for person, entry in _entries(ours).items():
        held = known.get(person, entry)
        known[person] = {**held, "names": sorted({*held["names"], *entry["names"]})}
    after = theirs.with_attributes(**{_PEOPLE: list(known.values()), _KEY: ours.attributes[_KEY]})
    if after != theirs:
        table.publish(after)


def _entries(register: Snapshot) -> dict[str, Mapping[str, Any]]:
    return {entry["person"]: entry for entry in register.attributes.get(_PEOPLE, [])}


def _register(settings: Settings, say: Say) -> Snapshot:
    """That of what is replaced; a damaged one must not stand in the way of what mends it."""
    try:
        return register_table(settings.lake).snapshot()
    except (OSError, json.JSONDecodeError, KeyError) as error:
        say(f"The register of forgotten people in {settings.lake} cannot be read, and is not kept: {error!r}.")
        return Snapshot()


def _is_one_key(settings: Settings, unpacked: Unpacked, ours: Snapshot, theirs: Snapshot) -> bool:
    if theirs.attributes.get(_PEOPLE):
        return bool(ours.attributes[_KEY] == theirs.attributes[_KEY])
    here, there = settings.home / PSEUDONYM_KEY, unpacked.folder / PSEUDONYM_KEY
    is_replaced = settings.pseudonym_key is None and there.exists() and here.exists()
    return not is_replaced or here.read_bytes() == there.read_bytes()


def _erased_since(settings: Settings, moment: datetime, say: Say) -> set[str]:
    try:
        with _trail(settings) as dsn:
            return _erased(dsn, moment) if dsn is not None else set()
    except (ServiceError, psycopg2.Error) as error:
        say(f"The audit trail of what is replaced cannot be read for people who were forgotten: {str(error).strip()}")
        return set()


@contextmanager
def _trail(settings: Settings) -> Iterator[str | None]:
    """Address of the warehouse that is replaced; an embedded server runs for the duration of the block alone."""
    if settings.postgres_url is not None:
        yield ensure_postgres(settings).dsn
        return
    cluster = Cluster(settings.home)
    if not cluster.data.exists():
        yield None
        return
    cluster.start()
    try:
        yield f"host={cluster.socket_folder} user={SUPERUSER} dbname={WAREHOUSE_DATABASE}"
    finally:
        cluster.stop()


def _erased(dsn: str, moment: datetime) -> set[str]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('ops.audit_log') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return set()
        cursor.execute("SELECT object FROM ops.audit_log WHERE kind = 'erasure' AND recorded_at > %s", (moment,))
        return {name.removeprefix(_ERASED) for (name,) in cursor.fetchall()}
