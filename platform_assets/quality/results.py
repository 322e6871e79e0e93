"""What a check says: typed results of rules and scores, and the verdict of the gate."""

from dataclasses import dataclass
from datetime import date, datetime

from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.quality.ledger import LedgerLine

SCORES = ("completeness", "uniqueness", "validity", "freshness")
BALANCE = "ledger_balances"
READABLE = "files_readable"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One evaluated check: a rule, a score, or the ledger.

    Attributes:
        dataset: What was checked.
        rule: Id of the rule, or name of the score.
        dimension: The aspect of quality.
        severity: What it means when it fails.
        passed: The verdict.
        rows_checked: How many rows (for completeness: cells) were asked.
        rows_failed: How many of them fail; exact.
        score: Share that keeps the rule, 0 to 1; for freshness, hours; ``None`` when nothing was asked.
        threshold: From which score on the check passes; for freshness, up to how many hours.
        description: The rule as a sentence.
        note: What else a person should know.
        examples: A few of what fails, for rules that look across rows.
        shuts_gate: Whether failing holds the dataset's news back.
    """

    dataset: str
    rule: str
    dimension: Dimension
    severity: Severity
    passed: bool
    rows_checked: int
    rows_failed: int
    score: float | None
    threshold: float
    description: str
    note: str = ""
    examples: tuple[str, ...] = ()
    shuts_gate: bool = False


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
    """

    dataset: str
    as_of: date | None
    evaluated_at: datetime
    results: tuple[CheckResult, ...]
    ledger: tuple[LedgerLine, ...]
    has_rows: bool

    @property
    def gate_is_open(self) -> bool:
        """Whether the version may move on."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the gate is shut; empty when it is open."""
        return tuple(
            f"{result.rule} is {result.score:.5f}, the threshold is {result.threshold:g}"
            if result.score is not None
            else f"{result.rule}: {result.note}"
            for result in self.results
            if result.shuts_gate and not result.passed
        )

    def result(self, rule: str) -> CheckResult:
        """The result of one check.

        Raises:
            KeyError: There is no such check.
        """
        return {result.rule: result for result in self.results}[rule]
