"""What customers are worth and who may leave: from sale lines to all tables of that, for one day.

Belongs here: what is reckoned from what. Does not belong here: the methods (``lifetime``, ``churn``).
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache

import narwhals as nw
import pyarrow as pa

from platform_assets.analytics.churn.choice import Choice, chosen
from platform_assets.analytics.churn.churn import backtest, churn_rates
from platform_assets.analytics.churn.retention import RetentionSettings, measurement, retention
from platform_assets.analytics.lifetime.customer_base import Evidence, customer_base
from platform_assets.analytics.lifetime.regularity import last_intervals
from platform_assets.analytics.lifetime.summaries import Split, customer_summaries, orders_by_day
from platform_assets.analytics.lifetime.value import ValueSettings
from platform_assets.analytics.lines import with_profit
from platform_assets.analytics.settings import AnalyticsSettings
from platform_assets.engines.engine import Engine, Frame

_USED = ("customer_id", "sold_at", "net_amount", "profit_amount", "is_return", "channel")


def valued_lines(sales: Frame, products: Frame, currencies: Mapping[str, str]) -> Frame:
    """The columns of sale lines that value rests on, with the same profit as everywhere: by the source, else the cost.

    Args:
        sales: Rows of core/sales.
        products: Rows of core/products.
        currencies: Currency of each dataset, the catalogue among them.
    """
    lines = with_profit(sales, products, currencies)
    return lines.with_columns(nw.col("profit").alias("profit_amount")).select(*_USED)


def customer_value(
    sales: Frame, as_of: date, settings: AnalyticsSettings, engine: Engine, tell: Callable[[str], None]
) -> dict[str, pa.Table]:
    """Lifetime values, churn probabilities and retention actions of every customer.

    Args:
        sales: Rows of ``valued_lines``, in one currency.
        as_of: The day; later sales do not count.
        settings: Horizons, rates, the seed.
        engine: What the lines are summed up on.
        tell: Says how far it is.

    Returns:
        Tables by name. Where there is too little to go by they have reasons instead of figures, or no rows.
    """
    sales, horizon = engine.kept(sales), settings.churn_horizon_days

    @cache
    def summaries(split: Split) -> pa.Table:
        tell(f"Customers as of {split.as_of}, with the {split.holdout_days} days after it")
        return engine.collect(customer_summaries(sales, split)).sort_by("customer_id")

    days, intervals = (engine.collect(frame(sales, as_of)) for frame in (orders_by_day, last_intervals))
    base = customer_base(Evidence(summaries, days, intervals), as_of, settings.holdout_days, horizon)
    tell(f"Transaction model: {base.reason or base.model.name}")
    earliest, earlier, later = (
        summaries(Split(as_of - timedelta(days=back * horizon), horizon, horizon)) for back in (3, 2, 1)
    )
    judged = backtest(chosen(earliest, earlier, horizon), earlier, later, horizon)
    rates = churn_rates(later, base.now, horizon, judged)
    tell(f"Churn: {judged.reason or _told(judged.choice)}")
    year, horizon_values = base.valued(
        ValueSettings(discount_rate=settings.discount_rate, level=settings.value_level, seed=settings.seed),
        *(settings.value_horizon_days, horizon),
    )
    held_out = RetentionSettings(settings.held_out_rate)
    ranked = retention(rates, horizon_values.values, base.now, held_out)
    return {
        "lifetime_values": year.values,
        "lifetime_totals": year.totals,
        "lifetime_models": base.models,
        "lifetime_groups": base.groups,
        "churn_rates": rates,
        "churn_evaluation": judged.evaluation,
        "churn_calibration": judged.calibration,
        "retention_actions": ranked,
        "retention_measurement": measurement(ranked, held_out),
    }


def _told(choice: Choice) -> str:
    basis = f"chosen by the days after {choice.day}" if choice.day else "unchosen, for the history is too short"
    return f"{choice.score} with {choice.model.name}, {basis}"
