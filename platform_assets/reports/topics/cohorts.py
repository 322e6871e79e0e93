"""Who comes back, on the page of key figures."""

import pyarrow as pa

from platform_assets.reports.drawing import Figure, axis, band, drawn, heat, heat_figure, line
from platform_assets.reports.formats import counted, day, percent, whole
from platform_assets.reports.page import Column, Grid, Plot, Section
from platform_assets.reports.selecting import Row, ordered

_COHORTS, _MONTHS = 18, 12
_TOO_EARLY = "No month after a first order is over yet."
_CURVE_ROWS = (1, 7, 14, 30, 60, 90, 180, 365)


def cohorts_section(cohorts: pa.Table) -> Section:
    """The share of each month's new customers that ordered in the months since."""
    rows = [row for row in ordered(cohorts, "cohort_month_date", "month_number") if row["month_number"] <= _MONTHS]
    months = sorted({row["cohort_month_date"] for row in rows})[-_COHORTS:]
    if not months:
        return Section("cohorts", "Cohorts", "There are no cohorts: no customer has ordered.")
    cells = {(row["cohort_month_date"], row["month_number"]): row for row in rows}
    width = max(number for month, number in cells if month in months)
    if not width:
        return Section("cohorts", "Cohorts", _TOO_EARLY)
    next_month = [row for row in rows if row["month_number"] == 1 and row["retention_rate"] is not None]
    back, were = (sum(row[name] for row in next_month) for name in ("customers", "cohort_customers"))
    columns = (
        Column("First order", "month"),
        Column("Customers", "customers", whole),
        *(Column(f"+{number}", f"m{number}", percent) for number in range(1, width + 1)),
    )
    told: list[Row] = [
        {
            "month": day(month)[:7],
            "customers": cells[month, 0]["cohort_customers"],
            **{
                f"m{number}": cells[month, number]["retention_rate"]
                for number in range(1, width + 1)
                if (month, number) in cells
            },
        }
        for month in months
    ]
    finding = _TOO_EARLY
    if were:
        finding = f"{percent(back / were)} of new customers ordered again in the month after their first."
    return Section(
        "cohorts",
        "Cohorts",
        finding,
        (
            Plot(
                "cohorts",
                "Share of each month's new customers that ordered, by months since (%)",
                _map(cells, months, width),
            ),
            Grid(columns, told, "As figures", folded=True),
        ),
    )


def _map(cells: dict[tuple[object, int], Row], months: list[object], width: int) -> Figure:
    numbers = range(1, width + 1)
    found = [[cells.get((month, number), {}) for number in numbers] for month in months]
    rates = [[one.get("retention_rate") for one in row] for row in found]
    shown = [["" if rate is None else f"{rate:.0%}".rstrip("%") for rate in row] for row in rates]
    hints = [[_hint(one, number) for one, number in zip(row, numbers, strict=True)] for row in found]
    names = [str(month)[:7] for month in months]
    trace = heat([f"+{number}" for number in numbers], names, rates, shown, hints)
    return heat_figure(trace, "months since the first order", "first order", row_height=26)


def _hint(cell: Row, number: int) -> str:
    if cell.get("retention_rate") is None:
        return "not known yet"
    of = f"{whole(cell['customers'])} of {counted(cell['cohort_customers'], 'customer')}"
    return f"{str(cell['cohort_month_date'])[:7]}, +{number}\n{percent(cell['retention_rate'])}: {of}"


def again_section(curve: pa.Table, repeats: pa.Table) -> Section:
    """How soon customers order for the second time."""
    rows = ordered(curve, "days")
    windows = ordered(repeats, "window_days")
    if not rows:
        return Section("again", "Second orders", "Nobody has ordered again.", (_windows(windows),))
    dates = [row["days"] for row in rows]
    traces = [
        *band(
            dates, [row["low_rate"] for row in rows], [row["high_rate"] for row in rows], "95 % interval", form=".1%"
        ),
        line(dates, [row["second_order_rate"] for row in rows], "ordered again", form=".1%"),
    ]
    layout = {
        "xaxis": axis("days since the first order"),
        "yaxis": axis("share of customers", ",.0%", rangemode="tozero"),
    }
    known = [row for row in windows if row["repeat_rate"] is not None]
    told = "; ".join(f"{percent(row['repeat_rate'])} within {row['window_days']} days" for row in known)
    columns = (
        Column("Days", "days", whole),
        Column("Ordered again", "second_order_rate", percent),
        Column("Low", "low_rate", percent),
        Column("High", "high_rate", percent),
        Column("Still watched", "at_risk", whole),
    )
    return Section(
        "again",
        "Second orders",
        f"Customers who order a second time: {told or 'not known yet for any window'}.",
        (
            Plot("again", "Share of customers who have ordered again", drawn(traces, 300, **layout)),
            _windows(windows),
            Grid(columns, _steps(rows), "The curve as figures", folded=True),
        ),
    )


def _steps(rows: list[Row]) -> list[Row]:
    """The last row up to each of a few numbers of days."""
    kept = {max((row["days"] for row in rows if row["days"] <= days), default=None) for days in _CURVE_ROWS}
    return [row for row in rows if row["days"] in kept]


def _windows(windows: list[Row]) -> Grid:
    columns = (
        Column("Within days", "window_days", whole),
        Column("Customers", "customers", whole),
        Column("Ordered again", "repeaters", whole),
        Column("Share", "repeat_rate", percent),
        Column("Low", "low_rate", percent),
        Column("High", "high_rate", percent),
        Column("Why there is none", "reason", is_optional=True),
    )
    return Grid(columns, windows, "Within fixed windows")
