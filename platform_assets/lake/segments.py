"""What a segment is on disk: one Parquet file, or a folder of them when several workers wrote it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def parquet_files(segment: Path) -> list[Path]:
    """The Parquet files of a segment; what an engine notes beside them is none."""
    if not segment.is_dir():
        return [segment]
    return sorted(file for file in segment.glob("*.parquet") if not file.name.startswith(("_", ".")))


def segment_rows(segment: Path) -> int:
    """Number of rows, from the files' own footers."""
    return sum(pq.read_metadata(file).num_rows for file in parquet_files(segment))


def segment_schema(segment: Path) -> pa.Schema:
    """Columns and types."""
    return pq.read_schema(parquet_files(segment)[0])
