"""Some landed files, read into segments of their own: the piece of work that an engine spreads over its workers.

Belongs here: splitting files into such pieces and doing one, wherever that is. Does not belong here: what is new and
what becomes of a table (``landing``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.readings import DateReading
from platform_assets.erasure.people import NOBODY, People, Who
from platform_assets.errors import FileRefusedError, PlatformError
from platform_assets.ingestion.discovery import LandedFile, content_hash
from platform_assets.ingestion.reading import FileReport, LinesRefusedError, read_file
from platform_assets.ingestion.rejects import REJECT_SCHEMA
from platform_assets.lake.table import Table
from platform_assets.lake.writing import SegmentWriter
from platform_assets.transforms.schemas import raw_schema

LEAST_BYTES = 16 * 1024**2
"""What is worth the way to a worker: a second or two of reading."""
_CHUNKS_PER_WORKER = 2

SHARE = "Put the landing zone and the platform's home on storage that the workers share, or use another engine."

OnFile: TypeAlias = Callable[[str, int, int], None]
"""Told how far reading has come: the name of a file, how many were done before it, how many there are to read."""


@dataclass(frozen=True)
class Chunk:
    """Files to read, with all that reading them takes. It can be pickled.

    Attributes:
        contract: The dataset's contract.
        date_formats: Formats that the dataset's settings name, by column.
        tables: The raw table and the table of rejected lines; their folders for segments exist.
        files: What to read.
        forgotten: People whose rows are read as those of guests.
    """

    contract: Contract
    date_formats: Mapping[str, DateReading]
    tables: tuple[Table, Table]
    files: tuple[LandedFile, ...]
    forgotten: People = NOBODY


@dataclass(frozen=True)
class FileRead:
    """A file whose rows and rejected lines are in the segments.

    Attributes:
        name: The file.
        content: Hash of its bytes.
        report: What there is to say about it.
        forgotten: Pseudonyms of forgotten people whose rows it has.
    """

    name: str
    content: str
    report: FileReport
    forgotten: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FileRefused:
    """A file that cannot be loaded; the segments may hold some rows of it, which do not count.

    Attributes:
        name: The file.
        content: Hash of its bytes, or why it was not opened.
        reason: What is wrong.
        remedy: What to do about it.
        lines: How many data lines it has, 0 when that is not known.
    """

    name: str
    content: str
    reason: str
    remedy: str
    lines: int


@dataclass(frozen=True)
class FileChanged:
    """A file that is not, or no longer, what was listed: it was written or taken away meanwhile, or is not seen here.

    Attributes:
        name: The file.
    """

    name: str


Outcome: TypeAlias = FileRead | FileRefused | FileChanged


@dataclass(frozen=True)
class ChunkRead:
    """What reading a chunk gave.

    Attributes:
        segments: File names of the segment of rows and the segment of rejected lines.
        outcomes: One for each file, in their order.
    """

    segments: tuple[str, str]
    outcomes: tuple[Outcome, ...]


def split(files: Sequence[LandedFile], workers: int, least: int = LEAST_BYTES) -> list[tuple[LandedFile, ...]]:
    """Share files out so that workers have about the same to do; the order of the files stays within each part.

    Args:
        files: What to read.
        workers: How many parts are read at once; with one, nothing is split.
        least: Bytes that a part has at least, unless it is the only one.

    Returns:
        At most two parts for each worker, so that a slow one does not hold up the rest; none without files.
    """
    most = _CHUNKS_PER_WORKER * workers if workers > 1 else 1
    count = max(1, min(most, len(files), sum(file.size for file in files) // max(least, 1)))
    parts: list[list[int]] = [[] for _ in range(count)]
    sizes = [0] * count
    for place in sorted(range(len(files)), key=lambda at: -files[at].size):
        lightest = sizes.index(min(sizes))
        parts[lightest].append(place)
        sizes[lightest] += files[place].size
    while len(parts) > 1 and min(sizes) < least:
        _merge_lightest(parts, sizes)
    return [tuple(files[place] for place in sorted(part)) for part in parts if part]


def read_chunk(chunk: Chunk, on_file: OnFile = lambda _name, _done, _all: None) -> ChunkRead:
    """Read files into two new segments. Doing it again leaves the segments of before unused and harms nothing.

    Args:
        chunk: What to read.
        on_file: Told before each file.

    Raises:
        PlatformError: A file cannot be read, or the lake is not seen here.
    """
    for table in chunk.tables:
        if not table.segments.is_dir():
            raise PlatformError(f"The engine's workers do not see the lake: there is no {table.segments}.", SHARE)
    rows, rejects = (table.new_segment() for table in chunk.tables)
    outcomes = []
    with SegmentWriter(rows, raw_schema(chunk.contract)) as lines, SegmentWriter(rejects, REJECT_SCHEMA) as bad:
        for done, file in enumerate(chunk.files):
            on_file(file.name, done, len(chunk.files))
            outcomes.append(_take(file, chunk, lines, bad))
    return ChunkRead((rows.name, rejects.name), tuple(outcomes))


def stamp(file: LandedFile) -> list[int]:
    """What the directory entry said of a file's content: size, and the times of its last changes."""
    return [file.size, file.mtime_ns, file.ctime_ns]


def is_as_listed(file: LandedFile) -> bool:
    """Whether the file is there and its directory entry says what it said when the folder was listed."""
    try:
        status = file.path.stat()
    except FileNotFoundError:
        return False
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns] == stamp(file)


def _take(file: LandedFile, chunk: Chunk, rows: SegmentWriter, rejects: SegmentWriter) -> Outcome:
    """Read one file into the segments, or say why not."""
    if file.refusal:
        return _attempt(file, file.refusal, chunk, rows, rejects)
    if not is_as_listed(file):
        return FileChanged(file.name)
    outcome = _attempt(file, content_hash(file.path), chunk, rows, rejects)
    return outcome if is_as_listed(file) else FileChanged(file.name)


def _attempt(file: LandedFile, content: str, chunk: Chunk, rows: SegmentWriter, rejects: SegmentWriter) -> Outcome:
    found: set[str] = set()
    people = chunk.forgotten
    try:
        reader = read_file(file, chunk.contract, chunk.date_formats)
        for batch in reader.batches():
            found |= _add(rows, people.without(pa.Table.from_batches([batch]), chunk.contract))
        for batch in reader.rejects.batches():
            found |= _add(rejects, people.without_lines(pa.Table.from_batches([batch])))
    except FileRefusedError as error:
        lines = error.lines if isinstance(error, LinesRefusedError) else 0
        problem, remedy = (people.text(text, is_prose=True) for text in (error.problem, error.remedy))
        return FileRefused(file.name, content, problem, remedy, lines)
    return FileRead(file.name, content, reader.report, frozenset(found))


def _add(writer: SegmentWriter, read: tuple[pa.Table, Who]) -> set[str]:
    """Write rows, and tell who was left out of them."""
    rows, who = read
    for batch in rows.to_batches():
        writer.add(batch)
    return {person for people in who.values() for person in people}


def _merge_lightest(parts: list[list[int]], sizes: list[int]) -> None:
    """Put the lightest part into the one that is next."""
    lightest = sizes.index(min(sizes))
    part, size = parts.pop(lightest), sizes.pop(lightest)
    following = sizes.index(min(sizes))
    parts[following] += part
    sizes[following] += size
