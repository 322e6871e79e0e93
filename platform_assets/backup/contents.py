"""What a database holds, said in a form that two databases can be compared by.

Belongs here: counting and hashing in SQL, within one snapshot. Does not belong here: dumping it (``dumps``).
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions, sql

from platform_assets.backup.cut import SALES_FACTS
from platform_assets.backup.manifest import DatabaseContent, TableContent

# What the text of a row depends on besides the row, and limits that a long reading must not hit.
_SESSION = {
    "search_path": "pg_catalog",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}

_OURS = """
    n.nspname = ANY(%(schemas)s)
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.deptype = 'e')
"""
_TABLES = f"""
    SELECT n.nspname::text, c.relname::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND {_OURS}
    ORDER BY 1, 2
"""  # noqa: S608 - made of constants
# PostgreSQL 18 counts NOT NULL among the constraints, the versions before it do not.
_CONSTRAINTS = f"""
    SELECT count(*), count(*) FILTER (WHERE NOT o.convalidated)
    FROM pg_constraint AS o JOIN pg_class AS c ON c.oid = o.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE o.contype <> 'n' AND {_OURS}
"""  # noqa: S608 - made of constants
_ROLES = """
    SELECT DISTINCT r.rolname::text
    FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
    WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname !~ '^pg_'
        AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY 1
"""
# Of an extension only what something else is made with: an index that uses its operators, for example.
_EXTENSIONS = """
    SELECT DISTINCT e.extname::text
    FROM pg_depend AS used
    JOIN pg_depend AS part ON part.classid = used.refclassid AND part.objid = used.refobjid
    JOIN pg_extension AS e ON e.oid = part.refobjid
    WHERE part.refclassid = 'pg_extension'::regclass AND part.deptype = 'e' AND e.extname <> 'plpgsql'
        AND NOT EXISTS (SELECT FROM pg_depend AS own WHERE own.classid = used.classid AND own.objid = used.objid
            AND own.deptype IN ('e', 'i') AND own.refclassid <> 'pg_constraint'::regclass)
    ORDER BY 1
"""
_LOGINS = """
    SELECT DISTINCT login.rolname::text
    FROM pg_auth_members AS m
    JOIN pg_roles AS held ON held.oid = m.roleid
    JOIN pg_roles AS login ON login.oid = m.member
    WHERE held.rolname = ANY(%s) AND login.rolcanlogin AND login.rolname <> current_user
    ORDER BY 1
"""


@dataclass(frozen=True)
class Frozen:
    """A database at one moment.

    Attributes:
        cursor: Reads it as it was at that moment.
        snapshot: Name by which other sessions read the same.
    """

    cursor: extensions.cursor
    snapshot: str


@contextmanager
def frozen(dsn: str) -> Iterator[Frozen]:
    """Hold a database's state of this moment for the duration of the block; writers go on meanwhile."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        for name, value in _SESSION.items():
            cursor.execute("SELECT set_config(%s, %s, true)", (name, value))
        cursor.execute("SELECT pg_export_snapshot()")
        yield Frozen(cursor, str(_one(cursor)[0]))


def content(cursor: extensions.cursor, schemas: Sequence[str]) -> DatabaseContent:
    """What the tables of some schemas hold."""
    cursor.execute("SELECT current_user::text")
    owner = str(_one(cursor)[0])
    cursor.execute(_ROLES)
    roles = tuple(name for (name,) in cursor.fetchall())
    cursor.execute(_LOGINS, (list(roles),))
    logins = tuple(name for (name,) in cursor.fetchall())
    cursor.execute(_TABLES, {"schemas": list(schemas)})
    names = cursor.fetchall()
    return DatabaseContent(
        schemas=tuple(schemas),
        tables={f"{space}.{table}": _table(cursor, space, table) for space, table in names},
        constraints=_constraints(cursor, schemas)[0],
        owner=owner,
        roles=tuple(name for name in roles if name != owner),
        logins=logins,
    )


def differences(cursor: extensions.cursor, expected: DatabaseContent) -> list[str]:
    """What a restored database has otherwise than the one that was backed up."""
    found, problems = content(cursor, expected.schemas), []
    for name in sorted(expected.tables.keys() | found.tables.keys()):
        before, after = expected.tables.get(name), found.tables.get(name)
        if before is None or after is None:
            problems.append(f"table {name} is {'not restored' if after is None else 'not in the manifest'}")
        elif before != after:
            problems.append(f"table {name} has {after.rows:,} rows instead of {before.rows:,}, or others")
    count, invalid = _constraints(cursor, expected.schemas)
    if count != expected.constraints:
        problems.append(f"there are {count} constraints instead of {expected.constraints}")
    if invalid:
        problems.append(f"{invalid} constraints are not valid")
    return problems


def sales_ledger(cursor: extensions.cursor) -> dict[str, str]:
    """Version of every raw file whose sales are loaded, by dataset and file."""
    if not _has(cursor, "ops.loaded_slices"):
        return {}
    cursor.execute(
        "SELECT dataset || '/' || source_file, slice_id FROM ops.loaded_slices WHERE table_name = %s", (SALES_FACTS,)
    )
    return dict(cursor.fetchall())


def load_mark(cursor: extensions.cursor) -> tuple[object, ...]:
    """Changes with every load: with the ledger of files, and with the audit trail."""
    mark: list[object] = []
    if _has(cursor, "ops.loaded_slices"):
        cursor.execute(
            "SELECT count(*), sum(hashtextextended(files::text, 0)::numeric) FROM ops.loaded_slices AS files"
        )
        mark += _one(cursor)
    if _has(cursor, "ops.audit_log"):
        cursor.execute("SELECT max(entry_id) FROM ops.audit_log")
        mark += _one(cursor)
    return tuple(mark)


def applied_migrations(cursor: extensions.cursor) -> dict[str, str]:
    """Hashes of the migrations by file name."""
    if not _has(cursor, "ops.schema_migrations"):
        return {}
    cursor.execute("SELECT name, sha256 FROM ops.schema_migrations ORDER BY name")
    return dict(cursor.fetchall())


def used_extensions(cursor: extensions.cursor) -> list[str]:
    """Names of the extensions that something in a database is made with."""
    cursor.execute(_EXTENSIONS)
    return [name for (name,) in cursor.fetchall()]


def tables_there(cursor: extensions.cursor, schemas: Sequence[str]) -> list[str]:
    """Names of the tables of some schemas."""
    cursor.execute(_TABLES, {"schemas": list(schemas)})
    return [f"{space}.{table}" for space, table in cursor.fetchall()]


def _table(cursor: extensions.cursor, schema: str, table: str) -> TableContent:
    # An alias that no column has: a column of that name would be hashed instead of the row.
    statement = """
        SELECT count(*), coalesce(sum(hashtextextended("the whole row"::text, 0)::numeric), 0)::text
        FROM {} AS "the whole row"
    """
    cursor.execute(sql.SQL(statement).format(sql.Identifier(schema, table)))
    rows, digest = _one(cursor)
    return TableContent(int(str(rows)), str(digest))


def _constraints(cursor: extensions.cursor, schemas: Sequence[str]) -> tuple[int, int]:
    cursor.execute(_CONSTRAINTS, {"schemas": list(schemas)})
    count, invalid = _one(cursor)
    return int(str(count)), int(str(invalid))


def _has(cursor: extensions.cursor, table: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
    return bool(_one(cursor)[0])


def _one(cursor: extensions.cursor) -> tuple[object, ...]:
    row: tuple[object, ...] = cursor.fetchone() or ()
    return row
