"""Looking for a person in everything that is kept, by the id and the names themselves: the proof of an erasure.

Belongs here: what counts as found, in files of the home and in tables of PostgreSQL. Does not belong here: taking it
out. What erases goes by keyed hashes, the proof by the words themselves, so that the one can tell on the other.

An id is looked for where a person can stand: as the whole cell in columns that contracts mark as personal; in lines of
files that were kept, in the cell of such a column, or as a whole word where the line cannot be taken apart; in messages
as a whole word, if it has a letter or the message quotes a file. The same text elsewhere (a product 170 beside a
customer 170) is told apart and proves nothing.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_assets.contracts.columns import Column as ContractColumn
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.notations import strings
from platform_assets.erasure.people import conformed, id_columns, personal_columns
from platform_assets.erasure.words import cells_of, may_name, normal_name, quotes_file
from platform_assets.errors import PlatformError

PERSONAL = frozenset(column.name for contract in CONTRACTS.values() for column in personal_columns(contract))
PSEUDONYM = "customer_pseudonym"
LINES = frozenset({"raw", "_raw", "_extra"})
_QUOTES = frozenset({"reason", "reasons"})
REPLACED = "replaced"
"""Folder of a home with what a restore has moved aside."""

_NOT_LOOKED_THROUGH = ("postgres", "keys", "run", REPLACED)
_MARKED_UP = frozenset({".html", ".htm", ".svg", ".xml"})
_MOST_BYTES = 512 * 1024**2


class Column(StrEnum):
    """What a column of text holds."""

    PERSON = "person"
    LINE = "line"
    MESSAGE = "message"
    OTHER = "other"


@dataclass(frozen=True)
class Found:
    """Cells that name the person, or that only look like it.

    Attributes:
        place: Table, or file that is of none.
        column: Column.
        cells: How many.
        is_person: Whether they name the person; else they are told so that a reader can judge.
    """

    place: str
    column: str
    cells: int
    is_person: bool


@dataclass(frozen=True)
class Person:
    """Whom to look for, in clear.

    Attributes:
        identifier: The id as staging conforms it.
        names: Names that nobody else has.
        pseudonym: What stands for the person where analysts look.
    """

    identifier: str
    names: tuple[str, ...] = ()
    pseudonym: str | None = None

    @cached_property
    def words(self) -> re.Pattern[str]:
        """The id or a name as whole words."""
        names = [r"\s+".join(map(re.escape, name.split())) for name in self.names]
        parts = [rf"(?<![\w.-]){re.escape(self.identifier)}(?:\.0)?(?![\w-])(?!\.\d)"]
        parts += [rf"(?<!\w)(?i:{name})(?!\w)" for name in names]
        return re.compile("|".join(parts))

    @cached_property
    def normal_names(self) -> frozenset[str]:
        """The names as names are compared."""
        return frozenset(map(normal_name, self.names))

    def is_cell(self, cell: str) -> bool:
        """Whether a whole cell is the id or a name."""
        forms = {self.identifier, f"{self.identifier}.0", self.pseudonym}
        return cell.strip() in forms or normal_name(cell) in self.normal_names

    def is_named(self, text: str, column: Column, *, quotes: bool = False) -> bool | None:
        """Whether a text names the person; ``None`` where it does not even look like it."""
        if column in {Column.PERSON, Column.OTHER}:
            return column is Column.PERSON if self.is_cell(text) else None
        if column is Column.LINE:
            is_said = self.is_said(text) or ('"' in text and any(map(self.words.search, cells_of(text))))
            return self._is_in_line(text) if is_said else None
        parts = [part for part in strings(text) if self.words.search(part)]
        if not parts:
            return False if self.words.search(text) else None
        return any(quotes or quotes_file(part) or self._is_certain(part) for part in parts)

    def is_said(self, text: str) -> bool:
        """Whether the id or a name stands in a text as whole words, however JSON writes them."""
        return any(map(self.words.search, strings(text)))

    def _is_certain(self, text: str) -> bool:
        return any(may_name(found.group()) for found in self.words.finditer(text))

    def _is_in_line(self, text: str) -> bool:
        """By its columns where it has those of a contract, else by its words."""
        cells = cells_of(text)
        fitting = [contract for contract in CONTRACTS.values() if len(contract.columns) == len(cells)]
        return not fitting or any(self._is_in_cells(cells, contract) for contract in fitting)

    def _is_in_cells(self, cells: list[str], contract: Contract) -> bool:
        named = dict(zip(contract.column_names, cells, strict=True))
        return any(self.is_cell(named[column.name]) for column in personal_columns(contract))


def scan_home(home: Path, backups: Path, person: Person) -> list[Found]:
    """Look through all files of a home but PostgreSQL's own, the backups, and what a restore has moved aside.

    Args:
        home: The platform's home.
        backups: Folder of the backups, which may be in it.
        person: Whom to look for.

    Returns:
        What was found, summed up by table of the lake.
    """
    found: Counter[tuple[str, str, bool]] = Counter()
    for path in sorted(home.rglob("*")):
        parts = path.relative_to(home).parts
        if not path.is_file() or path.is_symlink() or parts[0] in _NOT_LOOKED_THROUGH or path.is_relative_to(backups):
            continue
        place = "/".join(parts[:3] if parts[0] == "lake" else parts)
        look = _in_parquet if path.suffix == ".parquet" or ".parquet" in path.parent.name else _in_text
        for (column, sure), cells in look(path, person).items():
            found[place, column, sure] += cells
    return [Found(place, column, cells, sure) for (place, column, sure), cells in found.items()]


def names_in_lake(lake: Path, identifier: str) -> tuple[set[str], set[str]]:
    """The names of a person in the lake, and those of them that others have, too."""
    pairs = set(_pairs(lake, identifier))
    own = {name for is_person, name in pairs if is_person}
    others = {normal_name(name) for is_person, name in pairs if not is_person}
    return own, {name for name in own if normal_name(name) in others}


def column_kind(name: str, *, is_free: bool) -> Column:
    """What a column holds, told by its name, and by whether the table's text was written for people."""
    if name in PERSONAL or name == PSEUDONYM:
        return Column.PERSON
    if name in LINES:
        return Column.LINE
    return Column.MESSAGE if is_free or name in _QUOTES else Column.OTHER


def _in_parquet(path: Path, person: Person) -> Mapping[tuple[str, bool], int]:
    counts: Counter[tuple[str, bool]] = Counter()
    try:
        source = pq.ParquetFile(path)
    except pa.ArrowException:
        return _in_text(path, person)
    for field in source.schema_arrow:
        if _has_text(field.type):
            kind = column_kind(field.name, is_free=pa.types.is_nested(field.type))
            for batch in source.iter_batches(columns=[field.name]):
                counts += _in_cells(batch.column(0), field.name, kind, person)
    return counts


def _in_cells(cells: pa.Array, name: str, kind: Column, person: Person) -> Counter[tuple[str, bool]]:
    texts = cells if pa.types.is_string(cells.type) else pa.array([_shown(cell) for cell in cells.to_pylist()])
    counts: Counter[tuple[str, bool]] = Counter()
    for one in pc.value_counts(texts.cast(pa.string())).to_pylist():
        if one["values"] is not None:
            sure = person.is_named(one["values"], kind, quotes=name in _QUOTES)
            if sure is not None:
                counts[name, sure] += one["counts"]
    return counts


def _in_text(path: Path, person: Person) -> Mapping[tuple[str, bool], int]:
    """Any other file: its lines, or the strings of a file of JSON."""
    if path.stat().st_size > _MOST_BYTES:
        raise PlatformError(f"{path} is too large to be looked through.", "Remove it, or look through it by hand.")
    counts: Counter[tuple[str, bool]] = Counter()
    text = path.read_bytes().decode(errors="replace")
    if path.suffix in _MARKED_UP:
        text = html.unescape(text)
    if "\\" not in text and person.words.search(text) is None:
        return counts
    for part in [text] if path.suffix == ".json" else text.splitlines():
        sure = person.is_named(part, Column.MESSAGE)
        if sure is not None:
            counts["text", sure] += 1
    return counts


def _has_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_nested(kind))


def _shown(cell: Any) -> str | None:
    return None if cell is None else json.dumps(cell, default=str, ensure_ascii=False)


def _pairs(lake: Path, identifier: str) -> Iterator[tuple[bool, str]]:
    """Every name in rows that have an id, and whether it is the person's."""
    for contract in CONTRACTS.values():
        names = [column.name for column in personal_columns(contract) if column not in id_columns(contract)]
        for column in id_columns(contract):
            for path in _segments(lake, contract.dataset):
                yield from _pairs_of(path, names, column, identifier)


def _segments(lake: Path, dataset: str) -> Iterator[Path]:
    for layer in ("raw", "corrections", "staging"):
        yield from sorted((lake / layer / dataset / "segments").rglob("*.parquet"))


def _pairs_of(path: Path, names: list[str], column: ContractColumn, identifier: str) -> Iterator[tuple[bool, str]]:
    if path.is_dir():
        return
    source = pq.ParquetFile(path)
    known = source.schema_arrow.names
    for name in names:
        if name not in known or column.name not in known:
            continue
        rows = source.read(columns=[column.name, name]).group_by([column.name, name]).aggregate([])
        ids = conformed(column, rows[column.name].combine_chunks())
        for owner, said in zip(ids, rows[name].to_pylist(), strict=True):
            if said and said.strip() and owner:
                yield owner == identifier, said.strip()
