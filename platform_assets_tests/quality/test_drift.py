from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.quality.check_names import NULLS
from platform_assets.quality.deliveries import Delivery, History, Metric, accepted
from platform_assets.quality.drift import profile_metrics
from platform_assets.quality.drift_settings import DriftSettings
from platform_assets.quality.profiles import Profile
from platform_assets_tests.quality.profiling import history_of_profiles, profile

CONTRACT = CONTRACTS["superstore_sales"]
SETTINGS = DriftSettings()


def judged(now: Profile, past: Sequence[Profile]) -> dict[tuple[str, str], Metric]:
    metrics = profile_metrics(now, history_of_profiles(past), CONTRACT, SETTINGS)
    return {(metric.column, metric.name): metric for metric in metrics}


def test_nothing_is_judged_without_a_past() -> None:
    metrics = judged(profile(1000, missing={"region": 10}, negative=20), [])

    assert metrics
    assert not any(metric.is_judged or metric.is_outside for metric in metrics.values())


def test_after_one_good_load_lost_minus_signs_are_told_in_words() -> None:
    before = profile(9994, negative=1871, bins=[2000, 2000, 2000, 2000, 1994])
    now = profile(9994, negative=0, bins=[129, 3871, 2000, 2000, 1994])

    metrics = judged(now, [before])

    assert metrics["profit", "negative_share"].is_outside
    assert metrics["profit", "negative_share"].text == (
        "profit: 0 of 9,994 values are negative (0.0%); 1,871 of 9,994 (18.7%) before"
    )
    # 2,000 of 9,994 against 129, and 2,000 against 3,871: 0.1872 x ln(2000.5 / 129.5) + 0.1872 x ln(3871.5 / 2000.5)
    assert metrics["profit", "stability_index"].value == pytest.approx(0.636, abs=0.001)
    assert metrics["profit", "stability_index"].is_outside


def test_a_column_that_is_emptied_is_told_after_one_good_load() -> None:
    metric = judged(profile(1000, missing={"region": 1000}), [profile(1000, missing={"region": 3})])[
        "region", "missing_share"
    ]

    assert metric.is_outside
    assert metric.text == "region: 1,000 of 1,000 cells are empty (100.0%); 3 of 1,000 (0.3%) before"


@pytest.mark.parametrize("rows", [99, 0])
def test_a_small_delivery_is_not_judged_by_its_shares(rows: int) -> None:
    metrics = judged(profile(rows, missing={"region": rows}), [profile(1000)])

    assert not any(metric.is_judged for metric in metrics.values())


@pytest.mark.parametrize(
    ("good", "is_told"),
    [
        (7, False),  # 20 % against 10 %: after few, a large difference is asked for
        (8, True),  # the band of eight equal shares of 10 % reaches to 14.1 %
    ],
)
def test_a_band_is_drawn_from_eight_good_deliveries_on(good: int, *, is_told: bool) -> None:
    past = [profile(1000, missing={"region": 100})] * good

    assert judged(profile(1000, missing={"region": 200}), past)["region", "missing_share"].is_outside is is_told


def test_incidents_are_no_past() -> None:
    good, bad = profile(1000, missing={"region": 100}), profile(1000, missing={"region": 1000})
    history = history_of_profiles([good] * 8 + [bad] * 20)
    deliveries = [replace(one, gate_is_open=one.profile is good) for one in history.deliveries]

    metrics = profile_metrics(bad, replace(history, deliveries=tuple(deliveries)), CONTRACT, SETTINGS)

    assert [metric.column for metric in metrics if metric.is_outside] == ["region"]


def test_an_accepted_delivery_is_where_the_past_of_what_it_was_found_for_begins() -> None:
    history = history_of_profiles([profile(1000, missing={"region": 0, "city": 0})] * 10)
    found = Metric(family=NULLS, column="region", name="missing_share", value=1, low=0, high=0.02, is_outside=True)
    changed = profile(1000, missing={"region": 1000, "city": 0})
    incident = Delivery(id="x", landed_at="", staged="", files=1, profile=changed, metrics=(found,))
    history, _ = accepted(history.with_delivery(incident, 400), "the regions are gone")

    same = profile_metrics(changed, history, CONTRACT, SETTINGS)
    other = profile_metrics(profile(1000, missing={"region": 0, "city": 900}), history, CONTRACT, SETTINGS)

    assert not [metric.column for metric in same if metric.is_outside]
    # city is still held against all eleven deliveries, region against the accepted one alone
    assert sorted(metric.column for metric in other if metric.is_outside) == ["city", "region"]


def test_bins_of_other_edges_are_not_compared() -> None:
    now, before = profile(1000, bins=[900, 100]), profile(1000, bins=[100, 900])
    numbers = replace(before.numbers["profit"], edges=["7"])

    assert judged(now, [before])["profit", "stability_index"].is_outside
    assert ("profit", "stability_index") not in judged(now, [replace(before, numbers={"profit": numbers})])


def mix(**counts: int) -> Profile:
    return replace(profile(sum(counts.values())), categories={"segment": counts})


def test_a_category_that_is_gone_is_named() -> None:
    metric = judged(mix(Consumer=4000), [mix(Consumer=2000, Office=2000)])["segment", "stability_index"]

    assert metric.is_outside
    assert "'Office' has 0 of 4,000 rows (0.0%); 50.0% before" in metric.text


def test_new_categories_are_named_and_are_no_alarm_while_they_are_few() -> None:
    metrics = judged(mix(Consumer=3990, Pets=7, Toys=3), [mix(Consumer=4000)])

    assert not any(metric.is_outside for metric in metrics.values())
    assert metrics["segment", "new_categories"].text == "segment: new: 'Pets' (7 rows), 'Toys' (3 rows)"


def test_new_categories_are_an_alarm_when_they_take_over() -> None:
    assert judged(mix(Pets=4000), [mix(Consumer=4000)])["segment", "stability_index"].is_outside


def keys(different: int, values: int) -> Profile:
    return replace(profile(values), distinct={"order_id": (different, values)})


@pytest.mark.parametrize(
    ("now", "past", "is_judged", "is_told"),
    [
        (keys(500, 1000), [keys(500, 1000)] * 8, True, False),
        (keys(1, 1000), [keys(500, 1000)] * 8, True, True),
        (keys(1, 1000), [keys(500, 1000)] * 7, False, False),
        (keys(1, 2001), [keys(500, 1000)] * 8, False, False),  # more than twice the size
        (keys(1, 2000), [keys(500, 1000)] * 8, True, True),
    ],
)
def test_distinct_values_are_compared_between_deliveries_of_about_one_size(
    now: Profile, past: list[Profile], *, is_judged: bool, is_told: bool
) -> None:
    metric = judged(now, past)["order_id", "distinct_share"]

    assert (metric.is_judged, metric.is_outside) == (is_judged, is_told)


def test_ranges_of_personal_columns_are_not_told() -> None:
    columns = tuple(replace(column, personal=True) for column in CONTRACT.columns)
    now, before = profile(1000, bins=[900, 100]), profile(1000, bins=[100, 900])
    secret = replace(CONTRACT, columns=columns)

    found = profile_metrics(now, history_of_profiles([before]), secret, SETTINGS)

    texts = [metric.text for metric in found if metric.is_outside]
    assert len(texts) == 1
    assert texts[0].startswith("profit: values are distributed otherwise (index ")
    assert "below" not in texts[0]


def counts(history: History) -> Mapping[str, int]:
    return {one.id: one.profile.rows for one in history.deliveries}


def test_the_history_forgets_the_oldest() -> None:
    history = history_of_profiles([profile(rows) for rows in range(1, 21)])

    after = history.with_delivery(replace(history.deliveries[0], id="new"), most=20)

    assert list(counts(after)) == [*list(counts(history))[1:], "new"]
