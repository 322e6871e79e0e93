"""Pages as a browser reads them: their text, elements and scripts."""

from html.parser import HTMLParser
from typing import Any

EVIL = "<script>alert('x')</script>&<img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The visible text, the elements with their attributes, and the contents of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        target = self.scripts if self._inside == ["script"] else self.words
        if self._inside != ["style"]:
            target.append(data)

    @property
    def text(self) -> str:
        words = " ".join(" ".join(self.words).split())
        return words.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


def loaded(found: Page) -> set[tuple[str, str]]:
    """What a page would fetch or lead to, but for places on itself and other reports beside it."""
    return {
        (tag, name)
        for tag, attributes in found.elements
        for name, value in attributes.items()
        if name in {"src", "srcset", "data", "action", "poster"} or (name == "href" and not _is_here(str(value)))
    }


def _is_here(address: str) -> bool:
    return address.startswith("#") or (address.endswith(".html") and "/" not in address and ":" not in address)


def without_roles(figure: Any, name: str = "") -> Any:
    """The figure in one colour: the page knows what the names of colours mean."""
    if name == "colorscale":
        return "Blues"
    if name.endswith("color") and isinstance(figure, str):
        return "#123456"
    if isinstance(figure, list):
        return [without_roles(one, name) for one in figure]
    if isinstance(figure, dict):
        return {key: without_roles(one, key) for key, one in figure.items()}
    return figure
