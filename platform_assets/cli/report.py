"""The result of a run as a person wants to see it."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from platform_assets.cli.outcome import Outcome
from platform_assets.quality.ledger import PARTS, total_line
from platform_assets.quality.results import SCORES, Assessment, CheckResult, Kind, Verdict
from platform_assets.quality.scorecard import FRESHNESS
from platform_assets.reports.wording import held_back
from platform_assets.services.reports_server import INDEX, SCORECARD

_RULES_SHOWN = 12
_REFUSED_SHOWN = 10


def show(outcome: Outcome, console: Console, pages: Path | None = None) -> None:
    """Print the scorecard, the ledger, the tables, the segments, the times, and where to look next.

    Args:
        outcome: The run.
        console: Where to.
        pages: The folder where the run left pages.
    """
    console.print()
    console.print(_scorecard(outcome))
    _print_findings(outcome, console)
    _print_drift(outcome, console)
    console.print(_ledger(outcome))
    _print_refused(outcome, console)
    console.print(_tables(outcome))
    if outcome.segments:
        console.print(_segments(outcome))
    console.print(_times(outcome))
    _print_verdict(outcome, console, pages)


def _table(title: str, *columns: str, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position < left else "right", overflow="fold")
    return table


def _scorecard(outcome: Outcome) -> Table:
    table = _table("Scorecard", "dataset", *SCORES, "rules kept", "gate")
    for one in outcome.assessments:
        scores = {result.rule: result for result in one.results if result.kind is Kind.SCORE}
        rules = [result for result in one.results if result.kind is not Kind.SCORE]
        kept = f"{sum(result.passed for result in rules)} of {len(rules)}"
        gate = ("open" if one.gate_is_open else "SHUT") if one.has_rows else "no rows"
        table.add_row(one.dataset, *(_score(scores.get(name)) for name in SCORES), kept, gate)
    return table


def _score(result: CheckResult | None) -> str:
    if result is None or result.score is None:
        return "-"
    limit = result.threshold if result.verdict is Verdict.FAIL else result.warn_threshold
    in_hours = result.rule == FRESHNESS
    text = f"{result.score:,.1f} h" if in_hours else f"{result.score:.3%}"
    if result.passed or limit is None:
        return text
    word = "" if result.verdict is Verdict.FAIL else "warns "
    return f"{text} ({word}over {limit:g} h)" if in_hours else f"{text} ({word}under {limit * 100:g}%)"


def _print_findings(outcome: Outcome, console: Console) -> None:
    broken = [
        (one.dataset, result)
        for one in outcome.assessments
        for result in one.results
        if result.kind is Kind.RULE and (result.rows_failed or result.rows_pending)
    ]
    if not broken:
        return
    broken.sort(key=lambda pair: (pair[1].severity.value, -pair[1].rows_failed))
    waiting = any(result.rows_pending for _, result in broken)
    columns = ("rows", "of", *(["pending"] if waiting else []), "what happens")
    table = _table("Rules broken", "dataset", "rule", *columns, left=2)
    for dataset, result in broken[:_RULES_SHOWN]:
        happens = "set aside" if result.severity.value == "error" else "stays"
        counts = (result.rows_failed, result.rows_checked, *([result.rows_pending] if waiting else []))
        table.add_row(dataset, result.rule, *(f"{rows:,}" for rows in counts), happens)
    console.print(table)
    if len(broken) > _RULES_SHOWN:
        console.print(f"and {len(broken) - _RULES_SHOWN} more: ./platform scorecard DATASET\n")


def _print_drift(outcome: Outcome, console: Console) -> None:
    """What is unlike the dataset's own past; a person decides what it means."""
    found = [
        (one.dataset, result)
        for one in outcome.assessments
        for result in one.results
        if result.kind is Kind.DRIFT and not result.passed
    ]
    if not found:
        return
    table = _table("Unlike the past", "dataset", "check", "what was found", left=3)
    for dataset, result in found[:_RULES_SHOWN]:
        table.add_row(dataset, result.rule, Text(result.note or result.description))
    console.print(table)
    if len(found) > _RULES_SHOWN:
        console.print(f"and {len(found) - _RULES_SHOWN} more: ./platform scorecard DATASET\n")


def _ledger(outcome: Outcome) -> Table:
    table = _table("Row ledger: lines read = rejected + quarantined + duplicate + loaded", "dataset", "files", *PARTS)
    for one in outcome.assessments:
        total = total_line(one.dataset, list(one.ledger))
        table.add_row(one.dataset, f"{len(one.ledger):,}", *(f"{count:,}" for count in total.rows))
        if any(total.amounts):
            table.add_row("  in money", "", *(_money(amount) for amount in total.amounts), style="dim")
    return table


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _print_refused(outcome: Outcome, console: Console) -> None:
    refused = [line for one in outcome.assessments for line in one.ledger if line.status == "refused"]
    for line in refused[:_REFUSED_SHOWN]:
        console.print(f"refused: {line.dataset}/{line.source_file}: {line.note}", markup=False)
    if len(refused) > _REFUSED_SHOWN:
        console.print(f"and {len(refused) - _REFUSED_SHOWN:,} more refused files: see quality.quarantine")
    if refused:
        console.print()


def _tables(outcome: Outcome) -> Table:
    """The star table by table, and of other schemas how many tables they have."""
    table = _table("Warehouse", "table", "rows")
    others: dict[str, list[int]] = {}
    for name, rows in outcome.tables.items():
        schema = name.split(".")[0]
        if schema == "warehouse":
            table.add_row(name, f"{rows:,}")
        else:
            others.setdefault(schema, []).append(rows)
    for schema, counts in others.items():
        table.add_row(f"{schema}, {len(counts)} tables", f"{sum(counts):,}")
    return table


def _segments(outcome: Outcome) -> Table:
    table = _table("Customer segments", "segment", "customers", "share", "revenue", "share", "days since last")
    for line in outcome.segments:
        table.add_row(
            line["segment"],
            f"{line['customers']:,}",
            _known(line["customer_share"], ".1%"),
            _money(line["revenue_amount"]),
            _known(line["revenue_share"], ".1%"),
            _known(line["avg_days_since_last"], ",.0f"),
        )
    return table


def _known(value: float | Decimal | None, form: str) -> str:
    """A number, or a dash for what there is none of: prospects have no order, and no share of those who have."""
    return "-" if value is None else format(value, form)


def _times(outcome: Outcome) -> Table:
    table = _table("Time", "layer", "seconds")
    for layer, seconds in outcome.layers.items():
        table.add_row(layer, f"{seconds:,.1f}")
    rest = outcome.seconds - sum(outcome.layers.values())
    table.add_row("start and records", f"{rest:,.1f}")
    table.add_row("total", f"{outcome.seconds:,.1f}")
    return table


def _print_verdict(outcome: Outcome, console: Console, pages: Path | None) -> None:
    for step, problem in outcome.failures.items():
        console.print(f"failed: {step}: {problem}", markup=False, style="red")
    for one in outcome.assessments:
        if not one.gate_is_open:
            console.print(f"gate shut: {_why(one, outcome.followers.get(one.dataset, ()))}", markup=False, style="red")
    if not outcome.failures and all(one.gate_is_open for one in outcome.assessments):
        console.print("Every gate is open.", style="green")
    console.print(
        "\nWhere to look next:\n"
        "  ./platform scorecard               scores, trends, failing rows with file, line and reason\n"
        f"{_pages(pages)}"
        f"  ./platform up                      the Dagster UI; this run is {outcome.run_id[:8]}\n"
        '  ./platform sql "table analytics.rfm_segments"',
        markup=False,
        highlight=False,
    )


def _why(assessment: Assessment, followers: Sequence[str]) -> str:
    """Why a gate is shut, and what that holds back: this dataset's news and nothing else."""
    reasons = "; ".join(assessment.reasons)
    waiting = held_back(assessment.held_back) or "Its news is held back; what was published before stays."
    made = f" Made without it: {', '.join(followers)}." if followers else ""
    return f"{assessment.dataset}: {reasons}. {waiting}{made}"


def _pages(folder: Path | None) -> str:
    if folder is None:
        return ""
    told = {SCORECARD: "the same as a page with plots", INDEX: "customers, products, forecast, findings, key figures"}
    pages = {folder / name: meaning for name, meaning in told.items() if (folder / name).exists()}
    width = max((len(str(page)) for page in pages), default=0)
    return "".join(f"  {str(page).ljust(width)}   {meaning}\n" for page, meaning in pages.items())
