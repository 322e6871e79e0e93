"""Value, churn and retention on the page of customers."""

from math import floor, log10

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.reports.drawing import Figure, Trace, axis, bar_figure, bars, drawn, line, marks, plain
from platform_assets.reports.formats import (
    amount,
    counted,
    day,
    decimal,
    fine,
    model,
    percent,
    text,
    unbroken,
    whole,
    words,
    yes,
)
from platform_assets.reports.page import Block, Column, Grid, Heading, Plot, Section, Text
from platform_assets.reports.selecting import Row, added, distinct, one, ordered, share, where

_BINS = 20
_TOP_OF_SEGMENT = 3


def value_section(everyone: pa.Table, totals: pa.Table) -> Section:
    """What customers are expected to bring, and with whom most is at stake."""
    valued = everyone.filter(pc.field("value_amount").is_valid())
    if not valued.num_rows:
        return Section("value", "Lifetime value", f"No value can be given: {_why(everyone, 'value_reason')}.")
    values = sorted(valued["value_amount"].to_pylist(), reverse=True)
    part = share(sum(values[: max(1, len(values) // 10)]), sum(values))
    blocks: tuple[Block, ...] = (
        Plot("value", "Customers by expected value", _histogram(valued)),
        _histogram_table(valued),
        Grid(
            _TOTAL_COLUMNS,
            ordered(totals, "value_basis"),
            "All customers together, with the interval of that expectation",
        ),
        *_stakes(everyone),
    )
    return Section(
        "value",
        "Lifetime value",
        f"A tenth of the customers holds {percent(part)} of all expected value.",
        blocks,
    )


def _why(everyone: pa.Table, column: str) -> str:
    return next(iter(distinct(everyone, column)), "there are no customers")


def _steps(valued: pa.Table) -> list[Row]:
    values = sorted(float(value) for value in valued["value_amount"].to_pylist())
    width = _round_width(max(values[round(0.99 * (len(values) - 1))], 1.0) / _BINS)
    counts = [0] * (_BINS + 1)
    for value in values:
        counts[min(_BINS, max(0, int(value / width)))] += 1
    steps: list[Row] = [
        {"from": place * width, "to": (place + 1) * width, "customers": count} for place, count in enumerate(counts)
    ]
    if counts[-1]:
        steps[-1]["to"] = None
    return steps if counts[-1] else steps[:-1]


def _round_width(least: float) -> float:
    """The next of 1, 2, 5, 10, 20 and so on."""
    decade = 10.0 ** floor(log10(least))
    return next(factor * decade for factor in (1, 2, 5, 10) if factor * decade >= least)


def _histogram(valued: pa.Table) -> Figure:
    steps = _steps(valued)
    names = [f"{amount(step['from'])} and more" if step["to"] is None else amount(step["from"]) for step in steps]
    hints = [
        f"{counted(step['customers'], 'customer')}\nvalue {amount(step['from'])} to {amount(step['to'])}"
        for step in steps
    ]
    upright: Trace = {
        "type": "bar",
        "name": "customers",
        "x": names,
        "y": [step["customers"] for step in steps],
        "hovertext": [hint.replace("\n", "<br>") for hint in hints],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": "score"},
    }
    across = {"type": "category", "title": {"text": "expected value, from"}, "nticks": 8}
    return drawn([upright], 260, xaxis=across, yaxis=axis("customers"), bargap=0.04, showlegend=False)


def _histogram_table(valued: pa.Table) -> Grid:
    columns = (Column("From", "from", amount), Column("To", "to", amount), Column("Customers", "customers", whole))
    return Grid(columns, _steps(valued), "Customers by expected value, as figures", folded=True)


_TOTAL_COLUMNS = (
    Column("Value counts", "value_basis"),
    Column("Customers", "customers", whole),
    Column("Value", "value_amount", amount),
    Column("Low", "value_low_amount", amount),
    Column("High", "value_high_amount", amount),
)


def _stakes(everyone: pa.Table) -> tuple[Block, ...]:
    staked = everyone.filter(pc.field("value_at_stake_amount").is_valid())
    if not staked.num_rows:
        return (Text("Nothing is known to be at stake: that takes a value and a churn probability."),)
    rows: list[Row] = []
    for segment in distinct(staked, "rfm_segment"):
        rows += ordered(where(staked, rfm_segment=segment), "stake_rank", most=_TOP_OF_SEGMENT)
    rows.sort(key=lambda row: row["stake_rank"])
    sums = staked.group_by("rfm_segment").aggregate([("value_at_stake_amount", "sum"), ("stake_rank", "count")])
    parts = ordered(sums, "-value_at_stake_amount_sum", "rfm_segment")
    hints = [
        f"{row['rfm_segment']}\n{amount(row['value_at_stake_amount_sum'])} with "
        f"{counted(row['stake_rank_count'], 'customer')}"
        for row in parts
    ]
    drawing = bars(
        [row["rfm_segment"] for row in parts], [row["value_at_stake_amount_sum"] for row in parts], hints, color="warn"
    )
    return (
        Plot("stake", "Value at stake by segment", bar_figure([drawing], "value at stake")),
        Grid(_STAKE_COLUMNS, rows, f"The {_TOP_OF_SEGMENT} customers of each segment with most at stake"),
    )


_STAKE_COLUMNS = (
    Column("Rank", "stake_rank", whole),
    Column("Customer (pseudonym)", "customer_pseudonym", unbroken),
    Column("Segment", "rfm_segment"),
    Column("At stake", "value_at_stake_amount", amount),
    Column("Value", "value_amount", amount),
    Column("Churn probability", "churn_rate", percent),
    Column("Next best action", "next_best_action_title"),
    Column("Held out", "is_held_out", yes),
)


def churn_section(evaluation: pa.Table, calibration: pa.Table) -> Section:
    """How good churn probabilities are."""
    rows = ordered(evaluation, "-is_used", "-area_under_curve", "score")
    used = one(evaluation, is_used=True)
    if used is None:
        return Section("churn", "Churn", "Churn probabilities could not be judged: the history is too short for it.")
    return Section(
        "churn",
        "Churn",
        f"Of {counted(used['customers'], 'customer')} {percent(used['churn_rate'])} bought nothing in the last "
        f"{whole(used['horizon_days'])} days; {percent(used['expected_churn_rate'])} was foreseen, with an area under "
        f"the curve of {decimal(used['area_under_curve'])}.",
        (
            Plot(
                "calibration",
                "What was expected and what came, in ten bins (bars: 95 % intervals)",
                _calibrated(calibration, used["score"]),
            ),
            Grid(
                _BIN_COLUMNS, ordered(where(calibration, score=used["score"]), "bin"), "Calibration of the score in use"
            ),
            Grid(_EVALUATION_COLUMNS, rows, f"All scores on the days after {day(used['split_date'])}"),
            Text(
                f"{_choice(used)} Nothing of the days that scores are judged on was used to learn or to choose. Area "
                "under the curve: the chance that of one who left and one who stayed the former had the higher "
                "probability; above recency: that less the area of the days since the last order, with its 95 % "
                "interval. Brier score: mean squared error, less is better. P(alive) of the models of purchases "
                "answers another question and may not be used."
            ),
        ),
    )


def _choice(used: Row) -> str:
    """By which days the score in use was chosen."""
    if used["choice_date"] is None:
        return "The history is too short to choose: the first model and its own score are used."
    days = f"the {used['horizon_days']} days after {day(used['choice_date'])}"
    return f"Model ({model(used['model'])}) and score were chosen by {days}."


def _calibrated(calibration: pa.Table, score: str) -> Figure:
    bins = ordered(where(calibration, score=score), "bin")
    expected = [row["expected_churn_rate"] for row in bins]
    hints = [
        f"expected {percent(row['expected_churn_rate'])}\ncame {percent(row['churn_rate'])}\n"
        f"{counted(row['customers'], 'customer')}"
        for row in bins
    ]
    points = marks(expected, [row["churn_rate"] for row in bins], hints, model(score), color="score")
    points["error_y"] = {
        "type": "data",
        "symmetric": False,
        "array": plain([row["churn_high_rate"] - row["churn_rate"] for row in bins]),
        "arrayminus": plain([row["churn_rate"] - row["churn_low_rate"] for row in bins]),
        "color": "score",
        "thickness": 1.2,
    }
    ideal = line([0, 1], [0, 1], "as expected", color="muted", dash="dash", form=".0%")
    return drawn(
        [ideal, points],
        340,
        xaxis=axis("expected churn rate", ",.0%", range=[-0.03, 1.03]),
        yaxis=axis("churn rate that came", ",.0%", range=[-0.03, 1.03]),
    )


_BIN_COLUMNS = (
    Column("Bin", "bin"),
    Column("Customers", "customers", whole),
    Column("Expected", "expected_churn_rate", percent),
    Column("Came", "churn_rate", percent),
    Column("Low", "churn_low_rate", percent),
    Column("High", "churn_high_rate", percent),
)
_EVALUATION_COLUMNS = (
    Column("Score", "score", model),
    Column("In use", "is_used", yes),
    Column("May be used", "is_admitted", yes),
    Column("Area under the curve", "area_under_curve", fine),
    Column("Above recency", "area_above_recency", fine),
    Column("Low", "area_above_recency_low", fine),
    Column("High", "area_above_recency_high", fine),
    Column("Brier score", "brier_score", decimal),
    Column("of one rate for all", "brier_of_base_rate", decimal),
    Column("Expected", "expected_churn_rate", percent),
    Column("Came", "churn_rate", percent),
)


def retention_section(everyone: pa.Table, measurement: pa.Table) -> Section:
    """What to do, and whether its effect will be seen."""
    rows = ordered(measurement, "-value_at_stake_amount", "action")
    if not rows:
        return Section("retention", "Retention", "No action is proposed: nobody has value at stake.")
    held = added(measurement, "held_out") or 0
    together = added(measurement, "customers") or 0
    titles = _titles(everyone)
    named = [{**row, "title": titles.get(row["action"]) or words(row["action"])} for row in rows]
    seen = sum(bool(row["is_measurable"]) for row in rows)
    hints = [
        f"{row['title']}\n{amount(row['value_at_stake_amount'])} at stake\n{counted(row['customers'], 'customer')}, "
        f"{whole(row['held_out'])} held out"
        for row in named
    ]
    drawing = bars(
        [row["title"] for row in named], [row["value_at_stake_amount"] for row in named], hints, color="warn"
    )
    return Section(
        "retention",
        "Retention",
        f"{counted(together - held, 'customer')} are proposed for {counted(len(rows), 'action')}; {whole(held)} are "
        "held out "
        f"at random, so that effects can be measured: so far {whole(seen)} of {whole(len(rows))} could be.",
        (
            Plot("actions", "Value at stake by action", bar_figure([drawing], "value at stake")),
            Grid(_ACTION_COLUMNS, named, "Actions and their hold-out groups"),
            Heading("How each is measured"),
            Grid((Column("Action", "title"), Column("Measured by", "measure", text)), named),
        ),
    )


def _titles(everyone: pa.Table) -> dict[str, str]:
    """What actions are called for people."""
    known = everyone.filter(pc.field("next_best_action").is_valid())
    titles = known.group_by("next_best_action").aggregate([("next_best_action_title", "min")]).to_pylist()
    return {row["next_best_action"]: row["next_best_action_title_min"] for row in titles}


_ACTION_COLUMNS = (
    Column("Action", "title"),
    Column("Customers", "customers", whole),
    Column("Held out", "held_out", whole),
    Column("At stake", "value_at_stake_amount", amount),
    Column("Buy anyway", "expected_active_rate", percent),
    Column("Lift to see", "wanted_lift_rate", percent),
    Column("Customers that takes", "customers_needed", whole),
    Column("Can be measured", "is_measurable", yes),
)
