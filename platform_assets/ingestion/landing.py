"""The landing zone, read incrementally: only files that are new or changed, by the hash of their content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platform_assets.config import DatasetSettings
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.readings import reading_to_json
from platform_assets.engines.engine import Engine
from platform_assets.erasure.marks import FORGOTTEN_FACT, slice_id
from platform_assets.erasure.people import NOBODY, People
from platform_assets.errors import PlatformError
from platform_assets.ingestion.chunks import (
    LEAST_BYTES,
    SHARE,
    Chunk,
    ChunkRead,
    FileChanged,
    FileRead,
    FileRefused,
    OnFile,
    Outcome,
    is_as_listed,
    read_chunk,
    split,
    stamp,
)
from platform_assets.ingestion.discovery import LandedFile, content_hash, discover
from platform_assets.ingestion.reading import FileReport
from platform_assets.lake.snapshot import Slice
from platform_assets.lake.table import Table
from platform_assets.lake.update import Update

REFUSED = "refused"


@dataclass(frozen=True)
class Landing:
    """What one look at a dataset's folder gave.

    Attributes:
        rows: The next version of the raw table.
        rejects: The next version of the table of rejected lines.
        read: Files that were read, with the number of lines.
        refused: Files that were refused in this look, with the reason.
        removed: Files that are gone.
        unchanged: Number of files that did not need reading.
        unfinished: Files that changed while they were read; what they had before stays, and the next look takes them.
    """

    rows: Update
    rejects: Update
    read: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    unfinished: tuple[str, ...] = ()


class _Look:
    """One pass over a folder; collects what the next versions are made of."""

    def __init__(
        self,
        contract: Contract,
        settings: DatasetSettings,
        tables: tuple[Table, Table],
        now: datetime,
        forgotten: People,
    ) -> None:
        self.contract = contract
        self.settings = settings
        self.tables = tables
        self.now = now
        self.forgotten = forgotten
        self.before = tables[0].snapshot()
        self.fingerprint = fingerprint(contract.reading) + str(sorted(settings.date_formats.items()))
        self.slices: tuple[dict[str, Slice], dict[str, Slice]] = ({}, {})
        self.refused: dict[str, dict[str, Any]] = {}
        self.unfinished: list[str] = []
        self.stamps: dict[str, list[int]] = {}

    def known(self, file: LandedFile) -> bool:
        """Whether the file was read or refused before with this very content, judged by its stamp or its hash."""
        piece = self.before.slices.get(file.name)
        refusal = self.before.attributes.get(REFUSED, {}).get(file.name)
        identity = piece.id if piece else (refusal["id"] if refusal else None)
        if identity is None:
            return False
        stamped = self.before.attributes.get("stamps", {}).get(file.name)
        is_stamped = stamped == stamp(file) and identity.startswith(self.fingerprint)
        if is_stamped or slice_id(identity) == self.identity(file.refusal or content_hash(file.path)):
            self.stamps[file.name] = stamp(file)
            if refusal:
                self.refused[file.name] = refusal
            return True
        return False

    def identity(self, content: str) -> str:
        """What changes when a file has to be read again."""
        return f"{self.fingerprint}:{content}"

    def _landed_at(self, file: LandedFile, outcome: FileRead) -> str:
        """When this content of the file was read for the first time."""
        before = self.before.slices.get(file.name)
        is_same = before is not None and before.facts["content_hash"] == outcome.content
        known: str | None = before.facts.get("landed_at") if before is not None and is_same else None
        return known or self.now.isoformat()

    def note(self, file: LandedFile, outcome: Outcome, segments: tuple[str, str]) -> None:
        """Take down what became of a file."""
        if isinstance(outcome, FileRead):
            facts = _file_facts(file, outcome.report, outcome.content) | {"landed_at": self._landed_at(file, outcome)}
            if outcome.forgotten:
                facts[FORGOTTEN_FACT] = sorted(outcome.forgotten)
            identity = slice_id(self.identity(outcome.content), outcome.forgotten)
            for slices, segment in zip(self.slices, segments, strict=True):
                slices[file.name] = Slice(identity, segment, facts)
        elif isinstance(outcome, FileRefused):
            self.refused[file.name] = {
                "id": self.identity(outcome.content),
                "reason": outcome.reason,
                "remedy": outcome.remedy,
                "content_hash": outcome.content,
                "lines": outcome.lines,
                "arrived_ns": file.mtime_ns,
            }
        else:
            self.unfinished.append(file.name)
            return
        self.stamps[file.name] = stamp(file)


def look(
    contract: Contract,
    folder: Path,
    settings: DatasetSettings,
    tables: tuple[Table, Table],
    engine: Engine,
    *,
    on_file: OnFile = lambda _name, _done, _all: None,
    least_bytes: int = LEAST_BYTES,
    now: datetime | None = None,
    forgotten: People = NOBODY,
) -> Landing:
    """Read what is new in a dataset's folder.

    Args:
        contract: The dataset's contract.
        folder: Its folder in the landing zone; a missing one is an empty one.
        settings: What the deployment says about the dataset.
        tables: The raw table and the table of rejected lines.
        engine: Whose workers read the files, when there is enough to read.
        on_file: Told before each file; when workers read, after each of their chunks, with its last file.
        least_bytes: What a chunk for a worker has at least.
        now: The wall clock: each file keeps when its content was read first.
        forgotten: People whose rows are read as those of guests.

    Returns:
        The next versions, not yet published, and what was read, refused and removed.

    Raises:
        PlatformError: The folder cannot be read (that is never taken for an empty one), or the engine's workers do
            not see the landing zone or the lake.
    """
    this = _Look(contract, settings, tables, now or datetime.now(UTC), forgotten)
    files = discover(folder)
    new = [file for file in files if not this.known(file)]
    gone = sorted(set(this.before.slices) - {file.name for file in files})
    if not new and not gone and this.refused == this.before.attributes.get(REFUSED, {}):
        return _nothing_new(this, len(files))
    chunks = _chunks(this, new, engine, least_bytes)
    reads = _reads(chunks, engine, on_file)
    outcomes = {outcome.name: (outcome, read.segments) for read in reads for outcome in read.outcomes}
    _require_shared(new, {name: outcome for name, (outcome, _) in outcomes.items()})
    _require_segments(tables, reads)
    for file in new:
        this.note(file, *outcomes[file.name])
    return _landing(this, reads, gone, len(files) - len(new))


def _chunks(this: _Look, new: Sequence[LandedFile], engine: Engine, least_bytes: int) -> list[Chunk]:
    # How many workers there are is asked only when it matters: the answer may take a job.
    is_much = len(new) > 1 and sum(file.size for file in new) >= 2 * least_bytes
    parts = split(new, engine.workers if is_much else 1, least_bytes)
    for table in this.tables:
        table.segments.mkdir(parents=True, exist_ok=True)
    formats = this.settings.date_readings()
    return [Chunk(this.contract, formats, this.tables, part, this.forgotten) for part in parts]


def _reads(chunks: Sequence[Chunk], engine: Engine, on_file: OnFile) -> list[ChunkRead]:
    """What reading gave: a single chunk is read here, several by the engine's workers."""
    if len(chunks) == 1:
        return [read_chunk(chunks[0], on_file)]
    total = sum(len(chunk.files) for chunk in chunks)
    done, reads = 0, []
    for chunk, read in zip(chunks, engine.spread(read_chunk, chunks), strict=True):
        done += len(chunk.files)
        on_file(chunk.files[-1].name, done - 1, total)
        reads.append(read)
    return reads


def _require_shared(files: Sequence[LandedFile], outcomes: Mapping[str, Outcome]) -> None:
    """A file that changed for a worker, but not here, is another one; taken for unfinished it would never be read."""
    strange = [file for file in files if isinstance(outcomes[file.name], FileChanged) and is_as_listed(file)]
    if strange:
        seen = f"{len(strange):,} of {len(files):,} files as this machine does, {strange[0].path} among them"
        raise PlatformError(f"The engine's workers do not see {seen}.", SHARE)


def _require_segments(tables: tuple[Table, Table], reads: Sequence[ChunkRead]) -> None:
    for read in reads:
        for table, name in zip(tables, read.segments, strict=True):
            if not (table.segments / name).exists():
                problem = f"The engine's workers write the lake elsewhere: {table.segments / name} is not here."
                raise PlatformError(problem, SHARE)


def _nothing_new(this: _Look, unchanged: int) -> Landing:
    """The versions as they are; stamps of files that were only touched are kept, so that they are not hashed again."""
    is_touched = this.stamps != this.before.attributes.get("stamps", {})
    rows = Update(this.before.with_attributes(stamps=this.stamps) if is_touched else this.before, is_news=is_touched)
    return Landing(rows, Update(this.tables[1].snapshot(), is_news=False), unchanged=unchanged)


def _landing(this: _Look, reads: Sequence[ChunkRead], gone: list[str], unchanged: int) -> Landing:
    dropped = {*gone, *this.refused}
    snapshots = []
    for place, (table, slices) in enumerate(zip(this.tables, this.slices, strict=True)):
        holds = {read.segments[place]: tuple(sorted(one.name for one in read.outcomes)) for read in reads}
        snapshots.append(table.snapshot().with_slices(slices, dropped, holds))
    attributes = {REFUSED: this.refused, "stamps": this.stamps}
    touched = {outcome.name for read in reads for outcome in read.outcomes}
    return Landing(
        rows=Update(snapshots[0].with_attributes(**attributes)),
        rejects=Update(snapshots[1]),
        read={name: piece.facts["rows_read"] for name, piece in this.slices[0].items()},
        refused={name: refusal["reason"] for name, refusal in this.refused.items() if name in touched},
        removed=tuple(gone),
        unchanged=unchanged,
        unfinished=tuple(this.unfinished),
    )


def _file_facts(file: LandedFile, report: FileReport, content: str) -> dict[str, Any]:
    return {
        "rows": report.rows_read - report.rows_rejected,
        "rows_read": report.rows_read,
        "rows_rejected": report.rows_rejected,
        "columns": sorted(set(report.headers.values())),
        "unknown_columns": list(report.unknown_columns),
        "readings": {name: reading_to_json(reading) for name, reading in sorted(report.readings.items())},
        "encoding": report.encoding,
        "delimiter": report.delimiter,
        "notes": list(report.notes),
        "bytes": file.size,
        "arrived_ns": file.mtime_ns,
        "content_hash": content,
    }
