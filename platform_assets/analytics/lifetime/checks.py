"""What must hold of lifetime values.

Belongs here: counts of rows that break what must hold, and how far the model in use was off. Does not belong here:
what follows from that.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.lifetime.groups import POOLED, SPEND
from platform_assets.analytics.lifetime.regularity import Regularity

_ROUNDING = Decimal("0.0001")


def how_many(flags: pa.ChunkedArray) -> int:
    """How many of them are true."""
    count: int = pc.sum(flags).as_py() or 0
    return count


def outside(values: pa.ChunkedArray, least: float, most: float) -> pa.ChunkedArray:
    """Which values are not from the least to the most; one that is missing is not known to be, one that is NaN is."""
    return pc.invert(pc.and_(pc.greater_equal(values, least), pc.less_equal(values, most)))


def faulty_values(values: pa.Table) -> dict[str, int]:
    """How many rows of ``VALUES_SCHEMA`` break a rule, by what must hold; 0 where all is well."""
    value, low, high = (values[f"value{name}_amount"] for name in ("", "_low", "_high"))
    poor, rich = values["outcome_low_amount"], values["outcome_high_amount"]
    pairs = ((low, value), (value, high), (low, high), (poor, rich))
    wrong_way = reduce(pc.or_, (pc.fill_null(pc.greater(*pair), fill_value=False) for pair in pairs))
    most = pc.multiply(values["expected_orders"], 1 + 1e-9)
    return {
        "one row per customer": values.num_rows - pc.count_distinct(values["customer_id"], mode="all").as_py(),
        "a value or a reason": how_many(pc.equal(pc.is_null(value), pc.is_null(values["reason"]))),
        "rates between 0 and 1": sum(how_many(outside(values[name], 0, 1)) for name in ("alive_rate", "active_rate")),
        "orders not negative": how_many(pc.less(values["expected_orders"], 0)),
        "discounted orders not above orders": how_many(pc.greater(values["discounted_orders"], most)),
        "intervals in order": how_many(wrong_way),
    }


def totals_apart(values: pa.Table, totals: pa.Table) -> dict[str, Decimal]:
    """Per kind of value, how far its total is from the sum of its rows, beyond rounding."""
    known = values.filter(values["value_amount"].is_valid())
    sums = known.group_by("value_basis").aggregate([("value_amount", "sum"), ("value_amount", "count")]).to_pylist()
    summed = {row["value_basis"]: (row["value_amount_sum"], row["value_amount_count"]) for row in sums}
    told = {row["value_basis"]: row["value_amount"] for row in totals.to_pylist()}
    gaps = {}
    for kind in sorted({*told, *summed}):
        amount, rows = summed.get(kind, (Decimal(0), 0))
        gap = abs(told.get(kind, Decimal(0)) - amount)
        gaps[kind] = max(gap - _ROUNDING * (rows + 1), Decimal(0))
    return gaps


def faulty_groups(groups: pa.Table, values: pa.Table) -> dict[str, int]:
    """How many groupings and customers break a rule of ``GROUPS_SCHEMA``, by what must hold; 0 where all is well."""
    rows = [row for row in groups.to_pylist() if row["grouping"] != SPEND]
    used = {(row["model"], row["fitted_group"]) for row in rows if row["is_used"]}
    pooled = {row["grouping"] for row in rows if row["is_used"] and row["fitted_group"] == POOLED}
    modelled = values.filter(values["model"].is_valid())
    scored = modelled.group_by(["model", "fitted_group"]).aggregate([("customer_id", "count")]).to_pylist()
    return {
        "a fit to all in every grouping": len({row["grouping"] for row in rows} - pooled),
        "customers scored with a fit in use": sum(
            row["customer_id_count"] for row in scored if (row["model"], row["fitted_group"]) not in used
        ),
    }


def unsettled_fits(groups: pa.Table) -> list[str]:
    """The fits in use whose parameters were not found, with their models."""
    rows = groups.filter(pc.and_(groups["is_used"], pc.invert(groups["is_converged"]))).to_pylist()
    return sorted({f"{row['model']} of {row['fitted_group']}" for row in rows})


def spend_correlation(groups: pa.Table) -> float | None:
    """The correlation of orders and spend, of which the spend model supposes none; ``None`` without such a model."""
    known: list[float] = groups["correlation"].drop_null().to_pylist()
    return known[0] if known else None


def valued_share(values: pa.Table) -> tuple[float | None, Mapping[str, int]]:
    """The share of customers with a value, ``None`` of nobody, and how many have none, by reason."""
    if not values.num_rows:
        return None, {}
    counted = pc.value_counts(pc.drop_null(values["reason"].combine_chunks())).to_pylist()
    known = values.num_rows - values["value_amount"].null_count
    return known / values.num_rows, {line["values"]: line["counts"] for line in counted}


def model_in_use(models: pa.Table) -> dict[str, float | str | None] | None:
    """How the model in use did on the holdout: its name, bias, tracking error and correlation; ``None`` if untried."""
    used = [row for row in models.to_pylist() if row["is_chosen"]]
    names = ("model", "bias_rate", "tracking_error_rate", "correlation")
    return {name: used[0][name] for name in names} if used else None


def regularity_told(models: pa.Table) -> Regularity:
    """How regular orders are by rows of ``COMPARISON_SCHEMA``, each of which tells it; nothing where there is none."""
    names = ("regularity_customers", "regularity", "regularity_low", "regularity_high")
    rows = models.select(names).to_pylist()
    return Regularity(*(rows[0][name] for name in names)) if rows else Regularity(0)
