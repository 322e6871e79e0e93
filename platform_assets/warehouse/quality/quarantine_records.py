"""What the quarantine says to people, and what people do to its lines.

Belongs here: reading lines and their history, recording what people did. Does not belong here: what runs find out
(``quarantine_load``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from psycopg2 import extensions
from psycopg2.extras import RealDictCursor, execute_values

from platform_assets.warehouse.loading.transaction import transaction


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines of the quarantine; what is ``None`` does not matter.

    Attributes:
        dataset: Of one dataset.
        reason: That have this reason, alone or among others.
        file: Of one file.
        row: One line of it.
        files: Of any of these files.
        with_discarded: Whether lines that were given up are among them.
    """

    dataset: str | None = None
    reason: str | None = None
    file: str | None = None
    row: int | None = None
    files: tuple[str, ...] | None = None
    with_discarded: bool = False

    @property
    def condition(self) -> tuple[str, dict[str, Any]]:
        """The condition on ``quality.quarantine_status`` and its values."""
        parts = {
            "dataset = %(dataset)s": self.dataset,
            "%(reason)s = ANY (CASE kind WHEN 'row' THEN string_to_array(reasons, ', ') ELSE ARRAY[reasons] END)": (
                self.reason
            ),
            "source_file = %(file)s": self.file,
            "source_row = %(row)s": self.row,
            "source_file = ANY (%(files)s)": None if self.files is None else list(self.files),
        }
        used = [part for part, value in parts.items() if value is not None]
        if not self.with_discarded:
            used.append("status = 'pending'")
        values = {name: getattr(self, name) for name in ("dataset", "reason", "file", "row")}
        values["files"] = list(self.files or ())
        return " AND ".join(used) or "true", values


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that is set aside."""

    dataset: str
    source_file: str
    source_row: int
    kind: str
    reasons: str
    raw: str | None
    content_hash: str | None
    status: str
    attempts: int
    first_seen_at: datetime | None

    @property
    def place(self) -> tuple[str, int]:
        """File and number."""
        return self.source_file, self.source_row


@dataclass(frozen=True, kw_only=True)
class Group:
    """Lines of a dataset that are set aside for the same reason; one with two reasons is in two groups."""

    dataset: str
    reason: str
    kind: str
    rows: int
    files: int
    first_file: str
    since: datetime | None
    attempts: int
    discarded: int


@dataclass(frozen=True, kw_only=True)
class Total:
    """What a dataset has set aside: lines, and the money of its ledger."""

    dataset: str
    rows: int
    discarded: int
    amount: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a line."""

    event_at: datetime
    event: str
    reasons: str | None
    actor: str | None
    why: str | None
    run_id: str | None


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a person does to a line: the line, and its text afterwards where that changes."""

    line: Line
    raw: str | None = None


_LINE_COLUMNS = (
    "dataset, source_file, source_row, kind, reasons, raw, content_hash, status, attempts::int, first_seen_at"
)


def lines(connection: extensions.connection, wanted: Wanted, limit: int | None = None) -> list[Line]:
    """The lines wanted, by dataset, file and number."""
    condition, values = wanted.condition
    statement = (
        f"SELECT {_LINE_COLUMNS} FROM quality.quarantine_status WHERE {condition}"  # noqa: S608 - parts of this module
        " ORDER BY dataset, source_file, source_row LIMIT %(limit)s"
    )
    return [Line(**found) for found in _rows(connection, statement, {**values, "limit": limit})]


def count_lines(connection: extensions.connection, wanted: Wanted) -> int:
    """How many lines are wanted."""
    condition, values = wanted.condition
    statement = f"SELECT count(*) AS lines FROM quality.quarantine_status WHERE {condition}"  # noqa: S608 - see above
    return int(_rows(connection, statement, values)[0]["lines"])


def groups(connection: extensions.connection, wanted: Wanted) -> list[Group]:
    """The lines wanted by dataset and reason, the most frequent first."""
    condition, values = wanted.condition
    statement = f"""
        SELECT dataset, reason, kind, count(*)::int AS rows, count(DISTINCT source_file)::int AS files,
            min(source_file) AS first_file, min(first_seen_at) AS since, max(attempts)::int AS attempts,
            (count(*) FILTER (WHERE status = 'discarded'))::int AS discarded
        FROM quality.quarantine_status
        CROSS JOIN LATERAL unnest(
            CASE kind WHEN 'row' THEN string_to_array(reasons, ', ') ELSE ARRAY[reasons] END) AS told (reason)
        WHERE {condition}
        GROUP BY dataset, reason, kind
        ORDER BY dataset, count(*) DESC, reason
    """  # noqa: S608 - see above
    return [Group(**found) for found in _rows(connection, statement, values)]


def totals(connection: extensions.connection, dataset: str | None) -> list[Total]:
    """What each dataset has set aside, discarded lines included; refused files count as one line each."""
    statement = """
        SELECT line.dataset, line.rows::int, line.discarded::int, money.amount
        FROM (
            SELECT dataset, count(*) AS rows, count(*) FILTER (WHERE status = 'discarded') AS discarded
            FROM quality.quarantine_status GROUP BY dataset) AS line
        LEFT JOIN (
            SELECT dataset, nullif(sum(amount_quarantined), 0) AS amount
            FROM quality.row_ledger GROUP BY dataset) AS money ON money.dataset = line.dataset
        WHERE %(dataset)s IS NULL OR line.dataset = %(dataset)s
        ORDER BY line.dataset
    """
    return [Total(**found) for found in _rows(connection, statement, {"dataset": dataset})]


def history(connection: extensions.connection, dataset: str, file: str, row: int) -> list[Event]:
    """Everything that ever happened to a line, the oldest first."""
    statement = """
        SELECT event_at, event, reasons, actor, why, run_id
        FROM quality.quarantine_history
        WHERE dataset = %(dataset)s AND source_file = %(file)s AND source_row = %(row)s
        ORDER BY event_id
    """
    return [Event(**found) for found in _rows(connection, statement, {"dataset": dataset, "file": file, "row": row})]


def events_of(connection: extensions.connection, run_id: str) -> dict[tuple[str, str], int]:
    """How often each event was recorded by a run, by dataset and event."""
    statement = """
        SELECT dataset, event, count(*)::int AS lines FROM quality.quarantine_history
        WHERE run_id = %(run)s GROUP BY dataset, event
    """
    found = _rows(connection, statement, {"run": run_id})
    return {(line["dataset"], line["event"]): line["lines"] for line in found}


def record(
    connection: extensions.connection,
    event: Literal["corrected", "discarded"],
    deeds: Sequence[Deed],
    *,
    actor: str,
    why: str | None,
) -> int:
    """Record what a person does to lines, in one transaction.

    A line whose last event is exactly this one is left out, so that a command that was killed can be given again.

    Returns:
        How many events were added.
    """
    rows = [
        (
            *(one.line.dataset, one.line.source_file, one.line.source_row, one.line.kind, one.line.reasons),
            *(one.line.raw if one.raw is None else one.raw, one.line.content_hash, actor, why),
        )
        for one in deeds
    ]
    with transaction(connection) as cursor:
        statement, template = _RECORD.format(event=event), "(%s, %s, %s::bigint, %s, %s, %s, %s, %s, %s)"
        return len(execute_values(cursor, statement, rows, template=template, fetch=True))


_RECORD = """
    INSERT INTO quality.quarantine_history
        (event, dataset, source_file, source_row, kind, reasons, raw, content_hash, actor, why)
    SELECT '{event}', line.*
    FROM (VALUES %s) AS line
        (dataset, source_file, source_row, kind, reasons, raw, content_hash, actor, why)
    WHERE NOT EXISTS (
        SELECT FROM (
            SELECT event, raw, content_hash FROM quality.quarantine_history AS one
            WHERE one.dataset = line.dataset AND one.source_file = line.source_file
                AND one.source_row = line.source_row
            ORDER BY event_id DESC LIMIT 1) AS last
        WHERE (last.event, last.raw, last.content_hash)
            IS NOT DISTINCT FROM ('{event}', line.raw, line.content_hash))
    RETURNING event_id
"""


def _rows(connection: extensions.connection, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(statement, values)
        return [dict(found) for found in cursor.fetchall()]
