"""The list of what is in a backup, with everything that its proof needs.

Belongs here: the manifest's parts, its file and the checksum beside it. Does not belong here: gathering what it says
(``making``) and comparing it with what is there (``verifying``).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from platform_assets.backup.faults import BackupError, DamagedBackupError
from platform_assets.backup.sealing import Seal

FORMAT = 1
MANIFEST = "manifest.json"
CHECKSUM = "manifest.sha256"


@dataclass(frozen=True)
class FileEntry:
    """One file of a backup.

    Attributes:
        bytes: Its size as it is stored.
        sha256: Hash of it as it is stored.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableContent:
    """What a table holds.

    Attributes:
        rows: Number of rows.
        digest: Changes with any of them, whatever their order.
    """

    rows: int
    digest: str


@dataclass(frozen=True)
class DatabaseContent:
    """What a dump holds.

    Attributes:
        schemas: The schemas its tables are in.
        tables: Content by schema and name.
        constraints: Number of constraints.
        owner: The role that made the dump: owner of what no other role owns.
        roles: The roles that own something in it or may do something there.
        logins: Who may log in as a member of one of them; passwords are not known.
    """

    schemas: tuple[str, ...]
    tables: dict[str, TableContent]
    constraints: int
    owner: str
    roles: tuple[str, ...]
    logins: tuple[str, ...]


@dataclass(frozen=True)
class Encryption:
    """How files are sealed.

    Attributes:
        salt: Of the backup's key, hexadecimal.
        check: Tells whether a key is the right one.
        cipher: The method.
    """

    salt: str
    check: str
    cipher: str = "AES-256-GCM, scrypt"


@dataclass(frozen=True)
class MadeOf:
    """What the facts were made of, besides the lines of sales in the lake.

    Attributes:
        facts_by: Version of the code that made them.
        currencies: What the amounts of each dataset were said to be in.
    """

    facts_by: int
    currencies: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """What is in a backup.

    Attributes:
        name: Name of the backup.
        started_at: When its making began (UTC, ISO 8601).
        cut_at: The moment whose state it holds.
        finished_at: When it was complete.
        files: Every file but the manifest and its checksum, by path.
        databases: By name: ``warehouse`` and ``dagster``.
        lake: Version of every pointer, by table and pointer.
        migrations: Hashes of the migrations applied, by file name.
        versions: Of the server and the platform.
        made_of: What lets the ledger of sales be held against the lake.
        waiting: Files whose rows the lake has otherwise than the warehouse: a run was under way, or had failed.
        encryption: How the files are sealed, ``None`` when they are in clear.
        deployment: Id of the deployment that made it, ``None`` when it has none.
        format: Version of this layout.
    """

    name: str
    started_at: str
    cut_at: str
    finished_at: str
    files: dict[str, FileEntry]
    databases: dict[str, DatabaseContent]
    lake: dict[str, str]
    migrations: dict[str, str]
    versions: dict[str, str]
    made_of: MadeOf
    waiting: tuple[str, ...] = ()
    encryption: Encryption | None = None
    deployment: str | None = None
    format: int = field(default=FORMAT)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(entry.bytes for entry in self.files.values())

    @property
    def tables(self) -> int:
        """Number of tables in all databases."""
        return sum(len(content.tables) for content in self.databases.values())

    @property
    def rows(self) -> int:
        """Number of rows in all databases."""
        return sum(table.rows for content in self.databases.values() for table in content.tables.values())


def write_manifest(folder: Path, manifest: Manifest, seal: Seal | None) -> None:
    """Write the manifest and its checksum, which is keyed when the backup is sealed."""
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / CHECKSUM).write_bytes(_checksum(text, seal))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest as it is; ``check_manifest`` tells whether it can be believed.

    Raises:
        BackupError: The backup was made by a newer platform.
        DamagedBackupError: It is missing or cannot be read.
    """
    try:
        data = json.loads((folder / MANIFEST).read_bytes())
        if data["format"] > FORMAT:
            problem = f"Backup {folder.name} has format {data['format']}; this platform knows {FORMAT}."
            raise BackupError(problem, "Use the newer checkout that made it.")
        return _manifest(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"The manifest of backup {folder.name} cannot be read: {error!r}."
        raise DamagedBackupError(problem, "Take another backup.") from None


def check_manifest(folder: Path, seal: Seal | None) -> None:
    """Hold the manifest against its checksum.

    Raises:
        DamagedBackupError: One of them was changed.
    """
    try:
        agrees = (folder / CHECKSUM).read_bytes() == _checksum((folder / MANIFEST).read_bytes(), seal)
    except FileNotFoundError:
        agrees = False
    if not agrees:
        problem = f"The manifest of backup {folder.name} and its checksum do not agree: one of them was changed."
        raise DamagedBackupError(problem, "Take another backup.")


def _checksum(text: bytes, seal: Seal | None) -> bytes:
    digest = hashlib.sha256(text).hexdigest() if seal is None else seal.signature(text)
    return f"{digest}  {MANIFEST}\n".encode()


def _manifest(data: dict[str, Any]) -> Manifest:
    _require_inside([*data["files"], *data["lake"]])
    sealed = data["encryption"]
    return Manifest(
        **{
            **data,
            "files": {path: FileEntry(**entry) for path, entry in data["files"].items()},
            "databases": {name: _database(content) for name, content in data["databases"].items()},
            "made_of": MadeOf(**data["made_of"]),
            "waiting": tuple(data["waiting"]),
            "encryption": None if sealed is None else Encryption(**sealed),
        }
    )


def _require_inside(paths: list[str]) -> None:
    """Refuse paths that lead out of the folder: in clear, anybody who can write a backup can write its manifest.

    Raises:
        ValueError: One does.
    """
    for path in paths:
        parts = PurePosixPath(path).parts
        if not parts or parts[0].startswith("/") or ".." in parts:
            raise ValueError(f"{path!r} leads out of the backup")


def _database(data: dict[str, Any]) -> DatabaseContent:
    return DatabaseContent(
        **{
            **data,
            "tables": {name: TableContent(**content) for name, content in data["tables"].items()},
            "schemas": tuple(data["schemas"]),
            "roles": tuple(data["roles"]),
            "logins": tuple(data["logins"]),
        }
    )
