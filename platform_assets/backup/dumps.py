"""Dumping databases and restoring dumps with PostgreSQL's own programs.

Belongs here: pg_dump, pg_restore and psql, and what of a dump depends on who restores it. Does not belong here: which
moment is dumped (``making``), and what is done about the result (``restoring``).
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg2
from psycopg2 import errors, extensions, sql

from platform_assets.backup.faults import BackupError
from platform_assets.backup.libpq import libpq_environment
from platform_assets.backup.manifest import DatabaseContent
from platform_assets.backup.sealing import CHUNK_BYTES
from platform_assets.services.cluster import programs
from platform_assets.services.postgres import DAGSTER_SCHEMA, PostgresUrls

WAREHOUSE = "warehouse"
DAGSTER = "dagster"
SCHEMAS = ("warehouse", "analytics", "quality", "ops")
"""What the migrations make. A configured database may hold things of others, which are theirs to back up."""
_PUBLIC = "public"


@dataclass(frozen=True)
class Database:
    """A database, or the part of one, that a backup has a dump of.

    Attributes:
        name: ``warehouse`` or ``dagster``.
        dsn: Its address.
        schemas: The schemas its tables are in.
    """

    name: str
    dsn: str
    schemas: tuple[str, ...]


def databases(urls: PostgresUrls, *, is_embedded: bool) -> tuple[Database, ...]:
    """The databases of a platform. On a configured server both are one, and Dagster has a schema of it."""
    dagster = urls.dagster.replace("postgresql+psycopg2:", "postgresql:", 1)
    return (
        Database(WAREHOUSE, urls.dsn, SCHEMAS),
        Database(DAGSTER, dagster, (_PUBLIC,)) if is_embedded else Database(DAGSTER, urls.dsn, (DAGSTER_SCHEMA,)),
    )


def dump(database: Database, snapshot: str, extensions_used: Sequence[str]) -> Iterator[bytes]:
    """A dump of a database in pg_dump's custom format, as it was in an exported snapshot.

    Args:
        database: What to dump.
        snapshot: Name of the snapshot; its session has to stay open meanwhile.
        extensions_used: The extensions that its objects need.

    Raises:
        BackupError: pg_dump refuses.
    """
    chosen = [f"--schema={name}" for name in database.schemas] + [f"--extension={name}" for name in extensions_used]
    options = ["--format=custom", "--compress=gzip:3", f"--snapshot={snapshot}", "--no-password", *chosen]
    command = [program("pg_dump", database.dsn), *options]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        with _started(command, database.dsn, stdout=subprocess.PIPE, stderr=told) as process:
            yield from _pieces(process)
        _require_success(process, told, f"The {database.name} cannot be dumped")


def restore_dumps(dsn: str, parts: Sequence[tuple[Path, DatabaseContent, Database]]) -> None:
    """Restore dumps into one database, in one transaction: all of it is there afterwards, or nothing.

    Roles of the dumps are made where they are missing; what belonged to who made the dump belongs to who restores it.

    Args:
        dsn: Address of the database, which has nothing of what the dumps have.
        parts: Each dump with what it holds, and where it goes to.

    Raises:
        BackupError: PostgreSQL refuses.
    """
    user = _prepare(dsn, [role for _, held, _ in parts for role in held.roles])
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--no-password", "--file=-"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        command = [program("psql", dsn), *options]
        with _started(command, dsn, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told) as process:
            assert process.stdin is not None  # noqa: S101 - it was asked for
            try:
                with process.stdin as script:
                    # Not psql's --single-transaction: that commits a script which ends early because we were killed.
                    script.write(b"BEGIN;\n")
                    for path, held, target in parts:
                        _write_script(script, path, held, target, user)
                    script.write(b"COMMIT;\n")
            except BrokenPipeError:
                pass  # psql has ended, and told why
        _require_success(process, told, "The backup cannot be restored, and nothing of it was")


def program(name: str, dsn: str) -> str:
    """The program to use on a server.

    The embedded one, unless the machine has one that is newer: the embedded ones know no TLS.

    Raises:
        BackupError: The server is newer than each.
    """
    with closing(psycopg2.connect(dsn)) as connection:
        server, is_remote = connection.info.server_version // 10000, bool(connection.info.ssl_in_use)
    embedded, installed = str(programs() / name), shutil.which(name)
    candidates = [installed, embedded] if is_remote else [embedded, installed]
    for candidate in filter(None, candidates):
        if _major(candidate) >= server:
            return candidate
    problem = f"The server is PostgreSQL {server}, and there is no {name} of that version here."
    raise BackupError(problem, f"Install PostgreSQL's programs of version {server} or newer, so that PATH has them.")


def _major(path: str) -> int:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    version = re.search(r"\) (\d+)", done.stdout)
    return int(version[1]) if version else 0


def _prepare(dsn: str, roles: Sequence[str]) -> str:
    """Make the roles that are missing, and return who restores."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text")
        (user,) = cursor.fetchone() or ("",)
        for role in dict.fromkeys(roles):
            _make_role(cursor, role)
        # The platform makes it when it first comes to a server, and a dump makes it, too.
        if _is_empty(cursor, DAGSTER_SCHEMA):
            cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {}").format(sql.Identifier(DAGSTER_SCHEMA)))
        return str(user)


def _is_empty(cursor: extensions.cursor, schema: str) -> bool:
    cursor.execute(
        "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s",
        (schema,),
    )
    return cursor.fetchone() == (0,)


def _make_role(cursor: extensions.cursor, role: str) -> None:
    name = sql.Identifier(role)
    try:
        cursor.execute("SELECT to_regrole(quote_ident(%s)) IS NOT NULL", (role,))
        if cursor.fetchone() != (True,):
            cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
        cursor.execute("SELECT pg_has_role(current_user, %s, 'USAGE')", (role,))
        if cursor.fetchone() != (True,):
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
    except errors.InsufficientPrivilege as error:
        problem = f"The backup needs the role {role}, and this login may not make it or become a member of it."
        remedy = f"Let an administrator of the server run: CREATE ROLE {role} NOLOGIN; GRANT {role} TO this login."
        raise BackupError(problem, remedy) from error


def _write_script(script: IO[bytes], path: Path, held: DatabaseContent, target: Database, user: str) -> None:
    script.write(_definitions(path, "pre-data", held.owner, user))
    for piece in _section(path, "data"):
        script.write(piece)
    script.write(_definitions(path, "post-data", held.owner, user))
    if target.schemas != held.schemas:
        script.write(_moved(held, target.schemas[0]).encode())


def _moved(held: DatabaseContent, schema: str) -> str:
    """Statements that put tables into another schema; their indexes and sequences go with them."""
    lines = [f"CREATE SCHEMA IF NOT EXISTS {schema};"]
    for table in held.tables:
        space, name = (_quoted(part) for part in table.split(".", 1))
        lines.append(f"ALTER TABLE {space}.{name} SET SCHEMA {schema};")
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _definitions(path: Path, section: str, owner: str, user: str) -> bytes:
    text = b"".join(_section(path, section)).decode()
    # What a server before PostgreSQL 17 does not know, what only the owner of an extension may do, what is there.
    text = re.sub(
        r"^(SET transaction_timeout = 0;|COMMENT ON EXTENSION .*|CREATE SCHEMA public;)$", "", text, flags=re.MULTILINE
    )
    if owner != user:
        name = re.escape(owner) if re.fullmatch("[a-z_][a-z0-9_]*", owner) else re.escape(_quoted(owner))
        pattern = rf"^((?:ALTER|GRANT|REVOKE) .*(?:OWNER TO|FOR ROLE|FROM|TO)) {name}(?=[; ])"
        text = re.sub(pattern, r"\1 CURRENT_USER", text, flags=re.MULTILINE)
    return text.encode()


def _section(path: Path, section: str) -> Iterator[bytes]:
    """A part of a dump as SQL.

    Raises:
        BackupError: pg_restore refuses.
    """
    command = [str(programs() / "pg_restore"), f"--section={section}", "--file=-", str(path)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        with _started(command, None, stdout=subprocess.PIPE, stderr=told) as process:
            yield from _pieces(process)
        _require_success(process, told, f"{path.name} cannot be read")


def _started(
    command: Sequence[str],
    dsn: str | None,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int,
    stderr: IO[str],
) -> "subprocess.Popen[bytes]":
    environment = libpq_environment(dsn) if dsn is not None else None
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=environment)  # noqa: S603


def _pieces(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """What a program writes; it is ended when nobody reads on."""
    output = process.stdout
    assert output is not None  # noqa: S101 - it was asked for
    try:
        yield from iter(lambda: output.read(CHUNK_BYTES), b"")
    except GeneratorExit:
        process.kill()
        raise


def _require_success(process: "subprocess.Popen[bytes]", told: IO[str], problem: str) -> None:
    if process.returncode != 0:
        told.seek(0)
        raise BackupError(f"{problem}: {told.read().strip()[-2000:]}", "Mend that and run again.")
