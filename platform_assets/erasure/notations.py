"""What a text says that a program wrote: strings of JSON, and letters that stand there by their numbers.

Belongs here: reading such text, and changing what it says. Does not belong here: whom it names (``proof``, ``people``).
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

_NO_JSON = object()
_ESCAPES = re.compile(
    r"""(?P<units>(?:\\+u[0-9a-fA-F]{4})+)|\\+(?:x|U00(?=0|10))(?P<number>(?<=x)[0-9a-fA-F]{2}|(?<=00)[0-9a-fA-F]{6})"""
    r"""|(?P<blank>\\+[nrt])|\\+(?=["'/])"""
)


def strings(text: str) -> Iterator[str]:
    """The strings of a text of JSON, keys too; any other text itself, and without escapes if it has any."""
    data = _parsed(text)
    if data is _NO_JSON:
        yield text
        if (bare := without_escapes(text)) != text:
            yield bare
    else:
        yield from _strings_in(data)


def scrubbed(text: str, scrub: Callable[[str], str]) -> str:
    """A text with every string in it changed, where it is JSON; else changed as a whole."""
    data = _parsed(text)
    if data is _NO_JSON:
        return _scrubbed_plain(text, scrub)
    after = _walked(data, scrub)
    return text if after == data else text.replace(text.strip(), json.dumps(after))


def without_escapes(text: str) -> str:
    r"""A text in which ``\u00eb``, ``\xeb``, ``\"`` and ``\n`` are what they stand for; the last one is a blank."""
    return _ESCAPES.sub(_meant, text) if "\\" in text else text


def _scrubbed_plain(text: str, scrub: Callable[[str], str]) -> str:
    after = scrub(text)
    bare = without_escapes(after)
    without = bare if bare == after else scrub(bare)
    return after if without == bare else without


def _meant(escape: re.Match[str]) -> str:
    if escape["units"]:
        # In pairs, where a letter has two of them.
        return bytes.fromhex(re.sub(r"\\+u", "", escape["units"])).decode("utf-16-be", errors="replace")
    if escape["number"]:
        return chr(int(escape["number"], 16))
    return " " if escape["blank"] else ""


def _parsed(text: str) -> Any:
    if text.lstrip()[:1] not in {"{", "["}:
        return _NO_JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NO_JSON


def _strings_in(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield from strings(data)
    elif isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _strings_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from _strings_in(value)


def _walked(data: Any, scrub: Callable[[str], str]) -> Any:
    if isinstance(data, str):
        return scrubbed(data, scrub)
    if isinstance(data, dict):
        return {key: _walked(value, scrub) for key, value in data.items()}
    return [_walked(value, scrub) for value in data] if isinstance(data, list) else data
