"""A loader in a process of its own, for tests that kill it: ``python -m ... ADDRESS MODE SLICE``.

It replaces a.csv by three lines worth SLICE each. In mode ``stop`` it stops after the first batch has been sent.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pyarrow as pa

from platform_assets.warehouse.loading import bulk
from platform_assets.warehouse.loading.slices import replace_slices
from platform_assets_tests.warehouse.rows import DATASET, SALES, SALES_SCHEMA, sale, sales


def main(address: str, mode: str, slice_id: str) -> None:
    """Load, and say on standard output how far it got."""
    if mode == "bulk":
        bulk.SMALLEST_BULK = 1
        bulk.SMALLEST_SHARE = 0.0
    lines = sales([sale("a.csv", row, f"{slice_id}.0000") for row in (1, 2, 3)])

    def batches() -> Iterator[pa.RecordBatch]:
        yield lines[0]
        sys.stdout.write("sending\n")
        sys.stdout.flush()
        while mode == "stop":
            time.sleep(60)
        yield from lines[1:]

    with closing(psycopg2.connect(address)) as connection:
        replace_slices(connection, SALES, {(DATASET, "a.csv"): slice_id}, [], SALES_SCHEMA, batches())
    sys.stdout.write("committed\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
