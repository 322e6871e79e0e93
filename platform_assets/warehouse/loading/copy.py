"""Arrow batches into a table by COPY, in bounded memory.

Belongs here: the stream from batches to the server, and the totals of what was sent. Does not belong here: casts and
encodings (``encoders``), transactions, and what becomes of the rows afterwards (``staging``, ``merge``).
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg2
import pyarrow as pa
from psycopg2 import extensions, sql

from platform_assets.errors import LoadError
from platform_assets.warehouse.loading.catalog import TargetColumn, target_columns
from platform_assets.warehouse.loading.encoders import cast_exactly, encoder_for
from platform_assets.warehouse.loading.totals import CopyTotals, batch_totals, no_rows

BATCH_ROWS = 32_768
"""Rows encoded at once: bounds the memory of a load, whatever the size of the batches that come in."""


def copy_batches(
    cursor: extensions.cursor, table: sql.Identifier, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> CopyTotals:
    """Append rows to a table.

    Args:
        cursor: A cursor inside a transaction; a failure leaves that transaction unusable.
        table: The table, quoted, with its schema.
        schema: Names and types of the batches' columns; the table may have more.
        batches: The rows; read once, one after the other.

    Returns:
        Totals of the rows as they were before encoding.

    Raises:
        LoadError: The rows do not fit the table's columns exactly, or a batch has another schema.
    """
    columns = target_columns(cursor, table, schema.names)
    stream = _Stream(columns, schema, batches)
    statement = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(
        table, sql.SQL(", ").join(map(sql.Identifier, schema.names)), sql.SQL(stream.options)
    )
    try:
        cursor.copy_expert(statement, stream)  # type: ignore[arg-type]  # psycopg2 never reads it by lines
    except psycopg2.Error:
        if stream.failure is not None:
            raise stream.failure from None
        raise
    return stream.totals


class _Stream:
    """A file-like object of COPY data, made batch by batch while the server takes it."""

    def __init__(self, columns: Sequence[TargetColumn], schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self._encoder = encoder_for(columns)
        self._columns = columns
        self._schema = schema
        self._chunks = self._encoded(batches)
        self.options = self._encoder.options
        self.totals = no_rows(columns)
        self.failure: BaseException | None = None

    def read(self, _size: int = -1) -> bytes:
        """Return the next bytes, however many: psycopg2 sends what it gets, and stops at none.

        Encoders hold bytes back until they are worth sending, so an empty piece is not the end.
        """
        try:
            return next(filter(None, self._chunks), b"")
        except BaseException as failure:
            # psycopg2 reports any failure of a source as a cancelled query; the caller raises the real one.
            self.failure = failure
            raise

    def _encoded(self, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
        """Encode each piece in a thread of its own while the one before it is being sent."""
        yield self._encoder.header()
        with ThreadPoolExecutor(1) as aside:
            ready: Future[bytes] | None = None
            for batch in _pieces(batches):
                following = aside.submit(self._encode, batch)
                if ready is not None:
                    yield ready.result()
                ready = following
            if ready is not None:
                yield ready.result()
        yield self._encoder.footer()

    def _encode(self, batch: pa.RecordBatch) -> bytes:
        if not batch.schema.equals(self._schema):
            problem = f"A batch has the schema [{_shown(batch.schema)}] instead of [{_shown(self._schema)}]."
            raise LoadError(problem, "Give every batch of a load the declared schema.")
        exact = cast_exactly(batch, self._columns)
        self.totals = self.totals.plus(batch_totals(exact, self._columns))
        return self._encoder.encode(exact)


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


def _shown(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)
