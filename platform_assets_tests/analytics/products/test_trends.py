import random
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import norm

from platform_assets.analytics.products.trends import (
    CHANGES_SCHEMA,
    TRENDS_SCHEMA,
    WeeklySales,
    category_changes,
    category_trends,
    weekly_category_sales,
)
from platform_assets.engines.engine import Engine
from platform_assets_tests.analytics.products.shop import CURRENCIES, line, product, products, sales

MONDAY = date(2023, 1, 2)
WEEKS = 104


def weekly(**series: object) -> WeeklySales:
    return WeeklySales(MONDAY, {("shop", name, "EUR"): np.asarray(values, float) for name, values in series.items()})


def noisy(seed: int, growth: float = 0.0) -> np.ndarray:
    at = np.arange(WEEKS) / 52.18
    return 1000 * (1 + growth) ** at * np.exp(np.random.default_rng(seed).normal(0, 0.08, WEEKS))


def test_weeks_run_from_monday_and_only_those_that_are_over_count(engine: Engine) -> None:
    lines = [
        line("P1", MONDAY, 1), line("P1", MONDAY + timedelta(days=6), 2), line("P1", MONDAY + timedelta(days=7), 4),
        line("P1", MONDAY + timedelta(days=21), 8), line("P2", MONDAY + timedelta(days=8), 16),
        line("P2", MONDAY + timedelta(days=9), -6, is_return=True), line("P3", MONDAY, 99), line(None, MONDAY, 99),
        line("P1", MONDAY, 32, source_system="market"),
    ]  # fmt: skip
    kinds = products(engine, [product("P1", "Toys"), product("P2", "Games"), product("P3")])

    for days, weeks in ((19, 2), (20, 3), (27, 4)):
        as_of = MONDAY + timedelta(days=days)
        found = weekly_category_sales(sales(engine, lines), kinds, CURRENCIES, as_of, engine)
        assert found.first_week == MONDAY
        assert {key: list(values) for key, values in found.series.items()} == {
            ("shop", "Games", "EUR"): pytest.approx([np.nan, 10, 0, 0][:weeks], nan_ok=True),
            ("shop", "Toys", "EUR"): pytest.approx([3, 4, 0, 8][:weeks]),
            ("market", "Toys", "USD"): pytest.approx([32, 0, 0, 0][:weeks]),
        }


def test_the_growth_of_a_year_is_found_and_its_interval_holds_the_truth() -> None:
    table = category_trends(weekly(up=noisy(1, 0.3), flat=noisy(2), down=noisy(3, -0.4)))

    assert table.schema == TRENDS_SCHEMA
    for row, truth in zip(table.to_pylist(), (0.3, 0.0, -0.4), strict=True):
        assert row["growth_per_year_rate"] == pytest.approx(truth, abs=0.06)
        assert row["low_rate"] - 0.02 < truth < row["high_rate"] + 0.02
        assert (row["p_value"] < 0.001) == bool(truth)
        assert (row["weeks"], row["first_week_date"], row["last_week_date"]) == (104, MONDAY, date(2024, 12, 23))


def test_two_years_of_the_same_season_are_no_trend() -> None:
    rising = np.tile(np.linspace(0.5, 1.5, 52), 2) * noisy(6)

    (row,) = category_trends(weekly(christmas=rising)).to_pylist()

    assert row["growth_per_year_rate"] == pytest.approx(0, abs=0.06)
    assert row["p_value"] > 0.05


def test_the_interval_is_that_of_the_slopes_between_the_same_weeks_of_two_years() -> None:
    # Thirteen seasons of four weeks; each grows by another rate from the first year to the second.
    rates = np.arange(13) / 100
    second = np.repeat(100 * (1 + rates), 4)

    (row,) = category_trends(weekly(a=np.concatenate([np.full(52, 100.0), second]))).to_pylist()

    # S = 12 of 13 (one rate is 0), its variance 13 x 2 x 1 x 9 / 18; half of 1.96 deviations are 3.53 places.
    year = 365.25 / 364
    assert row["growth_per_year_rate"] == pytest.approx(1.06**year - 1)
    assert row["low_rate"] == pytest.approx((1.02**0.53 * 1.03**0.47) ** year - 1, abs=1e-3)
    assert row["high_rate"] == pytest.approx((1.09**0.47 * 1.10**0.53) ** year - 1, abs=1e-3)
    assert row["p_value"] == pytest.approx(2 * norm.sf(11 / 13**0.5))


def test_a_category_that_is_new_has_no_trend_and_the_reason_says_so() -> None:
    row = category_trends(weekly(new=[np.nan] * 90 + [5.0] * 14)).to_pylist()[0]

    assert (row["growth_per_year_rate"], row["weeks"]) == (None, 14)
    assert row["reason"] == "14 complete weeks: a trend takes 104, or seasons look like one"


def test_a_category_that_changes_level_is_found_and_the_others_are_not_blamed() -> None:
    season = 1 + 0.5 * np.sin(np.arange(WEEKS) / 52 * 2 * np.pi)
    season[50:53] *= 2.5  # Christmas
    fallen = noisy(5) * np.where(np.arange(WEEKS) >= 60, 0.6, 1.0)
    series = {name: noisy(seed) * season for name, seed in (("a", 1), ("b", 2), ("c", 3), ("d", 4))}

    table = category_changes(weekly(**series, e=fallen * season), seed=1)

    assert table.schema == CHANGES_SCHEMA
    significant = [row for row in table.to_pylist() if row["is_significant"]]
    assert [row["category"] for row in significant] == ["e"]
    (row,) = significant
    assert abs(row["change_date"] - (MONDAY + timedelta(weeks=60))) <= timedelta(weeks=2)
    assert row["change_rate"] == pytest.approx(-0.4, abs=0.1)
    assert row["low_rate"] < row["change_rate"] < row["high_rate"]
    assert row["is_against_others"]


def test_a_lone_category_is_judged_by_itself() -> None:
    (row,) = category_changes(weekly(a=noisy(1) * np.where(np.arange(WEEKS) >= 50, 2, 1)), seed=1).to_pylist()

    assert not row["is_against_others"]
    assert row["change_rate"] == pytest.approx(1, abs=0.3)
    assert row["after_amount"] / row["before_amount"] == pytest.approx(2, abs=0.4)


def test_the_order_of_the_lines_does_not_matter(engine: Engine) -> None:
    chance = random.Random(4)
    lines = [line(f"P{chance.randrange(3)}", MONDAY + timedelta(days=chance.randrange(280)), 5) for _ in range(300)]
    kinds = products(engine, [product(f"P{n}", f"C{n}") for n in range(3)])
    as_of = MONDAY + timedelta(days=279)

    tables = [
        category_changes(weekly_category_sales(sales(engine, some), kinds, CURRENCIES, as_of, engine), seed=3)
        for some in (lines, lines[::-1])
    ]

    assert tables[0].equals(tables[1])
