"""Small pictures for places that show Markdown and no script, such as the metadata of assets.

Belongs here: bars as text, lines as SVG. Does not belong here: what they show (``result_pictures``). Dagster shows
Markdown of less than a thousand characters at once, and longer ones on demand: pictures are made to be shown at once.
They have no ground and no text of their own in any colour, because the page around them may be light or dark.
"""

from collections.abc import Sequence

from platform_assets.reports.formats import Format, text

MOST_CHARACTERS = 1_000
"""From so many on, Dagster shows a link in place of the Markdown."""
_NAMES, _BLOCKS = 24, 20
_WIDTH, _HEIGHT = 560, 99
_BLUE, _BAND = "%232f6fde", "%238ab0f0"
_FULL, _BELOW = "█", "▒"


def bar_chart(title: str, names: Sequence[str], values: Sequence[float], form: Format) -> str:
    """Bars of blocks, one a line, each with its figure; those below nought are grey."""
    most = max(map(abs, values)) or 1.0
    cut = [_one_line(name) for name in names]
    told = [form(value) for value in values]
    wide, high = max(map(len, cut)), max(map(len, told))
    blocks = [(_FULL if value >= 0 else _BELOW) * round(_BLOCKS * abs(value) / most) for value in values]
    lines = [
        f"{name:<{wide}} {figure:>{high}} {bar}".rstrip() for name, figure, bar in zip(cut, told, blocks, strict=True)
    ]
    return "\n".join([f"**{title}**", "", "```text", *lines, "```"])


def line_chart(
    title: str,
    ends: tuple[str, str],
    values: Sequence[float],
    form: Format,
    band: tuple[Sequence[float], Sequence[float]] | None = None,
) -> str:
    """A line from nought, with its range and what its ends are in words.

    Args:
        title: What it shows, with the unit.
        ends: What the first and the last step are called.
        values: Values by step.
        form: How values are written.
        band: Lower and upper values of an interval by step.
    """
    everything = [*values, *(band[0] if band else ()), *(band[1] if band else ())]
    least, most = min(0.0, *everything), max(everything)
    scale = _HEIGHT / ((most - least) or 1)
    step = _WIDTH / max(1, len(values) - 1)

    def path(steps: Sequence[tuple[int, float]]) -> str:
        return "M" + ",".join(f"{round(place * step)},{round((most - value) * scale)}" for place, value in steps)

    drawn = ""
    if band is not None:
        around = [*enumerate(band[0]), *reversed(list(enumerate(band[1])))]
        drawn = f"<path%20d='{path(around)}z'%20fill='{_BAND}'%20opacity='.5'/>"
    drawn += f"<path%20d='{path(list(enumerate(values)))}'%20fill='none'%20stroke='{_BLUE}'%20stroke-width='2'/>"
    size = f"width='{_WIDTH}'%20height='{_HEIGHT + 2}'%20viewBox='0,-1,{_WIDTH},{_HEIGHT + 2}'"
    image = f"<svg%20xmlns='http://www.w3.org/2000/svg'%20{size}>{drawn}</svg>"
    told = f"{ends[0]} to {ends[1]}, from {form(least)} to {form(most)}"
    return f"**{title}**: {told}\n\n![plot](data:image/svg+xml;utf8,{image})"


def _one_line(name: str) -> str:
    """A name that has room, without what would end a block of code."""
    plain = " ".join(text(name).replace("`", "'").split())
    return plain if len(plain) <= _NAMES else f"{plain[: _NAMES - 1].rstrip()}…"
