"""A run that is killed while its step lives on: ``python -m platform_assets_tests.integration.orphan``.

Its step says that it works by a file in ``ORPHAN_FOLDER``, and waits there for the file ``go_on`` before it loads the
text in ``ORPHAN_VALUE``. The step has a process of its own.
"""

import os
import time
from pathlib import Path

import dagster as dg
import pyarrow as pa

from platform_assets.defs import operations
from platform_assets.warehouse.loads import MergeLoad

TABLE = "quality.failing_samples"
KEY = ["dataset", "rule", "source_file", "source_row"]
SCHEMA = pa.schema([(name, pa.string()) for name in (*KEY[:3], "cells")]).append(pa.field("source_row", pa.int64()))


def load(value: str) -> MergeLoad:
    """The table with one row that holds the value."""
    row = {"dataset": "d", "rule": value, "source_file": "f", "source_row": 1, "cells": "{}"}
    return MergeLoad(TABLE, KEY, SCHEMA, pa.Table.from_pylist([row], SCHEMA).to_batches())


@dg.asset(io_manager_key="warehouse", metadata={"table": TABLE})
def loaded() -> MergeLoad:
    """The value, when it may go on."""
    folder, value = Path(os.environ["ORPHAN_FOLDER"]), os.environ["ORPHAN_VALUE"]
    (folder / "working").write_text(str(os.getpid()), encoding="utf-8")
    while not (folder / "go_on").exists():
        time.sleep(0.05)
    return load(value)


def job() -> dg.JobDefinition:
    """The job, each step in a process of its own."""
    definitions = dg.Definitions(
        [loaded],
        jobs=[dg.define_asset_job("orphan", dg.AssetSelection.all(), executor_def=dg.multiprocess_executor)],
        resources=operations.defs().resources,
    )
    return definitions.resolve_job_def("orphan")


if __name__ == "__main__":
    with dg.DagsterInstance.get() as home:
        dg.execute_job(dg.reconstructable(job), instance=home)
