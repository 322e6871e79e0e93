"""Small contracts and files for the tests of reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.readings import DateReading
from platform_assets.contracts.row_rules import DaysBetween
from platform_assets.contracts.rules import Dimension, LineUnique, Rule, Severity
from platform_assets.ingestion.discovery import LandedFile
from platform_assets.ingestion.reading import FileReader, FileReport, read_file


def contract(
    *columns: tuple[str, ColumnType] | Column | str, rules: tuple[Rule, ...] = (), required: bool = True
) -> Contract:
    """A contract of some columns; text unless said otherwise."""
    return Contract(
        dataset="things",
        title="one thing",
        owner="team:test",
        columns=tuple(
            c if isinstance(c, Column) else _column(*((c, ColumnType.TEXT) if isinstance(c, str) else c), required)
            for c in columns
        ),
        own_rules=rules,
    )


def _column(name: str, kind: ColumnType, required: bool) -> Column:
    return Column(name=name, type=kind, description="A column.", required=required)


def days_between(earlier: str, later: str) -> DaysBetween:
    return DaysBetween(
        id="later_after_earlier",
        dimension=Dimension.CONSISTENCY,
        severity=Severity.ERROR,
        description="later is 0 to 30 days after earlier",
        earlier=earlier,
        later=later,
        low=0,
        high=30,
    )


def line_unique(*ignored: str) -> LineUnique:
    return LineUnique(
        id="line_unique",
        dimension=Dimension.UNIQUENESS,
        severity=Severity.ERROR,
        description="no line twice",
        ignored=ignored,
    )


def landed(path: Path) -> LandedFile:
    stat = path.stat()
    return LandedFile(path.name, path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@dataclass(frozen=True)
class Read:
    """Everything a reader gave."""

    rows: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    report: FileReport

    def cells(self, *names: str) -> list[tuple[str | None, ...]]:
        return [tuple(row[name] for name in names) for row in self.rows]

    @property
    def lines(self) -> list[int]:
        return [row["_source_row"] for row in self.rows]

    @property
    def rejected_lines(self) -> list[int]:
        return [reject["_source_row"] for reject in self.rejects]


def exhaust(reader: FileReader) -> Read:
    rows = [row for batch in reader.batches() for row in batch.to_pylist()]
    rejects = [row for batch in reader.rejects.batches() for row in batch.to_pylist()]
    return Read(rows, rejects, reader.report)


def read(path: Path, of: Contract, formats: Mapping[str, DateReading] | None = None) -> Read:
    return exhaust(read_file(landed(path), of, formats or {}))


def read_bytes(folder: Path, content: bytes, of: Contract, name: str = "file.csv") -> Read:
    path = folder / name
    path.write_bytes(content)
    return read(path, of)


def read_column(folder: Path, kind: ColumnType, cells: Sequence[str], *rules: Rule) -> Read:
    """One typed column ``value`` beside an id, written with ``|`` so that cells need no quotes."""
    lines = [f"{number}|{cell}" for number, cell in enumerate(cells)]
    of = contract("id", ("value", kind), rules=rules)
    return read_bytes(folder, "\n".join(["id|value", *lines, ""]).encode(), of)
