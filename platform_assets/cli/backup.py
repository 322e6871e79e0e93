"""``backup``, ``backup list``, ``backup verify`` and ``restore``.

Belongs here: their options and what they print. Does not belong here: doing any of it (``platform_assets.backup``).
"""

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from platform_assets.cli.options import add_home
from platform_assets.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

_NEWEST = "newest"
_WHERE = (
    "Backups are looked for in PLATFORM_BACKUPS, or else in the folder backups of the home. So with --home of another "
    "home set PLATFORM_BACKUPS to the folder they are in, or give the folder of the backup as NAME."
)
_MEBIBYTE = 1 << 20


def add_backup_actions(parser: ArgumentParser) -> None:
    """Add what ``backup`` does: one by itself, and ``list`` and ``verify``."""
    add_home(parser)
    parser.set_defaults(execute=_backup)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    summary = "restore one into a scratch server and compare everything"
    for name, told, execute in (("list", "what there is, and what was verified", _list), ("verify", summary, _verify)):
        action = actions.add_parser(name, help=told, description=told, allow_abbrev=False)
        # Not to be set here when it was given before the action: argparse would forget that.
        action.add_argument(
            "--home", metavar="DIR", type=Path, default=SUPPRESS, help="folder of all state (PLATFORM_HOME)"
        )
        action.set_defaults(execute=execute)
        if name == "verify":
            action.add_argument("name", metavar="NAME", nargs="?", help="which, or its folder (default: the newest)")
            _add_in_clear(action)


def add_restore(parser: ArgumentParser) -> None:
    """Add the options of ``restore``."""
    add_home(parser)
    parser.epilog = _WHERE
    parser.add_argument("name", metavar="NAME", help=f"as ./platform backup list shows it, or its folder, or {_NEWEST}")
    parser.add_argument("--to", metavar="URL", help="into an empty database of this server (PLATFORM_POSTGRES_URL)")
    parser.add_argument("--replace", action="store_true", help="move what is there aside first")
    _add_in_clear(parser)
    parser.set_defaults(execute=_restore)


def _add_in_clear(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--in-clear",
        action="store_true",
        help="accept a backup that is not encrypted though PLATFORM_BACKUP_KEY is set",
    )


def _backup(_: Namespace, settings: Settings) -> int:
    from platform_assets.backup.keeping import back_up
    from platform_assets.config import load_config
    from platform_assets.services.postgres import postgres_session

    config = load_config(settings.config_file)
    with postgres_session(settings) as urls:
        kept = back_up(settings, urls, config, _say)
    manifest = kept.backup.manifest
    print(f"backup      {kept.backup.folder}{'   encrypted' if manifest.encryption else ''}")
    print(
        f"holds       {manifest.tables} tables with {manifest.rows:,} rows, {len(manifest.lake)} versions of the lake"
    )
    print(f"size        {_size(manifest.bytes)} in {kept.seconds:.1f} s")
    for name in kept.deleted:
        print(f"deleted     {name}")
    for warning in kept.warnings:
        print(f"warning     {warning}")
    return 0


def _list(_: Namespace, settings: Settings) -> int:
    from platform_assets.backup.faults import BackupError
    from platform_assets.backup.records import verdicts
    from platform_assets.backup.store import backup_names, find_backup

    with _warehouse(settings) as connection:
        known = verdicts(connection) if connection is not None else {}
    names = backup_names(settings.backups)
    for name in names:
        try:
            manifest = find_backup(settings.backups, name).manifest
        except BackupError as error:
            print(f"{name}   {error.problem}")
            continue
        sealed = "encrypted" if manifest.encryption else "in clear "
        print(f"{name}   {_size(manifest.bytes):>12}   {manifest.rows:>14,} rows   {sealed}   {_told(known.get(name))}")
    if not names:
        print(f"There is no backup in {settings.backups}.")
    return 0


def _verify(options: Namespace, settings: Settings) -> int:
    from platform_assets.backup.records import record_verification
    from platform_assets.backup.store import find_backup
    from platform_assets.backup.verifying import verify_backup

    backup = find_backup(settings.backups, options.name)
    verdict = verify_backup(settings, backup, _say, is_in_clear=options.in_clear)
    manifest = verdict.backup.manifest
    with _warehouse(settings) as connection:
        if connection is None:
            _say("There is no warehouse to note the result in.")
        else:
            record_verification(connection, manifest, settings.backups, verdict.problems)
    if verdict.problems:
        print(f"{manifest.name} is NOT sound:", *verdict.problems, sep="\n  ")
        return 1
    print(f"{manifest.name} is sound: restored and compared in {verdict.seconds:.1f} s.")
    print(f"{manifest.tables} tables with {manifest.rows:,} rows, {len(manifest.files):,} files")
    return 0


def _restore(options: Namespace, settings: Settings) -> int:
    from platform_assets.backup.placing import restore
    from platform_assets.backup.store import find_backup
    from platform_assets.services.keys import KEY_FILE, has_pseudonym_key

    target = settings if options.to is None else replace(settings, postgres_url=options.to)
    backup = find_backup(settings.backups, None if options.name == _NEWEST else options.name)
    restored = restore(target, backup, _say, is_replacing=options.replace, is_in_clear=options.in_clear)
    print(f"Restored {backup.manifest.name}: the state of {_instant(backup.manifest.cut_at)}.")
    for place in restored.aside:
        print(f"What was there is now in {place}.")
    if restored.forgotten:
        print(
            f"{len(restored.forgotten):,} people were forgotten after that moment and are there again: give ./platform "
            "forget-customer for each of them."
        )
    if options.to is not None:
        print("Set PLATFORM_POSTGRES_URL to that server from now on.")
    if not has_pseudonym_key(settings):
        print(
            f"The key of the pseudonyms is not in this backup. Put it to {settings.home / KEY_FILE} (mode 0600), or "
            "set PLATFORM_PSEUDONYM_KEY, before the next run: with a new key, everybody gets another pseudonym."
        )
    logins = sorted({login for held in backup.manifest.databases.values() for login in held.logins})
    if logins:
        print(f"Passwords are in no backup; make these logins anew: {', '.join(logins)}.")
    return 0


@contextmanager
def _warehouse(settings: Settings) -> "Iterator[Connection | None]":
    """A connection to the warehouse, ``None`` where there is none yet or it does not answer."""
    import psycopg2

    from platform_assets.errors import ServiceError
    from platform_assets.services.cluster import Cluster
    from platform_assets.services.postgres import postgres_session
    from platform_assets.warehouse.schema.migrations import migrate
    from platform_assets.warehouse.trail.audit import record_login

    connection = None
    with ExitStack() as opened:
        if settings.postgres_url is not None or Cluster(settings.home).data.exists():
            try:
                urls = opened.enter_context(postgres_session(settings))
                connection = opened.enter_context(closing(psycopg2.connect(urls.dsn)))
                migrate(connection)
                record_login(connection)
            except (ServiceError, psycopg2.OperationalError) as error:
                _say(f"The warehouse does not answer: {error}")
                connection = None
        yield connection


def _told(verdict: tuple[datetime, bool] | None) -> str:
    if verdict is None:
        return "not verified"
    verified_at, is_sound = verdict
    return f"{'verified' if is_sound else 'NOT SOUND'} {_instant(verified_at.isoformat())}"


def _instant(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}"


def _size(count: int) -> str:
    return f"{count / _MEBIBYTE:,.1f} MiB"


def _say(sentence: str) -> None:
    """Progress is no result: a program that reads the output need not see it."""
    print(sentence, file=sys.stderr, flush=True)
