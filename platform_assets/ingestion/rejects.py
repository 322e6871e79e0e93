"""The lines of a file that could not be taken apart: kept with their reason, in bounded memory.

Belongs here: collecting and giving back rejected lines. Does not belong here: rows that break a rule of the contract
(those are judged later, by ``transforms``).
"""

import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

import pyarrow as pa

RAW_LIMIT = 10_000
"""Characters of a rejected line that are kept."""
CROWDED_RAW_LIMIT = 200
"""Characters kept of each line once there are very many rejects."""
CROWD = 100_000
BATCH = 1_000
IN_MEMORY = 32 * 1024 * 1024

REJECT_SCHEMA = pa.schema(
    [
        pa.field("_source_file", pa.string()),
        pa.field("_source_row", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("raw", pa.string()),
    ]
)


class RejectSpool:
    """Rejected lines in order of arrival; beyond 32 MB they lie in a temporary file that goes with this object."""

    def __init__(self, source_file: str) -> None:
        self._source_file = source_file
        self._pending: list[tuple[int, str, str]] = []
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - lives with the object
        weakref.finalize(self, self._spool.close)
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self.count = 0

    def add(self, line: int, reason: str, raw: str) -> None:
        """Keep one line: its number, why it was rejected, and its text (truncated to 10,000 characters)."""
        limit = RAW_LIMIT if self.count < CROWD else CROWDED_RAW_LIMIT
        self.count += 1
        self._pending.append((line, reason, raw[:limit]))
        if len(self._pending) >= BATCH:
            self._flush()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Every rejected line so far, as record batches of ``REJECT_SCHEMA``."""
        if self._writer is None:
            if self._pending:
                yield self._batch()
            return
        self._flush()
        self._writer.close()
        self._writer = None
        self._spool.seek(0)
        with pa.ipc.open_stream(self._spool) as stream:
            yield from stream

    def _flush(self) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_stream(pa.PythonFile(self._spool, mode="w"), REJECT_SCHEMA)
        if self._pending:
            self._writer.write_batch(self._batch())
            self._pending.clear()

    def _batch(self) -> pa.RecordBatch:
        lines, reasons, raws = zip(*self._pending, strict=True)
        names = pa.repeat(self._source_file, len(lines))
        return pa.record_batch(
            [names, pa.array(lines, pa.int64()), pa.array(reasons, pa.string()), pa.array(raws, pa.string())],
            schema=REJECT_SCHEMA,
        )
