"""Looking for a person in PostgreSQL, and taking people out of what was written there for people to read.

Belongs here: the text of the tables that are the platform's and Dagster's. Does not belong here: rows that follow from
the lake (dimensions, marts), which the next run changes by itself; schemas of others in the same database.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2 import extensions, sql

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.lake import quarantined_text
from platform_assets.erasure.notations import scrubbed
from platform_assets.erasure.people import People
from platform_assets.erasure.proof import LINES, PERSONAL, PSEUDONYM, Column, Found, Person, column_kind
from platform_assets.warehouse.loading.transaction import transaction

_LOADED = frozenset({"warehouse", "analytics"})
"""Schemas whose rows follow from the lake."""

_UNCHANGEABLE = frozenset({"ops.audit_log"})
_ALWAYS_VACUUMED = (
    "warehouse.dim_customer",
    "quality.quarantine",
    "quality.quarantine_history",
    "quality.failing_samples",
    "quality.check_results",
)
_STATISTICS_TABLE = "pg_catalog.pg_statistic"
"""Comes last: what the planner remembered of the other tables is dead then."""

_CELLS = ("dataset", "kind")

_COLUMNS = """
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE n.nspname = ANY(%s) AND c.relkind = ANY(%s) AND c.relpersistence <> 't'
        AND a.attnum > 0 AND NOT a.attisdropped AND t.typcategory IN ('S', 'A', 'U', 'C')
    ORDER BY 1, 2, a.attnum
"""
_STATISTICS = """
    SELECT schemaname, tablename, attname, concat_ws(' ', most_common_vals::text, histogram_bounds::text)
    FROM pg_catalog.pg_stats WHERE schemaname = ANY(%s)
"""
_REPLACED = "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname ~ %s ORDER BY 1"
_CHANGED_KINDS, _LOOKED_AT_KINDS = ["r"], ["r", "m"]
"""Rows of a partitioned table stand in its partitions; what a view has stored, its owner refreshes."""

_OTHERWISE_WRITTEN = frozenset(" \"'/\\&<>")
"""Blanks of another kind and number, and what programs escape."""


@dataclass(frozen=True)
class Source:
    """A database, or the part of one, that is the platform's.

    Attributes:
        connection: An idle connection of an owner.
        schemas: Its schemas; whatever else is in the database is of others, and is not looked at.
        label: What stands before the names of its tables.
    """

    connection: extensions.connection
    schemas: tuple[str, ...]
    label: str = ""

    def own(self, places: Sequence[str]) -> list[str]:
        """Those of some tables with labels that are its own, without."""
        bare = [place.removeprefix(self.label) for place in places if place.startswith(self.label)]
        return [place for place in bare if place.split(".")[0] in self.schemas]


@dataclass(frozen=True)
class _Text:
    """A column of text."""

    schema: str
    table: str
    name: str
    kind: str
    siblings: frozenset[str]

    @property
    def place(self) -> str:
        """The table with its schema."""
        return f"{self.schema}.{self.table}"

    @property
    def holds(self) -> Column:
        """What stands in it; what is written for people stands in schemas of their own."""
        return column_kind(self.name, is_free=self.schema not in _LOADED)

    @property
    def relation(self) -> sql.Identifier:
        """Its table in SQL."""
        return sql.Identifier(self.schema, self.table)


def scan_database(source: Source, person: Person) -> list[Found]:
    """Look through every column of text of a database, and through what its planner remembers of them.

    Args:
        source: Where.
        person: Whom to look for.
    """
    counts: Counter[tuple[str, str, bool]] = Counter()
    with transaction(source.connection) as cursor:
        for text in _columns(cursor, source.schemas, _LOOKED_AT_KINDS):
            for cell in _cells(cursor, text, person):
                sure = person.is_named(cell["value"], text.holds, quotes=text.name in {"reason", "reasons"})
                if sure is not None:
                    counts[source.label + text.place, text.name, sure] += 1
        cursor.execute(_STATISTICS, (list(source.schemas),))
        for schema, table, name, values in cursor.fetchall():
            if name in PERSONAL and person.is_said(values or ""):
                counts[f"{source.label}{schema}.{table}", f"{name} (statistics)", True] += 1
    return [Found(*key[:2], cells, key[2]) for key, cells in sorted(counts.items())]


def replaced_schemas(source: Source) -> list[str]:
    """Schemas that a restore has moved aside: they hold whom they held then."""
    names = "|".join(map(re.escape, source.schemas))
    with transaction(source.connection) as cursor:
        cursor.execute(_REPLACED, (f"^({names})_replaced_[0-9]+$",))
        return [name for (name,) in cursor.fetchall()]


def names_in_warehouse(connection: extensions.connection, identifier: str) -> set[str]:
    """The names that the warehouse has for an id."""
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT DISTINCT customer_name FROM warehouse.dim_customer WHERE customer_id = %s", (identifier,)
        )
        return {name for (name,) in cursor.fetchall() if name and name.strip()}


def scrub_database(source: Source, people: People, person: Person, note: Callable[[set[str]], None]) -> None:
    """Take people out of kept lines and messages, cell by cell, in one transaction.

    Args:
        source: Where.
        people: Everybody who was forgotten.
        person: The one at hand, in clear: PostgreSQL can look for nothing else.
        note: Told the tables that were changed, just before that is committed.
    """
    changed = set()
    with transaction(source.connection) as cursor:
        for text in _columns(cursor, source.schemas, _CHANGED_KINDS):
            if text.schema not in _LOADED and text.place not in _UNCHANGEABLE and _scrub(cursor, text, people, person):
                changed.add(source.label + text.place)
        note(changed)


def vacuum(source: Source, tables: Sequence[str]) -> list[str]:
    """Write tables and their indexes anew, so that no dead row keeps what was deleted, and forget old statistics.

    Plain VACUUM would only mark the space as free; the bytes would stay in it until something else is put there.

    Args:
        source: Where.
        tables: Which, besides those that always are; those of other sources do not matter.

    Returns:
        What PostgreSQL says it has not written anew, for want of a right.
    """
    connection = source.connection
    connection.autocommit = True
    del connection.notices[:]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '120s'")
            for table in dict.fromkeys([*_ALWAYS_VACUUMED, *source.own(tables), _STATISTICS_TABLE]):
                name = sql.Identifier(*table.split(".", 1))
                cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (name.as_string(cursor),))
                if cursor.fetchone() == (True,):
                    cursor.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(name))
    finally:
        connection.autocommit = False
    return [notice.strip() for notice in connection.notices if notice.startswith("WARNING")]


def rebind(cursor: extensions.cursor, dataset: str, file: str, before: str, after: str) -> None:
    """Let kept lines of a file know its new content, which says the same but for a person.

    Else the next load would take them for lines of a file that has changed.
    """
    for table in ("quality.quarantine", "quality.quarantine_history"):
        statement = sql.SQL(
            "UPDATE {} SET content_hash = %s WHERE dataset = %s AND source_file = %s AND content_hash = %s"
        ).format(sql.Identifier(*table.split(".")))
        cursor.execute(statement, (after, dataset, file, before))


def _scrub(cursor: extensions.cursor, text: _Text, people: People, person: Person) -> int:
    update = sql.SQL("UPDATE ONLY {} SET {} = %s::{} WHERE ctid = %s::tid").format(
        text.relation, sql.Identifier(text.name), sql.SQL(text.kind)
    )
    done = 0
    for cell in _cells(cursor, text, person):
        after = _without(cell, text, people)
        if after != cell["value"]:
            cursor.execute(update, (after, cell["ctid"]))
            done += 1
    return done


def _without(cell: Mapping[str, Any], text: _Text, people: People) -> str:
    value: str = cell["value"]
    contract = CONTRACTS.get(cell["dataset"] or "")
    if text.name in LINES and contract is not None:
        return quarantined_text(value, cell["kind"], contract, people) or value
    return scrubbed(value, lambda part: people.text(part, is_prose=text.name not in {*LINES, "reasons"}))


def _columns(cursor: extensions.cursor, schemas: Sequence[str], kinds: list[str]) -> list[_Text]:
    cursor.execute(_COLUMNS, (list(schemas), kinds))
    found = cursor.fetchall()
    siblings: dict[tuple[str, str], set[str]] = {}
    for schema, table, name, _ in found:
        siblings.setdefault((schema, table), set()).add(name)
    return [_Text(schema, table, name, kind, frozenset(siblings[schema, table])) for schema, table, name, kind in found]


def _cells(cursor: extensions.cursor, text: _Text, person: Person) -> Iterator[dict[str, Any]]:
    """Cells that may name the person, with what tells how to read them."""
    column = sql.SQL("{}::text").format(sql.Identifier(text.name))
    looks = [person.identifier, *person.names]
    looks += [person.pseudonym] if text.name == PSEUDONYM and person.pseudonym else []
    others = [sql.Identifier(name) if name in text.siblings else sql.SQL("NULL") for name in _CELLS]
    statement = sql.SQL('SELECT ctid::text, {}, {}, {} FROM ONLY {} WHERE {} COLLATE "C" ~* %s')
    cursor.execute(statement.format(column, *others, text.relation, column), (_pattern(looks),))
    for line in cursor.fetchall():
        yield dict(zip(("ctid", "value", *_CELLS), line, strict=True))


def _pattern(looks: Sequence[str]) -> str:
    """What matches every cell with one of some texts in it, in whatever case and however JSON writes it; and others.

    PostgreSQL is only trusted with the case of ASCII letters: that of the others depends on the database's locale.
    """
    return "|".join("".join(map(_letter, " ".join(look.split()))) for look in looks)


def _letter(letter: str) -> str:
    if letter in _OTHERWISE_WRITTEN:
        return ".{1,12}"
    if letter.isascii():
        return re.escape(letter)
    cases = {letter, letter.lower(), letter.upper(), letter.casefold()}
    forms = cases | {json.dumps(case)[1:-1] for case in cases}
    return f"(?:{'|'.join(map(re.escape, sorted(forms)))})"
