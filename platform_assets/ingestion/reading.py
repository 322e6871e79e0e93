"""One landed file, read safely: batches of text columns with lineage, the lines rejected, and a report.

Belongs here: choosing the format and putting the parts of this package together. Does not belong here: the formats
themselves, and what is done with the batches.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.readings import DateReading, Reading
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.discovery import LandedFile
from platform_assets.ingestion.fingerprint import Assembler
from platform_assets.ingestion.formats import open_source
from platform_assets.ingestion.headers import HeaderMatch, HeaderMatcher
from platform_assets.ingestion.rejects import RejectSpool
from platform_assets.ingestion.settle import ColumnEvidence
from platform_assets.ingestion.source import Source

NO_FORMATS: Mapping[str, DateReading] = {}


class LinesRefusedError(FileRefusedError):
    """A file was refused after all of its lines had been read.

    Args:
        problem: What is wrong.
        remedy: What to do about it.
        lines: How many data lines the file has.
    """

    def __init__(self, problem: str, remedy: str, lines: int) -> None:
        super().__init__(problem, remedy)
        self.lines = lines


@dataclass(frozen=True)
class FileReport:
    """One file, read to its end.

    Attributes:
        rows_read: Data lines: those given as rows and those rejected.
        rows_rejected: Lines that could not be taken apart.
        headers: Header of the file to column of the contract.
        unknown_columns: Headers the contract does not know, in the order of the file.
        missing_optional: Columns of the contract that the file lacks.
        encoding: Encoding of the text, ``None`` for binary formats.
        delimiter: What separates the fields, ``None`` for formats without one.
        notes: Remarks for people.
        readings: How each numeric or temporal column that is in the file is to be read.
        size: Bytes of the file.
    """

    rows_read: int
    rows_rejected: int
    headers: dict[str, str]
    unknown_columns: list[str]
    missing_optional: list[str]
    encoding: str | None
    delimiter: str | None
    notes: list[str]
    readings: dict[str, Reading]
    size: int


class FileReader:
    """Reads one file, once. Exhaust ``batches``, then ask for ``report`` and ``rejects``."""

    def __init__(self, file: LandedFile, contract: Contract, date_formats: Mapping[str, DateReading]) -> None:
        self._file = file
        self._contract = contract
        self._evidence = ColumnEvidence(contract, date_formats)
        self._spool = RejectSpool(file.name)
        self._report: FileReport | None = None

    @property
    def report(self) -> FileReport:
        """What there is to say about the file.

        Raises:
            RuntimeError: The batches have not been exhausted yet.
        """
        if self._report is None:
            message = "the report is complete only after the last batch"
            raise RuntimeError(message)
        return self._report

    @property
    def rejects(self) -> RejectSpool:
        """The rejected lines; complete after the last batch."""
        return self._spool

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows of the file in batches of ``raw_schema``, at most 65,536 rows each.

        Raises:
            FileRefusedError: The file cannot be loaded as a whole. This may come after some batches, which are then
                to be discarded.
        """
        rows = 0
        mapping = _Mapping(self._contract)
        source = self._open(mapping, self._spool)
        for batch in self._assembled(source, mapping):
            rows += len(batch)
            self._evidence.add(batch)
            yield batch
        if not rows and not self._spool.count:
            problem = "The file has a header line and no data."
            raise FileRefusedError(problem, "Deliver it again with its data, or remove it.")
        try:
            mapping.require()
            self._report = self._complete(source, mapping, rows)
        except FileRefusedError as error:
            raise LinesRefusedError(error.problem, error.remedy, rows + self._spool.count) from error

    def _open(self, mapping: "_Mapping", spool: RejectSpool) -> Source:
        if self._file.refusal:
            raise FileRefusedError(self._file.refusal, "Put the file itself into the dataset's folder.")
        source = open_source(self._file.path, mapping.matcher.knows, spool)
        if source.headers is not None:
            mapping.learn(source.headers)
            mapping.require()
        return source

    def _assembled(self, source: Source, mapping: "_Mapping") -> Iterator[pa.RecordBatch]:
        assembler = Assembler(self._contract, self._file.name)
        for block in source.blocks():
            yield assembler.assemble(block, mapping.learn(block.names))

    def _reread(self) -> Iterator[pa.RecordBatch]:
        mapping = _Mapping(self._contract)
        source = self._open(mapping, RejectSpool(self._file.name))
        return self._assembled(source, mapping)

    def _complete(self, source: Source, mapping: "_Mapping", rows: int) -> FileReport:
        present = set(mapping.columns.values())
        readings = self._evidence.readings(present, self._reread)
        return FileReport(
            rows_read=rows + self._spool.count,
            rows_rejected=self._spool.count,
            headers=mapping.columns,
            unknown_columns=list(mapping.unknown),
            missing_optional=mapping.matcher.missing_optional(mapping.columns),
            encoding=source.encoding,
            delimiter=source.delimiter,
            notes=[*source.notes, *self._evidence.notes(present)],
            readings=readings,
            size=self._file.size,
        )


def read_file(file: LandedFile, contract: Contract, date_formats: Mapping[str, DateReading] = NO_FORMATS) -> FileReader:
    """A reader for one landed file; nothing is opened before its batches are asked for.

    Args:
        file: As ``discover`` gave it.
        contract: The dataset's contract.
        date_formats: Formats that the dataset's settings name, by column; those are not looked for in the file.
    """
    return FileReader(file, contract, date_formats)


class _Mapping:
    """Headers seen so far and what they mean; formats without a header line teach it block by block."""

    def __init__(self, contract: Contract) -> None:
        self.matcher = HeaderMatcher(contract)
        self._seen: dict[str, None] = {}
        self._match = HeaderMatch({}, ())

    @property
    def columns(self) -> dict[str, str]:
        return self._match.columns

    @property
    def unknown(self) -> tuple[str, ...]:
        return self._match.unknown

    def learn(self, headers: tuple[str, ...]) -> dict[str, str]:
        """Take in headers, and give back what all headers so far mean.

        Raises:
            FileRefusedError: Two headers clash.
        """
        if len(set(headers)) < len(headers):
            self.matcher.match(headers)
        if not self._seen.keys() >= set(headers):
            before = self.columns
            self._seen |= dict.fromkeys(headers)
            self._match = self.matcher.match(list(self._seen))
            moved = [header for header in before if header not in self.columns]
            if moved:
                problem = f"{moved[0]!r} and a later name both mean the column {before[moved[0]]}."
                raise FileRefusedError(problem, "Use one of them throughout the file.")
        return self.columns

    def require(self) -> None:
        """Check that everything demanded has been seen.

        Raises:
            FileRefusedError: A required column is missing.
        """
        self.matcher.require(list(self._seen), self.columns)
