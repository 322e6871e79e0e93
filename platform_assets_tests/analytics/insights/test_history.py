from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from platform_assets.analytics.anomalies.judgement import Judgement, judge_sales, order_outliers_table
from platform_assets.analytics.anomalies.measures import Panel, SeriesKey
from platform_assets.analytics.anomalies.prices import no_products
from platform_assets.analytics.insights import checks
from platform_assets.analytics.insights.history import (
    changes_history,
    report_history,
    reported_table,
    reported_weeks,
    reports_table,
)
from platform_assets.analytics.largest import MOST_SEGMENTS, OTHERS
from platform_assets.engines.engine import Engine
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets_tests.analytics.anomalies.sales import sale, sales
from platform_assets_tests.analytics.insights.panels import CHANGES, START, WEEKS, panel
from platform_assets_tests.conftest import make_test_engine

LAST = START + timedelta(days=7 * (WEEKS - 1))
SUNDAY = LAST + timedelta(days=6)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_test_engine("duckdb", tmp_path)
    yield made
    made.close()


@pytest.fixture
def empty(engine: Engine) -> Judgement:
    none = engine.from_arrow(SALES_SCHEMA.empty_table())
    return judge_sales(none, engine.from_arrow(no_products()), SUNDAY, engine)


def judgement(empty: Judgement, weekly: Panel) -> Judgement:
    return Judgement(
        judged={},
        incidents=[],
        weekly={"shop": weekly},
        outliers=empty.outliers,
        distances=empty.distances,
        lines=empty.lines,
    )


def test_without_sales_there_is_nothing_to_report_and_no_failure(empty: Judgement) -> None:
    reports = report_history(empty, SUNDAY)
    changes, contributions = changes_history(empty.weekly, [LAST])

    tables = (reported_table(reports), reports_table(reports, 0.1), changes, contributions)
    assert [table.num_rows for table in (*tables, order_outliers_table(empty.outliers))] == [0] * 5
    assert empty.weeks == 1


def test_the_weeks_of_the_sales_that_are_over_are_reported_on_the_newest_last() -> None:
    weekly = {"shop": panel(1)[0]}

    assert reported_weeks(weekly, SUNDAY) == [START + timedelta(days=7 * number) for number in range(WEEKS)]
    assert reported_weeks(weekly, SUNDAY - timedelta(days=1))[-1] == LAST - timedelta(days=7)
    assert reported_weeks(weekly, SUNDAY, 2) == [LAST - timedelta(days=7), LAST]


def test_weeks_without_enough_history_cannot_be_spoken_of_and_say_why(empty: Judgement) -> None:
    rows = reports_table(report_history(judgement(empty, panel(1)[0]), SUNDAY), 0.1).to_pylist()

    silent = [row for row in rows if row["reason"]]
    assert [row["week_date"] for row in silent] == [START + timedelta(days=7 * number) for number in range(10)]
    assert {(row["tests"], row["reason"]) for row in silent} == {(0, "too little history")}
    assert all(row["summary"].startswith("Cannot say") for row in silent)
    assert all(row["tests"] > 0 for row in rows[10:])


def test_findings_are_kept_with_their_week_and_counted_in_their_report(empty: Judgement) -> None:
    weekly, changed = panel(1, CHANGES)

    reports = report_history(judgement(empty, weekly), SUNDAY)

    found, counted = reported_table(reports), reports_table(reports, 0.1)
    last = [row["segment"] for row in found.to_pylist() if row["week_date"] == LAST]
    assert set(last) & {key.segment for key in changed}
    assert checks.broken_insights(found, counted) == []


def test_what_the_week_before_showed_is_no_news(empty: Judgement) -> None:
    weekly, changed = panel(1, CHANGES)
    again = {name: np.hstack([values, values[:, -1:]]) for name, values in weekly.values.items()}
    longer = Panel(weekly.start, 7, weekly.keys, again)

    reports = report_history(judgement(empty, longer), SUNDAY + timedelta(days=7))

    themes = [{one.candidate.theme_id: one.is_new for one in report.insights} for report in reports[-2:]]
    assert any(themes[0].values())
    assert changed
    assert {theme: is_new for theme, is_new in themes[1].items() if is_new is (theme in themes[0])} == {}


def test_of_thousands_of_segments_the_largest_are_looked_at_and_the_others_as_one(engine: Engine) -> None:
    rows = [
        sale(datetime(2024, 1, 1 + week * 7), category=f"c{number:03}", net=str(10 + number), order_id=f"{number}")
        for number in range(MOST_SEGMENTS + 2)
        for week in range(2)
    ]

    found = judge_sales(engine.from_arrow(sales(rows)), engine.from_arrow(no_products()), date(2024, 1, 14), engine)

    largest = [f"c{number:03}" for number in range(2, MOST_SEGMENTS + 2)]
    for panels in (found.weekly, {name: one.panel for name, one in found.judged.items()}):
        assert [key.segment for key in panels["shop"].keys if key.dimension == "category"] == [OTHERS, *largest]
    others = found.weekly["shop"].row(SeriesKey("shop", "category", OTHERS))
    assert found.weekly["shop"].values["net_amount"][others].tolist() == [21, 21]
    assert found.weekly["shop"].values["orders"][others].tolist() == [2, 2]


def test_the_changes_of_every_week_close() -> None:
    weekly = {"shop": panel(2)[0]}

    changes, contributions = changes_history(weekly, reported_weeks(weekly, SUNDAY))

    # Each of 60 segments in all weeks but the first four, which have none to compare them with.
    assert changes.num_rows == contributions.num_rows == 60 * (WEEKS - 4)
    assert checks.broken_changes(changes) == []
    assert checks.broken_contributions(contributions, changes) == []
