"""The size of a sample, the days it covers, and the random streams of its parts.

Belongs here: everything that follows from the number of rows and the seed alone. Does not belong here: drawing.
"""

import math
import zlib
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from platform_assets.errors import SettingsError

DEFAULT_ROWS = 20_000
MINIMUM_ROWS = 1000
LARGE_ROWS = 100_000
"""From here on the files cover longer periods; below, few files keep a first run quick."""

WORLD_START = date(2022, 1, 1)
WORLD_END = date(2024, 12, 31)
WORLD_DAYS = (WORLD_END - WORLD_START).days + 1
MINIMUM_PRODUCTS = 240
FEWEST_DAILY_FILES = 40
MOST_DAILY_FILES = 180
LARGE_DAILY_FILES = 549


def day_of(day: date) -> int:
    """The number of a day, counted from the first day of the world."""
    return (day - WORLD_START).days


def date_of(day: int) -> date:
    """The date of a day's number."""
    return WORLD_START + timedelta(days=int(day))


@dataclass(frozen=True)
class Window:
    """The days one dataset covers, both ends included, as day numbers."""

    first: int
    last: int

    @property
    def days(self) -> range:
        """All days, in order."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class Plan:
    """What follows from the number of rows and the seed.

    Attributes:
        rows: Lines of transactions to aim at; the other datasets scale with it.
        seed: The same seed and rows give the same bytes.
    """

    rows: int
    seed: int

    def __post_init__(self) -> None:
        if self.rows < MINIMUM_ROWS:
            message = f"{self.rows} rows are too few to hold every kind of defect."
            raise SettingsError(message, f"Ask for {MINIMUM_ROWS} rows or more.")
        if self.seed < 0:
            message = f"The seed is {self.seed}, which is negative."
            raise SettingsError(message, "Give a seed of 0 or more.")

    @property
    def superstore_rows(self) -> int:
        """Lines of superstore sales to aim at."""
        return round(self.rows * 0.6)

    @property
    def retail_rows(self) -> int:
        """Retail purchases to aim at."""
        return round(self.rows * 0.8)

    @property
    def products(self) -> int:
        """Products in the catalogue."""
        return max(MINIMUM_PRODUCTS, round(4 * math.sqrt(self.rows)))

    @property
    def customers(self) -> int:
        """Customers of the world, whether or not they ever show up."""
        return self.rows // 6

    @property
    def ecommerce_window(self) -> Window:
        """One file per day: at most half a year for small samples, a year and a half for large ones."""
        days = min(MOST_DAILY_FILES, max(FEWEST_DAILY_FILES, self.rows // 30))
        if self.rows >= LARGE_ROWS:
            days = LARGE_DAILY_FILES
        return Window(WORLD_DAYS - days, WORLD_DAYS - 1)

    @property
    def superstore_window(self) -> Window:
        """Twenty-four monthly files."""
        return Window(day_of(date(2023, 1, 1)), WORLD_DAYS - 1)

    @property
    def retail_window(self) -> Window:
        """Whole weeks, Monday to Sunday: one year for small samples, two for large ones."""
        first = date(2023, 1, 2) if self.rows >= LARGE_ROWS else date(2024, 1, 1)
        return Window(day_of(first), day_of(date(2024, 12, 29)))

    def stream(self, name: str) -> np.random.Generator:
        """The random numbers of one part, independent of what the other parts draw."""
        return np.random.default_rng([self.seed, self.rows, zlib.crc32(name.encode())])
