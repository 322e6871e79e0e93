"""The weekly series of the M4 competition, and its two measures as published."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from platform_assets.analytics.forecast.grains import WEEK, FloatArray
from platform_assets.analytics.forecast.measures import smape
from platform_assets.analytics.forecast.series import Series, SeriesKey

HORIZON = 13


@dataclass(frozen=True)
class Weekly:
    """One series of the competition: what was given, and what was to be forecast."""

    name: str
    known: FloatArray
    came: FloatArray

    @property
    def series(self) -> Series:
        """As a series of this platform; its dates are made up."""
        return Series(SeriesKey("XXX", "category", self.name), WEEK, date(2000, 1, 3), self.known)


def weekly(datasets: Path, every: int = 1) -> list[Weekly]:
    """The series, or every so many-th of them."""
    known, came = (_rows(datasets / "m4_weekly" / f"Weekly-{part}.csv") for part in ("train", "test"))
    return [Weekly(name, known[name], came[name]) for name in list(known)[::every]]


def scores(pairs: Iterable[tuple[Weekly, FloatArray]]) -> tuple[float, float]:
    """Mean sMAPE and MASE over series, with the season of 1 that the competition took for weeks."""
    listed = list(pairs)
    off = [np.abs(one.came - ahead).mean() / np.abs(np.diff(one.known)).mean() for one, ahead in listed]
    return float(np.mean([smape(one.came, ahead) for one, ahead in listed])), float(np.mean(off))


def _rows(path: Path) -> dict[str, FloatArray]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {row[0]: np.array([float(cell) for cell in row[1:] if cell]) for row in list(csv.reader(lines))[1:]}
