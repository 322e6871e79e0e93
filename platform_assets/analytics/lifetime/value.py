"""What each customer will be worth over a horizon, discounted to the day of the view, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from platform_assets.analytics.lifetime.bootstrap import parameter_draws, spend_draws
from platform_assets.analytics.lifetime.gamma_gamma import SpendFit, fit_spend
from platform_assets.analytics.lifetime.groups import GroupFits, group_labels
from platform_assets.analytics.lifetime.histories import Array, Histories, Places
from platform_assets.analytics.lifetime.model import Fit
from platform_assets.analytics.lifetime.orders_ahead import Chance, Horizon, OrdersAhead, orders_ahead
from platform_assets.analytics.lifetime.value_schemas import TOTALS_SCHEMA, VALUES_SCHEMA
from platform_assets.analytics.lifetime.worth import ESTIMATED, MARGIN, REVENUE, floats, paid_share, spent, worth

NO_FIGURE = "the transaction model has no finite expectation for what the customer did"
TOO_FEW = "too few customers came back with money in their orders to model it"
_BLOCK = 20_000
_COMPUTED = ("alive", "active", "expected", "discounted", "spend", "value", "low", "high", "poor", "rich")
_ANY_SPEND = (1e6, 1e6)
"""Shapes of a spend that hardly varies: where spend is not modelled, outcomes are orders."""


@dataclass(frozen=True)
class ValueSettings:
    """How value is reckoned.

    Attributes:
        horizon_days: How far ahead.
        discount_rate: Per year; 0.1 means that money in a year counts 1/1.1.
        level: Share of cases that intervals are to hold.
        draws: Bootstrap fits.
        futures: Simulated futures per history.
        seed: Of all chance.
    """

    horizon_days: int = 365
    discount_rate: float = 0.10
    level: float = 0.80
    draws: int = 40
    futures: int = 400
    seed: int = 0

    @property
    def horizon(self) -> Horizon:
        """The horizon in weeks."""
        return Horizon(self.horizon_days / 7, self.discount_rate)

    @property
    def tails(self) -> tuple[float, float]:
        """The two quantiles of an interval."""
        return (1 - self.level) / 2, (1 + self.level) / 2


@dataclass(frozen=True)
class Valuation:
    """The value of customers.

    Attributes:
        values: Rows of ``VALUES_SCHEMA``, in the order of the summaries.
        totals: Rows of ``TOTALS_SCHEMA``.
    """

    values: pa.Table
    totals: pa.Table


def spend_fit(summaries: pa.Table) -> SpendFit | None:
    """The spend model of the customers in rows of ``SUMMARIES_SCHEMA``."""
    return fit_spend(*spent(summaries))


@dataclass(frozen=True)
class Around:
    """Parameters drawn around the fits. They are the same for every horizon.

    Attributes:
        orders: Of the transaction model, by group.
        spend: Of the spend model; ``None`` where there is none to use.
    """

    orders: Mapping[str, Array]
    spend: Array | None

    @classmethod
    def of(cls, summaries: pa.Table, fits: GroupFits, spend: SpendFit | None, settings: ValueSettings) -> "Around":
        """Draw them; the arguments are those of ``customer_values``."""
        rng = np.random.default_rng(settings.seed)
        money = None if spend is None or spend.problem else spend_draws(spend, spent(summaries)[0], settings.draws, rng)
        groups, used = _used(summaries, fits)
        ages = summaries["age_weeks"].to_numpy()
        orders = {
            group: parameter_draws(found, ages[groups == group], settings.draws, rng) for group, found in used.items()
        }
        return cls(orders, money)


def customer_values(
    summaries: pa.Table,
    fits: GroupFits,
    spend: SpendFit | None,
    settings: ValueSettings,
    around: Around | None = None,
) -> Valuation:
    """The value of every customer.

    Args:
        summaries: Rows of ``SUMMARIES_SCHEMA`` on the day of the view.
        fits: Transaction models of all of them and of their groups.
        spend: Spend model; ``None`` where too few came back to fit one.
        settings: Horizon, discount, intervals.
        around: Parameters around these fits, where they were drawn before.

    Returns:
        Values and totals. Without a usable spend model, orders are given and money is not, with the reason.
    """
    around = around or Around.of(summaries, fits, spend, settings)
    rng = np.random.default_rng([settings.seed, settings.horizon_days])
    problem = TOO_FEW if spend is None else spend.problem
    groups, used = _used(summaries, fits)
    basis, rate = worth(summaries)
    money = None if spend is None or around.spend is None else _Money.of(summaries, spend, rate, around.spend)
    columns = {name: np.full(len(groups), np.nan) for name in _COMPUTED}
    sums = {kind: np.zeros(settings.draws) for kind in (MARGIN, ESTIMATED, REVENUE)}
    for group, found in used.items():
        rows = np.flatnonzero(groups == group)
        shapes = _ANY_SPEND if spend is None or problem else (float(spend.theta[0]), float(spend.theta[1]))
        chance = Chance(around.orders[group], shapes, settings.futures, settings.tails, rng, paid_share(summaries))
        ahead = orders_ahead(found, Histories.of_summaries(summaries.take(rows)), settings.horizon, chance)
        for column in ("alive", "active", "expected", "discounted"):
            columns[column][rows] = getattr(ahead, column)
        if money is not None:
            _add_money(columns, sums, money.part(rows), ahead, rows=rows, basis=basis[rows], tails=settings.tails)
    texts = {"fitted_group": groups, "value_basis": basis, "model": fits.pooled.model.name, "reason": problem}
    values = _table(summaries, columns, texts, settings)
    return Valuation(values, _totals(values, sums, settings.tails))


@dataclass(frozen=True)
class _Money:
    """What turns the orders of some customers into money."""

    spend: SpendFit
    around: Array
    paid: float
    orders: Array
    mean: Array
    rate: Array

    @classmethod
    def of(cls, summaries: pa.Table, spend: SpendFit, rate: Array, around: Array) -> "_Money":
        return cls(spend, around, paid_share(summaries), *spent(summaries), rate)

    def part(self, rows: Places | slice) -> "_Money":
        return replace(self, orders=self.orders[rows], mean=self.mean[rows], rate=self.rate[rows])

    def figures(self, ahead: OrdersAhead, part: slice, tails: tuple[float, float]) -> tuple[dict[str, Array], Array]:
        """Columns of those of the customers ahead who are here, and their values by each drawn set of parameters."""
        spend = self.spend.expected(self.orders, self.mean)
        value = ahead.discounted[part] * self.paid * spend * self.rate
        drawn = np.array([self.spend.expected(self.orders, self.mean, theta) for theta in self.around]) / spend
        with np.errstate(invalid="ignore"):  # a draw without a finite mean
            drawn = np.where(value == 0, 0.0, drawn * ahead.ratios[:, ahead.place[part]] * value)
        low, high = _interval(drawn, value, tails)
        present = ahead.discounted[part] / np.maximum(ahead.expected[part], 1e-300)
        outcomes = np.sort(ahead.outcomes[:, part] * present * spend * self.rate, axis=0)
        names = ("spend", "value", "low", "high", "poor", "rich")
        return dict(zip(names, (spend, value, low, high, *outcomes), strict=True)), drawn


def _add_money(
    columns: dict[str, Array],
    sums: dict[str, Array],
    money: _Money,
    ahead: OrdersAhead,
    *,
    rows: Places,
    basis: npt.NDArray[np.object_],
    tails: tuple[float, float],
) -> None:
    """Fill the columns of money of some customers, and add up their values by drawn parameters."""
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        figures, drawn = money.part(part).figures(ahead, part, tails)
        for column, values in figures.items():
            columns[column][rows[part]] = values
        for kind in sums:
            sums[kind] += drawn[:, (basis[part] == kind) & np.isfinite(figures["value"])].sum(axis=1)


def _interval(drawn: Array, value: Array, tails: tuple[float, float]) -> tuple[Array, Array]:
    """The interval by values of drawn parameters, wide enough for the value itself; an end may be infinite."""
    with np.errstate(invalid="ignore"):  # between infinite draws there is nothing to interpolate
        low, high = np.quantile(drawn, tails, axis=0)
    low, high = np.minimum(low, value), np.maximum(high, value)
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _used(summaries: pa.Table, fits: GroupFits) -> tuple[npt.NDArray[np.object_], dict[str, Fit]]:
    """The group whose fit each customer is scored with, and the fits by group."""
    labels = group_labels(summaries, fits.grouping)
    used = {label: fits.used(label) for label in set(labels)}
    groups = np.array([used[label][0] for label in labels], dtype=object)
    return groups, dict(sorted(used.values(), key=lambda pair: pair[0]))


def _table(
    summaries: pa.Table, columns: dict[str, Array], texts: Mapping[str, Any], settings: ValueSettings
) -> pa.Table:
    rows = summaries.num_rows
    known = np.isfinite(columns["value"] if texts["reason"] is None else columns["expected"])
    given = {
        "customer_id": summaries["customer_id"],
        "as_of_date": summaries["as_of_date"],
        "horizon_days": pa.array(np.full(rows, settings.horizon_days, dtype=np.int32)),
        "model": pa.array([texts["model"]] * rows, pa.string()),
        "fitted_group": pa.array(texts["fitted_group"], pa.string()),
        "alive_rate": _figures(columns["alive"]),
        "active_rate": _figures(columns["active"]),
        "expected_orders": _figures(columns["expected"]),
        "discounted_orders": _figures(columns["discounted"]),
        "expected_spend_amount": _money(columns["spend"]),
        "has_own_spend": pa.array(summaries["spend_orders"].to_numpy() > 0),
        "value_basis": pa.array(texts["value_basis"], pa.string()),
        "value_amount": _money(columns["value"]),
        "value_low_amount": _money(columns["low"]),
        "value_high_amount": _money(columns["high"]),
        "outcome_low_amount": _money(columns["poor"]),
        "outcome_high_amount": _money(columns["rich"]),
        "reason": pa.array(np.where(known, texts["reason"], NO_FIGURE), pa.string()),
    }
    return pa.table(given).select(VALUES_SCHEMA.names).cast(VALUES_SCHEMA)


def _totals(values: pa.Table, sums: dict[str, Array], tails: tuple[float, float]) -> pa.Table:
    known = values.filter(values["value_amount"].is_valid())
    lines = []
    for kind, drawn in sums.items():
        mine = known.filter(pa.array(known["value_basis"].to_numpy() == kind, pa.bool_()))
        if mine.num_rows:
            total = floats(mine, "value_amount").sum(keepdims=True)
            low, high = _interval(drawn[:, None], total, tails)
            lines.append((kind, mine.num_rows, float(total[0]), float(low[0]), float(high[0])))
    kinds, customers, *money = zip(*lines, strict=True) if lines else ((),) * 5
    columns = [
        pa.array(kinds, pa.string()),
        pa.array(customers, pa.int64()),
        *(_money(np.array(m, float)) for m in money),
    ]
    return pa.table(columns, schema=TOTALS_SCHEMA)


def _figures(values: Array) -> pa.Array:
    """Numbers; missing where they are not known or not finite."""
    return pa.array(np.where(np.isfinite(values), values, np.nan), pa.float64(), from_pandas=True)


def _money(values: Array) -> pa.Array:
    """Money of four places; missing where it is not known."""
    return _figures(np.round(values, 4)).cast(pa.decimal128(18, 4))
