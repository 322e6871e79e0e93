"""The scorecard as one HTML file: tables that need no script, and plots that Plotly draws from what is in the file.

Belongs here: making the page. Does not belong here: what is drawn (``plots``), and how it looks
(``scorecard.html.jinja``).
"""

from platform_assets.quality.scorecard import Score, Scorecard
from platform_assets.reports import wording
from platform_assets.reports.plots import figures
from platform_assets.reports.rendering import render

_TEMPLATE = "scorecard.html.jinja"
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_MARGIN = 96, 22, 3


def scorecard_page(scorecard: Scorecard) -> str:
    """Make the page.

    Args:
        scorecard: What it shows; at least one dataset.

    Returns:
        HTML that holds everything it needs; every text in it is escaped.
    """
    signs = {state.value: sign for state, sign in wording.SIGNS.items()}
    plots = {card.dataset: figures(card) for card in scorecard.datasets}
    return render(_TEMPLATE, _WORDS, card=scorecard, plots=plots, SIGNS=signs)


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


_WORDS = {
    word.__name__: word
    for word in (
        *(wording.count, wording.signed, wording.money, wording.share, wording.instant, wording.day),
        *(wording.score_value, wording.score_change, wording.score_limits, wording.score_fraction),
        *(wording.held_back, spark_points),
    )
}
