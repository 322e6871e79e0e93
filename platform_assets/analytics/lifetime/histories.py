"""Customers as the transaction models see them: equal histories once, with how many customers share them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Histories:
    """Distinct purchase histories; times in weeks unless they were scaled.

    Attributes:
        frequency: x, repeat orders.
        recency: t_x, from the first order to the last.
        age: T, from the first order to the day that is looked from.
        customers: How many customers have this history.
        place: For every customer, the row here that is theirs.
    """

    frequency: Array
    recency: Array
    age: Array
    customers: Array
    place: Places

    @classmethod
    def of(cls, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike) -> "Histories":
        """Compress the histories of customers.

        Args:
            frequency: x per customer, whole numbers.
            recency: t_x per customer.
            age: T per customer.

        Raises:
            ValueError: A history is impossible: negative, or its last order lies after its age.
        """
        x, t_x, age_ = (np.asarray(values, dtype=np.float64) for values in (frequency, recency, age))
        impossible = (x < 0) | (t_x < 0) | (t_x > age_) | ((x == 0) & (t_x > 0))
        if impossible.any():
            raise ValueError(
                f"{int(impossible.sum())} of {len(x)} histories are impossible (0 <= t_x <= T, t_x = 0 if x = 0)"
            )
        _, first, place, count = np.unique(
            _keys(x, t_x, age_), return_index=True, return_inverse=True, return_counts=True
        )
        return cls(x[first], t_x[first], age_[first], count.astype(np.float64), place.astype(np.int64))

    @classmethod
    def of_summaries(cls, summaries: pa.Table) -> "Histories":
        """Compress the histories of rows of ``SUMMARIES_SCHEMA``."""
        return cls.of(*(summaries[name].to_numpy() for name in ("frequency", "recency_weeks", "age_weeks")))

    @property
    def total(self) -> int:
        """Customers."""
        return int(self.customers.sum())

    @cached_property
    def _levels(self) -> tuple[Array, Places]:
        levels, level = np.unique(self.frequency, return_inverse=True)
        return levels, level

    def of_frequency(self, function: Callable[[Array], Array]) -> Array:
        """A costly function of the frequency, computed once for each that occurs."""
        levels, level = self._levels
        return function(levels)[level]

    def joined(self, other: "Histories") -> "Histories":
        """These and other histories, without the customers they are of."""
        names = ("frequency", "recency", "age", "customers")
        x, t_x, age, customers = (np.concatenate([getattr(self, name), getattr(other, name)]) for name in names)
        return Histories(x, t_x, age, customers, np.empty(0, dtype=np.int64))

    def scaled(self, scale: float) -> "Histories":
        """The same histories in another unit of time."""
        return replace(self, recency=self.recency * scale, age=self.age * scale)

    def thinned(self, rows: int) -> "Histories":
        """At most so many of the histories, evenly over all of them in their order; always the same ones."""
        kept = np.unique(np.linspace(0, len(self.age) - 1, min(rows, len(self.age))).astype(np.int64))
        return self.part(kept)

    def part(self, rows: slice | Places) -> "Histories":
        """Some of the histories, without the customers they are of."""
        nobody = np.empty(0, dtype=np.int64)
        return Histories(self.frequency[rows], self.recency[rows], self.age[rows], self.customers[rows], nobody)

    def every(self, values: Array) -> Array:
        """A value per history as a value per customer."""
        return values[self.place]


def _keys(x: Array, t_x: Array, age: Array) -> Places:
    """One number per history, equal for equal histories."""
    keys = x.astype(np.int64)
    for times in (t_x, age):
        values, codes = np.unique(times, return_inverse=True)
        keys = keys * (len(values) + 1) + codes
    return keys
