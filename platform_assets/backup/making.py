"""Making a backup: one moment of the warehouse, Dagster's history and the lake, in one folder.

Belongs here: finding the moment and writing everything of it. Does not belong here: what follows (``keeping``).

The moment: look at the pointers of the lake, take a snapshot in each database, look again. Where both looks find the
same pointers and no load has come in between, the lake was in that state when the snapshots were taken.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from psycopg2 import errors, extensions

from platform_assets.backup.contents import (
    Frozen,
    applied_migrations,
    content,
    frozen,
    load_mark,
    sales_ledger,
    used_extensions,
)
from platform_assets.backup.cut import Look, look, segment_files, sold_datasets, waiting_files
from platform_assets.backup.deployment import deployment_id, own_backups
from platform_assets.backup.dumps import WAREHOUSE, Database, databases, dump
from platform_assets.backup.faults import BackupError, MovedError
from platform_assets.backup.manifest import Encryption, MadeOf, Manifest, write_manifest
from platform_assets.backup.sealing import SALT_BYTES, Seal
from platform_assets.backup.store import (
    Backup,
    Writer,
    find_backup,
    moment_of,
    name_of,
    new_backup,
    read,
)
from platform_assets.services.keys import KEY_FILE
from platform_assets.services.postgres import PostgresUrls
from platform_assets.settings import Settings
from platform_assets.warehouse.star.currency_settings import CurrencySettings
from platform_assets.warehouse.star.fact_slices import FACTS_BY

Say = Callable[[str], None]

LOOKS = 100
PAUSE_SECONDS = 0.2
QUIET_SECONDS = 60.0
PSEUDONYM_KEY = KEY_FILE.as_posix()


@dataclass(frozen=True)
class Cut:
    """Everything as it was at one moment.

    Attributes:
        at: The moment.
        databases: Each database, and its state.
        lake: What the lake's pointers named.
        segments: Its Parquet files, by path in the lake.
        made_of: What the facts are made of besides the lake's lines.
        waiting: Files whose sales were in the lake and not yet in the warehouse.
    """

    at: datetime
    databases: dict[str, tuple[Database, Frozen]]
    lake: Look
    segments: dict[str, Path]
    made_of: MadeOf
    waiting: tuple[str, ...]


def make_backup(
    settings: Settings,
    urls: PostgresUrls,
    currencies: CurrencySettings,
    say: Say,
    *,
    quiet_seconds: float = QUIET_SECONDS,
) -> Backup:
    """Make a backup, while everybody goes on working.

    Args:
        settings: Whose lake it is, where backups go, and the key they are encrypted with.
        urls: Where the databases are.
        currencies: Those of the configuration, by which facts are loaded.
        say: Told of what is being done.
        quiet_seconds: How long to wait for a moment at which no run has loaded half of its news.

    Raises:
        BackupError: A program refused, the disk is full, the lake did not stand still for a moment, or the login may
            not read everything.
    """
    root = settings.backups
    with new_backup(root) as folder:
        encryption, seal = _new_seal(settings.backup_key)
        writer = Writer(folder, seal, _before(root, deployment_id(settings)))
        try_cut = partial(_try_cut, settings, urls, currencies)
        with _rights_wanted(), _cut(try_cut, say, quiet_seconds) as cut:
            manifest = _write(settings, cut, writer, encryption, say)
        write_manifest(folder, manifest, seal)
    return Backup(root / manifest.name, manifest)


def _new_seal(secret: str | None) -> tuple[Encryption | None, Seal | None]:
    if secret is None:
        return None, None
    salt = secrets.token_bytes(SALT_BYTES)
    seal = Seal.of(secret, salt)
    return Encryption(salt.hex(), seal.check), seal


@contextmanager
def _rights_wanted() -> Iterator[None]:
    """Say what it means that a login may not read everything.

    Raises:
        BackupError: It may not.
    """
    try:
        yield
    except errors.InsufficientPrivilege as error:
        told = error.diag.message_primary or str(error).strip()
        raise BackupError(
            f"A backup has to read every table, and this login may not: {told}.",
            "Set PLATFORM_POSTGRES_URL to the owner's login, the one that runs ./platform migrate. Where ./platform up "
            "runs with a loader's login, leave its schedule of backups off, and let cron run ./platform backup with "
            "that of the owner.",
        ) from error


@contextmanager
def _cut(try_cut: Callable[[ExitStack], Cut], say: Say, quiet_seconds: float) -> Iterator[Cut]:
    """Find a moment, and hold it for the duration of the block.

    Raises:
        BackupError: The lake or the warehouse changed during all looks.
    """
    deadline, moved, is_waiting = time.monotonic() + quiet_seconds, 0, False
    with ExitStack() as held:
        while moved < LOOKS:
            with ExitStack() as states:
                try:
                    cut = try_cut(states)
                except MovedError as error:
                    moved += 1
                    say(f"Look {moved}: {error.problem} Looking again.")
                else:
                    if not cut.waiting or time.monotonic() >= deadline:
                        held.push(states.pop_all())
                        yield cut
                        return
                    if not is_waiting:
                        say(f"{len(cut.waiting)} files are not in the warehouse yet; waiting for the run to load them.")
                    is_waiting = True
            time.sleep(PAUSE_SECONDS)
    problem = f"The lake or the warehouse changed during each of {LOOKS} looks."
    raise BackupError(problem, "Make the backup when fewer runs work.")


def _try_cut(settings: Settings, urls: PostgresUrls, currencies: CurrencySettings, states: ExitStack) -> Cut:
    """Look at everything once.

    Raises:
        MovedError: Something changed meanwhile.
    """
    lake = look(settings.lake)
    parts = {one.name: one for one in databases(urls, is_embedded=settings.postgres_url is None)}
    found = {name: (one, states.enter_context(frozen(one.dsn))) for name, one in parts.items()}
    at = datetime.now(tz=UTC)
    warehouse = found[WAREHOUSE][1].cursor
    segments = segment_files(settings.lake, lake)
    made_of = MadeOf(FACTS_BY, {dataset: currencies.of(dataset) for dataset in sold_datasets(lake)})
    waiting = waiting_files(lake, sales_ledger(warehouse), made_of)
    if look(settings.lake) != lake:
        raise MovedError("The lake changed.")
    with frozen(parts[WAREHOUSE].dsn) as now:
        if load_mark(now.cursor) != load_mark(warehouse):
            raise MovedError("The warehouse changed.")
    return Cut(at, found, lake, segments, made_of, waiting)


def _write(settings: Settings, cut: Cut, writer: Writer, encryption: Encryption | None, say: Say) -> Manifest:
    _write_lake(settings, cut, writer, say)
    for name, (database, state) in cut.databases.items():
        say(f"Dumping the {name} database.")
        writer.add(f"{name}.dump", dump(database, state.snapshot, used_extensions(state.cursor)))
    say("Counting and hashing the tables.")
    warehouse = cut.databases[WAREHOUSE][1].cursor
    held = {name: content(state.cursor, database.schemas) for name, (database, state) in cut.databases.items()}
    return Manifest(
        name=name_of(writer.folder),
        started_at=moment_of(name_of(writer.folder)).isoformat(),
        cut_at=cut.at.isoformat(),
        finished_at=datetime.now(tz=UTC).isoformat(),
        files=writer.files,
        databases=held,
        lake=cut.lake.pointers,
        migrations=applied_migrations(warehouse),
        versions=_versions(warehouse),
        made_of=cut.made_of,
        waiting=cut.waiting,
        encryption=encryption,
        deployment=deployment_id(settings),
    )


def _write_lake(settings: Settings, cut: Cut, writer: Writer, say: Say) -> None:
    """First of all: what nothing names any more goes after an hour."""
    say(f"Copying the lake: {len(cut.segments):,} files of {len(cut.lake.versions):,} versions.")
    for path, file in cut.segments.items():
        writer.add_immutable(f"lake/{path}", file)
    texts = {pointer: version.encode() for pointer, version in cut.lake.pointers.items()}
    for path, text in (cut.lake.versions | texts).items():
        writer.add(f"lake/{path}", iter([text]))
    key = settings.home / PSEUDONYM_KEY
    # In clear it would undo the pseudonyms in the same backup.
    if writer.seal is not None and key.is_file():
        writer.add(PSEUDONYM_KEY, read(key))


def _versions(cursor: extensions.cursor) -> dict[str, str]:
    server = cursor.connection.info.server_version
    try:
        ours = version("platform-assets")
    except PackageNotFoundError:  # a checkout that is run in place
        ours = "unknown"
    return {"postgresql": f"{server // 10000}.{server % 10000}", "platform": ours}


def _before(root: Path, deployment: str) -> Backup | None:
    """The newest backup of one's own that can be read; a damaged one must not stand in the way of the next."""
    names = own_backups(root, deployment)
    try:
        return find_backup(root, names[-1]) if names else None
    except BackupError:
        return None
