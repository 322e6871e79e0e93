"""The tables of a comparison of engines."""

from collections.abc import Mapping, Sequence

from platform_assets.cli.bench_results import Fixed, Result, growth, rate
from platform_assets.cli.bench_sheets import NOTHING, Sheet, megabytes, rate_text, seconds_text

_GIGABYTE = 1_000_000_000


def engines_sheet(results: Sequence[Result], fixed: Mapping[str, Fixed], limit: int) -> Sheet:
    """Time, rate and memory of every run.

    Args:
        results: The runs.
        fixed: The fixed cost of each engine, by its name.
        limit: How much memory a run was allowed, in bytes.
    """
    columns = ("rows", "engine", "lines read", "seconds", "lines per second", "fixed cost apart", "peak memory")
    return Sheet("Everything from raw files to a loaded warehouse", columns, tuple(_rows(results, fixed, limit)), 2)


def _rows(results: Sequence[Result], fixed: Mapping[str, Fixed], limit: int) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in results:
        what = (f"{one.rows:,}", one.engine, f"{one.lines:,}")
        if one.measured.exceeded:
            rows.append((*what, NOTHING, NOTHING, NOTHING, f"needs more than {limit / _GIGABYTE:,.1f} GB"))
            continue
        seconds = one.measured.seconds
        rates = (rate_text(one.lines / seconds), rate_text(rate(one, fixed[one.engine])))
        rows.append((*what, seconds_text(seconds), *rates, megabytes(one.measured.peak())))
    return rows


def layers_sheet(results: Sequence[Result]) -> Sheet:
    """Seconds per layer of every finished run."""
    finished = [one for one in results if not one.measured.exceeded]
    layers = tuple(dict.fromkeys(layer for one in finished for layer in one.outcome["seconds_per_layer"]))
    rows = tuple(
        (f"{one.rows:,}", one.engine, *(_layer(one.outcome["seconds_per_layer"], layer) for layer in layers))
        for one in finished
    )
    return Sheet("Seconds per layer", ("rows", "engine", *layers), rows, 2)


def _layer(seconds: Mapping[str, float], layer: str) -> str:
    return seconds_text(seconds[layer]) if layer in seconds else NOTHING


def growth_sheet(results: Sequence[Result], fixed: Mapping[str, Fixed]) -> Sheet:
    """From each size to the next."""
    rows = tuple(
        (
            f"{one.before:,} to {one.after:,}",
            one.engine,
            f"{one.lines:.2f}",
            NOTHING if one.seconds is None else f"{one.seconds:.2f}",
            f"{one.memory:.2f}",
        )
        for one in growth(results, fixed)
    )
    columns = ("rows", "engine", "times the lines", "times the seconds, fixed cost apart", "times the memory")
    return Sheet("Growth", columns, rows, 2)


def fixed_sheet(fixed: Sequence[Fixed], heap: str) -> Sheet:
    """What each engine costs whatever the data.

    Args:
        fixed: The engines.
        heap: The heap of the Spark server as Java writes it, empty where there was none.
    """
    lines = max((one.lines for one in fixed), default=0)
    title = f"Fixed cost in seconds: runs of {lines:,} lines" + (f"; Spark's server has -Xmx{heap}" if heap else "")
    rows = tuple(
        (
            one.engine,
            seconds_text(one.start) if one.start else NOTHING,
            seconds_text(one.first),
            seconds_text(one.later),
        )
        for one in fixed
    )
    return Sheet(title, ("engine", "start of its server", "first run", "later run"), rows)
