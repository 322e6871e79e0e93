"""The lines of one file with what is known about each: its money, the rules it breaks, whether it is a repeat.

Belongs here: putting columns together to lines, repeating and writing them. Does not belong here: what is in them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.samples.defects import Rows
from platform_assets.samples.text import Words, content, joined, replaced

Mask = npt.NDArray[np.bool_]


@dataclass(kw_only=True)
class Lines:
    """Lines of a file, as parallel columns.

    Attributes:
        text: Each line without its end.
        amount: Money of each line in ten-thousandths, 0 where it cannot be read.
        broken: For each rule that some line breaks, which ones do.
        rejected: Which lines have the wrong number of fields.
        duplicate: Which lines repeat an earlier one.
    """

    text: Words
    amount: npt.NDArray[np.int64]
    broken: dict[str, Mask] = field(default_factory=dict)
    rejected: Mask
    duplicate: Mask

    def __len__(self) -> int:
        return len(self.text)

    @classmethod
    def of(cls, text: Words, amount: npt.NDArray[np.int64], broken: dict[str, Mask]) -> Self:
        """Lines of which none is rejected or a repeat."""
        size = len(text)
        return cls(
            text=text,
            amount=amount,
            broken=broken,
            rejected=np.zeros(size, dtype=bool),
            duplicate=np.zeros(size, dtype=bool),
        )

    def malformed(self, longer: Rows, shorter: Rows, delimiter: str = ",") -> None:
        """Give some lines two fields too many, and cut others off after their second field."""
        long = joined(self.text.take(pa.array(longer)), f"{delimiter}see note{delimiter}17")
        self.text = replaced(self.text, longer, long)
        fields = pc.split_pattern(self.text.take(pa.array(shorter)), delimiter)
        short = pc.binary_join(pc.list_slice(fields, 0, 2), delimiter)
        self.text = replaced(self.text, shorter, short)
        self.rejected[longer] = True
        self.rejected[shorter] = True

    def repeats(self, rows: Rows) -> "Lines":
        """Some of the lines once more, as repeats."""
        return Lines(
            text=self.text.take(pa.array(rows)),
            amount=self.amount[rows],
            broken={rule: mask[rows] for rule, mask in self.broken.items()},
            rejected=np.zeros(len(rows), dtype=bool),
            duplicate=np.ones(len(rows), dtype=bool),
        )

    def followed_by(self, other: "Lines") -> "Lines":
        """These lines and then the others."""
        rules = dict.fromkeys([*self.broken, *other.broken])
        broken = {rule: np.concatenate([_mask(part, rule) for part in (self, other)]) for rule in rules}
        return Lines(
            text=pa.concat_arrays([self.text, other.text]),
            amount=np.concatenate([self.amount, other.amount]),
            broken=broken,
            rejected=np.concatenate([self.rejected, other.rejected]),
            duplicate=np.concatenate([self.duplicate, other.duplicate]),
        )


def mask_of(rows: Rows, size: int) -> Mask:
    """True in some rows."""
    mask = np.zeros(size, dtype=bool)
    mask[rows] = True
    return mask


def write_lines(path: Path, header: str, lines: Words, encoding: str = "utf-8", end: str = "\n") -> None:
    """Write a header and lines to a file.

    Args:
        path: The file; its folder is there.
        header: The first line, without its end.
        lines: The others, without their ends.
        encoding: What the file is written in.
        end: What every line ends with.
    """
    body = content(joined(lines.text, "", separator=end)) if len(lines) else memoryview(b"")
    with path.open("wb") as file:
        file.write((header + end).encode(encoding))
        file.write(body if encoding.startswith("utf-8") else str(body, "utf-8").encode(encoding))


def _mask(lines: Lines, rule: str) -> Mask:
    mask = lines.broken.get(rule)
    return np.zeros(len(lines), dtype=bool) if mask is None else mask
