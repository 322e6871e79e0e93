"""Taking a backup apart into a server and a lake.

Belongs here: unpacking, restoring the databases, comparing all of it with the manifest. Does not belong here: where it
is put afterwards (``placing``), and what is done about a difference (``verifying``).
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2

from platform_assets.backup.contents import differences, frozen, sales_ledger
from platform_assets.backup.cut import lake_problems, look, waiting_files
from platform_assets.backup.dumps import WAREHOUSE, Database, restore_dumps
from platform_assets.backup.faults import BackupError
from platform_assets.backup.making import Say
from platform_assets.backup.manifest import DatabaseContent, Manifest
from platform_assets.backup.records import record_restore
from platform_assets.backup.sealing import Seal
from platform_assets.backup.store import Backup, read, write
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets.warehouse.schema.sql_files import read_migrations


@dataclass(frozen=True)
class Unpacked:
    """The files of a backup, in clear and as they were written.

    Attributes:
        backup: The backup.
        folder: Where they are; ``lake`` in it is the lake.
        dumps: The dump of each database.
    """

    backup: Backup
    folder: Path
    dumps: dict[str, Path]

    @property
    def lake(self) -> Path:
        """Folder of the lake."""
        return self.folder / "lake"


def unpack(backup: Backup, seal: Seal | None, folder: Path, say: Say) -> Unpacked:
    """Copy the files of a backup into an empty folder; dumps in clear stay where they are.

    Raises:
        DamagedBackupError: A file is gone or was changed; that of the first one is told.
    """
    say(f"Reading {len(backup.manifest.files):,} files of backup {backup.manifest.name}.")
    dumps = {}
    (folder / "lake").mkdir()
    for path in backup.manifest.files:
        there = backup.require_file(path)
        name = Path(path).stem
        if name in backup.manifest.databases and path == f"{name}.dump":
            dumps[name] = there
            if seal is None:
                continue
            dumps[name] = folder / path
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target, _clear(there, path, seal))
    return Unpacked(backup, folder, dumps)


def restore_databases(unpacked: Unpacked, targets: tuple[Database, ...], say: Say) -> None:
    """Restore each dump into its database, those of one database in one transaction.

    Raises:
        BackupError: PostgreSQL refuses.
    """
    by_dsn: dict[str, list[Database]] = {}
    for target in targets:
        by_dsn.setdefault(target.dsn, []).append(target)
    for dsn, parts in by_dsn.items():
        say(f"Restoring {' and '.join(part.name for part in parts)}.")
        held = unpacked.backup.manifest.databases
        restore_dumps(dsn, [(unpacked.dumps[part.name], held[part.name], part) for part in parts])


def require_known_migrations(manifest: Manifest) -> None:
    """Refuse a warehouse that this checkout could not bring up to date.

    Raises:
        BackupError: It was made by a newer checkout, or by another one.
    """
    ours = {file.name: file.sha256 for file in read_migrations()}
    if unknown := sorted(name for name, sha256 in manifest.migrations.items() if ours.get(name) != sha256):
        problem = (
            f"The warehouse in backup {manifest.name} has {', '.join(unknown)}, and this checkout has not the same."
        )
        raise BackupError(problem, "Restore it with the checkout that made it, or a newer one.")


def compare(unpacked: Unpacked, targets: tuple[Database, ...], say: Say) -> list[str]:
    """What is otherwise than the manifest says, in databases and lake; nothing when all is as it was."""
    say("Comparing every table with the manifest.")
    manifest, problems = unpacked.backup.manifest, lake_problems(unpacked.lake, unpacked.backup.manifest.lake)
    for target in targets:
        with frozen(target.dsn) as state:
            problems += differences(state.cursor, _moved(manifest.databases[target.name], target.schemas))
            if target.name == WAREHOUSE and not problems:
                waiting = waiting_files(look(unpacked.lake), sales_ledger(state.cursor), manifest.made_of)
                if waiting != manifest.waiting:
                    problems.append(f"the ledger of the sales and the lake differ in {len(waiting)} files")
    return problems


def take_over(dsn: str, unpacked: Unpacked) -> None:
    """Bring a restored warehouse up to date, its rights included, and note where it comes from.

    Raises:
        MigrationError: The backup was made by a newer checkout.
    """
    with closing(psycopg2.connect(dsn)) as connection:
        with connection, connection.cursor() as cursor:
            # Rights on the database itself are in no dump: the file that grants them has to run again.
            cursor.execute("SELECT to_regclass('ops.repeatable_files') IS NOT NULL")
            if cursor.fetchone() == (True,):
                cursor.execute("UPDATE ops.repeatable_files SET sha256 = '' WHERE name = 'roles.sql'")
        migrate(connection)
        record_restore(connection, unpacked.backup.manifest)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _clear(path: Path, name: str, seal: Seal | None) -> Iterator[bytes]:
    if seal is None:
        yield from read(path)
        return
    with path.open("rb") as file:
        yield from seal.opened(name, file)


def _moved(held: DatabaseContent, schemas: tuple[str, ...]) -> DatabaseContent:
    """The same tables where they are now."""
    if held.schemas == schemas:
        return held
    tables = {f"{schemas[0]}.{name.split('.', 1)[1]}": table for name, table in held.tables.items()}
    return replace(held, schemas=schemas, tables=tables)
