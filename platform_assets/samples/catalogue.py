"""The catalogue: one file with a byte order mark, and its defects.

Belongs here: `product_catalog`. Does not belong here: anything about another dataset.
"""

import numpy as np
import numpy.typing as npt

from platform_assets.samples import names
from platform_assets.samples.defects import Rows
from platform_assets.samples.lines import Lines, mask_of
from platform_assets.samples.plan import WORLD_DAYS
from platform_assets.samples.products import CENT
from platform_assets.samples.text import Words, integers, joined, money, pick, quoted, replaced, words
from platform_assets.samples.world import World

DATASET = "product_catalog"
FILE = "products.csv"
HEADER = (
    "product_id,product_name,category,sub_category,brand,description,price,list_price,cost,"
    "weight_g,length_cm,width_cm,height_cm"
)
DUPLICATES_PER = 400
WARNINGS_PER = 120
"""One in so many products gets each kind of warning."""


def write_catalogue(world: World) -> None:
    """Write the catalogue."""
    Catalogue(world).write()
    world.progress(f"{DATASET}: {world.products.listed} products")


class Catalogue:
    """The one file of the catalogue. Only products that nobody buys have defects that set their row aside."""

    def __init__(self, world: World) -> None:
        """Choose which product has which defect."""
        self.world = world
        self.rng = world.plan.stream("catalogue")
        products = world.products
        unsold = self.rng.permutation(np.arange(products.sold, products.listed))
        few = max(1, (products.listed - products.sold) // 20)
        self.negative_cost, self.negative_price, self.unreadable_weight, self.malformed = (
            np.sort(unsold[part * few : (part + 1) * few]) for part in range(4)
        )
        self.doubled = np.sort(self.rng.choice(products.sold, max(1, products.listed // DUPLICATES_PER), replace=False))
        count = max(2, products.listed // WARNINGS_PER)
        open_rows = self.rng.permutation(np.setdiff1d(np.arange(products.sold), self.doubled))
        self.above_list, self.no_category, self.no_weight, self.flat = (
            np.sort(open_rows[part * count : (part + 1) * count]) for part in range(4)
        )

    def write(self) -> None:
        """Write and record the file."""
        products, size = self.world.products, self.world.products.listed
        row = np.arange(size)
        price = products.prices_on(WORLD_DAYS - 1)[:size]
        text = joined(*self._columns(row, price), separator=",")
        lines = Lines.of(text, np.zeros(size, np.int64), self._broken(size))
        lines.malformed(self.malformed, np.array([], dtype=np.int64))
        second = Lines.of(
            joined(*self._columns(self.doubled, price[self.doubled] + 150 * CENT), separator=","),
            np.zeros(len(self.doubled), np.int64),
            {"product_id_unique": np.ones(len(self.doubled), dtype=bool)},
        )
        self.world.deliver(DATASET, FILE, HEADER, lines.followed_by(second), encoding="utf-8-sig")

    def _broken(self, size: int) -> dict[str, npt.NDArray[np.bool_]]:
        chosen: dict[str, Rows] = {
            "cost_not_negative": self.negative_cost,
            "price_not_negative": self.negative_price,
            "weight_g_readable": self.unreadable_weight,
            "price_not_above_list_price": self.above_list,
            "category_present": self.no_category,
            "weight_g_positive": self.no_weight,
            "height_cm_positive": self.flat,
        }
        return {rule: mask_of(rows, size) for rule, rows in chosen.items()}

    def _columns(self, row: Rows, price: npt.NDArray[np.int64]) -> list[Words]:
        """The columns of some products; ``price`` in ten-thousandths."""
        products, kind = self.world.products, self.world.products.kind[row]
        hits = {name: _positions(row, getattr(self, name)) for name in (
            "negative_cost", "negative_price", "unreadable_weight", "above_list", "no_category", "no_weight", "flat",
        )}  # fmt: skip
        shown = price.copy()
        shown[hits["negative_price"]] *= -1
        listed = np.maximum(_to_cents(price * self.rng.choice([100, 110, 125], len(row)) // 100), price)
        listed[hits["above_list"]] = _to_cents(price[hits["above_list"]] // 2)
        cost = products.cost[row]
        cost[hits["negative_cost"]] *= -1
        weight = np.maximum(self.rng.normal(1, 0.2, len(row)) * self._usual(3)[kind], 5).astype(np.int64)
        weight[hits["no_weight"]] = 0
        scale = self.rng.uniform(0.7, 2.5, (3, len(row)))
        sides = np.maximum(np.cbrt(weight) * scale, 1).astype(np.int64)
        sides[2][hits["flat"]] = 0
        categories = pick(words([category[0] for category in names.CATEGORIES]), kind)
        return [
            pick(products.ids, row),
            pick(products.names, row),
            replaced(categories, hits["no_category"], None),
            pick(words([category[1] for category in names.CATEGORIES]), kind),
            self._brands(row),
            self._descriptions(kind),
            money(shown),
            money(listed),
            money(cost),
            replaced(integers(weight), hits["unreadable_weight"], "heavy"),
            *(integers(side) for side in sides),
        ]

    def _usual(self, part: int) -> npt.NDArray[np.float64]:
        return np.array([category[part] for category in names.CATEGORIES], dtype=float)

    def _brands(self, row: Rows) -> Words:
        texts = pick(self.world.products.names, row).to_pylist()
        return words([next(brand for brand in names.BRANDS if text.lstrip('"').startswith(brand)) for text in texts])

    def _descriptions(self, kind: npt.NDArray[np.int64]) -> Words:
        table = [quoted(f"{part}, {category.lower()}") for category, part, *_ in names.CATEGORIES]
        return pick(words(table), kind)


def _positions(row: Rows, chosen: Rows) -> Rows:
    return np.flatnonzero(np.isin(row, chosen))


def _to_cents(units: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return units // CENT * CENT
