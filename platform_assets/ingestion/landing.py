"""The landing zone, read incrementally: only files that are new or changed, by the hash of their content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from platform_assets.config import DatasetSettings
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.readings import reading_to_json
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.discovery import LandedFile, content_hash, discover
from platform_assets.ingestion.reading import FileReport, read_file
from platform_assets.ingestion.rejects import REJECT_SCHEMA
from platform_assets.lake.snapshot import Slice
from platform_assets.lake.table import Table
from platform_assets.lake.update import Update
from platform_assets.lake.writing import SegmentWriter
from platform_assets.transforms.schemas import raw_schema

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

    def __init__(self, contract: Contract, settings: DatasetSettings, rows: Table, rejects: Table) -> None:
        self.contract = contract
        self.settings = settings
        self.tables = (rows, rejects)
        self.before = rows.snapshot()
        self.fingerprint = fingerprint(contract) + str(sorted(settings.date_formats.items()))
        self.slices: dict[str, Slice] = {}
        self.refused: dict[str, dict[str, Any]] = {}
        self.touched: list[str] = []
        self.unfinished: list[str] = []
        self.stamps: dict[str, list[int]] = {}

    def known(self, file: LandedFile) -> bool:
        """Whether the file was read or refused before with this very content, judged by its stamp or its hash."""
        piece = self.before.slices.get(file.name)
        refusal = self.before.attributes.get(REFUSED, {}).get(file.name)
        identity = piece.id if piece else (refusal["id"] if refusal else None)
        if identity is None:
            return False
        stamp = self.before.attributes.get("stamps", {}).get(file.name)
        if (stamp == _stamp(file) and identity.startswith(self.fingerprint)) or identity == self.identity(file):
            self.stamps[file.name] = _stamp(file)
            if refusal:
                self.refused[file.name] = refusal
            return True
        return False

    def identity(self, file: LandedFile) -> str:
        """What changes when the file has to be read again."""
        return f"{self.fingerprint}:{file.refusal or content_hash(file.path)}"

    def take(self, file: LandedFile, rows: SegmentWriter, rejects: SegmentWriter) -> None:
        """Read one file into the segments, or note why it is refused."""
        identity = self.identity(file)
        self.touched.append(file.name)
        try:
            reader = read_file(file, self.contract, self.settings.date_readings())
            for batch in reader.batches():
                rows.add(batch)
            for batch in reader.rejects.batches():
                rejects.add(batch)
        except FileRefusedError as error:
            self.refused[file.name] = {
                "id": identity,
                "reason": error.problem,
                "remedy": error.remedy,
                "content_hash": _content_hash(identity),
                "lines": getattr(error, "lines", None) or 0,
                "arrived_ns": file.mtime_ns,
            }
            self.stamps[file.name] = _stamp(file)
            return
        if _stamp_now(file.path) != _stamp(file):
            self.unfinished.append(file.name)
            return
        self.stamps[file.name] = _stamp(file)
        self.slices[file.name] = Slice(identity, rows.path.name, _file_facts(file, reader.report, identity))


def look(
    contract: Contract,
    folder: Path,
    settings: DatasetSettings,
    tables: tuple[Table, Table],
    on_file: Callable[[str, int, int], None] = lambda _name, _done, _all: None,
) -> Landing:
    """Read what is new in a dataset's folder.

    Args:
        contract: The dataset's contract.
        folder: Its folder in the landing zone; a missing one is an empty one.
        settings: What the deployment says about the dataset.
        tables: The raw table and the table of rejected lines.
        on_file: Told before each file: its name, how many are done, how many there are to read.

    Returns:
        The next versions, not yet published, and what was read, refused and removed.

    Raises:
        PlatformError: The folder cannot be read; that is never taken for an empty one.
    """
    this = _Look(contract, settings, *tables)
    files = discover(folder)
    new = [file for file in files if not this.known(file)]
    gone = sorted(set(this.before.slices) - {file.name for file in files})
    if not new and not gone and this.refused == this.before.attributes.get(REFUSED, {}):
        return _nothing_new(this, len(files))
    segments = tables[0].new_segment(), tables[1].new_segment()
    with SegmentWriter(segments[0], raw_schema(contract)) as lines, SegmentWriter(segments[1], REJECT_SCHEMA) as bad:
        for done, file in enumerate(new):
            on_file(file.name, done, len(new))
            this.take(file, lines, bad)
    return _landing(this, segments, gone, len(files) - len(new))


def _nothing_new(this: _Look, unchanged: int) -> Landing:
    """The versions as they are; stamps of files that were only touched are kept, so that they are not hashed again."""
    is_touched = this.stamps != this.before.attributes.get("stamps", {})
    rows = Update(this.before.with_attributes(stamps=this.stamps) if is_touched else this.before, is_news=is_touched)
    return Landing(rows, Update(this.tables[1].snapshot(), is_news=False), unchanged=unchanged)


def _landing(this: _Look, segments: tuple[Path, Path], gone: list[str], unchanged: int) -> Landing:
    dropped = {*gone, *this.refused}
    snapshots = []
    for table, segment in zip(this.tables, segments, strict=True):
        slices = {key: replace(piece, segment=segment.name) for key, piece in this.slices.items()}
        snapshots.append(table.snapshot().with_slices(slices, dropped, {segment.name: tuple(sorted(this.touched))}))
    attributes = {REFUSED: this.refused, "stamps": this.stamps}
    return Landing(
        rows=Update(snapshots[0].with_attributes(**attributes)),
        rejects=Update(snapshots[1]),
        read={key: piece.facts["rows_read"] for key, piece in this.slices.items()},
        refused={name: this.refused[name]["reason"] for name in this.touched if name in this.refused},
        removed=tuple(gone),
        unchanged=unchanged,
        unfinished=tuple(this.unfinished),
    )


def _file_facts(file: LandedFile, report: FileReport, identity: str) -> dict[str, Any]:
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
        "content_hash": _content_hash(identity),
    }


def _content_hash(identity: str) -> str:
    return identity.rsplit(":", 1)[-1]


def _stamp(file: LandedFile) -> list[int]:
    return [file.size, file.mtime_ns, file.ctime_ns]


def _stamp_now(path: Path) -> list[int] | None:
    """The stamp a file has by now; ``None`` when it is gone."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
