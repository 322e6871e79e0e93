"""Questions to the web server over HTTP, asked from this machine.

Belongs here: whether it answers, and whether it could load the definitions. Does not belong here: starting it
(``supervisor``).
"""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 20

_LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries {
    locationOrLoadError { __typename ... on PythonError { message } } } } } }
"""


def is_free(port: int) -> bool:
    """Tell whether nothing listens on a port of this machine's loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: connections of a predecessor that linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of the loopback address that is free at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Tell whether something accepts connections on a port of the loopback address."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Locations:
    """What the web server says about the definitions.

    Attributes:
        settled: Whether it answers, and has loaded them or given up.
        error: Why they could not be loaded.
    """

    settled: bool
    error: str | None = None


def locations(port: int) -> Locations:
    """Ask the web server on a port of the loopback address what became of the definitions."""
    try:
        entries = _ask(port, _LOCATIONS)["data"]["workspaceOrError"]["locationEntries"]
        found = [entry["locationOrLoadError"] for entry in entries]
    except (OSError, HTTPException, ValueError, LookupError):
        return Locations(settled=False)
    if not found or None in found:
        return Locations(settled=False)
    errors = [entry["message"] for entry in found if entry["__typename"] == "PythonError"]
    return Locations(settled=True, error="\n".join(errors) or None)


def _ask(port: int, query: str) -> dict[str, Any]:
    connection = HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", "/graphql", json.dumps({"query": query}), {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer
