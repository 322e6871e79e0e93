"""The file in which people correct quarantined rows: written by ``export``, read back by ``replay`` and ``discard``.

Cells are written exactly as they stand in the raw file, whatever they look like, and are read back exactly.
"""

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.people import People
from platform_assets.errors import PlatformError
from platform_assets.quality.corrections import Cells, Place
from platform_assets.warehouse.quality.quarantine_records import Line, Wanted

DATASET, FILE, ROW, KIND, REASONS, CONTENT, RAW = LINEAGE = (
    "_dataset",
    "_source_file",
    "_source_row",
    "_kind",
    "_reasons",
    "_content",
    "_raw",
)
CONTENT_DIGITS = 12
"""How much of a hash tells one content of a file from another."""
_ENCODING = "utf-8-sig"
"""With the mark that makes spreadsheets read UTF-8; read back with it or without."""
_DELIMITERS = ",;\t"
_LINES_NAMED = 5


class CorrectionError(PlatformError):
    """A file of corrected rows cannot be taken; nothing of it was."""


@dataclass(frozen=True)
class EditedRow:
    """One row of such a file.

    Attributes:
        at: Its line in the file.
        place: The line of the raw file it stands for.
        content: The start of the hash of that file's content when it was exported; empty when the file does not say.
        cells: Text by column, of the columns that the file has.
    """

    at: int
    place: Place
    content: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class EditedFile:
    """Such a file, read: its dataset and its rows."""

    path: Path
    dataset: str
    rows: tuple[EditedRow, ...]

    @property
    def lines(self) -> Wanted:
        """The lines of the quarantine that its rows can be of."""
        files = tuple(sorted({row.place[0] for row in self.rows}))
        return Wanted(dataset=self.dataset, files=files, with_discarded=True)


class Faults:
    """What is wrong with a file, collected so that it can be told at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[str, list[int]] = {}

    def add(self, what: str, at: int) -> None:
        """Note a fault of a line."""
        self._found.setdefault(what, []).append(at)

    def tell(self, remedy: str) -> None:
        """Raise what was found, if anything.

        Raises:
            CorrectionError: There are faults.
        """
        if not self._found:
            return
        count = sum(map(len, self._found.values()))
        told = "; ".join(f"{what} ({_lines(at)})" for what, at in self._found.items())
        raise CorrectionError(f"{self._path} has {count:,} faults, and nothing was changed: {told}.", remedy)


def write_rows(path: Path, contract: Contract, lines: Iterable[Line], cells: Mapping[Place, Cells]) -> int:
    """Write quarantined lines for people to correct; nobody else may read the file, for it holds what it holds.

    Returns:
        Number of lines written.

    Raises:
        PlatformError: The file cannot be written.
    """
    written = 0
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding=_ENCODING, newline="") as target:  # noqa: PTH123 - of a descriptor
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow([*LINEAGE, *contract.column_names])
            for line in lines:
                writer.writerow(_written(line, contract, cells.get(line.place)))
                written += 1
    except OSError as error:
        raise PlatformError(f"Cannot write {path}: {error.strerror}.", "Name another file with --out.") from error
    return written


def read_rows(path: Path, dataset: str | None) -> EditedFile:
    """Read such a file.

    Args:
        path: The file.
        dataset: Its dataset; ``None`` when a column says so.

    Raises:
        CorrectionError: It is not one, or some of its rows cannot be understood; all that is wrong is told.
    """
    header, records = _records(path)
    _check_header(path, header)
    faults, rows, datasets = Faults(path), [], set[str]()
    for at, record in records:
        if len(record) != len(header):
            faults.add(f"not {len(header)} cells as the header has", at)
            continue
        cells = dict(zip(header, record, strict=True))
        datasets.add(cells.pop(DATASET, "") or dataset or "")
        if row := _row(at, cells, faults):
            rows.append(row)
    for place, count in Counter(row.place for row in rows).items():
        if count > 1:
            faults.add("several rows for the same line", next(row.at for row in rows if row.place == place))
    faults.tell("Export again and change only the cells of the data.")
    contract = _contract(path, datasets, dataset)
    _check_columns(path, header, contract)
    return EditedFile(path, contract.dataset, tuple(rows))


def without_people(edited: EditedFile, people: People) -> EditedFile:
    """The file as it would be had it been written after people were forgotten."""
    contract = contract_of(edited.dataset)
    rows = tuple(replace(row, cells=people.without_cells(row.cells, contract)) for row in edited.rows)
    return replace(edited, rows=rows)


def contract_of(dataset: str) -> Contract:
    """The contract of a dataset.

    Raises:
        PlatformError: There is no such dataset.
    """
    if dataset not in CONTRACTS:
        raise PlatformError(f"There is no dataset {dataset!r}.", f"The datasets are {', '.join(CONTRACTS)}.")
    return CONTRACTS[dataset]


def _written(line: Line, contract: Contract, cells: Cells | None) -> list[str]:
    content = (line.content_hash or "")[:CONTENT_DIGITS]
    raw = line.raw or "" if cells is None else ""
    lineage = [line.dataset, line.source_file, str(line.source_row), line.kind, line.reasons, content, raw]
    return [*lineage, *((cells or {}).get(name) or "" for name in contract.column_names)]


def _records(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the other records with the line they end on."""
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding=_ENCODING, newline="") as source:
            first = source.readline()
            source.seek(0)
            delimiter = max(_DELIMITERS, key=first.count)
            reader = csv.reader(source, delimiter=delimiter, strict=True)
            records = [(reader.line_num, record) for record in reader if record]
    except OSError as error:
        raise CorrectionError(
            f"Cannot read {path}: {error.strerror}.", "Name a file that export has written."
        ) from error
    except UnicodeDecodeError as error:
        problem = f"{path} is not UTF-8: {error.reason} at byte {error.start:,}."
        raise CorrectionError(problem, "Save it as CSV in UTF-8.") from error
    except csv.Error as error:
        raise CorrectionError(f"{path} is not CSV: {error}.", "Save it as CSV in UTF-8.") from error
    if not records:
        raise CorrectionError(f"{path} is empty.", "Name a file that export has written.")
    return records[0][1], records[1:]


def _check_header(path: Path, header: Sequence[str]) -> None:
    missing = [name for name in (FILE, ROW) if name not in header]
    if missing:
        problem = f"{path} does not say which lines it corrects: it lacks {', '.join(missing)}."
        raise CorrectionError(problem, "Start from a file that ./platform quarantine export has written.")
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise CorrectionError(f"{path} has columns more than once: {', '.join(twice)}.", "Keep one of each.")


def _check_columns(path: Path, header: Sequence[str], contract: Contract) -> None:
    unknown = [name for name in header if name not in {*LINEAGE, *contract.column_names}]
    if unknown:
        problem = f"{path} has columns that {contract.dataset} does not know: {', '.join(map(repr, unknown))}."
        raise CorrectionError(problem, f"Its columns are {', '.join(contract.column_names)}.")


def _contract(path: Path, datasets: set[str], dataset: str | None) -> Contract:
    named = datasets or ({dataset} if dataset else set())
    if len(named) != 1 or "" in named:
        problem = f"{path} is of {len(named)} datasets." if len(named) > 1 else f"{path} does not name its dataset."
        raise CorrectionError(problem, f"Name one in the column {DATASET}, or with --dataset.")
    (only,) = named
    if dataset and only != dataset:
        raise CorrectionError(f"{path} is of {only}, not of {dataset}.", "Leave --dataset out.")
    return contract_of(only)


def _row(at: int, cells: dict[str, str], faults: Faults) -> EditedRow | None:
    number = cells[ROW].strip()
    if not cells[FILE] or not (number.isascii() and number.isdigit()):
        faults.add(f"no file in {FILE} or no number in {ROW}", at)
        return None
    if any("\0" in cell for cell in cells.values()):
        faults.add("cells with the character NUL", at)
        return None
    own = {name: cell for name, cell in cells.items() if name not in LINEAGE}
    return EditedRow(at, (cells[FILE], int(number)), cells.get(CONTENT, "").strip(), own)


def _lines(at: Sequence[int]) -> str:
    shown = ", ".join(f"{line:,}" for line in at[:_LINES_NAMED])
    more = f" and {len(at) - _LINES_NAMED:,} more" if len(at) > _LINES_NAMED else ""
    return f"line{'s' if len(at) > 1 else ''} {shown}{more}"
