from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import kstest

from platform_assets.analytics.lifetime.beta_geometric import MbgNbd
from platform_assets.analytics.lifetime.groups import GROUPS_SCHEMA, POOLED, fit_groups, group_labels

SLOW, FAST = (0.8, 30.0, 0.9, 1.8), (1.6, 6.0, 0.6, 3.0)


def customers(groups: dict[str, tuple[int, tuple[float, ...]]], seed: int = 1) -> pa.Table:
    """Simulated customers per channel."""
    rng = np.random.default_rng(seed)
    parts = []
    for channel, (size, theta) in groups.items():
        age = rng.integers(20, 100, size).astype(float)
        frequency, recency = MbgNbd().simulated(np.array(theta), age, rng)
        firsts = [date(2023, 6, 30) + timedelta(weeks=int(100 - weeks)) for weeks in age]
        parts.append(
            pa.table(
                {
                    "channel": pa.array([channel] * size, pa.string()),
                    "first_order_date": pa.array(firsts, pa.date32()),
                    "frequency": frequency.astype(np.int64),
                    "recency_weeks": recency,
                    "age_weeks": age,
                }
            )
        )
    return pa.concat_tables(parts)


def test_channels_that_differ_are_fitted_apart() -> None:
    fits = fit_groups(MbgNbd(), customers({"app": (1500, FAST), "web": (1500, SLOW), "fax": (40, SLOW)}), "channel")

    assert fits.is_apart
    assert fits.degrees_of_freedom == 4
    assert fits.p_value < 1e-6
    assert fits.likelihood_ratio > 50
    assert fits.used("app")[0] == "app"
    assert fits.used("fax") == (POOLED, fits.pooled)
    assert fits.used("unheard of")[0] == POOLED
    assert fits.pooled.customers == 3040


def test_channels_that_are_alike_are_fitted_together() -> None:
    fits = fit_groups(MbgNbd(), customers({"app": (1000, SLOW), "web": (1000, SLOW)}), "channel")

    assert not fits.is_apart
    assert set(fits.by_group) == {"app", "web"}
    assert fits.used("app")[0] == POOLED


def test_the_test_is_as_often_wrong_as_it_says() -> None:
    p_values = [
        fit_groups(MbgNbd(), customers({"a": (600, FAST), "b": (600, FAST)}, seed), "channel").p_value
        for seed in range(24)
    ]

    assert kstest(p_values, "uniform").pvalue > 0.001


def test_one_large_group_has_nothing_to_differ_from() -> None:
    fits = fit_groups(MbgNbd(), customers({"app": (600, SLOW), "web": (499, FAST)}), "channel")

    assert (fits.is_apart, fits.degrees_of_freedom, fits.p_value) == (False, 0, 1.0)
    rows = fits.to_table().to_pylist()
    assert {row["fitted_group"]: row["is_used"] for row in rows} == {POOLED: True, "app": False}
    assert {row["p_value"] for row in rows} == {None}


def test_the_table_has_a_row_per_group_and_parameter() -> None:
    table = fit_groups(MbgNbd(), customers({"app": (700, FAST), "web": (700, SLOW)}), "channel").to_table()

    assert table.schema == GROUPS_SCHEMA
    rows = table.to_pylist()
    assert [row["parameter"] for row in rows] == ["r", "alpha", "a", "b"] * 3
    assert all(row["standard_error"] > 0 for row in rows)
    assert all(row["is_used"] for row in rows)


def test_cohorts_are_years_of_the_first_order_and_a_missing_channel_has_a_name() -> None:
    table = pa.table({
        "channel": pa.array(["web", None]),
        "first_order_date": pa.array([date(2023, 12, 31), date(2024, 1, 1)]),
    })  # fmt: skip

    assert group_labels(table, "cohort") == ["2023", "2024"]
    assert group_labels(table, "channel") == ["web", "unknown"]
    with pytest.raises(ValueError, match="shoe size"):
        group_labels(table, "shoe size")
