"""The purchases of the generated sample's world as sale lines, with the truth about who made them.

Belongs here: the process that the sample's files are written from, without the faults that are put into them. Does not
belong here: what is found in it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from platform_assets.analytics.lifetime.histories import Array
from platform_assets.samples.customers import HOMES, SPEND_SHAPE, Customers, draw_purchases
from platform_assets.samples.plan import WORLD_DAYS, WORLD_END, WORLD_START, Plan, Window
from platform_assets.samples.world import World
from platform_assets_tests.analytics.lifetime.sales import SALES

_EPOCH = np.datetime64(WORLD_START, "us")
LAST_DAY = WORLD_END


@dataclass(frozen=True)
class Simulated:
    """Sale lines of one world.

    Attributes:
        sales: Columns of the tests' sale lines, and ``source_system``.
        customers: The truth about them.
        rates: Purchases per day of a customer of average propensity, by dataset.
        windows: The days each dataset covers.
    """

    sales: pa.Table
    customers: Customers
    rates: dict[str, float]
    windows: dict[str, Window]

    def rows(self, ids: list[str]) -> npt.NDArray[np.int64]:
        """The places of customers among the true ones."""
        place = {name: number for number, name in enumerate(self.customers.ids.to_pylist())}
        return np.array([place[one] for one in ids])

    def rate(self) -> Array:
        """Purchases per day of each customer while they stay, in all datasets that they buy in."""
        parts = [np.where(self.customers.members(name), rate, 0.0) for name, rate in self.rates.items()]
        rate: Array = np.sum(parts, axis=0) * self.customers.gamma
        return rate

    def stays(self) -> npt.NDArray[np.bool_]:
        """Who has not left by the end of the world."""
        return self.customers.death >= WORLD_DAYS


def simulated(rows: int, seed: int, folder: Path) -> Simulated:
    """Draw a world of the sample and all its purchases, each with the spend that its customer has.

    Args:
        rows: The size of the sample.
        seed: Its seed.
        folder: Where a world may write; nothing is written.
    """
    plan = Plan(rows, seed)
    world = World.draw(plan, folder, lambda _: None)
    windows = dict(zip(HOMES, (plan.ecommerce_window, plan.superstore_window, plan.retail_window), strict=True))
    targets = dict(zip(HOMES, (rows / 2.5, plan.superstore_rows / 2.5, plan.retail_rows), strict=True))
    rng, parts, rates = plan.stream("purchases of tests"), [], {}
    for name in HOMES:
        made = draw_purchases(
            rng, world.customers, name, clock=world.clock(name), window=windows[name], target=targets[name]
        )
        rates[name] = made.rate
        spend = world.customers.spend[made.customer] * rng.gamma(SPEND_SHAPE, 1 / SPEND_SHAPE, len(made.day))
        seconds = made.day.astype(np.int64) * 86_400 + made.second
        columns = {
            "customer_id": world.customers.ids.take(pa.array(made.customer)),
            "sold_at": pa.array(_EPOCH + seconds * 1_000_000),
            "net_amount": pa.array(np.round(spend, 2)).cast(SALES.field("net_amount").type),
            "profit_amount": pa.nulls(len(seconds), SALES.field("profit_amount").type),
            "is_return": pa.repeat(pa.scalar(value=False), len(seconds)),
            "channel": pa.repeat(name, len(seconds)),
        }
        parts.append(pa.table(columns).cast(SALES).append_column("source_system", pa.repeat(name, len(seconds))))
    return Simulated(pa.concat_tables(parts), world.customers, rates, windows)
