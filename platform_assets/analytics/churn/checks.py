"""What must hold of churn probabilities and retention actions.

Belongs here: counts of rows that break what must hold, and how good probabilities were. Does not belong here: what
follows from that.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import chi2_contingency

from platform_assets.analytics.churn.actions import NO_ACTION
from platform_assets.analytics.lifetime.checks import how_many

_ROUNDING = 0.01
"""Money may differ by so much where a product of rounded figures is compared with a rounded product."""
_LEAST_EXPECTED = 5
"""Customers that every cell of a table needs for the chi-squared test."""


def faulty_rates(churn: pa.Table) -> dict[str, int]:
    """How many rows of ``CHURN_SCHEMA`` break a rule, by what must hold; 0 where all is well."""
    rates = churn["churn_rate"]
    uncertain = pc.and_(pc.greater(rates, 0), pc.less(rates, 1))
    return {
        "one row per customer": churn.num_rows - pc.count_distinct(churn["customer_id"], mode="all").as_py(),
        "a probability or a reason": how_many(pc.equal(pc.is_null(rates), pc.is_null(churn["reason"]))),
        "nobody is certain": how_many(pc.invert(uncertain)),
        "days since the last order not negative": how_many(pc.less(churn["days_since_last"], 0)),
    }


def score_in_use(evaluation: pa.Table) -> dict[str, Any] | None:
    """How the score in use was judged: a row of ``EVALUATION_SCHEMA``; ``None`` if untried."""
    used: list[dict[str, Any]] = [row for row in evaluation.to_pylist() if row["is_used"]]
    return used[0] if used else None


def chosen_by(used: Mapping[str, Any]) -> str:
    """By which days the score of a row of ``EVALUATION_SCHEMA`` was chosen, in words."""
    day, days = used["choice_date"], used["horizon_days"]
    return f"chosen by the {days} days after {day}" if day else "not chosen, for the history before is too short"


def missed_bins(calibration: pa.Table, score: str) -> tuple[int, int]:
    """Of how many bins of a score the interval of what came does not hold what was expected, and how many there are."""
    rows = [row for row in calibration.to_pylist() if row["score"] == score]
    missed = sum(not row["churn_low_rate"] <= row["expected_churn_rate"] <= row["churn_high_rate"] for row in rows)
    return missed, len(rows)


def faulty_actions(ranked: pa.Table) -> dict[str, int]:
    """How many rows of ``RETENTION_SCHEMA`` break a rule, by what must hold; 0 where all is well."""
    stakes, action = ranked["value_at_stake_amount"], pc.fill_null(ranked["action"], "")
    staked = ranked.filter(stakes.is_valid()).sort_by("stake_rank")
    product = pc.multiply(staked["churn_rate"], staked["value_amount"].cast(pa.float64()))
    gaps = pc.abs(pc.subtract(product, staked["value_at_stake_amount"].cast(pa.float64())))
    places = np.sort(ranked["stake_rank"].drop_null().to_numpy())
    amounts = staked["value_at_stake_amount"]
    return {
        "stake is probability times value": how_many(pc.fill_null(pc.greater(gaps, _ROUNDING), fill_value=True)),
        "a stake or a reason": how_many(pc.equal(pc.is_null(stakes), pc.is_null(ranked["reason"]))),
        "ranks without gap": int(not np.array_equal(places, np.arange(1, staked.num_rows + 1))),
        "the most at stake first": how_many(pc.greater(amounts.slice(1), amounts.slice(0, max(len(amounts) - 1, 0)))),
        "an action for everyone": how_many(pc.equal(action, "")),
    }


def measurement_apart(measured: pa.Table, ranked: pa.Table) -> list[str]:
    """Actions whose customers, held out or with a stake, are not those of ``RETENTION_SCHEMA``, in words."""
    names = ("customers", "held_out", "value_at_stake_amount")
    ones = ranked.append_column("held", ranked["is_held_out"].cast(pa.int64()))
    sums = ones.group_by("action").aggregate([("customer_id", "count"), ("held", "sum"), (names[2], "sum")]).to_pylist()
    given = {row["action"]: (row["customer_id_count"], row["held_sum"], row[f"{names[2]}_sum"]) for row in sums}
    told = {row["action"]: tuple(row[name] for name in names) for row in measured.to_pylist()}
    found = [f"no row for {name}" for name in sorted(given.keys() - told.keys() - {NO_ACTION})]
    for name, figures in told.items():
        there = given.get(name, (0, 0, None))
        found += [
            f"{name}: {what} {told_here}, of its customers {here}"
            for what, told_here, here in zip(names, figures, there, strict=True)
            if told_here != here
        ]
    return found


def held_out_by_action(ranked: pa.Table) -> float | None:
    """How likely the held out are as unevenly spread over actions by chance; ``None`` where too few tell."""
    counts = ranked.group_by(["action", "is_held_out"]).aggregate([("customer_id", "count")]).to_pylist()
    counted = Counter({(row["action"], row["is_held_out"]): row["customer_id_count"] for row in counts})
    names = sorted({action for action, _ in counted})
    cells = [[counted[name, True], counted[name, False]] for name in names]
    out, total = sum(held for held, _ in cells), sum(map(sum, cells))
    large = [cell for cell in cells if total and sum(cell) * min(out, total - out) / total >= _LEAST_EXPECTED]
    return float(chi2_contingency(large).pvalue) if len(large) > 1 and any(one[0] for one in large) else None
