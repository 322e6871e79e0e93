"""The Spark this platform works with: the embedded Connect server, started when needed, or one that is configured.

Belongs here: who shares the embedded server, and when it ends. Does not belong here: how its process is made
(``spark_server``), and what is asked of it (``engines``).

Every process that uses the embedded server holds a share in ``<home>/run/spark.users`` for as long as it lives; the
kernel gives it back even after ``kill -9``. Starting, joining and stopping happen one at a time under
``<home>/run/spark.lock``. Unlike PostgreSQL the server stays when the last command ends, because a start costs ten
seconds and more; ``./platform down`` stops it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platform_assets.errors import ServiceError
from platform_assets.services.locks import Share, exclusive_lock, is_unused
from platform_assets.services.spark_address import is_installed, parse_address, reach, require_installed
from platform_assets.services.spark_server import START_SECONDS, SparkServer
from platform_assets.services.web import LOOPBACK
from platform_assets.settings import Settings

PATIENCE_SECONDS = 3.0 * START_SECONDS
"""For another process that is starting the server."""


@dataclass(frozen=True)
class SparkStatus:
    """What is known about the Spark of one home.

    Attributes:
        embedded: Whether it is the platform's own server.
        running: Whether it runs; for a configured server, whether it answers.
        pid: The server's process id, where it is embedded and runs.
        since: When it was started, where it is embedded and runs.
        address: Host and port, never the token; empty where it is embedded and does not run.
        installed: Whether this Python has Spark.
    """

    embedded: bool
    running: bool
    pid: int | None
    since: datetime | None
    address: str
    installed: bool


_shares: dict[Path, Share] = {}


def ensure_spark(settings: Settings) -> str:
    """Return the URL of a Spark Connect server that answers, starting the embedded one if need be.

    The process counts as a user of the embedded server from now on until it ends or stops it.

    Returns:
        ``sc://host:port``, with parameters. It may hold a token: do not show it.

    Raises:
        ServiceError: Spark is not installed, or the server cannot be started or reached.
        SettingsError: The configured URL is not one of a Spark Connect server.
    """
    if settings.spark_remote is not None:
        address = parse_address(settings.spark_remote)
        require_installed()
        reach(address)
        return address.url
    require_installed()
    with exclusive_lock(_lock(settings), PATIENCE_SECONDS):
        if settings.home not in _shares:
            _shares[settings.home] = Share(_users(settings))
        return SparkServer(settings.home, settings.spark_memory).start().url


def stop_spark(settings: Settings) -> bool:
    """Stop the embedded server, whoever uses it, and return whether it ran. A configured one is left alone.

    Close this process's own sessions first: one whose server has gone tries to reach it for minutes.

    Raises:
        ServiceError: It does not stop.
    """
    if settings.spark_remote is not None or not _lock(settings).exists():
        return False
    with exclusive_lock(_lock(settings), PATIENCE_SECONDS):
        if settings.home in _shares:
            _shares.pop(settings.home).release()
        return SparkServer(settings.home).stop()


def stop_spark_if_unused(settings: Settings) -> bool:
    """Stop the embedded server if no process uses it, and return whether it was stopped.

    Raises:
        ServiceError: It does not stop.
    """
    if settings.spark_remote is not None or not _lock(settings).exists():
        return False
    with exclusive_lock(_lock(settings), PATIENCE_SECONDS):
        return is_unused(_users(settings)) and SparkServer(settings.home).stop()


def spark_status(settings: Settings) -> SparkStatus:
    """Tell whether Spark runs, without starting it.

    Raises:
        SettingsError: The configured URL is not one of a Spark Connect server.
    """
    if settings.spark_remote is not None:
        return _configured_status(settings.spark_remote)
    server = SparkServer(settings.home).server()
    return SparkStatus(
        embedded=True,
        running=server is not None,
        pid=server.identity.pid if server else None,
        since=datetime.fromtimestamp(server.identity.started, tz=UTC) if server else None,
        address=f"{LOOPBACK}:{server.port}" if server else "",
        installed=is_installed(),
    )


def _configured_status(configured: str) -> SparkStatus:
    address = parse_address(configured)
    running = False
    if is_installed():
        try:
            reach(address)
        except ServiceError:
            pass
        else:
            running = True
    return SparkStatus(
        embedded=False, running=running, pid=None, since=None, address=address.place, installed=is_installed()
    )


def _lock(settings: Settings) -> Path:
    return settings.home / "run" / "spark.lock"


def _users(settings: Settings) -> Path:
    return settings.home / "run" / "spark.users"
