"""The address of a Spark Connect server, and whether one answers there.

Belongs here: reading ``sc://`` URLs and asking a server for its version. A URL may hold a token: nothing here ever
says more of it than host and port. Does not belong here: starting a server (``spark_server``).
"""

import re
import socket
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from platform_assets.errors import ServiceError, SettingsError

if TYPE_CHECKING:
    import grpc

DEFAULT_PORT = 15002
"""Spark's own for Connect."""

CONNECT_SECONDS = 5.0
READY_SECONDS = 8.0
ANSWER_SECONDS = 20.0
"""More than for being there: a server's first request makes it load half of Spark."""

_LARGEST_PORT = 65_535


@dataclass(frozen=True)
class SparkAddress:
    """Where a Spark Connect server is said to be.

    Attributes:
        url: The whole URL, with whatever secrets are in it.
        host: Its host; an IPv6 address without brackets.
        port: Its port.
    """

    url: str = field(repr=False)
    host: str
    port: int

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(configured: str) -> SparkAddress:
    """Read the value of ``SPARK_REMOTE``.

    Raises:
        SettingsError: It is not ``sc://host[:port][/;name=value...]``.
    """
    host = r"\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)"
    found = re.fullmatch(rf"sc://(?:{host})(?::(?P<port>[0-9]+))?(?:/|/;(?P<parameters>\S*))?", configured)
    if found is None:
        raise _unfit("it is not of that form")
    port = int(found["port"] or DEFAULT_PORT)
    if not 0 < port <= _LARGEST_PORT:
        raise _unfit(f"there is no port {port}")
    for parameter in (found["parameters"] or "").split(";") if found["parameters"] is not None else ():
        if not re.fullmatch(r"[^=]+=[^=]+", parameter):
            name = parameter.partition("=")[0]
            raise _unfit(f"its parameter {name!r} is not name=value (a = within a value is written %3D)")
    return SparkAddress(configured, found["v6"] or found["host"], port)


def reach(address: SparkAddress) -> str:
    """See that a Spark Connect server answers, within seconds, and return its version.

    Raises:
        ServiceError: Nothing is there, or something else; the message says what was tried.
    """
    try:
        socket.create_connection((address.host, address.port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        why = error.strerror or str(error) or "no connection in time"
        raise _unreachable(address, f"cannot be reached: {why}") from error
    return _ask_version(address)


def is_installed() -> bool:
    """Tell whether this Python has Spark."""
    return find_spec("pyspark") is not None


def require_installed() -> None:
    """See that this Python has Spark, which is installed only for those who ask for it.

    Raises:
        ServiceError: It has not.
    """
    if not is_installed():
        remedy = "./platform run --engine spark installs it; so does PLATFORM_ENGINE=spark before any other command."
        raise ServiceError("Spark is not installed here.", remedy)


def _ask_version(address: SparkAddress) -> str:
    import grpc  # noqa: PLC0415 -- comes with Spark's client, which not everybody has
    from pyspark.sql.connect.client.core import DefaultChannelBuilder  # noqa: PLC0415

    with closing(DefaultChannelBuilder(address.url).toChannel()) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=READY_SECONDS)
            return _request_version(channel)
        except grpc.FutureTimeoutError as error:
            remark = "accepts connections but does not speak Spark Connect (or only with TLS, or only without)"
            raise _unreachable(address, remark) from error
        except grpc.RpcError as error:
            raise _unreachable(address, _refusal(error)) from error


def _request_version(channel: "grpc.Channel") -> str:
    """Ask with the protocol's own messages: a session of PySpark would try again for minutes, and say so at its end."""
    from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc  # noqa: PLC0415

    stub = base_pb2_grpc.SparkConnectServiceStub(channel)  # type: ignore[no-untyped-call]
    session, user = str(uuid.uuid4()), base_pb2.UserContext(user_id="platform")
    question = base_pb2.AnalyzePlanRequest(
        session_id=session, user_context=user, spark_version=base_pb2.AnalyzePlanRequest.SparkVersion()
    )
    version: str = stub.AnalyzePlan(question, timeout=ANSWER_SECONDS).spark_version.version
    # The question has made a session, which would be kept for an hour.
    stub.ReleaseSession(base_pb2.ReleaseSessionRequest(session_id=session, user_context=user), timeout=ANSWER_SECONDS)
    return version


def _refusal(error: "grpc.RpcError") -> str:
    code = error.code().name
    remarks = {
        "UNAUTHENTICATED": "refuses the token, or asks for one",
        "PERMISSION_DENIED": "refuses the token, or asks for one",
        "UNIMPLEMENTED": "is a server of something else than Spark Connect",
        "DEADLINE_EXCEEDED": f"does not answer within {ANSWER_SECONDS:.0f} seconds",
    }
    return remarks.get(code, f"does not answer as a Spark Connect server: {code}")


def _unreachable(address: SparkAddress, remark: str) -> ServiceError:
    remedy = "Check SPARK_REMOTE and that the server runs, or unset SPARK_REMOTE for the platform's own server."
    return ServiceError(f"The Spark server at {address.place} {remark}.", remedy)


def _unfit(why: str) -> SettingsError:
    # Never the value: it may hold a token.
    remedy = "Write it as sc://host:15002, with parameters as sc://host:15002/;use_ssl=true;token=SECRET."
    return SettingsError(f"SPARK_REMOTE is not the address of a Spark Connect server: {why}.", remedy)
