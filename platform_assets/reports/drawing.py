"""Figures of Plotly from plain values.

Belongs here: the shapes pages draw with. Does not belong here: what they show. Colours are names of roles; the page
knows what they are in the light and in the dark. Names and hints may come from files: they are escaped here, because
Plotly reads tags.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

from platform_assets.reports.formats import short

Figure = dict[str, Any]
Trace = dict[str, Any]

_ROW_HEIGHT, _FRAME_HEIGHT = 26, 80
_DAY = 24 * 60 * 60 * 1000
_HINT = "%{hovertext}<extra></extra>"


def drawn(traces: Sequence[Trace], height: int = 320, **layout: Any) -> Figure:
    """A figure of traces."""
    return {"data": list(traces), "layout": {"height": height, **layout}}


def bars(
    names: Sequence[Any], values: Sequence[Any], hints: Sequence[str], *, name: str = "", color: Any = "score"
) -> Trace:
    """Bars to the right, the first on top in a figure of ``bar_figure``."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": escape(name),
        "x": plain(values)[::-1],
        "y": labels(names)[::-1],
        "hovertext": hinted(hints)[::-1],
        "hovertemplate": _HINT,
        "marker": {"color": color[::-1] if isinstance(color, list) else color},
    }


def bar_figure(traces: Sequence[Trace], unit: str, *, tickformat: str = ",", barmode: str = "group") -> Figure:
    """A figure of bars that is as high as they need."""
    longest = max((len(trace["y"]) for trace in traces), default=0)
    side_by_side = len(traces) if barmode == "group" else 1
    height = _FRAME_HEIGHT + round(longest * _ROW_HEIGHT * (1 + 0.45 * (side_by_side - 1)))
    axis = {"title": {"text": escape(unit)}, "tickformat": tickformat, "nticks": 6}
    names = {"type": "category", "automargin": True}
    return drawn(traces, height, barmode=barmode, xaxis=axis, yaxis=names, showlegend=len(traces) > 1)


def line(
    x: Sequence[Any], y: Sequence[Any], name: str, *, color: str = "score", dash: str = "solid", form: str = ",.0f"
) -> Trace:
    """A line through values over days or numbers; a gap where there is none."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": plain(x),
        "y": plain(y),
        "line": {"color": color, "width": 2, "dash": dash},
        "hovertemplate": f"{escape(name)}<br>%{{x}}: %{{y:{form}}}<extra></extra>",
    }


def band(x: Sequence[Any], low: Sequence[Any], high: Sequence[Any], name: str, *, form: str = ",.0f") -> list[Trace]:
    """What lies between two lines."""
    edge = {"type": "scatter", "mode": "lines", "x": plain(x), "line": {"color": "band", "width": 0.5}}
    told = {"hovertemplate": f"{escape(name)}<br>%{{x}}: %{{y:{form}}}<extra></extra>"}
    lower = {**edge, **told, "y": plain(low), "showlegend": False, "name": escape(name)}
    upper = {**edge, **told, "y": plain(high), "name": escape(name), "fill": "tonexty", "fillcolor": "band"}
    return [lower, upper]


def day_bands(dates: Sequence[Any], low: Sequence[Any], high: Sequence[Any], name: str, *, form: str = ",.0f") -> Trace:
    """What is between two values on each day by itself, as days without any lie between."""
    known = [(date, *ends) for date, *ends in zip(dates, low, high, strict=True) if None not in ends]
    return {
        "type": "bar",
        "name": escape(name),
        "x": plain([date for date, *_ in known]),
        "base": plain([least for _, least, _ in known]),
        "y": plain([most - least for _, least, most in known]),
        "customdata": plain([most for *_, most in known]),
        "width": _DAY,
        "marker": {"color": "band"},
        "hovertemplate": f"{escape(name)}<br>%{{x}}: %{{base:{form}}} to %{{customdata:{form}}}<extra></extra>",
    }


def marks(
    x: Sequence[Any], y: Sequence[Any], hints: Sequence[str], name: str, *, color: Any = "fail", symbol: str = "circle"
) -> Trace:
    """Single points."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(name),
        "x": plain(x),
        "y": plain(y),
        "hovertext": hinted(hints),
        "hovertemplate": _HINT,
        "marker": {"color": color, "size": 9, "symbol": symbol},
    }


def heat(
    across: Sequence[Any],
    down: Sequence[Any],
    values: Sequence[Sequence[Any]],
    shown: Sequence[Sequence[str]],
    hints: Sequence[Sequence[str]],
) -> Trace:
    """Cells by how much is in them, the first row on top in a figure of ``heat_figure``."""
    return {
        "type": "heatmap",
        "x": labels(across),
        "y": labels(down),
        "z": [plain(row) for row in values],
        "text": [hinted(row) for row in shown],
        "texttemplate": "%{text}",
        "hovertext": [hinted(row) for row in hints],
        "hovertemplate": _HINT,
        "colorscale": "heat",
        "showscale": False,
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
    }


def heat_figure(trace: Trace, across: str, down: str, *, row_height: int = 34) -> Figure:
    """A figure of cells."""
    height = _FRAME_HEIGHT + row_height * len(trace["y"])
    xaxis = {"type": "category", "title": {"text": escape(across)}, "showgrid": False}
    yaxis = {"type": "category", "title": {"text": escape(down)}, "autorange": "reversed", "showgrid": False}
    return drawn([trace], height, xaxis=xaxis, yaxis=yaxis)


def days(**more: Any) -> dict[str, Any]:
    """An axis of days."""
    return {"type": "date", "nticks": 8, "tickangle": 0, **more}


def axis(unit: str, tickformat: str = ",", **more: Any) -> dict[str, Any]:
    """An axis of figures with its unit."""
    return {"title": {"text": escape(unit)}, "tickformat": tickformat, "nticks": 6, **more}


def labels(names: Sequence[Any]) -> list[str]:
    """Names beside a plot, with room and without markup; those that are cut alike are told apart by a number."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    for name in map(short, names):
        seen[name] += 1
        found.append(escape(name if seen[name] == 1 else f"{name} ({seen[name]})"))
    return found


def hinted(hints: Sequence[Any]) -> list[str]:
    """Texts without markup; a new line begins a line."""
    return [escape(str(hint)).replace("\n", "<br>") for hint in hints]


def plain(values: Sequence[Any]) -> list[Any]:
    """Values as JSON has them, rounded to what can be seen."""
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return float(f"{value:.7g}") if value == value else None  # noqa: PLR0124 - what is not a number differs from itself
    return value
