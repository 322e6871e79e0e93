from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.churn.actions import ActionRulesError, actions, read_actions
from platform_assets.analytics.churn.churn import CHURN_SCHEMA
from platform_assets.analytics.churn.retention import (
    MEASUREMENT_SCHEMA,
    RETENTION_SCHEMA,
    RetentionSettings,
    is_held_out,
    measurement,
    retention,
)

AS_OF = date(2024, 6, 30)
ANYONE = "{id: none, title: t, channel: c, when: {}, reason: r, measure: m}"
Customer = tuple[str, float | None, str | None, int, int]
"""Id, churn probability, value, orders, days since the last."""


def ranked(customers: list[Customer], settings: RetentionSettings | None = None, rules: str | None = None) -> pa.Table:
    ids = [one[0] for one in customers]
    churn = pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "as_of_date": pa.array([AS_OF] * len(ids), pa.date32()),
            "horizon_days": pa.array([90] * len(ids), pa.int32()),
            "days_since_last": pa.array([one[4] for one in customers], pa.int32()),
            "score": pa.array(["active"] * len(ids), pa.string()),
            "churn_rate": pa.array([one[1] for one in customers], pa.float64()),
            "reason": pa.array(["too few" if one[1] is None else None for one in customers], pa.string()),
        },
        schema=CHURN_SCHEMA,
    )
    amounts = [None if one[2] is None else Decimal(one[2]) for one in customers]
    values = pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "value_amount": pa.array(amounts, pa.decimal128(18, 4)),
            "value_basis": pa.array(["revenue"] * len(ids), pa.string()),
            "reason": pa.array(["no spend" if amount is None else None for amount in amounts], pa.string()),
        }
    )
    summaries = pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "frequency": pa.array([one[3] - 1 for one in customers], pa.int64()),
        }
    )
    chosen = None if rules is None else read_actions(rules)
    return retention(churn, values, summaries, settings or RetentionSettings(), chosen)


def test_customers_are_ranked_by_probability_times_value() -> None:
    people: list[Customer] = [
        ("gone", 0.99, "1", 2, 400),
        ("undecided", 0.5, "100", 4, 60),
        ("safe", 0.05, "200", 9, 3),
        ("twin", 0.5, "100", 4, 60),
        ("unknown", None, "50", 1, 9),
        ("priceless", 0.4, None, 1, 9),
    ]

    table = ranked(people)

    assert table.schema == RETENTION_SCHEMA
    rows = table.to_pylist()
    assert [row["customer_id"] for row in rows] == ["twin", "undecided", "safe", "gone", "priceless", "unknown"]
    assert [row["stake_rank"] for row in rows] == [1, 2, 3, 4, None, None]
    assert [row["value_at_stake_amount"] for row in rows[:4]] == list(map(Decimal, ("50", "50", "10", "0.99")))
    assert [row["reason"] for row in rows] == [None] * 4 + ["no spend", "too few"]


@pytest.mark.parametrize(
    ("customer", "action"),
    [
        (("a", 0.4, "900", 5, 30), "personal_contact"),
        (("a", 0.2, "900", 5, 30), "loyalty"),
        (("a", 0.9, "900", 2, 90), "win_back_offer"),
        (("a", 0.9, "900", 1, 120), "second_order"),
        (("a", 0.9, "900", 1, 121), "none"),
        (("a", 0.79, "0", 3, 90), "reminder"),
        (("a", 0.8, "0", 3, 90), "none"),
        (("a", None, "900", 3, 90), "none"),
    ],
)
def test_the_first_rule_that_holds_is_the_action(customer: Customer, action: str) -> None:
    others: list[Customer] = [(f"z{number:03}", 0.5, "1", 1, 300) for number in range(100)]

    table = ranked([customer, *others])

    rows = {row["customer_id"]: row for row in table.to_pylist()}
    assert rows["a"]["action"] == action
    rule = next(rule for rule in actions() if rule.id == action)
    assert (rows["a"]["action_title"], rows["a"]["action_reason"]) == (rule.title, rule.reason)


def test_one_in_ten_is_held_out_whoever_else_there_is() -> None:
    ids = [f"customer-{number}" for number in range(20_000)]

    held_out = is_held_out(ids, RetentionSettings())

    # four standard deviations of a share of a tenth
    assert abs(held_out.mean() - 0.1) < 4 * np.sqrt(0.09 / 20_000)
    assert is_held_out(ids[::-1], RetentionSettings()).tolist() == held_out[::-1].tolist()
    assert is_held_out(ids[7:9], RetentionSettings()).tolist() == held_out[7:9].tolist()


def test_another_campaign_holds_out_others_and_a_larger_share_holds_out_more_of_the_same() -> None:
    ids = [str(number) for number in range(5000)]
    first = is_held_out(ids, RetentionSettings())

    other = is_held_out(ids, RetentionSettings(campaign="autumn"))
    more = is_held_out(ids, RetentionSettings(held_out_rate=0.2))

    assert (first & other).mean() == pytest.approx(0.01, abs=0.006)
    assert more[first].all()
    assert more.mean() == pytest.approx(0.2, abs=0.03)
    assert not is_held_out(ids, RetentionSettings(held_out_rate=0.0)).any()


def test_measurement_tells_how_many_customers_an_effect_takes() -> None:
    people: list[Customer] = [(f"c{number:05}", 0.5, "10", 3, 40) for number in range(3000)]

    table = measurement(ranked(people), RetentionSettings(wanted_lift=0.2))

    assert table.schema == MEASUREMENT_SCHEMA
    rows = {row["action"]: row for row in table.to_pylist()}
    assert "none" not in rows
    # .5 against .6, one in ten held out: (1.95996 sqrt(.59 .41 (1/.1 + 1/.9)) + .84162 sqrt(.25/.1 + .24/.9))^2 / .01
    # = (3.21325 + 1.39989)^2 / .01 = 2128.1
    assert rows["reminder"]["customers_needed"] == 2129
    assert rows["reminder"]["is_measurable"]
    assert 0 < rows["reminder"]["detectable_lift_rate"] < 0.1
    assert rows["personal_contact"]["customers"] == 60
    assert not rows["personal_contact"]["is_measurable"]
    assert (rows["second_order"]["customers"], rows["second_order"]["customers_needed"]) == (0, None)


def test_where_nobody_is_held_out_nothing_can_be_measured() -> None:
    people: list[Customer] = [(f"c{number:05}", 0.5, "10", 3, 40) for number in range(3000)]
    nobody = RetentionSettings(held_out_rate=0.0)

    rows = {row["action"]: row for row in measurement(ranked(people, nobody), nobody).to_pylist()}

    assert (rows["reminder"]["customers"] > 2000, rows["reminder"]["held_out"]) == (True, 0)
    assert (rows["reminder"]["customers_needed"], rows["reminder"]["detectable_lift_rate"]) == (None, None)
    assert not any(row["is_measurable"] for row in rows.values())


def test_what_an_action_is_measured_by_is_what_its_customers_are_counted_for() -> None:
    measures = {rule.id: rule.measure for rule in actions() if rule.id != "none"}

    # customers_needed compares two shares of customers
    assert {name for name, measure in measures.items() if not measure.startswith("Share with ")} == set()


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("[{id: none, title: t}]", "has the keys id, title"),
        (f"[{ANYONE}, {ANYONE}]", "the same id: none"),
        ("[{id: all, title: t, channel: c, when: {}, reason: r, measure: m}]", "some customers may have none"),
        ("[{id: x, title: t, channel: c, when: {age: {from: 3}}, reason: r, measure: m}, " + ANYONE + "]", "age"),
        ("[{id: x, title: t, channel: c, when: {orders: {over: 3}}, reason: r, measure: m}, " + ANYONE + "]", "over"),
    ],
)
def test_a_rule_table_that_cannot_be_used_is_refused(rules: str, problem: str) -> None:
    with pytest.raises(ActionRulesError, match=problem):
        read_actions(rules)


def test_nobody_is_ranked_as_nobody() -> None:
    table = ranked([])

    assert table.num_rows == 0
    assert measurement(table, RetentionSettings())["customers"].to_pylist() == [0] * 5
