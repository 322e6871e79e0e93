"""The scorecard's plots, as Plotly's own figures: data and layout, drawn by the page.

Belongs here: what is drawn. Colours are names of roles; the page knows what they are in the light and in the dark.
"""

from html import escape
from typing import Any

from platform_assets.quality.ledger import PARTS
from platform_assets.quality.results import Verdict
from platform_assets.quality.scorecard import DatasetCard, Ledger, Score, TrendPoint
from platform_assets.reports.wording import hours, instant, score_limits, share

Figure = dict[str, Any]

COSTS_SHOWN = 12
_SYMBOLS = {"pass": "circle", "warn": "triangle-up", "fail": "x"}
_DASHES = {"warn": "dot", "fail": "dash"}
_TREND_HEIGHT, _ROW_HEIGHT, _FRAME_HEIGHT = 170, 28, 90


def figures(card: DatasetCard) -> dict[str, Figure]:
    """The plots of a dataset by their name: one per score, and those of costs and ledger; none without anything."""
    made = {f"score-{score.name}": _trend(score) for score in card.scores}
    made["costs"] = _costs(card)
    made["rows"] = _ledger(card.ledger, "rows")
    made["money"] = _ledger(card.ledger, "amount") if card.ledger.has_money else None
    return {name: figure for name, figure in made.items() if figure is not None}


def _trend(score: Score) -> Figure | None:
    """A score over its evaluations, with the lines where it begins to warn and to fail."""
    if all(point.score is None for point in score.trend):
        return None
    points = score.trend
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": score.name,
        "x": [_moment(point.evaluated_at) for point in points],
        "y": [point.score for point in points],
        "text": [_told(score, point) for point in points],
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": "score", "width": 2},
        "marker": {
            "size": 8,
            "symbol": [_SYMBOLS[point.verdict] for point in points],
            "color": ["score" if point.verdict is Verdict.PASS else point.verdict.value for point in points],
        },
    }
    axis = {"tickformat": ",.4~g" if score.in_hours else ".5~%", "nticks": 5}
    days = {"type": "date", "nticks": 4, "tickangle": 0}
    layout = {"xaxis": days, "yaxis": axis, "height": _TREND_HEIGHT, "showlegend": False}
    return {"data": [*_thresholds(score), line], "layout": layout}


def _told(score: Score, point: TrendPoint) -> str:
    value = "nothing to judge" if point.score is None else (hours if score.in_hours else share)(point.score)
    return (
        f"<b>{escape(score.name)} {value}</b><br>{point.verdict.upper()} ({score_limits(score)})"
        f"<br>{instant(point.evaluated_at)}<br>run {escape(point.run_id[:8])}"
    )


def _thresholds(score: Score) -> list[Figure]:
    limits = {"warn": score.warn_threshold, "fail": score.fail_threshold}
    ends = [_moment(point.evaluated_at) for point in (score.trend[0], score.trend[-1])]
    side = "over" if score.in_hours else "under"
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{what}s {side}",
            "x": ends,
            "y": [limit, limit],
            "line": {"color": what, "width": 1.5, "dash": _DASHES[what]},
            "hovertemplate": f"{what}s {side} %{{y}}<extra></extra>",
        }
        for what, limit in limits.items()
        if limit is not None
    ]


def _costs(card: DatasetCard) -> Figure | None:
    dearest = [check for check in card.costs if check.rows_failed][:COSTS_SHOWN][::-1]
    if not dearest:
        return None
    names = [escape(check.rule) for check in dearest]
    parts = {
        "set aside": ("fail", [check.rows_failed if check.severity == "error" else 0 for check in dearest]),
        "stays, counted": ("warn", [check.rows_failed if check.severity != "error" else 0 for check in dearest]),
    }
    texts = [
        f"{escape(check.description)}<br>{check.rows_failed:,} of {check.rows_checked:,} rows" for check in dearest
    ]
    bars = [_bar(names, rows, name=what, color=color, text=texts) for what, (color, rows) in parts.items() if any(rows)]
    return {
        "data": bars,
        "layout": {
            "barmode": "stack",
            "height": _FRAME_HEIGHT + _ROW_HEIGHT * len(dearest),
            "xaxis": {"title": {"text": "rows"}, "tickformat": ",d", "rangemode": "tozero"},
            "yaxis": {"type": "category", "automargin": True},
        },
    }


def _ledger(ledger: Ledger, unit: str) -> Figure | None:
    kinds = {"loaded": "pass", "duplicate": "muted", "quarantined": "warn", "rejected": "fail"}
    values = {part: float(getattr(ledger.total, f"{unit}_{part}")) for part in PARTS}
    if not values["read"]:
        return None
    word, form = ("rows", ",.0f") if unit == "rows" else ("money", ",.2f")
    bars = [
        _bar([word], [values[part]], name=part, color=color, text=[f"{part}: {values[part]:{form}} {word}"])
        for part, color in kinds.items()
        if values[part]
    ]
    return {
        "data": bars,
        "layout": {
            "barmode": "relative",
            "height": 140,
            "xaxis": {"tickformat": ",~s" if values["read"] >= 1e6 else ",", "title": {"text": word}},  # noqa: PLR2004
            "yaxis": {"visible": False},
        },
    }


def _bar(names: list[str], values: list[Any], *, name: str, color: str, text: list[str]) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": values,
        "y": names,
        "hovertext": text,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": color},
    }


def _moment(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}"
