"""The reports over HTTP: pages by their name, to this machine, and nothing else."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from platform_assets.services.reports_server import serving_reports
from platform_assets.services.web import LOOPBACK, accepts


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "scorecard.html").write_text("<p>größer</p>", encoding="utf-8")
    (folder / ".scorecard.html.77").write_text("half a page")
    (folder / "notes.txt").write_text("not a page")
    (tmp_path / "secret.html").write_text("secret")
    (folder / "link.html").symlink_to(tmp_path / "secret.html")
    with serving_reports(folder, 0) as found:
        yield found


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/scorecard.html", "/", "/scorecard.html?from=ui"])
def test_a_page_is_given_by_its_name_and_the_scorecard_without_one(port: int, path: str) -> None:
    status, body, headers = ask(port, path)
    assert (status, body.decode()) == (200, "<p>größer</p>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.html",
        "/..%2fsecret.html",
        "/link.html",
        "/notes.txt",
        "/.scorecard.html.77",
        "//etc/passwd",
        "/nothing.html",
        "/scorecard.html/",
    ],
)
def test_nothing_else_is_given(port: int, path: str) -> None:
    status, body, _ = ask(port, path)
    assert status == 404
    assert b"secret" not in body
    assert b"half a page" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(port: int, method: str) -> None:
    assert ask(port, "/scorecard.html", method)[0] == 501


def test_a_name_that_was_made_to_lead_here_reads_nothing(port: int) -> None:
    assert ask(port, "/", Host=f"evil.example.com:{port}")[0] == 403
    assert ask(port, "/", Host=f"localhost:{port}")[0] == 200


def test_what_a_page_is_can_be_asked_without_reading_it(port: int) -> None:
    status, body, headers = ask(port, "/", "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", "15")


def test_a_taken_port_leads_to_another_one(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        taken = other.getsockname()[1]
        with serving_reports(tmp_path, taken) as port:
            assert port != taken
            assert accepts(port)


def test_a_port_beyond_the_last_leads_to_another_one(tmp_path: Path) -> None:
    with serving_reports(tmp_path, 65536) as port:
        assert accepts(port)
    assert not accepts(port)
