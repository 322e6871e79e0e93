"""Which column of the contract a header means.

Belongs here: comparing headers, and refusing a file whose headers do not do. Does not belong here: finding the header
line (``dialect``).
"""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from platform_assets.contracts.contract import Contract
from platform_assets.errors import FileRefusedError

CANDIDATES = 3
LOST_COLUMNS = "Required columns are missing"
"""How the reason begins for which a file is refused that lacks columns."""


def normalise(header: str) -> str:
    """A header without case, accents, blanks and punctuation: ``Sub-Category`` and ``sub_category`` are one."""
    plain = unicodedata.normalize("NFKD", header.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


@dataclass(frozen=True)
class HeaderMatch:
    """What the headers of a file mean.

    Attributes:
        columns: Header of the file to column of the contract.
        unknown: Headers the contract does not know, in the order of the file.
    """

    columns: dict[str, str]
    unknown: tuple[str, ...]


class HeaderMatcher:
    """Matches headers to the columns of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def knows(self, header: str) -> bool:
        """Whether a header means a column of the contract."""
        return normalise(header) in self._meanings

    def match(self, headers: Sequence[str]) -> HeaderMatch:
        """Match all headers of a file.

        Raises:
            FileRefusedError: Two headers are the same, or two mean the same column and neither is its own name.
        """
        repeated = [header for header, count in Counter(headers).items() if count > 1]
        if repeated:
            problem = f"The header has {', '.join(map(repr, repeated))} more than once."
            raise FileRefusedError(problem, "Give every column its own name in the first line.")
        claims: dict[str, list[str]] = {}
        for header in headers:
            if self.knows(header):
                claims.setdefault(self._meanings[normalise(header)], []).append(header)
        chosen = {self._choose(column, claimants): column for column, claimants in claims.items()}
        return HeaderMatch(chosen, tuple(header for header in headers if header not in chosen))

    def require(self, headers: Sequence[str], columns: dict[str, str]) -> None:
        """Check that everything is there that the contract demands.

        Raises:
            FileRefusedError: A required column is missing; lists what is missing, what was found, and the nearest.
        """
        present = set(columns.values())
        missing = [column.name for column in self._contract.columns if column.required and column.name not in present]
        missing += [" or ".join(group) for group in self._contract.any_of if present.isdisjoint(group)]
        if not missing:
            return
        spare = [header for header in headers if header not in columns]
        near = [hint for name in missing if (hint := self._nearest(name, spare))]
        problem = f"{LOST_COLUMNS}: {', '.join(missing)}. Found: {', '.join(headers)}."
        remedy = "Deliver the file with these columns"
        remedy += f", or rename ({'; '.join(near)})." if near else f"; {self._contract.dataset} needs them."
        raise FileRefusedError(problem, remedy)

    def missing_optional(self, columns: dict[str, str]) -> list[str]:
        """Columns the contract knows and does not demand, that no header means."""
        present = set(columns.values())
        return [c.name for c in self._contract.columns if not c.required and c.name not in present]

    @cached_property
    def _meanings(self) -> dict[str, str]:
        """Normalised header to column; a column's own name goes before another's alias."""
        aliases = {normalise(a): column.name for column in reversed(self._contract.columns) for a in column.aliases}
        return aliases | {normalise(column.name): column.name for column in self._contract.columns}

    def _choose(self, column: str, claimants: list[str]) -> str:
        own = [header for header in claimants if normalise(header) == normalise(column)]
        exact = [header for header in claimants if header.strip() == column]
        for candidates in (claimants, exact, own):
            if len(candidates) == 1:
                return candidates[0]
        problem = f"{' and '.join(map(repr, claimants))} both mean the column {column}."
        raise FileRefusedError(problem, f"Keep one of them, or rename the right one to {column}.")

    def _nearest(self, missing: str, spare: list[str]) -> str:
        by_text = {normalise(header): header for header in spare}
        words = {normalise(name) for name in missing.split(" or ")}
        for column in self._contract.columns:
            if column.name in missing.split(" or "):
                words |= {normalise(alias) for alias in column.aliases}
        scores = {text: max(difflib.SequenceMatcher(None, word, text).ratio() for word in words) for text in by_text}
        best = sorted((text for text in scores if scores[text] >= 0.6), key=lambda text: -scores[text])  # noqa: PLR2004
        return f"{missing}: {' or '.join(by_text[text] for text in best[:CANDIDATES])}" if best else ""
