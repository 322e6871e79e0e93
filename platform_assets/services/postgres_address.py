"""The address of a configured PostgreSQL: what it names, and whether the server there has to prove who it is.

Belongs here: reading ``PLATFORM_POSTGRES_URL``. Does not belong here: connecting (``postgres``), other forms of an
address (``backup.libpq``).
"""

import os
from ipaddress import ip_address

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from platform_assets.errors import SettingsError
from platform_assets.settings import Settings


def parsed_address(configured: str) -> URL:
    """Take the configured URL apart.

    Raises:
        SettingsError: It is not one of a PostgreSQL database.
    """
    remedy = "Set PLATFORM_POSTGRES_URL to something like postgresql://user:password@host:5432/retail."
    try:
        url = make_url(configured)
    except ArgumentError:
        raise SettingsError("PLATFORM_POSTGRES_URL is not a URL.", remedy) from None
    if url.get_backend_name() not in {"postgresql", "postgres"} or not url.database:
        raise SettingsError(f"PLATFORM_POSTGRES_URL does not name a PostgreSQL database: {url}.", remedy)
    return url


def refuse_unverified(settings: Settings, url: URL) -> None:
    """Off this machine, only a verified server is spoken to: others could be anybody, and would learn the password.

    Raises:
        SettingsError: In staging or production, the server would not have to prove who it is.
    """
    modes = url.normalized_query.get("sslmode", ())
    if settings.environment == "development" or modes == ("verify-full",) or all(map(_is_local, _hosts(url))):
        return
    problem = f"PLATFORM_POSTGRES_URL has sslmode={modes[-1]}" if modes else "PLATFORM_POSTGRES_URL has no sslmode"
    raise SettingsError(
        f"{problem}, and {settings.environment} speaks to {', '.join(_hosts(url))} only if it knows who answers.",
        "End it with ?sslmode=verify-full&sslrootcert=FILE, the certificate of the authority that signed the server's "
        "(sslrootcert=system for a public one).",
    )


def _hosts(url: URL) -> list[str]:
    """Every host that libpq may connect to, its own variables included; none stands for the socket."""
    query = url.normalized_query
    named = [url.host or "", *query.get("host", ()), *query.get("hostaddr", ()), *query.get("service", ())]
    named += [os.environ.get(name, "") for name in ("PGHOSTADDR", "PGSERVICE", *([] if any(named) else ["PGHOST"]))]
    return [host.split(":")[0] if host.count(":") == 1 else host for text in named for host in text.split(",") if host]


def _is_local(host: str) -> bool:
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
