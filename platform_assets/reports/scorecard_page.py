"""The scorecard as one HTML file: tables that need no script, and plots that Plotly draws from what is in the file.

Belongs here: making the page. Does not belong here: what is drawn (``plots``), and how it looks
(``scorecard.html.jinja``).
"""

import json
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from platform_assets.quality.scorecard import Score, Scorecard
from platform_assets.reports import wording
from platform_assets.reports.plots import figures

_TEMPLATE = "scorecard.html.jinja"
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_MARGIN = 96, 22, 3


def scorecard_page(scorecard: Scorecard) -> str:
    """Make the page.

    Args:
        scorecard: What it shows; at least one dataset.

    Returns:
        HTML that holds everything it needs; every text in it is escaped.
    """
    plots = {card.dataset: figures(card) for card in scorecard.datasets}
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            card=scorecard,
            plots=plots,
            plots_json=_script_json(plots),
            plotly=_plotly(),
            nonce=secrets.token_urlsafe(16),
        )
    )


def spark_points(score: Score) -> str:
    """The trend of a score as points of an SVG line; empty with fewer than two values."""
    heights = [height for height in wording.heights(score) if height is not None]
    if len(heights) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    step = (_SPARK_WIDTH - 2 * _SPARK_MARGIN) / (len(heights) - 1)
    room = _SPARK_HEIGHT - 2 * _SPARK_MARGIN
    return " ".join(
        f"{_SPARK_MARGIN + place * step:.1f},{_SPARK_HEIGHT - _SPARK_MARGIN - height * room:.1f}"
        for place, height in enumerate(heights)
    )


def _script_json(data: Any) -> str:
    """JSON that nothing in it can end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - takes a moment, and only pages need it

    script: str = get_plotlyjs()
    return script


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = (
        *(wording.count, wording.signed, wording.money, wording.share, wording.instant, wording.day),
        *(wording.score_value, wording.score_change, wording.score_limits, wording.score_fraction),
        *(wording.held_back, spark_points),
    )
    environment.filters |= {word.__name__: word for word in words}
    environment.globals |= {"SIGNS": {state.value: sign for state, sign in wording.SIGNS.items()}}
    return environment
