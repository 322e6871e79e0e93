"""The truth about a sample: what each rule must find, what each file's ledger must say, what happened when.

Belongs here: keeping count while files are made, and writing the counts down. Does not belong here: making files.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.row_rules import RowRule
from platform_assets.contracts.rules import KeyUnique, Severity
from platform_assets.samples.lines import Lines, Mask
from platform_assets.samples.text import decimal_text

WHERE_LIMIT = 1000
"""So many places are listed for each rule; the counts are always exact."""
FIRST_LINE = 2
"""Line 1 is the header."""
ABOUT = {
    "rules": "per dataset and rule: rows that break it, over all parsed rows (repeats included, rejected lines not); "
    "line_unique counts repeats after the first, a unique key the rows after the first of each key, "
    "one value per key all rows of a key that has several",
    "where": f"per dataset and rule: the first {WHERE_LIMIT} places as [file, line]; line 1 is the header",
    "rejected": f"per dataset: the first {WHERE_LIMIT} lines with a wrong number of fields as [file, line]",
    "ledger": "per dataset and file: rows and money read = rejected + quarantined + duplicate + loaded",
    "conformed": "per dataset: cells written in an odd but legal way, which no rule must find (repeats not counted)",
}


@dataclass
class Truth:
    """The record that grows while files are made."""

    rules: dict[str, dict[str, int]] = field(
        default_factory=lambda: {name: {rule.id: 0 for rule in CONTRACTS[name].rules} for name in CONTRACTS}
    )
    where: dict[str, dict[str, list[tuple[str, int]]]] = field(
        default_factory=lambda: {name: defaultdict(list) for name in CONTRACTS}
    )
    rejected: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: {name: [] for name in CONTRACTS})
    ledger: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {name: {} for name in CONTRACTS})
    conformed: dict[str, dict[str, int]] = field(default_factory=lambda: {name: defaultdict(int) for name in CONTRACTS})
    events: list[dict[str, Any]] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    def add_file(self, dataset: str, file: str, lines: Lines) -> None:
        """Record one file: its ledger, its rejected lines and every rule its lines break."""
        contract = CONTRACTS[dataset]
        _add_places(self.rejected[dataset], file, lines.rejected)
        broken = {rule: mask & ~lines.rejected for rule, mask in lines.broken.items()}
        for rule, mask in {**broken, "line_unique": lines.duplicate}.items():
            self.rules[dataset][rule] += int(mask.sum())
            _add_places(self.where[dataset][rule], file, mask)
        self.ledger[dataset][file] = _ledger_of(contract, lines, quarantined_rows(contract, lines))

    def conform(self, dataset: str, kind: str, count: int) -> None:
        """Record cells that are written in an odd but legal way."""
        if count:
            self.conformed[dataset][kind] += count

    @property
    def lines(self) -> dict[str, int]:
        """Lines written for each dataset, headers not counted."""
        return {name: sum(row["rows_read"] for row in files.values()) for name, files in self.ledger.items()}

    def write(self, path: Path, about: dict[str, Any]) -> None:
        """Write the record as JSON, after some facts about the sample as a whole."""
        data = {
            **about,
            "about": ABOUT,
            "parameters": self.parameters,
            "events": self.events,
            "rules": self.rules,
            "conformed": self.conformed,
            "rejected": self.rejected,
            "ledger": self.ledger,
            "where": self.where,
        }
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def quarantined_rows(contract: Contract, lines: Lines) -> Mask:
    """Which lines are set aside: they break a rule of severity error and are neither rejected nor repeats."""
    errors = (rule for rule in contract.rules if rule.severity is Severity.ERROR)
    setting_aside = {rule.id for rule in errors if isinstance(rule, (RowRule, KeyUnique))}
    result = np.zeros(len(lines), dtype=bool)
    for rule, mask in lines.broken.items():
        if rule in setting_aside:
            result |= mask
    return result & ~lines.rejected & ~lines.duplicate


def _ledger_of(contract: Contract, lines: Lines, quarantined: Mask) -> dict[str, Any]:
    parts = {
        "rejected": lines.rejected,
        "quarantined": quarantined,
        "duplicate": lines.duplicate,
        "loaded": ~(lines.rejected | quarantined | lines.duplicate),
    }
    entry: dict[str, Any] = {"rows_read": len(lines)}
    entry |= {f"rows_{name}": int(mask.sum()) for name, mask in parts.items()}
    if contract.amount:
        entry |= {
            f"amount_{name}": decimal_text(int(lines.amount[mask].sum()))
            for name, mask in parts.items()
            if name != "rejected"
        }
    return entry


def _add_places(places: list[tuple[str, int]], file: str, mask: Mask) -> None:
    room = WHERE_LIMIT - len(places)
    places += [(file, FIRST_LINE + int(row)) for row in np.flatnonzero(mask)[:room]]
