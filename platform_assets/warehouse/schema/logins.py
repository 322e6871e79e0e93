"""The logins of people and programs: each has one role of the platform.

Belongs here: making, listing and removing them. Does not belong here: what the roles may do (``sql/roles.sql``), and
how a password is come by (``cli.login``).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from psycopg2 import errors, extensions, sql

from platform_assets.errors import PlatformError
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.trail.audit import record

LoginRole = Literal["analyst", "auditor", "loader"]
LOGIN_ROLES: tuple[LoginRole, ...] = get_args(LoginRole)

_NAME = re.compile(r"(?!pg_|retail_)[a-z_][a-z0-9_]{0,62}")
_MARK = "Made by ./platform login"
"""Comment on the logins this platform made: those of others are listed, and never removed."""

# Settings and limits are not inherited from a group; each login has its own. Rights do not rest on them: whoever logs
# in may change the settings of the session.
_READER = {
    "default_transaction_read_only": "on",
    "statement_timeout": "'10min'",
    "idle_in_transaction_session_timeout": "'10min'",
}
_SETTINGS: Mapping[LoginRole, Mapping[str, str]] = {
    "analyst": {"search_path": "analytics", **_READER},
    "auditor": {"search_path": "ops, quality", **_READER},
    "loader": {"search_path": "pg_catalog"},
}
_CONNECTIONS: Mapping[LoginRole, int] = {"analyst": 10, "auditor": 5, "loader": 100}

_LOGINS = """
    SELECT login.rolname, substr(held.rolname, 8), nullif(login.rolvaliduntil, 'infinity'),
        coalesce(shobj_description(login.oid, 'pg_authid') = %s, false)
    FROM pg_auth_members AS membership
    JOIN pg_roles AS login ON login.oid = membership.member
    JOIN pg_roles AS held ON held.oid = membership.roleid
    WHERE held.rolname = ANY(%s) AND login.rolcanlogin
        AND pg_has_role(login.oid, held.oid, 'USAGE')  -- not those that may only grant it
    GROUP BY login.oid, login.rolname, held.rolname, login.rolvaliduntil
    ORDER BY 1, 2
"""


class LoginError(PlatformError):
    """A login cannot be made or removed."""


@dataclass(frozen=True)
class Login:
    """A login of the server that has a role of the platform.

    Attributes:
        name: Its name.
        role: What it may do: one of ``LOGIN_ROLES``.
        valid_until: From when on its password is refused; ``None`` for never.
        is_ours: Whether the platform made it.
    """

    name: str
    role: str
    valid_until: datetime | None
    is_ours: bool


def add_login(
    connection: extensions.connection, name: str, role: LoginRole, password: str, valid_until: date | None = None
) -> None:
    """Make a login. The server is sent a verifier (SCRAM-SHA-256), never the password.

    Args:
        connection: An idle connection of a login that may make others.
        name: Small letters, digits and underscores.
        role: What it may do.
        password: Its password.
        valid_until: The first day, in UTC, on which the password is refused.

    Raises:
        LoginError: The name cannot be used or is in use, or the connection's login may not make others.
    """
    if not _NAME.fullmatch(name):
        problem = f"{name!r} cannot be the name of a login."
        raise LoginError(problem, "Use small letters, digits and underscores, and neither pg_ nor retail_ in front.")
    verifier = extensions.encrypt_password(password, name, connection, "scram-sha-256")
    parts = {
        "name": sql.Identifier(name),
        "role": sql.Identifier(f"retail_{role}"),
        "verifier": sql.Literal(verifier),
        "connections": sql.Literal(_CONNECTIONS[role]),
        "until": sql.Literal(valid_until.isoformat() if valid_until else "infinity"),
        "mark": sql.Literal(_MARK),
    }
    with transaction(connection) as cursor, _told(name):
        # First without the verifier: servers log statements that fail, and most that fail do so here.
        for statement in (
            "CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT {connections}",
            "GRANT {role} TO {name}",
            "COMMENT ON ROLE {name} IS {mark}",
            *(f"ALTER ROLE {{name}} SET {setting} TO {value}" for setting, value in _SETTINGS[role].items()),
            "ALTER ROLE {name} PASSWORD {verifier} VALID UNTIL {until}",
        ):
            cursor.execute(sql.SQL(statement).format(**parts))
        record(cursor, "grant", name, {"role": f"retail_{role}", "valid_until": str(valid_until or "for ever")})


def logins(connection: extensions.connection) -> list[Login]:
    """The logins that have a role of the platform, on the whole server, by name.

    Args:
        connection: An idle connection.
    """
    with transaction(connection) as cursor:
        cursor.execute(_LOGINS, (_MARK, [f"retail_{role}" for role in LOGIN_ROLES]))
        return [Login(*row) for row in cursor.fetchall()]


def remove_login(connection: extensions.connection, name: str) -> int:
    """Remove a login that this platform made, and end its sessions.

    Args:
        connection: An idle connection of a login that may remove others.
        name: The login.

    Returns:
        Number of sessions that were ended.

    Raises:
        LoginError: There is no such login, it was made by somebody else, something is its own, or the connection's
            login may not remove others.
    """
    found = [login for login in logins(connection) if login.name == name]
    if not found:
        raise LoginError(f"There is no login {name} with a role of the platform.", "See ./platform login list.")
    if not found[0].is_ours:
        problem = f"The login {name} was not made by ./platform login."
        raise LoginError(problem, "Let whoever made it remove it.")
    with transaction(connection) as cursor, _told(name):
        # Only members of a role may end its sessions, unless they are superusers.
        cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE usename = %s", (name,))
        sessions = [pid for (pid,) in cursor.fetchall()]
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::integer[]) AS pid", (sessions,))
        cursor.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
        record(cursor, "grant", name, {"removed": True, "roles": sorted(f"retail_{login.role}" for login in found)})
        return len(sessions)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say what the server's refusals mean."""
    try:
        yield
    except errors.DuplicateObject:
        problem = f"The server has a role {name} already."
        raise LoginError(problem, "Choose another name; ./platform login list tells whose it is.") from None
    except errors.UndefinedObject as error:
        problem = f"The roles of the platform are not on this server: {error.diag.message_primary}."
        raise LoginError(problem, "Let an administrator of the server run sql/roles.sql.") from None
    except errors.DependentObjectsStillExist as error:
        problem = f"The login {name} cannot be removed: {error.diag.message_detail}."
        raise LoginError(problem, "Give these away or drop them, then try again.") from None
    except errors.InsufficientPrivilege as error:
        problem = f"The login of PLATFORM_POSTGRES_URL may not do that: {error.diag.message_primary}."
        remedy = "Set the variable to a login with CREATEROLE for this command, or let an administrator do it."
        raise LoginError(problem, remedy) from None
