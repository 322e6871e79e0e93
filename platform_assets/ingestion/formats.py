"""Which format a file has, told by its first bytes and its name, and the source that reads it.

Belongs here: the choice of format. Does not belong here: reading any of them.
"""

from collections.abc import Callable
from pathlib import Path

from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.delimited import DelimitedSource
from platform_assets.ingestion.encoding import GZIP_MAGIC, survey
from platform_assets.ingestion.jsonlines import JsonLinesSource
from platform_assets.ingestion.parquet import ParquetSource
from platform_assets.ingestion.rejects import RejectSpool
from platform_assets.ingestion.source import Source
from platform_assets.ingestion.workbook import WorkbookSource

PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC = b"PK\x03\x04"
FOREIGN = {
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "an SQLite database",
    b"\x7fELF": "a program",
}
JSON_LINES = (".jsonl", ".ndjson", ".json")
WORKBOOKS = (".xlsx", ".xlsm")
USABLE = "Deliver CSV, TSV, JSON lines (all of them also as .gz), Parquet or Excel (.xlsx)."


def open_source(path: Path, known: Callable[[str], bool], rejects: RejectSpool) -> Source:
    """Open a file in the format it has.

    Args:
        path: The file.
        known: Whether the contract has a column for a header.
        rejects: Where lines go that cannot be taken apart.

    Raises:
        FileRefusedError: It has no format that is known here, or its beginning is not as its format demands.
    """
    start, name = _first_bytes(path), path.name.lower()
    if start.startswith(PARQUET_MAGIC) or (name.endswith(".parquet") and start):
        return ParquetSource(path)
    if name.endswith(WORKBOOKS) and start:
        return WorkbookSource(path, known, rejects)
    if start.startswith(ZIP_MAGIC):
        problem = "The file is a ZIP archive."
        raise FileRefusedError(problem, "Unpack it, or name it .xlsx if it is an Excel workbook.")
    for magic, kind in FOREIGN.items():
        if start.startswith(magic):
            problem = f"The file is {kind}."
            raise FileRefusedError(problem, USABLE)
    found = survey(path)
    plain_name = name.removesuffix(".gz") if start.startswith(GZIP_MAGIC) else name
    if plain_name.endswith(JSON_LINES):
        return JsonLinesSource(path, found, rejects)
    return DelimitedSource(path, found, known, rejects)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(16)
    except OSError as error:
        problem = f"The file cannot be read: {error.strerror or error}."
        raise FileRefusedError(problem, "Check that it still exists and may be read.") from error
