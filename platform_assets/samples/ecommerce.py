"""Daily files of e-commerce transactions: baskets, guests, returns, price errors, and the defects of a web shop.

Belongs here: `ecommerce_transactions`. Does not belong here: anything about another dataset.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from platform_assets.samples import names
from platform_assets.samples.customers import Purchases, draw_purchases
from platform_assets.samples.defects import Defect, DefectPlan, Rows
from platform_assets.samples.lines import Lines, Mask, mask_of
from platform_assets.samples.plan import WORLD_DAYS, date_of
from platform_assets.samples.products import CENT, UNLISTED
from platform_assets.samples.text import (
    MONEY_UNITS,
    Words,
    clock_times,
    integers,
    joined,
    money,
    pick,
    replaced,
    words,
)
from platform_assets.samples.world import World

DATASET = "ecommerce_transactions"
HEADER = (
    "transaction_id,customer_id,product_id,product_name,transaction_date,"
    "quantity,unit_price,total_amount,country,channel"
)
OLD_HEADER = "InvoiceNo,CustomerID,StockCode,Description,InvoiceDate,Quantity,UnitPrice,Amount,Country,Channel"
"""What the shop's former system called the same columns; the first third of the files has it."""
LINES_SHARES = 0.72 ** np.arange(12) / (0.72 ** np.arange(12)).sum()
"""How often an invoice has 1, 2, ... 12 lines."""
GUESTS = 0.08
RETURNS = 0.02
RETURN_DAYS = (2, 21)
DUPLICATE_RATE = 0.0035
FIRST_INVOICE = 536_365
USUAL_SPEND = 55.0
MOST_PIECES = 400
ON_THE_PHONE = 0.3
CHANNELS = words(["Online", "Mobile"])

DEFECTS = (
    Defect("repeated_line", 0.003),
    Defect("redelivered_line", 0.0005),
    Defect("too_many_fields", 0.0003),
    Defect("too_few_fields", 0.0003),
    Defect("unreadable_quantity", 0.0008),
    Defect("missing_price", 0.0005),
    Defect("zero_quantity", 0.001),
    Defect("negative_price", 0.0005),
    Defect("zero_price", 0.001),
    Defect("wrong_total", 0.001),
    Defect("impossible_date", 0.0006),
    Defect("ancient_date", 0.0004),
    Defect("unlisted_product", 0.004),
    Defect("lower_case_product", 0.01),
)


@dataclass(kw_only=True)
class Basket:
    """The lines of one day before they are text, as parallel columns; money in ten-thousandths.

    ``invoice`` is the number and ``is_return`` says whether it is a return's, ``customer`` is -1 for a guest.
    """

    invoice: npt.NDArray[np.int64]
    is_return: Mask
    customer: npt.NDArray[np.int32]
    country: npt.NDArray[np.int8]
    channel: npt.NDArray[np.int8]
    second: npt.NDArray[np.int32]
    product: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.int64]
    price: npt.NDArray[np.int64]

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """All columns by name."""
        return dict(vars(self))

    def take(self, rows: Rows) -> "Basket":
        """Some of the lines."""
        return Basket(**{name: column[rows] for name, column in self.columns().items()})

    @staticmethod
    def concat(baskets: list["Basket"]) -> "Basket":
        """The lines of several baskets."""
        return Basket(**{
            name: np.concatenate([basket.columns()[name] for basket in baskets]) for name in baskets[0].columns()
        })  # fmt: skip


class Shop:
    """The web shop, day by day."""

    def __init__(self, world: World) -> None:
        """Draw all purchases of the period and spread the defects over its files."""
        self.world = world
        self.rng = world.plan.stream("ecommerce")
        self.window = world.plan.ecommerce_window
        per_invoice = LINES_SHARES @ np.arange(1, 13)
        target = world.plan.rows / per_invoice / (1 + RETURNS) / (1 + DUPLICATE_RATE)
        self.purchases: Purchases = draw_purchases(
            self.rng,
            world.customers,
            DATASET,
            clock=world.clock(DATASET),
            window=self.window,
            target=target,
            guests=GUESTS,
        )
        size = len(self.purchases.day)
        self.sizes = self.rng.choice(np.arange(1, 13, dtype=np.int8), size, p=LINES_SHARES)
        planned = np.bincount(self.purchases.day - self.window.first, self.sizes, len(self.window.days))
        self.defects = DefectPlan(world.plan.stream("ecommerce defects"), DEFECTS, planned)
        self.new_system = self.window.first + len(self.window.days) // 3
        self.float_day = self.window.first + len(self.window.days) // 4
        self.invoice = FIRST_INVOICE
        self.catalogue = world.products.prices_on(WORLD_DAYS - 1)
        self.returns: dict[int, list[Basket]] = defaultdict(list)
        self.redelivered: Lines | None = None

    def write(self) -> None:
        """Write every day's file."""
        for day in self.window.days:
            self._write_day(day)
            if (day - self.window.first) % 60 == 0:
                self.world.progress(f"{DATASET}: {date_of(day)}")

    def _write_day(self, day: int) -> None:
        sales = self._sales(day)
        self._plan_returns(sales, day)
        basket = Basket.concat([sales, *self.returns.pop(day, [])])
        basket = self._numbered(basket)
        if not len(basket.product) and self.redelivered is None:
            return
        lines = self._with_repeats(*self._lines(basket, day), day)
        header = HEADER if day >= self.new_system else OLD_HEADER
        self.world.deliver(DATASET, f"{date_of(day).isoformat()}.csv", header, lines)

    def _sales(self, day: int) -> Basket:
        rows = self.purchases.between(day, day)
        buyer, size = self.purchases.customer[rows], self.sizes[rows]
        order = np.repeat(np.arange(len(buyer)), size)
        product = self.world.products.distinct(self.rng, order)
        order, product = order[product >= 0], product[product >= 0]
        price = self._prices(day)[product]
        is_guest, count = buyer < 0, len(buyer)
        spend = np.where(is_guest, USUAL_SPEND, self.world.customers.spend[buyer]) * self.rng.gamma(6, 1 / 6, count)
        country = np.where(is_guest, 0, self.world.customers.country[buyer]).astype(np.int8)
        channel = (self.rng.random(count) < ON_THE_PHONE).astype(np.int8)
        share = (spend / size * MONEY_UNITS)[order] * self.rng.gamma(4, 1 / 4, len(order))
        return Basket(
            invoice=order,
            is_return=np.zeros(len(order), dtype=bool),
            customer=buyer[order],
            country=country[order],
            channel=channel[order],
            second=self.purchases.second[rows][order],
            product=product,
            quantity=np.clip(np.rint(share / price), 1, MOST_PIECES).astype(np.int64),
            price=self._with_price_error(day, product, price),
        )

    def _prices(self, day: int) -> npt.NDArray[np.int64]:
        prices = self.world.products.prices_on(day)
        if self.world.events.promotion.covers(day):
            prices = np.maximum(prices * 8 // (10 * CENT), 1) * CENT
        return prices

    def _with_price_error(
        self, day: int, product: npt.NDArray[np.int64], price: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        if day != self.world.events.price_error.first or not len(product):
            return price
        best = int(np.bincount(product).argmax())
        hit = product == best
        event = next(event for event in self.world.truth.events if event["kind"] == "price_error")
        event |= {"product_id": self.world.products.ids[best].as_py(), "lines": int(hit.sum())}
        return np.where(hit, np.maximum(price // 100, 1), price)

    def _plan_returns(self, sales: Basket, day: int) -> None:
        rows = np.flatnonzero(self.rng.random(len(sales.product)) < RETURNS)
        later = day + self.rng.integers(*RETURN_DAYS, len(rows))
        for due in np.unique(later[later <= self.window.last]):
            back = sales.take(rows[later == due])
            count = len(back.product)
            back.quantity = -np.ceil(back.quantity * self.rng.choice([0.5, 1.0], count)).astype(np.int64)
            back.is_return = np.ones(count, dtype=bool)
            back.invoice = np.arange(count)
            back.second = self.rng.integers(9 * 3600, 18 * 3600, count).astype(np.int32)
            self.returns[int(due)].append(back)

    def _numbered(self, basket: Basket) -> Basket:
        """The lines with final invoice numbers: a new one wherever an invoice of one batch begins."""
        if not len(basket.invoice):
            return basket
        begins = np.concatenate([[True], (np.diff(basket.invoice) != 0) | basket.is_return[1:]])
        basket.invoice = self.invoice + np.cumsum(begins) - 1
        self.invoice = int(basket.invoice[-1]) + 1
        return basket

    def _lines(self, basket: Basket, day: int) -> tuple[Lines, dict[str, Rows]]:
        size, products = len(basket.product), self.world.products
        error = np.flatnonzero(basket.price * 50 < products.base_price[basket.product])
        rows = self.defects.rows(day - self.window.first, size, error)
        broken = _spoil_numbers(basket, rows)
        unlisted = rows["unlisted_product"]
        basket.product[unlisted] = products.listed + np.arange(len(unlisted)) % UNLISTED
        total = basket.quantity * basket.price
        total[rows["wrong_total"]] += 10 * MONEY_UNITS
        text = joined(*self._columns(basket, total, rows, day), separator=",")
        for rule, kind in (
            ("quantity_readable", "unreadable_quantity"),
            ("unit_price_present", "missing_price"),
            ("total_amount_matches", "wrong_total"),
            ("transaction_date_readable", "impossible_date"),
            ("transaction_date_not_before_1990", "ancient_date"),
            ("product_known", "unlisted_product"),
        ):
            broken[rule] = mask_of(rows[kind], size)
        broken["customer_id_present"] = basket.customer < 0
        broken["price_agrees_with_catalogue"] = self._differs(basket) & ~mask_of(rows["missing_price"], size)
        lines = Lines.of(text, total, broken)
        lines.malformed(rows["too_many_fields"], rows["too_few_fields"])
        self.world.truth.conform(DATASET, "lower_case_product_id", len(rows["lower_case_product"]))
        self.world.show(DATASET, lines, basket.customer)
        return lines, rows

    def _differs(self, basket: Basket) -> Mask:
        """Which prices differ by more than half from those of the catalogue, which has the prices of the last day."""
        said, is_listed = self.catalogue[basket.product], basket.product < self.world.products.listed
        differs: Mask = is_listed & ((basket.price * 2 < said) | (basket.price * 2 > said * 3))
        return differs

    def _columns(
        self, basket: Basket, total: npt.NDArray[np.int64], rows: dict[str, Rows], day: int
    ) -> tuple[Words, ...]:
        products, customers = self.world.products, self.world.customers
        product = pick(products.ids, basket.product)
        lower = pick(words([code.lower() for code in product.take(rows["lower_case_product"]).to_pylist()]),
                     np.arange(len(rows["lower_case_product"])))  # fmt: skip
        moment = joined(f"{date_of(day)} ", clock_times(basket.second))
        moment = replaced(moment, rows["impossible_date"], "2024-02-30 10:15:00")
        price = replaced(money(basket.price), rows["missing_price"], None)
        return (
            joined(pick(words(["", "C"]), basket.is_return.astype(np.int8)), integers(basket.invoice)),
            self._customer_text(pick(customers.ids, basket.customer), day),
            replaced(product, rows["lower_case_product"], lower),
            pick(products.names, basket.product),
            replaced(moment, rows["ancient_date"], "1970-01-01 00:00:00"),
            replaced(integers(basket.quantity), rows["unreadable_quantity"], "abc"),
            price,
            money(total),
            pick(words(list(names.COUNTRIES)), basket.country),
            pick(CHANNELS, basket.channel),
        )

    def _customer_text(self, ids: Words, day: int) -> Words:
        """Customers' numbers; on one day the export went through floating point."""
        if day != self.float_day:
            return ids
        self.world.truth.conform(DATASET, "customer_id_with_decimal", len(ids) - ids.null_count)
        return pick(words([f"{number}.0" if number else "" for number in ids.to_pylist()]), np.arange(len(ids)))

    def _with_repeats(self, lines: Lines, rows: dict[str, Rows], day: int) -> Lines:
        """The lines with this day's repeats at the end, and the day before's that were delivered again."""
        repeated = lines.repeats(rows["repeated_line"])
        again, self.redelivered = self.redelivered, None
        if len(rows["redelivered_line"]) and day + 1 not in {self.new_system, self.window.last + 1}:
            self.redelivered = lines.repeats(rows["redelivered_line"])
        result = lines.followed_by(repeated)
        return result.followed_by(again) if again is not None else result


def _spoil_numbers(basket: Basket, rows: dict[str, Rows]) -> dict[str, Mask]:
    """Put wrong numbers into a basket; a negative price breaks both rules about prices."""
    size = len(basket.product)
    basket.quantity[rows["zero_quantity"]] = 0
    basket.price[rows["negative_price"]] *= -1
    basket.price[rows["zero_price"]] = 0
    not_positive = np.concatenate([rows["negative_price"], rows["zero_price"]])
    return {
        "quantity_not_zero": mask_of(rows["zero_quantity"], size),
        "unit_price_not_negative": mask_of(rows["negative_price"], size),
        "unit_price_positive": mask_of(not_positive, size),
    }


def write_ecommerce(world: World) -> float:
    """Write all files of e-commerce transactions.

    Returns:
        The rate of purchases per day of a customer of average propensity.
    """
    shop = Shop(world)
    shop.write()
    return shop.purchases.rate
