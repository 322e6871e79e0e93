"""A proxy before a PostgreSQL socket that breaks connections off: after some bytes, or instead of a commit's answer."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

from platform_assets.services.cluster import SOCKET_NAME

_CHUNK_BYTES = 4096
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class FaultProxy:
    """Passes everything on in both directions until its fault occurs; then both sides are cut off.

    Attributes:
        folder: Where it listens.
        sent: How many bytes clients have sent so far.
        cut_at: After how many of them it cuts.
        loses_commit_number: Which commit gets no answer; 0 for none.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        """Listen in ``folder`` for what is meant for the socket in ``server``."""
        self.sent = 0
        self.cut_at: int | None = None
        self.folder = folder
        self.loses_commit_number = 0
        self._commits = 0
        self._muted = False
        self._server = str(server / SOCKET_NAME)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET_NAME))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop listening and wait for what is under way."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._server)
            answers = threading.Thread(target=self._answer, args=(server, client), daemon=True)
            answers.start()
            with suppress(OSError):
                while (data := client.recv(_CHUNK_BYTES)) and not self._breaks(data, server):
                    server.sendall(data)
            # The server finishes what it has got and hangs up; only then the client learns that something is wrong.
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            answers.join(10)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _breaks(self, data: bytes, server: socket.socket) -> bool:
        before, self.sent = self.sent, self.sent + len(data)
        if self.cut_at is not None and self.sent > self.cut_at:
            server.sendall(data[: max(0, self.cut_at - before)])
            return True
        self._commits += _COMMIT in data
        if _COMMIT in data and self._commits == self.loses_commit_number:
            self._muted = True
            server.sendall(data)
            return True
        return False

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(_CHUNK_BYTES):
                if not self._muted:
                    client.sendall(data)
