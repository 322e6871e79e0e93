"""The value of a whole customer base: the model chosen on a holdout, the groups fitted, everyone valued.

Belongs here: what follows what, and what is said where there is too little to go by. Does not belong here: the steps
themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.lifetime.choice import COMPARISON_SCHEMA, Holdout, choose
from platform_assets.analytics.lifetime.fitting import MODELS
from platform_assets.analytics.lifetime.gamma_gamma import SpendFit
from platform_assets.analytics.lifetime.groups import GROUPS_SCHEMA, POOLED, GroupFits, fit_groups, spend_rows
from platform_assets.analytics.lifetime.model import TransactionModel
from platform_assets.analytics.lifetime.regularity import Regularity, regularity
from platform_assets.analytics.lifetime.summaries import Split
from platform_assets.analytics.lifetime.value import Around, Valuation, ValueSettings, customer_values, spend_fit
from platform_assets.analytics.lifetime.value_schemas import TOTALS_SCHEMA, VALUES_SCHEMA

LEAST = 50
"""Customers needed to fit a transaction model."""
LEAST_BACK = 10
"""Customers who came back, needed to fit a transaction model."""
GROUPINGS = ("cohort", "channel")


@dataclass(frozen=True)
class Evidence:
    """What is known of the orders up to the day of the view.

    Attributes:
        summaries: Gives rows of ``SUMMARIES_SCHEMA`` for a split, in the order of the ids.
        order_days: Rows of ``ORDER_DAYS_SCHEMA``.
        intervals: Rows of ``INTERVALS_SCHEMA``.
    """

    summaries: Callable[[Split], pa.Table]
    order_days: pa.Table
    intervals: pa.Table


@dataclass(frozen=True)
class CustomerBase:
    """A customer base on the day of the view.

    Attributes:
        now: Rows of ``SUMMARIES_SCHEMA`` on that day.
        model: The transaction model in use.
        models: Rows of ``COMPARISON_SCHEMA``; none where there was too little to compare by.
        fits: Fits of the model to all and to groups; ``None`` where there was too little.
        groups: Rows of ``GROUPS_SCHEMA``, of both groupings and of the spend model.
        spend: The spend model; ``None`` where there was too little.
        reason: Why there is no fit.
    """

    now: pa.Table
    model: TransactionModel
    models: pa.Table
    fits: GroupFits | None
    groups: pa.Table
    spend: SpendFit | None = None
    reason: str | None = None

    def valued(self, settings: ValueSettings, *horizons: int) -> list[Valuation]:
        """The value of everyone over each of the horizons (days), or why there is none."""
        of_horizons = [replace(settings, horizon_days=days) for days in horizons]
        if self.fits is None:
            nothing = TOTALS_SCHEMA.empty_table()
            return [Valuation(_without_value(self.now, one, self.reason), nothing) for one in of_horizons]
        around = Around.of(self.now, self.fits, self.spend, settings)
        return [customer_values(self.now, self.fits, self.spend, one, around) for one in of_horizons]


def customer_base(evidence: Evidence, as_of: date, holdout_days: int, recent_days: int) -> CustomerBase:
    """Choose a model by what the last days of the history were, and fit it to the whole of it.

    Args:
        evidence: What is known of the orders.
        as_of: The day of the view.
        holdout_days: How many days the models are compared on.
        recent_days: How many days count as recent.
    """
    split = as_of - timedelta(days=holdout_days)
    past, now = (evidence.summaries(Split(*at, recent_days)) for at in ((split, holdout_days), (as_of, 0)))
    model, models = MODELS[0], COMPARISON_SCHEMA.empty_table()
    if too_few(past) is None:
        known = evidence.order_days.filter(pc.field("first_order_date") <= split)
        model, models = choose(Holdout.of(past, split, holdout_days), known)
        models = _with_regularity(models, regularity(evidence.intervals))
    problem = too_few(now)
    if problem:
        return CustomerBase(now, model, models, None, GROUPS_SCHEMA.empty_table(), reason=problem)
    grouped = [fit_groups(model, now, grouping) for grouping in GROUPINGS]
    used = max(grouped, key=_gain)
    tables = [fits.to_table() if fits is used else _not_used(fits) for fits in grouped]
    spend = spend_fit(now)
    tables += [] if spend is None else [spend_rows(spend)]
    return CustomerBase(now, model, models, used, pa.concat_tables(tables), spend)


def too_few(summaries: pa.Table) -> str | None:
    """Why a transaction model cannot be fitted to customers; ``None`` where it can."""
    customers = summaries.num_rows
    back = int((summaries["frequency"].to_numpy() > 0).sum())
    if customers >= LEAST and back >= LEAST_BACK:
        return None
    return f"{customers} customers, of whom {back} came back: a model needs {LEAST}, of whom {LEAST_BACK} came back"


def _with_regularity(models: pa.Table, found: Regularity) -> pa.Table:
    told = {
        "regularity": found.k,
        "regularity_low": found.low,
        "regularity_high": found.high,
        "regularity_customers": found.customers,
    }
    return pa.Table.from_pylist([row | told for row in models.to_pylist()], COMPARISON_SCHEMA)


def _gain(fits: GroupFits) -> float:
    """What fits apart gain by Akaike's criterion; nothing where groups are not told apart."""
    return fits.likelihood_ratio - 2 * fits.degrees_of_freedom if fits.is_apart else 0.0


def _not_used(fits: GroupFits) -> pa.Table:
    """The rows of a grouping that nobody is scored by; its fit over all is that of the other."""
    pooled = replace(fits, p_value=1.0).to_table()
    test = fits.to_table()["p_value"]
    return pooled.set_column(pooled.column_names.index("p_value"), "p_value", test)


def _without_value(summaries: pa.Table, settings: ValueSettings, reason: str | None) -> pa.Table:
    rows = summaries.num_rows
    known = {
        "customer_id": summaries["customer_id"],
        "as_of_date": summaries["as_of_date"],
        "horizon_days": pa.array(np.full(rows, settings.horizon_days, dtype=np.int32)),
        "fitted_group": pa.array([POOLED] * rows, pa.string()),
        "has_own_spend": pa.array(summaries["spend_orders"].to_numpy() > 0, pa.bool_()),
        "reason": pa.array([reason] * rows, pa.string()),
    }
    return pa.table({one.name: known.get(one.name, pa.nulls(rows, one.type)) for one in VALUES_SCHEMA}, VALUES_SCHEMA)
