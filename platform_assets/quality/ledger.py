"""The row ledger: for each raw file, lines read = rejected + quarantined + duplicate + loaded, in rows and money."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

PARTS = ("read", "rejected", "quarantined", "duplicate", "loaded")
ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    """What became of the lines of one file. Amounts are exact; rejected lines have none that could be read.

    Corrected rows are no part of the balance: each is quarantined, duplicate or loaded like any row.
    """

    dataset: str
    source_file: str
    rows_read: int
    rows_rejected: int
    rows_quarantined: int
    rows_duplicate: int
    rows_loaded: int
    rows_corrected: int = 0
    amount_read: Decimal = ZERO
    amount_rejected: Decimal = ZERO
    amount_quarantined: Decimal = ZERO
    amount_duplicate: Decimal = ZERO
    amount_loaded: Decimal = ZERO
    status: str = "read"
    content_hash: str = ""
    note: str = ""

    @property
    def balances(self) -> bool:
        """Whether nothing was lost and nothing came from nowhere."""
        rows = self.rows_rejected + self.rows_quarantined + self.rows_duplicate + self.rows_loaded
        amounts = self.amount_rejected + self.amount_quarantined + self.amount_duplicate + self.amount_loaded
        return rows == self.rows_read and amounts == self.amount_read and min(self.rows) >= 0

    @property
    def rows(self) -> tuple[int, ...]:
        """The five counts, in the order of ``PARTS``."""
        return tuple(getattr(self, f"rows_{part}") for part in PARTS)

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """The five sums, in the order of ``PARTS``."""
        return tuple(getattr(self, f"amount_{part}") for part in PARTS)


def ledger_line(
    dataset: str, source_file: str, facts: Mapping[str, Any], excluded: Mapping[str, Any], loaded: tuple[int, Decimal]
) -> LedgerLine:
    """The line of a file that could be read.

    Args:
        dataset: Its dataset.
        source_file: Its name.
        facts: What was counted when it was staged.
        excluded: What the version sets aside of it: ``duplicate``, ``duplicate_quarantined`` and ``quarantined``
            rows, and the sums with ``_amount`` behind.
        loaded: Rows and money that a separate count found among the rows that count. Taken from that count and not
            computed as a remainder, so that the ledger can fail to balance.
    """
    quarantined = facts["quarantined"] - excluded.get("duplicate_quarantined", 0) + excluded.get("quarantined", 0)
    amount_quarantined = (
        Decimal(facts["quarantined_amount"])
        - Decimal(excluded.get("duplicate_quarantined_amount", 0))
        + Decimal(excluded.get("quarantined_amount", 0))
    )
    return LedgerLine(
        dataset=dataset,
        source_file=source_file,
        rows_read=facts["rows_read"],
        rows_rejected=facts["rows_rejected"],
        rows_quarantined=quarantined,
        rows_duplicate=excluded.get("duplicate", 0),
        rows_loaded=loaded[0],
        rows_corrected=facts.get("rows_corrected", 0),
        amount_read=Decimal(facts["amount"]),
        amount_quarantined=amount_quarantined,
        amount_duplicate=Decimal(excluded.get("duplicate_amount", 0)),
        amount_loaded=loaded[1],
        content_hash=facts["content_hash"],
        note="; ".join(facts["notes"]),
    )


def refused_line(dataset: str, source_file: str, refusal: Mapping[str, Any]) -> LedgerLine:
    """The line of a file that was refused as a whole: every line that could be counted is a rejected one."""
    lines = refusal["lines"]
    return LedgerLine(
        dataset=dataset,
        source_file=source_file,
        rows_read=lines,
        rows_rejected=lines,
        rows_quarantined=0,
        rows_duplicate=0,
        rows_loaded=0,
        status="refused",
        content_hash=refusal["content_hash"],
        note=refusal["reason"],
    )


def total_line(dataset: str, lines: list[LedgerLine]) -> LedgerLine:
    """The sum over files."""
    rows: dict[str, Any] = {f"rows_{part}": sum(getattr(line, f"rows_{part}") for line in lines) for part in PARTS}
    amounts: dict[str, Any] = {
        f"amount_{part}": sum((getattr(line, f"amount_{part}") for line in lines), ZERO) for part in PARTS
    }
    rows["rows_corrected"] = sum(line.rows_corrected for line in lines)
    return LedgerLine(dataset=dataset, source_file="", **rows, **amounts)
