"""What a check says: typed results of rules and scores, and the verdict of the gate."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from platform_assets.config import Limit
from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.quality.ledger import LedgerLine

SHARES = ("completeness", "uniqueness", "validity", "integrity")
SCORES = (*SHARES, "freshness")
BALANCE = "ledger_balances"
READABLE = "files_readable"


class Verdict(StrEnum):
    """What a check comes to."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"


class Kind(StrEnum):
    """What a check looks at."""

    SCORE = "score"
    RULE = "rule"
    DRIFT = "drift"
    FILES = "files"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One evaluated check: a rule, a score, a drift, or the files and their ledger.

    Attributes:
        dataset: What was checked.
        rule: Id of the rule, or name of the score.
        kind: What the check looks at.
        dimension: The aspect of quality.
        severity: What a broken rule does to its rows; for other checks, what it means when it fails.
        verdict: What it comes to.
        rows_checked: How many rows (for completeness: cells) were asked.
        rows_failed: How many of them fail; exact.
        score: Share that keeps the rule, 0 to 1; for freshness, hours; ``None`` when nothing was asked.
        threshold: From which score on the check does not fail; for freshness, up to how many hours. ``None`` when no
            score fails it.
        warn_threshold: The same for warnings.
        description: The rule as a sentence.
        note: What else a person should know.
        examples: A few of what fails, for rules that look across rows.
        shuts_gate: Whether failing holds the dataset's news back.
        rows_pending: How many rows wait for a reference that may still come; they are not among those that fail.
        rows_resolved: How many rows have found theirs since the dataset was judged before.
    """

    dataset: str
    rule: str
    kind: Kind
    dimension: Dimension
    severity: Severity
    verdict: Verdict
    rows_checked: int
    rows_failed: int
    score: float | None
    threshold: float | None
    warn_threshold: float | None = None
    description: str
    note: str = ""
    examples: tuple[str, ...] = ()
    shuts_gate: bool = False
    rows_pending: int = 0
    rows_resolved: int = 0

    @property
    def passed(self) -> bool:
        """Whether there is nothing to see to."""
        return self.verdict is Verdict.PASS


def verdict_of(score: float, limit: Limit) -> Verdict:
    """What a share comes to, held against its limits."""
    if limit.fail is not None and score < limit.fail:
        return Verdict.FAIL
    return Verdict.WARN if limit.warn is not None and score < limit.warn else Verdict.PASS


def is_open(results: Iterable[CheckResult]) -> bool:
    """Whether no check holds the dataset's news back."""
    return not any(result.shuts_gate and result.verdict is Verdict.FAIL for result in results)


@dataclass(frozen=True, kw_only=True)
class HeldBack:
    """News of a dataset that wait behind its shut gate.

    Attributes:
        files: How many files differ from those of the accepted version.
        rows: How many lines these have, those set aside included.
        since: The day of the events that the accepted version reaches to; ``None`` when nothing was accepted yet.
    """

    files: int
    rows: int
    since: date | None


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """All that is known about the quality of one version of a dataset.

    Attributes:
        dataset: Which dataset.
        as_of: The day it speaks of, ``None`` without dated rows.
        evaluated_at: When it was judged.
        results: Every check, rules first.
        ledger: Every file.
        has_rows: Whether there is anything to judge.
        contract_version: Number and fingerprint of the contract it was judged by.
        composite: Weighted mean of scores, for display only; ``None`` without rows.
        held_back: What waits behind a shut gate, ``None`` behind an open one.
        run_id: The run that judged it, where there was one.
    """

    dataset: str
    as_of: date | None
    evaluated_at: datetime
    results: tuple[CheckResult, ...]
    ledger: tuple[LedgerLine, ...]
    has_rows: bool
    contract_version: str
    composite: float | None = None
    held_back: HeldBack | None = None
    run_id: str = ""

    @property
    def gate_is_open(self) -> bool:
        """Whether the version may move on."""
        return is_open(self.results)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the gate is shut; empty when it is open."""
        return tuple(
            f"{result.rule} is {result.score:.5f}, the threshold is {result.threshold:g}"
            if result.score is not None and result.threshold is not None
            else f"{result.rule}: {result.note}"
            for result in self.results
            if result.shuts_gate and result.verdict is Verdict.FAIL
        )

    def result(self, rule: str) -> CheckResult:
        """The result of one check.

        Raises:
            KeyError: There is no such check.
        """
        return {result.rule: result for result in self.results}[rule]
