"""The page that leads to all reports of a home.

Belongs here: which reports there are, and what each says in a sentence. That is read from the pages themselves, so
that it is never about another version than the one it leads to.
"""

from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from platform_assets.reports.page import PAGES
from platform_assets.reports.rendering import render
from platform_assets.reports.writing import write_report
from platform_assets.services.locks import exclusive_lock
from platform_assets.services.reports_server import INDEX

_SCORECARD = "scorecard"
_HEAD_BYTES = 4096


class Entry(NamedTuple):
    """A report: its file without the ending, its title, what it says, and when it was made."""

    name: str
    title: str
    finding: str
    made_at: str


def write_index(folder: Path, lock: Path) -> None:
    """Write the page that leads to the reports in a folder; those that end at the same time wait for each other.

    Raises:
        ReportError: It cannot be written.
        ServiceError: Another process kept the lock.
    """
    with exclusive_lock(lock):
        write_report(index_html(folder), folder / INDEX)


def index_html(folder: Path) -> str:
    """The page that leads to the reports in a folder."""
    titles = {**PAGES, _SCORECARD: "Data quality"}
    entries = [_entry(folder, name, title) for name, title in titles.items()]
    return render("index.html.jinja", {}, entries=entries, plots={})


def _entry(folder: Path, name: str, title: str) -> Entry:
    try:
        with (folder / f"{name}.html").open("rb") as file:
            head = _Head(file.read(_HEAD_BYTES).decode("utf-8", errors="ignore"))
    except OSError:
        return Entry(name, title, "There is none yet: a run makes it.", "")
    return Entry(name, title, head.found.get("description", ""), head.found.get("date", "")[:16].replace("T", " "))


class _Head(HTMLParser):
    """What the head of a page says of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a ``meta`` element says."""
        given = dict(attrs)
        if tag == "meta" and given.get("name"):
            self.found[str(given["name"])] = given.get("content") or ""
