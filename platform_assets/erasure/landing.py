"""People in the landing zone: where they stand in the retailer's own files, and taking them out if that is wanted.

Belongs here: finding lines, and rewriting delimited text byte for byte but for the cells of a person. Does not belong
here: reading files for the platform (``ingestion``).

A rewritten file says the same as before, with a guest: the cell of the id gets a mark that carries the fingerprint the
line had, other personal cells a word. So the platform reads the rows it had, and the same of them are duplicates. A
file is only replaced once that has been seen, by reading both.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from platform_assets.config import DatasetSettings
from platform_assets.contracts.contract import Contract
from platform_assets.erasure.marks import mark_of
from platform_assets.erasure.people import (
    People,
    conformed,
    id_columns,
)
from platform_assets.erasure.words import erased_cell
from platform_assets.errors import FileRefusedError, PlatformError
from platform_assets.ingestion.delimited import DelimitedSource
from platform_assets.ingestion.discovery import LandedFile, content_hash, discover
from platform_assets.ingestion.encoding import GZIP_MAGIC, survey
from platform_assets.ingestion.formats import open_source
from platform_assets.ingestion.headers import HeaderMatcher
from platform_assets.ingestion.reading import read_file
from platform_assets.ingestion.rejects import RejectSpool
from platform_assets.transforms.schemas import LINE_HASH, SOURCE_ROW

_PLACE = (SOURCE_ROW, LINE_HASH)
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Standing:
    """A landed file with the person in it.

    Attributes:
        dataset: Its dataset.
        file: The file.
        rows: Lines of rows that are the person's, with the fingerprint of each.
        rejected: Lines that could not be taken apart and name the person.
        obstacle: Why it cannot be rewritten here; empty when it can.
    """

    dataset: str
    file: LandedFile
    rows: Mapping[int, int]
    rejected: Mapping[int, str]
    obstacle: str = ""

    @property
    def lines(self) -> list[int]:
        """All of these lines."""
        return sorted({*self.rows, *self.rejected})


@dataclass(frozen=True)
class Rewritten:
    """A file that was replaced: hash of its bytes before and after."""

    standing: Standing
    before: str
    after: str


def standings(contract: Contract, folder: Path, settings: DatasetSettings, person: People) -> Iterator[Standing]:
    """Where people stand in a dataset's folder.

    Args:
        contract: The dataset's contract.
        folder: Its folder in the landing zone.
        settings: What the deployment says about the dataset.
        person: Whom to look for.

    Yields:
        The files that name them.
    """
    for file in discover(folder):
        if file.refusal:
            continue
        found = _standing(contract, file, settings, person)
        if found.lines:
            yield found


def rewrite(
    standing: Standing,
    contract: Contract,
    settings: DatasetSettings,
    people: People,
    on_change: Callable[[str, str], None] = lambda _before, _after: None,
) -> Rewritten:
    """Replace a file by itself without the person, keeping its time.

    Args:
        standing: The file, and where people stand in it.
        contract: The dataset's contract.
        settings: What the deployment says about the dataset.
        people: Those people, with the key of the register.
        on_change: Told the hashes of the content before and after, just before the file is replaced.

    Raises:
        PlatformError: It cannot be done exactly; the file is as it was.
    """
    file = standing.file
    before = content_hash(file.path)
    text, encoding = _decoded(file)
    changed = _spliced(text, _edits(text, standing, contract, people))
    beside = _beside(file.path, changed.encode(encoding))
    try:
        _require_same(file, beside, contract, settings, people)
        os.utime(beside, ns=(file.path.stat().st_atime_ns, file.mtime_ns))
        if content_hash(file.path) != before:
            raise PlatformError(f"{file.path} changed meanwhile.", "Run the command again.")
        after = content_hash(beside)
        on_change(before, after)
        beside.replace(file.path)
    finally:
        beside.unlink(missing_ok=True)
    return Rewritten(standing, before, after)


def _standing(contract: Contract, file: LandedFile, settings: DatasetSettings, person: People) -> Standing:
    rows: dict[int, int] = {}
    rejected: dict[int, str] = {}
    reader = read_file(file, contract, settings.date_readings())
    try:
        for batch in reader.batches():
            rows |= _rows_of(batch, contract, person)
        for batch in reader.rejects.batches():
            for line in batch.to_pylist():
                if line["raw"] and person.text(line["raw"]) != line["raw"]:
                    rejected[line["_source_row"]] = line["raw"]
    except FileRefusedError as error:
        return Standing(contract.dataset, file, {}, _lines_of(file, person), f"refused as a whole: {error.problem}")
    return Standing(contract.dataset, file, rows, rejected, _obstacle(file, reader.report.delimiter))


def _lines_of(file: LandedFile, person: People) -> dict[int, str]:
    """Lines of a file that cannot be read, as far as its bytes are text."""
    with file.path.open(encoding="utf-8-sig", errors="replace") as stream:
        return {at: line for at, line in enumerate(stream, 1) if person.text(line) != line}


def _rows_of(batch: pa.RecordBatch, contract: Contract, person: People) -> dict[int, int]:
    found: dict[int, int] = {}
    for column in id_columns(contract):
        cells = batch.column(batch.schema.get_field_index(column.name))
        distinct = cells.dictionary_encode()
        whose = [person.pseudonym(value) for value in conformed(column, distinct.dictionary)]
        for at, index in enumerate(distinct.indices.to_pylist()):
            if index is not None and whose[index]:
                row, line_hash = (batch.column(batch.schema.get_field_index(name))[at].as_py() for name in _PLACE)
                found[row] = line_hash
    return found


def _obstacle(file: LandedFile, delimiter: str | None) -> str:
    if delimiter is None:
        return "not delimited text"
    with file.path.open("rb") as stream:
        if stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC:
            return "compressed"
    return "a link" if file.path.is_symlink() else ""


def _decoded(file: LandedFile) -> tuple[str, str]:
    """The text with its mark of byte order, and the encoding that gives back exactly the bytes."""
    content = file.path.read_bytes()
    encoding = survey(file.path).encoding
    plain = {"utf-16": "utf-16-le" if content.startswith(b"\xff\xfe") else "utf-16-be", "utf-8-sig": "utf-8"}
    encoding = plain.get(encoding.lower(), encoding)
    try:
        text = content.decode(encoding)
        is_exact = text.encode(encoding) == content
    except UnicodeError:
        is_exact = False
    if not is_exact:
        raise PlatformError(f"{file.path} has bytes that are not {encoding}.", "Take the person out of it by hand.")
    return text, encoding


def _edits(text: str, standing: Standing, contract: Contract, people: People) -> Iterator[tuple[int, int, str]]:
    """Spans of the text and what replaces them."""
    source = open_source(standing.file.path, HeaderMatcher(contract).knows, RejectSpool(standing.file.name))
    if not isinstance(source, DelimitedSource):
        raise PlatformError(f"{standing.file.path} is not delimited text.", "Take the person out of it by hand.")
    columns = HeaderMatcher(contract).match(source.headers).columns
    order = [columns.get(header) for header in source.headers]
    starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
    for row, line_hash in standing.rows.items():
        spans = cell_spans(text, starts[row - 1], source.delimiter)
        for span, name in zip(spans, order, strict=False):
            if name is not None:
                yield from _edit(text, span, name, contract, mark_of(people.keyed(line_hash)))
    for row, raw in standing.rejected.items():
        start = starts[row - 1]
        if not text.startswith(raw, start):
            problem = f"Line {row:,} of {standing.file.path} is not found as it was read."
            raise PlatformError(problem, "Take the person out of it by hand.")
        yield start, start + len(raw), people.text(raw)


def _edit(text: str, span: tuple[int, int], name: str, contract: Contract, mark: str) -> Iterator[tuple[int, int, str]]:
    column = contract.column(name)
    start, end = span
    bare = text[start:end].strip('"')
    if column.personal and erased_cell(column, bare) != bare:
        yield start, end, mark if column in id_columns(contract) else erased_cell(column, bare)


def cell_spans(text: str, start: int, delimiter: str) -> list[tuple[int, int]]:
    """Where the cells of the record are that begins at a place, their quotes included."""
    mark = re.escape(delimiter)
    cell = re.compile(rf'"(?:[^"]++|"")*+"(?=[{mark}\r\n]|\Z)|[^{mark}\r\n]*+')
    spans = []
    while (found := cell.match(text, start)) is not None:
        spans.append(found.span())
        if not text.startswith(delimiter, found.end()):
            break
        start = found.end() + len(delimiter)
    return spans


def _spliced(text: str, edits: Iterator[tuple[int, int, str]]) -> str:
    parts, place = [], 0
    for start, end, instead in sorted(edits):
        parts += [text[place:start], instead]
        place = end
    return "".join([*parts, text[place:]])


def _beside(path: Path, content: bytes) -> Path:
    """A file next to another one that discovery does not see, with its rights."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".forgetting.", suffix=path.suffix)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).chmod(path.stat().st_mode & 0o777)
    return Path(name)


def _require_same(
    file: LandedFile, beside: Path, contract: Contract, settings: DatasetSettings, people: People
) -> None:
    """Both files are read to the same rows and the same rejected lines, once the person is out of them."""
    status = beside.stat()
    other = LandedFile(file.name, beside, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if _as_read(file, contract, settings, people) != _as_read(other, contract, settings, people):
        problem = f"{file.path} would be read as something else without the person."
        raise PlatformError(problem, "Take the person out of it by hand; the file is as it was.")


def _as_read(
    file: LandedFile, contract: Contract, settings: DatasetSettings, people: People
) -> tuple[Sequence[pa.Table], Sequence[pa.Table], object]:
    reader = read_file(file, contract, settings.date_readings())
    rows = [people.without(pa.Table.from_batches([batch]), contract)[0] for batch in reader.batches()]
    rejects = [people.without_lines(pa.Table.from_batches([batch]))[0] for batch in reader.rejects.batches()]
    return rows, rejects, reader.report.readings
