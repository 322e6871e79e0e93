"""How many defects of each kind go into which file, and into which of its rows.

Belongs here: spreading defects over files and rows, no row having two. Does not belong here: what a defect does to
a row; each dataset's module says that.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Defect:
    """One kind of defect.

    Attributes:
        kind: Its name.
        rate: Share of a dataset's rows that get it.
        fewest: How many there are at least.
    """

    kind: str
    rate: float
    fewest: int = 2


class DefectPlan:
    """The spread of one dataset's defects over its files."""

    def __init__(self, rng: np.random.Generator, defects: tuple[Defect, ...], sizes: npt.ArrayLike) -> None:
        """Spread the defects over files in proportion to the files' planned numbers of rows."""
        self._rng = rng
        shares = np.asarray(sizes, dtype=float)
        total = shares.sum()
        self._kinds = tuple(defect.kind for defect in defects)
        self._counts = [
            rng.multinomial(max(defect.fewest, round(defect.rate * total)), shares / total) for defect in defects
        ]

    def rows(self, file: int, count: int, exempt: Rows | None = None) -> dict[str, Rows]:
        """Choose the rows of one file.

        Args:
            file: Which file, in the order of the sizes.
            count: How many rows it really has.
            exempt: Rows that stay as they are.

        Returns:
            For each kind the row numbers, ascending; no row has two kinds. A file with too few rows gets fewer.
        """
        open_rows = np.setdiff1d(np.arange(count), [] if exempt is None else exempt)
        wanted = [int(counts[file]) for counts in self._counts]
        chosen = self._rng.permutation(open_rows)[: sum(wanted)]
        parts = np.split(chosen, np.cumsum(wanted)[:-1])
        return {kind: np.sort(part) for kind, part in zip(self._kinds, parts, strict=True)}
