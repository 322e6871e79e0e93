"""One judgement, timed from within, in the process that is measured: ``bench_quality`` starts it anew each time.

A small file is judged first, so that what is imported or connected when first needed is not timed; reading the file is.
It runs on the platform's Python and on that of the other tools, so it imports nothing that only one of them has before
it knows where it is.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from platform_assets.settings import EngineName, Settings

OURS, BY_HAND = "ours", "by hand"
OTHERS = "platform_assets_tests.benchmarks.quality.judges"
"""The module that knows the other tools; it is found from the checkout, where this is started."""

Judge = Callable[[Path], dict[str, int]]


def main(way: str, engine: EngineName, file: str, about: str, result: str) -> None:
    """Judge a file once, and write down what was found and what it took.

    Args:
        way: ``ours``, ``by hand``, or another tool.
        engine: On which engine, or which data frames.
        file: The file of ``bench_quality_data``.
        about: As JSON: what that module says of the columns as ``rules``, a ``small`` file of the same kind, and the
            process id of the engine's ``server``, whose work counts, too.
        result: Where the finding goes, as JSON.
    """
    known = json.loads(about)
    server = known["server"]
    if way == OURS:
        judge = _ours(engine)
    elif way == BY_HAND:
        judge = _by_hand(engine)
    else:
        judge = import_module(OTHERS).judge_of(way, engine, known["rules"])
    judge(Path(known["small"]))
    started, cpu = time.perf_counter(), _cpu(server)
    counts = judge(Path(file))
    took = {"seconds": time.perf_counter() - started, "cpu": _cpu(server) - cpu, "peak": _peak()}
    found = {name: count for name, count in counts.items() if count}
    Path(result).write_text(json.dumps({**took, "counts": found}), encoding="utf-8")


def _ours(name: EngineName) -> Judge:
    from platform_assets.cli.bench_quality_ours import judge
    from platform_assets.engines.choose import make_engine

    return partial(judge, make_engine(Settings.from_environment(), name))


def _by_hand(name: EngineName) -> Judge:
    from platform_assets.cli import bench_quality_by_hand as by_hand

    if name == "duckdb":
        return partial(by_hand.on_duckdb, import_module("duckdb").connect())
    if name == "pandas":
        return by_hand.on_pandas
    from platform_assets.engines.spark_session import open_session

    return partial(by_hand.on_spark, open_session(str(Settings.from_environment().spark_remote)))


def _cpu(server: int | None) -> float:
    """Processor seconds of this process, and of the server."""
    if server is None:
        return time.process_time()
    times = import_module("psutil").Process(server).cpu_times()
    return time.process_time() + float(times.user) + float(times.system)


def _peak() -> int:
    """The most memory that this process ever had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # The other counter begins with what the process had that started this one.
        found = re.search(r"VmHWM:\s*([0-9]+) kB", status.read_text(encoding="utf-8"))
        return int(found[1]) * 1024 if found else 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
