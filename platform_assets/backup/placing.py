"""Putting a restored backup where the platform works: a home, or a home and a configured server.

Belongs here: what must not be there before, moving it aside, and moving the complete restore into place. Does not
belong here: the restore itself (``restoring``).

A restore is built and compared beside its place, and moved there when it is complete: a killed one leaves everything as
it was, but for the moment of the move itself, after which ``--replace`` does it again. On a configured server, what was
there is put aside first (``schemas``): one that fails or is interrupted puts it back, and after one that was killed the
next restore does.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from platform_assets.backup.dumps import Database, databases
from platform_assets.backup.faults import BackupError, DamagedBackupError
from platform_assets.backup.forgotten import forgotten_since, keep_register
from platform_assets.backup.making import PSEUDONYM_KEY, Say
from platform_assets.backup.restoring import (
    Unpacked,
    compare,
    require_known_migrations,
    restore_databases,
    take_over,
    unpack,
)
from platform_assets.backup.schemas import Aside, alone, conclude, mend, put_aside, put_back, schemas_there
from platform_assets.backup.store import Backup, backup_name, open_backup, sync_tree
from platform_assets.backup.verifying import scratch_home
from platform_assets.services.cluster import Cluster
from platform_assets.services.locks import exclusive_lock
from platform_assets.services.postgres import ensure_postgres, postgres_session, stop_postgres_if_unused
from platform_assets.services.supervisor import serving
from platform_assets.settings import Settings

_REMEDY = "Choose an empty --home or database, or say --replace: what is there is moved aside then, not deleted."


@dataclass(frozen=True)
class Restored:
    """What a restore came to.

    Attributes:
        aside: Where what was there is now: folders, and schemas of the server.
        forgotten: Pseudonyms of the people who had been forgotten since the backup was made, and are there again.
    """

    aside: tuple[str, ...]
    forgotten: frozenset[str]


def restore(
    settings: Settings, backup: Backup, say: Say, *, is_replacing: bool = False, is_in_clear: bool = False
) -> Restored:
    """Restore a backup into the home of ``settings``, and into its server where one is configured.

    Args:
        settings: Where to: home and, unless the embedded server is meant, ``postgres_url``; and the key.
        backup: What to restore.
        say: Told of what is being done.
        is_replacing: Move what is there aside.
        is_in_clear: Accept a backup in clear though there is a key.

    Raises:
        BackupError: There is something, or it is in use; PostgreSQL refuses the backup; it is in clear, and there is a
            key; or it was made by a newer checkout.
        DamagedBackupError: The backup is not what it was; nothing has changed then.
    """
    seal = open_backup(backup, settings.backup_key, is_in_clear=is_in_clear)
    require_known_migrations(backup.manifest)
    home = settings.home
    home.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(home / "run" / "refresh.lock"), _nobody_works(settings), ExitStack() as held:
        if settings.postgres_url is not None:
            dsn = ensure_postgres(settings).dsn
            held.enter_context(alone(dsn))
            mend(dsn, say)
        _require_room(settings, is_replacing=is_replacing)
        with scratch_home(home / "restore.unfinished") as scratch:
            unpacked = unpack(backup, seal, scratch, say)
            _require_key(settings, unpacked, is_replacing=is_replacing)
            forgotten = forgotten_since(settings, unpacked, say)
            return Restored(tuple(_replace(settings, unpacked, say)), forgotten)


def _replace(settings: Settings, unpacked: Unpacked, say: Say) -> list[str]:
    """Restore, and put everything in its place, or leave all as it was; tells where what was there is."""
    with ExitStack() as undo:
        schemas = None
        if settings.postgres_url is None:
            _restore_embedded(settings, unpacked, say)
        else:
            schemas = _restore_server(settings, unpacked, say, undo)
        keep_register(settings, unpacked, say)
        moved = [str(place) for place in _put_in_place(settings, unpacked, undo)]
        aside = [f"schema {name}" for name in conclude(schemas)] if schemas is not None else []
        undo.pop_all()
        return [*aside, *moved]


@contextmanager
def _nobody_works(settings: Settings) -> Iterator[None]:
    """Refuse a home whose platform is up, or whose server somebody uses."""
    if serving(settings) is not None:
        raise BackupError(f"The platform is up on {settings.home}.", "Stop it with ./platform down.")
    stop_postgres_if_unused(settings)
    with exclusive_lock(settings.home / "run" / "postgres.lock"):
        if settings.postgres_url is None and Cluster(settings.home).server() is not None:
            raise BackupError(f"Another command uses the server of {settings.home}.", "Let it finish.")
        yield


def _places(settings: Settings) -> list[Path]:
    """What of a home a backup replaces."""
    places = [settings.lake]
    return [settings.home / "postgres", *places] if settings.postgres_url is None else places


def _is_taken(place: Path) -> bool:
    return place.exists() and any(path.is_file() for path in place.rglob("*"))


def _require_room(settings: Settings, *, is_replacing: bool) -> None:
    taken = [str(place) for place in _places(settings) if _is_taken(place)]
    if settings.postgres_url is not None:
        taken += [f"schema {name} of the server" for name in schemas_there(ensure_postgres(settings).dsn)]
    if taken and not is_replacing:
        raise BackupError(f"There is something already: {', '.join(taken)}.", _REMEDY)


def _require_key(settings: Settings, unpacked: Unpacked, *, is_replacing: bool) -> None:
    """Refuse to replace a key of pseudonyms by another one unasked."""
    ours, theirs = settings.home / PSEUDONYM_KEY, unpacked.folder / PSEUDONYM_KEY
    if theirs.exists() and ours.exists() and ours.read_bytes() != theirs.read_bytes() and not is_replacing:
        raise BackupError(f"{ours} is another key than that of the backup.", _REMEDY)


def _restore_embedded(settings: Settings, unpacked: Unpacked, say: Say) -> None:
    with postgres_session(replace(settings, home=unpacked.folder)) as urls:
        _restore_and_compare(unpacked, databases(urls, is_embedded=True), say)
        take_over(urls.dsn, unpacked)


def _restore_server(settings: Settings, unpacked: Unpacked, say: Say, undo: ExitStack) -> Aside:
    urls = ensure_postgres(settings)
    aside = put_aside(urls.dsn)
    undo.callback(put_back, aside)
    _restore_and_compare(unpacked, databases(urls, is_embedded=False), say)
    take_over(urls.dsn, unpacked)
    return aside


def _restore_and_compare(unpacked: Unpacked, targets: tuple[Database, ...], say: Say) -> None:
    restore_databases(unpacked, targets, say)
    if problems := compare(unpacked, targets, say):
        problem = f"What was restored from {unpacked.backup.manifest.name} is not what was backed up: "
        raise DamagedBackupError(problem + "; ".join(problems) + ".", "Take another backup.")


def _put_in_place(settings: Settings, unpacked: Unpacked, undo: ExitStack) -> list[Path]:
    """Move the complete restore to where it belongs, and what was there aside."""
    sync_tree(unpacked.lake)
    aside = settings.home / "replaced" / backup_name(datetime.now(tz=UTC))
    moved: list[Path] = []
    places = _places(settings)
    if (unpacked.folder / PSEUDONYM_KEY).exists():
        (unpacked.folder / PSEUDONYM_KEY).chmod(0o600)
        (unpacked.folder / PSEUDONYM_KEY).parent.chmod(0o700)
        places.append((settings.home / PSEUDONYM_KEY).parent)
    for place in places:
        if place.exists():
            aside.mkdir(parents=True, exist_ok=True)
            _move(place, aside / place.name, undo)
            moved.append(aside / place.name)
        _move(unpacked.folder / place.name, place, undo)
    return moved


def _move(before: Path, after: Path, undo: ExitStack) -> None:
    before.rename(after)
    undo.callback(partial(after.rename, before))
