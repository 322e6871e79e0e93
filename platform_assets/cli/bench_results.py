"""What a comparison of engines measures, the rates that follow, and whether the results of the runs are equal.

Belongs here: arithmetic. Does not belong here: running (``bench_engines``), and tables (``bench_tables``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from platform_assets.cli.bench_process import Measured

_MOST_DIFFERENCES = 10
_LEDGER_NOTES = ("dataset", "source_file", "status", "content_hash", "note")


@dataclass(frozen=True)
class Fixed:
    """What an engine costs whatever the data, from the smallest sample.

    Attributes:
        engine: Which one.
        lines: Lines of the smallest sample.
        start: Seconds until its server answered, 0 without one.
        first: Seconds of the first run after that.
        later: Seconds of the run after that one.
    """

    engine: str
    lines: int
    start: float
    first: float
    later: float


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        engine: On which engine.
        rows: Transaction lines asked for.
        lines: Lines of all datasets.
        measured: Its time and memory.
        outcome: Its result for programs, empty when it needed too much memory.
    """

    engine: str
    rows: int
    lines: int
    measured: Measured
    outcome: Mapping[str, Any]


@dataclass(frozen=True)
class Growth:
    """From one size to the next, on one engine, as factors.

    Attributes:
        engine: On which engine.
        before: Transaction lines of the smaller run.
        after: Transaction lines of the larger one.
        lines: Of all lines.
        seconds: Of the time without the fixed cost; ``None`` where one of them had no more.
        memory: Of the peak memory.
    """

    engine: str
    before: int
    after: int
    lines: float
    seconds: float | None
    memory: float


def rate(result: Result, fixed: Fixed) -> float | None:
    """Lines per second with the fixed cost apart: the lines beyond the smallest sample over the seconds beyond its.

    Returns:
        ``None`` where the run took no longer than the smallest sample.
    """
    lines, seconds = result.lines - fixed.lines, result.measured.seconds - fixed.later
    return lines / seconds if lines > 0 and seconds > 0 else None


def growth(results: Sequence[Result], fixed: Mapping[str, Fixed]) -> list[Growth]:
    """How each engine's finished runs grow from one size to the next."""
    finished = [one for one in results if not one.measured.exceeded]
    return [
        _growth(smaller, larger, fixed[engine].later)
        for engine in dict.fromkeys(one.engine for one in finished)
        for smaller, larger in pairwise(one for one in finished if one.engine == engine)
    ]


def _growth(smaller: Result, larger: Result, fixed_seconds: float) -> Growth:
    before, after = (one.measured.seconds - fixed_seconds for one in (smaller, larger))
    return Growth(
        engine=larger.engine,
        before=smaller.rows,
        after=larger.rows,
        lines=larger.lines / smaller.lines,
        seconds=after / before if before > 0 and after > 0 else None,
        memory=larger.measured.peak() / max(smaller.measured.peak(), 1),
    )


def differences(results: Sequence[Result]) -> list[str]:
    """Say where engines came to other results than the first of them with the same sample: rows, money, gates."""
    found = []
    finished = sorted((one for one in results if not one.measured.exceeded), key=lambda one: one.rows)
    for rows, group in groupby(finished, key=lambda one: one.rows):
        first, *others = group
        for other in others:
            told = [f"{rows:,} rows: {text}" for text in _between(first, other)]
            found += told[:_MOST_DIFFERENCES]
            if len(told) > _MOST_DIFFERENCES:
                found.append(f"{rows:,} rows: and {len(told) - _MOST_DIFFERENCES} more of {other.engine}")
    return found


def _between(first: Result, other: Result) -> Iterator[str]:
    expected, got = dict(_facts(first.outcome)), dict(_facts(other.outcome))
    for name in dict.fromkeys([*expected, *got]):
        before, after = expected.get(name), got.get(name)
        if before != after:
            yield f"{name} is {before} on {first.engine}, {after} on {other.engine}"


def _facts(outcome: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What has to be the same on every engine, by a name for people. Money is compared as numbers, however written."""
    for table, count in outcome["tables"].items():
        yield f"rows of {table}", count
    for dataset, about in outcome["datasets"].items():
        yield f"gate of {dataset}", "open" if about["gate_open"] else "shut"
        for name, value in about["ledger"]["total"].items():
            if name not in _LEDGER_NOTES:
                yield f"{name} of {dataset}", Decimal(value)
    for line in outcome["segments"]:
        yield f"customers in {line['segment']}", line["customers"]
        yield f"revenue of {line['segment']}", Decimal(line["revenue_amount"])
