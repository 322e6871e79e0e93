"""``drift`` and ``drift accept``: the last delivery of a dataset beside those before it, and what is the new normal.

Belongs here: the two actions and their table. Does not belong here: judging (``quality.drift``).
"""

from collections.abc import Sequence
from datetime import datetime

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from platform_assets.cli.output import console_of_output
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.errors import PlatformError
from platform_assets.lake.table import Table
from platform_assets.quality.deliveries import Delivery, History, Metric, accepted, history_of, with_history
from platform_assets.quality.drift import INDEX
from platform_assets.reports.wording import instant
from platform_assets.settings import Settings

_WIDTH = 200


def drift(settings: Settings, words: Sequence[str], why: str | None) -> int:
    """Show or accept, as the words say: none, a dataset, or ``accept`` and a dataset.

    Raises:
        PlatformError: The words say something else, or name no dataset.
    """
    if words and words[0] == "accept":
        if len(words) != 2:  # noqa: PLR2004 - the word and the dataset
            raise PlatformError(
                "drift accept needs one dataset.", "Name it: ./platform drift accept DATASET --why TEXT."
            )
        return accept_drift(settings, words[1], why or "")
    if why is not None:
        raise PlatformError("drift takes --why with accept only.", "Leave it out, or write accept before the dataset.")
    if len(words) > 1:
        raise PlatformError(f"drift takes one dataset, not {len(words)}.", "Name one, or none for all.")
    return show_drift(settings, words[0] if words else None)


def show_drift(settings: Settings, dataset: str | None) -> int:
    """Print the last delivery of a dataset in full; without one, what is not as usual in all.

    Raises:
        PlatformError: There is no such dataset.
    """
    console = console_of_output(_WIDTH)
    for name in [_known(dataset)] if dataset else CONTRACTS:
        history = history_of(_table(settings, name).snapshot())
        _print(name, history, console, in_full=dataset is not None)
    return 0


def accept_drift(settings: Settings, dataset: str, why: str) -> int:
    """Make the last incident of a dataset the new normal; the next run judges by it.

    Raises:
        PlatformError: There is no such dataset, no incident, or no reason; or a run works on the dataset.
    """
    table = _table(settings, _known(dataset))
    snapshot = table.snapshot()
    history, delivery = accepted(history_of(snapshot), why)
    table.publish(with_history(snapshot, history))
    console = Console()
    console.print(f"{dataset}: the delivery of {_when(delivery)} is the new normal: {delivery.accepted_why}")
    console.print("The checks say so after the next ./platform run.")
    return 0


def _known(dataset: str) -> str:
    if dataset not in CONTRACTS:
        raise PlatformError(f"There is no dataset {dataset}.", f"Name one of {', '.join(CONTRACTS)}.")
    return dataset


def _table(settings: Settings, dataset: str) -> Table:
    return Table(settings.lake / "deliveries" / dataset)


def _print(dataset: str, history: History, console: Console, *, in_full: bool) -> None:
    last = history.last
    if last is None:
        console.print(f"{dataset}: no deliveries yet")
        return
    shown = [metric for metric in last.metrics if in_full or metric.is_outside]
    console.print(Text(f"{dataset}: {_summary(last, history)}", style="bold"))
    if not shown:
        return
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(("check", "column or day", "figure", "value", "expected", "verdict")):
        grid.add_column(column, justify="right" if place in {3, 4} else "left", overflow="fold")
    for metric in shown:
        grid.add_row(metric.family, metric.column, metric.name, *_cells(metric))
    console.print(grid)
    for metric in shown:
        if metric.text:
            console.print(Text(f"  {metric.text}"))


def _summary(last: Delivery, history: History) -> str:
    state = "an incident" if last.is_incident else "as usual"
    state = f"accepted as the new normal ({last.accepted_why})" if last.accepted_why else state
    good = len(history.before(last.id).good)
    files = f"{last.files:,} file{'s' if last.files > 1 else ''}"
    return f"delivery of {_when(last)}, {files}, {last.profile.rows:,} rows: {state}; compared with {good:,} before"


def _when(delivery: Delivery) -> str:
    return instant(datetime.fromisoformat(delivery.landed_at))


def _cells(metric: Metric) -> tuple[str, str, Text]:
    value = _number(metric, metric.value)
    if metric.low is None or metric.high is None:
        return value, "", Text("not judged", style="dim")
    verdict = Text("warn", style="yellow") if metric.is_outside else Text("pass", style="green")
    return value, f"{_number(metric, metric.low)} to {_number(metric, metric.high)}", verdict


def _number(metric: Metric, value: float) -> str:
    if metric.name.endswith("_share"):
        return f"{value:.1%}"
    return f"{value:.3f}" if metric.name == INDEX else f"{value:,.0f}"
