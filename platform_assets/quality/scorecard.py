"""The scorecard: what the quality tables say about every dataset, as the UI, the command line and the page show it.

Belongs here: the scorecard's parts and what follows from them. Does not belong here: reading them
(``warehouse.quality.scorecard_read``) and showing them (``reports``, ``cli``).
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from platform_assets.quality.ledger import LedgerLine
from platform_assets.quality.results import SCORES, HeldBack, Verdict

FRESHNESS = "freshness"
"""The one score that is not a share: hours, of which fewer are better."""

Cells = tuple[tuple[str, str], ...]


class State(StrEnum):
    """What a dataset comes to."""

    PASS = Verdict.PASS.value
    WARN = Verdict.WARN.value
    FAIL = Verdict.FAIL.value
    EMPTY = "no rows"


@dataclass(frozen=True, kw_only=True)
class TrendPoint:
    """One evaluation of a score.

    Attributes:
        run_id: The run that made it.
        evaluated_at: When.
        score: What it was; ``None`` when there was nothing to judge.
        verdict: Its verdict then, by the thresholds of then.
    """

    run_id: str
    evaluated_at: datetime
    score: float | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Score:
    """One score of a dataset, with the way it came.

    Attributes:
        name: Its name.
        dimension: The aspect of quality.
        value: A share of 0 to 1, for freshness hours; ``None`` when there was nothing to judge.
        verdict: Pass, warn or fail.
        rows_checked: Denominator (for completeness cells, for freshness files).
        rows_failed: How many of them fail.
        warn_threshold: Where it begins to warn, if anywhere.
        fail_threshold: Where it begins to fail, if anywhere.
        note: What else a person should know.
        trend: The last evaluations, oldest first; the last is this one.
    """

    name: str
    dimension: str
    value: float | None
    verdict: Verdict
    rows_checked: int
    rows_failed: int
    warn_threshold: float | None
    fail_threshold: float | None
    note: str
    trend: tuple[TrendPoint, ...]

    @property
    def in_hours(self) -> bool:
        """Whether it is a time, of which less is better."""
        return self.name == FRESHNESS

    @property
    def change(self) -> float | None:
        """This value less that of the evaluation before."""
        if self.value is None or len(self.trend) < 2 or self.trend[-2].score is None:  # noqa: PLR2004 - two points
            return None
        return self.value - self.trend[-2].score


@dataclass(frozen=True, kw_only=True)
class Check:
    """The last result of a check that is no score: a rule, a comparison with the past, or a check of the files.

    Attributes:
        rule: Its id.
        kind: ``rule``, ``drift`` or ``files``.
        dimension: The aspect of quality.
        severity: ``error`` sets rows aside, ``warn`` counts them.
        verdict: Pass, warn or fail.
        rows_checked: Rows asked.
        rows_failed: Rows that fail; exact.
        rows_pending: Rows that wait for their parents and have not failed yet.
        rows_resolved: Rows whose parents have come since the evaluation before.
        rows_failed_before: What failed in the evaluation before; ``None`` when there was none.
        score: The share that keeps it, or the measure of a drift.
        description: The check as a sentence.
        note: What else a person should know.
    """

    rule: str
    kind: str
    dimension: str
    severity: str
    verdict: Verdict
    rows_checked: int
    rows_failed: int
    rows_pending: int
    rows_resolved: int
    rows_failed_before: int | None
    score: float | None
    description: str
    note: str

    @property
    def failed_share(self) -> float | None:
        """Share of the rows asked that fail."""
        return self.rows_failed / self.rows_checked if self.rows_checked else None

    @property
    def change(self) -> int | None:
        """Rows that fail now less those of the evaluation before."""
        return None if self.rows_failed_before is None else self.rows_failed - self.rows_failed_before


@dataclass(frozen=True, kw_only=True)
class FailingRow:
    """One line that breaks rules, or could not be read.

    Attributes:
        source_file: Its file.
        source_row: Its line in the file; 0 is the file as a whole.
        reasons: Every rule it breaks, or why it could not be read.
        cells: Column and text of each cell that has one, personal ones masked.
        hidden: Why there are no cells; empty when there are.
    """

    source_file: str
    source_row: int
    reasons: str
    cells: Cells
    hidden: str = ""


@dataclass(frozen=True, kw_only=True)
class FailingRows:
    """The lines that break one rule.

    Attributes:
        rule: Its id.
        total: How many there are.
        rows: The first of them, by file and line.
        set_aside: Whether they are in quarantine; otherwise they stayed, or repeat another line.
    """

    rule: str
    total: int
    rows: tuple[FailingRow, ...]
    set_aside: bool = True


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What became of the lines of a dataset.

    Attributes:
        total: The sum over all files.
        files: How many files there are.
        lines: Some of the files, those that lost most first.
    """

    total: LedgerLine
    files: int
    lines: tuple[LedgerLine, ...]

    @property
    def has_money(self) -> bool:
        """Whether the dataset speaks of money."""
        return any(self.total.amounts)


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """The scorecard of one dataset.

    Attributes:
        dataset: Its name.
        title: What one row is.
        has_rows: Whether there was anything to judge.
        gate_is_open: Whether its news may move on.
        reasons: Why not.
        held_back: What waits behind a shut gate.
        composite: One number for the eye, not for the gate; ``None`` without rows.
        as_of: The day it speaks of.
        evaluated_at: When it was judged last.
        run_id: By which run.
        contract_version: By which contract.
        scores: Its scores.
        checks: Every other check of that evaluation, those that cost most rows first.
        ledger: What became of its lines.
        failing: Lines that fail, by rule.
    """

    dataset: str
    title: str
    has_rows: bool
    gate_is_open: bool
    reasons: tuple[str, ...]
    held_back: HeldBack | None
    composite: float | None
    as_of: date | None
    evaluated_at: datetime
    run_id: str
    contract_version: str
    scores: tuple[Score, ...]
    checks: tuple[Check, ...]
    ledger: Ledger
    failing: tuple[FailingRows, ...]

    @property
    def costs(self) -> tuple[Check, ...]:
        """The rules that rows break or wait for, the dearest first."""
        return tuple(one for one in self.checks if one.kind == "rule" and (one.rows_failed or one.rows_pending))

    @property
    def findings(self) -> tuple[Check, ...]:
        """What does not pass and is neither a score nor a rule: drift, and files."""
        return tuple(one for one in self.checks if one.kind != "rule" and one.verdict is not Verdict.PASS)

    @property
    def state(self) -> State:
        """The worst of all, as a mean would hide it; rows that break a rule and do not fail it count in a score."""
        if not self.gate_is_open:
            return State.FAIL
        if not self.has_rows:
            return State.EMPTY
        verdicts = {score.verdict for score in self.scores} | {check.verdict for check in self.findings}
        verdicts |= {check.verdict for check in self.costs if check.verdict is Verdict.FAIL}
        return State.PASS if verdicts <= {Verdict.PASS} else State.WARN

    def score(self, name: str) -> Score | None:
        """One of its scores, if it has it."""
        return next((score for score in self.scores if score.name == name), None)

    def failing_of(self, rule: str) -> FailingRows | None:
        """The lines that break a rule, if any are known."""
        return next((one for one in self.failing if one.rule == rule), None)


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """The scorecards of all datasets.

    Attributes:
        generated_at: When it was read.
        datasets: In the order of the registry.
    """

    generated_at: datetime
    datasets: tuple[DatasetCard, ...]

    @property
    def run_id(self) -> str | None:
        """The run of the latest evaluation, if any dataset was ever judged."""
        latest = max(self.datasets, key=lambda card: card.evaluated_at, default=None)
        return latest.run_id if latest else None

    @property
    def score_names(self) -> tuple[str, ...]:
        """The scores that any dataset has, in their order."""
        names = {score.name for card in self.datasets for score in card.scores}
        return tuple(name for name in SCORES if name in names)

    @property
    def worst_first(self) -> tuple[DatasetCard, ...]:
        """The datasets, those first that somebody has to see to."""
        order = (State.FAIL, State.WARN, State.EMPTY, State.PASS)
        return tuple(sorted(self.datasets, key=lambda card: order.index(card.state)))

    @property
    def shut(self) -> tuple[DatasetCard, ...]:
        """The datasets whose gate is shut."""
        return tuple(card for card in self.datasets if not card.gate_is_open)

    def dataset(self, name: str) -> DatasetCard | None:
        """The card of one dataset, if it was ever judged."""
        return next((card for card in self.datasets if card.dataset == name), None)
