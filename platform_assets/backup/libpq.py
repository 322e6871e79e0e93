"""Addresses as libpq's environment variables, for the programs of PostgreSQL.

Belongs here: the name of each variable, and what of an address has none. Does not belong here: running the programs
(``dumps``, and ``psql`` of the command line).
"""

import os
from collections.abc import Mapping

from psycopg2.extensions import parse_dsn

from platform_assets.errors import SettingsError

_NAMES = {
    "dbname": "PGDATABASE",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    **{
        keyword: f"PG{keyword.replace('_', '').upper()}"
        for keyword in (
            "channel_binding",
            "client_encoding",
            "gssdelegation",
            "gssencmode",
            "gsslib",
            "host",
            "hostaddr",
            "krbsrvname",
            "load_balance_hosts",
            "max_protocol_version",
            "min_protocol_version",
            "options",
            "passfile",
            "password",
            "port",
            "require_auth",
            "requirepeer",
            "service",
            "servicefile",
            "ssl_max_protocol_version",
            "ssl_min_protocol_version",
            "sslcert",
            "sslcertmode",
            "sslcompression",
            "sslcrl",
            "sslcrldir",
            "sslkey",
            "sslmode",
            "sslnegotiation",
            "sslrootcert",
            "sslsni",
            "target_session_attrs",
            "user",
        )
    },
}
"""Of PostgreSQL 18, "Environment Variables" of libpq."""
_MEANS_NOTHING_ELSE = {
    "fallback_application_name",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "tcp_user_timeout",
}
"""Without variables; a connection that lacks them is the same, and notices a dead server later."""


def libpq_environment(dsn: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which libpq's programs speak to an address: no password shows in ``ps``.

    Args:
        dsn: The address, as a URL or as keywords with values.
        environment: What else the program finds there.

    Raises:
        SettingsError: The address says something that libpq has no variable for.
    """
    parts = {name: str(value) for name, value in parse_dsn(dsn).items() if name not in _MEANS_NOTHING_ELSE}
    if unknown := sorted(parts.keys() - _NAMES.keys()):
        problem = (
            f"PLATFORM_POSTGRES_URL sets {', '.join(unknown)}, which cannot be passed on to PostgreSQL's programs."
        )
        raise SettingsError(problem, "Leave it out, or set it in a service file and name that with ?service=NAME.")
    kept = dict(environment)
    if "host" in parts or "hostaddr" in parts:
        # Among variables, a service would come before the host; in an address it comes after it.
        kept.pop("PGSERVICE", None)
    return kept | {_NAMES[name]: value for name, value in parts.items()}
