"""The products of the sample's world: what they are, what they cost over time, how well they sell.

Belongs here: drawing products and their prices. Does not belong here: the catalogue file and its defects.

Three kinds of products stand one after the other: those on sale, those of the catalogue that nobody buys (so that a
defect there never makes a sold product unknown), and those that are sold though no catalogue lists them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from platform_assets.samples import names
from platform_assets.samples.plan import WORLD_DAYS, Plan, date_of
from platform_assets.samples.text import MONEY_UNITS, Words, decimal_text, quoted, words

UNLISTED = 25
PRICE_CHANGES = 3
FEWEST_UNSOLD = 10
CENT = MONEY_UNITS // 100
POPULARITY_OFFSET, POPULARITY_POWER = 6, 0.85
BELOW_THE_CENT = 0.05
"""Share of the cheaper products whose price has four decimals."""


@dataclass(frozen=True, kw_only=True)
class Products:
    """All products, as parallel columns.

    Attributes:
        sold: How many are on sale; they come first.
        listed: How many the catalogue lists; they come before those it does not.
        ids: Codes, in upper case.
        names: Names, ready for a delimited file; after those of all products come the new names.
        kind: Index into the categories.
        base_price: Price on the first day, in ten-thousandths.
        cost: What one piece costs, in ten-thousandths.
        popularity: Share of the lines, 0 for those not on sale.
        change_day: Days on which the price changes, one row per product.
        change_factor: By what the price is multiplied from that day on.
        renamed_on: Day from which superstore sells it under a new name; past the end of the world for never.
        new_name: Index of that name.
    """

    sold: int
    listed: int
    ids: Words
    names: Words
    kind: npt.NDArray[np.int64]
    base_price: npt.NDArray[np.int64]
    cost: npt.NDArray[np.int64]
    popularity: npt.NDArray[np.float64]
    change_day: npt.NDArray[np.int64]
    change_factor: npt.NDArray[np.float64]
    renamed_on: npt.NDArray[np.int64]
    new_name: npt.NDArray[np.int64]

    def prices_on(self, day: int) -> npt.NDArray[np.int64]:
        """Every product's price on one day, in ten-thousandths."""
        factor = np.where(self.change_day <= day, self.change_factor, 1.0).prod(axis=1)
        step = np.where(self.base_price % CENT, CENT // 4, CENT)
        steps: npt.NDArray[np.int64] = np.maximum(np.rint(self.base_price * factor / step), 1).astype(np.int64)
        return steps * step

    def distinct(self, rng: np.random.Generator, order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """One product on sale for each line, none twice in an order; -1 in the rare line where none was found."""
        reached = np.cumsum(self.popularity[: self.sold])
        result: npt.NDArray[np.int64] = np.searchsorted(reached, rng.random(len(order)) * reached[-1], side="right")
        for _ in range(12):
            again = _repeats(order * self.sold + result)
            if not len(again):
                return result
            result[again] = rng.integers(0, self.sold, len(again))
        result[_repeats(order * self.sold + result)] = -1
        return result


def _repeats(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows whose key an earlier row has."""
    order = np.argsort(keys, kind="stable")
    return np.sort(order[1:][keys[order][1:] == keys[order][:-1]])


def draw_products(plan: Plan) -> Products:
    """Draw the products of a sample."""
    rng, listed = plan.stream("products"), plan.products
    count, unsold = listed + UNLISTED, max(FEWEST_UNSOLD, listed // 40)
    kind = rng.integers(0, len(names.CATEGORIES), count)
    usual = np.array([category[2] for category in names.CATEGORIES])
    price = _first_prices(rng, usual[kind])
    popularity = 1 / (rng.permutation(count) + POPULARITY_OFFSET) ** POPULARITY_POWER
    popularity[listed - unsold :] = 0
    renamed = np.argsort(-popularity, kind="stable")[2 : 2 + max(2, listed // 200)]
    renamed_on, new_name = np.full(count, WORLD_DAYS), np.arange(count)
    renamed_on[renamed] = rng.integers(WORLD_DAYS * 3 // 5, WORLD_DAYS * 4 // 5, len(renamed))
    new_name[renamed] = count + np.arange(len(renamed))
    return Products(
        sold=listed - unsold,
        listed=listed,
        ids=words(_codes(rng, kind, listed)),
        names=words(_names(rng, kind, listed, renamed)),
        kind=kind,
        base_price=price,
        cost=np.rint(price * rng.uniform(0.45, 0.78, count)).astype(np.int64) // CENT * CENT + CENT,
        popularity=popularity / popularity.sum(),
        change_day=rng.integers(1, int(WORLD_DAYS * 1.5), (count, PRICE_CHANGES)),
        change_factor=np.round(rng.choice([0.9, 0.95, 1.03, 1.05, 1.08, 1.1], (count, PRICE_CHANGES)), 2),
        renamed_on=renamed_on,
        new_name=new_name,
    )


def _first_prices(rng: np.random.Generator, usual: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Prices around the usual one."""
    price = usual * rng.lognormal(0, 0.55, len(usual))
    units = np.maximum(np.rint(price * 20), 5).astype(np.int64) * 5 * CENT - CENT
    fine = (price < np.median(price)) & (rng.random(len(price)) < BELOW_THE_CENT)
    return units - np.where(fine, CENT // 4, 0)


def _codes(rng: np.random.Generator, kind: npt.NDArray[np.int64], listed: int) -> list[str]:
    numbers = 10_000_000 + np.sort(rng.choice(9_000_000, len(kind), replace=False))
    codes = []
    for index, (category, number) in enumerate(zip(kind, numbers, strict=True)):
        group, sub_group = names.CATEGORIES[category][:2]
        codes.append(f"{group[:3].upper()}-{sub_group[:2].upper()}-{number}{'X' if index >= listed else ''}")
    return codes


def _names(
    rng: np.random.Generator, kind: npt.NDArray[np.int64], listed: int, renamed: npt.NDArray[np.int64]
) -> list[str]:
    result = []
    for index, category in enumerate(kind):
        thing = names.CATEGORIES[category][4][rng.integers(3)]
        brand, style, colour = (rng.choice(part) for part in (names.BRANDS, names.STYLES, names.COLOURS))
        comma = "," if index % 3 == 0 else ""
        article = f"{brand} {style} {thing}{comma} {colour}"
        result.append(f"Discontinued {article}" if index >= listed else article)
    result += [f"{result[index]} (new)" for index in renamed]
    return [quoted(name) for name in result]


def products_table(products: Products) -> pa.Table:
    """The truth about every product, for ``products.parquet``."""
    count = len(products.ids)
    columns: dict[str, Any] = {
        "product_id": products.ids,
        "category": [names.CATEGORIES[kind][0] for kind in products.kind],
        "sub_category": [names.CATEGORIES[kind][1] for kind in products.kind],
        "is_listed": np.arange(count) < products.listed,
        "is_sold": (np.arange(count) < products.sold) | (np.arange(count) >= products.listed),
        "popularity": products.popularity,
        "first_price": [decimal_text(int(units)) for units in products.base_price],
        "last_price": [decimal_text(int(units)) for units in products.prices_on(WORLD_DAYS - 1)],
        "cost": [decimal_text(int(units)) for units in products.cost],
        "price_changes": [_changes(products, index) for index in range(count)],
        "renamed_on": [date_of(day) if day < WORLD_DAYS else None for day in products.renamed_on],
    }
    return pa.table(columns)


def _changes(products: Products, index: int) -> list[dict[str, Any]]:
    changes = sorted(zip(products.change_day[index], products.change_factor[index], strict=True))
    return [{"date": date_of(day), "factor": float(factor)} for day, factor in changes if day < WORLD_DAYS]
