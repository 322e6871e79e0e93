"""The platform's own judgement of the benchmark's file, by the functions that judge in a run."""

from pathlib import Path

import narwhals as nw
import pyarrow as pa

from platform_assets.cli.bench_quality_data import LINEAGE, SCHEMA, key_rule, row_rules
from platform_assets.engines.engine import Engine
from platform_assets.lake.snapshot import Part
from platform_assets.transforms.counting import counts_by
from platform_assets.transforms.exclusions import repeats
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW


def judge(engine: Engine, file: Path) -> dict[str, int]:
    """Count the rows that break each rule, per raw file, as a run needs them, and the repeated keys.

    Args:
        engine: What computes.
        file: The file of ``bench_quality_data``.

    Returns:
        Counts by rule, summed over the raw files.
    """
    rows = engine.scan([Part(file, None)], pa.schema([*SCHEMA, *LINEAGE]))
    rules, unique = row_rules(), key_rule()
    counted = engine.collect(counts_by(rows, SOURCE_FILE, {rule.id: rule.broken() for rule in rules})).to_pylist()
    beyond = repeats(rows.select(SOURCE_FILE, SOURCE_ROW, *unique.key), unique.key)
    repeated = engine.collect(beyond.select(nw.len().alias("n")))["n"][0].as_py()
    return {rule.id: sum(line[rule.id] for line in counted) for rule in rules} | {unique.id: int(repeated)}
