"""People of made-up files, and looking for them in a lake without the code that is tested."""

import re
from pathlib import Path

import pyarrow.parquet as pq

from platform_assets.erasure.people import People
from platform_assets.warehouse.star.pseudonyms import Pseudonyms

KEY = b"a key of the tests"
NOBODY = People(Pseudonyms(KEY))


def people(*identifiers: str, names: tuple[str, ...] = ()) -> People:
    """Forgotten people under the key of the tests."""
    found = NOBODY
    for identifier in identifiers:
        found = found.with_person(identifier, list(names))
    return found


def texts(home: Path) -> list[str]:
    """Everything that is said in a home's Parquet and JSON files, cell by cell."""
    found = []
    for path in home.rglob("*"):
        if path.suffix == ".parquet" and path.is_file():
            found += [str(cell) for column in pq.ParquetFile(path).read().columns for cell in column.to_pylist()]
        elif path.suffix == ".json":
            found += re.split(r'[",:\[\]{}]', path.read_text())
    return found


def mentions(home: Path, word: str) -> list[str]:
    """The cells that have a word in them, however it is written."""
    whole = re.compile(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])", re.IGNORECASE)
    return [text for text in texts(home) if whole.search(text)]
