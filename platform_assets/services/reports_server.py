"""The reports of a home over HTTP on this machine, because a browser opens no file from a link in the UI.

Belongs here: which files are given to whom. Does not belong here: what they say (``reports``), and when they are served
(``supervisor``).
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer

from platform_assets.services.web import LOOPBACK
from platform_assets.settings import Settings

SCORECARD = "scorecard.html"
INDEX = "index.html"
"""The page that leads to the others, once a run has made any."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.html")
_POLL_SECONDS = 0.2
_OWN_NAMES = {LOOPBACK, "localhost"}
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def reports_folder(settings: Settings) -> Path:
    """Where the reports of a home are."""
    return settings.home / "reports"


def scorecard_file(settings: Settings) -> Path:
    """Where the page of the scorecard is, once a run has made it."""
    return reports_folder(settings) / SCORECARD


@contextmanager
def serving_reports(folder: Path, port: int) -> Iterator[int]:
    """Serve the pages that lie in a folder, and nothing else, on the loopback address while inside.

    Args:
        folder: Where the pages are, or will be.
        port: Where to serve them, if it can be had; otherwise another port is taken.

    Yields:
        The port.
    """
    with _bound(folder, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=[_POLL_SECONDS], name="reports", daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _bound(folder: Path, port: int) -> _Server:
    try:
        return _Server((LOOPBACK, port), partial(_Handler, folder))
    except (OSError, OverflowError):
        return _Server((LOOPBACK, 0), partial(_Handler, folder))


class _Handler(BaseHTTPRequestHandler):
    """Gives a page by its name. There are no folders, so there is nothing to climb out of."""

    server_version = "reports"
    sys_version = ""
    timeout = 30

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with what a page is."""
        self._answer(with_body=False)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing: whoever asks is on this machine."""

    def _answer(self, *, with_body: bool) -> None:
        if self.headers.get("Host", "").split(":")[0] not in _OWN_NAMES:
            # A page from elsewhere whose name was made to lead here must not read what is here.
            self.send_error(HTTPStatus.FORBIDDEN, "This server is for this machine only")
            return
        name = self.path.split("?")[0].removeprefix("/")
        page = self._page(name) if name else self._page(INDEX) or self._page(SCORECARD)
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND, "There is no such report, or none yet: a run makes it")
            return
        self.send_response(HTTPStatus.OK)
        for header, value in {**_HEADERS, "Content-Type": "text/html; charset=utf-8"}.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if with_body:
            self.wfile.write(page)

    def _page(self, name: str) -> bytes | None:
        path = self._folder / name
        if not _NAME.fullmatch(name) or path.is_symlink():
            return None
        try:
            return path.read_bytes()
        except OSError:
            return None
