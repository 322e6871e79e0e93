"""Making HTML from templates, with everything that is needed in the one file.

Belongs here: what all pages share. Does not belong here: what a page says.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

Words = Mapping[str, Callable[..., str]]


def render(template: str, words: Words, **given: Any) -> str:
    """Fill in a template that extends the frame of all pages.

    Args:
        template: Its file, beside this module.
        words: Filters that it speaks with, by name.
        given: What it shows; ``plots`` are figures by page or dataset and name.

    Returns:
        HTML that holds everything it needs; every text in it is escaped.
    """
    environment = _environment().overlay()
    environment.filters = {**environment.filters, **words}
    scripts = {"plots_json": _script_json(given["plots"]), "plotly": _plotly() if any(given["plots"].values()) else ""}
    return environment.get_template(template).render(nonce=secrets.token_urlsafe(16), **scripts, **given)


def _script_json(data: Any) -> str:
    """JSON that nothing in it can end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - takes a moment, and only pages need it

    script: str = get_plotlyjs()
    return script


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
