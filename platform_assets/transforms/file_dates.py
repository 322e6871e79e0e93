"""The date that people write into the name of a file, to say from when on its rows hold."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import PurePosixPath

import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.engines.engine import Engine, Frame
from platform_assets.transforms.schemas import SOURCE_FILE

FILE_DATE = "_file_date"

_YEARS = range(1990, 2101)
_DATE = re.compile(
    r"(?<!\d)(?P<year>\d{4})"
    r"(?:(?P<mark>[-_]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)|(?P<sign>[-_])(?P<whole_month>\d\d)(?!(?P=sign)\d))"
    r"(?!\d)",
    re.ASCII,
)
_SCHEMA = pa.schema([(SOURCE_FILE, pa.string()), (FILE_DATE, pa.date32())])


def date_in_name(name: str) -> date | None:
    """The first real date from 1990 to 2100 in the name of a file; a month means its first day.

    Understood are ``2024-06-01``, ``2024_06_01``, ``20240601``, ``2024-06`` and ``2024_06``, where no digit stands
    before or behind; a month that a third number follows by the same sign is none.

    Args:
        name: Name of the file; folders before it do not count.
    """
    for found in _DATE.finditer(PurePosixPath(name).name):
        year, month = int(found["year"]), int(found["month"] or found["whole_month"])
        if year in _YEARS:
            try:
                return date(year, month, int(found["day"] or 1))
            except ValueError:
                continue
    return None


def file_dates(names: Iterable[str], contract: Contract, engine: Engine) -> Frame | None:
    """The dates in the names of files, for ``staged``; ``None`` where no column of the contract asks for them."""
    if not any(column.from_file_name for column in contract.columns):
        return None
    rows = [{SOURCE_FILE: name, FILE_DATE: date_in_name(name)} for name in names]
    return engine.from_arrow(pa.Table.from_pylist(rows, _SCHEMA))
