"""Monthly files of business-to-business orders: discounts, losses, clearance, odd exports, and their defects.

Belongs here: `superstore_sales`. Does not belong here: anything about another dataset.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from platform_assets.samples import names
from platform_assets.samples.customers import draw_purchases
from platform_assets.samples.defects import Defect, DefectPlan, Rows
from platform_assets.samples.lines import Lines, Mask, mask_of
from platform_assets.samples.plan import day_of
from platform_assets.samples.products import CENT, UNLISTED
from platform_assets.samples.text import Words, days, integers, joined, money, pick, replaced, words
from platform_assets.samples.world import World

DATASET = "superstore_sales"
HEADER = (
    "Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country/Region,City,"
    "State/Province,Postal Code,Region,Product ID,Category,Sub-Category,Product Name,Sales,Quantity,Discount,Profit"
)
DATES = "%m/%d/%Y"
LINES_SHARES = 0.55 ** np.arange(8) / (0.55 ** np.arange(8)).sum()
"""How often an order has 1, 2, ... 8 lines."""
SPEND_FACTOR = 6.0
"""A business spends this many times what its ``spend`` says."""
DUPLICATE_RATE = 0.003
FIRST_ORDER = 100_001
MOST_PIECES = 14
PERCENT = 100
DISCOUNTS = np.array([0, 10, 15, 20, 30, 40, 70])
DISCOUNT_SHARES = np.array([0.5, 0.04, 0.03, 0.3, 0.06, 0.04, 0.03])
MODES = ("Same Day", "First Class", "Second Class", "Standard Class")
MODE_SHARES = (0.05, 0.16, 0.19, 0.6)
FASTEST, SLOWEST = np.array([0, 1, 2, 4]), np.array([0, 3, 5, 7])
CP1252_MONTH = date(2023, 11, 1)
SEMICOLON_MONTH = date(2024, 3, 1)
SHORT_ZIP_MONTH = date(2023, 5, 1)
"""A spreadsheet ate the leading zeros of this month's postal codes."""

DEFECTS = (
    Defect("repeated_line", DUPLICATE_RATE),
    Defect("too_many_fields", 0.0003),
    Defect("too_few_fields", 0.0003),
    Defect("negative_sales", 0.0006),
    Defect("zero_quantity", 0.0008),
    Defect("unreadable_quantity", 0.0006),
    Defect("impossible_discount", 0.001),
    Defect("shipped_before_order", 0.001),
    Defect("repeated_row_id", 0.001),
    Defect("unlisted_product", 0.003),
    Defect("lower_case_product", 0.008),
)


@dataclass(kw_only=True)
class Orders:
    """The lines of one month before they are text, as parallel columns; money in ten-thousandths."""

    order: npt.NDArray[np.int64]
    customer: npt.NDArray[np.int32]
    day: npt.NDArray[np.int64]
    ship_day: npt.NDArray[np.int64]
    mode: npt.NDArray[np.int64]
    product: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.int64]
    discount: npt.NDArray[np.int64]
    sales: npt.NDArray[np.int64]
    profit: npt.NDArray[np.int64]


class Variants:
    """Rows per key and which of its two values were seen: what a rule of one value per key must find."""

    def __init__(self, keys: int) -> None:
        """Start with nothing seen."""
        self._rows = np.zeros((keys, 2), dtype=np.int64)

    def add(self, key: npt.NDArray[np.int64] | npt.NDArray[np.int32], second: Mask) -> None:
        """Count rows with the first or the second value of their key."""
        flat = key.astype(np.int64) * 2 + second
        self._rows += np.bincount(flat, minlength=self._rows.size).reshape(self._rows.shape)

    @property
    def rows_of_several(self) -> int:
        """Rows of all keys that have both values."""
        return int(self._rows[(self._rows > 0).all(axis=1)].sum())


class Superstore:
    """The business branch, month by month."""

    def __init__(self, world: World) -> None:
        """Draw all orders of the period and spread the defects over its files."""
        self.world = world
        self.rng = world.plan.stream("superstore")
        window = world.plan.superstore_window
        target = world.plan.superstore_rows / (LINES_SHARES @ np.arange(1, 9)) / (1 + DUPLICATE_RATE)
        self.purchases = draw_purchases(
            self.rng, world.customers, DATASET, clock=world.clock(DATASET), window=window, target=target
        )
        self.sizes = self.rng.choice(np.arange(1, 9, dtype=np.int8), len(self.purchases.day), p=LINES_SHARES)
        self.months = [date(year, month, 1) for year in (2023, 2024) for month in range(1, 13)]
        planned = [self.sizes[self._rows(month)].sum() for month in self.months]
        self.defects = DefectPlan(world.plan.stream("superstore defects"), DEFECTS, planned)
        self.order, self.row_id = FIRST_ORDER, 1
        count = len(world.products.ids)
        self.names, self.segments = Variants(count), Variants(world.plan.customers)

    def write(self) -> None:
        """Write every month's file."""
        for index, month in enumerate(self.months):
            self._write_month(index, month)
            if index % 6 == 0:
                self.world.progress(f"{DATASET}: {month:%Y-%m}")
        rules = self.world.truth.rules[DATASET]
        rules["one_name_per_product"] = self.names.rows_of_several
        rules["one_segment_per_customer"] = self.segments.rows_of_several

    def _rows(self, month: date) -> slice:
        following = (month + timedelta(days=31)).replace(day=1)
        return self.purchases.between(day_of(month), day_of(following) - 1)

    def _write_month(self, index: int, month: date) -> None:
        orders = self._orders(month)
        delimiter = ";" if month == SEMICOLON_MONTH else ","
        lines = self._lines(orders, index, month, delimiter)
        self.world.deliver(
            DATASET,
            f"superstore_{month:%Y_%m}.csv",
            HEADER.replace(",", delimiter),
            lines,
            encoding="cp1252" if month == CP1252_MONTH else "utf-8",
            end="\r\n" if month == SEMICOLON_MONTH else "\n",
        )

    def _orders(self, month: date) -> Orders:
        rows = self._rows(month)
        products, size = self.world.products, self.sizes[rows]
        order = np.repeat(np.arange(len(size)), size)
        product = products.distinct(self.rng, order)
        order, product = order[product >= 0], product[product >= 0]
        buyer, day = self.purchases.customer[rows], self.purchases.day[rows].astype(np.int64)
        mode = self.rng.choice(len(MODES), len(size), p=MODE_SHARES)
        ship_day = day + self.rng.integers(FASTEST[mode], SLOWEST[mode] + 1)
        price = products.prices_on(day_of(month))[product]
        share = (self.world.customers.spend[buyer] * SPEND_FACTOR / size * 10_000)[order]
        quantity = np.clip(np.rint(share * self.rng.gamma(4, 1 / 4, len(order)) / price), 1, MOST_PIECES)
        discount = self._discounts(product, day[order])
        sales = _cents(price * quantity.astype(np.int64) * (PERCENT - discount), PERCENT)
        result = Orders(
            order=self.order + order,
            customer=buyer[order],
            day=day[order],
            ship_day=ship_day[order],
            mode=mode[order],
            product=product,
            quantity=quantity.astype(np.int64),
            discount=discount,
            sales=sales,
            profit=sales - products.cost[product] * quantity.astype(np.int64),
        )
        self.order += len(size)
        return result

    def _discounts(self, product: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Discounts in percent; in the clearance all furniture goes at the event's factor."""
        discount = self.rng.choice(DISCOUNTS, len(product), p=DISCOUNT_SHARES)
        clearance = self.world.events.clearance
        furniture = np.array([category[0] == "Furniture" for category in names.CATEGORIES])
        cleared = clearance.covers(day) & furniture[self.world.products.kind[product]]
        return np.where(cleared, round(PERCENT * (1 - clearance.factor)), discount)

    def _lines(self, orders: Orders, index: int, month: date, delimiter: str) -> Lines:
        size, products = len(orders.product), self.world.products
        rows = self.defects.rows(index, size)
        repeat = rows["repeated_line"]
        broken = self._spoil(orders, rows)
        row_id = self._row_ids(rows, broken, size)
        columns = self._columns(orders, rows, month)
        text = joined(integers(row_id[:size]), *columns, separator=delimiter)
        again = joined(integers(row_id[size:]), *(column.take(repeat) for column in columns), separator=delimiter)
        lines = Lines.of(text, orders.sales, broken)
        lines.malformed(rows["too_many_fields"], rows["too_few_fields"], delimiter)
        repeats = lines.repeats(repeat)
        repeats.text = again
        self.world.show(DATASET, lines, orders.customer)
        self.world.truth.conform(DATASET, "lower_case_product_id", len(rows["lower_case_product"]))
        parsed = np.concatenate([np.flatnonzero(~lines.rejected), repeat])
        day, product, customer = orders.day[parsed], orders.product[parsed], orders.customer[parsed]
        self.names.add(product, day >= products.renamed_on[product])
        self.segments.add(customer, day >= self.world.customers.moved_on[customer])
        return lines.followed_by(repeats)

    def _spoil(self, orders: Orders, rows: dict[str, Rows]) -> dict[str, Mask]:
        """Put wrong values into orders and say which rules they break."""
        size, unlisted, early = len(orders.product), rows["unlisted_product"], rows["shipped_before_order"]
        orders.product[unlisted] = self.world.products.listed + np.arange(len(unlisted)) % UNLISTED
        orders.sales[rows["negative_sales"]] *= -1
        orders.quantity[rows["zero_quantity"]] = 0
        orders.discount[rows["impossible_discount"]] = 150
        orders.ship_day[early] = orders.day[early] - self.rng.integers(1, 6, len(early))
        return {
            "sales_not_negative": mask_of(rows["negative_sales"], size),
            "quantity_positive": mask_of(rows["zero_quantity"], size),
            "quantity_readable": mask_of(rows["unreadable_quantity"], size),
            "discount_is_rate": mask_of(rows["impossible_discount"], size),
            "ship_date_after_order_date": mask_of(early, size),
            "product_known": mask_of(unlisted, size),
        }

    def _row_ids(self, rows: dict[str, Rows], broken: dict[str, Mask], size: int) -> npt.NDArray[np.int64]:
        """Ascending numbers for all lines and then their repeats; some lines have the number of the line before."""
        count = size + len(rows["repeated_line"])
        row_id = self.row_id + np.arange(count)
        self.row_id += count
        unusable = np.concatenate([rows["too_many_fields"], rows["too_few_fields"], rows["repeated_row_id"], [-1]])
        again = rows["repeated_row_id"]
        again = again[~np.isin(again - 1, unusable)]
        row_id[again] = row_id[again - 1]
        broken["row_id_unique"] = mask_of(again, size)
        return row_id

    def _columns(self, orders: Orders, rows: dict[str, Rows], month: date) -> list[Words]:
        mark = "," if month == SEMICOLON_MONTH else "."
        products, customers = self.world.products, self.world.customers
        who, place = orders.customer, customers.place[orders.customer]
        segment = (customers.segment[who] + (orders.day >= customers.moved_on[who])) % len(names.SEGMENTS)
        renamed = orders.day >= products.renamed_on[orders.product]
        ids = pick(products.ids, orders.product)
        lower = rows["lower_case_product"]
        kind = products.kind[orders.product]
        number = joined(f"US-{month.year}-", integers(orders.order))
        return [
            number,
            days(orders.day, DATES),
            days(orders.ship_day, DATES),
            pick(words(list(MODES)), orders.mode),
            pick(customers.ids, who),
            pick(customers.names, who),
            pick(words(list(names.SEGMENTS)), segment),
            *self._place(place, month),
            replaced(ids, lower, words([code.lower() for code in ids.take(lower).to_pylist()])),
            pick(words([category[0] for category in names.CATEGORIES]), kind),
            pick(words([category[1] for category in names.CATEGORIES]), kind),
            pick(products.names, np.where(renamed, products.new_name[orders.product], orders.product)),
            money(orders.sales, mark),
            replaced(integers(orders.quantity), rows["unreadable_quantity"], "abc"),
            pick(words([_rate(percent, mark) for percent in range(151)]), orders.discount),
            money(orders.profit, mark),
        ]

    def _place(self, place: npt.NDArray[np.int8], month: date) -> list[Words]:
        """Country, city, state, postal code and region."""
        codes = [entry[3] for entry in names.PLACES]
        if month == SHORT_ZIP_MONTH:
            short = np.array([code.startswith("0") for code in codes])
            self.world.truth.conform(DATASET, "postal_code_without_zero", int(short[place].sum()))
            codes = [code.lstrip("0") for code in codes]
        table = {part: words([entry[part] for entry in names.PLACES]) for part in (4, 0, 1)}
        parts = [pick(table[part], place) for part in (4, 0, 1)]
        return [*parts, pick(words(codes), place), pick(words([entry[2] for entry in names.PLACES]), place)]


def _cents(units: npt.NDArray[np.int64], divisor: int) -> npt.NDArray[np.int64]:
    """Ten-thousandths divided, then rounded to cents."""
    return (units + divisor * CENT // 2) // (divisor * CENT) * CENT


def _rate(percent: int, mark: str) -> str:
    return f"{percent / PERCENT:g}".replace(".", mark)


def write_superstore(world: World) -> float:
    """Write all files of superstore sales.

    Returns:
        The rate of orders per day of a customer of average propensity.
    """
    store = Superstore(world)
    store.write()
    return store.purchases.rate
