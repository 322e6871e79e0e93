"""Loading the quarantine together with the history of its lines, in one transaction.

Belongs here: finding out what happened to every line between two loads. Does not belong here: what people do to lines
(``quarantine_records``), and whether a line passes (``quality``).

A line is told by dataset, file and number. Between two loads it may have come, gone or changed; why it went depends on
the file: where the file has other bytes or is gone, the line was superseded, else it passed.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import pyarrow as pa
from psycopg2 import extensions, sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one

from platform_assets.warehouse.loading.bulk import insert_staged
from platform_assets.warehouse.loading.slices import FileKey
from platform_assets.warehouse.loading.staging import Staged, staged
from platform_assets.warehouse.loading.transaction import lock, transaction
from platform_assets.warehouse.loads import Batches, Load

QUARANTINE = "quality.quarantine"
HISTORY = "quality.quarantine_history"

FILES_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("source_file", pa.string()),
        ("kind", pa.string()),
        ("content_hash", pa.string()),
        ("contract_version", pa.string()),
        ("why", pa.string()),
    ]
)
"""Files as they were judged: ``kind`` is ``file`` for a refused one; ``why`` says what else holds its rows back."""

PLACES_SCHEMA = pa.schema([("dataset", pa.string()), ("source_file", pa.string()), ("source_row", pa.int64())])

_CHANGES = """
    CREATE TEMPORARY TABLE quarantine_changes ON COMMIT DROP AS
    SELECT
        coalesce(held.dataset, arrived.dataset) AS dataset,
        coalesce(held.source_file, arrived.source_file) AS source_file,
        coalesce(held.source_row, arrived.source_row) AS source_row,
        held.ctid AS held,
        arrived.ctid AS arrived,
        CASE
            WHEN held.dataset IS NULL THEN 'quarantined'
            WHEN arrived.dataset IS NULL AND (held.content_hash IS DISTINCT FROM file.content_hash
                OR (file.kind = 'file' AND held.kind <> 'file')) THEN 'superseded'
            WHEN arrived.dataset IS NULL THEN 'replayed'
            WHEN held.content_hash IS DISTINCT FROM arrived.content_hash
                AND held.raw IS DISTINCT FROM arrived.raw THEN 'replaced'
            WHEN (held.kind, held.reasons, held.raw) IS DISTINCT FROM (arrived.kind, arrived.reasons, arrived.raw)
                OR held.kind = 'file' THEN 'kept'
            ELSE 'same'
        END AS event
    FROM (SELECT ctid, * FROM quality.quarantine) AS held
    FULL JOIN (SELECT ctid, * FROM {arrived}) AS arrived
        ON arrived.dataset = held.dataset
        AND arrived.source_file = held.source_file
        AND arrived.source_row = held.source_row
    LEFT JOIN {files} AS file
        ON file.dataset = coalesce(held.dataset, arrived.dataset)
        AND file.source_file = coalesce(held.source_file, arrived.source_file)
    WHERE held.dataset IS NULL
        OR arrived.dataset IS NULL
        OR (held.kind, held.reasons, held.raw, held.content_hash)
            IS DISTINCT FROM (arrived.kind, arrived.reasons, arrived.raw, arrived.content_hash)
"""

_PASSED_FILES = """
    SELECT DISTINCT change.dataset, change.source_file
    FROM quarantine_changes AS change
    JOIN quality.quarantine AS held ON held.ctid = change.held
    WHERE change.event = 'replayed' AND held.kind <> 'file'
    ORDER BY 1, 2
"""

_MARK_DUPLICATES = """
    UPDATE quarantine_changes AS change
    SET event = 'duplicate'
    FROM {duplicates} AS line
    WHERE change.event = 'replayed'
        AND line.dataset = change.dataset
        AND line.source_file = change.source_file
        AND line.source_row = change.source_row
"""

_INSERT = """
    INSERT INTO quality.quarantine_history
        (event, dataset, source_file, source_row, kind, reasons, raw, content_hash, contract_version, run_id, why)
"""

_GONE = (
    "CASE WHEN file.dataset IS NULL THEN 'the file is gone'"
    " WHEN file.kind = 'file' THEN 'the file is refused as a whole' ELSE 'the file changed' END"
)

_OF_HELD = """{insert}
    SELECT
        CASE change.event WHEN 'replaced' THEN 'superseded' ELSE change.event END,
        change.dataset, change.source_file, change.source_row,
        held.kind, held.reasons, held.raw, held.content_hash, file.contract_version, %(run)s,
        CASE WHEN change.event IN ('superseded', 'replaced') THEN {gone}
            WHEN held.kind = 'file' THEN 'the file can be read now' ELSE file.why END
    FROM quarantine_changes AS change
    JOIN quality.quarantine AS held ON held.ctid = change.held
    LEFT JOIN {files} AS file ON file.dataset = change.dataset AND file.source_file = change.source_file
    WHERE change.event IN ('superseded', 'replaced', 'replayed', 'duplicate')
    ORDER BY change.dataset, change.source_file, change.source_row
"""

_OF_ARRIVED = """{insert}
    SELECT
        CASE change.event WHEN 'replaced' THEN 'quarantined' ELSE change.event END,
        change.dataset, change.source_file, change.source_row,
        arrived.kind, arrived.reasons, arrived.raw, arrived.content_hash, file.contract_version, %(run)s, NULL
    FROM quarantine_changes AS change
    JOIN {arrived} AS arrived ON arrived.ctid = change.arrived
    LEFT JOIN {files} AS file ON file.dataset = change.dataset AND file.source_file = change.source_file
    WHERE change.event IN ('quarantined', 'replaced', 'kept')
    ORDER BY change.dataset, change.source_file, change.source_row
"""

# Lines that had left the quarantine by a correction which the file's new content has made void.
_VOID_CORRECTIONS = """{insert}
    SELECT DISTINCT ON (made.dataset, made.source_file, made.source_row)
        'superseded', made.dataset, made.source_file, made.source_row, made.kind, made.reasons, made.raw,
        made.content_hash, file.contract_version, %(run)s,
        'the correction no longer applies: ' || {gone}
    FROM quality.quarantine_history AS made
    LEFT JOIN {files} AS file ON file.dataset = made.dataset AND file.source_file = made.source_file
    WHERE made.event = 'corrected'
        AND (file.kind = 'file' OR made.content_hash IS DISTINCT FROM file.content_hash)
        AND NOT EXISTS (
            SELECT FROM quality.quarantine_history AS later
            WHERE later.dataset = made.dataset AND later.source_file = made.source_file
                AND later.source_row = made.source_row AND later.event_id > made.event_id
                AND later.event IN ('corrected', 'superseded'))
    ORDER BY made.dataset, made.source_file, made.source_row, made.event_id DESC
"""

_DELETE = """
    DELETE FROM quality.quarantine AS held
    USING quarantine_changes AS change
    WHERE held.ctid = change.held AND change.arrived IS NULL
"""

_UPDATE = """
    UPDATE quality.quarantine AS held
    SET kind = arrived.kind, reasons = arrived.reasons, raw = arrived.raw, content_hash = arrived.content_hash
    FROM quarantine_changes AS change
    JOIN {arrived} AS arrived ON arrived.ctid = change.arrived
    WHERE held.ctid = change.held
"""

_NEW = "JOIN quarantine_changes AS change ON change.arrived = staged.ctid AND change.held IS NULL"


@dataclass(frozen=True)
class QuarantineLoad(Load):
    """All lines that are set aside now; what became of the others is added to the history.

    Attributes:
        schema: Columns of the lines: those of the table.
        batches: The lines.
        files: Every file as it was judged, of ``FILES_SCHEMA``.
        duplicates_of: Gives the lines of some files that only repeat another, of ``PLACES_SCHEMA``.
        run_id: The run that found it all out.
    """

    schema: pa.Schema
    batches: Batches
    files: pa.Table
    duplicates_of: Callable[[Collection[FileKey]], Batches]
    run_id: str
    table: str = QUARANTINE

    def apply(self, connection: Connection) -> dict[str, int]:
        """Compare, tell the history, and make the table equal to the lines."""
        with transaction(connection) as cursor:
            lock(cursor, QUARANTINE)
            cursor.execute("LOCK TABLE quality.quarantine IN SHARE ROW EXCLUSIVE MODE")
            with (
                staged(cursor, QUARANTINE, self.schema, self.batches) as arrived,
                staged(cursor, HISTORY, FILES_SCHEMA, self.files.to_batches()) as files,
            ):
                _run(cursor, "CREATE UNIQUE INDEX ON {arrived} (dataset, source_file, source_row)", arrived=arrived)
                _run(cursor, _CHANGES, arrived=arrived, files=files)
                cursor.execute("ANALYZE quarantine_changes")
                self._mark_duplicates(cursor)
                for statement in (_OF_HELD, _VOID_CORRECTIONS, _OF_ARRIVED):
                    self._tell(cursor, statement, arrived=arrived, files=files)
                return _written(cursor, arrived)

    def _mark_duplicates(self, cursor: extensions.cursor) -> None:
        cursor.execute(_PASSED_FILES)
        passed = cursor.fetchall()
        if passed:
            with staged(cursor, QUARANTINE, PLACES_SCHEMA, self.duplicates_of(passed)) as duplicates:
                _run(cursor, _MARK_DUPLICATES, duplicates=duplicates)

    def _tell(self, cursor: extensions.cursor, statement: str, **tables: Staged) -> None:
        cursor.execute(_composed(statement, **tables), {"run": self.run_id})


def _written(cursor: extensions.cursor, arrived: Staged) -> dict[str, int]:
    cursor.execute("SELECT count(*) FROM quarantine_changes WHERE held IS NULL")
    (new_rows,) = cursor.fetchone() or (0,)
    cursor.execute(_DELETE)
    deleted = cursor.rowcount
    _run(cursor, _UPDATE, arrived=arrived)
    updated = cursor.rowcount
    inserted = insert_staged(cursor, QUARANTINE, arrived, new_rows, sql.SQL(_NEW)) if new_rows else 0
    unchanged = arrived.totals.rows - inserted - updated
    return {"inserted": inserted, "updated": updated, "deleted": deleted, "unchanged": unchanged}


def _run(cursor: extensions.cursor, statement: str, **tables: Staged) -> None:
    cursor.execute(_composed(statement, **tables))


def _composed(statement: str, **tables: Staged) -> sql.Composed:
    parts: dict[str, sql.Composable] = {name: one.table for name, one in tables.items()}
    return sql.SQL(statement).format(insert=sql.SQL(_INSERT), gone=sql.SQL(_GONE), **parts)
