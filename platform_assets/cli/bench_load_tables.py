"""What loading took, the table of it, and what is wrong with what was loaded."""

from collections.abc import Sequence
from dataclasses import dataclass

from platform_assets.cli.bench_load_ways import REFERENCE, REPLAY, Way
from platform_assets.cli.bench_sheets import NOTHING, Sheet, rate_text


@dataclass(frozen=True)
class Finding:
    """One load.

    Attributes:
        way: How.
        seconds: Wall time, from connecting to the end of the transaction.
        cpu: Processor seconds of the client and of its session at the server.
        hash: Of all rows of the table afterwards.
    """

    way: Way
    seconds: float
    cpu: float
    hash: str


@dataclass(frozen=True)
class Traces:
    """What loads leave in a table besides its rows.

    Attributes:
        dead: Dead rows.
        size: Bytes of the table and its indexes.
    """

    dead: int
    size: int

    def since(self, before: "Traces") -> "Traces":
        """What has been added."""
        return Traces(self.dead - before.dead, self.size - before.size)


def load_sheet(found: Sequence[Finding], rows: int, megabytes: float) -> Sheet:
    """The best of each way, and how it compares with the reference.

    Args:
        found: All loads.
        rows: Rows of each.
        megabytes: Size of the CSV file.
    """
    best: dict[Way, tuple[float, float]] = {}
    for one in found:
        seconds, cpu = best.get(one.way, (one.seconds, one.cpu))
        best[one.way] = min(seconds, one.seconds), min(cpu, one.cpu)
    title = f"{rows:,} rows, 10 columns, {megabytes:,.0f} MB as CSV; the best of each"
    columns = ("way", "seconds", "CPU seconds", "rows/s", "MB/s", "times \\copy", "times its CPU", "at most")
    return Sheet(title, columns, tuple(_line(way, best, rows, megabytes) for way in best))


def _line(way: Way, best: dict[Way, tuple[float, float]], rows: int, megabytes: float) -> tuple[str, ...]:
    seconds, cpu = best[way]
    reference, its_cpu = best[REFERENCE]
    if way is REPLAY:
        times = (f"{seconds / reference:.3f}", f"{cpu / its_cpu:.3f}")
        return (way.name, f"{seconds:.3f}", f"{cpu:.3f}", NOTHING, NOTHING, *times, way.promise)
    return (
        way.name,
        f"{seconds:.2f}",
        f"{cpu:.2f}",
        rate_text(rows / seconds),
        f"{megabytes / seconds:,.1f}",
        f"{seconds / reference:.2f}",
        f"{cpu / its_cpu:.2f}",
        way.promise,
    )


def wrong_loads(found: Sequence[Finding], left: Sequence[Traces]) -> list[str]:
    """Say which ways left other rows than the reference, and what a repeated load left behind; each once."""
    expected = next(one.hash for one in found if one.way is REFERENCE)
    sentences = [
        f"{one.way.name} left rows with the hash {one.hash}, \\copy with {expected}"
        for one in found
        if one.hash != expected
    ]
    sentences += [
        f"the same load again left {trace.dead:,} dead rows and {trace.size:,} bytes more"
        for trace in left
        if trace != Traces(0, 0)
    ]
    return list(dict.fromkeys(sentences))
