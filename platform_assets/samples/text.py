"""Columns of numbers, dates and words as the text of delimited files, without a loop over rows.

Belongs here: rendering. Does not belong here: what the values are.
"""

from datetime import timedelta
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.samples.plan import WORLD_DAYS, WORLD_START

MONEY_UNITS = 10_000
"""Money is held in whole ten-thousandths, so that no sum is ever inexact."""
DAYS_BEYOND = 60

Words: TypeAlias = pa.StringArray
"""A column of texts."""


def words(values: list[str]) -> Words:
    """A column of texts."""
    return pa.array(values, pa.string())


def pick(table: Words, index: npt.NDArray[Any]) -> Words:
    """The entry of a table for each index; nothing where the index is negative."""
    if len(index) and index.min() < 0:
        return table.take(pa.array(index, mask=index < 0))
    return table.take(pa.array(index))


def integers(values: npt.NDArray[Any]) -> Words:
    """Whole numbers as text."""
    return pc.cast(pa.array(values), pa.string())


def joined(*parts: Words | str, separator: str = "") -> Words:
    """Texts put together row by row; nothing is an empty text."""
    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="")


def money(units: npt.NDArray[np.int64], mark: str = ".") -> Words:
    """Ten-thousandths as text: two decimals, or four where two do not suffice."""
    size = np.abs(units)
    sign = pick(words(["", "-"]), (units < 0).astype(np.int8))
    return joined(sign, integers(size // MONEY_UNITS), pick(_fractions(mark), size % MONEY_UNITS))


def decimal_text(units: int) -> str:
    """One amount in ten-thousandths as a decimal number with four places."""
    size = abs(units)
    return f"{'-' if units < 0 else ''}{size // MONEY_UNITS}.{size % MONEY_UNITS:04d}"


def days(numbers: npt.NDArray[Any], style: str) -> Words:
    """Days of the world as text, in a ``strftime`` style; some days beyond its end are fine."""
    return pick(_days(style), numbers)


def clock_times(seconds: npt.NDArray[Any]) -> Words:
    """Seconds of a day as ``HH:MM:SS``."""
    return pick(_clock_times(), seconds)


def replaced(column: Words, rows: npt.NDArray[np.int64], value: str | Words | None) -> Words:
    """The column with other texts in some rows (row numbers, ascending)."""
    if not len(rows):
        return column
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    if value is None or isinstance(value, str):
        value = pa.array([value] * len(rows), pa.string())
    return pc.replace_with_mask(column, pa.array(mask), value)


def quoted(value: str) -> str:
    """One cell of a delimited file, in quotes where it needs them."""
    return '"' + value.replace('"', '""') + '"' if any(sign in value for sign in ',;"') else value


def content(lines: Words) -> memoryview:
    """The bytes of a column of texts, one after the other, in UTF-8."""
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(lines.buffers()[2])[offsets[0] : offsets[-1]]


@cache
def _fractions(mark: str) -> Words:
    return words([f"{mark}{n // 100:02d}" if n % 100 == 0 else f"{mark}{n:04d}" for n in range(MONEY_UNITS)])


@cache
def _days(style: str) -> Words:
    return words([(WORLD_START + timedelta(days=day)).strftime(style) for day in range(WORLD_DAYS + DAYS_BEYOND)])


@cache
def _clock_times() -> Words:
    return words([f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)])
