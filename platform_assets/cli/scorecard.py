"""``scorecard``: the quality of every dataset in the terminal, down to failing rows, and as a page.

Belongs here: the command and its tables. Does not belong here: how numbers are worded (``reports.wording``).
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from platform_assets.cli.output import console_of_output
from platform_assets.cli.warehouse import warehouse
from platform_assets.config import load_config
from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.errors import PlatformError
from platform_assets.quality.ledger import PARTS
from platform_assets.quality.scorecard import Check, DatasetCard, Score, Scorecard, State
from platform_assets.reports import wording
from platform_assets.reports.writing import write_report
from platform_assets.settings import Settings
from platform_assets.warehouse.quality.scorecard_read import Extent, read_scorecard

_STYLES = {State.PASS: "green", State.WARN: "yellow", State.FAIL: "bold red", State.EMPTY: "dim"}
_WIDTH = 4000
"""Columns where there is no terminal to ask: a file or a pipe has room, and folded cells help nobody there."""
_FILES_SHOWN, _RULES_SHOWN = 10, 15


@dataclass(frozen=True, kw_only=True)
class View:
    """What of the scorecard is asked for.

    Attributes:
        dataset: One dataset in full; ``None`` for all in short.
        rule: A rule of it, for its failing rows.
        runs: How many evaluations the trend has.
        html_file: Where to write the page.
        json_file: Where to write it for programs.
    """

    dataset: str | None
    rule: str | None
    runs: int
    html_file: Path | None
    json_file: Path | None


def show_scorecard(settings: Settings, view: View) -> int:
    """Print the scorecard and write the files asked for.

    Raises:
        PlatformError: Nothing was judged yet, or what is asked for does not exist.
        ServiceError: PostgreSQL cannot be reached.
    """
    scorecard = _read(settings, view)
    console = console_of_output(_WIDTH)
    if view.dataset is None:
        _print_overview(scorecard, console)
    elif view.rule is None:
        _print_dataset(_card(scorecard, view.dataset), console)
    else:
        _print_rule(_card(scorecard, view.dataset), view.rule, console)
    _write_files(scorecard, view)
    return 0


def _read(settings: Settings, view: View) -> Scorecard:
    if view.rule is not None and view.dataset is None:
        raise PlatformError("--rule needs a dataset.", "Name it first: ./platform scorecard DATASET --rule RULE.")
    if view.runs < 1:
        raise PlatformError(f"--runs is {view.runs}, which leaves nothing to show.", "Give 1 or more.")
    contracts = deployed_contracts(load_config(settings.config_file))
    with warehouse(settings) as (connection, _):
        scorecard = read_scorecard(connection, contracts, Extent(runs=view.runs))
    if not scorecard.datasets:
        raise PlatformError("Nothing was judged yet.", "Process the landing zone first: ./platform run.")
    return scorecard


def _card(scorecard: Scorecard, name: str) -> DatasetCard:
    card = scorecard.dataset(name)
    if card is None:
        known = ", ".join(one.dataset for one in scorecard.datasets)
        raise PlatformError(f"There is no judgement of a dataset {name!r}.", f"There is one of {known}.")
    return card


def _table(title: str, *columns: str, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position < left else "right", overflow="fold")
    return table


def _print_overview(scorecard: Scorecard, console: Console) -> None:
    table = _table("Scorecard", "dataset", "gate", "score", "", "value", "change", "last runs", left=4)
    for card in scorecard.worst_first:
        names = [(card.dataset, _gate(card)), *[("", Text())] * (len(card.scores) - 1)]
        for (name, gate), score in zip(names, card.scores, strict=True):
            table.add_row(name, gate, score.name, _verdict(score), *_moving(score))
        table.add_section()
    console.print(table)
    for card in scorecard.shut:
        _print_reasons(card, console)
    console.print(
        "\n./platform scorecard DATASET shows one in full, with --rule RULE its failing rows; --html FILE a page.",
        style="dim",
        highlight=False,
    )


def _moving(score: Score) -> tuple[str, str, str]:
    return wording.score_value(score), wording.score_change(score), wording.sparkline(score)


def _gate(card: DatasetCard) -> Text:
    word = {State.FAIL: "SHUT", State.EMPTY: "no rows"}.get(card.state, "open")
    return _marked(card.state, word)


def _verdict(score: Score | Check) -> Text:
    state = State(score.verdict.value)
    return _marked(state, state.value)


def _marked(state: State, word: str) -> Text:
    return Text(f"{wording.SIGNS[state]} {word}", style=_STYLES[state])


def _print_reasons(card: DatasetCard, console: Console) -> None:
    told = "; ".join(card.reasons)
    console.print(f"gate shut: {card.dataset}: {told}. {wording.held_back(card.held_back)}", markup=False, style="red")


def _print_dataset(card: DatasetCard, console: Console) -> None:
    console.print(Text.assemble((card.dataset, "bold"), f": {card.title}   ", _gate(card)))
    told = f"as of {wording.day(card.as_of)}, judged {wording.instant(card.evaluated_at)} by run {card.run_id[:8]}"
    console.print(f"{told}, contract {card.contract_version or 'not kept'}\n", style="dim", highlight=False)
    if not card.gate_is_open:
        _print_reasons(card, console)
    console.print(_scores(card))
    _print_costs(card, console)
    _print_findings(card, console)
    console.print(_ledger(card))
    if card.failing:
        rule = card.failing[0].rule
        console.print(f"Failing rows: ./platform scorecard {card.dataset} --rule {rule}", style="dim", highlight=False)


def _scores(card: DatasetCard) -> Table:
    table = _table("Scores", "score", "", "counted", "thresholds", "value", "change", "last runs", left=4)
    for score in card.scores:
        limits = wording.score_limits(score)
        table.add_row(score.name, _verdict(score), wording.score_fraction(score), limits, *_moving(score))
    return table


def _print_costs(card: DatasetCard, console: Console) -> None:
    columns = ("rule", "", "what happens", "rows", "of", "share", "change", "pending")
    table = _table("Rules that cost most", *columns, left=3)
    for check in card.costs[:_RULES_SHOWN]:
        happens = "set aside" if check.severity == "error" else "stays"
        part = "" if check.failed_share is None else wording.share(check.failed_share)
        change = "" if check.change is None else wording.signed(check.change)
        pending = f"{check.rows_pending:,}" if check.rows_pending else ""
        numbers = (f"{check.rows_failed:,}", f"{check.rows_checked:,}", part, change, pending)
        table.add_row(check.rule, _verdict(check), happens, *numbers)
    if card.costs:
        console.print(table)
    if len(card.costs) > _RULES_SHOWN:
        console.print(f"and {len(card.costs) - _RULES_SHOWN} more: see quality.rule_costs\n")


def _print_findings(card: DatasetCard, console: Console) -> None:
    table = _table("Drift, volume and files", "check", "", "what was found", left=3)
    for check in card.findings:
        table.add_row(check.rule, _verdict(check), Text("\n".join(check.note.split("; ")) or check.description))
    if card.findings:
        console.print(table)


def _ledger(card: DatasetCard) -> Table:
    title = f"Row ledger: lines read = rejected + quarantined + duplicate + loaded, in {card.ledger.files:,} files"
    table = _table(title, "file", "status", *PARTS, left=2)
    for line in card.ledger.lines[:_FILES_SHOWN]:
        table.add_row(Text(line.source_file), line.status, *(f"{rows:,}" for rows in line.rows))
    rest = card.ledger.files - len(card.ledger.lines[:_FILES_SHOWN])
    if rest:
        table.add_row(f"and {rest:,} more files", "", *[""] * len(PARTS), style="dim")
    table.add_section()
    table.add_row("all", "", *(f"{rows:,}" for rows in card.ledger.total.rows), style="bold")
    if card.ledger.has_money:
        table.add_row("  in money", "", *(wording.money(amount) for amount in card.ledger.total.amounts))
    return table


def _print_rule(card: DatasetCard, rule: str, console: Console) -> None:
    check = next((one for one in card.checks if one.rule == rule), None)
    found = card.failing_of(rule)
    if check is None and found is None:
        known = ", ".join([*(one.rule for one in card.costs), *(one.rule for one in card.failing)]) or "none"
        raise PlatformError(f"{card.dataset} has no rule {rule!r}.", f"Rules with failing rows: {known}.")
    if check is not None:
        console.print(Text.assemble((check.rule, "bold"), f": {check.description}   ", _verdict(check)))
        console.print(f"{check.rows_failed:,} of {check.rows_checked:,} rows fail. {check.note}", highlight=False)
    if found is None:
        console.print("No single row of it is known: it looks across rows, or none fails.", style="dim")
        return
    where = "in quarantine" if found.set_aside else "which stay, or repeat another line"
    table = _table(
        f"The first {len(found.rows)} of {found.total:,} lines, {where}", "file", "line", "reasons", "cells", left=4
    )
    table.columns[1].justify = "right"
    for row in found.rows:
        cells = row.hidden or "  ".join(f"{name}={text}" for name, text in row.cells)
        table.add_row(*(Text(part) for part in (row.source_file, f"{row.source_row:,}", row.reasons, cells)))
    console.print(table)


def _write_files(scorecard: Scorecard, view: View) -> None:
    if view.json_file is not None:
        write_report(json.dumps(asdict(scorecard), default=_plain, indent=1) + "\n", view.json_file)
    if view.html_file is not None:
        from platform_assets.reports.scorecard_page import scorecard_page

        write_report(scorecard_page(scorecard), view.html_file)


def _plain(value: Any) -> Any:
    """Instants and days in ISO 8601; money as text, so that no program reads it as a binary float."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
