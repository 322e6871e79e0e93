"""What judging the benchmark's file took, and the table of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platform_assets.cli.bench_quality_data import BEYOND, SHARED
from platform_assets.cli.bench_quality_measure import BY_HAND, OURS
from platform_assets.cli.bench_sheets import NOTHING, Sheet, megabytes

_NAMES = {
    OURS: "platform",
    BY_HAND: "written by hand",
    "pointblank": "Pointblank",
    "great_expectations": "Great Expectations",
}
_FASTEST = "duckdb"


@dataclass(frozen=True)
class Finding:
    """One judgement.

    Attributes:
        way: Who judged: ``ours``, ``by hand``, or a tool.
        engine: On which engine, or which data frames.
        seconds: Wall time, from opening the file to the last count.
        cpu: Processor seconds meanwhile, those of the engine's server included.
        peak: The most memory of the process, and of the server, in bytes.
        counts: Failing rows by rule, where there are any.
    """

    way: str
    engine: str
    seconds: float
    cpu: float
    peak: int
    counts: Mapping[str, int]

    def expected(self, truth: Mapping[str, int]) -> dict[str, int]:
        """The true counts, those of repeated keys in the way that this one counts them."""
        left_out = BEYOND if SHARED in self.counts else SHARED
        return {rule: count for rule, count in truth.items() if rule != left_out}


def quality_sheet(found: Sequence[Finding], truth: Mapping[str, int], rows: int) -> Sheet:
    """The best of each, and how it compares with the hand-written query and with this platform.

    Args:
        found: All judgements.
        truth: What is wrong by construction.
        rows: Rows of the file.
    """
    best: dict[tuple[str, str], Finding] = {}
    for one in found:
        key = one.way, one.engine
        best[key] = min(best.get(key, one), one, key=lambda each: each.seconds)
    columns = (
        "who",
        "on",
        "seconds",
        "CPU seconds",
        "peak memory",
        "failing rows",
        "of",
        "times by hand",
        "times ours",
    )
    lines = tuple(_line(one, best, truth) for one in best.values())
    return Sheet(f"{rows:,} rows, 10 columns, 19 rules, 1 % wrong in each of 7 columns", columns, lines, 2)


def _line(one: Finding, best: Mapping[tuple[str, str], Finding], truth: Mapping[str, int]) -> tuple[str, ...]:
    return (
        _NAMES.get(one.way, one.way),
        one.engine,
        f"{one.seconds:.2f}",
        f"{one.cpu:.2f}",
        megabytes(one.peak),
        f"{sum(one.counts.values()):,}",
        f"{sum(one.expected(truth).values()):,}",
        _times(one, best.get((BY_HAND, one.engine))),
        _times(one, best.get((OURS, one.engine)) or best.get((OURS, _FASTEST))),
    )


def _times(one: Finding, other: Finding | None) -> str:
    return NOTHING if other is None else f"{one.seconds / other.seconds:.2f}"
