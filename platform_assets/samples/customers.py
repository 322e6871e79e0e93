"""The customers of the sample's world: when they join, how often they buy, when they leave, what they spend.

Belongs here: the buy-till-you-die process (Pareto/NBD) and the spend (Gamma-Gamma) of each customer, and the moments
of their purchases. Does not belong here: what is in a basket.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.samples import names
from platform_assets.samples.clock import Clock, seconds_of_day
from platform_assets.samples.plan import WORLD_DAYS, Plan, Window
from platform_assets.samples.text import Words, integers, joined, pick, words

GROUPS = ("online", "business", "store")
GROUP_SHARES = (0.7, 0.12, 0.18)
HOMES = ("ecommerce_transactions", "superstore_sales", "retail_analytics")
"""The dataset of each group's first purchases."""
ALSO_IN_STORES = (0.6, 0.25, 1.0)
"""Share of each group that buys in retail, too."""

RATE_SHAPE = 0.6
DEATH_SHAPE, DEATH_SCALE_DAYS = 1.5, 400.0
SPEND_SHAPE, SPEND_HETEROGENEITY, SPEND_SCALE = 6.0, 3.75, 27.5
GROWTH_PER_YEAR = 0.35
FIRST_NUMBER = 12_346
ESTABLISHED = 2.0
"""So many times the usual number of newcomers in the first year, before any file: the base to start from."""
SEGMENT_CHANGES_PER = 40
"""One business in so many moves to another segment, of those that buy fairly often."""
NO_DATE = WORLD_DAYS + 50_000
"""A death after this day is written as no date: decades beyond the world."""


@dataclass(frozen=True, kw_only=True)
class Customers:
    """All customers, as parallel columns, by their day of joining.

    Attributes:
        ids: What the datasets call them.
        names: Their names.
        group: Index into the groups.
        in_retail: Whether they buy in retail.
        gamma: Relative purchase rate: Gamma of shape 0.6 and mean 1.
        mu: Death rate per day: Gamma of shape 1.5, scale 1/400.
        birth: Day of the first purchase anywhere, with fraction.
        death: Moment of leaving, in days.
        spend: Mean money of one purchase.
        segment: Index into the segments.
        moved_on: Day from which they are in the next segment; past the end of the world for never.
        place: Index into the places.
        country: Index into the countries.
    """

    ids: Words
    names: Words
    group: npt.NDArray[np.int8]
    in_retail: npt.NDArray[np.bool_]
    gamma: npt.NDArray[np.float64]
    mu: npt.NDArray[np.float64]
    birth: npt.NDArray[np.float64]
    death: npt.NDArray[np.float64]
    spend: npt.NDArray[np.float64]
    segment: npt.NDArray[np.int8]
    moved_on: npt.NDArray[np.int16]
    place: npt.NDArray[np.int8]
    country: npt.NDArray[np.int8]

    def members(self, dataset: str) -> npt.NDArray[np.bool_]:
        """Who may buy in a dataset."""
        return self.in_retail if dataset == "retail_analytics" else self.at_home(dataset)

    def at_home(self, dataset: str) -> npt.NDArray[np.bool_]:
        """Whose first purchase is in a dataset."""
        return np.equal(self.group, HOMES.index(dataset))


@dataclass(frozen=True)
class Purchases:
    """Purchases of one dataset, in the order of time.

    Attributes:
        customer: Index of the buyer, -1 for a guest.
        day: Day number.
        second: Second of the day.
        rate: Purchases per day of operational time of a customer whose ``gamma`` is 1.
    """

    customer: npt.NDArray[np.int32]
    day: npt.NDArray[np.int16]
    second: npt.NDArray[np.int32]
    rate: float

    def between(self, first: int, last: int) -> slice:
        """The rows of some days, both included."""
        low, high = np.searchsorted(self.day, [first, last + 1])
        return slice(int(low), int(high))


def draw_customers(plan: Plan, arrivals: npt.NDArray[np.float64]) -> Customers:
    """Draw the customers of a sample.

    Args:
        plan: Size and seed.
        arrivals: Relative number of newcomers for each day of the world, without growth.
    """
    rng, count = plan.stream("customers"), plan.customers
    group = rng.choice(len(GROUPS), count, p=GROUP_SHARES).astype(np.int8)
    birth = np.sort(_births(rng, count, arrivals))
    mu = rng.gamma(DEATH_SHAPE, 1 / DEATH_SCALE_DAYS, count)
    death = birth + rng.exponential(size=count) / mu
    gamma = rng.gamma(RATE_SHAPE, 1 / RATE_SHAPE, count)
    ids, full_names = _identities(rng, group)
    return Customers(
        ids=ids,
        names=full_names,
        group=group,
        in_retail=rng.random(count) < np.array(ALSO_IN_STORES)[group],
        gamma=gamma,
        mu=mu,
        birth=birth,
        death=death,
        spend=SPEND_SHAPE / rng.gamma(SPEND_HETEROGENEITY, 1 / SPEND_SCALE, count),
        segment=rng.choice(len(names.SEGMENTS), count, p=names.SEGMENT_SHARES).astype(np.int8),
        moved_on=_moves(plan, group == GROUPS.index("business"), gamma, birth, death),
        place=rng.integers(0, len(names.PLACES), count).astype(np.int8),
        country=rng.choice(len(names.COUNTRIES), count, p=names.COUNTRY_SHARES).astype(np.int8),
    )


def _births(rng: np.random.Generator, count: int, arrivals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    growth = np.exp(np.log1p(GROWTH_PER_YEAR) * np.arange(WORLD_DAYS) / 365.25)
    growth[:365] *= ESTABLISHED
    clock = Clock(arrivals * growth)
    return clock.day_at(rng.random(count) * clock.total) + rng.random(count)


def _moves(
    plan: Plan,
    businesses: npt.NDArray[np.bool_],
    gamma: npt.NDArray[np.float64],
    birth: npt.NDArray[np.float64],
    death: npt.NDArray[np.float64],
) -> npt.NDArray[np.int16]:
    """The day each customer changes segments: for some busy businesses halfway through their visible life."""
    first, last = np.maximum(birth, plan.superstore_window.first), np.minimum(death, WORLD_DAYS)
    purchases = np.where(businesses, gamma * np.maximum(last - first, 0), 0)
    count = max(2, int(businesses.sum()) // SEGMENT_CHANGES_PER)
    often = int(businesses.sum()) // 4
    movers = np.argsort(-purchases, kind="stable")[often : often + count]
    result = np.full(len(gamma), WORLD_DAYS, dtype=np.int16)
    result[movers] = ((first + last) / 2)[movers].astype(np.int16)
    return result


def _identities(rng: np.random.Generator, group: npt.NDArray[np.int8]) -> tuple[Words, Words]:
    """Plain numbers for people, initials and a number for businesses; numbers ascend with the day of joining."""
    first, last = (rng.integers(0, len(table), len(group)) for table in (names.FIRST_NAMES, names.LAST_NAMES))
    initials = joined(
        pick(words([name[0] for name in names.FIRST_NAMES]), first),
        pick(words([f"{name[0]}-" for name in names.LAST_NAMES]), last),
    )
    numbers = integers(FIRST_NUMBER + np.arange(len(group)))
    is_business = pa.array(group == GROUPS.index("business"))
    prefix = pc.if_else(is_business, initials, pa.scalar(""))
    full_names = joined(
        pick(words(list(names.FIRST_NAMES)), first), pick(words(list(names.LAST_NAMES)), last), separator=" "
    )
    return joined(prefix, numbers), full_names


def draw_purchases(
    rng: np.random.Generator,
    customers: Customers,
    dataset: str,
    *,
    clock: Clock,
    window: Window,
    target: float,
    guests: float = 0.0,
) -> Purchases:
    """Draw the moments of all purchases in one dataset.

    Customers buy at Poisson times of their own rate between birth and death; the common rate is set so that the
    expected number of purchases is the target. A birth within the window is a purchase, too.

    Args:
        rng: Source of randomness.
        customers: Who may buy.
        dataset: Where.
        clock: Its demand over time.
        window: The days that are written.
        target: Expected number of purchases, guests included.
        guests: Share of purchases without a known customer.
    """
    begin, end = clock.at([window.first, window.last + 1])
    start = np.clip(clock.at(customers.birth), begin, end)
    stop = np.clip(clock.at(customers.death), begin, end)
    exposure = np.where(customers.members(dataset), stop - start, 0.0) * customers.gamma
    born = customers.at_home(dataset) & (customers.birth >= window.first) & (customers.birth < window.last + 1)
    newcomers = np.flatnonzero(born)
    rate = max(target * (1 - guests) - len(newcomers), target / 10) / exposure.sum()
    counts = rng.poisson(rate * exposure)
    buyers = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    moments = start[buyers] + rng.random(len(buyers)) * (stop - start)[buyers]
    visits = rng.poisson(target * guests)
    return _in_order(
        rng,
        np.concatenate([buyers, newcomers, np.full(visits, -1)]).astype(np.int32),
        np.concatenate([
            clock.day_at(moments),
            customers.birth[newcomers].astype(np.int16),
            clock.day_at(rng.uniform(begin, end, visits)),
        ]),
        rate,
    )  # fmt: skip


def _in_order(
    rng: np.random.Generator, customer: npt.NDArray[np.int32], day: npt.NDArray[np.int16], rate: float
) -> Purchases:
    second = seconds_of_day(rng, len(customer))
    order = np.argsort(day.astype(np.int64) * 86_400 + second, kind="stable")
    return Purchases(customer[order], day[order], second[order], rate)


def customers_table(customers: Customers, rates: dict[str, float]) -> pa.Table:
    """The truth about every customer, for ``customers.parquet``: rates per day, moments as dates."""
    lambdas = {
        dataset: np.where(customers.members(dataset), customers.gamma * rate, 0.0) for dataset, rate in rates.items()
    }
    lasting = customers.death < NO_DATE
    return pa.table({
        "customer_id": customers.ids,
        "group": pa.array(np.array(GROUPS)[customers.group]),
        **{f"lambda_{dataset}": values for dataset, values in lambdas.items()},
        "lambda": sum(lambdas.values()),
        "mu": customers.mu,
        "spend": customers.spend,
        "birth": _dates(customers.birth),
        "death": _dates(np.where(lasting, customers.death, 0), missing=~lasting),
        "lifetime_days": customers.death - customers.birth,
    })  # fmt: skip


def _dates(day: npt.NDArray[np.float64], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    start = np.datetime64("2022-01-01", "D").astype(np.int64)
    return pa.array((start + np.floor(day)).astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())
