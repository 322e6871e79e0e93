"""The page of the forecast: what is to come, how sure that is, and what cannot be forecast."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import Figure, axis, band, bar_figure, bars, days, drawn, line
from platform_assets.reports.formats import amount, counted, day, decimal, percent, signed_percent, whole, words, yes
from platform_assets.reports.page import Block, Choice, Column, Grid, Headline, Page, Plot, Section, Text
from platform_assets.reports.selecting import Row, Tables, distinct, one, ordered, where

_HISTORY_DAYS = {"day": 120, "week": 730}
_UNITS = {"day": "daily", "week": "weekly"}
_KEY = ("grain", "currency", "scope", "member")
_NOTHING = "There is nothing to forecast: no day has sales."
_LEVEL = 0.8


def forecast_page(tables: Tables) -> Page:
    """The page of the forecast."""
    forecasts, skill = tables["revenue_forecasts"], tables["forecast_skill"]
    sections = (
        _ahead(tables["revenue_series"], forecasts),
        _skill(skill),
        _coverage(tables["forecast_coverage"]),
        _not_forecastable(forecasts),
    )
    return Page("forecast", sections[0].finding, _headlines(tables), sections)


def _total(forecasts: pa.Table) -> list[Row]:
    """The days ahead of the total, in the currency that comes first."""
    total = where(forecasts, grain="day", scope="total")
    currencies = distinct(total, "currency")
    return ordered(where(total, currency=currencies[0]), "step") if currencies else []


def _sum(rows: list[Row], column: str) -> float | None:
    values = [row[column] for row in rows]
    return None if not values or None in values else float(sum(values))


def _headlines(tables: Tables) -> tuple[Headline, ...]:
    rows = _total(tables["revenue_forecasts"])
    skill = tables["forecast_skill"]
    used = one(skill, is_used=True, grain="day", scope="total") or {}
    coverage = tables["forecast_coverage"].filter((pc.field("nominal_rate") == _LEVEL) & (pc.field("grain") == "day"))
    held = one(coverage) or {}
    series = _series(tables["revenue_forecasts"])
    able = sum(row["status"] != "not_forecastable" for row in series)
    currency = rows[0]["currency"] if rows else ""
    return (
        Headline(
            f"Revenue, next {len(rows)} days ({currency})" if rows else "Revenue ahead",
            _sum(rows, "forecast_amount"),
            amount,
            "sum of the days; each day has its own interval" if rows else _NOTHING,
        ),
        Headline(
            "Less error than the seasonal naive", used.get("skill_rate"), signed_percent, "daily total, in the backtest"
        ),
        Headline("Error (daily total)", used.get("wape_rate"), percent, "absolute errors by revenue"),
        Headline(
            "Days within their 80 % interval",
            held.get("realised_rate"),
            percent,
            held.get("reason") or f"of {counted(held.get('points') or 0, 'point')} of the backtest",
        ),
        Headline(
            "Series that can be forecast", able, whole, f"of {whole(len(series))}; the others are said with the reason"
        ),
    )


def _series(forecasts: pa.Table) -> list[Row]:
    first = forecasts.filter(pc.field("step") == 1)
    return ordered(first, *_KEY)


def _ahead(history: pa.Table, forecasts: pa.Table) -> Section:
    options: dict[str, tuple[Block, ...]] = {}
    for series in sorted(_series(forecasts), key=_rank):
        key = {name: series[name] for name in _KEY}
        rows = ordered(where(forecasts, **key), "step")
        name = f"{_label(series)}, {_UNITS[series['grain']]} ({series['currency']})"
        options[name] = _option(f"ahead-{len(options)}", ordered(where(history, **key), "period_start_date"), rows)
    if not options:
        return Section("ahead", "Forecast", _NOTHING)
    return Section("ahead", "Forecast", _finding(_total(forecasts)), (Choice("Series", options),))


def _rank(series: Row) -> tuple[int, int, str, str]:
    scopes = {"total": 0, "category": 1, "channel": 2}
    return scopes.get(series["scope"], 3), int(series["grain"] != "day"), series["member"], series["currency"]


def _label(series: Row) -> str:
    return "Total" if series["scope"] == "total" else f"{series['scope'].capitalize()} {series['member']}"


def _finding(rows: list[Row]) -> str:
    total = _sum(rows, "forecast_amount")
    if total is None:
        return f"The daily total cannot be forecast: {rows[0]['reason']}." if rows else _NOTHING
    ends = f"{day(rows[0]['period_start_date'])} to {day(rows[-1]['period_start_date'])}"
    return (
        f"From {ends} net revenue of {amount(total)} {rows[0]['currency']} is expected, {amount(total / len(rows))} a "
        "day."
    )


def _option(name: str, history: list[Row], rows: list[Row]) -> tuple[Block, ...]:
    grain = rows[0]["grain"]
    since = rows[0]["as_of_date"] - timedelta(days=_HISTORY_DAYS[grain])
    recent = [row for row in history if row["period_start_date"] > since]
    title = f"{_UNITS[grain].capitalize()} net revenue: {_label(rows[0])}"
    return (
        Text(f"{words(rows[0]['status']).capitalize()}: {rows[0]['reason']}."),
        Plot(name, title, _fan(recent, rows)),
        Grid(_STEP_COLUMNS, rows, "The forecast as figures", folded=True),
    )


def _fan(history: list[Row], rows: list[Row]) -> Figure:
    traces = []
    ahead = [row["period_start_date"] for row in rows]
    if all(row["lower_80_amount"] is not None for row in rows):
        traces += band(
            ahead, [row["lower_80_amount"] for row in rows], [row["upper_80_amount"] for row in rows], "80 % interval"
        )
    traces.append(
        line(
            [row["period_start_date"] for row in history],
            [row["revenue_amount"] for row in history],
            "known",
            color="muted",
        )
    )
    if all(row["baseline_amount"] is not None for row in rows):
        traces.append(line(ahead, [row["baseline_amount"] for row in rows], "seasonal naive", color="warn", dash="dot"))
    traces.append(line(ahead, [row["forecast_amount"] for row in rows], "forecast"))
    return drawn(traces, 340, xaxis=days(), yaxis=axis(f"net revenue ({rows[0]['currency']})", rangemode="tozero"))


_STEP_COLUMNS = (
    Column("From", "period_start_date", day),
    Column("Forecast", "forecast_amount", amount),
    Column("80 % low", "lower_80_amount", amount),
    Column("80 % high", "upper_80_amount", amount),
    Column("95 % low", "lower_95_amount", amount),
    Column("95 % high", "upper_95_amount", amount),
    Column("Seasonal naive", "baseline_amount", amount),
)


def _skill(skill: pa.Table) -> Section:
    used = [{**row, "series": _named(row)} for row in ordered(where(skill, is_used=True), *_KEY)]
    used.sort(key=_rank)
    if not used:
        return Section("skill", "Skill", "No model was judged: the history is too short for a backtest.")
    known = [row for row in used if row["skill_rate"] is not None]
    better = sum(row["skill_rate"] > 0 for row in known)
    hints = [
        f"{row['series']}\n{signed_percent(row['skill_rate'])} of the error avoided\n{words(row['model'])}"
        for row in known
    ]
    colors = ["pass" if row["skill_rate"] > 0 else "fail" for row in known]
    drawing = bars([row["series"] for row in known], [row["skill_rate"] for row in known], hints, color=colors)
    every = [{**row, "series": _named(row)} for row in ordered(skill, *_KEY, "wape_rate", "model")]
    return Section(
        "skill",
        "Skill",
        f"For {whole(better)} of {whole(len(known))} series the published model was better than the seasonal naive "
        "forecast.",
        (
            Plot(
                "skill",
                "Share of the seasonal naive forecast's error that is avoided",
                bar_figure([drawing], "error avoided", tickformat=",.0%"),
            ),
            Grid(_SKILL_COLUMNS, used, "The published model of each series"),
            Grid(_MODEL_COLUMNS, every, "All models and baselines in the backtest", folded=True),
        ),
    )


def _named(row: Row) -> str:
    return f"{_label(row)}, {_UNITS[row['grain']]}"


_SKILL_COLUMNS = (
    Column("Series", "series"),
    Column("Currency", "currency"),
    Column("Model", "model", words),
    Column("Status", "status", words),
    Column("Error avoided", "skill_rate", signed_percent),
    Column("Against the recent mean", "mean_skill_rate", signed_percent),
    Column("Error", "wape_rate", percent),
    Column("Bias", "bias_rate", signed_percent),
    Column("MASE", "mase", decimal),
    Column("Origins", "origins", whole),
)
_MODEL_COLUMNS = (
    Column("Series", "series"),
    Column("Model", "model", words),
    Column("Published", "is_used", yes),
    Column("Weight", "weight_rate", percent),
    Column("Error avoided", "skill_rate", signed_percent),
    Column("Against the recent mean", "mean_skill_rate", signed_percent),
    Column("Error", "wape_rate", percent),
    Column("MASE", "mase", decimal),
)


def _coverage(coverage: pa.Table) -> Section:
    rows = ordered(coverage, "grain", "nominal_rate")
    known = [row for row in rows if row["realised_rate"] is not None]
    if not known:
        return Section(
            "coverage",
            "Intervals",
            "How often intervals hold cannot be said yet.",
            (Grid(_COVERAGE_COLUMNS, rows, empty="There was no backtest."),),
        )
    names = [f"{_UNITS[row['grain']]}, {percent(row['nominal_rate'])}" for row in known]
    hints = [
        f"{name}\n{percent(row['realised_rate'])} of {counted(row['points'], 'point')}"
        for name, row in zip(names, known, strict=True)
    ]
    drawings = [
        bars(names, [row["realised_rate"] for row in known], hints, name="realised"),
        bars(names, [row["nominal_rate"] for row in known], hints, name="nominal", color="muted"),
    ]
    told = "; ".join(
        f"the {_UNITS[row['grain']]} {row['nominal_rate']:.0%} interval held {percent(row['realised_rate'])}"
        for row in known
    )
    return Section(
        "coverage",
        "Intervals",
        f"{told[0].upper()}{told[1:]} of the time.",
        (
            Plot(
                "coverage",
                "How often what came was within its interval",
                bar_figure(drawings, "share of points", tickformat=",.0%"),
            ),
            Grid(_COVERAGE_COLUMNS, rows, "Coverage, from errors of earlier origins only"),
        ),
    )


_COVERAGE_COLUMNS = (
    Column("Steps", "grain"),
    Column("Nominal", "nominal_rate", percent),
    Column("Realised", "realised_rate", percent),
    Column("Points", "points", whole),
    Column("Within", "covered_points", whole),
    Column("Width by revenue", "width_rate", percent),
    Column("Enough points", "is_enough", yes),
    Column("Why there is none", "reason", is_optional=True),
)


def _not_forecastable(forecasts: pa.Table) -> Section:
    series = sorted(_series(forecasts), key=_rank)
    rows = [{**row, "series": _named(row)} for row in series if row["status"] != "forecastable"]
    unable = [row for row in rows if row["status"] == "not_forecastable"]
    level = len(rows) - len(unable)
    columns = (
        Column("Series", "series"),
        Column("Currency", "currency"),
        Column("Status", "status", words),
        Column("Why", "reason"),
    )
    return Section(
        "limits",
        "Limits",
        f"{whole(len(unable))} of {whole(len(series))} series cannot be forecast, and of {whole(level)} only the "
        "level can.",
        (Grid(columns, rows, "What cannot be said, and why", empty="Every series can be forecast."),),
    )
