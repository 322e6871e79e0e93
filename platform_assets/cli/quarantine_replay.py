"""``quarantine replay``: take corrected rows, run the main job, and say what became of the rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from platform_assets.cli.output import console_of_output
from platform_assets.cli.quarantine_files import contract_of, read_rows, without_people
from platform_assets.cli.quarantine_plan import plan
from platform_assets.cli.quarantine_tables import groups_table, table_of
from platform_assets.cli.run import execute, exit_code
from platform_assets.cli.warehouse import warehouse
from platform_assets.erasure.register import people_of
from platform_assets.errors import PlatformError
from platform_assets.services.locks import exclusive_lock
from platform_assets.settings import Settings
from platform_assets.warehouse.quality.quarantine_records import (
    Group,
    Total,
    Wanted,
    events_of,
    groups,
    lines,
    record,
    totals,
)
from platform_assets.warehouse.trail.audit import user

if TYPE_CHECKING:
    from platform_assets.cli.outcome import Outcome

_EVENTS = {
    "replayed": "pass now",
    "duplicate": "repeat another line",
    "kept": "fail again",
    "superseded": "file changed",
    "quarantined": "newly set aside",
}
"""What a run finds out about lines, and how it is told."""


@dataclass(frozen=True)
class Replay:
    """What a replay did.

    Attributes:
        corrected: Rows of the file that were taken.
        unchanged: Rows of the file that said nothing new.
        outcome: The run.
        events: How many lines had which event, by dataset and event.
        left: What is in quarantine now, without what was discarded.
        sums: The same by dataset, with what was discarded.
    """

    corrected: int
    unchanged: int
    outcome: "Outcome"
    events: Mapping[tuple[str, str], int]
    left: Sequence[Group]
    sums: Sequence[Total]

    def to_json(self) -> dict[str, Any]:
        """The result for programs."""
        datasets = sorted({*(dataset for dataset, _ in self.events), *(one.dataset for one in self.sums)})
        return {
            "run_id": self.outcome.run_id,
            "corrected": self.corrected,
            "unchanged": self.unchanged,
            "datasets": {
                dataset: {
                    **{event: self.events.get((dataset, event), 0) for event in _EVENTS},
                    "in_quarantine": sum(one.rows for one in self.sums if one.dataset == dataset),
                    "reasons": {one.reason: one.rows for one in self.left if one.dataset == dataset},
                }
                for dataset in datasets
            },
            "gates": {one.dataset: one.gate_is_open for one in self.outcome.assessments},
            "failures": self.outcome.failures,
        }


def replay(settings: Settings, path: Path | None, dataset: str | None, why: str | None, json_file: Path | None) -> int:
    """Take corrected rows, if there are any, and run the main job.

    Given again after it was broken off, it goes on: corrections that were taken are not taken twice.

    Args:
        settings: Where everything is.
        path: Corrected rows; ``None`` when a rule or reference data were corrected instead.
        dataset: Whose rows, where the file does not say; without a file, of whom to tell.
        why: A note for the history.
        json_file: Where to write the result for programs, too.

    Returns:
        0 when every gate is open, 3 when one is shut, 1 when a step failed.

    Raises:
        CorrectionError: The file cannot be taken; nothing of it was.
        PlatformError: There is no such dataset, or nowhere to write the result.
    """
    if dataset is not None:
        contract_of(dataset)
    if json_file is not None and not json_file.parent.is_dir():
        raise PlatformError(f"There is no folder {json_file.parent} to write {json_file.name} to.", "Make it first.")
    settings.home.mkdir(parents=True, exist_ok=True)
    # One session around all, so that the embedded server is started once.
    with exclusive_lock(settings.home / "run" / "refresh.lock"), warehouse(settings) as (connection, _):
        corrected, unchanged = _take(settings, connection, path, dataset, why) if path else (0, 0)
        outcome = execute(settings)
        events = events_of(connection, outcome.run_id)
        told = {key: count for key, count in events.items() if dataset in {None, key[0]}}
        left = groups(connection, Wanted(dataset=dataset))
        done = Replay(corrected, unchanged, outcome, told, left, totals(connection, dataset))
    _print(done, console_of_output(), has_file=path is not None)
    if json_file is not None:
        json_file.write_text(json.dumps(done.to_json(), indent=1) + "\n", encoding="utf-8")
    return exit_code(outcome)


def _take(settings: Settings, connection: Any, path: Path, dataset: str | None, why: str | None) -> tuple[int, int]:
    """Record the corrections, then publish them; broken off in between, the same file can be given again."""
    edited = without_people(read_rows(path, dataset), people_of(settings))
    known = {line.place: line for line in lines(connection, edited.lines)}
    todo = plan(settings, edited, known)
    record(connection, "corrected", todo.deeds, actor=user(), why=why)
    todo.update.publish(todo.table)
    return len(todo.deeds), todo.unchanged


def _print(done: Replay, console: Console, *, has_file: bool) -> None:
    if has_file:
        console.print(f"{done.corrected:,} rows corrected, {done.unchanged:,} rows of the file say nothing new.\n")
    told = done.to_json()["datasets"]
    if told:
        console.print(_fates(told))
    if done.left:
        console.print(groups_table(done.left))
    for step, problem in done.outcome.failures.items():
        console.print(f"failed: {step}: {problem}", markup=False, style="red")
    for one in done.outcome.assessments:
        if not one.gate_is_open:
            why = f"{one.dataset}: {'; '.join(one.reasons)}. What passes now waits behind it."
            console.print(f"gate shut: {why}", markup=False, style="red")


def _fates(datasets: Mapping[str, Mapping[str, Any]]) -> Table:
    table = table_of("What became of the rows", "dataset", *_EVENTS.values(), "in quarantine")
    for dataset, counts in datasets.items():
        table.add_row(dataset, *(f"{counts[event]:,}" for event in _EVENTS), f"{counts['in_quarantine']:,}")
    return table
