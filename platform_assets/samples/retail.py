"""Weekly files of retail purchases: channels, baskets as one amount, strangers, and their defects.

Belongs here: `retail_analytics`. Does not belong here: anything about another dataset.
"""

import numpy as np
import numpy.typing as npt

from platform_assets.samples.customers import SPEND_SHAPE, draw_purchases
from platform_assets.samples.defects import Defect, DefectPlan, Rows
from platform_assets.samples.lines import Lines, mask_of
from platform_assets.samples.plan import date_of
from platform_assets.samples.products import CENT
from platform_assets.samples.text import Words, clock_times, days, integers, joined, money, pick, replaced, words
from platform_assets.samples.world import World

DATASET = "retail_analytics"
HEADER = "customer_id,purchase_date,channel,amount_spent,items_purchased,avg_item_price"
CHANNELS = ("Online", "Store", "Mobile", "Call Center", "Catalog")
CHANNEL_SHARES = np.array([0.27, 0.45, 0.16, 0.05, 0.07])
ONLINE, STORE = 0, 1
ODD_CHANNELS = ("ONLINE", "store ", " mobile", "call center", "CATALOG")
"""The same channels as some tills write them."""
FAITHFUL = 0.7
"""Share of purchases a customer makes in the favourite channel."""
USUAL_ITEM_PRICE = 14.0
WEEK = 7
DUPLICATE_RATE = 0.0035

DEFECTS = (
    Defect("repeated_line", 0.003),
    Defect("redelivered_line", 0.0005),
    Defect("too_many_fields", 0.0003),
    Defect("too_few_fields", 0.0003),
    Defect("unknown_channel", 0.001),
    Defect("missing_channel", 0.0004),
    Defect("no_items", 0.001),
    Defect("unreadable_items", 0.0006),
    Defect("negative_amount", 0.0008),
    Defect("unreadable_amount", 0.0005),
    Defect("impossible_date", 0.0005),
    Defect("wrong_average", 0.002),
    Defect("odd_channel", 0.02),
)
BREAKS = {
    "channel_known": ("unknown_channel",),
    "channel_present": ("missing_channel",),
    "items_purchased_positive": ("no_items",),
    "amount_matches_items": ("wrong_average", "no_items"),
    "items_purchased_readable": ("unreadable_items",),
    "amount_spent_not_negative": ("negative_amount",),
    "amount_spent_readable": ("unreadable_amount",),
    "purchase_date_readable": ("impossible_date",),
}
"""Which defects break which rule; no items times any price is not the amount either."""


class Retail:
    """The retail channels, week by week. Written last: it must know whom the other datasets know."""

    def __init__(self, world: World) -> None:
        """Draw all purchases of the period and spread the defects over its files."""
        self.world = world
        self.rng = world.plan.stream("retail")
        window = world.plan.retail_window
        self.mondays = list(range(window.first, window.last, WEEK))
        target = world.plan.retail_rows / (1 + DUPLICATE_RATE)
        self.purchases = draw_purchases(
            self.rng, world.customers, DATASET, clock=world.clock(DATASET), window=window, target=target
        )
        planned = np.bincount((self.purchases.day - window.first) // WEEK, minlength=len(self.mondays))
        self.defects = DefectPlan(world.plan.stream("retail defects"), DEFECTS, planned)
        self.favourite = self.rng.choice(len(CHANNELS), world.plan.customers, p=CHANNEL_SHARES)
        self.redelivered: Lines | None = None

    def write(self) -> None:
        """Write every week's file."""
        for index, monday in enumerate(self.mondays):
            lines = self._week(index, monday)
            year, week, _ = date_of(monday).isocalendar()
            self.world.deliver(DATASET, f"retail_{year}_W{week:02d}.csv", HEADER, lines)
            if index % 13 == 0:
                self.world.progress(f"{DATASET}: {year} week {week}")

    def _week(self, index: int, monday: int) -> Lines:
        part = self.purchases.between(monday, monday + WEEK - 1)
        customer, second = self.purchases.customer[part], self.purchases.second[part]
        day = self.purchases.day[part].astype(np.int64)
        kept = self._usable(customer, day, second)
        lines, rows = self._lines(index, customer[kept], day[kept], second[kept])
        again, self.redelivered = self.redelivered, None
        if index + 1 < len(self.mondays):
            self.redelivered = lines.repeats(rows["redelivered_line"])
        result = lines.followed_by(lines.repeats(rows["repeated_line"]))
        return result.followed_by(again) if again is not None else result

    def _usable(
        self, customer: npt.NDArray[np.int32], day: npt.NDArray[np.int64], second: npt.NDArray[np.int32]
    ) -> Rows:
        """One purchase per customer and second, and none of a customer whom only faulty rows elsewhere know."""
        doubtful = self.world.seen & ~self.world.accepted
        moment = customer.astype(np.int64) * 200_000_000 + day * 86_400 + second
        first = np.unique(moment, return_index=True)[1]
        return np.sort(first[~doubtful[customer[first]]])

    def _lines(
        self, index: int, customer: npt.NDArray[np.int32], day: npt.NDArray[np.int64], second: npt.NDArray[np.int32]
    ) -> tuple[Lines, dict[str, Rows]]:
        size = len(customer)
        rows = self.defects.rows(index, size)
        spend = self.world.customers.spend[customer] * self.rng.gamma(SPEND_SHAPE, 1 / SPEND_SHAPE, size)
        amount = np.maximum(np.rint(spend * 100), 100).astype(np.int64) * CENT
        items = 1 + self.rng.poisson(np.minimum(spend / USUAL_ITEM_PRICE, 200))
        average = (amount // CENT * 2 + items) // (items * 2) * CENT
        average[rows["wrong_average"]] += 500 * CENT
        items[rows["no_items"]] = 0
        for column in (amount, average):
            column[rows["negative_amount"]] *= -1
        text = joined(
            pick(self.world.customers.ids, customer),
            self._moments(day, second, rows),
            self._channel_text(self._channels(customer, day), rows),
            replaced(money(amount), rows["unreadable_amount"], "free"),
            replaced(integers(items), rows["unreadable_items"], "abc"),
            money(average),
            separator=",",
        )
        amount[rows["unreadable_amount"]] = 0
        broken = {rule: mask_of(np.concatenate([rows[kind] for kind in kinds]), size) for rule, kinds in BREAKS.items()}
        broken["customer_known"] = ~self.world.accepted[customer]
        lines = Lines.of(text, amount, broken)
        lines.malformed(rows["too_many_fields"], rows["too_few_fields"])
        return lines, rows

    def _moments(self, day: npt.NDArray[np.int64], second: npt.NDArray[np.int32], rows: dict[str, Rows]) -> Words:
        moment = joined(days(day, "%Y-%m-%d"), clock_times(second), separator=" ")
        return replaced(moment, rows["impossible_date"], "2024-02-30 10:15:00")

    def _channels(self, customer: npt.NDArray[np.int32], day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The favourite channel or any; while the stores are closed, their customers buy online."""
        size = len(customer)
        any_channel = self.rng.choice(len(CHANNELS), size, p=CHANNEL_SHARES)
        channel = np.where(self.rng.random(size) < FAITHFUL, self.favourite[customer], any_channel)
        return np.where((channel == STORE) & self.world.events.closure.covers(day), ONLINE, channel)

    def _channel_text(self, channel: npt.NDArray[np.int64], rows: dict[str, Rows]) -> Words:
        odd = rows["odd_channel"]
        text = replaced(pick(words(list(CHANNELS)), channel), odd, pick(words(list(ODD_CHANNELS)), channel[odd]))
        self.world.truth.conform(DATASET, "odd_channel", len(odd))
        return replaced(replaced(text, rows["unknown_channel"], "Kiosk"), rows["missing_channel"], None)


def write_retail(world: World) -> float:
    """Write all files of retail purchases.

    Returns:
        The rate of purchases per day of a customer of average propensity.
    """
    retail = Retail(world)
    retail.write()
    return retail.purchases.rate
