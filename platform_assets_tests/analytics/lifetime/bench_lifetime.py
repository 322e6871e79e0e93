"""How long fits, scores and values take for many customers, beside the lifetimes package.

Run it by hand: ``python -m platform_assets_tests.analytics.lifetime.bench_lifetime 100000 [--oracle] [--value]``.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TypeVar

import numpy as np
import pyarrow as pa

from platform_assets.analytics.lifetime.beta_geometric import MbgNbd
from platform_assets.analytics.lifetime.fitting import MODELS, fit
from platform_assets.analytics.lifetime.gamma_gamma import SpendFit, fit_spend
from platform_assets.analytics.lifetime.groups import GroupFits, fit_groups
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.summaries import SUMMARIES_SCHEMA
from platform_assets.analytics.lifetime.value import ValueSettings, customer_values
from platform_assets.engines.engine import MONEY

_TRUTH = np.array([0.5248, 6.183, 0.8914, 1.614])
_SPEND = SpendFit(np.array([6.25, 3.74, 15.44]), 0.0, 0, 0.0, True, np.eye(3))
_ORACLES = {"bg_nbd": "BetaGeoFitter", "mbg_nbd": "ModifiedBetaGeoFitter", "pareto_nbd": "ParetoNBDFitter"}
_Result = TypeVar("_Result")


def timed(what: str, work: Callable[[], _Result]) -> _Result:
    """Do it and say how long it took."""
    start = time.perf_counter()
    result = work()
    print(f"{what:40} {time.perf_counter() - start:8.2f} s", flush=True)  # noqa: T201 - a script
    return result


def customers(number: int) -> tuple[Array, Array, Array, Array]:
    """Simulated customers, times in whole days reported in weeks: x, t_x, T and mean spend."""
    rng = np.random.default_rng(42)
    age = rng.integers(30, 730, number) / 7
    frequency, recency = MbgNbd().simulated(_TRUTH, age, rng)
    recency = np.minimum(np.ceil(recency * 7) / 7, age)
    spend = np.where(frequency > 0, _SPEND.simulated(np.maximum(frequency, 1), rng), 0.0)
    return frequency, recency, age, spend


def summary_table(frequency: Array, recency: Array, age: Array, spend: Array) -> pa.Table:
    """The customers as rows of ``SUMMARIES_SCHEMA``."""
    number = len(age)
    money = pa.array(np.round(frequency * spend, 4)).cast(MONEY)
    nothing = pa.repeat(pa.scalar(Decimal(0), MONEY), number)
    whole = pa.array(frequency.astype(np.int64))
    given = {
        "customer_id": pa.array(np.arange(number)).cast(pa.string()),
        "as_of_date": pa.repeat(pa.scalar(date(2024, 1, 1)), number),
        "channel": pa.repeat(pa.scalar("web"), number),
        "frequency": whole,
        "recency_weeks": pa.array(recency),
        "age_weeks": pa.array(age),
        "spend_orders": whole,
        "repeat_spend_amount": money,
        "sales_amount": money,
        "returns_amount": nothing,
        "margin_known_amount": nothing,
        "margin_amount": nothing,
    }
    columns = {field.name: given.get(field.name, pa.nulls(number, field.type)) for field in SUMMARIES_SCHEMA}
    return pa.table(columns).cast(SUMMARIES_SCHEMA)


def oracle(name: str, columns: tuple[Array, ...]) -> None:
    """The same fit by the lifetimes package."""
    import lifetimes  # noqa: PLC0415 - only for who asks for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = timed(f"lifetimes: fit {name}", lambda: getattr(lifetimes, _ORACLES[name])().fit(*columns))
    print("   ", dict(fitter.params_.round(4)))  # noqa: T201 - a script


def values(table: pa.Table, spend: SpendFit | None) -> None:
    """Group fits and values with intervals, from summaries to a table."""
    fits: GroupFits = timed("fit groups mbg_nbd", lambda: fit_groups(MbgNbd(), table, "channel"))
    timed("values with intervals", lambda: customer_values(table, fits, spend, ValueSettings()))


def main() -> None:
    """Time every model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("customers", type=int)
    parser.add_argument("--oracle", action="store_true", help="time the lifetimes package too")
    parser.add_argument("--value", action="store_true", help="time values with intervals too")
    asked = parser.parse_args()
    frequency, recency, age, spend = customers(asked.customers)
    rows = timed("compress", lambda: Histories.of(frequency, recency, age))
    print(f"    {len(rows.age)} distinct histories of {rows.total}")  # noqa: T201 - a script
    for model in MODELS:
        found = timed(f"fit {model.name}", lambda model=model: fit(model, rows))  # type: ignore[misc]
        print("   ", found.named, found.evaluations, found.is_converged)  # noqa: T201 - a script
        timed(f"score {model.name}", lambda: rows.every(found.model.expected(found.theta, rows, 52.0)))  # noqa: B023
        if asked.oracle:
            oracle(model.name, (frequency, recency, age))
    money = timed("fit gamma_gamma", lambda: fit_spend(frequency, spend))
    if asked.value:
        values(summary_table(frequency, recency, age, spend), money)


if __name__ == "__main__":
    main()
