"""Who is worth keeping, what to do, and whom to leave alone so that the effect can be measured."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from platform_assets.analytics.churn.actions import NO_ACTION, Action, actions
from platform_assets.analytics.churn.calibration import Flags
from platform_assets.analytics.churn.measurement import customers_needed, detectable_lift
from platform_assets.analytics.lifetime.histories import Array
from platform_assets.engines.engine import MONEY

_BITS = 64

RETENTION_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("churn_rate", pa.float64()),
        ("value_amount", MONEY),
        ("value_basis", pa.string()),
        ("value_at_stake_amount", MONEY),
        ("stake_rank", pa.int64()),
        ("action", pa.string()),
        ("action_title", pa.string()),
        ("action_channel", pa.string()),
        ("action_reason", pa.string()),
        ("is_held_out", pa.bool_()),
        ("reason", pa.string()),
    ]
)
"""One row per customer, the most at stake first.

- ``value_amount``: expected value within the horizon; ``value_basis``: what that is, see ``lifetime.value_schemas``
- ``value_at_stake_amount``: ``churn_rate`` times ``value_amount``: large for those who matter and are undecided, small
  for those who are gone (no value to expect) as for those who stay anyway (no churn). No promise of what an action wins
- ``stake_rank``: 1 for the most at stake, ties by id; missing with the stake
- ``action``: of the rule table; ``action_title``, ``action_channel``, ``action_reason``: from there
- ``is_held_out``: one in ten by hash of id: no action is taken, whatever the rule says, so that its effect can be
  measured; the same customers in every run
- ``reason``: why there is no value at stake; missing where there is one
"""

MEASUREMENT_SCHEMA = pa.schema(
    [
        ("action", pa.string()),
        ("customers", pa.int64()),
        ("held_out", pa.int64()),
        ("value_at_stake_amount", MONEY),
        ("expected_active_rate", pa.float64()),
        ("wanted_lift_rate", pa.float64()),
        ("customers_needed", pa.int64()),
        ("is_measurable", pa.bool_()),
        ("detectable_lift_rate", pa.float64()),
        ("measure", pa.string()),
    ]
)
"""One row per action: can its effect be seen with the customers there are?

- ``customers``: with that action, those held out among them; ``held_out``: so many of them
- ``expected_active_rate``: mean probability of an order within the horizon when nothing is done
- ``measure``: what shows the effect, first of all that probability, for which the numbers of this row are
- ``wanted_lift_rate``: the rise of that probability, in absolute terms, that should not be missed
- ``customers_needed``: to see it with a power of 80 % at a two-sided level of 5 %; missing where nobody is held out
- ``is_measurable``: whether there are so many; ``detectable_lift_rate``: the rise that those there are can show;
  missing where nobody, or nobody else, is held out
"""


@dataclass(frozen=True)
class RetentionSettings:
    """How customers are held out and effects measured.

    Attributes:
        held_out_rate: Share of customers held out.
        campaign: Part of the hash: another name holds out other customers. It must not change while effects are
            measured.
        wanted_lift: Rise of the share with an order that should not be missed, relative to the share expected.
    """

    held_out_rate: float = 0.10
    campaign: str = "retention"
    wanted_lift: float = 0.20


def is_held_out(customer_ids: Iterable[str], settings: RetentionSettings) -> Flags:
    """Who is left alone: by hash of the id, so for ever the same, and with no regard to anything known of them."""
    limit = int(settings.held_out_rate * 2**_BITS)
    key = settings.campaign.encode()
    numbers = (hashlib.blake2b(one.encode(), digest_size=_BITS // 8, key=key).digest() for one in customer_ids)
    return np.array([int.from_bytes(number, "big") < limit for number in numbers], dtype=bool)


def retention(
    churn: pa.Table,
    values: pa.Table,
    summaries: pa.Table,
    settings: RetentionSettings,
    rules: Sequence[Action] | None = None,
) -> pa.Table:
    """Rank customers by what is at stake and give each an action.

    Args:
        churn: Rows of ``CHURN_SCHEMA``.
        values: Rows of lifetime's ``VALUES_SCHEMA`` over the same horizon.
        summaries: Rows of ``SUMMARIES_SCHEMA``; each table has one row per customer.
        settings: Who is held out.
        rules: Instead of the platform's.

    Returns:
        Rows of ``RETENTION_SCHEMA``, the most at stake first.
    """
    rules = actions() if rules is None else rules
    table = churn.join(
        values.select(["customer_id", "value_amount", "value_basis", "reason"]),
        "customer_id",
        right_suffix="_value",
        join_type="inner",
    )
    table = table.join(summaries.select(["customer_id", "frequency"]), "customer_id", join_type="inner")
    table = table.sort_by("customer_id")
    stake = _floats(table, "churn_rate") * _floats(table, "value_amount")
    order = np.argsort(np.where(np.isnan(stake), np.inf, -stake), kind="stable")
    table, stake = table.take(order), stake[order]
    chosen = _chosen(rules, _measures(table, stake))
    return _table(table, stake, chosen, settings)


def measurement(ranked: pa.Table, settings: RetentionSettings, rules: Sequence[Action] | None = None) -> pa.Table:
    """Whether the effect of each action can be seen.

    Args:
        ranked: Rows of ``RETENTION_SCHEMA``.
        settings: As they were ranked with.
        rules: As they were ranked with.

    Returns:
        Rows of ``MEASUREMENT_SCHEMA``, for every action but that of doing nothing.
    """
    named = np.array(ranked["action"].to_pylist(), dtype=object)
    lines = [
        _measurement_line(rule, ranked.filter(pa.array(named == rule.id, pa.bool_())), settings)
        for rule in (actions() if rules is None else rules)
        if rule.id != NO_ACTION
    ]
    return pa.Table.from_pylist(lines, schema=MEASUREMENT_SCHEMA)


def _measurement_line(rule: Action, mine: pa.Table, settings: RetentionSettings) -> dict[str, Any]:
    customers, held_out = mine.num_rows, sum(mine["is_held_out"].to_pylist())
    line = {"action": rule.id, "customers": customers, "held_out": held_out, "measure": rule.measure}
    if not customers:
        return line | {"is_measurable": False}
    base = 1 - float(_floats(mine, "churn_rate").mean())
    lift = min(settings.wanted_lift * base, (1 - base) / 2)
    needed = customers_needed(base, lift, settings.held_out_rate)
    stakes = [stake for stake in mine["value_at_stake_amount"].to_pylist() if stake is not None]
    return line | {
        "value_at_stake_amount": sum(stakes) if stakes else None,
        "expected_active_rate": base,
        "wanted_lift_rate": lift,
        "customers_needed": needed,
        "is_measurable": needed is not None and customers >= needed and 0 < held_out < customers,
        "detectable_lift_rate": detectable_lift(base, customers - held_out, held_out),
    }


def _measures(table: pa.Table, stake: Array) -> dict[str, Array]:
    known = ~np.isnan(stake)
    place = np.where(known, np.arange(len(stake)) / max(len(stake), 1), np.nan)
    return {
        "churn_rate": _floats(table, "churn_rate"),
        "orders": _floats(table, "frequency") + 1,
        "silent_days": _floats(table, "days_since_last"),
        "stake_top": place,
    }


def _chosen(rules: Sequence[Action], measures: dict[str, Array]) -> list[Action]:
    """The first rule that applies to each customer."""
    first = np.argmax(np.array([rule.applies(measures) for rule in rules]), axis=0)
    return [rules[number] for number in first]


def _table(table: pa.Table, stake: Array, chosen: list[Action], settings: RetentionSettings) -> pa.Table:
    known = ~np.isnan(stake)
    reasons = zip(table["reason"].to_pylist(), table["reason_value"].to_pylist(), strict=True)
    columns = {name: table[name] for name in ("customer_id", "as_of_date", "horizon_days", "churn_rate")}
    columns |= {name: table[name] for name in ("value_amount", "value_basis")}
    columns |= {
        "value_at_stake_amount": pa.array(np.round(stake, 4), pa.float64(), from_pandas=True).cast(MONEY),
        "stake_rank": pa.array(np.arange(1, len(stake) + 1), pa.int64(), mask=~known),
        "action": pa.array([rule.id for rule in chosen], pa.string()),
        "action_title": pa.array([rule.title for rule in chosen], pa.string()),
        "action_channel": pa.array([rule.channel for rule in chosen], pa.string()),
        "action_reason": pa.array([rule.reason for rule in chosen], pa.string()),
        "is_held_out": pa.array(is_held_out(table["customer_id"].to_pylist(), settings), pa.bool_()),
        "reason": pa.array([first or second for first, second in reasons], pa.string()),
    }
    return pa.table(columns).select(RETENTION_SCHEMA.names).cast(RETENTION_SCHEMA)


def _floats(table: pa.Table, name: str) -> Array:
    """A column as floats, NaN where it is missing."""
    values: Array = table[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return values
